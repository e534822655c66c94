"""Switches: pumps, the heads of dosers, and the automation of an aquarium."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.components.switch.const import SwitchDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import AquaristConfigEntry
from .devices.device import DeviceKind
from .devices.fields import LEVEL
from .engine.changes import CommandChanged, DeviceChanged, FieldChanged
from .entity import AquaristEntity, LevelEntity, any_of
from .subject_entities import with_each
from .subjects import Aquarium, Device, Head

PARALLEL_UPDATES = 0

HEAD_ENABLED = SwitchEntityDescription(
    key="enabled",
    translation_key="head_enabled",
    device_class=SwitchDeviceClass.SWITCH,
    entity_category=EntityCategory.CONFIG,
)
AUTOMATION = SwitchEntityDescription(
    key="automation",
    translation_key="automation",
    device_class=SwitchDeviceClass.SWITCH,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AquaristConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a switch for each pump, each head and the aquarium."""

    def switches(device: Device) -> list[PumpSwitch]:
        return [PumpSwitch(device)] if device.kind is DeviceKind.PUMP else []

    with_each(hass, entry, async_add_entities, Device, switches)
    with_each(hass, entry, async_add_entities, Head, lambda head: [HeadSwitch(head)])
    with_each(
        hass,
        entry,
        async_add_entities,
        Aquarium,
        lambda aquarium: [AutomationSwitch(aquarium)],
    )


class PumpSwitch(LevelEntity, SwitchEntity):
    """Whether a pump runs; off and on again brings back its level."""

    _attr_name = None

    def __init__(self, device: Device) -> None:
        """Show the pump's level as on or off."""
        super().__init__(
            device,
            SwitchEntityDescription(
                key="pump",
                translation_key="pump",
                device_class=SwitchDeviceClass.SWITCH,
            ),
            any_of(FieldChanged, DeviceChanged),
            LEVEL,
        )

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Let the pump run at its last level."""
        await self.submit("turn_on")

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Let the pump stand still."""
        await self.submit("turn_off")


class HeadSwitch(AquaristEntity[Head], SwitchEntity):
    """Whether the keeper lets a head dose; an emergency stop holds it whatever this shows."""

    def __init__(self, head: Head) -> None:
        """Show what the head's permission rests on."""
        hears = any_of(CommandChanged, FieldChanged, DeviceChanged)
        super().__init__(head, HEAD_ENABLED, hears)

    @property
    @override
    def is_on(self) -> bool:
        """Return the keeper's word; a head that nobody switched off may dose."""
        field = self.subject.state.fields.get(self.subject.allowed_field)
        resting = field.resting if field is not None else None
        return (resting or {}).get(self.subject.allowed_field) is not False

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Let the head dose."""
        await self._allow(allowed=True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Let the head dose no more."""
        await self._allow(allowed=False)

    async def _allow(self, *, allowed: bool) -> None:
        """Ask for the keeper's word to be kept."""
        head = self.subject
        await self.submitted(
            self.engine.acceptance.set_field(
                head.state, head.allowed_field, allowed, self.origin
            )
        )
        self._show()


class AutomationSwitch(AquaristEntity[Aquarium], SwitchEntity):
    """Whether the schedules of an aquarium act."""

    def __init__(self, aquarium: Aquarium) -> None:
        """Show what the planner knows."""
        super().__init__(aquarium, AUTOMATION, any_of(DeviceChanged))

    @property
    @override
    def is_on(self) -> bool:
        """Return whether schedules act."""
        return self.subject.automated

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Let the schedules act again, from their next moment on."""
        await self._set(enabled=True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Let no schedule act."""
        await self._set(enabled=False)

    async def _set(self, *, enabled: bool) -> None:
        """Ask for the automation to be on or off, over restarts too."""
        aquarium = self.subject.entry_id
        await self.answered(self.engine.planner.set_automation(aquarium, enabled))
        self._show()
