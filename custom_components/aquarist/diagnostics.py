"""What a keeper can hand on when something is wrong: the entry, its devices, the engine.

Addresses, users and places are left out; so are names that a Bluetooth address ends.
"""

from collections.abc import Mapping
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_ADDRESS, CONF_LATITUDE, CONF_LONGITUDE
from homeassistant.core import HomeAssistant

from .api.serializers import command_record, device_record, schedule_record
from .const import CONF_LOCAL_NAME
from .data import AquaristConfigEntry
from .engine.engine import Engine
from .engine.errors import EngineError
from .engine.state import DeviceState
from .store.errors import StoreError

RECENT = 20
HIDDEN = frozenset(
    {
        CONF_ADDRESS,
        CONF_LATITUDE,
        CONF_LOCAL_NAME,
        CONF_LONGITUDE,
        "context",
        "title",
        "unique_id",
        "user",
        "user_id",
    }
)


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: AquaristConfigEntry
) -> dict[str, Any]:
    """Return the entry, its devices with their recent commands, and the engine."""
    engine = entry.runtime_data.engine
    devices = entry.runtime_data.devices
    numbers = {device.row.number for device in devices.values()}
    report = {
        "entry": entry.as_dict(),
        "engine": _engine(engine),
        "devices": {
            key: await _device(engine, device) for key, device in devices.items()
        },
        "schedules": [
            schedule_record(planned, engine)
            for planned in engine.planner.schedules
            if numbers.intersection(planned.row.definition.get("device_ids", ()))
        ],
    }
    return dict(async_redact_data(report, HIDDEN))


def _engine(engine: Engine) -> dict[str, Any]:
    """Return how the engine is."""
    return {
        "store_trouble": engine.store_trouble,
        "store_locked": engine.journal.locked,
        "outcomes_kept": engine.journal.kept,
        "devices": len(engine.devices),
        "schedules": len(engine.planner.schedules),
        "open_commands": len(engine.records.open),
        "next_due": _text(engine.agenda.next_due()),
    }


async def _device(engine: Engine, device: DeviceState) -> dict[str, Any]:
    """Return a device: what it shows, who claims its fields, what it did."""
    now = engine.clock.now()
    row, record = device.row, device_record(device, engine)
    if row.address is not None:
        record["name"] = row.kind
    return {
        **record,
        "claims": {
            field.name: [
                {
                    "command": claim.id,
                    "layer": claim.layer.name.lower(),
                    "ends_at": _text(claim.ends_at),
                }
                for claim in field.claims.values()
            ]
            for field in device.fields.values()
        },
        "resting": {
            field.name: field.resting and dict(field.resting)
            for field in device.fields.values()
        },
        "counters": {
            head: {"lifetime_ul": counter.lifetime, "today_ul": counter.today}
            for (number, head), counter in engine.counters.items()
            if number == row.number
        },
        "given_24h_ul": {
            head: engine.gate.given(row.number, head, now)
            for number, head in engine.counters
            if number == row.number
        },
        "queue": [command.id for command in device.queue.waiting],
        "commands": await _recent(engine, device),
    }


async def _recent(engine: Engine, device: DeviceState) -> list[Mapping[str, Any]] | str:
    """Return the newest commands of a device, or why they cannot be read."""
    try:
        return [
            command_record(command, device)
            for command in await engine.recent(device, RECENT)
        ]
    except (EngineError, StoreError) as error:
        return error.code


def _text(value: object) -> str | None:
    """Return a time as text."""
    return None if value is None else str(value)
