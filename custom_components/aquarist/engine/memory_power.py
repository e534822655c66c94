"""A device that was without power: noticed by its uptime, and written again (R-C60)."""

from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime, timedelta
import logging
from typing import Any, Final, Protocol

from ..chihiros.notifications import UPTIME_LIMIT_MINUTES
from ..commands.command import Command, Source
from ..devices.device import DeviceStatus
from ..devices.fields import InvalidValue
from ..store import settings
from ..store.errors import StoreError
from .errors import EngineError
from .ground import Ground
from .intake import Origin
from .memory_content import MemoryContent
from .state import DeviceState

_LOGGER = logging.getLogger(__name__)

POWERED: Final = "powered_since"
# Uptime counts whole minutes, and clocks differ a little.
_MARGIN = timedelta(minutes=2)


class Send(Protocol):
    """The engine's way in for commands (law 1)."""

    async def __call__(
        self,
        device: DeviceState,
        action: str,
        args: Mapping[str, Any],
        origin: Origin,
        *,
        id: str | None = None,
        confirm: bool = False,
    ) -> Command:
        """Accept an action at a device."""


class PowerWatch:
    """Knows since when each device has power."""

    def __init__(
        self,
        ground: Ground,
        *,
        send: Send,
        reassert: Callable[[DeviceState], None],
        background: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        """Start with nothing known; ``reassert`` writes again what is held on a device."""
        self._clock = ground.clock
        self._journal = ground.journal
        self._memory = ground.memory
        self._send = send
        self._reassert = reassert
        self._background = background
        self._restoring: set[int] = set()
        self.since: dict[int, datetime] = {}

    def load(self, since: Mapping[str, str]) -> None:
        """Take in what is stored."""
        for number, at in since.items():
            self.since[int(number)] = datetime.fromisoformat(at)

    def status_read(self, device: DeviceState, status: DeviceStatus) -> None:
        """Notice a device that was without power since it was last heard (R-C60)."""
        number = device.row.number
        since = self._clock.now() - timedelta(minutes=status.uptime_minutes)
        known = self.since.get(number)
        saturated = status.uptime_minutes >= UPTIME_LIMIT_MINUTES
        if known is not None and (saturated or abs(since - known) <= _MARGIN):
            return
        if number in self._restoring:
            return
        if known is None or since < known:
            self._powered_since(number, since)
            return
        # Levels are lost with the power, whatever the memory keeps.
        self._reassert(device)
        if not device.limits.restore_memory:
            self._powered_since(number, since)
            return
        self._restoring.add(number)
        self._background(self._restore(device, known, since))

    def _powered_since(self, number: int, since: datetime) -> None:
        """Keep since when a device has power."""
        self.since[number] = since
        known = {str(one): at.isoformat() for one, at in self.since.items()}
        self._journal.record(
            lambda connection: settings.put(connection, POWERED, known)
        )

    async def _restore(
        self, device: DeviceState, known: datetime, since: datetime
    ) -> None:
        """Write what was in a device's memory again, once for a loss of power.

        The ids make it once, also over a crash. What is refused keeps the rest from nothing;
        what the store does not take is due again when the device is heard next.
        """
        number = device.row.number
        origin = Origin(source=Source.ENGINE)
        try:
            for index, (action, args) in enumerate(
                memory_commands(self._memory, number)
            ):
                once = f"restore-{known:%Y%m%dT%H%M%S}-{index}"
                try:
                    await self._send(
                        device, action, args, origin, id=once, confirm=True
                    )
                except (EngineError, InvalidValue) as error:
                    _not_written(device, error)
        except StoreError as error:
            _not_written(device, error)
            return
        finally:
            self._restoring.discard(number)
        self._powered_since(number, since)


def _not_written(device: DeviceState, error: Exception) -> None:
    """Log what a device could not be given again."""
    _LOGGER.warning(
        "The memory of %s was not written again: %s", device.row.name, error
    )


def memory_commands(
    content: MemoryContent, number: int
) -> list[tuple[str, dict[str, Any]]]:
    """Return the commands that write a device's memory as it is known."""
    commands: list[tuple[str, dict[str, Any]]] = [
        ("set_doser_schedule", {"head_index": head, **programme.as_json()})
        for head, programme in content.programmes(number).items()
    ]
    settings = content.auto_settings(number).settings
    commands += [("add_auto_setting", one.as_json()) for one in settings]
    if content.follows(number):
        # Writing a curve has the light run it.
        curve = content.custom_curve(number)
        commands.append(
            ("enable_auto_mode", {})
            if curve is None
            else ("set_custom_curve", curve.as_json())
        )
    return commands
