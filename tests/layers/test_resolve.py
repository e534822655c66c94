"""A field has one owner at a time (law 4), and nothing stale is replayed (RES-27 to 29)."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.aquarist.curves import Constant, Ramp
from custom_components.aquarist.layers import (
    Claim,
    Course,
    Layer,
    Setting,
    next_change,
    override_end,
    owners,
    resolve,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RESTING: Setting = {"level": 10}


def claim(
    id: str,
    layer: Layer = Layer.WINDOW,
    wants: Setting = RESTING,
    *,
    start: int = 0,
    end: int | None = None,
    order: int = 0,
    course: Course | None = None,
) -> Claim:
    """Make a claim; start and end are minutes after noon."""
    return Claim(
        id=id,
        layer=layer,
        course=course or Constant(setting=wants),
        started_at=NOON + start * MINUTE,
        order=order,
        ends_at=None if end is None else NOON + end * MINUTE,
    )


def level(claims: list[Claim], minute: float, resting: Setting = RESTING) -> object:
    """Resolve the level some minutes after noon."""
    return resolve(resting, claims, NOON + minute * MINUTE).setting["level"]


def test_without_a_claim_the_field_rests() -> None:
    """Nobody owns a field that nobody claims."""
    resolution = resolve(RESTING, [], NOON)
    assert resolution.setting == RESTING
    assert resolution.owner is None


@pytest.mark.parametrize("top", list(Layer)[1:])
def test_the_highest_rank_in_force_owns_the_field(top: Layer) -> None:
    """Whatever the order in which they started, the rank decides."""
    claims = [
        claim(rank.name, rank, {"level": rank.value}, start=-rank.value)
        for rank in Layer
        if Layer.RESTING < rank <= top
    ]
    resolution = resolve(RESTING, claims, NOON)
    assert resolution.owner is not None
    assert resolution.owner.id == top.name
    assert resolution.setting == {"level": top.value}


def test_overlapping_windows_stack() -> None:
    """RES-27: the one that started last shows; the baseline comes when the last one ends."""
    outer = claim("outer", wants={"level": 20}, start=0, end=30)
    inner = claim("inner", wants={"level": 30}, start=10, end=20)
    crossing = claim("crossing", wants={"level": 40}, start=25, end=40)
    claims = [crossing, inner, outer]
    assert [level(claims, minute) for minute in (-1, 0, 10, 20, 25, 30, 40)] == [
        10,
        20,
        30,
        20,
        40,
        40,
        10,
    ]


def test_windows_back_to_back_do_not_show_the_baseline_between_them() -> None:
    """At the instant at which one ends the next one holds already."""
    claims = [
        claim("first", wants={"level": 20}, start=0, end=10),
        claim("second", wants={"level": 30}, start=10, end=20),
    ]
    assert level(claims, 10) == 30


def test_the_end_of_a_hidden_window_changes_nothing() -> None:
    """RES-27: ending a window that is not on top needs no write."""
    hidden = claim("hidden", wants={"level": 20}, start=0, end=10)
    top = claim("top", wants={"level": 30}, start=5, end=20)
    assert level([hidden, top], 9) == level([hidden, top], 10) == 30


def test_a_point_action_during_a_window_shows_when_the_window_ends() -> None:
    """RES-29: resting is asked when the window ends, not remembered from its start."""
    window = claim("window", wants={"level": 50}, start=0, end=10)
    assert level([window], 5, {"level": 77}) == 50
    assert level([window], 10, {"level": 77}) == 77


def test_what_the_top_claim_does_not_name_comes_from_below() -> None:
    """A partial claim on a lamp leaves the mix to whoever wants it."""
    lamp = {"level": 10, "mix_red": 1, "mix_blue": 2}
    claims = [
        claim("plan", Layer.SCHEDULE, {"level": 60, "mix_red": 9}),
        claim("hold", Layer.OVERRIDE, {"level": 0}),
    ]
    resolution = resolve(lamp, claims, NOON)
    assert resolution.setting == {"level": 0, "mix_red": 9, "mix_blue": 2}
    assert resolution.owner is claims[1]


def test_owners_are_those_in_force_with_the_top_first() -> None:
    """What has ended, and what has not started, is not among them."""
    claims = [
        claim("over", Layer.SAFETY, end=0, start=-5),
        claim("low", Layer.SCHEDULE),
        claim("to come", Layer.MODE, start=1),
        claim("top", Layer.OVERRIDE),
        claim("middle", Layer.WINDOW, order=1),
        claim("middle, accepted last", Layer.WINDOW, order=2),
    ]
    assert [one.id for one in owners(claims, NOON)] == [
        "top",
        "middle, accepted last",
        "middle",
        "low",
    ]


def test_without_claims_nothing_changes() -> None:
    """A field that rests waits for nothing."""
    assert next_change([], NOON) is None
    assert next_change([claim("forever")], NOON) is None


def test_the_start_of_a_claim_to_come_is_a_change() -> None:
    """A window planned ahead is waited for."""
    assert next_change([claim("to come", start=7)], NOON) == NOON + 7 * MINUTE


def test_the_end_of_a_claim_in_force_is_a_change() -> None:
    """The earliest end counts; one that is over does not."""
    claims = [
        claim("over", start=-9, end=-1),
        claim("level", wants={"level": 1}, end=9, order=1),
        claim("mix", wants={"mix_red": 1}, end=4),
    ]
    assert next_change(claims, NOON) == NOON + 4 * MINUTE


def test_a_step_of_a_course_is_a_change() -> None:
    """A ramp of a percent a minute steps a minute later."""
    ramp = Ramp(
        start={"level": 0}, end={"level": 60}, begins=NOON, duration=60 * MINUTE
    )
    assert next_change([claim("ramp", course=ramp, end=60)], NOON) == NOON + MINUTE


def test_what_is_covered_from_above_wakes_nobody() -> None:
    """A ramp behind an override, and its end, cannot be seen; the override's end can."""
    ramp = Ramp(
        start={"level": 0}, end={"level": 60}, begins=NOON, duration=60 * MINUTE
    )
    hidden = claim("ramp", Layer.SCHEDULE, course=ramp, end=5)
    top = claim("hold", Layer.OVERRIDE, {"level": 0}, end=30)
    assert next_change([hidden, top], NOON) == NOON + 30 * MINUTE


def test_claims_that_cover_another_together_hide_it() -> None:
    """One has the level, the other the mix: nothing of the lamp below is seen."""
    claims = [
        claim("lamp", Layer.SCHEDULE, {"level": 5, "mix_red": 3}, end=5),
        claim("mix", Layer.WINDOW, {"mix_red": 9}, end=40),
        claim("level", Layer.OVERRIDE, {"level": 0}, end=30),
    ]
    assert next_change(claims, NOON) == NOON + 30 * MINUTE


def test_what_is_covered_in_part_wakes() -> None:
    """A claim below may still own another part."""
    below = claim("lamp", Layer.SCHEDULE, {"level": 5, "mix_red": 3}, end=5)
    top = claim("hold", Layer.OVERRIDE, {"level": 0}, end=30)
    assert next_change([below, top], NOON) == NOON + 5 * MINUTE


def test_an_override_inside_windows_ends_with_the_last_of_them() -> None:
    """RES-54: the hand wins until the window ends; claims of its rank or above do not count."""
    claims = [
        claim("short", Layer.WINDOW, end=10),
        claim("long", Layer.SCHEDULE, end=20),
        claim("without end", Layer.SCHEDULE),
        claim("another override", Layer.OVERRIDE, end=90),
        claim("mode", Layer.MODE, end=95),
        claim("to come", Layer.WINDOW, start=1, end=99),
        claim("over", Layer.WINDOW, start=-9, end=-1),
    ]
    assert override_end(claims, NOON) == NOON + 20 * MINUTE


def test_an_override_on_a_field_without_an_ending_claim_has_no_latest_end() -> None:
    """Nothing below ends, so nothing ends the override."""
    assert override_end([], NOON) is None
    assert override_end([claim("plan", Layer.SCHEDULE)], NOON) is None


def test_the_end_of_the_windows_alone_can_be_asked_for() -> None:
    """Claims of the layers above the one that is named."""
    claims = [claim("w", Layer.WINDOW, end=10), claim("s", Layer.SCHEDULE, end=20)]
    assert override_end(claims, NOON, above=Layer.SCHEDULE) == NOON + 10 * MINUTE
