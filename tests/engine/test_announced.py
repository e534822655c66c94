"""What write actions may ask of a field: as much as the keeper leaves of it (R-T24, R-T47)."""

from collections.abc import Awaitable, Callable

import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import (
    LEVEL,
    DataType,
    Field,
    InvalidValue,
    percent,
)
from custom_components.aquarist.engine.announced import announced, require_announced
from custom_components.aquarist.engine.state import DeviceLimits, DeviceState
from custom_components.aquarist.layers.claims import Layer
from custom_components.aquarist.limits.bounds import Bounds
from tests.engine.holding import claim, window
from tests.engine.rig import SERVICE, Pump, Rig

LIMIT = {"level": Bounds(maximum=60)}


async def post(rig: Rig, state: DeviceState, level: float) -> None:
    """Ask for a window."""
    await window(rig, state, level, 0, 60)


async def write(rig: Rig, state: DeviceState, level: float) -> None:
    """Ask for a value at once."""
    await rig.engine.write_now(state, "level", level, SERVICE, 5.0)


@pytest.mark.parametrize("ask", [post, write])
async def test_a_value_above_the_limit_is_not_taken(
    rig: Rig, ask: Callable[[Rig, DeviceState, float], Awaitable[None]]
) -> None:
    """The error tells the range that is left; nothing is stored, nothing is sent."""
    pump = Pump(level=40)
    state = await rig.attach(pump, bounds=LIMIT)
    with pytest.raises(InvalidValue) as error:
        await ask(rig, state, 61)
    assert error.value.code == "value_out_of_bounds"
    assert error.value.placeholders["maximum"] == "60"
    assert (rig.engine.records.open, pump.told) == ((), [])
    await ask(rig, state, 60)
    assert pump.level == 60


async def test_a_retry_is_asked_again(rig: Rig) -> None:
    """The limit may have been set meanwhile."""
    pump = Pump(level=40)
    state = await rig.attach(pump)
    pump.fail_next(DeviceError("service_failed", transient=False))
    failed = await rig.stored(await window(rig, state, 80, 0, 600))
    assert failed.phase is Phase.FAILED
    state.limits = DeviceLimits(bounds=LIMIT)
    with pytest.raises(InvalidValue) as error:
        await rig.engine.windows.retry(failed, SERVICE)
    assert error.value.code == "value_out_of_bounds"
    state.limits = DeviceLimits()
    await rig.engine.windows.retry(failed, SERVICE)
    await rig.settle()
    assert pump.level == 80


async def test_what_is_no_write_action_is_brought_down(rig: Rig) -> None:
    """Also when it is tried again."""
    pump = Pump(level=40)
    state = await rig.attach(pump, bounds=LIMIT)
    pump.fail_next(DeviceError("service_failed", transient=False))
    failed = await rig.stored(await claim(rig, state, 80, 0, 600, Layer.ENFORCED))
    assert failed.phase is Phase.FAILED
    await rig.engine.windows.retry(failed, SERVICE)
    await rig.settle()
    assert pump.level == 60


async def test_a_limit_that_was_set_meanwhile_brings_it_down(rig: Rig) -> None:
    """What was accepted is set as far as it may be, and says so."""
    pump = Pump(level=40)
    state = await rig.attach(pump)
    command = await window(rig, state, 80, 10, 60)
    state.limits = DeviceLimits(bounds=LIMIT)
    await rig.advance(10)
    stored = await rig.stored(command)
    assert (stored.phase, pump.level) == (Phase.IN_FORCE, 60)
    assert stored.result == {"limited_to": {"level": 60}}


@pytest.mark.parametrize(
    ("bounds", "field", "maximum"),
    [
        (Bounds(maximum=60), percent(LEVEL), 60),
        (Bounds(maximum=60), percent("mix_red"), 100),
        (Bounds(minimum=20), percent(LEVEL), 100),
        (None, percent(LEVEL), 100),
        (Bounds(maximum=60), Field(name=LEVEL, data_type=DataType.NUMBER), 60),
    ],
)
async def test_only_the_level_and_only_downwards(
    rig: Rig, bounds: Bounds | None, field: Field, maximum: float
) -> None:
    """Other parts stay as they are, and so does off where there is a lowest level."""
    limits = {} if bounds is None else {"level": bounds}
    state = await rig.attach(Pump(), bounds=limits)
    told = announced(state, "level", field)
    assert (told.minimum, told.maximum) == (field.minimum, maximum)


async def test_what_is_not_known_of_a_field_is_not_asked(rig: Rig) -> None:
    """A device that is being loaded tells its fields later."""
    state = await rig.attach(Pump(), bounds=LIMIT)
    require_announced(state, "another", {"level": 100})
