"""The light: modes, schedule memory, clock, snapshot."""

import pytest

from custom_components.aquarist.simulator.clock import ManualClock
from custom_components.aquarist.simulator.light import LightModel

from .central import ADDRESS, EVERY_DAY, Central, captured

SNAPSHOT = 0xFE
MANUAL, AUTO, ERASE, EVALUATE, FINISH = 11, 18, 5, 7, 40


def write_window(
    central: Central,
    start: tuple[int, int],
    end: tuple[int, int],
    ramp: int,
    *levels: int,
    mask: int = EVERY_DAY,
) -> None:
    """Write a window; unused levels are 255, no level at all deletes."""
    padding = [255] * (8 - len(levels))
    central.send(0xA5, 0x19, *start, *end, ramp, mask, *levels, *padding)


def switch(central: Central, sub: int) -> None:
    """Switch the mode."""
    central.send(0x5A, 0x05, sub, 255, 255)


def levels(light: LightModel) -> tuple[float, ...]:
    """Return the light that comes out now."""
    return light.channels


def snapshot(central: Central, clock: ManualClock) -> bytes:
    """Ask for a snapshot and return it."""
    central.send(0x5A, 0x04, 1)
    clock.advance(0.08)
    return central.of_mode(SNAPSHOT)[-1]


def records(data: bytes) -> list[tuple[int, int, int]]:
    """Return the used records of a snapshot as (hour, minute, level)."""
    found = [(data[at], data[at + 1], data[at + 2]) for at in range(25, 49, 3)]
    return [record for record in found if record != (0, 0, 0)]


@pytest.fixture
def central(light: LightModel) -> Central:
    """Return a central at a light whose clock shows Wednesday, 08:00:00."""
    central = Central(light)
    central.set_clock(3, 8, 0)
    return central


# Levels and modes


def test_channels_are_set_one_at_a_time(central: Central, light: LightModel) -> None:
    """The others stay as they are."""
    switch(central, MANUAL)
    central.send(0x5A, 0x07, 0, 100)
    central.send(0x5A, 0x07, 3, 40)
    assert levels(light) == (100, 0, 0, 40)
    assert light.ignored == []


@pytest.mark.parametrize("parameters", [(4, 50), (0, 101), (0,), (0, 50, 0)])
def test_a_wrong_level_frame_changes_nothing(
    central: Central, light: LightModel, parameters: tuple[int, ...]
) -> None:
    """No such channel, level above 100, wrong length."""
    central.send(0x5A, 0x07, *parameters)
    assert levels(light) == (0, 0, 0, 0)
    assert len(light.ignored) == 1


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_light_has_one_to_four_channels(clock: ManualClock, channels: int) -> None:
    """As many as it was made with."""
    light = LightModel(clock, address=ADDRESS, channels=channels)
    central = Central(light)
    for channel in range(5):
        central.send(0x5A, 0x07, channel, 7)
    assert levels(light) == (7,) * channels
    assert len(light.ignored) == 5 - channels


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"channels": 0}, "channels"),
        ({"channels": 5}, "channels"),
        ({"unknown_bytes": b""}, "unknown_bytes"),
    ],
)
def test_a_light_that_cannot_be_is_refused(
    clock: ManualClock, arguments: dict[str, object], field: str
) -> None:
    """The error names the argument."""
    with pytest.raises(ValueError, match=field):
        LightModel(clock, address=ADDRESS, **arguments)  # type: ignore[arg-type]


def test_without_manual_a_running_schedule_takes_over_at_the_next_minute(
    central: Central, light: LightModel, clock: ManualClock
) -> None:
    """The trap of a light that is set without a mode switch."""
    write_window(central, (7, 0), (20, 0), 1, 60, 50, 40, 30)
    clock.advance(20)
    central.send(0x5A, 0x07, 0, 5)
    assert levels(light) == (5, 50, 40, 30)
    clock.advance(39.9)
    assert levels(light) == (5, 50, 40, 30)
    clock.advance(0.1)
    assert levels(light) == (60, 50, 40, 30)


def test_a_schedule_takes_over_outside_its_window_too(
    central: Central, light: LightModel, clock: ManualClock
) -> None:
    """It then says dark."""
    write_window(central, (10, 0), (20, 0), 1, 60)
    central.send(0x5A, 0x07, 0, 5)
    clock.advance(60)
    assert levels(light) == (0, 0, 0, 0)


def test_in_manual_mode_the_level_stays(
    central: Central, light: LightModel, clock: ManualClock
) -> None:
    """The switch keeps the light of the moment; back in auto the schedule decides at once."""
    write_window(central, (7, 0), (20, 0), 1, 60, 50, 40, 30)
    switch(central, MANUAL)
    assert levels(light) == (60, 50, 40, 30)
    central.send(0x5A, 0x07, 0, 5)
    clock.advance(3600)
    assert levels(light) == (5, 50, 40, 30)
    assert light.state()["mode"] == "manual"
    switch(central, AUTO)
    assert levels(light) == (60, 50, 40, 30)
    assert light.state()["mode"] == "auto"


def test_without_any_window_a_level_stays_in_auto_mode(
    central: Central, light: LightModel, clock: ManualClock
) -> None:
    """Nothing takes over where nothing runs."""
    central.send(0x5A, 0x07, 2, 33)
    clock.advance(3600)
    assert levels(light) == (0, 0, 33, 0)


@pytest.mark.parametrize("sub", [EVALUATE, FINISH, AUTO])
def test_these_switches_evaluate_at_once(
    central: Central, light: LightModel, sub: int
) -> None:
    """They do not wait for the minute."""
    write_window(central, (7, 0), (20, 0), 1, 60)
    central.send(0x5A, 0x07, 0, 5)
    switch(central, sub)
    assert light.channels[0] == 60


def test_a_time_frame_evaluates_at_once(central: Central, light: LightModel) -> None:
    """At the new time."""
    write_window(central, (7, 0), (20, 0), 60, 60)
    central.send(0x5A, 0x07, 0, 5)
    central.set_clock(3, 7, 30)
    assert light.channels[0] == 30


def test_a_two_parameter_switch_works_as_well(
    central: Central, light: LightModel
) -> None:
    """Reported by one author; another sub-command is not understood."""
    switch(central, MANUAL)
    central.link.write(captured("c061"), response=True)
    assert light.state()["mode"] == "auto"
    switch(central, 99)
    assert len(light.ignored) == 1


# The schedule memory


def test_the_ramps_lie_inside_the_window(
    central: Central, light: LightModel, clock: ManualClock
) -> None:
    """From 09:00 to 10:00 up, from 12:00 to 13:00 down."""
    write_window(central, (9, 0), (13, 0), 60, 30, 60, 90)
    seen = []
    for minutes in (59, 1, 30, 30, 120, 45, 14.5, 0.5):
        clock.advance(minutes * 60)
        seen.append(light.channels)
    assert seen == [
        (0, 0, 0, 0),
        (0, 0, 0, 0),
        (15, 30, 45, 0),
        (30, 60, 90, 0),
        (30, 60, 90, 0),
        (7.5, 15, 22.5, 0),
        (0.25, 0.5, 0.75, 0),
        (0, 0, 0, 0),
    ]


def test_several_windows_a_day_may_touch(
    central: Central, light: LightModel, clock: ManualClock
) -> None:
    """The later one begins where the other ends."""
    write_window(central, (5, 0), (9, 0), 0, 10)
    write_window(central, (9, 0), (13, 0), 0, 30)
    assert light.channels[0] == 10
    clock.advance(3600)
    assert light.channels[0] == 30


def test_where_windows_overlap_the_last_written_counts(
    central: Central, light: LightModel
) -> None:
    """Undefined on real lights; here it is one of them, not a mixture."""
    write_window(central, (7, 0), (9, 0), 0, 10)
    write_window(central, (6, 0), (10, 0), 0, 30)
    assert light.channels[0] == 30
    write_window(central, (7, 0), (9, 0), 0, 20)
    assert light.channels[0] == 20


def test_a_window_runs_on_its_weekdays(
    central: Central, light: LightModel, clock: ManualClock
) -> None:
    """Monday to Friday: on Saturday the light is dark."""
    write_window(central, (7, 0), (20, 0), 1, 60, mask=124)
    assert light.channels[0] == 60
    clock.advance(3 * 86_400)
    assert light.channels[0] == 0


def test_a_window_over_midnight_never_runs(
    central: Central, light: LightModel, clock: ManualClock
) -> None:
    """It is kept: unproven on real lights, so no host may rely on it."""
    central.link.write(captured("c071"), response=True)
    assert len(light.memory) == 1
    for _ in range(24):
        clock.advance(3600)
        assert light.channels[0] == 0


def test_the_same_key_replaces(central: Central, light: LightModel) -> None:
    """Times, ramp and mask are the key."""
    write_window(central, (7, 0), (20, 0), 1, 60)
    write_window(central, (7, 0), (20, 0), 1, 20)
    assert light.state()["windows"] == [
        {
            "start": 420,
            "end": 1200,
            "ramp": 1,
            "mask": 127,
            "levels": [20, 255, 255, 255, 255, 255, 255, 255],
        }
    ]


def test_a_captured_delete_takes_the_captured_window_away(
    central: Central, light: LightModel
) -> None:
    """Another key stays, and deleting what is not there does no harm."""
    central.link.write(captured("c079"), response=True)
    write_window(central, (5, 0), (9, 0), 2, 44)
    central.link.write(captured("c081"), response=True)
    central.link.write(captured("c081"), response=True)
    assert [window["ramp"] for window in light.memory.as_json()] == [2]
    assert light.ignored == []


def test_a_ramp_of_0_is_stored_as_1(central: Central, light: LightModel) -> None:
    """So it is not deleted with 0 but with 1 (section 3.3)."""
    write_window(central, (7, 0), (20, 0), 0, 60)
    write_window(central, (7, 0), (20, 0), 0)
    assert len(light.memory) == 1
    write_window(central, (7, 0), (20, 0), 1)
    assert len(light.memory) == 0


def test_the_light_of_the_moment_stays_when_the_last_window_goes(
    central: Central, light: LightModel, clock: ManualClock
) -> None:
    """By deleting it, or by erasing all."""

    def delete() -> None:
        write_window(central, (7, 0), (20, 0), 1)

    def erase_all() -> None:
        switch(central, ERASE)

    for erase in (delete, erase_all):
        write_window(central, (7, 0), (20, 0), 1, 60)
        erase()
        clock.advance(600)
        assert light.channels[0] == 60
        assert len(light.memory) == 0


@pytest.mark.parametrize(
    "parameters",
    [
        (7, 0, 20, 0, 1, 127, *[60] * 7),
        (7, 0, 20, 0, 1, 127, *[60] * 9),
        (24, 0, 20, 0, 1, 127, *[60] * 8),
        (7, 60, 20, 0, 1, 127, *[60] * 8),
        (7, 0, 24, 0, 1, 127, *[60] * 8),
        (7, 0, 20, 60, 1, 127, *[60] * 8),
        (7, 0, 20, 0, 1, 128, *[60] * 8),
        (7, 0, 20, 0, 1, 127, *[60] * 7, 101),
    ],
)
def test_a_malformed_window_is_not_stored(
    central: Central, light: LightModel, parameters: tuple[int, ...]
) -> None:
    """Thirteen parameters, a clock time that is none, a ninth weekday, a level above 100."""
    central.send(0xA5, 0x19, *parameters)
    assert len(light.memory) == 0
    assert len(light.ignored) == 1


def test_a_power_cut_keeps_the_windows_and_loses_mode_and_level(
    central: Central, light: LightModel, clock: ManualClock
) -> None:
    """Dark while it is off, then the schedule by a clock that starts on Monday at 00:00."""
    write_window(central, (0, 0), (1, 0), 0, 60)
    switch(central, MANUAL)
    central.send(0x5A, 0x07, 0, 100)
    light.power_cut()
    assert levels(light) == (0, 0, 0, 0)
    light.power_on()
    assert light.state()["mode"] == "auto"
    assert levels(light) == (60, 0, 0, 0)
    clock.advance(3600)
    assert levels(light) == (0, 0, 0, 0)


def test_a_light_may_forget_its_windows_without_power(clock: ManualClock) -> None:
    """Nobody has published what real lights do: the model can do both."""
    light = LightModel(clock, address=ADDRESS, keeps_memory=False)
    write_window(Central(light), (0, 0), (1, 0), 0, 60)
    light.power_cut()
    light.power_on()
    assert len(light.memory) == 0
    assert levels(light) == (0, 0, 0, 0)


# The snapshot


def test_the_snapshot_of_a_short_window_is_as_captured(
    central: Central, light: LightModel, clock: ManualClock
) -> None:
    """Written with ramp 0 it has only two points."""
    central.set_clock(1, 21, 45)
    write_window(central, (22, 15), (23, 15), 0, 100, 100, 100, 100)
    assert snapshot(central, clock) == captured("c255")


def test_the_snapshot_with_one_level_a_record_is_as_captured(
    clock: ManualClock,
) -> None:
    """65, 40, 65, 50 were stored; the first channel comes back."""
    expected = captured("c256")
    central = Central(LightModel(clock, address=ADDRESS, unknown_bytes=expected[9:22]))
    central.set_clock(1, 12, 11)
    write_window(central, (9, 0), (17, 0), 1, 5, 5, 5, 5)
    write_window(central, (17, 0), (22, 0), 1, 65, 40, 65, 50)
    assert snapshot(central, clock) == expected


def test_the_snapshot_with_more_than_eight_points_is_as_captured(
    clock: ManualClock,
) -> None:
    """The rest is cut off; a point that two windows share is there once."""
    expected = captured("c254")
    central = Central(LightModel(clock, address=ADDRESS, unknown_bytes=expected[9:22]))
    central.set_clock(5, 16, 5)
    central.link.write(captured("c079"), response=True)
    write_window(central, (9, 0), (13, 0), 60, 30)
    write_window(central, (13, 0), (18, 0), 1, 60)
    assert snapshot(central, clock) == expected


def test_the_points_come_in_the_order_they_were_written(
    central: Central, clock: ManualClock
) -> None:
    """So they may be out of the day's order; windows of other weekdays are not shown."""
    write_window(central, (18, 0), (20, 0), 0, 10)
    write_window(central, (6, 0), (8, 0), 0, 20)
    write_window(central, (9, 0), (10, 0), 0, 30, mask=64)
    assert records(snapshot(central, clock)) == [
        (18, 0, 10),
        (20, 0, 0),
        (6, 0, 20),
        (8, 0, 0),
    ]


def test_points_stay_inside_a_window_that_is_shorter_than_its_ramp(
    central: Central, clock: ManualClock
) -> None:
    """And a first channel that is unused shows as 0."""
    write_window(central, (0, 10), (0, 20), 60, 90)
    write_window(central, (6, 0), (8, 0), 0, 255, 50)
    assert records(snapshot(central, clock)) == [
        (0, 10, 0),
        (0, 20, 90),
        (0, 10, 90),
        (0, 20, 0),
        (6, 0, 0),
        (8, 0, 0),
    ]
