"""Start Home Assistant in this process, with nothing open but loopback.

Takes the arguments of `hass`. Home Assistant opens multicast DNS on every interface as
soon as it makes an HTTP session, so Zeroconf is kept on 127.0.0.1 before anything loads.
"""

from functools import wraps
import sys
from typing import Any

from homeassistant.__main__ import main
import zeroconf


def keep_on_loopback() -> None:
    """Make every Zeroconf of this process talk on 127.0.0.1 alone, without port 5353."""
    original = zeroconf.Zeroconf.__init__

    @wraps(original)
    def on_loopback(self: zeroconf.Zeroconf, **options: Any) -> None:
        options |= {
            "interfaces": ["127.0.0.1"],
            "ip_version": zeroconf.IPVersion.V4Only,
            # Not unicast: a socket bound to all interfaces would listen at port 5353.
            "unicast": True,
        }
        original(self, **options)

    zeroconf.Zeroconf.__init__ = on_loopback  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    keep_on_loopback()
    sys.exit(main())
