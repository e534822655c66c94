"""Intake: what is wrong with a request is named, and nothing is stored (law 10)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, override

import pytest

from custom_components.aquarist.commands.command import Command
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.device import DeviceKind
from custom_components.aquarist.devices.fields import (
    LEVEL,
    DataType,
    Field,
    InvalidValue,
    percent,
)
from custom_components.aquarist.devices.observable import ObservableDevice
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.intake import command_for
from custom_components.aquarist.engine.state import DeviceState
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import SERVICE, Pump, Rig, at


async def level(rig: Rig, state: DeviceState, value: float, **more: Any) -> Command:
    """Ask for a level."""
    return await rig.engine.send(state, "set_level", {"level": value}, SERVICE, **more)


@pytest.mark.parametrize("id", ["", "x" * 101, "a\tb", "a\nb", "a\x00", "\x7f"])
async def test_ids(rig: Rig, id: str) -> None:
    """One to a hundred characters that an address can have."""
    state = await rig.attach(Pump())
    with pytest.raises(EngineError) as refused:
        await level(rig, state, 10, id=id)
    assert (refused.value.code, refused.value.field) == ("invalid_id", "id")
    assert await rig.engine.history.recent(None, 10) == []


@pytest.mark.parametrize("timeout", [0.9, 30.1])
async def test_timeouts(rig: Rig, timeout: float) -> None:
    """One second to thirty."""
    state = await rig.attach(Pump())
    with pytest.raises(EngineError) as refused:
        await level(rig, state, 10, timeout=timeout)
    assert (refused.value.code, refused.value.field) == ("out_of_range", "timeout")


@pytest.mark.parametrize(
    ("action", "args", "code", "field"),
    [
        ("turn_off", {"duration": 60}, "unknown_argument", "duration"),
        ("turn_off", [], "wrong_type", "args"),
        ("set_level", {"level": 101}, "value_out_of_bounds", "level"),
        ("ramp", {"end_level": 1, "duration": 1, "x": 1}, "unknown_argument", "x"),
        ("ramp", {"duration": 1}, "missing_argument", "end_level"),
        ("fly", {}, "unknown_action", "action"),
        ("set_channels", {"levels": [1]}, "unknown_action", "action"),
        ("set_schedule", {}, "unknown_action", "action"),
    ],
)
async def test_arguments(
    rig: Rig, action: str, args: Any, code: str, field: str
) -> None:
    """R-C11, R-C48: whatever is wrong with them; an action of other devices comes first."""
    state = await rig.attach(Pump())
    with pytest.raises(InvalidValue) as refused:
        await rig.engine.send(state, action, args, SERVICE)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert await rig.engine.history.recent(None, 10) == []


@pytest.mark.parametrize(
    ("action", "hold", "code"),
    [
        ("turn_off", "long", "not_a_number"),
        ("turn_off", True, "not_a_number"),
        ("turn_off", 0, "out_of_range"),
        ("turn_off", 32 * 86400, "out_of_range"),
        ("toggle", 60, "unknown_argument"),
        ("request_status", 60, "unknown_argument"),
    ],
)
async def test_how_long_a_level_is_held(
    rig: Rig, action: str, hold: Any, code: str
) -> None:
    """RES-31: beside the arguments, for what can be held."""
    state = await rig.attach(Pump())
    with pytest.raises(EngineError) as refused:
        await rig.engine.send(state, action, {}, SERVICE, hold=hold)
    assert (refused.value.code, refused.value.field) == (code, "duration")
    assert await rig.engine.history.recent(None, 10) == []


@pytest.mark.parametrize(
    ("scheduled_at", "code"),
    [
        (at("12:10").replace(tzinfo=None), "naive_time"),
        (at("12:00") - timedelta(seconds=61), "start_in_past"),
        (at("12:00") + timedelta(days=3661), "start_too_late"),
    ],
)
async def test_when_a_command_may_begin(
    rig: Rig, scheduled_at: datetime, code: str
) -> None:
    """R-C61, RES-72."""
    state = await rig.attach(Pump())
    with pytest.raises(EngineError) as refused:
        await level(rig, state, 10, scheduled_at=scheduled_at)
    assert (refused.value.code, refused.value.field) == (code, "scheduled_at")
    assert await rig.engine.history.recent(None, 10) == []


async def test_a_request_can_be_checked_ahead(rig: Rig) -> None:
    """Nothing is stored; a macro asks when it is saved."""
    state = await rig.attach(Pump())
    command = command_for(
        state, "set_level", {"level": 10}, SERVICE, rig.clock.now(), timeout=5
    )
    assert (command.value, command.timeout, command.phase) == (
        {"level": 10},
        5.0,
        Phase.PLANNED,
    )
    assert await rig.engine.history.recent(None, 10) == []


async def test_a_ramp_where_there_is_no_level(rig: Rig) -> None:
    """The action is what is wrong, not an argument."""
    state = await rig.attach(MemoryDoser())
    with pytest.raises(InvalidValue) as refused:
        await rig.engine.send(state, "ramp", {"end_level": 1, "duration": 1}, SERVICE)
    assert (refused.value.code, refused.value.field) == ("unknown_action", "action")


class Switched(Pump):
    """A pump that is on or off."""

    @property
    @override
    def fields(self) -> Mapping[str, Field]:
        """Take nothing between."""
        return {LEVEL: percent(LEVEL, values=(0.0, 100.0))}


@pytest.mark.parametrize("name", ["start_level", "end_level"])
async def test_a_level_that_a_ramp_cannot_have_here(rig: Rig, name: str) -> None:
    """The device refuses it; the argument that asked for it is named."""
    state = await rig.attach(Switched())
    args = {"start_level": 0, "end_level": 100, "duration": 60} | {name: 50}
    with pytest.raises(InvalidValue) as refused:
        await rig.engine.send(state, "ramp", args, SERVICE)
    assert (refused.value.code, refused.value.field) == ("value_out_of_bounds", name)
    assert refused.value.placeholders["field"] == name


class Probe(ObservableDevice):
    """A device with nothing to set."""

    def __init__(self) -> None:
        """Show a temperature."""
        field = Field(name="water", data_type=DataType.NUMBER, writable=False)
        super().__init__(
            uuid="uuid-Probe",
            kind=DeviceKind.ENTITY,
            name="Probe",
            fields={"water": field},
        )
        self.available = True


@pytest.mark.parametrize(
    ("action", "args"),
    [
        ("turn_on", {}),
        ("toggle", {}),
        ("set_level", {"level": 1}),
        ("ramp", {"end_level": 1, "duration": 1}),
        ("request_status", {}),
    ],
)
async def test_a_device_of_the_right_kind_that_cannot_do_it_all_the_same(
    rig: Rig, action: str, args: dict[str, Any]
) -> None:
    """The table allows it, the device has the last word."""
    state = await rig.attach(Probe())
    with pytest.raises(InvalidValue) as refused:
        await rig.engine.send(state, action, args, SERVICE)
    assert (refused.value.code, refused.value.field) == ("unknown_action", "action")
    assert await rig.engine.history.recent(None, 10) == []


async def test_unknown_fields(rig: Rig) -> None:
    """Of point actions."""
    state = await rig.attach(Pump())
    with pytest.raises(InvalidValue) as refused:
        await rig.engine.acceptance.set_field(state, "colour", 1, SERVICE)
    assert (refused.value.code, refused.value.field) == (
        "field_not_found",
        "colour",
    )


async def test_a_device_that_is_not_loaded(rig: Rig) -> None:
    """Nothing is known of what it takes."""
    state = await rig.attach(Pump())
    await rig.engine.equipment.detach(state.row.number)
    with pytest.raises(EngineError) as refused:
        await level(rig, state, 10)
    assert (refused.value.code, refused.value.field) == (
        "device_not_loaded",
        "device_id",
    )


async def test_a_doser_of_another_kind_takes_doses_too(rig: Rig) -> None:
    """A switch with a known flow."""
    doser = MemoryDoser()
    doser.kind = DeviceKind.DOSER
    state = await rig.attach(doser)
    args = {"head_index": 0, "volume_ml": 1}
    ended = await rig.done(await rig.engine.send(state, "dose", args, SERVICE))
    assert ended.phase is Phase.COMPLETED
