"""Carries bytes to a simulated device: the demo aquarium needs no radio."""

import asyncio
from collections.abc import Callable
from typing import Final, NoReturn, override

from ..simulator.clock import Cancel
from ..simulator.errors import (
    ConnectError,
    ConnectUnanswered,
    LinkLost,
    OutOfRange,
    OutOfSlots,
    WriteFailed,
    WriteUnanswered,
)
from ..simulator.link import Connection
from ..simulator.peripheral import Peripheral
from .errors import LinkError, Reason
from .transport import Transport

# How often a scanner is taken to hear the device, in seconds.
LISTEN_EVERY: Final = 2.0


class SimulatedTransport(Transport):
    """A link to a `Peripheral` in this process."""

    def __init__(self, peripheral: Peripheral) -> None:
        """Take the device; nothing is connected yet."""
        self._peripheral = peripheral
        self._connection: Connection | None = None
        self._dropped: Callable[[], None] | None = None
        self._hanging: asyncio.Future[None] | None = None

    @property
    @override
    def connected(self) -> bool:
        """Return whether the connection is open."""
        return self._connection is not None and self._connection.connected

    @property
    @override
    def present(self) -> bool:
        """Return whether the device is connected to us or advertises."""
        return self.connected or self._peripheral.advertising

    @property
    @override
    def signal(self) -> int | None:
        """Return how strong the device is."""
        return self._peripheral.rssi

    @override
    async def connect(
        self, notify: Callable[[bytes], None], dropped: Callable[[], None]
    ) -> None:
        """Connect as a radio would: not at once, and for ever when the device does not answer."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0)

        def deliver(data: bytes) -> None:
            # On air a notification never arrives inside the write that caused it.
            loop.call_soon(notify, data)

        try:
            connection = self._peripheral.connect(deliver, self._lost)
        except ConnectUnanswered:
            await self._hang()
        except ConnectError as error:
            raise LinkError(_connect_reason(error), str(error)) from error
        connection.subscribe()
        self._connection = connection
        self._dropped = dropped

    @override
    async def write(self, data: bytes) -> None:
        """Write with response."""
        await asyncio.sleep(0)
        if self._connection is None:
            raise LinkError(Reason.LINK_LOST)
        try:
            self._connection.write(data, response=True)
        except WriteUnanswered:
            await self._hang()
        except WriteFailed as error:
            raise LinkError(Reason.WRITE_FAILED, str(error)) from error
        except LinkLost as error:
            raise LinkError(Reason.LINK_LOST, str(error)) from error

    @override
    async def disconnect(self) -> None:
        """Let the device go."""
        await asyncio.sleep(0)
        connection, self._connection = self._connection, None
        self._dropped = None
        if connection is not None:
            connection.disconnect()

    @override
    def silence_reason(self) -> Reason:
        """Return no_answer while the device advertises, else out_of_range."""
        return Reason.NO_ANSWER if self._peripheral.advertising else Reason.OUT_OF_RANGE

    @override
    def watch_presence(self, changed: Callable[[bool], None]) -> Callable[[], None]:
        """Listen now and then whether the device advertises."""
        clock = self._peripheral.clock
        last = self.present
        cancel: Cancel | None = None

        def listen() -> None:
            nonlocal last
            listen_later()
            if (present := self.present) != last:
                last = present
                changed(present)

        def listen_later() -> None:
            nonlocal cancel
            cancel = clock.call_at(clock.elapsed() + LISTEN_EVERY, listen)

        def unwatch() -> None:
            if cancel is not None:
                cancel()

        listen_later()
        return unwatch

    def _lost(self, _reason: str) -> None:
        """Pass on that the link is lost, in a turn of its own as a radio stack does."""
        dropped, self._dropped = self._dropped, None
        self._connection = None
        if self._hanging is not None and not self._hanging.done():
            self._hanging.set_result(None)
        if dropped is not None:
            asyncio.get_running_loop().call_soon(dropped)

    async def _hang(self) -> NoReturn:
        """Wait until the caller gives up, or the link is lost. Raises LinkError then."""
        self._hanging = asyncio.get_running_loop().create_future()
        await self._hanging
        raise LinkError(Reason.LINK_LOST)


def _connect_reason(error: ConnectError) -> Reason:
    """Return why a device could not be connected."""
    match error:
        case OutOfRange():
            return Reason.OUT_OF_RANGE
        case OutOfSlots():
            return Reason.NO_FREE_SLOT
        case _:
            return Reason.HELD_BY_APP
