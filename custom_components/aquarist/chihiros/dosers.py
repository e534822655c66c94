"""Commands of dosing pumps (protocol section 4); the stirrer uses some of them too.

Volumes are whole microlitres. The wire carries tenths of a millilitre: what is below 0.1 mL
is cut off, never rounded up.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import time
from enum import IntEnum
from itertools import batched
from typing import Final

from ..frozen import frozen
from .command_frame import MAX_HEAD, CommandFrame, check_head, check_mask
from .frames import Group, Profile
from .ranges import OutOfRange, check_flag, check_wall_clock, check_whole

TENTH: Final = 100
MIN_DOSE: Final = 200
MAX_DOSE: Final = 999_900
MAX_VOLUME: Final = 6_553_500
# 6553.5 mL would read as "no volume" (255, 255) in a daily programme.
MAX_DAILY: Final = MAX_VOLUME - TENTH
MAX_CALIBRATION: Final = 255_999
OMITTED: Final = 255
_BATCH_BYTES: Final = 50


class ScheduleMode(IntEnum):
    """Second parameter of `A5/15`, and the mode byte of a head in the snapshot."""

    SINGLE = 0
    AUTO24 = 1
    WINDOWS = 2
    TIMER = 3
    DISABLED = 4


@frozen
class TimerEntry:
    """One dose of a timer programme: time of day and microlitres."""

    at: time
    microlitres: int


@frozen
class DoseWindow:
    """A span in which the pump spreads `count` doses: start and length of 1 to 1440 minutes."""

    start: time
    duration_minutes: int
    count: int


def volume_bytes(microlitres: int, field: str = "microlitres") -> bytes:
    """Return a volume up to 6553.5 mL as tenths of a millilitre, two bytes, big endian."""
    tenths = check_whole(field, microlitres, 0, MAX_VOLUME) // TENTH
    return tenths.to_bytes(2, "big")


def query_lifetime() -> CommandFrame:
    """Ask for the lifetime totals `1E`."""
    return _query(4)


def query_today() -> CommandFrame:
    """Ask for today's totals `22`."""
    return _query(5)


def dose_now(head: int, microlitres: int) -> CommandFrame:
    """Dose 0.2 to 999.9 mL at once. Not idempotent: never send it again."""
    return _dose(head, 0, microlitres)


def make_up_dose(head: int, microlitres: int) -> CommandFrame:
    """Dose 0.2 to 999.9 mL that are missing from today's target. Not idempotent."""
    return _dose(head, 2, microlitres)


def set_daily(
    head: int, weekday_mask: int, microlitres: int | None, *, first: bool
) -> CommandFrame:
    """Set a head's daily volume (None: no volume) and weekdays; `first` for a new head."""
    check_head(head)
    check_mask(weekday_mask)
    check_flag("first", first)
    if microlitres is None:
        volume = bytes([OMITTED, OMITTED])
    else:
        volume = volume_bytes(check_whole("microlitres", microlitres, 0, MAX_DAILY))
    parameters = bytes([head, weekday_mask, 1, not first]) + volume
    return _doser(0x1B, parameters)


def set_active(head: int, *, catch_up: bool, active: bool) -> CommandFrame:
    """Switch a head's programme and its catch-up of missed doses."""
    flags = [check_flag("catch_up", catch_up), check_flag("active", active)]
    return _doser(0x20, bytes([check_head(head), *flags]))


def doser_schedule_single(head: int, at: time, microlitres: int = 0) -> CommandFrame:
    """Dose once a day; the volume stays 0 here because `set_daily` carries it."""
    return _schedule(head, ScheduleMode.SINGLE, at, microlitres)


def doser_schedule_auto24(
    head: int, at: time = time.min, microlitres: int = 0
) -> CommandFrame:
    """Dose a 24th of the daily volume every hour; the app sends 00:00 and no volume."""
    return _schedule(head, ScheduleMode.AUTO24, at, microlitres)


def doser_schedule_timer(
    head: int, entries: Sequence[TimerEntry]
) -> tuple[CommandFrame, ...]:
    """Dose at listed times with a volume each; one frame takes 13 entries."""
    header = bytes([check_head(head), ScheduleMode.TIMER])
    records = [
        _clock_bytes(f"entries[{index}].at", entry.at)
        + volume_bytes(entry.microlitres, f"entries[{index}].microlitres")
        for index, entry in enumerate(entries)
    ]
    return _batches(0x15, header, "entries", records)


def doser_schedule_windows(
    head: int, windows: Sequence[DoseWindow]
) -> tuple[CommandFrame, ...]:
    """Spread the daily volume over windows; one frame takes ten of them."""
    records = [
        _window_bytes(f"windows[{index}]", window)
        for index, window in enumerate(windows)
    ]
    return _batches(0x17, bytes([check_head(head)]), "windows", records)


def reset_channel(head: int) -> CommandFrame:
    """Clear a head's programme.

    On a pump with more than four heads the parameters of the lower heads here and of the
    upper heads in `reset_lifetime` are the same; the protocol's sources do not explain it.
    """
    return _doser(0x05, bytes([check_head(head) + 25, 255, 255]))


def reset_lifetime(head: int) -> CommandFrame:
    """Set a head's lifetime counter to zero."""
    return _doser(0x05, bytes([check_head(head) + 21, 255, 255]))


def calibrate(
    head: int, *, seconds: int | None = None, microlitres: int | None = None
) -> CommandFrame:
    """Run for 0 to 254 seconds, or store the measured volume up to 255.99 mL, or both.

    The run is not idempotent. Hundredths of a millilitre are rounded half up and may be 100.
    """
    check_head(head)
    if seconds is None and microlitres is None:
        raise OutOfRange("seconds", None, 0, 254, "or a measured volume")
    run = OMITTED if seconds is None else check_whole("seconds", seconds, 0, 254)
    if microlitres is None:
        return _doser(0x16, bytes([head, run, OMITTED, OMITTED]))
    whole, rest = divmod(
        check_whole("microlitres", microlitres, 0, MAX_CALIBRATION), 1000
    )
    return _doser(0x16, bytes([head, run, whole, (rest + 5) // 10]))


def dose_delay(*, on: bool) -> CommandFrame:
    """Let the heads start 30 seconds apart."""
    return _doser(0x1F, bytes([check_flag("on", on)]))


def channel_color(head: int, color: int) -> CommandFrame:
    """Set the display colour of a head, 0 to 255 (newer pumps)."""
    return _doser(0x3B, bytes([check_head(head), check_whole("color", color, 0, 255)]))


def temporary_run(
    states: Mapping[int, bool], seconds: int | None = None
) -> CommandFrame:
    """Run (True) or stop (False) heads for up to 15359 seconds, or without limit (None)."""
    check_whole("len(states)", len(states), 1, MAX_HEAD + 1)
    slots = bytearray([OMITTED] * (MAX_HEAD + 1))
    for head, run in states.items():
        slots[check_head(head)] = check_flag(f"states[{head}]", run)
    if seconds is None:
        duration = (OMITTED, OMITTED)
    else:
        duration = divmod(check_whole("seconds", seconds, 0, 15359), 60)
    return _doser(0x14, bytes([*duration, *slots]))


def _doser(mode: int, parameters: bytes) -> CommandFrame:
    """Make a verbatim frame: escaping would change a dose."""
    return CommandFrame(group=Group.SCHEDULE, mode=mode, parameters=parameters)


def _query(which: int) -> CommandFrame:
    """Make one of the `A5/04` queries."""
    return CommandFrame(
        group=Group.SCHEDULE,
        mode=0x04,
        parameters=bytes([which]),
        profile=Profile.LEGACY,
    )


def _dose(head: int, kind: int, microlitres: int) -> CommandFrame:
    """Make the five-parameter form of `A5/1B`."""
    check_whole("microlitres", microlitres, MIN_DOSE, MAX_DOSE)
    return _doser(0x1B, bytes([check_head(head), 0, kind]) + volume_bytes(microlitres))


def _schedule(
    head: int, mode: ScheduleMode, at: time, microlitres: int
) -> CommandFrame:
    """Make an `A5/15` frame with a single record."""
    record = _clock_bytes("at", at) + volume_bytes(microlitres)
    return _doser(0x15, bytes([check_head(head), mode]) + record)


def _clock_bytes(field: str, at: time) -> bytes:
    """Return hour and minute of a naive time of day."""
    at = check_wall_clock(field, at)
    return bytes([at.hour, at.minute])


def _window_bytes(field: str, window: DoseWindow) -> bytes:
    """Return start, end and count; the end hour goes past 24 instead of wrapping."""
    start = check_wall_clock(f"{field}.start", window.start)
    minutes = check_whole(f"{field}.duration_minutes", window.duration_minutes, 1, 1440)
    end = divmod(start.hour * 60 + start.minute + minutes, 60)
    count = check_whole(f"{field}.count", window.count, 1, 255)
    return bytes([start.hour, start.minute, *end, count])


def _batches(
    mode: int, header: bytes, field: str, records: Iterable[bytes]
) -> tuple[CommandFrame, ...]:
    """Fill frames until the payload exceeds 50 bytes, each beginning with the header."""
    records = tuple(records)
    if not records:
        raise OutOfRange(f"len({field})", 0, 1, "any number")
    each = (_BATCH_BYTES - len(header)) // len(records[0]) + 1
    return tuple(
        _doser(mode, header + b"".join(batch))
        for batch in batched(records, each, strict=False)
    )
