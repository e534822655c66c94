"""What a call of Home Assistant's makes a head dose: our buttons pressed, our actions called.

Which entities a call reaches is looked up as it is for every step that calls a service.
"""

from collections.abc import Iterable, Iterator, Set as AbstractSet
from contextlib import suppress
from typing import Any

from homeassistant.const import ATTR_ENTITY_ID, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from .api.targets import target
from .const import DOMAIN
from .devices.entity_adapter import ServiceCall
from .devices.home_services import HomeServices
from .engine.engine import Engine
from .engine.errors import EngineError
from .engine.macro_doses import DOSES, StepDose, asked_dose
from .manual_dose import DEFAULT_VOLUME, head_of_button, manual_volumes
from .runs.steps import ServiceStep

_PRESS = ServiceCall(domain=Platform.BUTTON, service="press", data={})


class DosingCalls:
    """Tells the doses of steps that call a service, as things are when it is asked."""

    def __init__(self, hass: HomeAssistant, engine: Engine, home: HomeServices) -> None:
        """Look nothing up yet."""
        self._hass = hass
        self._engine = engine
        self._home = home

    def doses(self, step: ServiceStep) -> Iterable[StepDose]:
        """Return the doses that a call gives; ``said_in`` is `target` or `data`."""
        match step.service:
            case "button.press":
                return self._pressed(step)
            case "aquarist.dose":
                return self._asked(step, step.data)
            case "aquarist.send_command" if step.data.get("action") in DOSES:
                return self._asked(step, step.data.get("args"))
        return ()

    def _pressed(self, step: ServiceStep) -> Iterator[StepDose]:
        """Yield what the buttons give that a call presses."""
        registry = er.async_get(self._hass)
        for entity_id in self._members(self._home.concerned(step.target).of(_PRESS)):
            entry = registry.async_get(entity_id)
            if entry is None or entry.platform != DOMAIN:
                continue
            if (found := head_of_button(entry.unique_id)) is None:
                continue
            key, uuid, head = found
            volume = manual_volumes(self._hass).get(key, DEFAULT_VOLUME)
            with suppress(EngineError):
                device = self._engine.device(uuid)
                args = {"head_index": head, "volume_ml": volume}
                yield from asked_dose(device, args, said_in="target")

    def _asked(self, step: ServiceStep, args: Any) -> Iterator[StepDose]:
        """Yield what an action gives that is called for a device."""
        for reference in step.target.get("device_id", ()):
            with suppress(EngineError):
                device = target(self._hass, reference)
                yield from asked_dose(device, args, said_in="data")

    def _members(self, entity_ids: AbstractSet[str]) -> list[str]:
        """Return entities in a fixed order, and those of groups among them."""
        seen: set[str] = set()
        left = sorted(entity_ids)
        while left:
            entity_id = left.pop()
            if entity_id in seen:
                continue
            seen.add(entity_id)
            state = self._hass.states.get(entity_id)
            members = state.attributes.get(ATTR_ENTITY_ID) if state else None
            left += members if isinstance(members, list | tuple) else ()
        return sorted(seen)
