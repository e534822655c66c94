"""Schedules: each due moment once, with a verdict, whatever the clock does (laws 7 and 9)."""

import asyncio
from datetime import UTC, datetime, timedelta
import threading
from typing import Any
from zoneinfo import ZoneInfo, _common, reset_tzpath

import pytest

from custom_components.aquarist.commands.command import Command, Source
from custom_components.aquarist.commands.phases import Kind, Phase
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.engine.changes import OccurrenceChanged
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.planner import Planned
from custom_components.aquarist.engine.state import DeviceState, HeadLimits
from custom_components.aquarist.engine.verdicts import verdict_of
from custom_components.aquarist.schedules import validation
from custom_components.aquarist.schedules.errors import ScheduleError
from custom_components.aquarist.store import occurrences, schedules
from custom_components.aquarist.store.occurrences import OccurrenceRow, Verdict
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import SERVICE, Pump, Rig
from tests.engine.troubled_store import read_only
from tests.fakes.manual_clock import START, ManualEngineClock

MINUTE = 60.0
HOUR = 3600.0


def moment(minutes: float) -> datetime:
    """Return the instant so many minutes after the clock's start."""
    return START + timedelta(minutes=minutes)


async def plan(rig: Rig, *states: DeviceState, **definition: Any) -> Planned:
    """Store a schedule: by default off at five past every hour."""
    given: dict[str, Any] = {
        "name": "Plan",
        "device_ids": [state.row.number for state in states],
        "schedule_type": "cron",
        "cron_expression": "5 * * * *",
        "timezone": "UTC",
        "action_type": "off",
        "action_params": {},
    }
    return await rig.engine.create_schedule(given | definition, user="keeper")


async def minutes(rig: Rig, count: int) -> None:
    """Let so many minutes pass, one after another."""
    for _ in range(count):
        await rig.advance(MINUTE)


async def dose_plan(rig: Rig, state: DeviceState, **definition: Any) -> Planned:
    """Store a schedule that doses at five past every hour."""
    return await plan(
        rig,
        state,
        **{
            "action_type": "dose",
            "action_params": {"head_index": 0, "volume_ml": 1},
            **definition,
        },
    )


async def rows(rig: Rig) -> list[OccurrenceRow]:
    """Return all occurrences on disk, oldest first."""
    assert rig.engine.database is not None
    found = await rig.engine.database.read(
        lambda connection: occurrences.recent(connection, None, 1000)
    )
    return found[::-1]


async def stored(rig: Rig) -> list[schedules.ScheduleRow]:
    """Return all schedules on disk."""
    assert rig.engine.database is not None
    return await rig.engine.database.read(schedules.load_all)


async def after_outage(rig: Rig, *devices: Any, seconds: float) -> None:
    """Let the engine be away for a while."""
    await rig.settle()
    await rig.engine.close()
    rig.clock.advance(seconds)
    await rig.boot(start=False)
    for device in devices:
        await rig.attach(device)
    rig.engine.start()
    await rig.settle()


# Due


async def test_a_moment_runs_once_at_its_time(rig: Rig) -> None:
    """With its command, its verdict, and the next run stored."""
    pump = Pump()
    state = await rig.attach(pump)
    planned = await plan(rig, state)
    assert planned.row.next_run == moment(5)
    await rig.advance(5 * MINUTE - 1)
    assert pump.told == []
    await rig.advance(1)
    assert pump.level == 0
    (row,) = await rows(rig)
    assert (row.at, row.count, row.verdict, row.reason) == (
        moment(5),
        1,
        Verdict.RAN,
        None,
    )
    (on_disk,) = await stored(rig)
    assert on_disk.next_run == moment(65)
    assert on_disk.last_run == moment(5)
    assert on_disk.last_run_status == "success"
    assert rig.engine.planner.schedules[0].row == on_disk
    (command,) = await rig.engine.history.recent(None, 10)
    assert command.schedule == on_disk.id
    assert command.occurrence == row.id


async def test_each_moment_has_its_own_turn(rig: Rig) -> None:
    """Three hours, three rows."""
    doser = MemoryDoser()
    state = await rig.attach(doser)
    await dose_plan(rig, state)
    await minutes(rig, 180)
    assert len(doser.sent) == 3
    assert [row.at for row in await rows(rig)] == [moment(5), moment(65), moment(125)]


async def test_a_one_off_runs_once_and_is_disabled(rig: Rig) -> None:
    """It stays, as what it was."""
    pump = Pump()
    state = await rig.attach(pump)
    await plan(
        rig,
        state,
        schedule_type="one_off",
        cron_expression=None,
        start_time=moment(10).isoformat(),
    )
    await minutes(rig, 12)
    (on_disk,) = await stored(rig)
    assert (on_disk.enabled, on_disk.next_run) == (False, None)
    assert on_disk.last_run_status == "success"
    assert rig.engine.planner.next_moment(rig.engine.planner.schedules[0]) is None
    await rig.advance(24 * HOUR)
    assert len(await rows(rig)) == 1


async def test_a_schedule_past_its_last_moment_is_disabled(rig: Rig) -> None:
    """Its end is inclusive."""
    pump = Pump()
    state = await rig.attach(pump)
    await plan(rig, state, end_time=moment(65).isoformat())
    await minutes(rig, 70)
    (on_disk,) = await stored(rig)
    assert not on_disk.enabled
    assert [row.verdict for row in await rows(rig)] == [Verdict.RAN, Verdict.RAN]


async def test_a_disabled_schedule_is_never_due(rig: Rig) -> None:
    """It is stored, and waits for nothing."""
    pump = Pump()
    state = await rig.attach(pump)
    planned = await plan(rig, state, is_enabled=False)
    assert rig.engine.planner.next_moment(planned) is None
    await rig.advance(2 * HOUR)
    assert pump.told == []
    assert await rows(rig) == []


async def test_what_is_announced(rig: Rig) -> None:
    """The beginning and the verdict, each once it is on disk."""
    state = await rig.attach(Pump())
    await plan(rig, state)
    await rig.advance(5 * MINUTE)
    heard = [
        (change.at, change.verdict)
        for change in rig.changes
        if isinstance(change, OccurrenceChanged)
    ]
    assert heard == [(moment(5).isoformat(), None), (moment(5).isoformat(), "ran")]


async def test_one_schedule_for_several_devices(rig: Rig) -> None:
    """One moment, one verdict, a command each."""
    pumps = [Pump("One"), Pump("Two"), Pump("Three")]
    states = [await rig.attach(pump) for pump in pumps]
    await plan(rig, *states)
    pumps[1].fail_next(DeviceError("service_failed", transient=False))
    await rig.advance(5 * MINUTE)
    assert [pump.level for pump in pumps] == [0, 80, 0]
    (row,) = await rows(rig)
    assert (row.verdict, row.reason) == (Verdict.PARTLY, "service_failed")
    assert (await stored(rig))[0].last_run_status == "failed"


# Verdicts


async def test_a_moment_that_fails_says_why(rig: Rig) -> None:
    """The reason of its command."""
    pump = Pump()
    state = await rig.attach(pump)
    await plan(rig, state)
    pump.fail_next(DeviceError("service_failed", transient=False))
    await rig.advance(5 * MINUTE)
    (row,) = await rows(rig)
    assert (row.verdict, row.reason) == (Verdict.FAILED, "service_failed")


async def test_a_moment_that_a_limit_forbids_is_refused(rig: Rig) -> None:
    """With the limit's name."""
    doser = MemoryDoser()
    state = await rig.attach(doser, heads={0: HeadLimits(budget=1500)})
    await dose_plan(rig, state)
    await minutes(rig, 70)
    assert doser.sent == [(0, 1000)]
    assert [(row.verdict, row.reason) for row in await rows(rig)] == [
        (Verdict.RAN, None),
        (Verdict.REFUSED, "refused_budget_24h"),
    ]


async def test_a_moment_without_its_device_says_so(rig: Rig) -> None:
    """Not loaded is not gone; the plan goes on."""
    pump = Pump()
    state = await rig.attach(pump)
    await plan(rig, state)
    await rig.engine.equipment.detach(state.row.number)
    await rig.advance(5 * MINUTE)
    await rig.attach(pump)
    await rig.advance(HOUR)
    assert [(row.verdict, row.reason) for row in await rows(rig)] == [
        (Verdict.FAILED, "device_not_loaded"),
        (Verdict.RAN, None),
    ]


async def test_a_retired_device_fails_the_moment(rig: Rig) -> None:
    """It is looked up when due (law 7)."""
    state = await rig.attach(Pump())
    await plan(rig, state)
    await rig.engine.equipment.retire(state.row.number)
    await rig.advance(5 * MINUTE)
    (row,) = await rows(rig)
    assert (row.verdict, row.reason) == (Verdict.FAILED, "device_not_found")


async def test_what_the_keeper_holds_back_is_skipped(rig: Rig) -> None:
    """The automation switch of the aquarium, kept over a restart."""
    pump = Pump()
    state = await rig.attach(pump)
    await plan(rig, state)
    await rig.engine.planner.set_automation("tank", enabled=False)
    await rig.advance(5 * MINUTE)
    await rig.reboot(pump)
    await rig.advance(HOUR)
    assert pump.told == []
    await rig.engine.planner.set_automation("tank", enabled=True)
    await rig.advance(HOUR)
    assert [(row.verdict, row.reason) for row in await rows(rig)] == [
        (Verdict.SKIPPED, "automation_off"),
        (Verdict.SKIPPED, "automation_off"),
        (Verdict.RAN, None),
    ]


async def test_two_aquariums_are_held_back_at_once(rig: Rig) -> None:
    """As a scene does it; each of them counts, also after a restart."""
    planner = rig.engine.planner
    await asyncio.gather(
        *(planner.set_automation(one, enabled=False) for one in ("reef", "tank"))
    )
    assert planner.automation_off == {"reef", "tank"}
    await rig.reboot()
    assert rig.engine.planner.automation_off == {"reef", "tank"}


def ended(phase: Phase, **values: Any) -> Command:
    """Return a command that ended in a phase."""
    return Command(
        id="one",
        device=1,
        kind=Kind.SET,
        action="on",
        source=Source.SCHEDULE,
        created_at=START,
        phase=phase,
        **values,
    )


@pytest.mark.parametrize(
    ("commands", "verdict", "reason"),
    [
        ([ended(Phase.COMPLETED)], Verdict.RAN, None),
        ([], Verdict.FAILED, "no_command"),
        ([ended(Phase.MISSED)], Verdict.FAILED, "missed"),
        (
            [ended(Phase.FAILED, error_code="safety_refused", error="refused_x")],
            Verdict.REFUSED,
            "refused_x",
        ),
        (
            [ended(Phase.COMPLETED), ended(Phase.TIMED_OUT, error="no_answer")],
            Verdict.PARTLY,
            "no_answer",
        ),
        (
            [
                ended(Phase.FAILED, error_code="safety_refused", error="refused_x"),
                ended(Phase.FAILED, error="link_lost"),
            ],
            Verdict.FAILED,
            "refused_x",
        ),
    ],
)
def test_the_verdict_follows_from_how_the_commands_ended(
    commands: list[Command], verdict: Verdict, reason: str | None
) -> None:
    """RES-38."""
    assert verdict_of(commands) == (verdict, reason)


async def test_a_verdict_counts_what_ended_before_a_restart(rig: Rig) -> None:
    """One of two had ended well: partly, not failed."""
    quick, slow = Pump("Quick"), Pump("Slow")
    states = [await rig.attach(pump) for pump in (quick, slow)]
    await plan(rig, *states, action_params={"duration": 600})
    slow.fail_next(DeviceError("link_lost", transient=True))
    await rig.advance(5 * MINUTE)
    await rig.engine.cancel(rig.engine.records.open[0])
    await rig.settle()
    await rig.reboot(quick, slow)
    await minutes(rig, 12)
    (row,) = await rows(rig)
    assert (row.verdict, row.reason) == (Verdict.PARTLY, "cancelled")


# Missed


async def test_moments_missed_in_one_outage_are_one_row(rig: Rig) -> None:
    """From, to and count; nothing runs late (law 9)."""
    doser = MemoryDoser()
    state = await rig.attach(doser)
    await dose_plan(rig, state)
    await after_outage(rig, doser, seconds=3 * HOUR)
    assert doser.sent == []
    (row,) = await rows(rig)
    assert (row.at, row.last_at, row.count) == (moment(5), moment(125), 3)
    assert (row.verdict, row.reason) == (Verdict.MISSED, "not_running")
    assert (await stored(rig))[0].last_run_status == "skipped"
    await rig.advance(5 * MINUTE)
    assert doser.sent == [(0, 1000)]


async def test_missed_moments_are_announced(rig: Rig) -> None:
    """For the event entity and the bus."""
    doser = MemoryDoser()
    state = await rig.attach(doser)
    await dose_plan(rig, state)
    await after_outage(rig, doser, seconds=3 * HOUR)
    heard = [
        (change.at, change.verdict)
        for change in rig.changes
        if isinstance(change, OccurrenceChanged)
    ]
    assert heard == [(moment(5).isoformat(), "missed")]


async def test_a_moment_of_less_than_a_minute_ago_still_runs(rig: Rig) -> None:
    """A quick restart misses nothing."""
    doser = MemoryDoser()
    state = await rig.attach(doser)
    await dose_plan(rig, state)
    await after_outage(rig, doser, seconds=5 * MINUTE + 59)
    assert doser.sent == [(0, 1000)]
    assert [row.verdict for row in await rows(rig)] == [Verdict.RAN]


async def test_a_dose_never_converges(rig: Rig) -> None:
    """RES-67: refused where it is asked for."""
    state = await rig.attach(MemoryDoser())
    with pytest.raises(ScheduleError) as refused:
        await dose_plan(rig, state, on_miss="converge")
    assert refused.value.field == "on_miss"
    assert await stored(rig) == []


async def test_a_missed_ramp_goes_on_where_it_should_be(rig: Rig) -> None:
    """RES-37: converged, once."""
    pump = Pump(level=0)
    state = await rig.attach(pump)
    await plan(
        rig,
        state,
        cron_expression="5 12 * * *",
        action_type="ramp",
        action_params={"start_level": 0, "end_level": 90, "duration": 3600},
    )
    await after_outage(rig, pump, seconds=35 * MINUTE)
    assert abs(pump.level - 45) <= 1
    await minutes(rig, 31)
    assert pump.level == 90
    (row,) = await rows(rig)
    assert (row.at, row.verdict) == (moment(5), Verdict.RAN)


async def test_a_missed_hold_that_still_lasts_is_taken_up_for_the_rest(
    rig: Rig,
) -> None:
    """It ends when it would have ended."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await plan(rig, state, action_params={"duration": 1800})
    await after_outage(rig, pump, seconds=25 * MINUTE)
    assert pump.level == 0
    await rig.advance(10 * MINUTE - 1)
    assert pump.level == 0
    await rig.advance(1)
    assert pump.level == 80
    assert [row.verdict for row in await rows(rig)] == [Verdict.RAN]


async def test_a_missed_hold_that_is_over_is_only_noted(rig: Rig) -> None:
    """No flicker."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await plan(rig, state, action_params={"duration": 600})
    await after_outage(rig, pump, seconds=25 * MINUTE)
    assert pump.told == []
    assert [row.verdict for row in await rows(rig)] == [Verdict.MISSED]


async def test_what_converges_does_so_in_the_order_of_the_moments(rig: Rig) -> None:
    """The later ramp has the last word, whatever the order of the schedules."""
    pump = Pump(level=50)
    state = await rig.attach(pump)
    for name, minute, level in (("Dusk", 30, 10), ("Dawn", 5, 90)):
        await plan(
            rig,
            state,
            name=name,
            cron_expression=f"{minute} 12 * * *",
            action_type="ramp",
            action_params={"end_level": level, "duration": 60},
        )
    await after_outage(rig, pump, seconds=2 * HOUR)
    await minutes(rig, 3)
    assert pump.level == 10


async def test_a_missed_point_action_stays_missed(rig: Rig) -> None:
    """Skip is the default of point actions (RES-37)."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await plan(rig, state)
    await after_outage(rig, pump, seconds=25 * MINUTE)
    assert pump.told == []
    assert [row.verdict for row in await rows(rig)] == [Verdict.MISSED]


# The clock


async def test_a_clock_set_forward_runs_nothing_twice(rig: Rig) -> None:
    """What it jumps over is missed; back again, it is not made up for."""
    doser = MemoryDoser()
    state = await rig.attach(doser)
    await dose_plan(rig, state)
    rig.clock.jump(2 * HOUR)
    await rig.advance(31)
    assert doser.sent == []
    rig.clock.jump(-2 * HOUR)
    await minutes(rig, 120)
    assert doser.sent == []
    await minutes(rig, 6)
    assert doser.sent == [(0, 1000)]
    assert [(row.verdict, row.count) for row in await rows(rig)] == [
        (Verdict.MISSED, 2),
        (Verdict.RAN, 1),
    ]


async def test_a_clock_set_back_runs_nothing_twice(rig: Rig) -> None:
    """Nor does a restart while it is wrong (RES-51)."""
    doser = MemoryDoser()
    state = await rig.attach(doser)
    await dose_plan(rig, state)
    await rig.advance(6 * MINUTE)
    assert doser.sent == [(0, 1000)]
    rig.clock.jump(-10 * MINUTE)
    await minutes(rig, 20)
    await rig.reboot(doser)
    await minutes(rig, 10)
    assert doser.sent == [(0, 1000)]
    assert [row.at for row in await rows(rig)] == [moment(5)]


async def test_a_time_zone_is_read_in_away_from_the_event_loop(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in a file, or in a module that is imported; a name of nothing is looked for in both."""
    readers: set[int] = set()

    def read(name: str) -> ZoneInfo:
        readers.add(threading.get_ident())
        return ZoneInfo(name)

    monkeypatch.setattr(validation, "ZoneInfo", read)
    state = await rig.attach(Pump())
    await plan(rig, state, timezone="Asia/Kathmandu")
    with pytest.raises(ScheduleError, match="unknown_zone"):
        await plan(rig, state, name="Nowhere", timezone="Mars/Crater")

    assert readers
    assert threading.get_ident() not in readers


async def test_after_a_restart_time_zones_are_read_in_with_the_records(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them, also more than Python keeps, and away from the event loop."""
    names = [f"Etc/GMT+{hours}" for hours in range(1, 13)]
    state = await rig.attach(Pump())
    for name in names:
        await plan(rig, state, name=name, timezone=name)
    readers: list[int] = []
    read = _common.load_tzdata

    def reading(name: str) -> Any:
        readers.append(threading.get_ident())
        return read(name)

    monkeypatch.setattr(_common, "load_tzdata", reading)
    reset_tzpath(to=())
    try:
        ZoneInfo.clear_cache()
        await rig.reboot(Pump())
    finally:
        reset_tzpath()

    assert len(readers) == len(names)
    assert threading.get_ident() not in readers
    assert all(planned.plan for planned in rig.engine.planner.schedules)


@pytest.mark.parametrize("zone", ['"Mars/Crater"', "5", "[]", '"../clock"'])
async def test_a_stored_time_zone_that_is_none_skips_its_schedule_alone(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    """Law 10; that there is none is found out away from the event loop, too."""
    readers: set[int] = set()

    def read(name: str) -> ZoneInfo:
        readers.add(threading.get_ident())
        return ZoneInfo(name)

    state = await rig.attach(Pump())
    broken = await plan(rig, state, name="Broken")
    sound = await plan(rig, state, name="Sound")
    await rig.engine.journal.commit(
        lambda connection: connection.execute(
            "UPDATE schedule SET definition = "
            "json_set(definition, '$.timezone', json(?)) WHERE id = ?",
            (zone, broken.row.id),
        )
    )
    monkeypatch.setattr(validation, "ZoneInfo", read)
    await rig.reboot(Pump())
    assert readers
    assert threading.get_ident() not in readers
    found = {one.row.id: one for one in rig.engine.planner.schedules}
    assert found[broken.row.id].error is not None
    assert found[sound.row.id].plan is not None


async def test_the_hour_that_comes_twice_gives_one_dose(rig: Rig) -> None:
    """RES-14: half past two on the last Sunday of October, in the house's zone."""
    await rig.engine.close()
    rig.clock = ManualEngineClock(datetime(2026, 10, 24, 23, 0, tzinfo=UTC))
    await rig.boot()
    doser = MemoryDoser()
    state = await rig.attach(doser)
    await dose_plan(rig, state, cron_expression="30 2 * * *", timezone="Europe/Berlin")
    for _ in range(18):
        await rig.advance(10 * MINUTE)
    assert doser.sent == [(0, 1000)]
    assert [row.nominal for row in await rows(rig)] == ["2026-10-25T02:30:00"]


# The store


async def test_a_moment_that_cannot_be_stored_is_tried_again(rig: Rig) -> None:
    """Nothing of it happens before it is on disk."""
    pump = Pump()
    state = await rig.attach(pump)
    await plan(rig, state)
    assert rig.engine.database is not None
    async with read_only(rig.engine.database):
        rig.clock.advance(5 * MINUTE)
        with pytest.raises(Exception, match="readonly"):
            await rig.engine.journal.commit(
                lambda connection: connection.execute("CREATE TABLE more (a)")
            )
        assert pump.told == []
    await rig.advance(6)
    assert pump.level == 0
    assert [row.verdict for row in await rows(rig)] == [Verdict.RAN]


async def test_a_moment_that_could_not_be_stored_for_long_is_missed(rig: Rig) -> None:
    """A dose does not run late, because the disk was full."""
    doser = MemoryDoser()
    state = await rig.attach(doser)
    await dose_plan(rig, state)
    assert rig.engine.database is not None
    async with read_only(rig.engine.database):
        rig.clock.advance(5 * MINUTE)
        for _ in range(3):
            with pytest.raises(Exception, match="readonly"):
                await rig.engine.journal.commit(
                    lambda connection: connection.execute("CREATE TABLE more (a)")
                )
            rig.clock.advance(30)
    await rig.advance(30)
    assert doser.sent == []
    assert [(row.verdict, row.at) for row in await rows(rig)] == [
        (Verdict.MISSED, moment(5))
    ]


async def test_what_no_longer_validates_stays_and_is_skipped(rig: Rig) -> None:
    """Law 10: on disk as it is, with its error; the others go on."""
    pump = Pump()
    state = await rig.attach(pump)
    await plan(rig, state, name="Good")
    await plan(rig, state, name="Bad")
    await rig.engine.journal.commit(
        lambda connection: connection.execute(
            "UPDATE schedule SET definition = json_set(definition, "
            "'$.cron_expression', 'at tea time') WHERE name = 'Bad'"
        )
    )
    await rig.reboot(pump)
    bad = next(one for one in rig.engine.planner.schedules if one.row.name == "Bad")
    assert bad.definition is None
    assert bad.error is not None
    assert "cron_expression" in bad.error
    assert rig.engine.planner.next_moment(bad) is None
    await rig.advance(5 * MINUTE)
    assert len(await rows(rig)) == 1
    assert {row.name for row in await stored(rig)} == {"Good", "Bad"}
    await rig.engine.delete_schedule(bad.row.id, user="keeper")
    assert [row.name for row in await stored(rig)] == ["Good"]


# Making and deleting


async def test_names_are_unique(rig: Rig) -> None:
    """The second is refused by its field."""
    state = await rig.attach(Pump())
    await plan(rig, state)
    with pytest.raises(EngineError) as refused:
        await plan(rig, state)
    assert (refused.value.code, refused.value.field) == ("duplicate_name", "name")
    assert len(await stored(rig)) == 1


@pytest.mark.parametrize(
    ("definition", "field"),
    [
        ({"device_ids": [99]}, "device_ids"),
        ({"cron_expression": "0 0 30 2 *"}, "cron_expression"),
        ({"cron_expression": "at tea time"}, "cron_expression"),
        ({"action_type": "set_level", "action_params": {"level": 101}}, None),
        (
            {"action_type": "dose", "action_params": {"head_index": 0, "volume_ml": 1}},
            "device_ids",
        ),
        (
            {
                "schedule_type": "one_off",
                "cron_expression": None,
                "start_time": "2020-01-01T00:00:00+00:00",
            },
            "start_time",
        ),
        ({"start_time": "2026-03-10T12:00:00"}, "start_time"),
        ({"end_time": "2026-03-10T12:01:00+00:00"}, None),
    ],
)
async def test_a_bad_schedule_is_refused_by_field_and_not_stored(
    rig: Rig, definition: dict[str, Any], field: str | None
) -> None:
    """Law 10."""
    state = await rig.attach(Pump())
    with pytest.raises((EngineError, ScheduleError, InvalidValue)) as refused:
        await plan(rig, state, **definition)
    told = getattr(refused.value, "field", None)
    assert told is not None
    assert field is None or told == field
    assert await stored(rig) == []


async def test_a_volume_above_the_head_is_refused_when_it_is_planned(rig: Rig) -> None:
    """Not at midnight, when nobody looks (R-B66)."""
    state = await rig.attach(MemoryDoser())
    with pytest.raises(EngineError) as refused:
        await dose_plan(rig, state, action_params={"head_index": 0, "volume_ml": 51})
    assert refused.value.field == "volume_ml"


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (HeadLimits(budget=4900), "refused_budget_24h"),
        (HeadLimits(maximum_volume=4900), "refused_maximum_volume"),
        (HeadLimits(budget=5000, maximum_volume=5000), None),
        (HeadLimits(), None),
    ],
)
@pytest.mark.parametrize("loaded", [True, False])
async def test_a_volume_that_the_limits_never_allow_is_refused_when_it_is_planned(
    rig: Rig, limits: HeadLimits, code: str | None, *, loaded: bool
) -> None:
    """It would be refused each time it is due; what was dosed today does not matter (law 5)."""
    state = await rig.attach(MemoryDoser(), heads={0: limits})
    if not loaded:
        await rig.engine.equipment.detach(state.row.number)
    wanted = {"head_index": 0, "volume_ml": 5.0}
    if code is None:
        await dose_plan(rig, state, action_params=wanted)
        assert len(await stored(rig)) == 1
        return
    with pytest.raises(EngineError) as refused:
        await dose_plan(rig, state, action_params=wanted)
    assert refused.value.code == code
    assert await stored(rig) == []


async def test_to_delete_a_schedule_ends_what_it_holds(rig: Rig) -> None:
    """R-B116: restored, and silent from then on."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    planned = await plan(rig, state, action_params={"duration": 600})
    await rig.advance(5 * MINUTE)
    assert pump.level == 0
    await rig.engine.delete_schedule(planned.row.id, user="keeper")
    await rig.settle()
    assert pump.told == [0.0, 80.0]
    await rig.advance(3 * HOUR)
    assert pump.told == [0.0, 80.0]
    (row,) = await rows(rig)
    assert (row.verdict, row.reason) == (Verdict.FAILED, "cancelled")
    with pytest.raises(EngineError) as refused:
        await rig.engine.delete_schedule(planned.row.id, user="keeper")
    assert refused.value.code == "schedule_not_found"


async def test_to_delete_a_schedule_lets_a_dose_come_to_its_end(rig: Rig) -> None:
    """What the pump has begun cannot be taken back, and is recorded."""
    doser = MemoryDoser()
    state = await rig.attach(doser)
    doser.slow = True
    planned = await dose_plan(rig, state)
    await rig.advance(5 * MINUTE)
    (command,) = rig.engine.records.open
    await rig.engine.delete_schedule(planned.row.id, user="keeper")
    doser.under_way[0].give(1000)
    assert (await rig.done(command)).phase is Phase.COMPLETED


async def test_to_delete_a_schedule_lets_a_dose_go_on_that_is_being_prepared(
    rig: Rig,
) -> None:
    """The pump's counter is being read: the schedule is deleted, and that is no error."""
    doser = MemoryDoser()
    state = await rig.attach(doser)
    doser.preparing = asyncio.Event()
    planned = await dose_plan(rig, state)
    await rig.advance(5 * MINUTE)
    (command,) = rig.engine.records.open
    assert command.phase is Phase.PLANNED
    await rig.engine.delete_schedule(planned.row.id, user="keeper")
    doser.preparing.set()
    assert (await rig.done(command)).phase is Phase.COMPLETED


async def test_a_new_schedule_may_have_the_name_of_a_deleted_one(rig: Rig) -> None:
    """With a number of its own."""
    state = await rig.attach(Pump())
    first = await plan(rig, state)
    await rig.engine.delete_schedule(first.row.id, user="keeper")
    second = await plan(rig, state)
    assert second.row.id != first.row.id


async def test_a_hold_gives_way_to_the_next_point_action_when_it_ends(rig: Rig) -> None:
    """The value that shows later is the present one (law 4)."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await plan(rig, state, action_params={"duration": 600})
    await rig.advance(5 * MINUTE)
    await rig.done(await rig.engine.send(state, "set_level", {"level": 30}, SERVICE))
    assert pump.level == 0
    await rig.advance(10 * MINUTE)
    assert pump.level == 30


async def test_a_long_outage_of_a_frequent_schedule_is_one_row(rig: Rig) -> None:
    """However many moments it let pass; the last one that still counts runs."""
    doser = MemoryDoser()
    state = await rig.attach(doser)
    await dose_plan(rig, state, cron_expression="* * * * *")
    await after_outage(rig, doser, seconds=2 * 24 * HOUR + 30)
    first, last = await rows(rig)
    assert (first.verdict, first.count) == (Verdict.MISSED, 2 * 24 * 60 - 1)
    assert (last.verdict, last.at) == (Verdict.RAN, moment(2 * 24 * 60))
    assert doser.sent == [(0, 1000)]
