"""What a pump head does by itself: the four programmes of its memory. Pure.

Protocol section 4.2 and R-C59. Times are the pump's own clock: local wall time. Volumes are
whole microlitres, on the wire and in JSON tenths of a millilitre.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

from ..chihiros.command_frame import Weekday
from ..chihiros.dosers import TENTH
from ..chihiros.weekday_names import mask_of, names_of
from ..frozen import frozen

DAY_MINUTES: Final = 24 * 60
SHOWN_TARGETS: Final = 256
_MILLILITRE: Final = 1000
_WEEK_DAYS: Final = 7


class ProgrammeMode(StrEnum):
    """How the doses of a day are spread."""

    SINGLE = "single"
    EVERY_HOUR = "every_hour"
    CUSTOM_PERIODS = "custom_periods"
    TIMER = "timer"


@frozen
class Period:
    """A span of 1 to 1440 minutes over which doses are spread; it may pass midnight."""

    start: time
    minutes: int
    doses: int


@frozen
class TimedDose:
    """One dose at a time of day."""

    at: time
    volume: int


@frozen
class Programme:
    """The programme of one head.

    ``volume`` is what a day gives; a timer's is the sum of its doses. ``at`` is the time of
    the single dose, ``periods`` and ``timers`` belong to the modes of these names and are
    in the order of their times.
    """

    mode: ProgrammeMode
    volume: int
    weekdays: Weekday = Weekday.EVERY_DAY
    catch_up: bool = False
    at: time = time.min
    periods: tuple[Period, ...] = ()
    timers: tuple[TimedDose, ...] = ()

    @property
    def weekly_volume(self) -> int:
        """Return the microlitres that a whole week gives."""
        return self.volume * self.weekdays.bit_count()

    @property
    def first_times(self) -> tuple[time, ...]:
        """Return the times that a snapshot shows: three of a timer, one of the others."""
        match self.mode:
            case ProgrammeMode.TIMER:
                return tuple(dose.at for dose in self.timers[:3])
            case ProgrammeMode.CUSTOM_PERIODS:
                return (self.periods[0].start,)
            case _:
                return (self.at,)

    def doses(self) -> list[tuple[int, int]]:
        """Return the doses of a day it runs on as (minute since midnight, microlitres).

        In the order of time; a period that passes midnight goes on beyond minute 1440.
        """
        match self.mode:
            case ProgrammeMode.TIMER:
                return [(_minute(dose.at), dose.volume) for dose in self.timers]
            case ProgrammeMode.SINGLE:
                minutes = [_minute(self.at)]
            case ProgrammeMode.EVERY_HOUR:
                minutes = [hour * 60 for hour in range(24)]
            case _:
                minutes = sorted(
                    _minute(period.start) + period.minutes * step // period.doses
                    for period in self.periods
                    for step in range(period.doses)
                )
        return list(zip(minutes, _shares(self.volume, len(minutes)), strict=True))

    def next_dose(self, after: datetime) -> tuple[datetime, int] | None:
        """Return when the pump doses next and how many microlitres; None when it never does.

        ``after`` and the answer are local wall time without a zone.
        """
        return next(self.doses_between(after, after + timedelta(days=_WEEK_DAYS)), None)

    def doses_between(
        self, after: datetime, until: datetime
    ) -> Iterator[tuple[datetime, int]]:
        """Yield when the pump doses after an instant, until another, and the microlitres.

        In the order of time; several may come at once. All are local wall time without a
        zone.
        """
        midnight = datetime.combine(after.date(), time.min)
        while midnight <= until:
            for due, volume in self._on(midnight):
                if after < due <= until:
                    yield due, volume
            midnight += timedelta(days=1)

    def _on(self, midnight: datetime) -> list[tuple[datetime, int]]:
        """Return the doses of a calendar day: periods of the day before may last into it."""
        found = []
        for passed in (1, 0):
            begun = midnight - timedelta(days=passed)
            if self.weekdays & Weekday.from_iso(begun.isoweekday()):
                found += [
                    (begun + timedelta(minutes=minute), volume)
                    for minute, volume in self.doses()
                    if volume and minute // DAY_MINUTES == passed
                ]
        return sorted(found)

    def shown(
        self,
        mode: ProgrammeMode | None,
        times: tuple[time, ...],
        target_ml: int | None = None,
    ) -> bool:
        """Return whether a pump that keeps this programme could show that (protocol 4.3).

        The target has one byte of whole millilitres; a timer's is not documented.
        """
        if mode is not self.mode or times != self.first_times:
            return False
        told = target_ml is not None and self.volume < SHOWN_TARGETS * _MILLILITRE
        if self.mode is ProgrammeMode.TIMER or not told:
            return True
        return target_ml == self.volume // _MILLILITRE

    def as_json(self) -> dict[str, Any]:
        """Write the programme as arguments of `set_doser_schedule`, without the head."""
        written: dict[str, Any] = {"mode": self.mode.value}
        match self.mode:
            case ProgrammeMode.TIMER:
                written["timers"] = [
                    {
                        "time": _written(dose.at),
                        "volume_tenths_ml": dose.volume // TENTH,
                    }
                    for dose in self.timers
                ]
            case ProgrammeMode.SINGLE:
                written |= {"hour": self.at.hour, "minute": self.at.minute}
            case ProgrammeMode.CUSTOM_PERIODS:
                written["periods"] = [
                    {
                        "start": _written(period.start),
                        "end": _written(_end(period)),
                        "doses": period.doses,
                    }
                    for period in self.periods
                ]
        if self.mode is not ProgrammeMode.TIMER:
            written["volume_tenths_ml"] = self.volume // TENTH
        return written | {
            "weekdays": names_of(self.weekdays),
            "catch_up": self.catch_up,
        }


def programme_from(args: Mapping[str, Any]) -> Programme:
    """Return the programme of valid arguments of `set_doser_schedule` (RES-63).

    A period whose end is not after its start ends on the next day.
    """
    mode = ProgrammeMode(args["mode"])
    timers = sorted(
        (
            TimedDose(
                at=time.fromisoformat(entry["time"]),
                volume=entry["volume_tenths_ml"] * TENTH,
            )
            for entry in args.get("timers", ())
        ),
        key=lambda dose: dose.at,
    )
    periods = sorted(
        (_period(entry) for entry in args.get("periods", ())),
        key=lambda period: period.start,
    )
    if mode is ProgrammeMode.TIMER:
        volume = sum(dose.volume for dose in timers)
    else:
        volume = args["volume_tenths_ml"] * TENTH
    return Programme(
        mode=mode,
        volume=volume,
        weekdays=mask_of(args["weekdays"]),
        catch_up=args["catch_up"],
        at=time(args.get("hour", 0), args.get("minute", 0)),
        periods=tuple(periods),
        timers=tuple(timers),
    )


def _period(entry: Mapping[str, Any]) -> Period:
    """Return the period of a start, an end and a number of doses."""
    start = time.fromisoformat(entry["start"])
    end = time.fromisoformat(entry["end"])
    minutes = (_minute(end) - _minute(start)) % DAY_MINUTES or DAY_MINUTES
    return Period(start=start, minutes=minutes, doses=entry["doses"])


def _minute(at: time) -> int:
    """Return the minute of the day."""
    return at.hour * 60 + at.minute


def _written(at: time) -> str:
    """Write a time of day."""
    return at.isoformat("minutes")


def _end(period: Period) -> time:
    """Return the time of day at which a period ends."""
    hour, minute = divmod((_minute(period.start) + period.minutes) % DAY_MINUTES, 60)
    return time(hour, minute)


def _shares(volume: int, count: int) -> list[int]:
    """Split a volume into equal whole parts that add up to it."""
    return [
        volume * (part + 1) // count - volume * part // count for part in range(count)
    ]
