"""What entities are about: an aquarium, a device, or one head of a doser.

A subject knows where its entities belong in Home Assistant and answers for the engine.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import datetime
from typing import cast, override

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr

from .chihiros.models import model_for
from .const import CONF_KIND, CONF_LOCAL_NAME, DOMAIN, KIND_CHIHIROS, MANUFACTURER
from .data import AquaristConfigEntry
from .devices.device import DeviceKind, DoserDevice, Head as PumpHead
from .devices.dosing_fields import allowed_field
from .dosing.container import ContainerStatus
from .engine.changes import (
    Change,
    CommandChanged,
    ContainerChanged,
    DoseChanged,
    FieldChanged,
    MemoryChanged,
    ModeChanged,
    OccurrenceChanged,
    device_of,
)
from .engine.engine import Engine
from .engine.memory_content import head_slot
from .engine.mode_status import ModeStatus
from .engine.state import DeviceState
from .frozen import frozen
from .layers.setting import Setting

CHIHIROS = frozenset({DeviceKind.CHIHIROS_LIGHT, DeviceKind.CHIHIROS_DOSER})
LIGHTS = frozenset({DeviceKind.CHIHIROS_LIGHT, DeviceKind.LIGHT})
DOSERS = frozenset({DeviceKind.CHIHIROS_DOSER, DeviceKind.DOSER})


@frozen
class Subject(ABC):
    """``key`` begins the unique ids, ``subentry`` is the id of the subentry it came from."""

    engine: Engine
    key: str
    info: dr.DeviceInfo | dr.ChildDeviceInfo
    subentry: str | None

    @abstractmethod
    def concerns(self, change: Change) -> bool:
        """Return whether a change may alter what is shown of the subject."""

    @property
    def now(self) -> datetime:
        """Return the engine's wall time, aware UTC."""
        return self.engine.clock.now()

    @property
    def number(self) -> int | None:
        """Return the number of the one device that it is about, None where there is none."""
        return None


@frozen
class Aquarium(Subject):
    """A tank: a config entry and the devices that were given to it."""

    entry_id: str

    @property
    def devices(self) -> list[DeviceState]:
        """Return the devices of the aquarium that are in use."""
        return [
            state
            for state in self.engine.devices.values()
            if state.row.aquarium == self.entry_id and state.row.retired_at is None
        ]

    @property
    def automated(self) -> bool:
        """Return whether the schedules of the aquarium may act."""
        return self.entry_id not in self.engine.planner.automation_off

    @property
    def mode(self) -> ModeStatus | None:
        """Return the mode that the aquarium is in, None in normal."""
        return self.engine.modes.status(self.entry_id)

    @override
    def concerns(self, change: Change) -> bool:
        """Return whether a change is about the aquarium, one of its devices, or all of them."""
        match change:
            case ModeChanged(aquarium=aquarium):
                return aquarium == self.entry_id
            case OccurrenceChanged(schedule=schedule):
                planned = self.engine.planner.get(schedule)
                definition = planned.definition if planned else None
                return definition is not None and any(
                    self._owns(number)
                    for number in self.engine.planner.devices(definition)
                )
            case CommandChanged() | DoseChanged() | FieldChanged():
                number = device_of(change)
                return number == 0 or self._owns(number)
        # A device that has come to another aquarium is missed here no more.
        return True

    def _owns(self, number: int | None) -> bool:
        """Return whether a device belongs to the aquarium."""
        state = None if number is None else self.engine.devices.get(number)
        return state is not None and state.row.aquarium == self.entry_id


@frozen
class Device(Subject):
    """A device, whatever it is made of."""

    state: DeviceState

    @property
    @override
    def number(self) -> int | None:
        """Return the number of the device."""
        return self.state.row.number

    @property
    def kind(self) -> DeviceKind:
        """Return the kind of the device."""
        return DeviceKind(self.state.row.kind)

    @property
    def available(self) -> bool:
        """Return whether the device can be reached."""
        return self.state.available

    def shown(self, field: str) -> Setting | None:
        """Return what a field shows: as seen or acknowledged, else what it rests on."""
        port, known = self.state.device, self.state.fields.get(field)
        if port is not None and (seen := port.observed(field)) is not None:
            return seen
        return (known.sent or known.resting) if known is not None else None

    @override
    def concerns(self, change: Change) -> bool:
        """Return whether a change is about the device, or about the plans of all of them."""
        number = device_of(change)
        return number is None or number in (0, self.state.row.number)


@frozen
class Head(Device):
    """One head of a doser."""

    head: PumpHead

    @property
    @override
    def available(self) -> bool:
        """Return whether the pump can be reached and its keeper uses the head."""
        enabled = self.state.limits.head(self.head.index).enabled
        return self.state.available and enabled

    @property
    def capacity(self) -> int | None:
        """Return the microlitres that a full container of the head holds, None without one."""
        number, index = self.state.row.number, self.head.index
        return self.engine.containers.capacity(number, index)

    @property
    def container(self) -> ContainerStatus | None:
        """Return how the head's container stands, None where it has none."""
        return self.engine.containers.status(self.state, self.head.index)

    @property
    def allowed_field(self) -> str:
        """Return the name of the field that says whether the head may dose."""
        return allowed_field(self.head.index)

    @override
    def concerns(self, change: Change) -> bool:
        """Return whether a change may be about the head."""
        match change:
            case DoseChanged(dose=dose):
                other = dose.head != self.head.index
            case ContainerChanged(head=head):
                other = head != self.head.index
            case MemoryChanged(slot=slot):
                other = slot != head_slot(self.head.index)
            case _:
                other = False
        return not other and Device.concerns(self, change)


def subjects[S: Subject](
    hass: HomeAssistant, entry: AquaristConfigEntry, kind: type[S]
) -> Iterator[S]:
    """Yield the subjects of exactly this kind that an entry has."""
    for subject in _all(hass, entry):
        if type(subject) is kind:
            yield subject


def forget_stale_heads(hass: HomeAssistant, entry: AquaristConfigEntry) -> None:
    """Remove the heads that a pump was said to have, and has no more."""
    registry = dr.async_get(hass)
    known = {
        identifier
        for subject in _all(hass, entry)
        for identifier in subject.info.get("identifiers", ())
    }
    for head in dr.async_child_entries_for_config_entry(registry, entry.entry_id):
        if not head.identifiers & known:
            registry.async_remove_device(head.id)


def _all(hass: HomeAssistant, entry: AquaristConfigEntry) -> Iterator[Subject]:
    """Yield the aquarium, the devices and the heads of an entry."""
    engine = entry.runtime_data.engine
    if entry.data[CONF_KIND] != KIND_CHIHIROS:
        yield Aquarium(
            engine=engine,
            key=entry.entry_id,
            subentry=None,
            entry_id=entry.entry_id,
            info=dr.DeviceInfo(
                identifiers={(DOMAIN, entry.entry_id)},
                name=entry.title,
                entry_type=dr.DeviceEntryType.SERVICE,
            ),
        )
    for key in entry.runtime_data.devices:
        yield from of_device(hass, entry, key)


def of_device(
    hass: HomeAssistant, entry: AquaristConfigEntry, key: str
) -> Iterator[Subject]:
    """Yield a device of an entry and its heads."""
    state = entry.runtime_data.devices[key]
    device = Device(
        engine=entry.runtime_data.engine,
        key=state.row.uuid,
        subentry=key if key in entry.subentries else None,
        state=state,
        info=_device_info(entry, state),
    )
    yield device
    if device.kind in DOSERS:
        yield from _heads(hass, entry, device)


def _heads(
    hass: HomeAssistant, entry: AquaristConfigEntry, device: Device
) -> Iterator[Head]:
    """Yield the heads of a doser: devices below it, or the doser itself when it has but one."""
    heads = cast(DoserDevice, device.state.device).heads
    info: dr.DeviceInfo | dr.ChildDeviceInfo = device.info
    for head in heads:
        if len(heads) > 1:
            info = dr.ChildDeviceInfo(
                identifiers={(DOMAIN, f"{device.key}_{head.index}")},
                name=head.name,
                parent_device_id=_registered(hass, entry, device),
            )
        yield Head(
            engine=device.engine,
            key=f"{device.key}_{head.index}",
            subentry=device.subentry,
            state=device.state,
            info=info,
            head=head,
        )


def _registered(hass: HomeAssistant, entry: AquaristConfigEntry, device: Device) -> str:
    """Return the registry id of a device, which must be known before the ones below it."""
    return (
        dr.async_get(hass)
        .async_get_or_create(
            config_entry_id=entry.entry_id,
            config_subentry_id=device.subentry,
            **cast(dr.DeviceInfo, device.info),
        )
        .id
    )


def _device_info(entry: AquaristConfigEntry, state: DeviceState) -> dr.DeviceInfo:
    """Return what Home Assistant's device registry keeps of a device."""
    info = dr.DeviceInfo(identifiers={(DOMAIN, state.row.uuid)}, name=state.row.name)
    if DeviceKind(state.row.kind) not in CHIHIROS or state.row.address is None:
        return info
    info["manufacturer"] = MANUFACTURER
    info["connections"] = {(dr.CONNECTION_BLUETOOTH, state.row.address)}
    model = model_for(entry.data.get(CONF_LOCAL_NAME, ""))
    if model is not None:
        info["model"] = model.name
    return info
