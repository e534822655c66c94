"""The link to one device: who may use the connection, when it opens and how long it is held.

Connection policy (protocol section 1.3): one lease at a time; connect on demand
within a time limit of our own; the prelude on every connection; hold the connection while it is
idle for a while and as long as somebody keeps it; give it up for the vendor's app on request.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
import logging

from ..chihiros.command_frame import CommandFrame, set_time
from ..chihiros.models import DeviceFamily
from ..chihiros.notifications import Notification, Snapshot
from ..chihiros.prelude import prelude
from .attempt import Attempt
from .back_off import BackOff
from .clock_watch import ClockWatch
from .errors import BrokenOffError, LinkError, Reason
from .presence import Presence
from .session import LinkSettings, Session
from .transport import Transport
from .turns import Turns

__all__ = ["Lease", "Link", "LinkSettings"]

_LOGGER = logging.getLogger(__name__)


class Lease:
    """The right to write, until the lease's block ends or the connection does."""

    def __init__(self, session: Session) -> None:
        """Bind the lease to the connection on which it was given."""
        self._session = session

    async def write(self, *frames: CommandFrame) -> None:
        """Write frames in order; returns when the device has confirmed the last one.

        Raises LinkError: link_lost, write_failed or no_answer. Frames after the failed one are not written.
        """
        await self._session.write(*frames)

    async def ask[N: Notification](
        self, frame: CommandFrame, kind: type[N], timeout: float | None = None
    ) -> N | None:
        """Write a frame and return the next notification of ``kind``, or None when none comes in time (seconds).

        Raises LinkError as `write` does.
        """
        return await self._session.ask(frame, kind, timeout)


class Link:
    """The one way to a device over its transport. Needs no Home Assistant."""

    def __init__(
        self,
        transport: Transport,
        family: DeviceFamily,
        local_time: Callable[[], datetime],
        settings: LinkSettings | None = None,
        *,
        name: str = "device",
    ) -> None:
        """Prepare a link that is not connected; ``local_time`` gives the aware local wall-clock time now."""
        self._transport = transport
        self._family = family
        self._settings = settings or LinkSettings()
        self._name = name
        self._turns = Turns()
        self._connecting = Attempt()
        self._disconnecting = asyncio.Lock()
        self._back_off = BackOff()
        self._session: Session | None = None
        self._announced = False
        self._keepers = 0
        self._unkept = asyncio.Event()
        self._unkept.set()
        self._released_until = 0.0
        self._last_reason = Reason.OUT_OF_RANGE
        self._idle_timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._sync: asyncio.Task[None] | None = None
        self._closed = False
        self._on_notification: list[Callable[[Notification], None]] = []
        self._on_connected: list[Callable[[], None]] = []
        self._on_dropped: list[Callable[[], None]] = []
        self._presence = Presence(transport, name)
        self._presence.listen(self._presence_changed)
        self._clock = ClockWatch(local_time, self._sync_soon)

    @property
    def connected(self) -> bool:
        """Return whether the connection is open and its prelude sent."""
        return self._announced and self._transport.connected

    @property
    def available(self) -> bool:
        """Return whether the device is connected or heard; silence on an open connection changes nothing."""
        return self._presence.available

    @property
    def signal(self) -> int | None:
        """Return how strong the device was heard last in dBm, None while nobody knows."""
        return self._transport.signal

    @property
    def next_try(self) -> float | None:
        """Return the loop time before which only an urgent lease connects; None when any does."""
        return self._back_off.next_try

    def on_notification(
        self, listener: Callable[[Notification], None]
    ) -> Callable[[], None]:
        """Call the listener with each notification until the returned function is called."""
        return _added(self._on_notification, listener)

    def on_connected(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call the listener after each connect and its prelude until the returned function is called."""
        return _added(self._on_connected, listener)

    def on_dropped(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call the listener each time a connection ends, lost or meant, until the returned function is called."""
        return _added(self._on_dropped, listener)

    def on_availability(self, listener: Callable[[bool], None]) -> Callable[[], None]:
        """Call the listener when `available` changes until the returned function is called."""
        return self._presence.listen(listener)

    @asynccontextmanager
    async def lease(self, *, urgent: bool = False) -> AsyncIterator[Lease]:
        """Give the connected device to one holder at a time, in the order of asking.

        An urgent lease is next, does not wait for the back-off and ends a release for the app.
        Raises LinkError when there is no connection to be had; during a back-off at once, with the
        reason of the last failure.
        """
        await self._take(urgent=urgent)
        try:
            self._stop_idle_timer()
            yield Lease(await self._open(urgent=urgent))
        finally:
            self._turns.give()
            self._start_idle_timer()

    def keep(self) -> Callable[[], None]:
        """Hold the connection, beyond the lease, until the returned function is called: a dose is delivering."""
        kept = True
        self._keepers += 1
        self._unkept.clear()
        self._stop_idle_timer()

        def let_go() -> None:
            nonlocal kept
            if not kept:
                return
            kept = False
            self._keepers -= 1
            if not self._keepers:
                self._unkept.set()
                self._start_idle_timer()

        return let_go

    async def release_for_app(self, seconds: float) -> None:
        """Leave the device to the vendor's app: disconnect, and refuse leases that are not urgent for that long.

        Waits for the present holder and for a dose that is delivering. Returns when the device is free.
        Cancelled before that, it refuses nobody.
        """
        loop = asyncio.get_running_loop()
        before, self._released_until = self._released_until, loop.time() + seconds
        try:
            await self._make_free()
        except asyncio.CancelledError:
            self._released_until = min(before, self._released_until)
            raise
        self._released_until = loop.time() + seconds

    async def drop(self) -> None:
        """Break off what is under way, for a stop: a connect at once, a write after its grace; then disconnect.

        The holder gets link_lost. The next lease connects again; a dropped link is no failure to back off from.
        """
        self._connecting.break_off(BrokenOffError())
        if self._session is not None:
            await self._session.finish()
        await self._disconnect()

    async def close(self) -> None:
        """End the link for good: whoever waits gets stopping, the connection is closed. Twice does no harm."""
        if self._closed:
            return
        self._closed = True
        self._stop_idle_timer()
        self._clock.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.drop()
        self._presence.close()

    async def _make_free(self) -> None:
        """Disconnect as soon as nobody needs the connection."""
        await self._take(urgent=True)
        while self._keepers:
            self._turns.give()
            await self._unkept.wait()
            await self._take(urgent=True)
        try:
            await self._disconnect()
        finally:
            self._turns.give()

    async def _take(self, *, urgent: bool) -> None:
        """Wait for the turn; who gives up just as it comes leaves the connection idle."""
        try:
            await self._turns.take(urgent=urgent)
        except asyncio.CancelledError:
            self._start_idle_timer()
            raise

    async def _open(self, *, urgent: bool) -> Session:
        """Return the open connection, or open one. Raises LinkError."""
        session = self._session
        if session is not None and session.open and self._transport.connected:
            return session
        await self._disconnect()
        self._refuse(urgent=urgent)
        try:
            session = await self._connect()
        except LinkError as error:
            await self._disconnect()
            if not isinstance(error, BrokenOffError):
                self._last_reason = error.reason
                self._back_off.failed(asyncio.get_running_loop().time())
            raise
        except asyncio.CancelledError:
            await self._disconnect()
            raise
        self._back_off.reset()
        return session

    def _refuse(self, *, urgent: bool) -> None:
        """Raise LinkError when this is no time to connect."""
        if self._closed:
            raise LinkError(Reason.STOPPING)
        if urgent:
            self._released_until = 0.0
            return
        now = asyncio.get_running_loop().time()
        if now < self._released_until:
            raise LinkError(Reason.HELD_BY_APP, "released for the app")
        if self._back_off.waiting(now):
            raise LinkError(self._last_reason, "not tried again yet")

    async def _connect(self) -> Session:
        """Open a connection and send the prelude. Raises LinkError."""
        session = Session(self._transport, self._family, self._settings, self._notified)
        self._session = session
        await self._connecting.run(
            self._transport.connect(session.received, partial(self._lost, session)),
            self._settings.connect_timeout,
            self._transport.silence_reason,
        )
        await session.write(*prelude(self._family, self._clock.wall_clock()))
        self._clock.was_set()
        self._announced = True
        _LOGGER.debug("%s is connected", self._name)
        self._presence.refresh()
        for listener in list(self._on_connected):
            listener()
        return session

    async def _disconnect(self) -> None:
        """Close the connection, if there is one; one who comes second waits for the first."""
        async with self._disconnecting:
            session = self._session
            if session is None and not self._transport.connected:
                return
            if session is not None:
                session.end()
            try:
                async with asyncio.timeout(self._settings.disconnect_timeout):
                    await self._transport.disconnect()
            except TimeoutError:
                _LOGGER.debug("%s did not disconnect in time", self._name)
            finally:
                self._ended()

    def _lost(self, session: Session) -> None:
        """Take note that a connection was lost, unless it has been given up already."""
        if session is self._session:
            session.end()
            self._ended()

    def _ended(self) -> None:
        """Forget the connection and tell those who listen."""
        self._session = None
        self._stop_idle_timer()
        announced, self._announced = self._announced, False
        if announced:
            _LOGGER.debug("%s is disconnected", self._name)
            for listener in list(self._on_dropped):
                listener()
        self._presence.refresh()

    def _notified(self, notification: Notification) -> None:
        """Pass on what the device says, and look at its clock."""
        if isinstance(notification, Snapshot):
            self._clock.shown(notification)
        for listener in list(self._on_notification):
            listener(notification)

    def _presence_changed(self, available: bool) -> None:
        """Try a device that is heard again without waiting."""
        if available:
            self._back_off.reset()

    def _sync_soon(self) -> None:
        """Set the device's clock as soon as it is our turn, when the device can be reached."""
        if self._transport.present and self._sync not in self._tasks:
            self._sync = self._in_background(self._sync_clock())

    async def _sync_clock(self) -> None:
        """Set the device's clock; when that fails, the next look or connect makes up for it."""
        try:
            async with self.lease() as lease:
                await lease.write(set_time(self._clock.wall_clock()))
                self._clock.was_set()
        except LinkError as error:
            _LOGGER.debug("%s: clock not set: %s", self._name, error)

    def _start_idle_timer(self) -> None:
        """Let an idle connection go after a while; at once when it is of no use any more."""
        session = self._session
        if self._closed or session is None or self._keepers or not self._turns.idle:
            return
        self._stop_idle_timer()
        delay = self._settings.idle_hold if session.open else 0.0
        self._idle_timer = asyncio.get_running_loop().call_later(
            delay, self._idle_is_over
        )

    def _stop_idle_timer(self) -> None:
        """Keep the connection for now."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    def _idle_is_over(self) -> None:
        """Disconnect in the background."""
        self._idle_timer = None
        self._in_background(self._disconnect_idle())

    async def _disconnect_idle(self) -> None:
        """Disconnect, in turn: a lease that came meanwhile goes first and keeps the connection."""
        if self._turns.idle and not self._keepers:
            await self._turns.take()
            try:
                await self._disconnect()
            finally:
                self._turns.give()

    def _in_background(
        self, work: Coroutine[object, object, None]
    ) -> asyncio.Task[None]:
        """Run work that nobody waits for, until the link is closed."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _added[T](listeners: list[T], listener: T) -> Callable[[], None]:
    """Add a listener and return what takes it away again."""
    listeners.append(listener)
    return lambda: listeners.remove(listener)
