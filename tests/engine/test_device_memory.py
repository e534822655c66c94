"""What devices keep in their memory: written, kept, compared, counted, written again."""

from datetime import timedelta
from sqlite3 import Connection
from typing import Any

import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.dosing.programme import ProgrammeMode
from custom_components.aquarist.engine.changes import MemoryChanged
from custom_components.aquarist.engine.errors import EngineError, SafetyRefusedError
from custom_components.aquarist.engine.state import HeadLimits
from custom_components.aquarist.store import programmes
from custom_components.aquarist.store.programmes import ProgrammeRow
from tests.engine.memory_bench import (
    EVENING,
    HOURLY,
    MORNING,
    SCHEDULE,
    Benches,
    content,
    until,
    write,
)
from tests.engine.plans import daily
from tests.engine.rig import SERVICE, Rig, at
from tests.engine.troubled_store import read_only

HEAD, AUTO = "head_0", "auto"


async def stored(rig: Rig) -> dict[str, Any]:
    """Return what the slots of all devices hold on disk."""
    assert rig.engine.database is not None
    rows = await rig.engine.database.read(programmes.load_all)
    return {row.slot: row.definition for row in rows}


# Written and kept


async def test_a_programme_is_kept_with_the_end_of_its_command(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """In the pump, on disk, and in what counts."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser())
    ended = await write(rig, state, "set_schedule", SCHEDULE)
    assert ended.phase is Phase.COMPLETED
    assert bench.programme()["doses"] == [[510, 5000]]
    assert await stored(rig) == {HEAD: (ended.result or {})["programme"]}
    number = state.row.number
    assert content(rig).daily_volume(number, 0) == 5000
    assert content(rig).weekly_volume(number, 0) == 35_000
    assert content(rig).next_dose(number, 0, at("12:00")) == (
        at("08:30") + timedelta(days=1),
        5000,
    )
    assert MemoryChanged(device=number, slot=HEAD) in rig.changes


async def test_nothing_written_counts_for_nothing(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """No volume and no next dose; a programme of nothing has no next dose either."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser())
    number = state.row.number
    assert content(rig).daily_volume(number, 0) == 0
    assert content(rig).weekly_volume(number, 0) == 0
    assert content(rig).next_dose(number, 0, at("12:00")) is None
    await write(rig, state, "set_schedule", {**SCHEDULE, "volume_tenths_ml": 0})
    assert content(rig).next_dose(number, 0, at("12:00")) is None


async def test_it_is_known_after_a_restart(rig: Rig, memory_bench_of: Benches) -> None:
    """Programmes and auto settings, as they were written."""
    bench = memory_bench_of()
    doser, light = await rig.attach(bench.doser()), await rig.attach(bench.light())
    await write(rig, doser, "set_doser_schedule", HOURLY)
    await write(rig, light, "add_auto_setting", MORNING)
    await write(rig, light, "enable_auto_mode", {})
    await rig.settle()
    before = (
        content(rig).programmes(doser.row.number),
        content(rig).auto_settings(light.row.number),
        content(rig).follows(light.row.number),
    )
    await rig.reboot(bench.doser(), bench.light())
    assert before == (
        content(rig).programmes(doser.row.number),
        content(rig).auto_settings(light.row.number),
        content(rig).follows(light.row.number),
    )
    assert before[0][0].mode is ProgrammeMode.EVERY_HOUR
    assert before[2]


async def test_removing_forgets(rig: Rig, memory_bench_of: Benches) -> None:
    """A removed programme is gone from disk and memory; a zeroed counter is none."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser())
    await write(rig, state, "set_schedule", SCHEDULE)
    await write(rig, state, "set_schedule", {**SCHEDULE, "head_index": 1})
    await write(rig, state, "reset_head", {"head_index": 0}, confirm=True)
    assert {*await stored(rig)} == {HEAD, "head_1"}
    await write(rig, state, "remove_schedule", {"head_index": 0}, confirm=True)
    assert {*await stored(rig)} == {"head_1"}
    await write(rig, state, "factory_reset", {}, confirm=True)
    assert await stored(rig) == {}
    assert content(rig).programmes(state.row.number) == {}


async def test_auto_settings_are_kept_in_their_order(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """One with the same key replaces; erasing forgets them all."""
    bench = memory_bench_of()
    state = await rig.attach(bench.light())
    await write(rig, state, "add_auto_setting", MORNING)
    await write(rig, state, "add_auto_setting", EVENING)
    await write(rig, state, "add_auto_setting", {**MORNING, "label": "New"})
    kept = (await stored(rig))[AUTO]
    assert [one["sunrise"] for one in kept["settings"]] == ["18:00", "08:00"]
    assert kept["settings"][0]["channels"] == [30, 30]
    assert len(bench.windows()) == 2
    await write(rig, state, "reset_auto_settings", {}, confirm=True)
    assert await stored(rig) == {}
    assert bench.windows() == []


async def test_a_curve_takes_the_place_of_settings(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """And a setting that of a curve; both are known after a restart."""
    bench = memory_bench_of()
    state = await rig.attach(bench.light())
    number = state.row.number
    curve = {"channels": [[{"time": "08:00", "level": 10}]] * 2}
    await write(rig, state, "add_auto_setting", MORNING)
    await write(rig, state, "set_custom_curve", curve, confirm=True)
    assert (await stored(rig))[AUTO] == curve
    assert content(rig).auto_settings(number).settings == ()
    assert content(rig).drifts(number) == ()
    (state,) = await rig.reboot(bench.light())
    kept = content(rig).custom_curve(number)
    assert kept is not None
    assert kept.as_json() == curve
    assert content(rig).follows(number)
    await write(rig, state, "add_auto_setting", EVENING)
    assert content(rig).custom_curve(number) is None
    assert len(content(rig).auto_settings(number).settings) == 1


async def test_a_curve_has_to_be_confirmed(rig: Rig, memory_bench_of: Benches) -> None:
    """It erases what the light kept (RES-70)."""
    state = await rig.attach(memory_bench_of().light())
    curve = {"channels": [[{"time": "08:00", "level": 10}]] * 2}
    with pytest.raises(EngineError, match="confirmation_needed"):
        await write(rig, state, "set_custom_curve", curve)


async def test_a_failed_write_keeps_what_was(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """Nothing is stored, and the slot is free for others again."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser())
    await write(rig, state, "set_schedule", SCHEDULE)
    await bench.left_alone(rig)
    bench.pump.faults.set("app_holds_link", times=None)
    ended = await write(rig, state, "set_doser_schedule", HOURLY)
    assert (ended.phase, ended.error) == (Phase.FAILED, "held_by_app")
    assert (await stored(rig))[HEAD]["mode"] == "single"
    assert content(rig).writing == set()


async def test_a_saving_that_fails_does_not_fail_the_command(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """The device has it; the result says what could not be kept (R-C59)."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser())
    await rig.engine.journal.commit(_refuse_rows)
    ended = await write(rig, state, "set_schedule", SCHEDULE)
    assert ended.phase is Phase.COMPLETED
    assert "no rows today" in (ended.result or {})["config_save_error"]
    assert (await rig.stored(ended)).result == ended.result
    assert await stored(rig) == {}
    assert bench.programme()["active"]
    assert content(rig).daily_volume(state.row.number, 0) == 5000


def _refuse_rows(connection: Connection) -> None:
    """Let the table of programmes refuse every row."""
    connection.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON programme "
        "BEGIN SELECT RAISE(ABORT, 'no rows today'); END"
    )


async def test_a_store_without_room_is_not_a_saving_that_fails(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """The end of the command waits with what it wrote, until the store takes both."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser())
    command = await rig.engine.send(state, "set_schedule", SCHEDULE, SERVICE)
    await until(rig, lambda: bool(bench.pump.write_log))
    assert rig.engine.database is not None
    async with read_only(rig.engine.database):
        await until(rig, lambda: rig.engine.journal.kept > 0)
        assert content(rig).writing == {(state.row.number, HEAD)}
    await rig.engine.journal.retry()
    ended = await rig.done(command)
    assert "config_save_error" not in (ended.result or {})
    assert HEAD in await stored(rig)
    assert content(rig).writing == set()


async def test_what_no_longer_validates_stays_and_is_skipped(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """It is named, and a new programme takes its place (law 10)."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser())
    number = state.row.number
    bad: dict[str, dict[str, Any]] = {
        HEAD: {"mode": "moon"},
        AUTO: {"settings": 1},
        "lid": {},
        "head_x": {},
    }
    rows = [
        ProgrammeRow(
            device=number, slot=slot, definition=definition, written_at=at("12:00")
        )
        for slot, definition in bad.items()
    ]

    def put_all(connection: Connection) -> None:
        for row in rows:
            programmes.put(connection, row)

    await rig.engine.journal.commit(put_all)
    (state,) = await rig.reboot(bench.doser())
    assert content(rig).unreadable == {(number, slot) for slot in bad}
    assert content(rig).programmes(number) == {}
    assert {*await stored(rig)} == {*bad}
    await write(rig, state, "set_schedule", SCHEDULE)
    assert (number, HEAD) not in content(rig).unreadable
    await write(rig, state, "factory_reset", {}, confirm=True)
    assert await stored(rig) == {}


# Refused


async def test_a_programme_beside_a_schedule_is_refused(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """Home Assistant and the pump never both dose one plan: the error names the schedule."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser())
    await rig.engine.create_schedule(
        daily(
            "09:00",
            "dose",
            {"head_index": 0, "volume_ml": 1.0},
            name="Iron",
            devices=[state.row.number],
        ),
        user=None,
    )
    with pytest.raises(SafetyRefusedError) as error:
        await rig.engine.send(state, "set_schedule", SCHEDULE, SERVICE)
    assert error.value.code == "refused_schedule_doses"
    assert error.value.placeholders["schedule"] == "Iron"
    await rig.engine.create_schedule(
        daily(
            "09:00",
            "dose",
            {"head_index": 1, "volume_ml": 1.0},
            name="Off",
            devices=[state.row.number],
            is_enabled=False,
        ),
        user=None,
    )
    other = {**SCHEDULE, "head_index": 1}
    ended = await write(rig, state, "set_schedule", other)
    assert ended.phase is Phase.COMPLETED
    nothing = {**SCHEDULE, "volume_tenths_ml": 0}
    ended = await write(rig, state, "set_schedule", nothing)
    assert ended.phase is Phase.COMPLETED


async def test_a_schedule_beside_a_programme_is_refused(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """For the head that doses by itself, when the schedule is on."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser())
    await write(rig, state, "set_schedule", SCHEDULE)
    plan = daily(
        "09:00",
        "dose",
        {"head_index": 0, "volume_ml": 1.0},
        devices=[state.row.number],
    )
    with pytest.raises(EngineError) as error:
        await rig.engine.create_schedule(plan, user=None)
    assert (error.value.code, error.value.field) == (
        "programme_active",
        "action_params.head_index",
    )
    assert error.value.placeholders["name"] == "Doser"
    await rig.engine.create_schedule({**plan, "is_enabled": False}, user=None)
    params = {"head_index": 1, "volume_ml": 1.0}
    await rig.engine.create_schedule(
        {**plan, "action_params": params, "name": "Other"}, user=None
    )


async def test_a_schedule_that_comes_first_wins(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """Accepted while the programme waits in the queue: the programme is refused."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser())
    state.queue.hold()
    command = await rig.engine.send(state, "set_schedule", SCHEDULE, SERVICE)
    plan = daily(
        "09:00",
        "dose",
        {"head_index": 0, "volume_ml": 1.0},
        devices=[state.row.number],
    )
    await rig.engine.create_schedule(plan, user=None)
    state.queue.release()
    ended = await rig.done(command)
    assert (ended.phase, ended.error_code, ended.error) == (
        Phase.FAILED,
        "safety_refused",
        "refused_schedule_doses",
    )
    assert (ended.error_details or {})["head"] == 1
    assert bench.pump.write_log == []
    assert content(rig).writing == set()


async def test_a_schedule_that_comes_while_it_is_written_is_refused(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """The head is taken from the first frame on."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser())
    command = await rig.engine.send(state, "set_schedule", SCHEDULE, SERVICE)
    await until(rig, lambda: bool(bench.pump.write_log))
    plan = daily(
        "09:00",
        "dose",
        {"head_index": 0, "volume_ml": 1.0},
        devices=[state.row.number],
    )
    with pytest.raises(EngineError, match="programme_active"):
        await rig.engine.create_schedule(plan, user=None)
    assert (await rig.done(command)).phase is Phase.COMPLETED


async def test_a_programme_above_a_limit_is_refused(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """The gate is asked before the pump is (law 5), with the reason in the record."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser(), heads={0: HeadLimits(budget=4000)})
    with pytest.raises(SafetyRefusedError, match="refused_budget_24h"):
        await rig.engine.send(state, "set_schedule", SCHEDULE, SERVICE)
    state.queue.hold()
    waiting = await rig.engine.send(state, "sync_clock", {}, SERVICE)
    command = await rig.engine.send(state, "set_schedule", SCHEDULE, SERVICE)
    state.queue.release()
    await rig.done(waiting)
    ended = await rig.done(command)
    assert ended.error == "refused_budget_24h"
    assert (ended.error_details or {})["allowed"] == "4"
    assert bench.programme()["doses"] == []


async def test_overlapping_settings_are_refused(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """The error names the one in the way; touching is fine (R-C46)."""
    bench = memory_bench_of()
    state = await rig.attach(bench.light())
    await write(rig, state, "add_auto_setting", MORNING)
    overlapping = {**MORNING, "sunrise": "11:59", "sunset": "13:00"}
    with pytest.raises(EngineError) as error:
        await rig.engine.send(state, "add_auto_setting", overlapping, SERVICE)
    assert (error.value.code, error.value.field) == (
        "auto_setting_overlaps",
        "sunrise",
    )
    assert error.value.placeholders["other"] == "08:00 – 12:00"
    touching = {**MORNING, "sunrise": "12:00", "sunset": "13:00"}
    ended = await write(rig, state, "add_auto_setting", touching)
    assert ended.phase is Phase.COMPLETED


async def test_an_overlap_that_waited_is_refused_at_its_turn(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """What was free when it was asked for is not when it would be written."""
    bench = memory_bench_of()
    state = await rig.attach(bench.light())
    state.queue.hold()
    first = await rig.engine.send(state, "add_auto_setting", MORNING, SERVICE)
    second = await rig.engine.send(
        state, "add_auto_setting", {**MORNING, "sunset": "11:00"}, SERVICE
    )
    state.queue.release()
    assert (await rig.done(first)).phase is Phase.COMPLETED
    ended = await rig.done(second)
    assert (ended.phase, ended.error_code, ended.error) == (
        Phase.FAILED,
        "command_invalid",
        "auto_setting_overlaps",
    )
    assert (ended.error_details or {})["field"] == "sunrise"


async def test_at_most_24_settings(rig: Rig, memory_bench_of: Benches) -> None:
    """One more is refused; one that replaces another is not."""
    bench = memory_bench_of()
    state = await rig.attach(bench.light())
    number = state.row.number
    rows = [
        {"sunrise": f"{hour:02d}:00", "sunset": f"{hour:02d}:30", "brightness": 10}
        for hour in range(24)
    ]
    for args in rows:
        rig.clock.advance(60)
        await write(rig, state, "add_auto_setting", args)
    rig.clock.advance(60)
    assert len(content(rig).auto_settings(number).settings) == 24
    more = {"sunrise": "00:40", "sunset": "00:50", "brightness": 10}
    with pytest.raises(EngineError, match="auto_settings_full"):
        await rig.engine.send(state, "add_auto_setting", more, SERVICE)
    ended = await write(rig, state, "add_auto_setting", {**rows[0], "brightness": 20})
    assert ended.phase is Phase.COMPLETED


async def test_a_store_that_fails_stops_before_the_pump(
    rig: Rig, memory_bench_of: Benches, caplog: pytest.LogCaptureFixture
) -> None:
    """That it runs is on disk before the pump hears of it; the command ends with why."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser())
    state.queue.hold()
    command = await rig.engine.send(state, "set_schedule", SCHEDULE, SERVICE)
    assert rig.engine.database is not None
    async with read_only(rig.engine.database):
        state.queue.release()
        await until(rig, lambda: rig.engine.journal.kept > 0)
        assert bench.pump.write_log == []
    await rig.engine.journal.retry()
    ended = await rig.done(command)
    assert (ended.phase, ended.error_code) == (Phase.FAILED, "internal_error")
    assert ended.error == "store_read_only"
    assert content(rig).writing == set()
    assert "Traceback" not in caplog.text


async def test_a_stop_ends_the_writing(rig: Rig, memory_bench_of: Benches) -> None:
    """The command ends as stopped, and the slot is free again."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser())
    command = await rig.engine.send(state, "set_schedule", SCHEDULE, SERVICE)
    await until(rig, lambda: bool(bench.pump.write_log))
    await rig.engine.emergency.stop(None)
    ended = await rig.done(command)
    assert ended.phase is Phase.STOPPED
    assert content(rig).writing == set()
    assert await stored(rig) == {}


async def test_it_is_written_again_after_a_crash(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """A programme that was being written may be repeated."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser())
    command = await rig.engine.send(state, "set_schedule", SCHEDULE, SERVICE)
    await until(rig, lambda: bool(bench.pump.write_log))
    await rig.reboot(bench.doser())
    ended = await rig.done(command)
    assert (await rig.stored(command)).phase is Phase.COMPLETED
    assert ended.id == command.id
    assert bench.programme()["doses"] == [[510, 5000]]


# Shown


async def test_what_the_app_changed_is_drift(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """It is kept and announced, and ends when the pump shows what was written."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser())
    number = state.row.number
    await write(rig, state, "set_schedule", SCHEDULE)
    bench.pump.heads[0].programme.set_times(0, bytes([9, 0, 0, 0]))
    rig.changes.clear()
    await write(rig, state, "request_status", {})
    drift = content(rig).drift(number, HEAD)
    assert drift.written["hour"] == 8
    assert drift.shown == {"mode": "single", "times": ["09:00"], "target_ml": 5}
    assert content(rig).drifts(number) == (drift,)
    assert rig.changes.count(MemoryChanged(device=number, slot=HEAD)) == 1
    await write(rig, state, "request_status", {})
    assert rig.changes.count(MemoryChanged(device=number, slot=HEAD)) == 1
    bench.pump.heads[0].programme.set_times(0, bytes([8, 30, 0, 0]))
    await write(rig, state, "request_status", {})
    assert content(rig).drifts(number) == ()
    assert rig.changes.count(MemoryChanged(device=number, slot=HEAD)) == 2


async def test_writing_again_ends_a_drift(rig: Rig, memory_bench_of: Benches) -> None:
    """What was just written is taken for shown."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser())
    await write(rig, state, "set_schedule", SCHEDULE)
    bench.pump.heads[0].programme.enable(catch_up=False, active=False)
    await write(rig, state, "request_status", {})
    assert content(rig).drift(state.row.number, HEAD).shown["mode"] is None
    await write(rig, state, "set_schedule", SCHEDULE)
    assert content(rig).drift(state.row.number, HEAD) is None


async def test_a_programme_of_the_app_is_drift(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """The pump doses by what Aquarist did not write; a head that never did is fine."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser())
    kept = bench.pump.heads[2].programme
    kept.enable(catch_up=False, active=True)
    kept.set_times(0, bytes(4))
    await write(rig, state, "request_status", {})
    assert content(rig).drifts(state.row.number) == ()
    kept.set_daily(127, 30)
    await write(rig, state, "request_status", {})
    drift = content(rig).drift(state.row.number, "head_2")
    assert drift.written is None
    assert drift.shown["target_ml"] == 3


async def test_what_is_being_written_is_not_judged(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """The snapshot of the connection on which it is written is older than it."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser())
    await write(rig, state, "set_schedule", SCHEDULE)
    await bench.left_alone(rig)
    await write(rig, state, "set_doser_schedule", HOURLY)
    assert content(rig).drifts(state.row.number) == ()


async def test_drift_of_a_light(rig: Rig, memory_bench_of: Benches) -> None:
    """A point that belongs to none of the settings; before anything was written, none."""
    bench = memory_bench_of()
    state = await rig.attach(bench.light())
    number = state.row.number
    strange = bytes([1, 0, 2, 0, 1, 127, 50, *[255] * 7])
    bench.lamp.memory.write(strange)
    await write(rig, state, "request_status", {})
    assert content(rig).drifts(number) == ()
    await write(rig, state, "add_auto_setting", MORNING)
    await write(rig, state, "request_status", {})
    drift = content(rig).drift(number, AUTO)
    assert {"at": "01:01", "level": 50} in drift.shown["points"]
    bench.lamp.memory.write(strange[:6] + bytes([255] * 8))
    await write(rig, state, "request_status", {})
    assert content(rig).drifts(number) == ()


async def test_a_light_that_lost_everything(rig: Rig, memory_bench_of: Benches) -> None:
    """In auto mode, with a window every day, it shows nothing at all."""
    bench = memory_bench_of()
    state = await rig.attach(bench.light())
    await write(rig, state, "add_auto_setting", MORNING)
    bench.lamp.memory.clear()
    await write(rig, state, "request_status", {})
    assert content(rig).drifts(state.row.number) == ()
    await write(rig, state, "enable_auto_mode", {})
    await write(rig, state, "request_status", {})
    assert content(rig).drift(state.row.number, AUTO).shown == {"points": []}


async def test_who_decides_is_kept(rig: Rig, memory_bench_of: Benches) -> None:
    """Auto mode is remembered, until a level is written."""
    bench = memory_bench_of()
    state = await rig.attach(bench.light())
    number = state.row.number
    await write(rig, state, "enable_auto_mode", {})
    await rig.settle()
    assert await stored(rig) == {"mode": {"active": True}}
    await write(rig, state, "set_level", {"level": 20.0})
    await rig.settle()
    assert await stored(rig) == {}
    assert not content(rig).follows(number)
