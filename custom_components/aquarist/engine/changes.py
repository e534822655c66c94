"""What the engine announces; each after it is on disk (law 2)."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
import logging
from typing import Any

from ..commands.command import Command
from ..dosing.ledger import Dose
from ..frozen import frozen
from ..layers.setting import Setting
from ..runs.mode import Stage
from ..store.runs import RunRow, StepRow
from .settings import Settings

_LOGGER = logging.getLogger(__name__)


@frozen
class CommandChanged:
    """A command entered a phase."""

    command: Command


@frozen
class DoseChanged:
    """More is known about a dose."""

    dose: Dose


@frozen
class OccurrenceChanged:
    """A due moment of a schedule got its verdict, or began."""

    occurrence: int
    schedule: int
    at: str
    verdict: str | None
    reason: str | None


@frozen
class ScheduleChanged:
    """A schedule was made, changed, or removed."""

    schedule: int


@frozen
class FieldChanged:
    """A field of a device shows another value, or is known to."""

    device: int
    field: str
    setting: Setting | None


@frozen
class DeviceChanged:
    """A device came, went, can or cannot be reached, or its counters were read."""

    device: int


@frozen
class RunChanged:
    """A run began, one of its steps began or ended, or it ended; with its steps so far."""

    run: RunRow
    steps: tuple[StepRow, ...]


@frozen
class MacroChanged:
    """A macro was made, changed, or removed."""

    macro: int


@frozen
class ConfigurationChanged:
    """A configuration of a device was saved or removed."""

    device: int
    name: str


@frozen
class SettingsChanged:
    """The settings of the whole domain are others from now on."""

    settings: Settings
    revision: int
    user: str | None


@frozen
class StoreChanged:
    """The store got into trouble, or is out of it (None)."""

    code: str | None


@frozen
class ContainerChanged:
    """A head's container was refilled or corrected, has another size, or is gone."""

    device: int
    head: int


@frozen
class SafetyChanged:
    """A rule began to hold its devices safe, for a reason, or let them go (None).

    ``unprotected`` are the devices for which no safe value is known: they only alarm.
    """

    rule: str
    name: str
    reason: str | None
    unprotected: tuple[int, ...] = ()


@frozen
class LimitsChanged:
    """What the keeper of an aquarium allows, or its safety rules, are others from now on."""

    aquarium: str


@frozen
class MemoryChanged:
    """A slot of a device's memory holds something else, or shows another than was written."""

    device: int
    slot: str


@frozen
class ModeChanged:
    """An aquarium is in another mode or stage of it (None is normal), or has other modes.

    ``ends_at`` is when the countdown is over, ``troubles`` how many steps have failed,
    ``held`` how many devices are not back, once what it begins with is held.
    """

    aquarium: str
    run: int | None = None
    mode: str | None = None
    stage: Stage | None = None
    ends_at: datetime | None = None
    troubles: int = 0
    held: int = 0


class Progress(StrEnum):
    """What a mode has come to."""

    BEGAN = "began"
    EXTENDED = "extended"
    ENDED = "ended"


@frozen
class ModeProgressed:
    """A mode began, its countdown was extended, or it ended.

    ``latest_end`` is when everything comes back in any case, None once it has ended.
    """

    run: RunRow
    progress: Progress
    ends_at: datetime | None = None
    latest_end: datetime | None = None


type Change = (
    CommandChanged
    | DoseChanged
    | OccurrenceChanged
    | ScheduleChanged
    | FieldChanged
    | DeviceChanged
    | ContainerChanged
    | ConfigurationChanged
    | SettingsChanged
    | StoreChanged
    | RunChanged
    | MacroChanged
    | LimitsChanged
    | MemoryChanged
    | SafetyChanged
    | ModeChanged
    | ModeProgressed
)
type Listener = Callable[[Any], None]


def device_of(change: Change) -> int | None:
    """Return the number of the device that a change is about; 0 is about all of them."""
    match change:
        case CommandChanged(command=command):
            return command.device
        case DoseChanged(dose=dose):
            return dose.device
        case (
            FieldChanged(device=number)
            | DeviceChanged(device=number)
            | ContainerChanged(device=number)
            | MemoryChanged(device=number)
        ):
            return number
    return None


class Announcer:
    """Tells every listener of the changes that it wants to hear of, in order."""

    def __init__(self) -> None:
        """Start with no listener."""
        self._listeners: list[tuple[Listener, frozenset[type], int | None]] = []
        self._hearing: dict[tuple[type[Change], int | None], tuple[Listener, ...]] = {}
        self._untold: deque[Change] = deque()
        self._acting = False

    def listen[Heard: Change](
        self,
        listener: Callable[[Heard], None],
        *kinds: type[Heard],
        device: int | None = None,
    ) -> Callable[[], None]:
        """Call the listener with each change until the returned function is called.

        With ``kinds`` only with those; without, it takes all of them. With ``device`` not
        with those that are about another one.
        """
        entry = (listener, frozenset[type](kinds), device)
        self._listeners.append(entry)
        self._hearing.clear()

        def stop() -> None:
            if entry in self._listeners:
                self._listeners.remove(entry)
                self._hearing.clear()

        return stop

    def hearing(
        self, kind: type[Change], device: int | None = None
    ) -> tuple[Listener, ...]:
        """Return who listens to a kind of change, about one device or about all."""
        about = (kind, device or None)
        if (found := self._hearing.get(about)) is None:
            found = self._hearing[about] = tuple(
                listener
                for listener, kinds, number in self._listeners
                if (not kinds or kind in kinds)
                and (not device or number is None or number == device)
            )
        return found

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Let everything be done before anything of it is told, in its order.

        Of many windows that begin at once the last one waits for the devices of the others,
        not for their listeners too.
        """
        self._acting = True
        try:
            yield
        finally:
            try:
                while self._untold:
                    self._tell(self._untold.popleft())
            finally:
                self._acting = False

    def announce(self, change: Change) -> None:
        """Tell everybody; a listener's own error is its own."""
        if self._acting:
            self._untold.append(change)
        else:
            self._tell(change)

    def _tell(self, change: Change) -> None:
        """Call those who hear of such a change."""
        for listener in self.hearing(type(change), device_of(change)):
            try:
                listener(change)
            except Exception:
                _LOGGER.exception("A listener failed on %s", type(change).__name__)
