"""From programmes to frames in the app's order, and from a pump's snapshot back. Pure."""

from collections.abc import Mapping
from datetime import time

from ..chihiros.command_frame import CommandFrame
from ..chihiros.dosers import (
    DoseWindow,
    ScheduleMode,
    TimerEntry,
    doser_schedule_auto24,
    doser_schedule_single,
    doser_schedule_timer,
    doser_schedule_windows,
    reset_channel,
    reset_lifetime,
    set_active,
    set_daily,
)
from ..chihiros.notifications import DoserSnapshot, HeadSnapshot
from ..dosing.programme import Programme, ProgrammeMode
from .device import HeadMemory

# The numbers that clear the programmes of these zero the counters of the next four heads.
UNAMBIGUOUS_HEADS = 4
_MODES = {
    ScheduleMode.SINGLE: ProgrammeMode.SINGLE,
    ScheduleMode.AUTO24: ProgrammeMode.EVERY_HOUR,
    ScheduleMode.WINDOWS: ProgrammeMode.CUSTOM_PERIODS,
    ScheduleMode.TIMER: ProgrammeMode.TIMER,
    ScheduleMode.DISABLED: None,
}


def programme_frames(head: int, programme: Programme) -> tuple[CommandFrame, ...]:
    """Return what writes a programme: enable, volume and weekdays, then the times."""
    timer = programme.mode is ProgrammeMode.TIMER
    return (
        set_active(head, catch_up=programme.catch_up, active=True),
        set_daily(
            head,
            programme.weekdays,
            None if timer else programme.volume,
            first=False,
        ),
        *_time_frames(head, programme),
    )


def removal_frames(head: int, heads: int) -> tuple[CommandFrame, ...]:
    """Return what switches a head's programme off and clears it.

    On a pump with more than four heads the number that clears a lower head's programme also
    zeroes an upper head's counter (protocol 4.2): there it is only switched off.
    """
    off = set_active(head, catch_up=False, active=False)
    if heads > UNAMBIGUOUS_HEADS and head < UNAMBIGUOUS_HEADS:
        return (off,)
    return off, reset_channel(head)


def zeroing_frames(head: int) -> tuple[CommandFrame, ...]:
    """Return what zeroes a head's lifetime counter: nothing where that could clear a programme."""
    return (reset_lifetime(head),) if head < UNAMBIGUOUS_HEADS else ()


def shown_heads(snapshot: DoserSnapshot, heads: int) -> Mapping[int, HeadMemory]:
    """Return what a pump shows of its heads; one in a mode nobody knows is left out."""
    return {
        index: _head_memory(head, target)
        for index, (head, target) in enumerate(
            zip(snapshot.heads, snapshot.daily_target_ml, strict=True)
        )
        if index < heads and head.mode is not None
    }


def _head_memory(head: HeadSnapshot, target_ml: int) -> HeadMemory:
    """Return what is shown of one head; times that are none are left out."""
    return HeadMemory(
        mode=None if head.mode is None else _MODES[head.mode],
        times=tuple(
            time(hour, minute)
            for hour, minute in head.times
            if hour < 24 and minute < 60
        ),
        today=head.today_microlitres,
        target_ml=target_ml,
    )


def _time_frames(head: int, programme: Programme) -> tuple[CommandFrame, ...]:
    """Return the frames that carry a programme's times; long lists take several."""
    match programme.mode:
        case ProgrammeMode.SINGLE:
            return (doser_schedule_single(head, programme.at),)
        case ProgrammeMode.EVERY_HOUR:
            return (doser_schedule_auto24(head),)
        case ProgrammeMode.CUSTOM_PERIODS:
            return doser_schedule_windows(
                head,
                [
                    DoseWindow(
                        start=period.start,
                        duration_minutes=period.minutes,
                        count=period.doses,
                    )
                    for period in programme.periods
                ],
            )
        case _:
            return doser_schedule_timer(
                head,
                [
                    TimerEntry(at=dose.at, microlitres=dose.volume)
                    for dose in programme.timers
                ],
            )
