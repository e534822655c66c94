"""The demo aquarium: a light, a doser and two pumps that exist only here, and their day.

The light and the doser are the simulator's models, reached over the same link and in the
same frames as real ones. Their lives end with Home Assistant's.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from sqlite3 import Connection
from typing import Any

from homeassistant.config_entries import ConfigEntry

from .ble.simulated_transport import SimulatedTransport
from .const import CONF_CHANNELS, CONF_FAMILY, CONF_HEADS, CONF_LOCAL_NAME
from .devices.fields import LEVEL
from .devices.simulated import SimulatedPump
from .engine.engine import Engine
from .engine.state import DeviceLimits, DeviceState
from .hardware import Hardware, LocalTime, chihiros_device, device_uuid
from .simulator.clock import LoopClock
from .simulator.doser import DoserModel
from .simulator.light import LightModel
from .store import settings

LIGHT_KEY, DOSER_KEY = "light", "doser"
RETURN_KEY, SKIMMER_KEY = "return_pump", "skimmer"
DEMO_KEYS = frozenset({LIGHT_KEY, DOSER_KEY, RETURN_KEY, SKIMMER_KEY})
CHANNELS = ["red", "green", "blue", "white"]
HEADS = 4
PLANNED, SCHEDULES = "demo_planned", "demo_schedules"


def demo_hardware(
    entry: ConfigEntry[Any],
    local_time: LocalTime,
    at_end: Callable[[Callable[[], None]], object],
) -> dict[str, Hardware]:
    """Return the demo aquarium's devices by a key of their own; they end with the entry."""
    clock = LoopClock(asyncio.get_running_loop())
    at_end(clock.close)
    light = LightModel(clock, address=_address(entry, 1))
    doser = DoserModel(clock, address=_address(entry, 2), heads=HEADS)
    return {
        LIGHT_KEY: chihiros_device(
            SimulatedTransport(light),
            address=light.address,
            name="Demo light",
            data={
                CONF_FAMILY: "light",
                CONF_CHANNELS: CHANNELS,
                CONF_LOCAL_NAME: light.name,
            },
            options={},
            aquarium=entry.entry_id,
            local_time=local_time,
        ),
        DOSER_KEY: chihiros_device(
            SimulatedTransport(doser),
            address=doser.address,
            name="Demo doser",
            data={CONF_FAMILY: "doser", CONF_HEADS: HEADS},
            options={},
            aquarium=entry.entry_id,
            local_time=local_time,
        ),
        RETURN_KEY: _pump(entry, RETURN_KEY, "Return pump", 80.0, safe=80.0),
        SKIMMER_KEY: _pump(entry, SKIMMER_KEY, "Skimmer", 100.0, safe=0.0),
    }


def day_plan(
    lights: Iterable[int], dosers: Iterable[int], pumps: Iterable[int], zone: str
) -> list[dict[str, Any]]:
    """Return the demo day as schedule definitions: dawn, dusk, three doses, a feeding pause."""

    def schedule(
        name: str, devices: Iterable[int], cron: str, action: str, **params: Any
    ) -> dict[str, Any]:
        return {
            "name": name,
            "device_ids": list(devices),
            "schedule_type": "cron",
            "cron_expression": cron,
            "timezone": zone,
            "action_type": action,
            "action_params": params,
        }

    lights, dosers, pumps = list(lights), list(dosers), list(pumps)
    return [
        schedule(
            "Dawn",
            lights,
            "0 8 * * *",
            "ramp",
            start_level=0,
            end_level=80,
            duration=3600,
        ),
        schedule("Dusk", lights, "0 20 * * *", "ramp", end_level=0, duration=3600),
        schedule(
            "Morning iron", dosers, "30 9 * * *", "dose", head_index=0, volume_ml=2.5
        ),
        schedule(
            "Noon nitrate", dosers, "0 12 * * *", "dose", head_index=1, volume_ml=4
        ),
        schedule(
            "Evening phosphate",
            dosers,
            "0 18 * * *",
            "dose",
            head_index=2,
            volume_ml=1.5,
        ),
        schedule("Feeding pause", pumps, "0 17 * * *", "off", duration=600),
    ]


async def plan_demo_day(
    engine: Engine, demo: str, devices: dict[str, DeviceState], zone: str
) -> None:
    """Store the day of a demo aquarium, once: what the keeper changed or deleted stays so."""
    if engine.database is None:
        return
    known = await engine.database.read(lambda one: settings.get(one, PLANNED))
    if known == demo:
        return
    names = {planned.row.name for planned in engine.planner.schedules}
    plan = day_plan(
        [devices[LIGHT_KEY].row.number],
        [devices[DOSER_KEY].row.number],
        [devices[RETURN_KEY].row.number, devices[SKIMMER_KEY].row.number],
        zone,
    )
    for definition in plan:
        if definition["name"] not in names:
            made = await engine.create_schedule(definition, user=None)
            await engine.journal.commit(partial(_note, schedule=made.row.id))
    await engine.journal.commit(lambda one: settings.put(one, PLANNED, demo))


async def end_demo_day(engine: Engine) -> None:
    """Remove the schedules of the demo day that are left without a device."""
    if engine.database is None:
        return
    made = await engine.database.read(lambda one: settings.get(one, SCHEDULES)) or ()
    for planned in engine.planner.schedules:
        definition = planned.definition
        if planned.row.id in made and (
            definition is None
            or not any(number in engine.devices for number in definition.device_ids)
        ):
            await engine.delete_schedule(planned.row.id, user=None)


def _note(connection: Connection, schedule: int) -> None:
    """Store that a schedule is one of a demo day: it may be made in several goes."""
    known = settings.get(connection, SCHEDULES) or []
    settings.put(connection, SCHEDULES, [*known, schedule])


def _pump(
    entry: ConfigEntry[Any], key: str, name: str, level: float, *, safe: float
) -> Hardware:
    """Return a simulated pump that runs; the return pump must never stand still."""
    uuid = device_uuid(f"{entry.entry_id}/{key}")
    return Hardware(
        device=SimulatedPump(uuid=uuid, name=name, level=level),
        limits=DeviceLimits(safe={LEVEL: {LEVEL: safe}}),
        aquarium=entry.entry_id,
        assumed={LEVEL: {LEVEL: level}},
    )


def _address(entry: ConfigEntry[Any], number: int) -> str:
    """Return a Bluetooth address that no real device can have, the same for ever."""
    tail = device_uuid(f"{entry.entry_id}/{number}").replace("-", "")[:8].upper()
    pairs = ":".join(tail[at : at + 2] for at in range(0, 8, 2))
    return f"02:AA:{pairs}"
