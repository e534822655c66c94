"""The one link between a central and a peripheral, and the record of what came over it."""

from collections.abc import Callable
from typing import Protocol

from ..frozen import frozen
from .errors import LinkLost


class Receiver(Protocol):
    """The peripheral's side of a link."""

    def receive(self, data: bytes, *, response: bool) -> None:
        """Take the bytes of one write."""

    def released(self) -> None:
        """Learn that the central has gone."""


@frozen
class WrittenFrame:
    """Bytes that arrived in one write, at an elapsed second, with or without a response asked."""

    at_elapsed: float
    data: bytes
    response: bool


class Connection:
    """A link as the central holds it."""

    def __init__(
        self,
        receiver: Receiver,
        notify: Callable[[bytes], None],
        dropped: Callable[[str], None],
    ) -> None:
        """Bind the central's two callbacks to the peripheral."""
        self._receiver = receiver
        self._notify = notify
        self._dropped = dropped
        self.connected = True
        self.subscribed = False

    def write(self, data: bytes, response: bool) -> None:  # noqa: FBT001  (as in GATT)
        """Write to the UART's write characteristic.

        Raises LinkLost when there is no link or, with response, when it breaks on the way;
        WriteFailed or WriteUnanswered, with response, on a fault. Without response a write that
        goes wrong on the way raises nothing.
        """
        self._require_link()
        self._receiver.receive(data, response=response)

    def subscribe(self) -> None:
        """Switch notifications on. Raises LinkLost when there is no link."""
        self._require_link()
        self.subscribed = True

    def unsubscribe(self) -> None:
        """Switch notifications off. Raises LinkLost when there is no link."""
        self._require_link()
        self.subscribed = False

    def disconnect(self) -> None:
        """End the link on the central's own wish: `dropped` is not called. Twice does no harm."""
        if self.connected:
            self.connected = False
            self._receiver.released()

    def notify(self, data: bytes) -> None:
        """Hand a notification to the central (the peripheral's side)."""
        self._notify(data)

    def drop(self, reason: str) -> None:
        """Tell the central that the link is lost (the peripheral's side)."""
        self.connected = False
        self._dropped(reason)

    def _require_link(self) -> None:
        """Refuse to go on without a link."""
        if not self.connected:
            raise LinkLost
