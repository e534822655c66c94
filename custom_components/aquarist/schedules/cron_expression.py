"""Reading cron expressions in the dialect of RES-41.

Five columns, or six with the seconds first; names, lists, ranges, steps, `L`, `DOW#n`,
`L` with a weekday for its last one in the month, and the usual aliases.
"""

from collections.abc import Mapping
from dataclasses import field
from functools import lru_cache
import re
from typing import Literal

from ..frozen import frozen
from .cron_fields import CronFields
from .errors import ErrorCode, ScheduleError

LONGEST = 100

_FIELD = "cron_expression"
_ALIASES: Mapping[str, str] = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_ITEM = re.compile(
    r"(?:\*|(?P<first>\d{1,2}|[a-z]{3})(?:-(?P<last>\d{1,2}|[a-z]{3}))?)"
    r"(?:/(?P<step>0*[1-9]\d{0,2}))?"
    r"(?P<nth>#[1-5])?",
    re.ASCII,
)
_LAST_WEEKDAY = re.compile(r"l[0-7]")
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"
_WEEKDAYS = "sun mon tue wed thu fri sat"
_LAST_OF_MONTH = -1

type _Values = set[int | str]
type _NthWeekdays = set[tuple[int, int]]


def _numbered(names: str, first: int) -> dict[str, int]:
    """Number the names of a column's values."""
    return {name: number for number, name in enumerate(names.split(), first)}


@frozen
class _Column:
    """A column: its bounds and the names of its values."""

    name: Literal["second", "minute", "hour", "day_of_month", "month", "day_of_week"]
    lowest: int
    highest: int
    names: Mapping[str, int] = field(default_factory=dict)

    def number(self, value: str) -> int:
        """Give the number that a value stands for. Raises ValueError."""
        number = int(value) if value.isdigit() else self.names.get(value, -1)
        if not self.lowest <= number <= self.highest:
            raise ValueError(value)
        return number

    def span(self, first: int, last: int) -> list[int]:
        """Give the numbers from one to another, through the wrap where that is before.

        Sunday, the 7, is the 0.
        """
        if first <= last:
            return [*range(first, last + 1)]
        end = self.highest + (self.name != "day_of_week")
        return [*range(first, end), *range(self.lowest, last + 1)]


_COLUMNS = (
    _Column(name="second", lowest=0, highest=59),
    _Column(name="minute", lowest=0, highest=59),
    _Column(name="hour", lowest=0, highest=23),
    _Column(name="day_of_month", lowest=1, highest=31),
    _Column(
        name="month",
        lowest=1,
        highest=12,
        names=_numbered(_MONTHS, 1),
    ),
    _Column(
        name="day_of_week",
        lowest=0,
        highest=7,
        names=_numbered(_WEEKDAYS, 0),
    ),
)


# A definition is checked by reading its expression, and read again to plan by it.
@lru_cache(maxsize=64)
def parse(expression: str) -> CronFields:
    """Read a cron expression.

    Raises ScheduleError for `cron_expression`: too long, a wrong number of columns, an
    alias that is not supported (`@reboot`, `@every`), a malformed column, or a day that
    never comes.
    """
    texts = _columns(expression)
    expanded = [
        _expand(column, text, expression)
        for column, text in zip(_COLUMNS, texts, strict=True)
    ]
    seconds, minutes, hours, days, months, weekdays = (values for values, _ in expanded)
    fields = CronFields(
        seconds=_sorted(seconds),
        minutes=_sorted(minutes),
        hours=_sorted(hours),
        days=frozenset(_sorted(days)),
        last_day="l" in days,
        months=_sorted(months),
        weekdays=frozenset(_from_monday(day) for day in _sorted(weekdays)),
        nth_weekdays=frozenset(expanded[-1][1]),
        needs_both=texts[3].startswith(("*", "?")) or texts[5].startswith(("*", "?")),
        follows_real_clock="*" in texts[1] + texts[2],
    )
    if not fields.ever_match():
        raise ScheduleError(_FIELD, ErrorCode.NEVER_MATCHES, {"expression": expression})
    return fields


def _columns(expression: str) -> list[str]:
    """Split an expression into its six columns, in lower case."""
    if len(expression) > LONGEST:
        raise ScheduleError(_FIELD, ErrorCode.TOO_LONG, {"maximum": str(LONGEST)})
    texts = expression.lower().split()
    if texts and texts[0].startswith("@"):
        alias = " ".join(texts)
        if alias not in _ALIASES:
            raise ScheduleError(
                _FIELD,
                ErrorCode.CRON_ALIAS,
                {"expression": expression, "known": ", ".join(_ALIASES)},
            )
        texts = _ALIASES[alias].split()
    if len(texts) not in {5, 6}:
        raise ScheduleError(
            _FIELD,
            ErrorCode.CRON_COLUMNS,
            {"expression": expression, "count": str(len(texts))},
        )
    return ["0", *texts][-6:]


def _expand(
    column: _Column, text: str, expression: str
) -> tuple[_Values, _NthWeekdays]:
    """Expand a column into its values and the weekdays with a position in the month."""
    values: _Values = set()
    nth_weekdays: _NthWeekdays = set()
    of_week, of_month = column.name == "day_of_week", column.name == "day_of_month"
    for item in text.split(","):
        if of_month and item == "l":
            values.add(item)
        elif (of_month or of_week) and item == "?":
            values.update(column.span(column.lowest, column.highest))
        elif of_week and _LAST_WEEKDAY.fullmatch(item):
            nth_weekdays.add((_from_monday(int(item[1])), _LAST_OF_MONTH))
        else:
            try:
                numbers, nth = _numbers(column, item)
            except ValueError as error:
                raise ScheduleError(
                    _FIELD,
                    ErrorCode.MALFORMED_CRON,
                    {"expression": expression, "column": column.name},
                ) from error
            if nth is None:
                values.update(numbers)
            else:
                nth_weekdays.update((_from_monday(day), nth) for day in numbers)
    return values, nth_weekdays


def _numbers(column: _Column, item: str) -> tuple[list[int], int | None]:
    """Give the numbers of an item and their position in a month's list of that weekday.

    Raises ValueError for what the dialect does not have.
    """
    parts = _ITEM.fullmatch(item)
    if parts is None:
        raise ValueError(item)
    first, last, step, nth = parts.group("first", "last", "step", "nth")
    if nth and (first is None or column.name != "day_of_week"):
        raise ValueError(item)
    begin = column.lowest if first is None else column.number(first)
    end = begin
    if last:
        end = column.number(last)
    elif first is None or step:
        end = column.highest
    return column.span(begin, end)[:: int(step or 1)], int(nth[1]) - 1 if nth else None


def _sorted(values: _Values) -> tuple[int, ...]:
    """Give the numbers among the values, in order."""
    return tuple(sorted(value for value in values if isinstance(value, int)))


def _from_monday(weekday: int) -> int:
    """Count a weekday from Monday = 0 instead of Sunday = 0."""
    return (weekday - 1) % 7
