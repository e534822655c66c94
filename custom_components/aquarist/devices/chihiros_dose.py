"""One dose of a Chihiros doser: written once, and followed until the pump reports its end."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress

from ..ble.errors import LinkError
from ..ble.link import Lease, Link
from ..chihiros.dosers import MAX_VOLUME, dose_now, query_lifetime, query_today
from ..chihiros.notifications import Lifetime, Notification, Today
from .chihiros_device import device_error
from .device import Head
from .dosing_fields import check_volume
from .errors import DeviceError

# How long after the time it should take a dose is asked for, and how often from then on.
SETTLE = 2.0
ASK_EVERY = 5.0


class ChihirosDose:
    """A prepared dose: holds the lease until it is sent, and the connection until it is released."""

    def __init__(
        self,
        link: Link,
        head: Head,
        held: AsyncExitStack,
        lease: Lease,
        *,
        lifetime: int | None,
        today: int | None,
        released: Callable[[ChihirosDose], None],
    ) -> None:
        """Take over what is held, and the head's totals as read just before."""
        self.head = head
        self.lifetime = lifetime
        self._today = today
        self._released = released
        self._link = link
        self._held = held
        self._lease = lease
        self._keep = link.keep()
        self._volume: int | None = None
        self._ask_at = 0.0
        self._last_rise: int | None = None
        self._news = asyncio.Event()
        self._ended = False
        self._given: int | None = None
        self._leave: list[Callable[[], None]] = []

    @property
    def sent(self) -> bool:
        """Return whether the dose may have been given."""
        return self._volume is not None

    async def send(self, volume: int) -> None:
        """Write the one frame, then give the lease back.

        Raises InvalidValue, or DeviceError that is never transient: a dose is not repeated.
        """
        if self._volume is not None:
            raise RuntimeError("a dose is sent once")
        if self._ended:
            raise DeviceError("stopping", transient=False)
        check_volume(self.head, volume)
        self._volume = volume
        self._leave = [
            self._link.on_notification(self._heard),
            self._link.on_dropped(self._lost),
        ]
        try:
            await self._lease.write(dose_now(self.head.index, volume))
        except LinkError as error:
            raise device_error(error, repeatable=False) from error
        finally:
            await self.give_back()
            now = asyncio.get_running_loop().time()
            self._ask_at = now + volume / self.head.flow + SETTLE

    async def finished(self) -> int | None:
        """Wait for the end of the dose; after the time that it takes the pump is asked."""
        if self._volume is None:
            raise RuntimeError("the dose was not sent")
        loop = asyncio.get_running_loop()
        while not self._ended:
            pause = self._ask_at - loop.time()
            if pause <= 0:
                self._ask_at = loop.time() + ASK_EVERY
                await self._ask(self._volume)
                continue
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._news.wait()
        return self._given

    async def release(self) -> None:
        """Let go of the lease and the connection."""
        while self._leave:
            self._leave.pop()()
        await self.give_back()
        self._keep()
        self.end(None)
        self._released(self)

    async def give_back(self) -> None:
        """Give the lease back; the connection stays held."""
        await self._held.aclose()

    def end(self, given: int | None) -> None:
        """Bring the dose to its end with what is known to have been given."""
        if not self._ended:
            self._ended = True
            self._given = given
            self._news.set()

    def rise(self, lifetime: int | None, today: int | None) -> int | None:
        """Return by how much the head's totals rose, None when they do not tell.

        Today's total starts again at midnight, so the lifetime goes first; that one is unknown
        past its largest value.
        """
        for before, now in ((self.lifetime, lifetime), (self._today, today)):
            if before is not None and now is not None and before <= now < MAX_VOLUME:
                return now - before
        return None

    def _heard(self, notification: Notification) -> None:
        """Look at today's total, which the pump pushes when a dose ends (protocol 4.3).

        After midnight, or for another head's dose, it does not tell; then the pump is asked.
        """
        if not isinstance(notification, Today):
            return
        today = total(notification, self.head.index)
        if today is None or self._today is None or self._volume is None:
            return
        if today - self._today >= self._volume:
            self.end(self._volume)

    def _lost(self) -> None:
        """End without knowledge: the pump goes on by itself, its counters will tell."""
        self.end(None)

    async def _ask(self, volume: int) -> None:
        """Read the totals; less than the volume is final once it does not rise any more.

        A pump whose heads are staggered begins up to 30 s late.
        """
        try:
            async with self._link.lease() as lease:
                lifetime, today = await read_totals(lease)
        except LinkError:
            self.end(None)
            return
        rise = self.rise(
            total(lifetime, self.head.index),
            total(today, self.head.index),
        )
        if rise is None:
            return
        stands_still = 0 < rise == self._last_rise
        self._last_rise = rise
        if rise >= volume or stands_still:
            self.end(min(rise, volume))


def total(totals: Lifetime | Today | None, head: int) -> int | None:
    """Return a head's total in microlitres, None when it was not reported."""
    if totals is None or head >= len(totals.microlitres):
        return None
    return totals.microlitres[head]


async def read_totals(lease: Lease) -> tuple[Lifetime | None, Today | None]:
    """Ask for both totals. Raises LinkError; what is not answered is None."""
    lifetime = await lease.ask(query_lifetime(), Lifetime)
    today = await lease.ask(query_today(), Today)
    return lifetime, today
