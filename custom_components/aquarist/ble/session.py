"""One connection: its message ids, the order and pace of its writes, and the answers on it."""

import asyncio
from collections.abc import Callable
from typing import Any

from ..chihiros.command_frame import CommandFrame
from ..chihiros.frames import FIRST_MESSAGE_ID, next_message_id, parse
from ..chihiros.models import DeviceFamily
from ..chihiros.notifications import Notification, decode
from ..frozen import frozen
from .attempt import Attempt
from .errors import BrokenOffError, LinkError, Reason
from .transport import Transport


@frozen
class LinkSettings:
    """The times of a link, in seconds."""

    connect_timeout: float = 15.0
    idle_hold: float = 30.0
    write_pause: float = 0.03
    write_timeout: float = 5.0
    answer_timeout: float = 2.0
    drop_grace: float = 2.0
    disconnect_timeout: float = 5.0


class Session:
    """Lives from a connect to the end of that connection."""

    def __init__(
        self,
        transport: Transport,
        family: DeviceFamily,
        settings: LinkSettings,
        notified: Callable[[Notification], None],
    ) -> None:
        """Start with the first message id (protocol section 2.2); ``notified`` gets what the device says."""
        self._transport = transport
        self._family = family
        self._settings = settings
        self._notified = notified
        self._message_id = FIRST_MESSAGE_ID
        self._writing = asyncio.Lock()
        self._pause_until = 0.0
        self._attempt = Attempt()
        # An answer is None when the connection has ended first.
        self._answers: list[tuple[type[Any], asyncio.Future[Notification | None]]] = []
        self._over: Callable[[], LinkError] | None = None

    @property
    def open(self) -> bool:
        """Return whether frames can still be written."""
        return self._over is None

    def received(self, data: bytes) -> None:
        """Take the bytes of a notification; what cannot be read is ignored."""
        notification = decode(data, self._family)
        if not self.open or notification is None:
            return
        for kind, answer in self._answers:
            if isinstance(notification, kind) and not answer.done():
                answer.set_result(notification)
        self._notified(notification)

    async def write(self, *frames: CommandFrame) -> None:
        """Write frames one after another, with nothing of others between them.

        Raises LinkError; the frames after the one that failed are not written.
        """
        async with self._writing:
            for frame in frames:
                await self._write(frame)

    async def ask[N: Notification](
        self, frame: CommandFrame, kind: type[N], timeout: float | None = None
    ) -> N | None:
        """Write a frame and return the next notification of that kind; None when none comes in time.

        Raises LinkError when the write fails or the connection ends.
        """
        answer: asyncio.Future[Notification | None] = (
            asyncio.get_running_loop().create_future()
        )
        self._answers.append((kind, answer))
        try:
            await self.write(frame)
            async with asyncio.timeout(
                self._settings.answer_timeout if timeout is None else timeout
            ):
                notification = await answer
        except TimeoutError:
            return None
        finally:
            self._answers.remove((kind, answer))
        if not isinstance(notification, kind):
            raise LinkError(Reason.LINK_LOST, "no answer before the connection ended")
        return notification

    async def finish(self) -> None:
        """Take no more frames, and give the write in flight its grace before it is broken off."""
        self._over = self._over or BrokenOffError
        await self._attempt.finish(self._settings.drop_grace, BrokenOffError())

    def end(self) -> None:
        """Take note that the connection is over: whoever writes or waits gets link_lost."""
        self._over = self._over or _lost
        self._attempt.break_off(self._over())
        for _, answer in self._answers:
            if not answer.done():
                answer.set_result(None)

    async def _write(self, frame: CommandFrame) -> None:
        """Write one frame, not sooner after the last one than the device can take it."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._pause_until - loop.time())
        if self._over is not None:
            raise self._over()
        data = frame.encode(self._message_id)
        # Encoding may skip ids; the next one follows the one that was used.
        self._message_id = next_message_id(parse(data).message_id)
        try:
            await self._attempt.run(
                self._transport.write(data),
                self._settings.write_timeout,
                lambda: Reason.NO_ANSWER,
            )
        except LinkError as error:
            # A device that owes a response takes no further request: such a connection is of no use.
            if error.reason is not Reason.WRITE_FAILED:
                self._over = self._over or _lost
            raise
        finally:
            self._pause_until = loop.time() + self._settings.write_pause


def _lost() -> LinkError:
    """Return the error of whoever uses a connection that is gone."""
    return LinkError(Reason.LINK_LOST)
