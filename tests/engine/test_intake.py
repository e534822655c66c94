"""Intake: what is wrong with a request is named, and nothing is stored (law 10)."""

from typing import Any

import pytest

from custom_components.aquarist.commands.command import Command
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.device import DeviceKind
from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.state import DeviceState
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import SERVICE, Pump, Rig, at


async def level(rig: Rig, state: DeviceState, value: float, **more: Any) -> Command:
    """Ask for a level."""
    return await rig.engine.send(state, "set_level", {"level": value}, SERVICE, **more)


async def window(
    rig: Rig, state: DeviceState, value: float, begin: str, end: str, **more: Any
) -> Command:
    """Accept a write action of today."""
    return await rig.engine.create_window(
        state, "level", value, SERVICE, start=at(begin), end=at(end), **more
    )


@pytest.mark.parametrize("id", ["", "x" * 101])
async def test_ids(rig: Rig, id: str) -> None:
    """One to a hundred characters."""
    state = await rig.attach(Pump())
    with pytest.raises(EngineError) as refused:
        await level(rig, state, 10, id=id)
    assert (refused.value.code, refused.value.field) == ("invalid_id", "id")
    with pytest.raises(EngineError):
        await window(rig, state, 10, "12:10", "12:20", id=id)
    assert await rig.engine.recent(None, 10) == []


@pytest.mark.parametrize("timeout", [0.9, 30.1])
async def test_timeouts(rig: Rig, timeout: float) -> None:
    """One second to thirty."""
    state = await rig.attach(Pump())
    with pytest.raises(EngineError) as refused:
        await level(rig, state, 10, timeout=timeout)
    assert (refused.value.code, refused.value.field) == ("out_of_range", "timeout")


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        (
            {"start": at("12:10").replace(tzinfo=None)},
            "naive_time",
            "start_timestamp",
        ),
        ({"end": at("12:20").replace(tzinfo=None)}, "naive_time", "end_timestamp"),
        ({"end": at("12:10")}, "end_not_after_start", "end_timestamp"),
        (
            {"start": at("11:00"), "end": at("12:00")},
            "end_in_past",
            "end_timestamp",
        ),
    ],
)
async def test_times_of_a_window(
    rig: Rig, changes: dict[str, Any], code: str, field: str
) -> None:
    """R-T20 to R-T27."""
    state = await rig.attach(Pump())
    times = {"start": at("12:10"), "end": at("12:20")} | changes
    with pytest.raises(EngineError) as refused:
        await rig.engine.create_window(state, "level", 10, SERVICE, **times)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert await rig.engine.recent(None, 10) == []


@pytest.mark.parametrize(
    ("action", "args", "code", "field"),
    [
        ("turn_off", {"duration": "long"}, "not_a_number", "duration"),
        ("turn_off", {"duration": True}, "not_a_number", "duration"),
        ("turn_off", {"duration": 0}, "out_of_range", "duration"),
        ("turn_off", {"duration": 32 * 86400}, "out_of_range", "duration"),
        ("ramp", {"end_level": 1, "duration": 86401}, "out_of_range", "duration"),
        ("ramp", {"end_level": 1, "duration": 1, "x": 1}, "unknown_argument", "x"),
        ("ramp", {"duration": 1}, "missing_argument", "end_level"),
    ],
)
async def test_arguments(
    rig: Rig, action: str, args: dict[str, Any], code: str, field: str
) -> None:
    """R-C11."""
    state = await rig.attach(Pump())
    with pytest.raises(EngineError) as refused:
        await rig.engine.send(state, action, args, SERVICE)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert await rig.engine.recent(None, 10) == []


async def test_a_ramp_where_there_is_no_level(rig: Rig) -> None:
    """The action is what is wrong, not an argument."""
    state = await rig.attach(MemoryDoser())
    with pytest.raises(InvalidValue) as refused:
        await rig.engine.send(state, "ramp", {"end_level": 1, "duration": 1}, SERVICE)
    assert (refused.value.code, refused.value.field) == ("unknown_action", "action")


async def test_unknown_fields(rig: Rig) -> None:
    """Of windows and of point actions."""
    state = await rig.attach(Pump())
    with pytest.raises(InvalidValue) as refused:
        await rig.engine.set_field(state, "colour", 1, SERVICE)
    assert (refused.value.code, refused.value.field) == (
        "field_not_found",
        "colour",
    )


async def test_a_device_that_is_not_loaded(rig: Rig) -> None:
    """Nothing is known of what it takes."""
    state = await rig.attach(Pump())
    await rig.engine.detach(state.row.number)
    with pytest.raises(EngineError) as refused:
        await level(rig, state, 10)
    assert (refused.value.code, refused.value.field) == (
        "device_not_loaded",
        "device",
    )


async def test_a_doser_of_another_kind_takes_doses_too(rig: Rig) -> None:
    """A switch with a known flow."""
    doser = MemoryDoser()
    doser.kind = DeviceKind.DOSER
    state = await rig.attach(doser)
    args = {"head_index": 0, "volume_ml": 1}
    ended = await rig.done(await rig.engine.send(state, "dose", args, SERVICE))
    assert ended.phase is Phase.COMPLETED
