"""The table of doses: intended before they are given, settled once (law 3)."""

from dataclasses import replace
import sqlite3

import pytest

from custom_components.aquarist.dosing.ledger import TRANSITIONS, DoseState, advance
from custom_components.aquarist.store import doses
from custom_components.aquarist.store.doses import DuplicateDose
from custom_components.aquarist.store.errors import AlreadyFinal, NotStored

from .samples import AT, MINUTE, dose


def test_a_dose_comes_back(connection: sqlite3.Connection) -> None:
    """With everything that is known about it."""
    intended = dose(lifetime_before=5000, source="schedule")
    given = dose(
        "own",
        state=DoseState.GIVEN,
        given=2000,
        head=3,
        additive="Calcium",
        aquarium="tank",
        source="pump",
    )
    doses.intend(connection, intended, 1, "schedule")
    doses.intend(connection, given, None, "pump")
    assert doses.since(connection, AT - MINUTE) == [intended, given]


def test_a_dose_is_intended_once(connection: sqlite3.Connection) -> None:
    """The same key again is refused, and the stored one counts."""
    doses.intend(connection, dose(), 1, "service")
    with pytest.raises(DuplicateDose) as refused:
        doses.intend(connection, dose(volume=9000), 2, "service")
    assert refused.value.key == "1/first"
    assert doses.since(connection, AT - MINUTE) == [dose()]


def test_what_became_of_a_dose(connection: sqlite3.Connection) -> None:
    """Its state, what was given and the counter before it."""
    doses.intend(connection, dose(), 1, "service")
    sent = replace(advance(dose(), DoseState.SENT), lifetime_before=7000)
    doses.update(connection, sent, AT + MINUTE)
    assert doses.open_doses(connection) == [sent]
    partly = advance(sent, DoseState.PARTLY, given=500)
    doses.update(connection, partly, AT + 2 * MINUTE)
    assert doses.open_doses(connection) == []
    assert doses.since(connection, AT - MINUTE) == [partly]


@pytest.mark.parametrize(
    "state", [state for state, exits in TRANSITIONS.items() if not exits]
)
def test_a_settled_dose_stays_settled(
    connection: sqlite3.Connection, state: DoseState
) -> None:
    """A second verdict is refused (law 8)."""
    settled = dose(state=state, given=1000)
    doses.intend(connection, settled, 1, "service")
    with pytest.raises(AlreadyFinal):
        doses.update(connection, dose(state=DoseState.SENT), AT + MINUTE)
    assert doses.since(connection, AT - MINUTE) == [settled]


def test_a_dose_that_was_never_intended(connection: sqlite3.Connection) -> None:
    """There is nothing to update."""
    with pytest.raises(NotStored):
        doses.update(connection, dose(state=DoseState.SENT), AT)


def test_the_doses_that_are_open(connection: sqlite3.Connection) -> None:
    """Intended, sent and unknown ones."""
    for state in DoseState:
        doses.intend(connection, dose(state.value, state=state), 1, "service")
    assert [item.key for item in doses.open_doses(connection)] == [
        "intended",
        "sent",
        "unknown",
    ]


def test_since_is_after(connection: sqlite3.Connection) -> None:
    """The instant itself is out, as in the ledger's window; oldest first."""
    for minutes in (2, 0, 1):
        doses.intend(
            connection, dose(f"d{minutes}", at=AT + minutes * MINUTE), 1, "service"
        )
    assert [item.key for item in doses.since(connection, AT)] == ["d1", "d2"]


def test_the_newest_doses_of_a_head(connection: sqlite3.Connection) -> None:
    """Page by page, of this head alone."""
    for number in range(4):
        doses.intend(
            connection, dose(f"d{number}", at=AT + number * MINUTE), 1, "service"
        )
    doses.intend(connection, dose("other", head=1), 1, "service")
    doses.intend(connection, dose("elsewhere", device=2), 1, "service")
    first = doses.of_head(connection, 1, 0, 3)
    rest = doses.of_head(connection, 1, 0, 3, before=first[-1].at)
    assert [item.key for item in first + rest] == ["d3", "d2", "d1", "d0"]
