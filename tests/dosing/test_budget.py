"""A head doses no more than its limit within any 24 hours (law 5)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from custom_components.aquarist.dosing import (
    WINDOW,
    Dose,
    DoseState,
    budget_refusal,
    counted,
)
from custom_components.aquarist.dosing.budget import beside_programmes
from custom_components.aquarist.dosing.ledger import PROGRAMME, PUMP

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TICK = timedelta.resolution


def dose(
    volume: int,
    at: datetime,
    state: DoseState = DoseState.GIVEN,
    given: int | None = None,
) -> Dose:
    """Make a dose."""
    return Dose(
        key="dose",
        device=1,
        head=0,
        volume=volume,
        state=state,
        at=at,
        given=given,
    )


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        pytest.param(timedelta(0), 1000, id="just now"),
        pytest.param(WINDOW - TICK, 1000, id="almost a day ago"),
        pytest.param(WINDOW, 0, id="a day ago"),
        pytest.param(-HOUR, 1000, id="before the clock was set back"),
        pytest.param(-WINDOW, 0, id="from a clock that was wrong by days"),
    ],
)
def test_the_doses_of_24_hours_count(age: timedelta, expected: int) -> None:
    """A dose exactly 24 hours old has rolled out."""
    assert counted([dose(1000, NOON - age)], NOON) == expected


def test_each_dose_counts_as_its_state_says() -> None:
    """Open ones in full, settled ones as given."""
    doses = [
        dose(1000, NOON, DoseState.INTENDED),
        dose(2000, NOON, DoseState.SENT),
        dose(4000, NOON, DoseState.UNKNOWN),
        dose(8000, NOON, DoseState.PARTLY, given=300),
        dose(16_000, NOON, DoseState.NOT_GIVEN),
    ]
    assert counted(doses, NOON) == 7300
    assert counted([], NOON) == 0


def test_without_a_limit_every_dose_passes() -> None:
    """The keeper has switched the limit off."""
    assert budget_refusal([dose(10**9, NOON)], 10**9, None, NOON) is None


def test_a_dose_may_use_the_limit_up() -> None:
    """Exactly the limit is allowed."""
    assert budget_refusal([dose(6000, NOON)], 4000, 10_000, NOON) is None


def test_a_dose_beyond_the_limit_is_refused_until_enough_has_rolled_out() -> None:
    """The refusal says what is left, and when the same dose would pass."""
    doses = [
        dose(3000, NOON - 2 * HOUR),
        dose(1000, NOON - 20 * HOUR),
        dose(5000, NOON - 10 * HOUR),
        dose(9000, NOON - 30 * HOUR),
    ]
    refusal = budget_refusal(doses, 4100, 10_000, NOON)
    assert refusal is not None
    assert refusal.limit == "budget_24h"
    assert (refusal.asked, refusal.allowed, refusal.left) == (4.1, 10, 1)
    assert refusal.frees_at == NOON + 14 * HOUR
    assert budget_refusal(doses, 4100, 10_000, NOON + 14 * HOUR) is None
    assert budget_refusal(doses, 4100, 10_000, NOON + 14 * HOUR - TICK) is not None


def test_one_that_rolls_out_may_be_enough() -> None:
    """The oldest goes first, whatever the order of the rows."""
    doses = [dose(1000, NOON - HOUR), dose(9000, NOON - 3 * HOUR)]
    refusal = budget_refusal(doses, 500, 10_000, NOON)
    assert refusal is not None
    assert refusal.left == 0
    assert refusal.frees_at == NOON + 21 * HOUR


def test_what_rolls_out_may_be_exactly_enough() -> None:
    """Down to the last microlitre, and for a dose as large as the limit when all is out."""
    doses = [dose(6000, NOON - 3 * HOUR), dose(4000, NOON - HOUR)]
    exact = budget_refusal(doses, 6000, 10_000, NOON)
    whole = budget_refusal(doses, 10_000, 10_000, NOON)
    assert exact is not None
    assert whole is not None
    assert exact.frees_at == NOON + 21 * HOUR
    assert whole.frees_at == NOON + 23 * HOUR


def test_a_dose_above_the_limit_itself_never_passes() -> None:
    """Waiting does not help."""
    refusal = budget_refusal([], 10_100, 10_000, NOON)
    assert refusal is not None
    assert (refusal.asked, refusal.left) == (10.1, 10)
    assert refusal.frees_at is None


def test_a_limit_below_what_was_given_leaves_nothing() -> None:
    """A limit lowered after the doses does not leave less than nothing."""
    refusal = budget_refusal([dose(5000, NOON)], 100, 1000, NOON)
    assert refusal is not None
    assert refusal.left == 0


@pytest.mark.parametrize(
    ("found", "taken"),
    [
        pytest.param([], 4000, id="it has given nothing yet"),
        pytest.param([4000], 4000, id="it gave that already"),
        pytest.param([3000, 3000], 6000, id="the pump gave more than that"),
        pytest.param([1000], 4000, id="it gave a part"),
    ],
)
def test_a_programme_takes_its_share_of_a_budget_once(
    found: list[int], taken: int
) -> None:
    """What a run gave, or somebody with the app, or who asked for it, comes on top."""
    asked = replace(dose(700, NOON), source="rest")
    primed = replace(dose(300, NOON), source=PUMP)
    older = replace(dose(9000, NOON - WINDOW), source=PROGRAMME)
    other = replace(dose(500, NOON), source=PROGRAMME, head=1)
    by_itself = [replace(dose(one, NOON - HOUR), source=PROGRAMME) for one in found]
    left, programmes = beside_programmes(
        [asked, primed, older, other, *by_itself], {(1, 0): 4000}, NOON
    )
    assert (list(left), programmes) == ([asked, primed, other], taken)


def test_without_a_programme_all_doses_count() -> None:
    """Nothing is set aside."""
    doses = [replace(dose(500, NOON), source=PROGRAMME)]
    assert beside_programmes(doses, {}, NOON) == (doses, 0)
