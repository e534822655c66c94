"""What a programme must keep to that no gate sees later (law 5)."""

from datetime import time

import pytest

from custom_components.aquarist.chihiros.command_frame import Weekday
from custom_components.aquarist.dosing.programme import (
    Period,
    Programme,
    ProgrammeMode,
    TimedDose,
)
from custom_components.aquarist.dosing.programme_limits import (
    dose_refusal,
    spacing_refusal,
)
from custom_components.aquarist.dosing.spacing import Spacing

AN_HOUR = (Spacing(first="iron", second="phosphate", seconds=3600),)


def single(at: time, weekdays: Weekday = Weekday.EVERY_DAY) -> Programme:
    """Return a programme of one dose a day, 2 mL."""
    return Programme(mode=ProgrammeMode.SINGLE, volume=2000, at=at, weekdays=weekdays)


def timer(*doses: tuple[time, int]) -> Programme:
    """Return a programme of doses at times."""
    timers = tuple(TimedDose(at=at, volume=volume) for at, volume in doses)
    return Programme(
        mode=ProgrammeMode.TIMER,
        volume=sum(volume for _, volume in doses),
        timers=timers,
    )


def test_the_largest_dose_must_not_be_too_large() -> None:
    """It is each dose that counts, not the day."""
    programme = timer((time(8), 1000), (time(20), 3000))
    assert dose_refusal(programme, 3000, None) is None
    refusal = dose_refusal(programme, 2900, None)
    assert refusal is not None
    assert (refusal.limit, refusal.asked, refusal.allowed) == (
        "maximum_volume",
        3,
        2.9,
    )
    assert dose_refusal(timer(), 2900, 60) is None


@pytest.mark.parametrize(
    ("programme", "seconds", "refused"),
    [
        (single(time(9)), 24 * 3600, False),
        (single(time(9)), 24 * 3600 + 60, True),
        (single(time(9), Weekday.from_iso(1)), 7 * 24 * 3600, False),
        (timer((time(8), 1000), (time(9), 1000)), 3600, False),
        (timer((time(8), 1000), (time(9), 1000)), 3660, True),
        (timer((time(23, 30), 1000), (time(0, 15), 1000)), 2760, True),
        (timer((time(8), 1000), (time(8, 5), 0)), 3600, False),
    ],
)
def test_doses_of_a_head_keep_their_time(
    programme: Programme, seconds: float, refused: bool
) -> None:
    """Over midnight and over the end of the week, too; what gives nothing is no dose."""
    refusal = dose_refusal(programme, None, seconds)
    assert (refusal is not None) == refused
    if refusal is not None:
        assert refusal.limit == "programme_interval"
        assert refusal.details == {"minutes": f"{seconds / 60:g}"}


@pytest.mark.parametrize(
    ("ours", "theirs", "refused"),
    [
        (single(time(9)), single(time(9)), True),
        (single(time(9)), single(time(9, 59)), True),
        (single(time(9)), single(time(10)), False),
        (single(time(23, 45)), single(time(0, 15)), True),
        (
            single(time(23, 45), Weekday.from_iso(7)),
            single(time(0, 15), Weekday.from_iso(1)),
            True,
        ),
        (
            single(time(9), Weekday.from_iso(2)),
            single(time(9), Weekday.from_iso(3)),
            False,
        ),
        (
            Programme(
                mode=ProgrammeMode.CUSTOM_PERIODS,
                volume=4000,
                periods=(Period(start=time(8), minutes=240, doses=4),),
            ),
            single(time(11, 30)),
            True,
        ),
        (timer(), single(time(9)), False),
    ],
)
def test_additives_keep_their_time(
    ours: Programme, theirs: Programme, refused: bool
) -> None:
    """Whichever of both was there first."""
    refusal = spacing_refusal(ours, "iron", [("phosphate", theirs)], AN_HOUR)
    assert (refusal is not None) == refused
    if refusal is not None:
        assert refusal.limit == "programme_spacing"
        assert refusal.details == {
            "additive": "iron",
            "other": "phosphate",
            "minutes": "60",
        }


def test_what_has_no_name_or_no_rule_may_come_together() -> None:
    """Nobody said that it must not."""
    both = single(time(9))
    others = [(None, both), ("iron", both), ("silicate", both)]
    assert spacing_refusal(both, None, others, AN_HOUR) is None
    assert spacing_refusal(both, "iron", others, AN_HOUR) is None
