"""The pump by itself: programmes on its own clock, and the snapshot that shows them."""

import pytest

from custom_components.aquarist.simulator.clock import ManualClock
from custom_components.aquarist.simulator.doser import DoserModel

from .central import ADDRESS, EVERY_DAY, Central, captured, volumes

TODAY, SNAPSHOT = 0x22, 0xFE
SINGLE, HOURLY, TIMER = 0, 1, 3
DAY = 86_400
DISABLED = None


@pytest.fixture
def central(doser: DoserModel) -> Central:
    """Return a central at a pump whose clock shows Wednesday, 08:00:00."""
    central = Central(doser)
    central.set_clock(3, 8, 0)
    return central


def enable(central: Central, head: int, tenths: int, *, mask: int = EVERY_DAY) -> None:
    """Enable a head and send volume and weekdays, as the app begins a programme."""
    central.send(0xA5, 0x20, head, 0, 1)
    central.send(0xA5, 0x1B, head, mask, 1, 1, *tenths.to_bytes(2))


def once_a_day(
    central: Central,
    head: int,
    hour: int,
    minute: int,
    tenths: int,
    *,
    mask: int = EVERY_DAY,
) -> None:
    """Write a whole programme with one dose a day."""
    enable(central, head, tenths, mask=mask)
    central.send(0xA5, 0x15, head, SINGLE, hour, minute, 0, 0)


def snapshot(central: Central, clock: ManualClock) -> bytes:
    """Ask for a snapshot and return it."""
    central.send(0x5A, 0x04, 1)
    clock.advance(0.08)
    return central.of_mode(SNAPSHOT)[-1]


# Running by itself


def test_it_doses_once_a_day_without_a_central(
    central: Central, doser: DoserModel, clock: ManualClock
) -> None:
    """At its time, day after day; a central that is there hears of it 1.5 s after the minute."""
    once_a_day(central, 0, 8, 30, 15)
    clock.advance(1800 + 1)
    assert central.of_mode(TODAY) == []
    clock.advance(1)
    assert [volumes(data) for data in central.of_mode(TODAY)] == [[15, 0, 0, 0]]
    central.link.disconnect()
    clock.advance(2 * DAY)
    assert doser.delivered == (4500, 0, 0, 0)
    assert doser.ignored == []


def test_it_doses_on_its_weekdays_only(
    central: Central, doser: DoserModel, clock: ManualClock
) -> None:
    """Saturday and Sunday: two of the seven days from Wednesday on."""
    once_a_day(central, 1, 9, 0, 10, mask=3)
    seen = []
    for _ in range(7):
        clock.advance(DAY)
        seen.append(doser.delivered[1])
    assert seen == [0, 0, 0, 1000, 2000, 2000, 2000]


def test_every_hour_a_twenty_fourth_of_the_day(clock: ManualClock) -> None:
    """The captured programme: 35.5 mL shown at 23:08 after 23 doses of 37.0 a day."""
    doser = DoserModel(clock, address=ADDRESS)
    central = Central(doser)
    central.set_clock(4, 0, 1)
    enable(central, 2, 370)
    central.send(0xA5, 0x15, 2, HOURLY, 0, 0, 0, 0)
    clock.advance(2 * 3600)
    assert volumes(central.of_mode(TODAY)[-1]) == [0, 0, 31, 0]
    clock.advance(21 * 3600 + 7 * 60)
    assert volumes(central.of_mode(TODAY)[-1]) == [0, 0, 355, 0]
    clock.advance(3600)
    assert doser.delivered[2] in (36_999, 37_000)


def test_a_timer_doses_at_each_entry(
    central: Central, doser: DoserModel, clock: ManualClock
) -> None:
    """The captured list: 5.0 mL at 08:00, 2.5 mL at 20:00."""
    central.set_clock(3, 7, 0)
    enable(central, 0, 0xFFFF)
    central.link.write(captured("c168"), response=True)
    clock.advance(2 * 3600)
    assert doser.delivered[0] == 5000
    clock.advance(12 * 3600)
    assert doser.delivered[0] == 7500


def test_windows_spread_their_doses_over_midnight_too(
    central: Central, doser: DoserModel, clock: ManualClock
) -> None:
    """Three doses from 08:00 to 10:00, two from 23:00 to 26:00, begun on Wednesdays only."""
    central.set_clock(3, 7, 59)
    enable(central, 1, 40, mask=16)
    central.send(0xA5, 0x17, 1, 8, 0, 10, 0, 3, 23, 0, 26, 0, 2)
    seen = []
    for minutes in (2, 40, 40, 13 * 60, 60, 60, 24 * 60):
        clock.advance(minutes * 60)
        seen.append(doser.delivered[1])
    assert seen == [800, 1600, 2400, 2400, 3200, 3200, 4000]


def test_a_head_that_is_switched_off_does_nothing(
    central: Central, doser: DoserModel, clock: ManualClock
) -> None:
    """Until it is switched on again: the programme was kept."""
    once_a_day(central, 0, 9, 0, 10)
    central.send(0xA5, 0x20, 0, 0, 0)
    clock.advance(DAY)
    assert doser.delivered[0] == 0
    central.send(0xA5, 0x20, 0, 1, 1)
    clock.advance(DAY)
    assert doser.delivered[0] == 1000


def test_a_programme_can_be_cleared(
    central: Central, doser: DoserModel, clock: ManualClock
) -> None:
    """One head's; the other head goes on."""
    once_a_day(central, 0, 9, 0, 10)
    once_a_day(central, 2, 9, 0, 10)
    central.link.write(captured("c184"), response=True)
    clock.advance(DAY)
    assert doser.delivered == (1000, 0, 0, 0)


def test_all_eight_programmes_of_a_big_pump_can_be_cleared(clock: ManualClock) -> None:
    """Their numbers win where they could mean lifetime counters of heads 4 to 7."""
    doser = DoserModel(clock, address=ADDRESS, heads=8)
    central = Central(doser)
    for head in range(8):
        once_a_day(central, head, 9, 0, 10)
        central.send(0xA5, 0x05, 25 + head, 255, 255)
    clock.advance(DAY)
    assert doser.delivered == (0,) * 8
    assert doser.ignored == []


def test_a_programmed_dose_to_a_busy_head_adds_to_it(
    central: Central, doser: DoserModel, clock: ManualClock
) -> None:
    """As any other dose does."""
    once_a_day(central, 0, 8, 1, 10)
    central.send(0xA5, 0x1B, 0, 0, 0, 2, 88)
    clock.advance(61.5)
    assert [volumes(data)[0] for data in central.of_mode(TODAY)] == [610]
    assert doser.delivered[0] == 61_000


@pytest.mark.parametrize(
    ("mode", "parameters"),
    [
        (0x20, (4, 0, 1)),
        (0x20, (0, 0, 2)),
        (0x20, (0, 2, 1)),
        (0x20, ()),
        (0x1B, (0, 128, 1, 1, 0, 10)),
        (0x1B, (0, 127, 0, 1, 0, 10)),
        (0x1B, (0, 127, 1, 2, 0, 10)),
        (0x15, (0,)),
        (0x15, (0, SINGLE, 24, 0, 0, 0)),
        (0x15, (0, TIMER)),
        (0x17, (0, 8, 0, 10, 0)),
        (0x3B, (0, 1)),
    ],
)
def test_a_malformed_programme_is_not_stored(
    central: Central, doser: DoserModel, mode: int, parameters: tuple[int, ...]
) -> None:
    """The one that is there stays as it was."""
    once_a_day(central, 0, 9, 0, 10)
    before = doser.state()["heads"]
    central.send(0xA5, mode, *parameters)
    assert doser.state()["heads"] == before
    assert len(doser.ignored) == 1


def test_programming_frames_belong_to_group_a5(
    central: Central, doser: DoserModel
) -> None:
    """The same mode in the other group is something else."""
    central.send(0x5A, 0x20, 0, 0, 1)
    assert len(doser.ignored) == 1
    assert not doser.heads[0].programme.active


# Its own clock


def test_it_follows_its_own_clock_not_the_time(
    central: Central, doser: DoserModel, clock: ManualClock
) -> None:
    """A clock that is an hour late doses an hour late."""
    once_a_day(central, 0, 9, 0, 10)
    doser.faults.set("wrong_clock", value=-60)
    clock.advance(3660)
    assert doser.delivered[0] == 0
    clock.advance(3600)
    assert doser.delivered[0] == 1000


def test_what_the_clock_jumps_over_is_not_given(
    central: Central, doser: DoserModel, clock: ManualClock
) -> None:
    """The catch-up flag is stored, not acted on."""
    once_a_day(central, 0, 9, 0, 10)
    central.send(0xA5, 0x20, 0, 1, 1)
    central.set_clock(3, 9, 5)
    clock.advance(3600)
    assert doser.delivered[0] == 0
    assert doser.heads[0].programme.catch_up


def test_a_clock_set_into_the_minute_does_not_miss_it(
    central: Central, doser: DoserModel, clock: ManualClock
) -> None:
    """A dose is due during its whole minute."""
    once_a_day(central, 0, 9, 0, 10)
    central.set_clock(3, 9, 0, 40)
    clock.advance(5)
    assert doser.delivered[0] == 1000


@pytest.mark.parametrize("back_to", [(8, 59, 59), (8, 0, 0), (9, 0, 0)])
def test_a_clock_set_back_does_not_dose_twice(
    central: Central,
    doser: DoserModel,
    clock: ManualClock,
    back_to: tuple[int, int, int],
) -> None:
    """By a second or by an hour: a minute of a day is served once."""
    once_a_day(central, 0, 9, 0, 10)
    clock.advance(3601)
    central.set_clock(3, *back_to)
    clock.advance(7200)
    assert doser.delivered[0] == 1000
    clock.advance(DAY)
    assert doser.delivered[0] == 2000


@pytest.mark.parametrize("rate", [0.999, 1.0, 1.000_037, 1.001])
def test_a_drifting_clock_gives_one_dose_for_each_of_its_days(
    clock: ManualClock, rate: float
) -> None:
    """Over a month, midnights included, none is lost or doubled."""
    doser = DoserModel(clock, address=ADDRESS, clock_rate=rate)
    central = Central(doser)
    central.set_clock(7, 12, 0)
    once_a_day(central, 0, 0, 0, 10)
    once_a_day(central, 1, 23, 59, 10)
    clock.advance(30 * DAY / rate)
    assert doser.delivered[:2] == (30_000, 30_000)
    assert len(central.of_mode(TODAY)) == 60


def test_programmes_survive_a_power_cut_but_the_clock_does_not(
    central: Central, doser: DoserModel, clock: ManualClock
) -> None:
    """Off it gives nothing; back on it runs from Monday 00:00 until its clock is set."""
    once_a_day(central, 0, 9, 0, 10)
    doser.power_cut()
    clock.advance(5 * DAY)
    assert doser.delivered[0] == 0
    doser.power_on()
    clock.advance(8 * 3600)
    assert doser.delivered[0] == 0
    central.connect()
    central.set_clock(1, 8, 59, 50)
    clock.advance(20)
    assert doser.delivered[0] == 1000


def test_a_pump_may_forget_its_programmes_without_power(clock: ManualClock) -> None:
    """Nobody has published what real pumps do: the model can do both."""
    doser = DoserModel(clock, address=ADDRESS, keeps_memory=False)
    central = Central(doser)
    central.set_clock(1, 8, 0)
    once_a_day(central, 0, 9, 0, 10)
    doser.power_cut()
    doser.power_on()
    central.connect()
    central.set_clock(1, 8, 0)
    assert snapshot(central, clock)[9] == 4
    clock.advance(2 * DAY)
    assert doser.delivered[0] == 0


# The captured snapshots


def build(
    clock: ManualClock,
    at: tuple[int, int, int],
    heads: list[tuple[tuple[int, int] | None, int, int]],
) -> bytes:
    """Return the snapshot of a pump with heads (time or DISABLED, dosed today, daily target)."""
    central = Central(DoserModel(clock, address=ADDRESS))
    central.set_clock(at[0], 12, 0)
    for head, (time, today, target) in enumerate(heads):
        once_a_day(central, head, *(time or (0, 0)), target)
        if time is DISABLED:
            central.send(0xA5, 0x20, head, 0, 0)
        if today:
            central.send(0xA5, 0x1B, head, 0, 0, *today.to_bytes(2))
    clock.advance(300)
    central.set_clock(*at)
    return snapshot(central, clock)


@pytest.mark.parametrize(
    ("identity", "at", "heads"),
    [
        (
            "c257",
            (7, 15, 43),
            [
                ((7, 56), 55, 58),
                ((8, 58), 50, 50),
                (DISABLED, 88, 120),
                ((8, 59), 60, 60),
            ],
        ),
        (
            "c259",
            (7, 16, 42),
            [
                ((7, 56), 55, 50),
                ((8, 58), 50, 49),
                ((12, 58), 120, 80),
                ((8, 59), 60, 60),
            ],
        ),
        (
            "c260",
            (7, 17, 7),
            [
                ((7, 56), 55, 50),
                ((8, 58), 50, 40),
                ((12, 58), 120, 80),
                ((8, 59), 60, 60),
            ],
        ),
        (
            "c261",
            (5, 22, 43),
            [
                ((7, 57), 50, 50),
                ((7, 59), 50, 50),
                (DISABLED, 0, 50),
                ((7, 55), 60, 60),
            ],
        ),
        (
            "c264",
            (6, 18, 41),
            [
                ((7, 57), 50, 50),
                ((10, 32), 50, 60),
                (DISABLED, 0, 50),
                ((7, 58), 60, 60),
            ],
        ),
        (
            "c266",
            (6, 20, 6),
            [
                ((8, 57), 50, 50),
                ((8, 58), 50, 50),
                (DISABLED, 0, 50),
                ((8, 59), 60, 60),
            ],
        ),
        (
            "c267",
            (6, 22, 47),
            [
                ((7, 56), 50, 50),
                ((8, 58), 50, 50),
                (DISABLED, 0, 50),
                ((8, 59), 60, 60),
            ],
        ),
    ],
)
def test_the_snapshot_of_daily_programmes_is_as_captured(
    clock: ManualClock,
    identity: str,
    at: tuple[int, int, int],
    heads: list[tuple[tuple[int, int] | None, int, int]],
) -> None:
    """Byte for byte: modes, times, today, and targets truncated to whole millilitres."""
    assert build(clock, at, heads) == captured(identity)


def test_the_snapshot_of_hourly_and_timer_programmes_is_as_captured(
    clock: ManualClock,
) -> None:
    """The pump makes its own day: 2 of 24 doses at 02:27, and the evening of the day after."""
    central = Central(DoserModel(clock, address=ADDRESS))
    central.set_clock(3, 0, 1)
    enable(central, 0, 800)
    central.send(0xA5, 0x20, 0, 0, 0)
    enable(central, 1, 70)
    central.send(0xA5, 0x20, 1, 0, 0)
    enable(central, 2, 370)
    central.send(0xA5, 0x15, 2, HOURLY, 0, 0, 0, 0)
    enable(central, 3, 240)
    central.send(0xA5, 0x15, 3, TIMER, 14, 49, 0, 75, 15, 34, 0, 75, 16, 19, 0, 75)
    clock.advance(2 * 3600 + 26 * 60)
    assert snapshot(central, clock) == captured("c269")
    central.set_clock(4, 0, 1)
    once_a_day(central, 0, 22, 35, 600)
    central.send(0xA5, 0x1B, 1, 0, 0, *(2052).to_bytes(2))
    clock.advance(23 * 3600 + 7 * 60)
    assert snapshot(central, clock) == captured("c272")


def test_a_target_above_a_byte_sticks_at_255(
    central: Central, clock: ManualClock
) -> None:
    """Unknown on real pumps (section 4.1)."""
    once_a_day(central, 0, 9, 0, 3000)
    assert snapshot(central, clock)[45] == 255
