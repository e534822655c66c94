"""Off for some minutes: a timed override of a pump or light as an entity (R-B111)."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.const import UnitOfTime

from .commands.command import Command
from .commands.phases import HOLDING
from .devices.device import DeviceKind
from .devices.fields import LEVEL
from .engine.changes import CommandChanged
from .engine.claims import LASTS
from .engine.deadlines import Deadline
from .entity import ReachingEntity, any_of
from .layers.claims import Layer
from .number_values import finite
from .subjects import Device

MINUTE = 60.0

OFF_FOR = NumberEntityDescription(
    key="off_for",
    translation_key="off_for",
    device_class=NumberDeviceClass.DURATION,
    native_unit_of_measurement=UnitOfTime.MINUTES,
    native_min_value=0,
    native_max_value=1440,
    native_step=1,
    mode=NumberMode.BOX,
)


class OffFor(ReachingEntity[Device], NumberEntity):
    """Shows for how many minutes a device was switched off; 0 when it was not.

    The state does not count down: an attribute tells when it is over.
    """

    def __init__(self, device: Device) -> None:
        """Hear of what holds the device."""
        super().__init__(device, OFF_FOR, any_of(CommandChanged))
        self._attr_entity_registry_enabled_default = device.kind is DeviceKind.PUMP

    @property
    @override
    def native_value(self) -> float:
        """Return the minutes that were asked for."""
        held = self._held
        if held is None:
            return 0
        return round(Deadline.from_json(held.args[LASTS]).seconds / MINUTE, 1)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """Return when it is over."""
        return {"ends_at": None if self._held is None else self._held.ends_at}

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Switch off for so many minutes; 0 gives the device back at once."""
        state = self.subject.state
        if finite(value) > 0:
            await self.submitted(
                self.engine.override(
                    state, LEVEL, 0.0, self.origin, seconds=value * MINUTE
                )
            )
        elif self._held is not None:
            self.engine.overrides.release(state, LEVEL)
            await self.answered(self.engine.journal.written())
        self._show()

    @property
    def _held(self) -> Command | None:
        """Return the timed override that holds the device off."""
        number = self.subject.state.row.number
        for command in reversed(self.engine.records.open):
            if (
                command.device == number
                and command.layer is Layer.OVERRIDE
                and command.phase in HOLDING
                and LASTS in command.args
                and (command.value or {}).get(LEVEL) == 0
            ):
                return command
        return None
