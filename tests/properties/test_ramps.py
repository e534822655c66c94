"""R-B107: ramps are monotone, exact at their ends, and no step of theirs is lost."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, strategies as st

from custom_components.aquarist.curves import Ramp, Shape

BEGINS = datetime(2026, 10, 25, tzinfo=UTC)

levels = st.integers(0, 100) | st.floats(0, 100)
durations = st.timedeltas(timedelta(0), timedelta(days=2))
offsets = st.timedeltas(timedelta(hours=-1), timedelta(days=2, hours=1))


@st.composite
def ramps(draw: st.DrawFn) -> Ramp:
    """Make a ramp of several parts, up, down or level, some of them no numbers."""
    start: dict[str, Any] = {}
    end: dict[str, Any] = {}
    for part in draw(st.sets(st.sampled_from(["level", "mix_red", "mix_blue"]))):
        start[part], end[part] = draw(levels), draw(levels)
    if draw(st.booleans()):
        start["mode"], end["mode"] = "manual", "auto"
    return Ramp(
        start=start,
        end=end,
        begins=BEGINS,
        duration=draw(durations),
        shape=draw(st.sampled_from(Shape)),
        resolution=draw(st.floats(0.5, 20)),
        minimum_step=draw(st.timedeltas(timedelta(0), timedelta(minutes=5))),
    )


@given(ramps(), st.lists(offsets, min_size=2, max_size=20))
def test_every_part_is_monotone_and_within_its_ends(
    ramp: Ramp, moments: list[timedelta]
) -> None:
    """No step goes back, none goes beyond."""
    instants = sorted(BEGINS + moment for moment in moments)
    for earlier, later in pairwise(instants):
        before, after = ramp.at(earlier), ramp.at(later)
        for part in ramp.end.keys() - {"mode"}:
            settings = (ramp.start, before, after, ramp.end)
            way = [float(setting[part]) for setting in settings]
            assert way == sorted(way, reverse=way[0] > way[-1])


@given(ramps(), offsets)
def test_the_ends_are_exact(ramp: Ramp, moment: timedelta) -> None:
    """Before it the start; at its finish and after it exactly the end."""
    now = BEGINS + moment
    if now < BEGINS:
        assert ramp.at(now) == ramp.start
    if now >= BEGINS + ramp.duration:
        assert ramp.at(now) == ramp.end
    assert ramp.at(BEGINS + ramp.duration) == ramp.end


@given(ramps(), offsets)
def test_the_next_change_goes_forward_and_never_past_the_finish(
    ramp: Ramp, moment: timedelta
) -> None:
    """There is one as long as the ramp is not over."""
    now = BEGINS + moment
    change = ramp.next_change(now)
    if now >= BEGINS + ramp.duration:
        assert change is None
    else:
        assert change is not None
        assert now < change <= BEGINS + ramp.duration
        assert change == BEGINS + ramp.duration or change - now >= ramp.minimum_step


@given(ramps(), offsets, st.floats(0, 1, exclude_max=True))
def test_between_two_steps_nothing_moves_by_a_step(
    ramp: Ramp, moment: timedelta, share: float
) -> None:
    """Only a shortest step may make a move larger than the resolution."""
    now = BEGINS + moment
    change = ramp.next_change(now)
    if change is None or change - now <= max(ramp.minimum_step, timedelta.resolution):
        return
    between = now + (change - now) * share
    if between >= change:
        return
    seen, then = ramp.at(now), ramp.at(between)
    for part in ramp.end.keys() - {"mode"}:
        assert abs(float(then[part]) - float(seen[part])) < ramp.resolution + 1e-6


@given(ramps(), offsets)
def test_a_step_is_worth_a_write(ramp: Ramp, moment: timedelta) -> None:
    """Before the finish some number has moved by the resolution."""
    now = BEGINS + moment
    change = ramp.next_change(now)
    if change is None or change == BEGINS + ramp.duration:
        return
    seen, then = ramp.at(now), ramp.at(change)
    moves = [
        abs(float(then[part]) - float(seen[part]))
        for part in ramp.end.keys() - {"mode"}
    ]
    assert max(moves) >= ramp.resolution * (1 - 1e-6)


@given(ramps(), st.timedeltas(timedelta(hours=-1), timedelta(0)))
def test_following_the_steps_ends_exactly_at_the_end_once(
    ramp: Ramp, lead: timedelta
) -> None:
    """However long it takes, the last step is the finish, with the exact end."""
    now = BEGINS + lead
    visited = []
    while (change := ramp.next_change(now)) is not None:
        visited.append(change)
        now = change
        assert len(visited) <= 3 * 100 / ramp.resolution + 2
    if BEGINS + lead < BEGINS + ramp.duration:
        assert visited[-1] == BEGINS + ramp.duration
        assert visited.count(BEGINS + ramp.duration) == 1
    assert ramp.at(now) == ramp.end
