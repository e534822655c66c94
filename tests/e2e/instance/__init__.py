"""A real Home Assistant in a process of its own, on loopback only.

Used by the end-to-end tests, by `scripts/develop` and by the smoke test on the newest
Home Assistant, so nothing here may import pytest or the test harness.
"""

from .client import ApiError, Client, FlowError, Tokens, WebSocket
from .process import Instance, NotRunning, free_port
from .proxy import Proxy
from .seed import User, prepare

__all__ = [
    "ApiError",
    "Client",
    "FlowError",
    "Instance",
    "NotRunning",
    "Proxy",
    "Tokens",
    "User",
    "WebSocket",
    "free_port",
    "prepare",
]
