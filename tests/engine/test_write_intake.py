"""Write actions: what is wrong with one is named, and nothing is stored (law 10)."""

from typing import Any

import pytest

from custom_components.aquarist.commands.command import Command
from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.state import DeviceState
from tests.engine.rig import SERVICE, Pump, Rig, at


async def window(
    rig: Rig, state: DeviceState, name: str = "level", **changes: Any
) -> Command:
    """Accept a write action of today."""
    asked: dict[str, Any] = {"start": at("12:10"), "end": at("12:20")} | changes
    return await rig.engine.acceptance.create_window(state, name, 10, SERVICE, **asked)


@pytest.mark.parametrize("id", ["", "x" * 101, "a\rb"])
async def test_ids(rig: Rig, id: str) -> None:
    """One to a hundred characters."""
    state = await rig.attach(Pump())
    with pytest.raises(EngineError) as refused:
        await window(rig, state, id=id)
    assert (refused.value.code, refused.value.field) == ("invalid_id", "id")
    assert await rig.engine.history.recent(None, 10) == []


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
    with pytest.raises(EngineError) as refused:
        await window(rig, state, **changes)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert await rig.engine.history.recent(None, 10) == []


async def test_unknown_fields(rig: Rig) -> None:
    """The device has the last word."""
    state = await rig.attach(Pump())
    with pytest.raises(InvalidValue) as refused:
        await window(rig, state, name="colour")
    assert (refused.value.code, refused.value.field) == ("field_not_found", "colour")
    assert await rig.engine.history.recent(None, 10) == []


async def test_a_device_that_is_not_loaded(rig: Rig) -> None:
    """Nothing is known of what it takes; but what was asked is checked first."""
    state = await rig.attach(Pump())
    await rig.engine.equipment.detach(state.row.number)
    with pytest.raises(EngineError, match="device_not_loaded"):
        await window(rig, state)
    with pytest.raises(EngineError, match="end_in_past"):
        await window(rig, state, start=at("11:00"), end=at("11:30"))
    assert await rig.engine.history.recent(None, 10) == []
