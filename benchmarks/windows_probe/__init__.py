"""Runs inside Home Assistant: windows, native automations and bare timers, due alike.

Each drives input numbers of its own by the same service. What is measured is how long
after the due instant the state changed, and for windows also when that was on disk.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED, EVENT_STATE_CHANGED
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import discovery
from homeassistant.helpers.event import async_track_point_in_time
from homeassistant.helpers.typing import ConfigType
from homeassistant.util import dt as dt_util

from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.const import DOMAIN as AQUARIST
from custom_components.aquarist.data import DATA_ENGINE
from custom_components.aquarist.engine.changes import Change, CommandChanged
from custom_components.aquarist.engine.engine import Engine
from custom_components.aquarist.engine.intake import Origin

DOMAIN = "windows_probe"
HANGING = "number.hanging_pump"
REPORT = "windows.json"
ROUNDS = 3
PREPARE = 12
PATIENCE = 5.0
ORIGIN = Origin(source=Source.SERVICE)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Measure once Home Assistant has started, then write the report."""
    count: int = config[DOMAIN]["count"]
    await discovery.async_load_platform(hass, "number", DOMAIN, {}, config)

    async def started(_: Event) -> None:
        report = await measure(hass, count)
        path = Path(hass.config.path(REPORT))
        await hass.async_add_executor_job(path.write_text, json.dumps(report))

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STARTED, started)
    return True


def entities(kind: str, count: int) -> list[str]:
    """Return the input numbers of one kind of plan."""
    return [f"input_number.{kind}_{number:03}" for number in range(count)]


async def measure(hass: HomeAssistant, count: int) -> dict[str, Any]:
    """Return the latenesses in seconds by kind of plan; a missing one is null."""
    windows = [HANGING, *entities("window", count)[1:]]
    await _list_devices(hass, windows)
    found: dict[str, list[float | None]] = {
        "applied": [],
        "committed": [],
        "automations": [],
        "timers": [],
    }
    for number in range(ROUNDS):
        value = 10.0 + number
        applied, committed = await _windows(hass, windows, value)
        found["applied"] += applied
        found["committed"] += committed
        found["automations"] += await _automations(
            hass, entities("automation", count), value
        )
        found["timers"] += await _timers(hass, entities("timer", count), value)
    return found


async def _list_devices(hass: HomeAssistant, fields: Iterable[str]) -> None:
    """Add an aquarium with a device for each entity and wait until all can be reached."""
    subentries = [
        {
            "data": {"fields": [{"name": "level", "entity_id": entity}]},
            "subentry_type": "entity",
            "title": entity,
            "unique_id": None,
        }
        for entity in fields
    ]
    entry: ConfigEntry[Any] = ConfigEntry(
        version=1,
        minor_version=1,
        domain=AQUARIST,
        title="Benchmark",
        data={"kind": "aquarium", "demo": False},
        options={},
        source=SOURCE_USER,
        unique_id="benchmark",
        discovery_keys=MappingProxyType({}),
        subentries_data=subentries,  # type: ignore[arg-type]
    )
    await hass.config_entries.async_add(entry)
    engine = hass.data[DATA_ENGINE]
    async with asyncio.timeout(60):
        while not all(one.available for one in engine.devices.values()):
            await asyncio.sleep(0.1)


async def _windows(
    hass: HomeAssistant, fields: list[str], value: float
) -> tuple[list[float | None], list[float | None]]:
    """Return when the fields of windows changed, and when that was on disk."""
    engine = hass.data[DATA_ENGINE]
    due = _due()
    devices = {one.row.name: one for one in engine.devices.values()}
    commands = [
        await engine.acceptance.create_window(
            devices[entity],
            "level",
            value,
            ORIGIN,
            start=due,
            end=due + timedelta(hours=1),
        )
        for entity in fields
    ]
    with _committing(engine) as committed:
        applied = await _changed(hass, fields, due)
    on_disk = [committed.get(one.key) for one in commands]
    return applied[1:], [
        None if at is None else at - due.timestamp() for at in on_disk[1:]
    ]


class _committing:
    """Notes when windows are in force on disk."""

    def __init__(self, engine: Engine) -> None:
        """Follow an engine."""
        self._engine = engine
        self._at: dict[str, float] = {}
        self._stop: Callable[[], None] = lambda: None

    def __enter__(self) -> dict[str, float]:
        """Begin to note."""
        self._stop = self._engine.listen(self._heard)
        return self._at

    def __exit__(self, *_: object) -> None:
        """End."""
        self._stop()

    def _heard(self, change: Change) -> None:
        """Note a window that has come into force."""
        if isinstance(change, CommandChanged):
            if change.command.phase is Phase.IN_FORCE:
                self._at[change.command.key] = dt_util.utcnow().timestamp()


async def _automations(
    hass: HomeAssistant, targets: list[str], value: float
) -> list[float | None]:
    """Return when native automations changed their entities."""
    due = _due()
    at = dt_util.as_local(due).strftime("%H:%M:%S")
    automations = [
        {
            "id": target.partition(".")[2],
            "triggers": [{"trigger": "time", "at": at}],
            "actions": [
                {
                    "action": "input_number.set_value",
                    "target": {"entity_id": target},
                    "data": {"value": value},
                }
            ],
        }
        for target in targets
    ]
    path = Path(hass.config.path("automations.yaml"))
    # JSON is YAML too.
    await hass.async_add_executor_job(path.write_text, json.dumps(automations))
    await hass.services.async_call("automation", "reload", {}, blocking=True)
    return await _changed(hass, targets, due)


async def _timers(
    hass: HomeAssistant, targets: list[str], value: float
) -> list[float | None]:
    """Return when bare timers with a service call changed their entities."""
    due = _due()

    def armed(target: str) -> None:
        async def fire(_: datetime) -> None:
            await hass.services.async_call(
                "input_number", "set_value", {"entity_id": target, "value": value}
            )

        async_track_point_in_time(hass, fire, due)

    for target in targets:
        armed(target)
    return await _changed(hass, targets, due)


async def _changed(
    hass: HomeAssistant, targets: list[str], due: datetime
) -> list[float | None]:
    """Return how long after the due instant each entity changed."""
    at: dict[str, float] = {}

    # In the event loop: a job in a thread for each change would be measured along with it.
    @callback
    def heard(event: Event[Any]) -> None:
        at.setdefault(event.data["entity_id"], event.time_fired.timestamp())

    stop = hass.bus.async_listen(EVENT_STATE_CHANGED, heard)
    left = due.timestamp() - dt_util.utcnow().timestamp()
    await asyncio.sleep(left + PATIENCE)
    stop()
    return [
        at[target] - due.timestamp() if target in at else None for target in targets
    ]


def _due() -> datetime:
    """Return a whole second far enough ahead to prepare everything."""
    return dt_util.utcnow().replace(microsecond=0) + timedelta(seconds=PREPARE)
