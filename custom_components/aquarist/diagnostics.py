"""What a keeper can hand on when something is wrong: the entry, its devices, the engine.

Addresses, users and places are left out; so are names that a Bluetooth address ends.
"""

from collections.abc import Mapping
from dataclasses import asdict
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
        "discovery_keys",
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
            if numbers.intersection(engine.planner.concerned(planned))
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
        "missed_doses_waiting": len(engine.missed.waiting),
        "aquarium_limits": {
            aquarium: asdict(limits)
            for aquarium, limits in engine.aquarium_limits.items()
        },
    }


async def _device(engine: Engine, device: DeviceState) -> dict[str, Any]:
    """Return a device: what it shows, who claims its fields, what it did."""
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
        "heads": _heads(engine, device),
        "memory": _memory(engine, device),
        "queue": [command.id for command in device.queue.waiting],
        "commands": await _recent(engine, device),
    }


def _heads(engine: Engine, device: DeviceState) -> dict[int, Any]:
    """Return what each head gave, has left and is held to; nothing for what has no heads."""
    number, now = device.row.number, engine.clock.now()
    found: dict[int, Any] = {}
    for head in sorted(device.limits.heads):
        age = engine.calibrations.age(device, head)
        container = engine.containers.status(device, head)
        found[head] = {
            "limits": asdict(device.limits.head(head)),
            "given_24h_ul": engine.gate.given(number, head, now),
            "open_doses": [
                {"state": dose.state, "volume_ul": dose.volume, "at": _text(dose.at)}
                for dose in engine.gate.open_doses(number, head)
            ],
            "container": container and asdict(container),
            "calibrated_at": age and _text(age.at),
            "delivery": asdict(engine.calibrations.delivery(device, head)),
        }
    return found


def _memory(engine: Engine, device: DeviceState) -> dict[str, Any]:
    """Return what was written into a device's memory, and what it shows instead."""
    number, content = device.row.number, engine.device_memory.content
    return {
        "programmes": {
            head: programme.as_json()
            for head, programme in content.programmes(number).items()
        },
        "auto_settings": content.auto_settings(number).as_json(),
        "follows_memory": content.follows(number),
        "drifts": [asdict(drift) for drift in content.drifts(number)],
    }


async def _recent(engine: Engine, device: DeviceState) -> list[Mapping[str, Any]] | str:
    """Return the newest commands of a device, or why they cannot be read."""
    try:
        return [
            command_record(command, device)
            for command in await engine.history.recent(device, RECENT)
        ]
    except (EngineError, StoreError) as error:
        return error.code


def _text(value: object) -> str | None:
    """Return a time as text."""
    return None if value is None else str(value)
