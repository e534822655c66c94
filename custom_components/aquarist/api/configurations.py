"""Device configurations for the surfaces: what is taken, rights, records (R-C59).

They are read by who sees the device, saved from it and applied to it by who controls it.
What was made elsewhere is brought in, and what is kept removed, by administrators.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from homeassistant.core import Context, HomeAssistant
import probatio as vol

from ..data import DATA_ENGINE
from ..devices.fields import InvalidValue
from ..engine.configuration_content import LONGEST_NAME
from ..engine.intake import Origin
from ..engine.state import DeviceState
from ..schedules.validation import boolean, integer, text
from ..store.configurations import Configuration
from ..store.runs import RunRow, StepRow
from .command_requests import EXECUTION, LONGEST_WAIT, Execution
from .fields import arguments
from .rights import require_admin, require_control

NAME: dict[str | vol.Marker, Any] = {vol.Required("name"): text(LONGEST_NAME)}
REVISION: dict[str | vol.Marker, Any] = {
    vol.Optional("revision", default=None): vol.Maybe(integer(1))
}
EXPECTED: dict[str | vol.Marker, Any] = {
    vol.Optional("expected_revision", default=None): vol.Maybe(integer(0))
}
SAVING: dict[str | vol.Marker, Any] = {
    vol.Optional("name", default=None): vol.Maybe(text(LONGEST_NAME)),
    vol.Optional("configuration", default=None): vol.Maybe(arguments),
    **EXPECTED,
}
IMPORTING: dict[str | vol.Marker, Any] = {
    vol.Optional("name", default=None): vol.Maybe(text(LONGEST_NAME)),
    vol.Required("configuration"): arguments,
    **EXPECTED,
}
APPLYING: dict[str | vol.Marker, Any] = {
    **REVISION,
    vol.Optional("confirm", default=False): boolean,
    **EXECUTION,
}


async def saved(
    hass: HomeAssistant, context: Context, device: DeviceState, asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Store what a device does now, or what is brought in; returns the record.

    Raises Unauthorized, and what the engine raises.
    """
    await require_control(hass, context, [device])
    configurations = hass.data[DATA_ENGINE].configurations
    data, name, user = asked["configuration"], asked["name"], context.user_id
    expected: int | None = asked["expected_revision"]
    if data is None:
        if name is None:
            raise InvalidValue("name", "missing_argument")
        made = await configurations.save(device, name, user, expected_revision=expected)
        return record(made, device)
    await require_admin(hass, context)
    made = await configurations.load(
        device, data, user, name=name, expected_revision=expected
    )
    return record(made, device)


async def removed(
    hass: HomeAssistant, context: Context, device: DeviceState, name: str
) -> dict[str, Any]:
    """Remove a configuration with all its revisions; returns the newest of them.

    Raises Unauthorized, and what the engine raises.
    """
    await require_control(hass, context, [device])
    await require_admin(hass, context)
    configurations = hass.data[DATA_ENGINE].configurations
    newest = await configurations.get(device, name)
    await configurations.remove(device, name)
    return record(newest, device)


async def applied(
    hass: HomeAssistant,
    context: Context,
    device: DeviceState,
    asked: Mapping[str, Any],
    origin: Origin,
) -> tuple[RunRow, list[StepRow]]:
    """Begin the run that applies a configuration; returns it as it began or ended.

    Raises Unauthorized, and what the engine raises.
    """
    await require_control(hass, context, [device])
    engine = hass.data[DATA_ENGINE]
    run = await engine.configurations.apply(
        device,
        asked["name"],
        origin,
        revision=asked["revision"],
        confirm=asked["confirm"],
    )
    if asked["execution"] is Execution.SYNC:
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_WAIT):
                await engine.runs.finished(run.id)
    return await engine.runs.get(run.id)


async def kept(hass: HomeAssistant, device: DeviceState) -> dict[str, Any]:
    """Return the newest revision of each configuration of a device, by name."""
    found = await hass.data[DATA_ENGINE].configurations.all_of(device)
    return {"configurations": [record(one, device) for one in found]}


async def one(
    hass: HomeAssistant, device: DeviceState, name: str, revision: int | None
) -> dict[str, Any]:
    """Return a revision of a configuration. Raises what the engine raises."""
    configurations = hass.data[DATA_ENGINE].configurations
    return record(await configurations.get(device, name, revision), device)


async def revisions(
    hass: HomeAssistant, device: DeviceState, name: str
) -> dict[str, Any]:
    """Return every revision of a configuration. Raises what the engine raises."""
    found = await hass.data[DATA_ENGINE].configurations.revisions(device, name)
    return {"revisions": [record(one, device) for one in found]}


def record(configuration: Configuration, device: DeviceState) -> dict[str, Any]:
    """Return a revision; its ``configuration`` is what can be brought in elsewhere."""
    return {
        "device_id": device.row.uuid,
        "address": device.row.address,
        "name": configuration.name,
        "revision": configuration.revision,
        "user_id": configuration.user,
        "at": configuration.at.isoformat(),
        "configuration": {
            "name": configuration.name,
            "revision": configuration.revision,
            **configuration.definition,
        },
    }
