"""A dose whose fate is not known counts as given until it is settled (law 3, RES-52)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from custom_components.aquarist.dosing import (
    Dose,
    DoseState,
    IllegalTransition,
    VolumeError,
    advance,
)
from custom_components.aquarist.dosing.ledger import TRANSITIONS

OPEN = [DoseState.INTENDED, DoseState.SENT, DoseState.UNKNOWN]
SETTLED = [DoseState.GIVEN, DoseState.PARTLY, DoseState.NOT_GIVEN]


def dose(state: DoseState = DoseState.SENT, **more: Any) -> Dose:
    """Make a dose of 5 mL."""
    return Dose(
        key="dose-1",
        device=3,
        head=0,
        volume=5000,
        state=state,
        at=datetime(2026, 5, 1, 12, tzinfo=UTC),
        **more,
    )


def given_for(state: DoseState) -> int | None:
    """Give a volume that a state can have."""
    return 2000 if state is DoseState.PARTLY else None


@pytest.mark.parametrize("state", OPEN)
def test_an_open_dose_counts_as_its_whole_volume(state: DoseState) -> None:
    """Intended, sent and unknown."""
    assert dose(state).counted == 5000
    assert not dose(state).is_settled


@pytest.mark.parametrize(
    ("state", "given", "expected"),
    [
        (DoseState.GIVEN, 5100, 5100),
        (DoseState.GIVEN, None, 5000),
        (DoseState.PARTLY, 1200, 1200),
        (DoseState.NOT_GIVEN, 0, 0),
        (DoseState.NOT_GIVEN, None, 0),
    ],
)
def test_a_settled_dose_counts_as_what_was_given(
    state: DoseState, given: int | None, expected: int
) -> None:
    """No more and no less."""
    assert dose(state, given=given).counted == expected
    assert dose(state, given=given).is_settled


def test_every_state_has_a_row_in_the_table() -> None:
    """Final is final, and nothing leads back."""
    assert set(TRANSITIONS) == set(DoseState)
    assert all(not TRANSITIONS[state] for state in SETTLED)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        *[(DoseState.INTENDED, state) for state in DoseState][1:],
        *[(DoseState.SENT, state) for state in [DoseState.UNKNOWN, *SETTLED]],
        *[(DoseState.UNKNOWN, state) for state in SETTLED],
    ],
)
def test_a_dose_moves_forward(before: DoseState, after: DoseState) -> None:
    """The steps of the table are taken, and nothing else of the dose changes."""
    moved = advance(dose(before, lifetime_before=700), after, given=given_for(after))
    assert moved.state is after
    assert moved.lifetime_before == 700
    assert (moved.key, moved.volume, moved.at) == ("dose-1", 5000, dose().at)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        *[(state, state) for state in DoseState],
        *[(state, DoseState.INTENDED) for state in DoseState],
        (DoseState.UNKNOWN, DoseState.SENT),
        *[(state, open_state) for state in SETTLED for open_state in OPEN],
        (DoseState.GIVEN, DoseState.NOT_GIVEN),
        (DoseState.NOT_GIVEN, DoseState.GIVEN),
        (DoseState.PARTLY, DoseState.GIVEN),
    ],
)
def test_a_dose_never_moves_back(before: DoseState, after: DoseState) -> None:
    """Every other step is refused; the error knows which."""
    with pytest.raises(IllegalTransition, match="dose dose-1 cannot go") as caught:
        advance(dose(before), after)
    assert (caught.value.key, caught.value.before, caught.value.after) == (
        "dose-1",
        before,
        after,
    )


@pytest.mark.parametrize(
    ("state", "given", "expected"),
    [
        (DoseState.GIVEN, None, 5000),
        (DoseState.GIVEN, 5100, 5100),
        (DoseState.PARTLY, 1, 1),
        (DoseState.PARTLY, 4999, 4999),
        (DoseState.NOT_GIVEN, None, 0),
        (DoseState.NOT_GIVEN, 0, 0),
        (DoseState.UNKNOWN, None, None),
    ],
)
def test_what_was_given_goes_with_the_state(
    state: DoseState, given: int | None, expected: int | None
) -> None:
    """A whole dose unless told otherwise; nothing while nobody knows."""
    assert advance(dose(), state, given=given).given == expected


@pytest.mark.parametrize(
    ("state", "given"),
    [
        (DoseState.GIVEN, 0),
        (DoseState.GIVEN, -1),
        (DoseState.PARTLY, None),
        (DoseState.PARTLY, 0),
        (DoseState.PARTLY, 5000),
        (DoseState.NOT_GIVEN, 1),
        (DoseState.UNKNOWN, 0),
    ],
)
def test_a_volume_that_the_state_cannot_have_is_refused(
    state: DoseState, given: int | None
) -> None:
    """Nothing of it partly, all of it partly, something of it not at all."""
    with pytest.raises(VolumeError) as caught:
        advance(dose(), state, given=given)
    assert caught.value.reason == "given_out_of_range"
