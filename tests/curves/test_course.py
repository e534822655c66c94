"""Courses: constants and ramps (R-B107, R-B108)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from custom_components.aquarist.curves import Constant, Ramp, Shape
from custom_components.aquarist.layers import Course, Scalar, Setting

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TICK = timedelta.resolution


def ramp(
    start: Mapping[str, Scalar], end: Mapping[str, Scalar], seconds: float, **more: Any
) -> Ramp:
    """Make a ramp that begins at noon."""
    return Ramp(
        start=start,
        end=end,
        begins=NOON,
        duration=timedelta(seconds=seconds),
        **more,
    )


def walk(course: Course, now: datetime) -> list[tuple[float, Setting]]:
    """Follow a course from step to step: seconds after noon and the setting then."""
    steps = []
    while (now := course.next_change(now) or NOON) != NOON:
        steps.append(((now - NOON) / SECOND, course.at(now)))
    return steps


def test_a_constant_stays() -> None:
    """The same setting at every instant, and never a change."""
    course = Constant(setting={"level": 40})
    assert course.at(NOON) == course.at(NOON + 999 * SECOND) == {"level": 40}
    assert course.next_change(NOON) is None


@pytest.mark.parametrize(
    ("seconds", "level"),
    [(-60, 20), (0, 20), (15, 35), (30, 50), (45, 65), (60, 80), (600, 80)],
)
def test_a_linear_ramp_moves_steadily(seconds: float, level: float) -> None:
    """Before it the start, after it the end, between them in proportion."""
    course = ramp({"level": 20}, {"level": 80}, 60)
    assert course.at(NOON + seconds * SECOND) == {"level": pytest.approx(level)}


def test_a_ramp_down_is_a_ramp_too() -> None:
    """Dusk."""
    course = ramp({"level": 80}, {"level": 0}, 80)
    assert course.at(NOON + 20 * SECOND) == {"level": 60}


def test_an_exponential_ramp_eases_in() -> None:
    """Slow at first, fast at last, an eighth of the way at half of the time."""
    course = ramp({"level": 0}, {"level": 100}, 100, shape=Shape.EXPONENTIAL)
    levels = [float(course.at(NOON + n * 10 * SECOND)["level"]) for n in range(11)]
    moves = [after - before for before, after in pairwise(levels)]
    assert (levels[0], levels[-1]) == (0, 100)
    assert levels[5] == pytest.approx(11.92, abs=0.01)
    assert moves == sorted(moves)


@pytest.mark.parametrize("shape", list(Shape))
def test_way_and_time_of_a_shape_are_inverse(shape: Shape) -> None:
    """What the one computes the other takes back."""
    for percent in range(101):
        assert shape.time(shape.way(percent / 100)) == pytest.approx(percent / 100)
    assert (shape.way(0), shape.way(1)) == (0, 1)


def test_the_end_is_exact() -> None:
    """No rounding is left at the end, and the value keeps its type."""
    course = ramp({"level": 0.1}, {"level": 0.3}, 7)
    assert course.at(NOON + 7 * SECOND) == {"level": 0.3}
    assert course.finishes == NOON + 7 * SECOND


def test_parts_that_are_not_numbers_switch_at_the_end() -> None:
    """There is nothing between two words, nor between off and on."""
    course = ramp(
        {"level": 0, "program": "manual", "fan": False, "odd": True},
        {"level": 10, "program": "auto", "fan": True, "odd": 5},
        10,
    )
    assert course.at(NOON + 9 * SECOND) == {
        "level": 9,
        "program": "manual",
        "fan": False,
        "odd": True,
    }
    assert course.at(NOON + 10 * SECOND) == course.end


def test_a_ramp_names_the_parts_of_its_end() -> None:
    """A part without a start has its end value; one without an end is not the ramp's."""
    course = ramp({"level": 0, "mix_red": 7}, {"level": 10, "mix_blue": 5}, 10)
    for seconds in (-1, 5, 10):
        assert course.at(NOON + seconds * SECOND).keys() == {"level", "mix_blue"}
    assert course.at(NOON + 5 * SECOND) == {"level": 5, "mix_blue": 5}


def test_a_slow_ramp_steps_by_its_resolution() -> None:
    """A percent every 36 s, to the microsecond, the last step being the end."""
    steps = walk(ramp({"level": 0}, {"level": 100}, 3600), NOON - SECOND)
    assert [seconds for seconds, _ in steps] == [36.0 * n for n in range(1, 101)]
    assert [setting["level"] for _, setting in steps] == pytest.approx(
        list(range(1, 101))
    )
    assert steps[-1] == (3600, {"level": 100})


def test_a_fast_ramp_steps_once_a_second() -> None:
    """Ten percent a second are ten steps, not a hundred."""
    steps = walk(ramp({"level": 0}, {"level": 100}, 10), NOON)
    assert [seconds for seconds, _ in steps] == list(range(1, 11))


def test_the_caller_sets_resolution_and_step() -> None:
    """A device with coarse steps, or a busy one, is written less often."""
    coarse = ramp({"level": 0}, {"level": 100}, 100, resolution=25)
    assert [seconds for seconds, _ in walk(coarse, NOON)] == [25, 50, 75, 100]
    busy = ramp({"level": 0}, {"level": 100}, 100, minimum_step=40 * SECOND)
    assert [seconds for seconds, _ in walk(busy, NOON)] == [40, 80, 100]


def test_an_exponential_ramp_steps_when_it_has_moved() -> None:
    """Long waits at first, short ones at last, each for one percent."""
    course = ramp({"level": 0}, {"level": 20}, 3600, shape=Shape.EXPONENTIAL)
    steps = walk(course, NOON)
    waits = [after[0] - before[0] for before, after in pairwise(steps)]
    assert len(steps) == 20
    assert waits == sorted(waits, reverse=True)
    assert [setting["level"] for _, setting in steps] == pytest.approx(
        list(range(1, 21)), abs=1e-3
    )


def test_the_part_that_moves_first_sets_the_step() -> None:
    """Several parts share the steps of the fastest, whichever way it moves."""
    course = ramp(
        {"level": 0, "mix_red": 100, "mix_blue": 5, "program": "manual"},
        {"level": 10, "mix_red": 0, "mix_blue": 5, "program": "auto"},
        1000,
    )
    assert course.next_change(NOON) == NOON + 10 * SECOND


def test_a_wake_between_two_steps_waits_for_a_full_step_from_there() -> None:
    """The move counts from what was seen last, here a third of the way between steps."""
    course = ramp({"level": 0}, {"level": 10}, 300)
    assert course.next_change(NOON + 10 * SECOND) == NOON + 40 * SECOND


def test_a_step_falls_short_by_nothing() -> None:
    """Where microseconds do not divide evenly the step comes after the move, not before."""
    course = ramp({"level": 0}, {"level": 3}, 10, minimum_step=TICK)
    step = course.next_change(NOON)
    assert step == NOON + timedelta(microseconds=3_333_334)
    assert float(course.at(step)["level"]) >= 1


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param({"level": 40}, {"level": 40}, id="no way to go"),
        pytest.param({"level": 40}, {"level": 40.4}, id="less than a step"),
        pytest.param({"mode": "manual"}, {"mode": "auto"}, id="nothing that moves"),
        pytest.param({}, {"level": 40}, id="no start"),
        pytest.param({}, {}, id="no part"),
    ],
)
def test_without_a_step_on_the_way_only_the_end_is_left(
    start: Setting, end: Setting
) -> None:
    """The exact end is delivered once, also where nothing moved before it."""
    course = ramp(start, end, 60)
    assert walk(course, NOON - 60 * SECOND) == [(60, end)]


@pytest.mark.parametrize("seconds", [0.000001, 0.2, 1])
def test_a_very_short_ramp_has_one_step(seconds: float) -> None:
    """Also when it is over sooner than the shortest step."""
    course = ramp({"level": 0}, {"level": 100}, seconds)
    assert walk(course, NOON) == [(seconds, {"level": 100})]


def test_a_ramp_without_duration_is_at_its_end_at_once() -> None:
    """A jump: before it the start, from its beginning on the end."""
    course = ramp({"level": 0}, {"level": 100}, 0)
    assert course.at(NOON - TICK) == {"level": 0}
    assert course.at(NOON) == {"level": 100}
    assert course.next_change(NOON - TICK) == NOON
    assert course.next_change(NOON) is None


def test_a_ramp_without_shortest_step_still_goes_forward() -> None:
    """The next change is later than now, by a microsecond at least."""
    course = ramp(
        {"level": 0}, {"level": 1e9}, 1, minimum_step=timedelta(0), resolution=1e-9
    )
    assert course.next_change(NOON) == NOON + TICK


def test_steps_too_fine_for_the_arithmetic_still_go_forward() -> None:
    """Late in a ramp of centuries a step is lost in rounding; the walk goes on."""
    course = Ramp(
        start={"level": 0},
        end={"level": 100},
        begins=NOON,
        duration=timedelta(days=365_000),
        shape=Shape.EXPONENTIAL,
        resolution=1e-14,
        minimum_step=timedelta(0),
    )
    now = NOON + timedelta(days=336_061)
    assert course.next_change(now) == now + TICK


@pytest.mark.parametrize("resolution", [1e12, float("inf")])
def test_steps_too_coarse_for_the_ramp_leave_only_the_end(resolution: float) -> None:
    """A step that would come after the end of all dates is the finish."""
    course = ramp({"level": 0}, {"level": 1}, 86_400, resolution=resolution)
    assert course.next_change(NOON) == course.finishes


def test_a_ramp_that_is_over_has_no_more_changes() -> None:
    """From the finish on."""
    course = ramp({"level": 0}, {"level": 100}, 60)
    assert course.next_change(NOON + 60 * SECOND - TICK) == NOON + 60 * SECOND
    assert course.next_change(NOON + 60 * SECOND) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("duration", -TICK),
        ("minimum_step", -TICK),
        ("resolution", 0),
        ("resolution", -1),
        ("resolution", float("nan")),
    ],
)
def test_a_ramp_that_cannot_be_walked_is_refused(field: str, value: Any) -> None:
    """The error names the field."""
    values: dict[str, Any] = {
        "start": {"level": 0},
        "end": {"level": 1},
        "begins": NOON,
        "duration": SECOND,
    }
    with pytest.raises(ValueError, match=f"^{field}:"):
        Ramp(**values | {field: value})
