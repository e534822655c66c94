"""Device configurations: saved by name, every revision kept, exported, imported, applied."""

import json
from typing import Any

import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.state import DeviceState
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


def of_light(*settings: Any, **more: Any) -> dict[str, Any]:
    """Return a configuration for a light of two channels."""
    return {
        "format": 1,
        "kind": "chihiros_light",
        "name": "Import",
        "channels": ["red", "white"],
        "settings": list(settings),
        "active": True,
        **more,
    }


async def applied(rig: Rig, state: DeviceState, name: str, **more: Any) -> list[str]:
    """Apply a configuration and return the actions, all of which succeeded."""
    commands = await rig.engine.configurations.apply(state, name, SERVICE, **more)
    ended = [await rig.done(command) for command in commands]
    assert {command.phase for command in ended} == {Phase.COMPLETED}
    return [command.action for command in ended]


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


async def test_a_light_has_its_settings_and_mode(
    rig: Rig, memory_bench_of: Benches
) -> None:
    """With the channels for which they were made."""
    state = await rig.attach(memory_bench_of().light())
    await write(rig, state, "add_auto_setting", {**MORNING, "label": "Dawn"})
    await write(rig, state, "enable_auto_mode", {})
    saved = await rig.engine.configurations.save(state, "Summer", None)
    assert saved.definition == {
        "format": 1,
        "kind": "chihiros_light",
        "channels": ["red", "white"],
        "settings": [
            {
                **MORNING,
                "ramp_up_minutes": 0,
                "weekdays": ["everyday"],
                "label": "Dawn",
            }
        ],
        "active": True,
    }


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


@pytest.mark.parametrize("active", [True, False])
async def test_applying_to_a_light(
    rig: Rig, memory_bench_of: Benches, active: bool
) -> None:
    """What overlaps the old settings takes their place; it is one request."""
    bench = memory_bench_of()
    state = await rig.attach(bench.light())
    await write(rig, state, "add_auto_setting", {**MORNING, "sunset": "20:00"})
    settings = [
        {
            "sunrise": f"{hour:02d}:00",
            "sunset": f"{hour:02d}:59",
            "channels": [10, 20],
        }
        for hour in range(12)
    ]
    await rig.engine.configurations.load(
        state, of_light(*settings, active=active), None
    )
    actions = await applied(rig, state, "Import")
    assert actions == [
        "reset_auto_settings",
        *["add_auto_setting"] * 12,
        *["enable_auto_mode"] * active,
    ]
    assert len(bench.windows()) == 12
    assert content(rig).follows(state.row.number) is active


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
        configurations.apply(state, "Summer", SERVICE),
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
        (of_doser(heads=[]), "heads", "value_out_of_bounds"),
        (of_doser(colour="red"), "colour", "unknown_argument"),
        (of_doser(name=" "), "name", "value_out_of_bounds"),
        (
            of_doser(heads=[{"name": "One", "programme": None}]),
            "heads",
            "value_out_of_bounds",
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
        (of_light(channels=["red"]), "channels", "value_out_of_bounds"),
        (of_light(active=1), "active", "wrong_type"),
        (of_light({"sunrise": "08:00"}), "settings.0.sunset", "missing_argument"),
        (
            of_light({**MORNING, "channels": [1, 2, 3]}),
            "settings.0.channels",
            "value_out_of_bounds",
        ),
        (
            of_light(*[EVENING] * 25),
            "settings",
            "value_out_of_bounds",
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
    data = of_light(EVENING, MORNING, {**MORNING, "sunset": sunset})
    with pytest.raises(EngineError) as error:
        await rig.engine.configurations.load(state, data, None)
    assert (error.value.code, error.value.field) == (
        "auto_setting_overlaps",
        "settings.2.sunrise",
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
