"""R-B109: a level under a slew limit arrives, and never moves faster than it may."""

from hypothesis import given, strategies as st

from custom_components.aquarist.limits import Bounds, Slew, bounded, slewed

levels = st.floats(0, 100)
speeds = st.floats(0.05, 50)


@given(levels, levels, st.floats(-10, 1000), speeds)
def test_no_move_is_faster_than_the_slew(
    last: float, target: float, elapsed: float, per_second: float
) -> None:
    """Nor does it go beyond the target, or away from it."""
    value, wait = slewed(last, target, elapsed, Slew(per_second=per_second))
    assert abs(value - last) <= per_second * max(elapsed, 0) + 1e-6
    assert abs(value - last) <= max(1, per_second) + 1e-6
    assert min(last, target) <= value <= max(last, target)
    assert (wait is None) == (value == target)
    assert wait is None or wait > 0


@given(levels, levels, speeds)
def test_waiting_as_told_arrives_in_the_time_that_it_takes(
    last: float, target: float, per_second: float
) -> None:
    """Step by step, with no idle turn, and no sooner than the speed allows."""
    slew = Slew(per_second=per_second)
    level, wait = slewed(last, target, 0, slew)
    elapsed, steps = 0.0, 0
    while wait is not None:
        elapsed += wait
        steps += 1
        level, wait = slewed(level, target, wait, slew)
    needed = abs(target - last) / per_second
    assert level == target
    assert abs(elapsed - needed) <= 1e-6 * max(1, needed)
    assert steps <= min(needed, abs(target - last)) + 2


@given(
    st.floats(-1000, 1000),
    st.tuples(levels, levels).map(sorted),
    st.booleans(),
    st.booleans(),
)
def test_a_level_is_off_or_within_its_bounds(
    value: float, ends: list[float], open_below: bool, open_above: bool
) -> None:
    """And stays there when it is bounded again; what is within already stays as it is."""
    low = None if open_below else ends[0]
    high = None if open_above else ends[1]
    bounds = Bounds(minimum=low, maximum=high)
    result = bounded(value, bounds)
    assert bounded(result, bounds) == result
    if value == 0:
        assert result == 0
        return
    assert low is None or result >= low
    assert high is None or result <= high
    if (low is None or value >= low) and (high is None or value <= high):
        assert result == value
