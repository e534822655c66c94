"""Whether a device can be reached, said once each time it changes."""

from collections.abc import Callable
import logging

from .transport import Transport

_LOGGER = logging.getLogger(__name__)


class Presence:
    """Follows a transport: a device is available while it is connected or heard (protocol section 1.3)."""

    def __init__(self, transport: Transport, name: str) -> None:
        """Follow the transport from now on; how it is at the start is not news."""
        self._transport = transport
        self._name = name
        self._listeners: list[Callable[[bool], None]] = []
        self.available = transport.present
        self._told_unavailable = False
        self._unwatch = transport.watch_presence(self._changed)

    def listen(self, listener: Callable[[bool], None]) -> Callable[[], None]:
        """Call the listener with each change until the returned function is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def refresh(self) -> None:
        """Look again, after a connection was opened or has ended."""
        self._changed(self._transport.present)

    def close(self) -> None:
        """Follow no longer."""
        self._unwatch()
        self._listeners.clear()

    def _changed(self, available: bool) -> None:
        """Take over a change, log it and pass it on."""
        if available == self.available:
            return
        self.available = available
        if not available:
            self._told_unavailable = True
            _LOGGER.info("%s is unavailable", self._name)
        elif self._told_unavailable:
            self._told_unavailable = False
            _LOGGER.info("%s is available again", self._name)
        for listener in list(self._listeners):
            listener(available)
