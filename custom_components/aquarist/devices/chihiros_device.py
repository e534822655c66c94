"""What the Chihiros devices share: the link, its errors, presence and common actions."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, cast, override

from ..ble.errors import LinkError, Reason
from ..ble.link import Lease, Link
from ..chihiros.command_frame import CommandFrame, query_status, set_time
from ..chihiros.notifications import Notification, Snapshot, Status
from ..commands.actions import ACTIONS
from ..commands.arguments import ArgumentError
from .device import DeviceKind, DeviceStatus, MemoryReport
from .errors import DeviceError
from .fields import Field, InvalidValue, whole_number
from .observable import ObservableDevice

# How long a holder may take to make way; dropping the link then gives its write 2 s more.
PATIENCE = 0.25
STOP_TIME = 25.0
STOP_TRIES = 3
# How long the app waits between the frames of a programme (protocol 4.2).
FRAME_PAUSE = 0.09
# The snapshot follows the status by 30 ms; not every light sends one.
SNAPSHOT_WAIT = 1.0
RELEASE_SECONDS = 300
LONGEST_RELEASE = 3600
_FINAL = frozenset({Reason.UNSUPPORTED, Reason.STOPPING})


class ChihirosDevice(ObservableDevice, ABC):
    """A device over a link. ``local_time`` gives the aware local wall-clock time now."""

    ACTIONS = {"request_status": (), "sync_clock": (), "release_for_app": ("seconds",)}

    def __init__(
        self,
        link: Link,
        *,
        uuid: str,
        kind: DeviceKind,
        name: str,
        address: str,
        fields: Mapping[str, Field],
        local_time: Callable[[], datetime],
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        """Begin to listen to the link; nothing is connected."""
        super().__init__(
            uuid=uuid,
            kind=kind,
            name=name,
            address=address,
            fields=fields,
            aliases=aliases,
        )
        self.link = link
        self._local_time = local_time
        self._leave = [
            link.on_availability(self._tell_availability),
            link.on_connected(self._tell_connected),
            link.on_notification(self._read_status),
        ]
        self._snapshot: Snapshot | None = None
        self._snapshot_came = asyncio.Event()
        # Or each press of a stop would break off the connect of the one before.
        self._stopping = asyncio.Lock()

    @property
    def available(self) -> bool:
        """Return whether the device is connected or heard."""
        return self.link.available

    @property
    def signal(self) -> int | None:
        """Return how strong the device was heard last in dBm, None while nobody knows."""
        return self.link.signal

    @override
    def check_action(self, action: str, args: Mapping[str, object]) -> None:
        """Raise InvalidValue also for a number of seconds that is out of range."""
        super().check_action(action, args)
        if "seconds" in args:
            whole_number("seconds", args["seconds"], 1, LONGEST_RELEASE)

    @override
    async def perform(
        self, action: str, args: Mapping[str, object]
    ) -> Mapping[str, object] | None:
        """Do `request_status`, `sync_clock` or `release_for_app` {seconds}."""
        self.check_action(action, args)
        if action == "release_for_app":
            seconds = args.get("seconds", RELEASE_SECONDS)
            await self.link.release_for_app(cast(int, seconds))
            return {"seconds": seconds}
        work: Mapping[str, Callable[[Lease], Awaitable[dict[str, object] | None]]] = {
            "request_status": self._status,
            "sync_clock": self._sync_clock,
        }
        return await self._leased(work[action])

    @override
    async def close(self) -> None:
        """Close the link."""
        while self._leave:
            self._leave.pop()()
        await self.link.close()
        await super().close()

    def _read_status(self, notification: Notification) -> None:
        """Tell what the device says of itself, at each connect and whenever it is asked."""
        match notification:
            case Status():
                self._tell_status(
                    DeviceStatus(
                        firmware=notification.firmware,
                        uptime_minutes=notification.uptime_minutes,
                    )
                )
            case Snapshot():
                self._snapshot = notification
                self._snapshot_came.set()
                self._tell_memory(self._memory(notification))

    @abstractmethod
    def _memory(self, snapshot: Snapshot) -> MemoryReport:
        """Return what a snapshot shows of the device's memory."""

    @abstractmethod
    def _shown(self, report: MemoryReport) -> list[dict[str, object]]:
        """Return what a device shows of its memory as plain values."""

    async def _leased[T](self, work: Callable[[Lease], Awaitable[T]]) -> T:
        """Do work with a lease. Raises DeviceError."""
        try:
            async with self.link.lease() as lease:
                return await work(lease)
        except LinkError as error:
            raise device_error(error) from error

    async def _stopped[T](self, work: Callable[[Lease], Awaitable[T]]) -> T:
        """Do the work of a stop within a bounded time. Raises DeviceError."""
        try:
            async with asyncio.timeout(STOP_TIME), self._stopping:
                return await urgently(self.link, work)
        except LinkError as error:
            raise device_error(error) from error
        except TimeoutError as error:
            raise DeviceError("no_answer", transient=True) from error

    async def _status(self, lease: Lease) -> dict[str, object]:
        """Ask for firmware, uptime and the snapshot of the memory, None when none comes."""
        self._snapshot = None
        self._snapshot_came.clear()
        status = await answer(lease, query_status(), Status)
        with suppress(TimeoutError):
            async with asyncio.timeout(SNAPSHOT_WAIT):
                await self._snapshot_came.wait()
        snapshot = self._snapshot
        return {
            "firmware": status.firmware,
            "uptime_minutes": status.uptime_minutes,
            "uptime_saturated": status.saturated,
            "clock_drift_minutes": None
            if snapshot is None
            else snapshot.drift_minutes(self._local_time()),
            "memory": None if snapshot is None else self._shown(self._memory(snapshot)),
        }

    async def _sync_clock(self, lease: Lease) -> None:
        """Set the device's clock to local time."""
        await lease.write(set_time(self._local_time().replace(tzinfo=None)))


def checked_action(action: str, args: Mapping[str, object]) -> dict[str, Any]:
    """Return the valid arguments of an action, its defaults filled in. Raises InvalidValue."""
    try:
        return ACTIONS[action].checked(args)
    except ArgumentError as error:
        raise InvalidValue(error.field, error.code, **error.placeholders) from error


def device_error(error: LinkError, *, repeatable: bool = True) -> DeviceError:
    """Return a link's error in the words of devices; what may not be repeated is final."""
    return DeviceError(
        error.reason.value, transient=repeatable and error.reason not in _FINAL
    )


async def answer[N: Notification](
    lease: Lease, frame: CommandFrame, kind: type[N]
) -> N:
    """Ask and return the answer. Raises LinkError, `no_answer` when there is none."""
    notification = await lease.ask(frame, kind)
    if notification is None:
        raise LinkError(Reason.NO_ANSWER)
    return notification


async def written_in_turn(lease: Lease, *frames: CommandFrame) -> None:
    """Write frames with the pauses that the app makes. Raises LinkError."""
    for index, frame in enumerate(frames):
        if index:
            await asyncio.sleep(FRAME_PAUSE)
        await lease.write(frame)


async def urgently[T](link: Link, work: Callable[[Lease], Awaitable[T]]) -> T:
    """Do work before everybody else, on a new connection when the present one fails.

    A connect under way is broken off at once; a write in flight has its grace before the
    connection is dropped (design section 5). Raises LinkError of the last try.
    """
    tries = 1
    while True:
        try:
            return await _at_once(link, work)
        except LinkError:
            if tries == STOP_TRIES:
                raise
            tries += 1


async def _at_once[T](link: Link, work: Callable[[Lease], Awaitable[T]]) -> T:
    """Take the link away from whoever has it and do the work."""
    if not link.connected:
        await link.drop()
    dropping = asyncio.create_task(_drop_later(link)) if link.connected else None
    try:
        async with link.lease(urgent=True) as lease:
            await _called_off(dropping)
            return await work(lease)
    finally:
        await _called_off(dropping)


async def _drop_later(link: Link) -> None:
    """Drop the link once patience is over."""
    await asyncio.sleep(PATIENCE)
    await link.drop()


async def _called_off(task: asyncio.Task[None] | None) -> None:
    """Cancel a task and wait for its end."""
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
