"""Selects: who decides what a Chihiros light shows, and the mode of an aquarium."""

from enum import StrEnum
from typing import override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import AquaristConfigEntry
from .devices.device import DeviceKind
from .devices.lamp import LIGHT
from .engine.changes import CommandChanged, DeviceChanged, FieldChanged, MemoryChanged
from .entity import ReachingEntity, any_of
from .layers.claims import Layer
from .mode_select import ModeSelect
from .subject_entities import with_each
from .subjects import Aquarium, Device

PARALLEL_UPDATES = 0


class Program(StrEnum):
    """Who decides: the plan, a hand until it lets go, or the settings in the lamp's memory."""

    PLAN = "plan"
    MANUAL = "manual"
    AUTO = "auto"


PROGRAM = SelectEntityDescription(
    key="program",
    translation_key="program",
    options=[program.value for program in Program],
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AquaristConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the program of each light that has a memory, and the mode of an aquarium."""

    def programs(device: Device) -> list[ProgramSelect]:
        has_memory = device.kind is DeviceKind.CHIHIROS_LIGHT
        return [ProgramSelect(device)] if has_memory else []

    with_each(hass, entry, async_add_entities, Device, programs)
    with_each(
        hass,
        entry,
        async_add_entities,
        Aquarium,
        lambda aquarium: [ModeSelect(aquarium)],
    )


class ProgramSelect(ReachingEntity[Device], SelectEntity):
    """Shows who decides, and lets the keeper say so."""

    def __init__(self, device: Device) -> None:
        """Hear of claims and of the lamp's mode."""
        hears = any_of(CommandChanged, FieldChanged, DeviceChanged, MemoryChanged)
        super().__init__(device, PROGRAM, hears)

    @property
    @override
    def current_option(self) -> str:
        """Return who decides now."""
        if self._follows_memory:
            return Program.AUTO
        claims = self.subject.state.fields[LIGHT].claims.values()
        held = any(claim.layer is Layer.OVERRIDE for claim in claims)
        return Program.MANUAL if held else Program.PLAN

    @override
    async def async_select_option(self, option: str) -> None:
        """Give the light to the plan, to its memory, or keep it as it is."""
        if option == Program.AUTO:
            await self._submit("enable_auto_mode")
        elif self._follows_memory:
            await self._submit("set_manual_mode")
        if option == Program.MANUAL:
            await self._hold()
        else:
            await self._release()
        self._show()

    @property
    def _follows_memory(self) -> bool:
        """Return whether the lamp was told to follow its memory."""
        number = self.subject.state.row.number
        return self.engine.device_memory.content.follows(number)

    async def _submit(self, action: str) -> None:
        """Ask for another mode of the lamp."""
        await self.submitted(
            self.engine.send(self.subject.state, action, {}, self.origin)
        )

    async def _hold(self) -> None:
        """Keep what the lamp shows until the keeper lets go."""
        await self.submitted(
            self.engine.override(
                self.subject.state,
                LIGHT,
                self.subject.shown(LIGHT) or {},
                self.origin,
                until="released",
            )
        )

    async def _release(self) -> None:
        """Let go of what a hand holds."""
        self.engine.overrides.release(self.subject.state, LIGHT)
        await self.answered(self.engine.journal.written())
