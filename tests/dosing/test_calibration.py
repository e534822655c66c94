"""A measurement gives the true flow; what was given shows how true it has stayed."""

from datetime import UTC, datetime
from typing import Any

import pytest

from custom_components.aquarist.dosing.calibration import (
    LAST_DOSES,
    Delivery,
    Seen,
    delivery,
    measured_flow,
)
from custom_components.aquarist.dosing.ledger import Dose, DoseState


def dose(
    volume: int, given: int, state: DoseState = DoseState.GIVEN, **more: Any
) -> Dose:
    """Make a dose that has ended."""
    return Dose(
        key="dose",
        device=1,
        head=0,
        volume=volume,
        state=state,
        at=datetime(2026, 5, 1, tzinfo=UTC),
        given=given,
        **more,
    )


def test_the_true_flow_follows_from_what_came_out() -> None:
    """Nine instead of ten: a tenth slower than it was taken for."""
    assert measured_flow(10_000, 9000, 500.0) == 450
    assert measured_flow(10_000, 12_000, 500.0) == 600


@pytest.mark.parametrize(
    ("asked", "measured"), [(10_000, 1999), (10_000, 50_001), (10_000, 0), (0, 1000)]
)
def test_a_slip_of_the_hand_is_no_measurement(asked: int, measured: int) -> None:
    """Five times off is not believed."""
    with pytest.raises(ValueError, match="asked"):
        measured_flow(asked, measured, 500.0)


def test_a_head_that_gives_what_it_is_asked_for_has_no_drift() -> None:
    """Ten doses of a millilitre tell."""
    assert delivery([dose(1000, 1000)] * 10) == Delivery(
        doses=10, asked=10_000, given=10_000, drift=0.0, recalibration_suggested=False
    )


@pytest.mark.parametrize(("given", "drift"), [(4500, -10), (5600, 12)])
def test_too_little_or_too_much_suggests_to_measure_again(
    given: int, drift: float
) -> None:
    """A tenth is too much."""
    state = DoseState.PARTLY if given < 5000 else DoseState.GIVEN
    found = delivery([dose(5000, given, state)] * 4)
    assert found.drift == pytest.approx(drift)
    assert found.recalibration_suggested


def test_too_little_volume_tells_nothing() -> None:
    """Wait for more."""
    found = delivery([dose(5000, 4000, DoseState.PARTLY)])
    assert found.drift is None
    assert not found.recalibration_suggested


def test_what_says_nothing_about_the_flow_is_left_out() -> None:
    """Small doses, doses broken off or not given, and what the pump gave by itself."""
    found = delivery(
        [
            dose(900, 100, DoseState.PARTLY),
            dose(5000, 3900, DoseState.PARTLY),
            dose(5000, 0, DoseState.NOT_GIVEN),
            dose(5000, 5000, source="pump"),
            dose(5000, 5000),
        ]
    )
    assert (found.doses, found.asked, found.given) == (1, 5000, 5000)


def test_only_the_last_doses_count() -> None:
    """What was wrong before is mended."""
    old = [dose(5000, 10_000)] * 5
    found = delivery([*old, *[dose(5000, 5000)] * LAST_DOSES])
    assert found.drift == 0


def seen(counted: int, taken: int) -> Seen:
    """Return what a keeper saw in a container."""
    at = datetime(2026, 5, 1, tzinfo=UTC)
    return Seen(at=at, counted=counted, taken=taken)


@pytest.mark.parametrize(("taken", "drift"), [(80_000, -20), (105_000, 5)])
def test_what_went_out_of_the_container_says_more_than_a_counter(
    taken: int, drift: float
) -> None:
    """The counter has counted what it was asked for."""
    found = delivery([dose(5000, 5000)] * 20, seen(100_000, taken))
    assert (found.doses, found.asked, found.given) == (0, 100_000, taken)
    assert found.drift == pytest.approx(drift)
    assert found.recalibration_suggested == (abs(drift) >= 10)


@pytest.mark.parametrize(
    "looked",
    [seen(19_900, 10_000), seen(100_000, 19_000), seen(100_000, 501_000), None],
)
def test_a_look_that_cannot_tell_is_left_out(looked: Seen | None) -> None:
    """Too little went out, or something was filled in, or spilt."""
    assert delivery([dose(5000, 5000)] * 4, looked).doses == 4
