"""A command as data, and the commands that all devices share.

Protocol sections 2.3, 3.1 and 3.2. Knows the wire, not what the user wants to happen.
"""

from collections.abc import Iterable
from datetime import date, datetime, time
from enum import IntEnum, IntFlag
from functools import reduce
from operator import or_
from typing import Final

from ..frozen import frozen
from . import frames
from .frames import Group, MessageId, Profile
from .ranges import OutOfRange, check_whole

MAX_HEAD: Final = 7
MAX_CHANNEL: Final = 7
_FIRST_DAY: Final = date(2000, 1, 1)
_LAST_DAY: Final = date(2255, 12, 31)


class Weekday(IntFlag):
    """The bits of a weekday mask (protocol section 3.3)."""

    MONDAY = 64
    TUESDAY = 32
    WEDNESDAY = 16
    THURSDAY = 8
    FRIDAY = 4
    SATURDAY = 2
    SUNDAY = 1
    EVERY_DAY = 127

    @classmethod
    def from_iso(cls, weekday: int) -> Weekday:
        """Return the bit of an ISO weekday, 1 (Monday) to 7 (Sunday); else raise OutOfRange."""
        return cls(1 << (7 - check_whole("weekday", weekday, 1, 7)))


class ModeSwitch(IntEnum):
    """First parameter of `5A/05` (protocol section 3.2).

    49 is claimed for two meanings by the sources; no surface may offer LED_OFF before a test
    on real hardware.
    """

    CURVE_AUTO = 3
    DEMO_STOP = 4
    ERASE_SCHEDULES = 5
    DEMO_START = 6
    EVALUATE = 7
    MANUAL = 11
    FAN_AUTO = 17
    AUTO = 18
    COOLING_AUTO = 34
    COOLING_SILENT = 35
    FINISH_EDIT = 40
    CELSIUS = 44
    FAHRENHEIT = 45
    HEATING_ON = 46
    HEATING_OFF = 47
    PROTECTION_OFF = 48
    PROTECTION_ON = 49
    LED_OFF = 49
    LED_ON = 50
    RESET_WORK_TIME = 58


@frozen
class CommandFrame:
    """One frame to be sent, without its message id; the builders make only valid ones."""

    group: Group
    mode: int
    parameters: bytes
    profile: Profile = Profile.VERBATIM

    def encode(self, message_id: MessageId) -> bytes:
        """Return the bytes to write.

        The legacy profile may use a later id than the one given: continue counting from
        `frames.parse(result).message_id`.
        """
        return frames.build(
            self.group, self.mode, self.parameters, message_id, self.profile
        )


def weekday_mask(days: Iterable[Weekday]) -> Weekday:
    """Join days to one mask; no days give 0, which the programme builders refuse."""
    return reduce(or_, days, Weekday(0))


def check_mask(mask: int) -> int:
    """Return a weekday mask with at least one day, or raise OutOfRange."""
    return check_whole("weekday_mask", mask, 1, Weekday.EVERY_DAY)


def check_head(head: int) -> int:
    """Return a head number 0 to 7, or raise OutOfRange."""
    return check_whole("head", head, 0, MAX_HEAD)


def query_status() -> CommandFrame:
    """Ask for the status `0A` and the snapshot `FE`."""
    return _common(0x04, bytes([1]))


def set_time(local: datetime) -> CommandFrame:
    """Set the device clock to this naive local wall-clock time of the years 2000 to 2255."""
    if not isinstance(local, datetime) or local.tzinfo is not None:
        raise _not_a_date("local", local)
    day = _day_bytes("local", local.date())
    return _common(0x09, day + bytes([local.hour, local.minute, local.second]))


def set_time_short(day: date) -> CommandFrame:
    """Set only the date of the device clock (optional variant, protocol section 3.2)."""
    if not isinstance(day, date) or isinstance(day, datetime):
        raise _not_a_date("day", day)
    return _common(0x09, _day_bytes("day", day))


def mode(sub: int) -> CommandFrame:
    """Send any mode switch, 0 to 255; ModeSwitch names the known ones."""
    return _common(0x05, bytes([check_whole("sub", sub, 0, 255), 255, 255]))


def _common(mode_byte: int, parameters: bytes) -> CommandFrame:
    """Make a frame of the common group in the profile that the field has used for years."""
    return CommandFrame(
        group=Group.COMMON,
        mode=mode_byte,
        parameters=parameters,
        profile=Profile.LEGACY,
    )


def _day_bytes(field: str, day: date) -> bytes:
    """Return year since 2000, month and ISO weekday; the day of month is not on the wire."""
    if not _FIRST_DAY <= day <= _LAST_DAY:
        raise _not_a_date(field, day)
    return bytes([day.year - 2000, day.month, day.isoweekday()])


def _not_a_date(field: str, value: object) -> OutOfRange:
    """Describe a refused date or clock value."""
    return OutOfRange(
        field,
        value,
        datetime.combine(_FIRST_DAY, time.min),
        datetime.combine(_LAST_DAY, time(23, 59, 59)),
        "a wall clock value without zone",
    )
