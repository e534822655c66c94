"""A real Home Assistant core in the world's loop, with entities whose truth outlives it.

Only its registries and the services of a few domains are set up in it. What a service did
is written into the chronicle, and the next life does it again at its own time.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from homeassistant.components.climate.const import ClimateEntityFeature
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er

from custom_components.aquarist.devices.device import Device, Head
from custom_components.aquarist.devices.doser import Doser
from custom_components.aquarist.devices.entity import EntityDevice, EntityField
from custom_components.aquarist.devices.light import Light
from custom_components.aquarist.devices.pump import Pump
from custom_components.aquarist.simulator.clock import LoopClock

from .ports import How, Ports

PUMP, SPOTS, SWITCHED = "pump", "spots", "switched"
SOCKET, FAN, HEATER = "socket", "fan", "heater"
NAMES = frozenset({PUMP, SPOTS, SWITCHED, SOCKET, FAN, HEATER})
FLOW = 1000
AUTOMATIC_OFF = 40.0
GONE_SECONDS = 30.0

_DOSING = "switch.dosing"
_NUMBER = {"min": 0.0, "max": 100.0, "step": 1.0}
_DIMMED = {"supported_color_modes": ["brightness"], "brightness": None}
_FIRST: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "number.pump": ("0.0", _NUMBER),
    "number.fan": ("20.0", {**_NUMBER, "unit_of_measurement": "%"}),
    "switch.socket": ("off", {}),
    _DOSING: ("off", {}),
    "light.white": ("off", _DIMMED),
    "light.blue": ("off", _DIMMED),
    "climate.heater": (
        "heat",
        {
            "hvac_modes": ["off", "heat", "auto"],
            "preset_modes": ["none", "eco"],
            "preset_mode": "none",
            "temperature": 24.0,
            "min_temp": 15.0,
            "max_temp": 32.0,
            "target_temp_step": 0.5,
            "supported_features": int(
                ClimateEntityFeature.TARGET_TEMPERATURE
                | ClimateEntityFeature.PRESET_MODE
            ),
        },
    ),
}
_SERVICES = {
    "switch": ("turn_on", "turn_off"),
    "number": ("set_value",),
    "light": ("turn_on", "turn_off"),
    "climate": ("set_temperature", "set_hvac_mode", "set_preset_mode"),
    "homeassistant": ("update_entity",),
}


class House:
    """What the entities really are, and the Home Assistant of one life that shows them."""

    def __init__(self, clock: LoopClock, now: Callable[[], datetime]) -> None:
        """Make the entities as they were on the first day."""
        self._clock = clock
        self._now = now
        self._shown = {
            entity: (state, dict(attributes))
            for entity, (state, attributes) in _FIRST.items()
        }
        self._gone: set[str] = set()
        self._on_since: float | None = None
        self._off: Callable[[], None] = _nothing
        self.runs: list[float] = []
        self._hass: HomeAssistant | None = None

    async def open(self, ports: Ports, note: Callable[..., None]) -> None:
        """Begin the life of a Home Assistant; ``note`` writes down what services did."""
        hass = self._hass = HomeAssistant("/nowhere")
        dr.async_setup(hass)
        await dr.async_load(hass, load_empty=True)
        await er.async_load(hass, load_empty=True)
        for domain, services in _SERVICES.items():
            for service in services:
                serve = partial(self._serve, ports, note)
                hass.services.async_register(domain, service, serve)
        for entity in self._shown:
            self._tell(entity)

    def close(self) -> None:
        """End the Home Assistant of this life; the entities stay as they are."""
        self._hass = None

    def device(self, name: str) -> Device:
        """Return a device that is made of entities."""
        assert self._hass is not None
        hass = self._hass
        match name:
            case "pump":
                return Pump(hass, uuid=name, name=name, entity="number.pump")
            case "spots":
                channels = {"white": "light.white", "blue": "light.blue"}
                return Light(hass, uuid=name, name=name, channels=channels)
            case "switched":
                return Doser(
                    hass,
                    uuid=name,
                    name=name,
                    entity=_DOSING,
                    head=Head(
                        index=0, name=name, flow=FLOW, minimum=100, maximum=60_000
                    ),
                    automatic_off=AUTOMATIC_OFF,
                )
        entity = {SOCKET: "switch.socket", FAN: "number.fan"}.get(
            name, "climate.heater"
        )
        fields = [EntityField(name="value", entity=entity)]
        return EntityDevice(hass, uuid=name, name=name, fields=fields)

    def shows(self, entity: str) -> str:
        """Return the true state of an entity."""
        return self._shown[entity][0]

    def attribute(self, entity: str, name: str) -> Any:
        """Return a true attribute of an entity."""
        return self._shown[entity][1].get(name)

    def brightness(self, entity: str) -> int:
        """Return the true per cents of a light."""
        state, attributes = self._shown[entity]
        return round((attributes["brightness"] or 0) / 2.55) if state == "on" else 0

    def delivered(self) -> int:
        """Return the microlitres that the switch has let out: the truth."""
        now = self._clock.elapsed()
        running = now - self._on_since if self._on_since is not None else 0.0
        return round((sum(self.runs) + running) * FLOW)

    def obey(self, entity: str, service: str, data: Mapping[str, Any]) -> None:
        """Let a service take effect."""
        state, attributes = self._shown[entity]
        if service in ("turn_on", "turn_off"):
            state = service.removeprefix("turn_")
            if "brightness" in data:
                attributes = {**attributes, "brightness": data["brightness"]}
            elif "brightness" in attributes:
                attributes = {**attributes, "brightness": 255}
        elif service == "set_value":
            state = str(data["value"])
        elif service == "set_hvac_mode":
            state = data["hvac_mode"]
        elif service != "update_entity":
            attributes = {**attributes, **data}
        self._shown[entity] = (state, attributes)
        if entity == _DOSING:
            self._run(on=state == "on")
        self._tell(entity)

    def _run(self, *, on: bool) -> None:
        """Let the pump behind the switch run, or not."""
        now = self._clock.elapsed()
        if on and self._on_since is None:
            self._on_since = now
            self._off = self._clock.call_at(now + AUTOMATIC_OFF, self._goes_off)
        elif not on and self._on_since is not None:
            self._off()
            self.runs.append(now - self._on_since)
            self._on_since = None

    def _goes_off(self) -> None:
        """Let the switch go off by itself."""
        self.obey(_DOSING, "turn_off", {})

    async def _serve(
        self, ports: Ports, note: Callable[..., None], call: ServiceCall
    ) -> None:
        """Carry a service out, or not, or only seem not to."""
        data = dict(call.data)
        entity = data.pop("entity_id")
        how = ports.call("house.call")
        if how is How.FAILED:
            raise HomeAssistantError("it does not work")
        if how is How.HUNG:
            await asyncio.get_running_loop().create_future()
        if how is How.GONE:
            self._vanish(entity)
            raise HomeAssistantError("it is gone")
        await asyncio.sleep(0)
        if how is How.LIED:
            return
        note(entity=entity, service=call.service, data=data)
        self.obey(entity, call.service, data)
        if how is How.LOST:
            raise HomeAssistantError("it did it all the same")
        ports.call("house.called")

    def _vanish(self, entity: str) -> None:
        """Let an entity be unavailable for a while."""
        self._gone.add(entity)
        self._tell(entity)

        def back() -> None:
            self._gone.discard(entity)
            self._tell(entity)

        self._clock.call_at(self._clock.elapsed() + GONE_SECONDS, back)

    def _tell(self, entity: str) -> None:
        """Show the entity as it is, at the world's time."""
        if self._hass is None:
            return
        state, attributes = self._shown[entity]
        gone = entity in self._gone
        self._hass.states.async_set_internal(
            entity,
            "unavailable" if gone else state,
            {} if gone else attributes,
            False,
            None,
            None,
            self._now().timestamp(),
        )


def _nothing() -> None:
    """Stand in for the end of what does not run."""
