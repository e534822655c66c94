"""Reading cron expressions in the dialect of RES-41.

Five columns, or six with the seconds first; names, lists, ranges, steps, `L`, `DOW#n`,
`L` with a weekday for its last one in the month, and the usual aliases. croniter
expands each column; what it would read in a way that surprises (random values, the
nearest weekday, a range from a value to itself) is refused or written out before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
import re
from typing import Literal

from croniter import CroniterError, croniter

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
    r"(?P<first>\*|\?|l[0-7]?|\d{1,2}|[a-z]{3})"
    r"(?:-(?P<last>\d{1,2}|[a-z]{3}))?"
    r"(?:/(?P<step>0*[1-9]\d{0,2}))?"
    r"(?P<nth>#[1-5])?",
    re.ASCII,
)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"
_WEEKDAYS = "sun mon tue wed thu fri sat"
_LAST_OF_MONTH = -1
_CRONITER_COLUMNS = 5

type _Values = set[int | str]
type _NthWeekdays = set[tuple[int, int]]


def _numbered(names: str, first: int) -> dict[str, int]:
    """Number the names of a column's values."""
    return {name: number for number, name in enumerate(names.split(), first)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A column: its place for croniter, its bounds and the names of its values.

    The seconds take the place of the minutes: with five columns croniter is stricter.
    """

    name: Literal["second", "minute", "hour", "day_of_month", "month", "day_of_week"]
    place: int
    lowest: int
    highest: int
    names: Mapping[str, int] = field(default_factory=dict)

    def number(self, value: str) -> int | str:
        """Give the number that a value stands for, or the value when it is none."""
        return int(value) if value.isdigit() else self.names.get(value, value)


_COLUMNS = (
    _Column(name="second", place=0, lowest=0, highest=59),
    _Column(name="minute", place=0, lowest=0, highest=59),
    _Column(name="hour", place=1, lowest=0, highest=23),
    _Column(name="day_of_month", place=2, lowest=1, highest=31),
    _Column(
        name="month",
        place=3,
        lowest=1,
        highest=12,
        names=_numbered(_MONTHS, 1),
    ),
    _Column(
        name="day_of_week",
        place=4,
        lowest=0,
        highest=7,
        names=_numbered(_WEEKDAYS, 0),
    ),
)


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
    for item in text.split(","):
        texts = ["*"] * _CRONITER_COLUMNS
        try:
            texts[column.place] = _written_out(column, item)
            expanded, positions = croniter.expand(" ".join(texts))
        except CroniterError as error:
            raise ScheduleError(
                _FIELD,
                ErrorCode.MALFORMED_CRON,
                {"expression": expression, "column": column.name},
            ) from error
        if positions:
            nth_weekdays.update(
                (_from_monday(int(day)), _position(str(nth)))
                for day, nths in positions.items()
                for nth in nths
            )
        elif expanded[column.place] == ["*"]:
            values.update(range(column.lowest, column.highest + 1))
        else:
            values.update(expanded[column.place])
    return values, nth_weekdays


def _written_out(column: _Column, item: str) -> str:
    """Write a range or a stepped start as a list of its values.

    A wildcard, and a range that wraps around, stay as they are. Raises CroniterError
    for what the dialect does not have.
    """
    parts = _ITEM.fullmatch(item)
    if parts is None:
        raise CroniterError(item)
    nth, step = parts["nth"] or "", int(parts["step"] or 1)
    first = column.number(parts["first"])
    last = column.number(parts["last"]) if parts["last"] else first
    if parts["step"] and not parts["last"]:
        last = column.highest
    if isinstance(first, str) or isinstance(last, str) or first > last:
        return item
    return ",".join(f"{value}{nth}" for value in range(first, last + 1, step))


def _sorted(values: _Values) -> tuple[int, ...]:
    """Give the numbers among the values, in order."""
    return tuple(sorted(value for value in values if isinstance(value, int)))


def _position(nth: str) -> int:
    """Give the index in a month's list of a weekday."""
    return _LAST_OF_MONTH if nth == "l" else int(nth) - 1


def _from_monday(weekday: int) -> int:
    """Count a weekday from Monday = 0 instead of Sunday = 0."""
    return (weekday - 1) % 7
