"""The fields of a cron expression, and the search for wall-clock times that match."""

from bisect import bisect_left
import calendar
from datetime import MAXYEAR, date, datetime, time

from ..frozen import frozen

_ALL_KINDS_OF_YEAR = range(2000, 2028)


@frozen
class CronFields:
    """What a cron expression allows; all tuples are sorted and without repeats.

    Weekdays count from Monday = 0. `nth_weekdays` holds (weekday, position in the
    month's list of that weekday), -1 being the last. With `needs_both` a day must match
    day of month and day of week, else one of them is enough (RES-41).
    `follows_real_clock` says that hour or minute has a wildcard (RES-14).
    """

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    last_day: bool
    months: tuple[int, ...]
    weekdays: frozenset[int]
    nth_weekdays: frozenset[tuple[int, int]]
    needs_both: bool
    follows_real_clock: bool

    def ever_match(self) -> bool:
        """Say whether any day matches: 28 years hold every kind of year."""
        return any(
            self._days_of(year, month)
            for year in _ALL_KINDS_OF_YEAR
            for month in self.months
        )

    def following(self, local: datetime) -> datetime | None:
        """Give the first matching naive time at or after a naive time of whole seconds.

        None when there is none before the last year of the calendar.
        """
        day = self._date_from(local.date())
        if day == local.date():
            if (moment := self._time_from(local.time())) is not None:
                return datetime.combine(day, moment)
            day = self._date_from(date.fromordinal(day.toordinal() + 1))
        if day is None:
            return None
        return datetime.combine(
            day, time(self.hours[0], self.minutes[0], self.seconds[0])
        )

    def _time_from(self, earliest: time) -> time | None:
        """Give the first matching time of day at or after another."""
        for hour in self.hours[bisect_left(self.hours, earliest.hour) :]:
            if hour > earliest.hour:
                return time(hour, self.minutes[0], self.seconds[0])
            for minute in self.minutes[bisect_left(self.minutes, earliest.minute) :]:
                if minute > earliest.minute:
                    return time(hour, minute, self.seconds[0])
                for second in self.seconds[
                    bisect_left(self.seconds, earliest.second) :
                ]:
                    return time(hour, minute, second)
        return None

    def _date_from(self, earliest: date) -> date | None:
        """Give the first matching date at or after another."""
        for year in range(earliest.year, MAXYEAR):
            for month in self.months:
                if (year, month) < (earliest.year, earliest.month):
                    continue
                for day in self._days_of(year, month):
                    if (found := date(year, month, day)) >= earliest:
                        return found
        return None

    def _days_of(self, year: int, month: int) -> list[int]:
        """Give the matching days of a month, in order."""
        first_weekday, length = calendar.monthrange(year, month)
        by_day = {day for day in self.days if day <= length}
        if self.last_day:
            by_day.add(length)
        by_weekday: set[int] = set()
        for weekday in self.weekdays:
            by_weekday.update(_dates(weekday, first_weekday, length))
        for weekday, position in self.nth_weekdays:
            dates = _dates(weekday, first_weekday, length)
            if position < len(dates):
                by_weekday.add(dates[position])
        return sorted(by_day & by_weekday if self.needs_both else by_day | by_weekday)


def _dates(weekday: int, first_weekday: int, length: int) -> range:
    """Give the days of a month that fall on a weekday."""
    return range(1 + (weekday - first_weekday) % 7, length + 1, 7)
