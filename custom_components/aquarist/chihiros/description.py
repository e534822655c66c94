"""What a frame says, in plain English, in both directions: for people who read logs."""

from collections.abc import Callable
from typing import Final

from . import frames
from .common_text import COMMON_READERS
from .frames import FrameError, Group
from .models import DeviceFamily
from .notification_text import notification_text
from .notifications import NOTIFICATION_GROUP, decode
from .schedule_text import SCHEDULE_READERS

type _Reader = Callable[[bytes], str | None]

_READERS: Final[dict[int, dict[int, _Reader]]] = {
    Group.COMMON: COMMON_READERS,
    Group.SCHEDULE: SCHEDULE_READERS,
}


def describe(data: bytes, family: DeviceFamily | None = None) -> str:
    """Say what a host frame or a notification means; never raises.

    Without a family every reading that fits is given, because lights and dosers (heaters and
    fans) use the same modes for different things.
    """
    if data[:1] == bytes([NOTIFICATION_GROUP]):
        return f"device → host: {_notification(data, family)}"
    try:
        frame = frames.parse(data)
    except FrameError as error:
        return f"unreadable: {error.reason}"
    name = f"{frame.group:02X}/{frame.mode:02X}"
    number = int.from_bytes(bytes(frame.message_id), "big")
    return f"host → device: {_command(frame)} ({name}, id {number:#06x})"


def _notification(data: bytes, family: DeviceFamily | None) -> str:
    """Describe a notification, in all readings when the family is not known."""
    families = DeviceFamily if family is None else (family,)
    readings: dict[str, str] = {}
    for candidate in families:
        notification = decode(data, candidate)
        if notification is not None:
            readings.setdefault(notification_text(notification), candidate)
    if not readings:
        return "unknown or cut off"
    if len(readings) == 1:
        return next(iter(readings))
    return "; or ".join(
        f"as a {candidate}: {text}" for text, candidate in readings.items()
    )


def _command(frame: frames.Frame) -> str:
    """Describe a host frame by its mode, or by its bare parameters when it is unknown."""
    reader = _READERS.get(frame.group, {}).get(frame.mode)
    text = reader(frame.parameters) if reader else None
    if text is None:
        return f"unknown command [{', '.join(map(str, frame.parameters))}]"
    return text
