"""The harness itself: it repeats exactly, it really kills, and it notices what is wrong."""

from collections.abc import Callable
from pathlib import Path
import sqlite3
from typing import override

import pytest

from tests.harness.life import Life
from tests.harness.lives import first_life, second_life
from tests.harness.ports import How, Trouble
from tests.harness.runner import chosen, disturbed, failing, killed, undisturbed
from tests.harness.scenarios import Dose, PointAction, Window
from tests.harness.world import Chronicle


def test_two_runs_make_the_same_calls(tmp_path: Path) -> None:
    """Otherwise the k-th call would be another one each time."""
    assert undisturbed(Dose(), tmp_path / "one") == undisturbed(
        Dose(), tmp_path / "two"
    )


def test_every_port_is_counted(tmp_path: Path) -> None:
    """Transport, store and clock, before and after what they do."""
    assert set(undisturbed(Window(), tmp_path / "one")) == {
        "clock.call_at",
        "clock.call_later",
        "clock.now",
        "store.committed",
        "store.write",
        "transport.connect",
        "transport.connected",
        "transport.disconnect",
        "transport.write",
        "transport.written",
    }


def test_a_sample_has_the_first_and_the_last_call_of_each_port() -> None:
    """And a write to the store dies in two ways."""
    calls = ["clock.now"] * 100 + ["store.write"] * 2
    troubles = list(chosen(calls, killed))
    assert {1, 100} <= {trouble.at for trouble in troubles}
    assert [trouble.how for trouble in troubles if trouble.at == 102] == [
        How.KILLED,
        How.KILLED_INSIDE,
    ]
    assert {trouble.how for trouble in chosen(calls, failing)} == {
        How.FULL,
        How.UNWRITABLE,
    }


def test_a_killed_process_leaves_what_had_happened(tmp_path: Path) -> None:
    """The frame that reached the pump is known to the next life, the store is not ahead of it."""
    calls = undisturbed(Dose(), tmp_path / "undisturbed")
    last = len(calls) - calls[::-1].index("transport.written")
    place = tmp_path / "killed"
    disturbed(
        Dose(), place, Trouble(at=last, how=How.KILLED, call="transport.written"), 2.0
    )
    frames = Chronicle(place).read("frame")
    ends = Chronicle(place).read("end")
    assert any(frame["data"].startswith("a5010a00081b") for frame in frames)
    assert len(ends) == 2


def test_a_life_that_is_not_ended_is_noticed(tmp_path: Path) -> None:
    """A call that never comes kills nothing: the rehearsal would prove nothing."""
    with pytest.raises(AssertionError, match="did not end as it should"):
        disturbed(
            PointAction(),
            tmp_path / "one",
            Trouble(at=9999, how=How.KILLED, call="-"),
            2,
        )


def _forget_commands(folder: Path) -> None:
    """Lose an acknowledged record."""
    _change(folder, "DELETE FROM dose", "DELETE FROM command")


def _reopen(folder: Path) -> None:
    """Put a command back that was announced as ended."""
    _change(folder, "UPDATE command SET phase = 'in_force', completed_at = NULL")


def _lose_the_dose(folder: Path) -> None:
    """Forget in the ledger what the pump gave."""
    _change(folder, "DELETE FROM dose")


def _dose_again(folder: Path) -> None:
    """Let the pump hear its dose twice."""
    chronicle = Chronicle(folder)
    frame = next(
        line
        for line in chronicle.read("frame")
        if line["data"].startswith("a5010a00081b")
    )
    chronicle.note("frame", device="doser", at=frame["at"] + 5, data=frame["data"])


@pytest.mark.parametrize(
    "damage", [_forget_commands, _reopen, _lose_the_dose, _dose_again]
)
def test_the_invariants_notice(damage: Callable[[Path], None], tmp_path: Path) -> None:
    """Each of them can fail."""
    first_life(Dose(), tmp_path)
    damage(tmp_path)
    with pytest.raises((AssertionError, KeyError)):
        second_life(Dose(), tmp_path, 2.0)


class _Wrong(PointAction):
    """Expects what does not happen."""

    @override
    def judge(self, life: Life) -> None:
        """The lamp does not show 41."""
        assert life.world.level() == 41


def test_a_scenario_judges(tmp_path: Path) -> None:
    """Its own expectations count."""
    with pytest.raises(AssertionError):
        undisturbed(_Wrong(), tmp_path / "one")


def _change(folder: Path, *statements: str) -> None:
    """Change the store behind the engine's back."""
    connection = sqlite3.connect(folder / "aquarist.db", isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()
