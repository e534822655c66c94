"""Device configurations: saved by name, every revision kept, exported, imported, applied."""

import json
from typing import Any

import pytest

from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.intake import Origin
from custom_components.aquarist.engine.state import DeviceState, HeadLimits
from custom_components.aquarist.runs.states import RunState, StepState
from custom_components.aquarist.simulator.light import LightMode
from custom_components.aquarist.store import runs as run_rows
from custom_components.aquarist.store.command_history import CommandFilter
from custom_components.aquarist.store.runs import RunRow
from tests.engine.memory_bench import (
    EVENING,
    HOURLY,
    MORNING,
    SCHEDULE,
    Benches,
    content,
    write,
)
from tests.engine.rig import SERVICE, Pump, Rig

NAMES = ("One", "Two", "Three", "Four")


def of_doser(programme: Any = None, **more: Any) -> dict[str, Any]:
    """Return a configuration for a pump of four heads with one programme."""
    programmes = [programme, None, None, None]
    heads = [
        {"name": name, "programme": one}
        for name, one in zip(NAMES, programmes, strict=True)
    ]
    return {
        "format": 1,
        "kind": "chihiros_doser",
        "name": "Import",
        "heads": heads,
        **more,
    }


def of_light(profile: Any = None, **more: Any) -> dict[str, Any]:
    """Return a configuration for a light of two channels."""
    return {
        "format": 1,
        "kind": "chihiros_light",
        "name": "Import",
        "channels": ["red", "white"],
        "profile": {"mode": "auto", "programs": []} if profile is None else profile,
        **more,
    }


def auto(*programs: Any) -> dict[str, Any]:
    """Return the profile of a light that runs programs."""
    return {"mode": "auto", "programs": list(programs)}


def points(*given: tuple[str, int]) -> list[dict[str, Any]]:
    """Return the points of a channel's curve."""
    return [{"time": at, "level": level} for at, level in given]


def custom(*channels: Any) -> dict[str, Any]:
    """Return the profile of a light that runs a curve."""
    return {"mode": "custom", "channels": list(channels)}


async def applied(rig: Rig, state: DeviceState, name: str, **more: Any) -> list[str]:
    """Apply a configuration and return the actions, all of which succeeded."""
    run = await rig.engine.configurations.apply(
        state, name, SERVICE, confirm=True, **more
    )
    ended = await rig.engine.runs.finished(run.id)
    _, steps = await rig.engine.runs.get(run.id)
    assert (ended.state, ended.error) == (RunState.COMPLETED, None)
    assert {step.state for step in steps} <= {StepState.COMPLETED}
    return [step["command"]["action"] for step in ended.definition["sequence"]]


async def test_revisions_count_from_one(rig: Rig, memory_bench_of: Benches) -> None:
    """Each saving is one more; all of them stay (R-C59)."""
    state = await rig.attach(memory_bench_of().doser())
    configurations = rig.engine.configurations
    first = await configurations.save(state, "Summer", "user-1")
    await write(rig, state, "set_schedule", SCHEDULE)
    second = await configurations.save(state, "Summer", None)
    await configurations.save(state, "Holiday", None)
    assert (first.revision, second.revision) == (1, 2)
    assert (first.user, first.at) == ("user-1", rig.clock.now())
    assert first.definition["heads"][0] == {"name": "One", "programme": None}
    assert second.definition["heads"][0]["programme"]["hour"] == 8
    assert await configurations.revisions(state, "Summer") == [first, second]
    assert await configurations.get(state, "Summer") == second
    assert await configurations.get(state, "Summer", 1) == first
    newest = await configurations.all_of(state)
    assert [(one.name, one.revision) for one in newest] == [
        ("Holiday", 1),
        ("Summer", 2),
    ]


async def test_a_light_that_follows_its_memory(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """Its programs, with the channels for which they were made."""
    state = await rig.attach(memory_bench_of().light())
    await write(rig, state, "add_auto_setting", {**MORNING, "label": "Dawn"})
    await write(rig, state, "enable_auto_mode", {})
    saved = await rig.engine.configurations.save(state, "Summer", None)
    assert saved.definition == {
        "format": 1,
        "kind": "chihiros_light",
        "channels": ["red", "white"],
        "profile": auto(
            {
                **MORNING,
                "ramp_up_minutes": 0,
                "weekdays": ["everyday"],
                "label": "Dawn",
            }
        ),
    }


async def test_a_light_that_is_held_at_levels(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """What it rests on, also while something else shows for a while."""
    state = await rig.attach(memory_bench_of().light())
    with pytest.raises(EngineError) as error:
        await rig.engine.configurations.save(state, "Evening", None)
    assert (error.value.code, error.value.field) == ("levels_unknown", "device_id")
    await write(rig, state, "set_channels", {"levels": [40, 10]})
    await rig.engine.send(state, "turn_off", {}, SERVICE, hold=600)
    saved = await rig.engine.configurations.save(state, "Evening", None)
    assert saved.definition["profile"] == {"mode": "manual", "levels": [40.0, 10.0]}


async def test_a_light_that_runs_a_curve(rig: Rig, memory_bench_of: Benches) -> None:
    """The curve is saved as it was written."""
    state = await rig.attach(memory_bench_of().light())
    curve = [points(("08:00", 0), ("12:30", 80)), points(("09:00", 20))]
    await write(rig, state, "set_custom_curve", {"channels": curve}, confirm=True)
    saved = await rig.engine.configurations.save(state, "Summer", None)
    assert saved.definition["profile"] == custom(*curve)


async def test_a_profile_has_seven_programs_at_most(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """Though a light may keep more of them (R-C46, R-C59)."""
    state = await rig.attach(memory_bench_of().light())
    for hour in range(8):
        await write(
            rig,
            state,
            "add_auto_setting",
            {"sunrise": f"{hour:02d}:00", "sunset": f"{hour:02d}:59", "brightness": 1},
        )
    await write(rig, state, "enable_auto_mode", {})
    with pytest.raises(InvalidValue) as error:
        await rig.engine.configurations.save(state, "Summer", None)
    assert error.value.field == "profile.programs"
    assert await rig.engine.configurations.all_of(state) == []


async def test_an_export_can_be_imported(rig: Rig, memory_bench_of: Benches) -> None:
    """As JSON text, under its own name or another; nothing is sent."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser())
    await write(rig, state, "set_doser_schedule", HOURLY)
    configurations = rig.engine.configurations
    saved = await configurations.save(state, "Summer", None)
    exported = json.loads(json.dumps(await configurations.export(state, "Summer")))
    assert (exported["name"], exported["revision"]) == ("Summer", 1)
    written = len(bench.pump.write_log)
    again = await configurations.load(state, exported, "user-1")
    assert (again.name, again.revision) == ("Summer", 2)
    assert again.definition == saved.definition
    other = await configurations.load(state, exported, None, name="Winter")
    assert (other.name, other.revision) == ("Winter", 1)
    assert len(bench.pump.write_log) == written


async def test_applying_writes_what_it_takes(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """Programmes by the queue; heads that had one and have none are cleared first."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser())
    await write(rig, state, "set_schedule", SCHEDULE)
    configurations = rig.engine.configurations
    await configurations.save(state, "Summer", None)
    await write(rig, state, "remove_schedule", {"head_index": 0}, confirm=True)
    await write(rig, state, "set_schedule", {**SCHEDULE, "head_index": 1})
    assert await applied(rig, state, "Summer") == [
        "remove_schedule",
        "set_doser_schedule",
    ]
    assert bench.programme(0)["doses"] == [[510, 5000]]
    assert bench.programme(1)["mode"] == "disabled"
    assert {*content(rig).programmes(state.row.number)} == {0}


async def test_applying_programs_to_a_light(rig: Rig, memory_bench_of: Benches) -> None:
    """What overlaps the old settings takes their place; no limit of requests counts it."""
    bench = memory_bench_of()
    state = await rig.attach(bench.light())
    await rig.engine.live_settings.update({"rate_limit": 1}, None)
    await write(rig, state, "add_auto_setting", {**MORNING, "sunset": "20:00"})
    programs = [
        {
            "sunrise": f"{hour:02d}:00",
            "sunset": f"{hour:02d}:59",
            "channels": [10, 20],
        }
        for hour in range(7)
    ]
    await rig.engine.configurations.load(state, of_light(auto(*programs)), None)
    assert await applied(rig, state, "Import") == [
        "reset_auto_settings",
        *["add_auto_setting"] * 7,
        "enable_auto_mode",
    ]
    assert len(bench.windows()) == 7
    assert content(rig).follows(state.row.number)


async def test_applying_levels_to_a_light(rig: Rig, memory_bench_of: Benches) -> None:
    """It leaves its memory, also for the levels that it had before."""
    bench = memory_bench_of()
    state = await rig.attach(bench.light())
    await write(rig, state, "set_channels", {"levels": [40, 10]})
    await rig.engine.configurations.save(state, "Evening", None)
    await write(rig, state, "enable_auto_mode", {})
    assert await applied(rig, state, "Evening") == ["set_channels"]
    assert (bench.lamp.mode, bench.lamp.channels) == (LightMode.MANUAL, (40.0, 10.0))
    assert not content(rig).follows(state.row.number)


async def test_applying_a_curve_to_a_light(rig: Rig, memory_bench_of: Benches) -> None:
    """It takes the place of all that the light kept."""
    bench = memory_bench_of()
    state = await rig.attach(bench.light())
    await write(rig, state, "add_auto_setting", MORNING)
    curve = [points(("08:00", 0), ("12:30", 80)), points(("09:00", 20))]
    await rig.engine.configurations.load(state, of_light(custom(*curve)), None)
    assert await applied(rig, state, "Import") == ["set_custom_curve"]
    assert bench.lamp.mode is LightMode.CURVE
    assert bench.lamp.state()["curve"] == {
        "0": [[480, 0], [750, 80]],
        "1": [[540, 20]],
    }
    assert bench.windows() == []
    assert content(rig).auto_settings(state.row.number).settings == ()


async def test_who_applied_what_is_on_record(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """The run has the name and revision; its commands have user and context, too (R-C63)."""
    state = await rig.attach(memory_bench_of().doser())
    configurations = rig.engine.configurations
    await write(rig, state, "set_schedule", SCHEDULE)
    await configurations.save(state, "Summer", None)
    origin = Origin(source=Source.REST, user="user-1", context="context-1")
    run = await configurations.apply(state, "Summer", origin, confirm=True)
    ended = await rig.engine.runs.finished(run.id)
    assert (ended.kind, ended.name) == ("configuration", "Summer")
    assert (ended.source, ended.user, ended.context) == ("rest", "user-1", "context-1")
    assert ended.definition["revision"] == 1
    assert ended.definition["device_id"] == state.row.uuid
    (command,) = await rig.engine.history.find(
        CommandFilter(device=state.row.number, user="user-1"), 10
    )
    assert (command.run, command.source, command.context) == (
        run.id,
        "rest",
        "context-1",
    )


async def test_a_pump_without_programmes_takes_no_commands(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """That it was asked for is on record all the same."""
    state = await rig.attach(memory_bench_of().doser())
    await rig.engine.configurations.save(state, "Empty", None)
    assert await applied(rig, state, "Empty") == []


async def test_what_fails_ends_the_run(rig: Rig, memory_bench_of: Benches) -> None:
    """What comes after it is not sent."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser(), heads={0: HeadLimits(budget=1)})
    kept = {"mode": "single", "volume_tenths_ml": 50, "hour": 8, "minute": 30}
    data = of_doser(kept)
    data["heads"][1]["programme"] = kept
    await rig.engine.configurations.load(state, data, None)
    run = await rig.engine.configurations.apply(state, "Import", SERVICE, confirm=True)
    ended = await rig.engine.runs.finished(run.id)
    assert (ended.state, ended.error_code) == (RunState.FAILED, "safety_refused")
    assert content(rig).programmes(state.row.number) == {}


async def test_applying_has_to_be_confirmed(rig: Rig, memory_bench_of: Benches) -> None:
    """It overwrites what the device keeps (RES-70)."""
    state = await rig.attach(memory_bench_of().doser())
    await rig.engine.configurations.save(state, "Summer", None)
    with pytest.raises(EngineError) as error:
        await rig.engine.configurations.apply(state, "Summer", SERVICE)
    assert (error.value.code, error.value.field) == ("confirmation_needed", "confirm")
    assert await rig.engine.runs.recent(None, 10) == []


async def test_one_at_a_time(rig: Rig, memory_bench_of: Benches) -> None:
    """A second one for the device is refused while the first is applied."""
    state = await rig.attach(memory_bench_of().doser())
    configurations = rig.engine.configurations
    await write(rig, state, "set_schedule", SCHEDULE)
    await configurations.save(state, "Summer", None)
    run = await configurations.apply(state, "Summer", SERVICE, confirm=True)
    with pytest.raises(EngineError, match="run_under_way"):
        await configurations.apply(state, "Summer", SERVICE, confirm=True)
    await rig.engine.runs.finished(run.id)


@pytest.mark.parametrize("definition", [{}, {"sequence": [1]}])
async def test_a_run_that_cannot_be_read_ends(
    rig: Rig, memory_bench_of: Benches, definition: dict[str, Any]
) -> None:
    """Law 10."""
    run = RunRow(
        kind="configuration",
        name="Summer",
        definition=definition,
        state=RunState.RUNNING,
        source="rest",
        started_at=rig.clock.now(),
    )
    stored = await rig.engine.journal.commit(
        lambda connection: run_rows.insert(connection, run)
    )
    await rig.reboot()
    ended, _ = await rig.engine.runs.get(stored.id)
    assert (ended.state, ended.error) == (RunState.FAILED, "definition_invalid")


async def test_an_older_revision_can_be_applied(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """Back to what was."""
    bench = memory_bench_of()
    state = await rig.attach(bench.doser())
    configurations = rig.engine.configurations
    await write(rig, state, "set_schedule", SCHEDULE)
    await configurations.save(state, "Summer", None)
    await write(rig, state, "set_doser_schedule", HOURLY)
    await configurations.save(state, "Summer", None)
    await applied(rig, state, "Summer", revision=1)
    assert bench.programme()["mode"] == "single"


async def test_removing(rig: Rig, memory_bench_of: Benches) -> None:
    """All revisions go; there is nothing to remove twice."""
    state = await rig.attach(memory_bench_of().doser())
    configurations = rig.engine.configurations
    await configurations.save(state, "Summer", None)
    await configurations.remove(state, "Summer")
    assert await configurations.all_of(state) == []
    for refused in (
        configurations.remove(state, "Summer"),
        configurations.get(state, "Summer"),
        configurations.export(state, "Summer"),
        configurations.apply(state, "Summer", SERVICE, confirm=True),
    ):
        with pytest.raises(EngineError) as error:
            await refused
        assert (error.value.code, error.value.field) == (
            "configuration_not_found",
            "name",
        )


async def test_an_unknown_revision(rig: Rig, memory_bench_of: Benches) -> None:
    """The error says which."""
    state = await rig.attach(memory_bench_of().doser())
    await rig.engine.configurations.save(state, "Summer", None)
    with pytest.raises(EngineError) as error:
        await rig.engine.configurations.get(state, "Summer", 2)
    assert (error.value.code, error.value.field) == ("revision_not_found", "revision")


_PROGRAMME = {k: v for k, v in HOURLY.items() if k != "head_index"}


@pytest.mark.parametrize(
    ("data", "field", "code"),
    [
        (1, "configuration", "wrong_type"),
        (of_doser(format=2), "format", "value_out_of_bounds"),
        (of_doser(kind="chihiros_light"), "kind", "value_out_of_bounds"),
        (of_doser(heads=[]), "heads", "schedule_empty"),
        (of_doser(colour="red"), "colour", "unknown_argument"),
        (of_doser(name=" "), "name", "schedule_empty"),
        (
            of_doser(heads=[{"name": "One", "programme": None}]),
            "heads",
            "wrong_count",
        ),
        (
            of_doser(heads=[{"name": "One", "programme": 1}]),
            "heads.0.programme",
            "wrong_type",
        ),
        (
            of_doser({**_PROGRAMME, "mode": "moon"}),
            "heads.0.programme.mode",
            "value_out_of_bounds",
        ),
        (
            of_doser({**_PROGRAMME, "volume_tenths_ml": 65_535}),
            "heads.0.programme.volume_tenths_ml",
            "value_out_of_bounds",
        ),
        (
            of_doser(HOURLY),
            "heads.0.programme.head_index",
            "unknown_argument",
        ),
        (
            {k: v for k, v in of_doser().items() if k != "name"},
            "name",
            "missing_argument",
        ),
    ],
)
async def test_bad_imports_store_nothing(
    rig: Rig, memory_bench_of: Benches, data: Any, field: str, code: str
) -> None:
    """The error names the field (law 10)."""
    state = await rig.attach(memory_bench_of().doser())
    with pytest.raises(InvalidValue) as error:
        await rig.engine.configurations.load(state, data, None)
    assert (error.value.field, error.value.code) == (field, code)
    assert await rig.engine.configurations.all_of(state) == []


@pytest.mark.parametrize(
    ("data", "field", "code"),
    [
        (of_light(channels=["red"]), "channels", "wrong_count"),
        (of_light({}), "profile.mode", "missing_argument"),
        (of_light({"mode": "moon"}), "profile.mode", "value_out_of_bounds"),
        (of_light({"mode": "auto"}), "profile.programs", "missing_argument"),
        (
            of_light({"mode": "manual", "programs": [], "levels": [1, 2]}),
            "profile.programs",
            "unknown_argument",
        ),
        (
            of_light({"mode": "manual", "levels": [1]}),
            "profile.levels",
            "wrong_count",
        ),
        (
            of_light({"mode": "manual", "levels": [1, 101]}),
            "profile.levels.1",
            "value_out_of_bounds",
        ),
        (
            of_light(auto({"sunrise": "08:00"})),
            "profile.programs.0.sunset",
            "missing_argument",
        ),
        (
            of_light(auto({**MORNING, "channels": [1, 2, 3]})),
            "profile.programs.0.channels",
            "wrong_count",
        ),
        (of_light(auto(*[EVENING] * 8)), "profile.programs", "schedule_too_many"),
        (
            of_light(custom(points(("08:00", 1)))),
            "profile.channels",
            "wrong_count",
        ),
        (
            of_light(custom(points(("08:00", 1)), points(("09:00", 1), ("08:00", 2)))),
            "profile.channels.1.1.time",
            "value_out_of_bounds",
        ),
        (
            of_light(
                custom(
                    points(
                        *((f"{one // 60:02d}:{one % 60:02d}", 1) for one in range(25))
                    )
                )
            ),
            "profile.channels.0",
            "schedule_too_many",
        ),
    ],
)
async def test_bad_imports_of_a_light(
    rig: Rig, memory_bench_of: Benches, data: Any, field: str, code: str
) -> None:
    """The error names the field (law 10)."""
    state = await rig.attach(memory_bench_of().light())
    with pytest.raises(InvalidValue) as error:
        await rig.engine.configurations.load(state, data, None)
    assert (error.value.field, error.value.code) == (field, code)


@pytest.mark.parametrize("sunset", ["12:00", "11:00"])
async def test_settings_must_not_overlap(
    rig: Rig, memory_bench_of: Benches, sunset: str
) -> None:
    """Nor be there twice."""
    state = await rig.attach(memory_bench_of().light())
    data = of_light(auto(EVENING, MORNING, {**MORNING, "sunset": sunset}))
    with pytest.raises(EngineError) as error:
        await rig.engine.configurations.load(state, data, None)
    assert (error.value.code, error.value.field) == (
        "auto_setting_overlaps",
        "profile.programs.2.sunrise",
    )


async def test_a_name_is_needed(rig: Rig, memory_bench_of: Benches) -> None:
    """It is not blank."""
    state = await rig.attach(memory_bench_of().doser())
    with pytest.raises(InvalidValue) as error:
        await rig.engine.configurations.save(state, "", None)
    assert error.value.field == "name"


async def test_devices_without_a_memory(rig: Rig) -> None:
    """A pump made from an entity keeps nothing by itself."""
    state = await rig.attach(Pump())
    configurations = rig.engine.configurations
    for refused in (
        configurations.save(state, "Summer", None),
        configurations.load(state, of_doser(), None),
    ):
        with pytest.raises(EngineError, match="no_memory"):
            await refused


async def test_without_a_store(rig: Rig, memory_bench_of: Benches) -> None:
    """Nothing can be read."""
    engine = Rig(rig.path.parent / "other").lock()
    state = await rig.attach(memory_bench_of().doser())
    with pytest.raises(EngineError, match="store_locked"):
        await engine.configurations.all_of(state)
    await engine.close()
