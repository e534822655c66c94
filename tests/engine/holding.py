"""Windows and overrides as the tests of the layers write them."""

from datetime import timedelta
from typing import Any

from custom_components.aquarist.commands.command import Command, Source
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.device import Observation
from custom_components.aquarist.engine.changes import CommandChanged
from custom_components.aquarist.engine.intake import Origin
from custom_components.aquarist.engine.state import DeviceState
from custom_components.aquarist.layers.claims import Layer
from tests.engine.rig import SERVICE, Pump, Rig

BY_HAND = Origin(source=Source.ENTITY, user="keeper", by_hand=True)


async def window(
    rig: Rig,
    state: DeviceState,
    level: float,
    begin: float,
    end: float,
    *,
    id: str | None = None,
) -> Command:
    """Accept a write action that begins and ends so many seconds from now."""
    now = rig.clock.now()
    command = await rig.engine.acceptance.create_window(
        state,
        "level",
        level,
        SERVICE,
        start=now + timedelta(seconds=begin),
        end=now + timedelta(seconds=end),
        id=id,
    )
    await rig.settle()
    return command


async def claim(
    rig: Rig,
    state: DeviceState,
    level: float,
    begin: float,
    end: float,
    layer: Layer,
    **more: Any,
) -> Command:
    """Accept a claim of a rank that begins and ends so many seconds from now."""
    now = rig.clock.now()
    command = await rig.engine.windows.claim(
        state,
        "level",
        level,
        SERVICE,
        layer=layer,
        action=layer.name.lower(),
        start=now + timedelta(seconds=begin),
        end=now + timedelta(seconds=end),
        **more,
    )
    await rig.settle()
    return command


def shows(pump: Pump, level: float, **context: Any) -> None:
    """Let the pump show a level, with a Home Assistant context or none."""
    setting = {"level": level}
    if pump._know("level", setting):
        pump._tell_observed(Observation(field="level", setting=setting, **context))


async def phase(rig: Rig, command: Command) -> Phase:
    """Return the phase of a command as it is on disk."""
    return (await rig.stored(command)).phase


def phases(rig: Rig, command: Command) -> list[Phase]:
    """Return the phases that were announced of a command, in order."""
    return [
        change.command.phase
        for change in rig.changes
        if isinstance(change, CommandChanged) and change.command.key == command.key
    ]


def overrides(rig: Rig) -> list[Command]:
    """Return the overrides in force."""
    return [
        one
        for one in rig.engine.records.open
        if one.layer is Layer.OVERRIDE and one.phase is Phase.IN_FORCE
    ]
