"""Buttons: a dose, a refilled container, an emergency stop, modes, what a device does once."""

from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api.modes import end_mode, extend_mode, start_mode
from .const import DOMAIN
from .data import AquaristConfigEntry
from .engine.changes import DeviceChanged
from .engine.emergency import NO_SAFE_VALUE
from .entity import AquaristEntity, ReachingEntity, any_of
from .manual_dose import DEFAULT_VOLUME, DOSE_NOW, manual_volumes
from .runs.mode_definition import FEED
from .subject_entities import with_container, with_each
from .subjects import CHIHIROS, Aquarium, Device, Head

PARALLEL_UPDATES = 0

# The key is the device action that the button asks for.
CHIHIROS_ACTIONS = (
    ButtonEntityDescription(
        key="sync_clock",
        translation_key="sync_clock",
        entity_category=EntityCategory.CONFIG,
    ),
    ButtonEntityDescription(
        key="release_for_app",
        translation_key="release_for_app",
        entity_category=EntityCategory.CONFIG,
    ),
)
DOSE = ButtonEntityDescription(key=DOSE_NOW, translation_key=DOSE_NOW)
REFILLED = ButtonEntityDescription(key="refilled", translation_key="refilled")
EMERGENCY_STOP = ButtonEntityDescription(
    key="emergency_stop", translation_key="emergency_stop"
)
FEED_BUTTON = ButtonEntityDescription(key="feed", translation_key="feed")
END_MODE = ButtonEntityDescription(key="end_mode", translation_key="end_mode")
EXTEND_MODE = ButtonEntityDescription(key="extend_mode", translation_key="extend_mode")
EXTENSION_MINUTES = 5.0
RELEASE_EMERGENCY_STOP = ButtonEntityDescription(
    key="release_emergency_stop", translation_key="release_emergency_stop"
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AquaristConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the buttons of devices, heads and the aquarium."""

    def actions(device: Device) -> list[ActionButton]:
        if device.kind not in CHIHIROS:
            return []
        return [ActionButton(device, one) for one in CHIHIROS_ACTIONS]

    with_each(hass, entry, async_add_entities, Device, actions)
    with_each(hass, entry, async_add_entities, Head, lambda head: [DoseButton(head)])
    with_container(
        hass,
        entry,
        async_add_entities,
        lambda head: [RefilledButton(head)],
    )
    with_each(
        hass,
        entry,
        async_add_entities,
        Aquarium,
        lambda aquarium: [
            EmergencyStopButton(aquarium),
            ReleaseEmergencyStopButton(aquarium),
            FeedButton(aquarium),
            EndModeButton(aquarium),
            ExtendModeButton(aquarium),
        ],
    )


class ActionButton(ReachingEntity[Device], ButtonEntity):
    """Has a device do something of its own, once."""

    def __init__(self, device: Device, description: ButtonEntityDescription) -> None:
        """Take the action from the description's key."""
        super().__init__(device, description, any_of(DeviceChanged))

    @override
    async def async_press(self) -> None:
        """Ask for the action."""
        action = self.entity_description.key
        await self.submitted(
            self.engine.send(self.subject.state, action, {}, self.origin)
        )


class DoseButton(ReachingEntity[Head], ButtonEntity):
    """Gives the volume that the number beside it shows."""

    def __init__(self, head: Head) -> None:
        """Be there while the pump is."""
        super().__init__(head, DOSE, any_of(DeviceChanged))

    @override
    async def async_press(self) -> None:
        """Ask for the dose and wait until the pump has begun; the result comes as an event."""
        head = self.subject
        volume = manual_volumes(self.hass).get(head.key, DEFAULT_VOLUME)
        args = {"head_index": head.head.index, "volume_ml": volume}
        await self.submitted(self.engine.send(head.state, "dose", args, self.origin))


class RefilledButton(AquaristEntity[Head], ButtonEntity):
    """Notes that a container is full again."""

    def __init__(self, head: Head) -> None:
        """Be there always."""
        super().__init__(head, REFILLED, any_of())

    @override
    async def async_press(self) -> None:
        """Have it counted from full."""
        head = self.subject
        await self.answered(
            self.engine.containers.refill(
                head.state, head.head.index, user=self.origin.user
            )
        )


class EmergencyStopButton(AquaristEntity[Aquarium], ButtonEntity):
    """Stops everything in an aquarium and keeps it stopped."""

    def __init__(self, aquarium: Aquarium) -> None:
        """Be there always."""
        super().__init__(aquarium, EMERGENCY_STOP, any_of())

    @override
    async def async_press(self) -> None:
        """Stop. Raises an error that names the devices which did not confirm it."""
        origin = self.origin
        stopped = await self.answered(
            self.engine.emergency.stop(
                self.subject.entry_id, user=origin.user, context=origin.context
            )
        )
        # What has no safe value stays as it is, because its keeper wants it so.
        unconfirmed = [
            one.device
            for one in stopped
            if not one.confirmed and one.detail != NO_SAFE_VALUE
        ]
        if unconfirmed:
            names = [self.engine.devices[number].row.name for number in unconfirmed]
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="emergency_stop_unconfirmed",
                translation_placeholders={"devices": ", ".join(sorted(names))},
            )


class ReleaseEmergencyStopButton(AquaristEntity[Aquarium], ButtonEntity):
    """Lets everything go back to what the plan wants."""

    def __init__(self, aquarium: Aquarium) -> None:
        """Be there always."""
        super().__init__(aquarium, RELEASE_EMERGENCY_STOP, any_of())

    @override
    async def async_press(self) -> None:
        """End the emergency stop; nothing happens when there is none."""
        self.engine.emergency.release(self.subject.entry_id)
        await self.answered(self.engine.journal.written())


class FeedButton(AquaristEntity[Aquarium], ButtonEntity):
    """Starts the feeding."""

    def __init__(self, aquarium: Aquarium) -> None:
        """Be there always."""
        super().__init__(aquarium, FEED_BUTTON, any_of())

    @override
    async def async_press(self) -> None:
        """Stop what feeding stops; pressed again, the countdown begins anew."""
        context, aquarium = self._context or Context(), self.subject.entry_id
        await self.answered(start_mode(self.hass, context, aquarium, FEED, self.origin))


class EndModeButton(AquaristEntity[Aquarium], ButtonEntity):
    """Ends the mode of an aquarium."""

    def __init__(self, aquarium: Aquarium) -> None:
        """Be there always."""
        super().__init__(aquarium, END_MODE, any_of())

    @override
    async def async_press(self) -> None:
        """Begin the staged return; pressed again, everything comes back at once."""
        context, aquarium = self._context or Context(), self.subject.entry_id
        await self.answered(end_mode(self.hass, context, aquarium, at_once=False))


class ExtendModeButton(AquaristEntity[Aquarium], ButtonEntity):
    """Lets the countdown of a mode last longer."""

    def __init__(self, aquarium: Aquarium) -> None:
        """Be there always."""
        super().__init__(aquarium, EXTEND_MODE, any_of())

    @override
    async def async_press(self) -> None:
        """Add five minutes. Raises an error where nothing counts down."""
        context, aquarium = self._context or Context(), self.subject.entry_id
        await self.answered(
            extend_mode(self.hass, context, aquarium, EXTENSION_MINUTES)
        )
