"""What devices keep in their own memory, as far as Aquarist wrote it or saw it.

It lives beside the devices, so that every room may look: a pump that doses by itself is
not dosed by a schedule as well.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ..chihiros.auto_setting import AutoSetting
from ..chihiros.custom_curve import CustomCurve
from ..dosing.programme import Programme
from ..frozen import frozen
from .errors import EngineError

AUTO: Final = "auto"
MODE: Final = "mode"
_HEAD: Final = "head_"


@frozen
class AutoSettings:
    """The windows in a light's memory."""

    settings: tuple[AutoSetting, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Write them as JSON values."""
        return {"settings": [setting.as_json() for setting in self.settings]}


@frozen
class AutoMode:
    """A light was told to follow its memory."""

    def as_json(self) -> dict[str, Any]:
        """Write it as JSON values."""
        return {"active": True}


_NOTHING = AutoSettings()

type Kept = Programme | AutoSettings | CustomCurve | AutoMode


@frozen
class Drift:
    """A device shows something else than what Aquarist wrote into a slot of its memory.

    ``written`` is None where Aquarist wrote nothing, ``shown`` what the device shows. Both
    are plain values.
    """

    slot: str
    written: Mapping[str, Any] | None
    shown: Mapping[str, Any]


class MemoryContent:
    """What is in the memories of all devices.

    Slots are `head_0` and on for pumps, `auto` (windows, or a curve in their place) and `mode`
    for lights: they change apart from one another. ``writing`` are those that a command is about to change, ``unreadable``
    those whose stored row no longer validates (law 10).
    """

    def __init__(self) -> None:
        """Start with nothing known."""
        self._kept: dict[tuple[int, str], Kept] = {}
        self.writing: set[tuple[int, str]] = set()
        self.unreadable: set[tuple[int, str]] = set()
        self._drifts: dict[tuple[int, str], Drift] = {}

    def keep(self, device: int, slot: str, kept: Kept | None) -> None:
        """Take note of what a slot holds now, None for nothing."""
        if kept is None:
            self._kept.pop((device, slot), None)
        else:
            self._kept[device, slot] = kept

    def slots(self, device: int) -> list[str]:
        """Return the slots of a device that hold something."""
        return sorted(slot for number, slot in self._kept if number == device)

    def programme(self, device: int, head: int) -> Programme | None:
        """Return the programme that Aquarist wrote for a head."""
        kept = self._kept.get((device, head_slot(head)))
        return kept if isinstance(kept, Programme) else None

    def programmes(self, device: int) -> dict[int, Programme]:
        """Return the programmes of a pump by head."""
        return {
            slot_head(slot): kept
            for slot in self.slots(device)
            if isinstance(kept := self._kept[device, slot], Programme)
        }

    def auto_settings(self, device: int) -> AutoSettings:
        """Return what Aquarist wrote into a light."""
        kept = self._kept.get((device, AUTO))
        return kept if isinstance(kept, AutoSettings) else _NOTHING

    def custom_curve(self, device: int) -> CustomCurve | None:
        """Return the curve that Aquarist wrote into a light in place of windows."""
        kept = self._kept.get((device, AUTO))
        return kept if isinstance(kept, CustomCurve) else None

    def follows(self, device: int) -> bool:
        """Return whether a light was told to follow its memory."""
        return (device, MODE) in self._kept

    def daily_volume(self, device: int, head: int) -> int:
        """Return the microlitres that a head gives by itself on a day its programme runs."""
        programme = self.programme(device, head)
        return 0 if programme is None else programme.volume

    def weekly_volume(self, device: int, head: int) -> int:
        """Return the microlitres that a head gives by itself in a week."""
        programme = self.programme(device, head)
        return 0 if programme is None else programme.weekly_volume

    def next_dose(
        self, device: int, head: int, local_now: datetime
    ) -> tuple[datetime, int] | None:
        """Return when a head doses next by itself, aware UTC, and how many microlitres.

        ``local_now`` is the aware wall time of the house, which pumps go by.
        """
        programme = self.programme(device, head)
        if programme is None:
            return None
        found = programme.next_dose(local_now.replace(tzinfo=None))
        if found is None:
            return None
        due, volume = found
        return due.replace(tzinfo=local_now.tzinfo).astimezone(UTC), volume

    def volume_between(
        self, device: int, head: int, since: datetime, until: datetime
    ) -> int:
        """Return the microlitres that a programme gives after an instant, until another.

        Both are aware wall times of the house.
        """
        programme = self.programme(device, head)
        if programme is None:
            return 0
        doses = programme.doses_between(
            since.replace(tzinfo=None), until.replace(tzinfo=None)
        )
        return sum(volume for _, volume in doses)

    def drift(self, device: int, slot: str) -> Drift | None:
        """Return what a slot shows instead of what was written."""
        return self._drifts.get((device, slot))

    def drifts(self, device: int) -> tuple[Drift, ...]:
        """Return the slots of a device that show something else."""
        return tuple(
            drift for (number, _), drift in self._drifts.items() if number == device
        )

    def note_drift(self, device: int, slot: str, drift: Drift | None) -> bool:
        """Take note of a drift, None for none, and return whether that is news."""
        if self._drifts.get((device, slot)) == drift:
            return False
        if drift is None:
            del self._drifts[device, slot]
        else:
            self._drifts[device, slot] = drift
        return True

    def refuse_dose(self, device: int, head: int, name: str, *, field: str) -> None:
        """Refuse a planned dose of a head which doses by itself.

        Home Assistant and the pump never both dose one plan. ``name`` is the device's, ``field``
        that of the request which plans the dose. Raises EngineError `programme_active`.
        """
        if self.daily_volume(device, head) or self._is_written(device, head):
            raise EngineError("programme_active", field=field, head=head + 1, name=name)

    def _is_written(self, device: int, head: int) -> bool:
        """Return whether a programme of a head is being written now."""
        return (device, head_slot(head)) in self.writing


def head_slot(head: int) -> str:
    """Return the slot of a head's programme."""
    return f"{_HEAD}{head}"


def slot_head(slot: str) -> int:
    """Return the head of a slot. Raises ValueError for a slot of something else."""
    if not slot.startswith(_HEAD):
        raise ValueError(slot)
    return int(slot.removeprefix(_HEAD))
