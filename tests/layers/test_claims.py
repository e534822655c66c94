"""A claim knows when it is in force and what it stands above."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from custom_components.aquarist.curves import Constant
from custom_components.aquarist.layers import Claim, Layer

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TICK = timedelta.resolution


def claim(
    layer: Layer = Layer.WINDOW,
    started_at: datetime = NOON,
    *,
    blocking: bool = False,
    order: int = 1,
    ends_at: datetime | None = None,
) -> Claim:
    """Make a claim on some level."""
    return Claim(
        id="claim",
        layer=layer,
        course=Constant(setting={"level": 50}),
        started_at=started_at,
        order=order,
        blocking=blocking,
        ends_at=ends_at,
    )


def test_the_ranks_are_those_of_law_4() -> None:
    """Safety above mode above enforced above override above window above schedule."""
    assert sorted(Layer, reverse=True) == [
        Layer.SAFETY,
        Layer.MODE,
        Layer.ENFORCED,
        Layer.OVERRIDE,
        Layer.WINDOW,
        Layer.SCHEDULE,
        Layer.RESTING,
    ]


def test_the_resting_value_is_not_a_claim() -> None:
    """A claim with the layer RESTING is refused, and the error names the field."""
    with pytest.raises(ValueError, match="layer"):
        claim(Layer.RESTING)


def test_a_claim_is_in_force_from_its_start_until_before_its_end() -> None:
    """The start is in, the end is out."""
    window = claim(ends_at=NOON + MINUTE)
    assert not window.in_force(NOON - TICK)
    assert window.in_force(NOON)
    assert window.in_force(NOON + MINUTE - TICK)
    assert not window.in_force(NOON + MINUTE)


def test_a_claim_without_end_stays_in_force() -> None:
    """Only something else ends it."""
    assert claim().in_force(NOON + timedelta(days=10_000))


def test_a_claim_without_length_is_never_in_force() -> None:
    """A window that shrank to nothing holds nothing."""
    assert not claim(ends_at=NOON).in_force(NOON)


@pytest.mark.parametrize(
    ("above", "below"),
    [
        pytest.param(
            claim(Layer.MODE, NOON - MINUTE),
            claim(Layer.OVERRIDE, blocking=True, order=9),
            id="rank before everything",
        ),
        pytest.param(
            claim(started_at=NOON + MINUTE),
            claim(blocking=True, order=9),
            id="later start before blocking (RES-55)",
        ),
        pytest.param(
            claim(blocking=True), claim(order=9), id="blocking before not blocking"
        ),
        pytest.param(claim(order=9), claim(order=8), id="accepted last"),
    ],
)
def test_precedence(above: Claim, below: Claim) -> None:
    """Rank, then the later start, then blocking, then the order of acceptance."""
    assert above.precedence > below.precedence


def test_a_claim_that_has_begun_stays_when_the_clock_is_set_back() -> None:
    """R-X4: nothing ends, and nothing runs again, because of that."""
    begun = replace(claim(ends_at=NOON + MINUTE), begun=True)
    assert begun.in_force(NOON - MINUTE)
    assert not begun.is_to_come(NOON - MINUTE)
    assert claim().is_to_come(NOON - MINUTE)
    assert not begun.in_force(NOON + MINUTE)
