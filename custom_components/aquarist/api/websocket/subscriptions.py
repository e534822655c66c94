"""What changes, pushed as it does: macros, configurations, doses, containers, settings.

A message holds the record as the list of its resource has it, null for what was removed.
"""

from collections.abc import Callable, Mapping
from typing import Any

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import (
    require_admin,
    websocket_command,
)
from homeassistant.components.websocket_api.messages import event_message
from homeassistant.core import HomeAssistant, callback
import probatio as vol

from ...data import DATA_ENGINE
from ...engine.changes import (
    Change,
    ConfigurationChanged,
    ContainerChanged,
    DoseChanged,
    MacroChanged,
    SettingsChanged,
)
from ...engine.errors import EngineError
from ...engine.macros import Macro
from ...errors import translating
from ..configurations import record as configuration_record
from ..runs import macro_record, visible
from ..serializers import bounded, container_record, dose_record
from .access import ONE_DEVICE, readable, wanted_device

type Tell = Callable[[Any], Mapping[str, Any] | None]


@websocket_command({vol.Required("type"): "aquarist/macros/subscribe"})
@callback
def subscribe_macros(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Push each macro that the user may see as it is changed, and which were removed."""
    macros = hass.data[DATA_ENGINE].macros
    known = {macro.row.id for macro in macros.all if _seen(hass, connection, macro)}

    def tell(change: MacroChanged) -> Mapping[str, Any] | None:
        try:
            macro = macros.get(change.macro)
        except EngineError:
            macro = None
        if macro is not None and _seen(hass, connection, macro):
            known.add(change.macro)
            return {"macro_id": change.macro, "macro": macro_record(macro)}
        if change.macro not in known:
            return None
        known.discard(change.macro)
        return {"macro_id": change.macro, "macro": None}

    _push(hass, connection, msg, MacroChanged, tell)


@websocket_command(
    {vol.Required("type"): "aquarist/configurations/subscribe", **ONE_DEVICE}
)
@callback
def subscribe_configurations(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Push each new revision of a configuration, and which were removed."""
    engine = hass.data[DATA_ENGINE]
    wanted = _wanted(hass, connection, msg)

    def tell(change: ConfigurationChanged) -> Mapping[str, Any] | None:
        if not wanted(change.device):
            return None
        device = engine.devices[change.device]
        newest = engine.configurations.newest(change.device, change.name)
        return {
            "device_id": device.row.uuid,
            "name": change.name,
            "configuration": newest and configuration_record(newest, device),
        }

    _push(hass, connection, msg, ConfigurationChanged, tell)


@websocket_command({vol.Required("type"): "aquarist/doses/subscribe", **ONE_DEVICE})
@callback
def subscribe_doses(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Push each dose whenever more is known about it."""
    engine = hass.data[DATA_ENGINE]
    wanted = _wanted(hass, connection, msg)

    def tell(change: DoseChanged) -> Mapping[str, Any] | None:
        number = change.dose.device
        if not wanted(number):
            return None
        return dose_record(change.dose, engine.devices.get(number))

    _push(hass, connection, msg, DoseChanged, tell)


@websocket_command(
    {vol.Required("type"): "aquarist/containers/subscribe", **ONE_DEVICE}
)
@callback
def subscribe_containers(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Push each container that is refilled, corrected or made another size, or was removed."""
    engine = hass.data[DATA_ENGINE]
    wanted = _wanted(hass, connection, msg)

    def tell(change: ContainerChanged) -> Mapping[str, Any] | None:
        if not wanted(change.device):
            return None
        device = engine.devices[change.device]
        status = engine.containers.status(device, change.head)
        return {
            "device_id": device.row.uuid,
            "head_index": change.head,
            "container": status and container_record(device, change.head, status),
        }

    _push(hass, connection, msg, ContainerChanged, tell)


@websocket_command({vol.Required("type"): "aquarist/settings/subscribe"})
@require_admin
@callback
def subscribe_settings(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Push all settings when some of them change."""

    def tell(change: SettingsChanged) -> Mapping[str, Any]:
        return {**change.settings.as_json(), "revision": change.revision}

    _push(hass, connection, msg, SettingsChanged, tell)


def _seen(hass: HomeAssistant, connection: ActiveConnection, macro: Macro) -> bool:
    """Return whether the user may see a macro."""
    return visible(hass, connection.user, macro.row.definition)


def _wanted(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> Callable[[int], bool]:
    """Return what tells whether a device is one that is asked for, and may be seen.

    Raises what `wanted_device` does, translated.
    """
    with translating():
        wanted = wanted_device(hass, connection, msg)
    only = None if wanted is None else wanted.row.number
    return lambda number: only in (None, number) and readable(hass, connection, number)


def _push(
    hass: HomeAssistant,
    connection: ActiveConnection,
    msg: dict[str, Any],
    kind: type[Change],
    tell: Tell,
) -> None:
    """Push what is told of each change of a kind until the user leaves."""

    def forward(change: Change) -> None:
        told = tell(change)
        if told is not None:
            connection.send_message(event_message(msg["id"], bounded(told)))

    announcer = hass.data[DATA_ENGINE].announcer
    connection.subscriptions[msg["id"]] = announcer.listen(forward, kind)
    connection.send_result(msg["id"])


COMMANDS = (
    subscribe_configurations,
    subscribe_containers,
    subscribe_doses,
    subscribe_macros,
    subscribe_settings,
)
