"""The port between a link and what carries its bytes."""

from collections.abc import Callable
from typing import Protocol

from .errors import Reason


class Transport(Protocol):
    """Carries bytes to one device and back. One connection at a time.

    All calls are made in the event loop. ``LinkError`` is the only error that the
    coroutines raise; the caller bounds their time and may cancel them.
    """

    @property
    def connected(self) -> bool:
        """Return whether the connection is open."""

    @property
    def present(self) -> bool:
        """Return whether the device is connected or was heard by a scanner that can connect."""

    @property
    def signal(self) -> int | None:
        """Return how strong the device was heard last in dBm, None while nobody knows."""

    async def connect(
        self, notify: Callable[[bytes], None], dropped: Callable[[], None]
    ) -> None:
        """Open the connection and subscribe to notifications.

        ``notify`` gets the bytes of each notification, ``dropped`` is called once when the
        connection ends without ``disconnect``. Raises LinkError; what was begun is undone.
        """

    async def write(self, data: bytes) -> None:
        """Write to the device, with response where the device offers it. Raises LinkError."""

    async def disconnect(self) -> None:
        """Close the connection; does nothing when there is none. Never raises LinkError."""

    def silence_reason(self) -> Reason:
        """Return the likeliest reason why a connect has not come to an end in time."""

    def watch_presence(self, changed: Callable[[bool], None]) -> Callable[[], None]:
        """Call ``changed`` with the new ``present`` when it changes, until the returned function is called."""
