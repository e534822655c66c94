"""Devices that were without power: noticed by their uptime, and written again (R-C60)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.device import DeviceStatus
from custom_components.aquarist.engine.changes import CommandChanged
from custom_components.aquarist.engine.state import DeviceState, HeadLimits
from custom_components.aquarist.simulator.light import LightMode
from tests.engine.memory_bench import (
    EVENING,
    HOURLY,
    MORNING,
    SCHEDULE,
    Benches,
    MemoryBench,
    content,
    until,
    write,
)
from tests.engine.rig import Rig
from tests.engine.troubled_store import read_only

HEAD, AUTO = "head_0", "auto"


async def test_after_a_loss_of_power_it_is_written_once(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """Programmes of the pump, where the keeper wants it (R-C60)."""
    bench = memory_bench_of(keeps_memory=False)
    state = await rig.attach(bench.doser(), restore_memory=True)
    await write(rig, state, "set_schedule", SCHEDULE)
    await write(rig, state, "set_doser_schedule", {**HOURLY, "head_index": 1})
    await _cut(rig, bench, state)
    assert bench.programme(0)["doses"] == [[510, 5000]]
    assert bench.programme(1)["mode"] == "hourly"
    assert _restored(rig) == ["set_doser_schedule", "set_doser_schedule"]
    await bench.left_alone(rig)
    await write(rig, state, "request_status", {})
    assert len(_restored(rig)) == 2
    await _cut(rig, bench, state)
    assert len(_restored(rig)) == 4


async def test_a_light_gets_its_settings_and_its_mode_back(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """In the order in which they were written."""
    bench = memory_bench_of(keeps_memory=False)
    state = await rig.attach(bench.light(), restore_memory=True)
    await write(rig, state, "add_auto_setting", MORNING)
    await write(rig, state, "add_auto_setting", EVENING)
    await write(rig, state, "enable_auto_mode", {})
    before = bench.windows()
    await _cut(rig, bench, state)
    assert bench.windows() == before
    assert _restored(rig) == [
        "add_auto_setting",
        "add_auto_setting",
        "enable_auto_mode",
    ]


async def test_a_curve_is_written_again(rig: Rig, memory_bench_of: Benches) -> None:
    """And the light runs it again; a light that left it is not made to."""
    bench = memory_bench_of(keeps_memory=False)
    state = await rig.attach(bench.light(), restore_memory=True)
    curve = [[{"time": "08:00", "level": 10}], [{"time": "09:30", "level": 20}]]
    await write(rig, state, "set_custom_curve", {"channels": curve}, confirm=True)
    before = bench.lamp.state()["curve"]
    await _cut(rig, bench, state)
    assert bench.lamp.state()["curve"] == before
    assert bench.lamp.mode is LightMode.CURVE
    assert _restored(rig) == ["set_custom_curve"]
    await write(rig, state, "set_channels", {"levels": [30, 60]})
    await _cut(rig, bench, state)
    assert _restored(rig) == ["set_custom_curve"]
    assert bench.lamp.channels == (30.0, 60.0)


async def test_who_does_not_want_it_is_left_alone(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """The loss shows as drift."""
    bench = memory_bench_of(keeps_memory=False)
    state = await rig.attach(bench.doser())
    await write(rig, state, "set_schedule", SCHEDULE)
    await _cut(rig, bench, state)
    assert _restored(rig) == []
    assert content(rig).drift(state.row.number, HEAD) is not None


async def test_a_loss_while_nobody_was_there_is_noticed(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """The whole house was dark: since when the pump has power is on disk."""
    bench = memory_bench_of(keeps_memory=False)
    state = await rig.attach(bench.doser(), restore_memory=True)
    await write(rig, state, "set_schedule", SCHEDULE)
    await rig.settle()
    bench.pump.power_cut()
    bench.pump.power_on()
    rig.clock.advance(3600)
    (state,) = await rig.reboot(bench.doser(), restore_memory=True)
    await write(rig, state, "request_status", {})
    await until(rig, lambda: bool(bench.programme()["doses"]))
    assert _restored(rig) == ["set_doser_schedule"]


def _restored(rig: Rig) -> list[str]:
    """Return the actions that the engine sent of its own accord."""
    return [
        change.command.action
        for change in rig.changes
        if isinstance(change, CommandChanged)
        and change.command.source is Source.ENGINE
        and change.command.phase is Phase.COMPLETED
        and change.command.id.startswith("restore-")
    ]


async def _cut(rig: Rig, bench: MemoryBench, state: DeviceState) -> None:
    """Take the power away, give it back an hour later, and have the device heard."""
    model = bench.pump if state.row.uuid == "uuid-doser" else bench.lamp
    await write(rig, state, "request_status", {})
    await rig.settle()
    model.power_cut()
    model.power_on()
    rig.clock.advance(3600)
    await bench.left_alone(rig)
    await write(rig, state, "request_status", {})
    await bench.left_alone(rig)


@pytest.mark.parametrize(
    ("uptime", "later", "restored"),
    [(70, 600, False), (71, 600, False), (5000, 600, False), (1, 600, True)],
)
async def test_what_uptime_tells(
    rig: Rig, memory_bench_of: Benches, uptime: int, later: float, restored: bool
) -> None:
    """Minutes are whole and stop at 5000; only a later power on is a loss."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser(), restore_memory=True)
    await write(rig, state, "set_schedule", SCHEDULE)
    watch = rig.engine.power_watch
    watch.status_read(state, DeviceStatus(firmware=6, uptime_minutes=60))
    rig.changes.clear()
    watch.since[state.row.number] = rig.clock.now() - timedelta(minutes=60)
    rig.clock.advance(later)
    watch.status_read(state, DeviceStatus(firmware=6, uptime_minutes=uptime))
    await bench.left_alone(rig)
    assert bool(_restored(rig)) is restored


async def test_an_earlier_power_on_is_believed(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """The wall clock had been wrong: nothing was lost, and the right instant is kept."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser(), restore_memory=True)
    watch = rig.engine.power_watch
    watch.status_read(state, DeviceStatus(firmware=6, uptime_minutes=1))
    watch.status_read(state, DeviceStatus(firmware=6, uptime_minutes=600))
    assert watch.since[state.row.number] == rig.clock.now() - timedelta(hours=10)
    assert state.queue.idle


async def test_what_cannot_be_sent_again_is_logged(
    rig: Rig, memory_bench_of: Benches, caplog: pytest.LogCaptureFixture
) -> None:
    """The device is gone by then."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser(), restore_memory=True)
    await write(rig, state, "set_schedule", SCHEDULE)
    watch = rig.engine.power_watch
    since = rig.clock.now()
    await rig.engine.equipment.detach(state.row.number)
    await watch._restore(state, since, since)
    assert "was not written again" in caplog.text
    assert watch.since[state.row.number] == since


async def test_a_programme_that_is_refused_keeps_no_other_from_its_head(
    rig: Rig, memory_bench_of: Benches, caplog: pytest.LogCaptureFixture
) -> None:
    """The limit of the first head was lowered since its programme was written."""
    bench = memory_bench_of(keeps_memory=False)
    state = await rig.attach(bench.doser(), restore_memory=True)
    await write(rig, state, "set_schedule", SCHEDULE)
    await write(rig, state, "set_doser_schedule", {**HOURLY, "head_index": 1})
    await bench.left_alone(rig)
    state.limits = replace(state.limits, heads={0: HeadLimits(budget=1000)})
    since = rig.clock.now()
    await rig.engine.power_watch._restore(state, since, since)
    await bench.left_alone(rig)
    assert "was not written again" in caplog.text
    assert _restored(rig) == ["set_doser_schedule"]


async def test_what_the_store_did_not_take_is_written_again_later(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """It is not forgotten that the pump was without power."""
    bench = memory_bench_of(keeps_memory=False)
    state = await rig.attach(bench.doser(), restore_memory=True)
    await write(rig, state, "set_schedule", SCHEDULE)
    await bench.left_alone(rig)
    watch = rig.engine.power_watch
    known = watch.since[state.row.number]
    rig.clock.advance(3600)
    now = rig.clock.now()
    assert rig.engine.database is not None
    async with read_only(rig.engine.database):
        await watch._restore(state, known, now)
    assert watch.since[state.row.number] == known
    await watch._restore(state, known, now)
    await bench.left_alone(rig)
    assert _restored(rig) == ["set_doser_schedule"]
    assert watch.since[state.row.number] == now


async def test_levels_of_a_light_come_back(rig: Rig, memory_bench_of: Benches) -> None:
    """A lamp forgets them with its power, however short the loss and whatever is kept."""
    bench = memory_bench_of()
    state = await rig.attach(bench.light())
    await write(rig, state, "set_channels", {"levels": [30, 60]})
    await _cut(rig, bench, state)
    assert bench.lamp.channels == (30.0, 60.0)


async def test_a_light_that_follows_its_memory_goes_on_doing_so(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """Nobody holds its levels: after a loss of power it runs its settings by itself."""
    bench = memory_bench_of()
    state = await rig.attach(bench.light())
    await write(rig, state, "set_channels", {"levels": [30, 60]})
    await write(rig, state, "enable_auto_mode", {})
    await _cut(rig, bench, state)
    assert bench.lamp.mode is LightMode.AUTO


async def test_a_light_in_auto_takes_the_levels_that_it_had_before(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """What was sent before it followed its memory does not show any more."""
    bench = memory_bench_of()
    state = await rig.attach(bench.light())
    await write(rig, state, "set_channels", {"levels": [30, 60]})
    await write(rig, state, "enable_auto_mode", {})
    await write(rig, state, "set_channels", {"levels": [30, 60]})
    assert bench.lamp.mode is LightMode.MANUAL
    assert bench.lamp.channels == (30.0, 60.0)


async def test_a_light_in_auto_that_was_away_stays_in_auto(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """Nothing is written to it because it came back."""
    bench = memory_bench_of()
    light = bench.light()
    state = await rig.attach(light)
    await write(rig, state, "set_channels", {"levels": [30, 60]})
    await write(rig, state, "enable_auto_mode", {})
    written = len(bench.lamp.write_log)
    for available in (False, True):
        light._tell_availability(available)
    await until(rig, lambda: state.queue.idle)
    assert len(bench.lamp.write_log) == written
