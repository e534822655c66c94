"""Validators of the arguments of actions. Each error names the argument (R-C11, law 10).

They say what they take in the words of JSON Schema, too, so that the documents of the
interfaces are made from the very schemas that validate.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import time
import re
from typing import Any, Final

import probatio as vol

from ..dosing.volume import VolumeError, microlitres
from ..schedules.errors import EXPECTED, Expected
from ..schedules.validation import takes

type Validator = Callable[[object], Any]

SHOWN: Final = 100
"""How many characters of a wrong value an error repeats."""

DAYS: Final = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
EVERY_DAY: Final = "everyday"
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_CODES: Mapping[type[vol.Invalid], str] = {
    vol.RequiredFieldInvalid: "missing_argument",
    vol.ExtraKeysInvalid: "unknown_argument",
}


class ArgumentError(ValueError):
    """An argument that an action does not take.

    ``field`` names it, dotted inside of lists and mappings. ``code`` is one of
    `missing_argument`, `unknown_argument`, `wrong_type`, `value_out_of_bounds`,
    `volume_too_fine`, and `schedule_` with `empty`, `too_long`, `too_many`, `duplicate`,
    `none_of`, `not_together`; ``placeholders`` fill its message.
    """

    def __init__(self, field: str, code: str, placeholders: Mapping[str, str]) -> None:
        """Keep the parts of the message."""
        super().__init__(f"{field}: {code} {dict(placeholders)}")
        self.field = field
        self.code = code
        self.placeholders = dict(placeholders)


def checked(schema: vol.Schema, data: object, *, within: str) -> dict[str, Any]:
    """Return the valid arguments; what may be left out and has a default is filled in.

    Raises ArgumentError for the first that is wrong; ``within`` is the name of them all.
    """
    try:
        values: dict[str, Any] = schema(data)
    except vol.MultipleInvalid as failure:
        error = failure.errors[0]
        field = ".".join(str(part) for part in error.path) or within
        if isinstance(error, vol.DictInvalid):
            error = wrong_type(_at(data, error.path), Expected.MAPPING)
        code = _CODES.get(type(error)) or str(error.code)
        texts = {name: str(value) for name, value in error.placeholders.items()}
        raise ArgumentError(field, code, texts) from failure
    return values


def wrong_type(value: object, expected: Expected) -> vol.Invalid:
    """Return the error of a value of the wrong type."""
    return _invalid("wrong_type", value=value, **{EXPECTED: expected.value})


def out_of_bounds(value: object, **allowed: object) -> vol.Invalid:
    """Return the error of a value that is not allowed: `minimum` and `maximum`, or `values`."""
    return _invalid("value_out_of_bounds", value=value, **allowed)


def none_of(*known: str) -> vol.Invalid:
    """Return the error of arguments one of which is needed."""
    return _invalid("schedule_none_of", known=", ".join(known))


def not_together(other: str) -> vol.Invalid:
    """Return the error of an argument that excludes another one."""
    return _invalid("schedule_not_together", other=other)


def refused(error: vol.Invalid, *path: str) -> vol.Invalid:
    """Return an error of several arguments together as that of one of them."""
    error.prepend(list(path))
    return error


def whole(minimum: int, maximum: int) -> Validator:
    """Accept a whole number between two bounds, both included."""

    @takes(type="integer", minimum=minimum, maximum=maximum)
    def validate(value: object) -> int:
        """Validate one whole number."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong_type(value, Expected.WHOLE_NUMBER)
        if not minimum <= value <= maximum:
            raise out_of_bounds(value, minimum=minimum, maximum=maximum)
        return value

    return validate


def number(minimum: float, maximum: float) -> Validator:
    """Accept a number between two bounds, both included; text and booleans are none."""

    @takes(type="number", minimum=minimum, maximum=maximum)
    def validate(value: object) -> float:
        """Validate one number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong_type(value, Expected.NUMBER)
        # Written so that NaN fails too.
        if not minimum <= value <= maximum:
            raise out_of_bounds(value, minimum=minimum, maximum=maximum)
        return value

    return validate


def volume(minimum: float, maximum: float) -> Validator:
    """Accept millilitres with at most one decimal (RES-71)."""
    bounded = number(minimum, maximum)

    @takes(type="number", minimum=minimum, maximum=maximum)
    def validate(value: object) -> float:
        """Validate one volume."""
        millilitres: float = bounded(value)
        try:
            microlitres(millilitres)
        except VolumeError as error:
            raise _invalid(f"volume_{error.reason}") from error
        return millilitres

    return validate


@takes(type="boolean")
def flag(value: object) -> bool:
    """Accept true and false and nothing that looks like them."""
    if not isinstance(value, bool):
        raise wrong_type(value, Expected.BOOLEAN)
    return value


def text(longest: int) -> Validator:
    """Accept text that is not blank."""

    @takes(type="string", minLength=1, maxLength=longest, pattern=r"\S")
    def validate(value: object) -> str:
        """Validate one text."""
        if not isinstance(value, str):
            raise wrong_type(value, Expected.TEXT)
        if not value.strip():
            raise _invalid("schedule_empty")
        if len(value) > longest:
            raise _invalid("schedule_too_long", maximum=longest)
        return value

    return validate


def word(words: Iterable[str]) -> Validator:
    """Accept one of a few words."""
    known = tuple(words)

    @takes(type="string", enum=list(known))
    def validate(value: object) -> str:
        """Validate one word."""
        if not isinstance(value, str):
            raise wrong_type(value, Expected.TEXT)
        if value not in known:
            raise out_of_bounds(value, values=", ".join(known))
        return value

    return validate


@takes(type="string", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
def clock(value: object) -> str:
    """Accept a time of day, `HH:MM` with two digits each."""
    if not isinstance(value, str):
        raise wrong_type(value, Expected.CLOCK)
    if _CLOCK.fullmatch(value) is None:
        raise out_of_bounds(value, values="00:00 … 23:59")
    return value


def minute_of(clock_text: str) -> int:
    """Return the minute of the day of a valid `HH:MM`."""
    at = time.fromisoformat(clock_text)
    return at.hour * 60 + at.minute


@takes(
    type="array",
    items={"type": "string", "enum": [*DAYS, EVERY_DAY]},
    minItems=1,
    maxItems=len(DAYS),
    uniqueItems=True,
)
def weekdays(value: object) -> list[str]:
    """Accept names of days, or `everyday` alone; in small letters afterwards (R-C47)."""
    if not isinstance(value, list | tuple):
        raise wrong_type(value, Expected.LIST)
    if not all(isinstance(day, str) for day in value):
        raise wrong_type(value, Expected.TEXTS)
    days = [str(day).lower() for day in value]
    if days == [EVERY_DAY]:
        return days
    if not days:
        raise _invalid("schedule_empty")
    strange = [day for day in days if day not in (*DAYS, EVERY_DAY)]
    if strange:
        raise out_of_bounds(strange[0], values=", ".join([*DAYS, EVERY_DAY]))
    if len(set(days)) < len(days):
        raise _invalid("schedule_duplicate")
    if EVERY_DAY in days:
        alternatives = f"{EVERY_DAY} / {', '.join(DAYS)}"
        raise out_of_bounds(", ".join(map(str, value)), values=alternatives)
    return days


def several(each: Validator | vol.Schema, least: int, most: int) -> vol.All[Any]:
    """Accept a list of so many values; the error names the place in it."""

    @takes(type="array", minItems=least, maxItems=most)
    def counted(value: object) -> list[object]:
        """Validate the length of one list."""
        if not isinstance(value, list | tuple):
            raise wrong_type(value, Expected.LIST)
        if len(value) < least:
            raise _invalid("schedule_empty")
        if len(value) > most:
            raise _invalid("schedule_too_many", maximum=most)
        return list(value)

    return vol.All(counted, [each])


def _at(data: Any, path: Iterable[Any]) -> object:
    """Return what lies at a path inside of data."""
    for part in path:
        data = data[part]
    return data


def _invalid(code: str, **placeholders: object) -> vol.Invalid:
    """Return an error with its machine word and the values of its message."""
    texts = {name: str(value)[:SHOWN] for name, value in placeholders.items()}
    return vol.Invalid(code, code=code, placeholders=texts)
