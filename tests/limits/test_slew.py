"""No level jumps over livestock (R-B109)."""

import pytest

from custom_components.aquarist.limits import Slew, slewed
from custom_components.aquarist.limits.slew import reached_in


@pytest.mark.parametrize(("last", "target"), [(0, 80), (80, 0)])
def test_a_level_moves_no_faster_than_its_slew_both_ways(
    last: float, target: float
) -> None:
    """5 %/s for half a second are two and a half percent, up or down."""
    value, wait = slewed(last, target, 0.5, Slew(per_second=5))
    assert abs(value - last) == pytest.approx(2.5)
    assert abs(target - value) == pytest.approx(77.5)
    assert wait == 1


@pytest.mark.parametrize(("per_second", "step"), [(5, 5), (1, 1), (0.1, 1)])
def test_a_level_that_has_stood_for_hours_does_not_jump(
    per_second: float, step: float
) -> None:
    """Idle time is not saved up: the move begins with one step, as large as any other."""
    value, wait = slewed(0, 80, 7200, Slew(per_second=per_second))
    assert value == pytest.approx(step)
    assert wait == pytest.approx(step / per_second)


def test_a_target_within_reach_is_taken_exactly() -> None:
    """Then nothing more is due."""
    assert slewed(76, 80, 1, Slew(per_second=5)) == (80, None)
    assert slewed(80, 80, 0, Slew(per_second=5)) == (80, None)


def test_without_slew_the_level_goes_straight() -> None:
    """No limit, no steps."""
    assert slewed(0, 80, 0, None) == (80, None)


def test_from_an_unknown_level_it_goes_straight() -> None:
    """There is nothing to move from."""
    assert slewed(None, 80, 0, Slew(per_second=5)) == (80, None)


def test_a_slow_slew_steps_by_a_percent() -> None:
    """0.1 %/s: nothing to write before ten seconds have passed."""
    value, wait = slewed(0, 80, 0, Slew(per_second=0.1))
    assert value == pytest.approx(0)
    assert wait == pytest.approx(10)


def test_the_last_step_is_due_when_the_target_is_in_reach() -> None:
    """Not a second later, and not a percent later."""
    value, wait = slewed(5, 10.5, 1, Slew(per_second=5))
    assert value == pytest.approx(10)
    assert wait == pytest.approx(0.1)


def test_a_clock_set_back_moves_nothing() -> None:
    """Negative time is no time, not a move away from the target."""
    assert slewed(40, 80, -100, Slew(per_second=5)) == (40, 1)


@pytest.mark.parametrize("per_second", [0, -1, float("inf"), float("nan")])
def test_a_speed_that_is_none_is_refused(per_second: float) -> None:
    """The error names the field."""
    with pytest.raises(ValueError, match="^per_second:"):
        Slew(per_second=per_second)


@pytest.mark.parametrize(
    ("seconds", "last", "target", "reached"),
    [
        (10, 80, 50, 71),
        (10.5, 80, 50, 70),
        (10, 50, 80, 59),
        (30, 80, 50, 51),
        (30.1, 80, 50, 50),
        (-5, 80, 50, 80),
    ],
)
def test_what_is_reached_in_a_time_is_known_before(
    seconds: float, last: float, target: float, reached: float
) -> None:
    """One percent a second, both ways; the step that is due at the very end comes too late."""
    assert reached_in(seconds, last, target, Slew(per_second=1)) == reached


def test_a_short_way_takes_less_than_a_step() -> None:
    """Half a percent at 0.1 %/s is done in five seconds, not in ten."""
    assert reached_in(6, 80, 80.5, Slew(per_second=0.1)) == 80.5
    assert reached_in(4, 80, 80.5, Slew(per_second=0.1)) == 80
