"""One dose through a switch: on, volume / flow seconds, off, and off again until it is."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from homeassistant.core import HomeAssistant

from .backing_entity import BackingEntity
from .device import Head
from .dosing_fields import check_volume
from .errors import DeviceError
from .fields import LEVEL, InvalidValue
from .level import FULL, OFF
from .on_time import OnTime
from .switch_off import SwitchOff

_ON = {LEVEL: FULL}
_OFF = {LEVEL: OFF}
START_TIME = 5.0
# An off that takes no longer than the on did leaves the time on as it should be.
QUICK = 1.0


class SwitchDose:
    """A prepared dose. Once sent, it ends by itself whatever becomes of the caller.

    What is given beyond that, or when nobody waits for the end, goes to ``ran``.
    """

    lifetime: int | None = None

    def __init__(
        self,
        hass: HomeAssistant,
        entity: BackingEntity,
        off: SwitchOff,
        head: Head,
        *,
        longest_run: float,
        automatic_off: float | None,
        ran: Callable[[int, datetime], None],
        ended: Callable[[bool], None],
    ) -> None:
        """Make ready; nothing is switched yet.

        ``ended`` is called once it is over, with whether no call may still arrive late.
        """
        self.head = head
        self._hass = hass
        self._entity = entity
        self._off = off
        self._longest_run = longest_run
        self._automatic_off = automatic_off
        self._ran = ran
        self._over = ended
        self._clean = True
        self._booked = 0
        self._on: OnTime | None = None
        self._at: datetime | None = None
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._run: asyncio.Task[int | None] | None = None
        self._excess = 0
        self._released = self._taken = False

    @property
    def running(self) -> bool:
        """Return whether the switch may be on because of this dose."""
        return self._run is not None and not self._run.done()

    async def send(self, volume: int) -> None:
        """Switch on; the way back to off is secured before that. Raises DeviceError, InvalidValue."""
        check_volume(self.head, volume)
        await self._start(volume, volume / self.head.flow, booked=volume)

    async def run(self, seconds: float) -> None:
        """Switch on for so many seconds; all that is given goes to ``ran``. Raises as `send`."""
        if not 0 < seconds <= self._longest_run:
            raise InvalidValue(
                "seconds",
                "value_out_of_bounds",
                value=str(seconds),
                minimum="0",
                maximum=str(self._longest_run),
            )
        self._released = True
        await self._start(round(seconds * self.head.flow), seconds, booked=0)

    async def finished(self) -> int | None:
        """Wait until the switch is off again and return the microlitres given."""
        given = await self._ended()
        self._taken = True
        return given

    async def ended_within(self, seconds: float) -> int | None:
        """Return what was given if the dose comes to its end in time, else None."""
        try:
            async with asyncio.timeout(seconds):
                return await self._ended()
        except TimeoutError:
            return None

    async def release(self) -> None:
        """Wait for the end no more: what was given beyond the dose is told by ``ran``."""
        self._released = True
        if not self.running:
            self._tell_excess()

    def end(self) -> None:
        """End before the time."""
        if not self._end.done():
            self._end.set_result(None)

    def look(self) -> None:
        """Take note of whether the switch can be seen."""
        if self._on is None:
            return
        if self._entity.shows(_ON):
            self._on.seen()
        elif self._entity.reading is None:
            self._on.lost(asyncio.get_running_loop().time())

    async def cancel(self) -> None:
        """Give up waiting for off; for a device that is taken away."""
        if self._run is not None:
            self._run.cancel()
            await asyncio.gather(self._run, return_exceptions=True)

    async def _start(self, volume: int, seconds: float, *, booked: int) -> None:
        """Let the run begin, and return when the switch is on."""
        if self._run is not None:
            raise RuntimeError("a dose is sent once")
        self._booked = booked
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._run = self._hass.async_create_background_task(
            self._deliver(volume, seconds, started), f"dose by {self._entity.entity_id}"
        )
        self._run.add_done_callback(lambda _: self._over(self._clean))
        await asyncio.shield(started)

    async def _ended(self) -> int | None:
        """Wait for the end."""
        if self._run is None:
            raise RuntimeError("the dose was not sent")
        return await asyncio.shield(self._run)

    async def _deliver(
        self, volume: int, seconds: float, started: asyncio.Future[None]
    ) -> int | None:
        """Switch on for so many seconds; None when it was never seen to be on."""
        loop = asyncio.get_running_loop()
        asked = loop.time()
        asking = asyncio.ensure_future(self._entity.ask(_ON))
        try:
            began = await self._comes_on(asking, min(seconds, START_TIME))
        except DeviceError as error:
            self._clean = False
            await _given_up(asking)
            started.set_exception(error)
            # Nobody may be waiting any more.
            started.exception()
            # Never seen, but it may have been on all the while.
            on = self._on = OnTime(since=asked, seen_since=asked, seen_until=asked)
            await self._off.done()
            self._note_excess(self._given(on, loop.time()))
            return None
        except asyncio.CancelledError:
            asking.cancel()
            started.cancel()
            raise
        on = self._on = OnTime(since=began, seen_since=began)
        state = self._entity.state
        self._at = state.last_changed if state is not None else None
        started.set_result(None)
        try:
            early = await self._goes_off_before(began + seconds)
        finally:
            self._clean = asking.done()
            await _given_up(asking)
        given = self._given(on, loop.time())
        tries = await self._off.done()
        if not early:
            given = self._given(on, loop.time())
            late = loop.time() - began - seconds
            if not self._end.done() and tries == 1 and late <= QUICK:
                given = volume
        self._note_excess(given)
        return given

    async def _comes_on(self, asking: asyncio.Future[None], within: float) -> float:
        """Return since when the switch is on. Raises DeviceError, which is final (law 3).

        It is on from when it is seen to be, or was asked for without an error: a device may
        take effect and then raise, or hang.
        """
        loop = asyncio.get_running_loop()
        seen = asyncio.ensure_future(self._entity.comes_to_show(_ON, START_TIME))
        try:
            await _first_of(START_TIME, asking, seen, self._end)
            began = loop.time()
            if self._entity.shows(_ON):
                return began
            if self._end.done():
                raise DeviceError("stopping", transient=False)
            if not asking.done():
                raise DeviceError("no_answer", transient=False)
            try:
                await asking
            except DeviceError as error:
                raise _final(error) from error
            await _first_of(within, seen, self._end)
            if not self._entity.shows(_ON):
                raise _final(self._entity.not_confirmed(_ON))
        finally:
            await _given_up(seen)
        return began

    async def _goes_off_before(self, due: float) -> bool:
        """Wait until the time is over or the end is told; return whether it is off already."""
        left = max(due - asyncio.get_running_loop().time(), 0.0)
        seen = asyncio.ensure_future(self._entity.comes_to_show(_OFF, left))
        try:
            await _first_of(left, seen, self._end)
        finally:
            await _given_up(seen)
        return self._entity.shows(_OFF)

    def _given(self, on: OnTime, now: float) -> int:
        """Return the microlitres of a time on, if it went off just now."""
        return round(on.seconds(now, self._automatic_off) * self.head.flow)

    def _note_excess(self, given: int) -> None:
        """Keep what no dose accounts for, and tell it if nobody takes the end."""
        self._excess = max(given - self._booked, 0)
        state = self._entity.state
        if self._at is None and state is not None:
            self._at = state.last_changed
        if self._released:
            self._tell_excess()

    def _tell_excess(self) -> None:
        """Tell once what nobody has taken."""
        if self._excess and not self._taken and self._at is not None:
            self._ran(self._excess, self._at)
            self._excess = 0


def _final(error: DeviceError) -> DeviceError:
    """Return the error of a start: it may yet take effect, so it is not tried again (law 3)."""
    return DeviceError(error.code, transient=False, **error.placeholders)


async def _first_of(seconds: float, *works: asyncio.Future[Any]) -> None:
    """Wait until one of several has come to its end, or the time is over."""
    await asyncio.wait(works, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)


async def _given_up(work: asyncio.Future[Any]) -> None:
    """End what is not waited for any more."""
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
