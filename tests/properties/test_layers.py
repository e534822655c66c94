"""Law 4: the layers agree with a naive model of ownership, whatever happens when.

The model keeps plain dicts and asks, for every instant and every part anew, who among
those that want the part comes first. It shares no code with the room.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, strategies as st

from custom_components.aquarist.curves import Constant, Ramp
from custom_components.aquarist.layers import (
    Claim,
    Layer,
    Setting,
    next_change,
    override_end,
    resolve,
)

EPOCH = datetime(2026, 3, 29, tzinfo=UTC)
RESTING: Setting = {"level": 1000, "mix_red": 2000, "mode": "resting"}
RANKS = {
    "schedule": 1,
    "window": 2,
    "override": 3,
    "enforced": 4,
    "mode": 5,
    "safety": 6,
}

type Row = dict[str, Any]

instants = st.integers(0, 40)
settings = st.fixed_dictionaries(
    {},
    optional={
        "level": st.integers(0, 100),
        "mix_red": st.integers(0, 100),
        "mode": st.sampled_from(["auto", "manual"]),
    },
)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "rank": st.sampled_from(sorted(RANKS)),
            "wants": settings,
            "start": instants,
            "end": st.none() | instants,
            "blocking": st.booleans(),
        }
    ),
    max_size=8,
)


def at(second: float) -> datetime:
    """Give an instant of the room for a second of the model."""
    return EPOCH + timedelta(seconds=second)


def claims_of(table: list[Row]) -> list[Claim]:
    """Tell the room what the model's table says."""
    return [
        Claim(
            id=str(number),
            layer=Layer[row["rank"].upper()],
            course=Constant(setting=row["wants"]),
            started_at=at(row["start"]),
            order=number,
            blocking=row["blocking"],
            ends_at=None if row["end"] is None else at(row["end"]),
        )
        for number, row in enumerate(table)
    ]


def model_holders(table: list[Row], second: float) -> list[tuple[Any, ...]]:
    """Scan the table for those that hold something, worst first."""
    holders = []
    for number, row in enumerate(table):
        if second < row["start"]:
            continue
        if row["end"] is not None and second >= row["end"]:
            continue
        holders.append(
            (RANKS[row["rank"]], row["start"], 1 if row["blocking"] else 0, number)
        )
    return sorted(holders)


def model_setting(table: list[Row], second: float) -> dict[str, Any]:
    """Ask for each part who wants it and comes last in the sorted scan."""
    result = {}
    for part, resting in RESTING.items():
        wanting = [
            holder
            for holder in model_holders(table, second)
            if part in table[holder[-1]]["wants"]
        ]
        result[part] = table[wanting[-1][-1]]["wants"][part] if wanting else resting
    return result


@given(rows)
def test_every_part_has_the_owner_of_the_model_at_every_instant(
    table: list[Row],
) -> None:
    """Through all starts and ends, and between them."""
    claims = claims_of(table)
    for half_second in range(-1, 83):
        second = half_second / 2
        resolution = resolve(RESTING, claims, at(second))
        holders = model_holders(table, second)
        top = resolution.owner.id if resolution.owner else None
        assert resolution.setting == model_setting(table, second)
        assert top == (str(holders[-1][-1]) if holders else None)


@given(rows, st.randoms(use_true_random=False))
def test_the_order_in_which_claims_are_listed_does_not_matter(
    table: list[Row], random: Any
) -> None:
    """A store may give its rows in any order."""
    claims = claims_of(table)
    shuffled = random.sample(claims, len(claims))
    for second in range(41):
        assert resolve(RESTING, claims, at(second)) == resolve(
            RESTING, shuffled, at(second)
        )


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["start", "end", "wait", "rest"]),
            st.sampled_from(sorted(RANKS)),
            settings,
            st.booleans(),
            st.integers(0, 7),
        ),
        max_size=25,
    )
)
def test_claims_that_come_and_go_agree_at_every_step(
    happenings: list[tuple[str, str, dict[str, Any], bool, int]],
) -> None:
    """Claims start, end by hand, the resting value changes, time goes on."""
    table: list[Row] = []
    resting: dict[str, Any] = dict(RESTING)
    second = 0
    for happening, rank, wants, blocking, number in happenings:
        match happening:
            case "start":
                table.append(
                    {
                        "rank": rank,
                        "wants": wants,
                        "start": second,
                        "end": None,
                        "blocking": blocking,
                    }
                )
            case "end" if number < len(table) and table[number]["end"] is None:
                table[number]["end"] = second
            case "rest":
                resting |= wants
            case _:
                second += number
        expected = model_setting(table, second)
        for part in resting:
            if expected[part] == RESTING[part]:
                expected[part] = resting[part]
        assert resolve(resting, claims_of(table), at(second)).setting == expected


@given(rows, instants)
def test_nothing_changes_before_the_next_change(table: list[Row], second: int) -> None:
    """Whoever sleeps until then misses nothing, and the sleep is never of no length."""
    claims = claims_of(table)
    wake = next_change(claims, at(second))
    assert wake is None or wake > at(second)
    before = model_setting(table, second)
    later = second
    while later <= 41 and (wake is None or at(later) < wake):
        assert model_setting(table, later) == before
        later += 1


@given(rows)
def test_walking_from_change_to_change_sees_every_value(table: list[Row]) -> None:
    """An engine that wakes only then shows what the model shows at every second."""
    claims = claims_of(table)
    shown = {}
    now: datetime | None = at(0)
    while now is not None:
        shown[now] = resolve(RESTING, claims, now).setting
        now = next_change(claims, now)
    for second in range(42):
        last = max(instant for instant in shown if instant <= at(second))
        assert shown[last] == model_setting(table, second)


@given(rows, instants)
def test_the_latest_end_of_an_override_is_that_of_the_model(
    table: list[Row], second: int
) -> None:
    """The last end among schedule and window claims in force."""
    ends = []
    for rank, *_, number in model_holders(table, second):
        if rank < 3 and table[number]["end"] is not None:
            ends.append(at(table[number]["end"]))
    ends.sort()
    latest = ends[-1] if ends else None
    assert override_end(claims_of(table), at(second)) == latest


@given(
    rows,
    st.integers(1, 100),
    st.integers(0, 100),
    st.integers(0, 20),
    st.integers(1, 20),
)
def test_a_ramp_below_is_followed_to_within_a_step(
    table: list[Row], end: int, start: int, begins: int, duration: int
) -> None:
    """Waking only at changes, the level shown is never further off than its ramp steps."""
    ramp = Ramp(
        start={"level": start},
        end={"level": end},
        begins=at(begins),
        duration=timedelta(seconds=duration),
        minimum_step=timedelta(0),
    )
    below = Claim(
        id="ramp", layer=Layer.SCHEDULE, course=ramp, started_at=at(-1), order=-1
    )
    claims = [below, *claims_of(table)]
    shown = {}
    now: datetime | None = at(0)
    while now is not None:
        shown[now] = resolve(RESTING, claims, now).setting["level"]
        now = next_change(claims, now)
    for second in range(42):
        last = max(instant for instant in shown if instant <= at(second))
        level = resolve(RESTING, claims, at(second)).setting["level"]
        assert isinstance(level, int | float)
        assert abs(float(shown[last]) - level) <= 1 + 1e-6
    assert shown[max(shown)] == resolve(RESTING, claims, at(99)).setting["level"]
