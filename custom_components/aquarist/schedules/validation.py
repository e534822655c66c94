"""Validators of single values, and the way from a failed schema to a ScheduleError.

Each validator knows the JSON Schema of what it takes, so that the documents of the
interfaces are made from the very schemas that validate.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
import json
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import probatio as vol

from .errors import EXPECTED, ErrorCode, Expected, ScheduleError, wrong_type

type Validator = Callable[[object], object]

# The largest integer that every JSON reader keeps exact.
LARGEST_INTEGER = 2**53 - 1
LARGEST_ARGUMENTS = 64 * 1024

DESCRIPTION = "json_schema"
"""The attribute in which a validator says what it takes, in the words of JSON Schema."""

_SCHEMA_CODES: Mapping[type[vol.Invalid], ErrorCode] = {
    vol.RequiredFieldInvalid: ErrorCode.MISSING,
    vol.ExtraKeysInvalid: ErrorCode.UNKNOWN_FIELD,
}

_MESSAGES: Mapping[ErrorCode, str] = {
    ErrorCode.EMPTY: "is empty",
    ErrorCode.OUT_OF_RANGE: "must be between {minimum} and {maximum}",
    ErrorCode.TOO_LONG: "can have {maximum} characters at most",
    ErrorCode.TOO_MANY: "can have {maximum} entries at most",
    ErrorCode.UNKNOWN_WORD: "takes one of these: {known}",
    ErrorCode.WRONG_TYPE: "must be of the type {expected}",
}


def validated(schema: vol.Schema, data: object, *, within: str) -> dict[str, Any]:
    """Validate a mapping.

    Raises ScheduleError for the first field that is wrong; `within` names the mapping
    itself and, dotted, what it holds. An empty name stands for the schedule as a whole.
    """
    try:
        values: dict[str, Any] = schema(data)
    except vol.MultipleInvalid as failure:
        error = failure.errors[0]
        field = ".".join(str(part) for part in (within, *error.path) if part != "")
        if isinstance(error, vol.DictInvalid):
            raise wrong_type(field or "schedule", Expected.MAPPING) from error
        code = _SCHEMA_CODES.get(type(error)) or ErrorCode(str(error.code))
        raise ScheduleError(field or "schedule", code, error.placeholders) from error
    return values


def takes[V: Callable[..., object]](**schema: Any) -> Callable[[V], V]:
    """Say in the words of JSON Schema what a validator takes (design 7)."""

    def describe(validator: V) -> V:
        setattr(validator, DESCRIPTION, schema)
        return validator

    return describe


def rejected(code: ErrorCode, **placeholders: object) -> vol.Invalid:
    """Make the error that a validator raises.

    Its message is for programs whose messages Home Assistant checks itself, which knows no
    translation of ours.
    """
    texts = {name: str(value) for name, value in placeholders.items()}
    message = _MESSAGES.get(code, code.replace("_", " ")).format(**texts)
    return vol.Invalid(message, code=code, placeholders=texts)


def not_a(expected: Expected) -> vol.Invalid:
    """Make the error of a validator that takes another type."""
    return rejected(ErrorCode.WRONG_TYPE, **{EXPECTED: expected})


def text(longest: int) -> Validator:
    """Accept text of 1 to `longest` characters, not blank; it is kept as is (R-B71)."""

    @takes(type="string", minLength=1, maxLength=longest, pattern=r"\S")
    def validate(value: object) -> str:
        """Validate one text."""
        if not isinstance(value, str):
            raise not_a(Expected.TEXT)
        if not value.strip():
            raise rejected(ErrorCode.EMPTY)
        if len(value) > longest:
            raise rejected(ErrorCode.TOO_LONG, maximum=longest)
        return value

    return validate


def word[W: StrEnum](words: type[W]) -> Callable[[object], W]:
    """Accept a word of a vocabulary."""

    @takes(type="string", enum=[one.value for one in words])
    def validate(value: object) -> W:
        """Validate one word."""
        if not isinstance(value, str):
            raise not_a(Expected.TEXT)
        try:
            return words(value)
        except ValueError as error:
            raise rejected(
                ErrorCode.UNKNOWN_WORD, value=value, known=", ".join(words)
            ) from error

    return validate


@takes(type="object")
def arguments(value: object) -> Mapping[str, Any]:
    """Accept the arguments of an action: JSON of a bounded size (R-C56)."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise not_a(Expected.MAPPING)
    try:
        size = len(json.dumps(dict(value), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise not_a(Expected.MAPPING) from error
    if size > LARGEST_ARGUMENTS:
        raise rejected(ErrorCode.TOO_LONG, maximum=LARGEST_ARGUMENTS)
    return dict(value)


@takes(type="boolean")
def boolean(value: object) -> bool:
    """Accept a boolean and nothing that looks like one."""
    if not isinstance(value, bool):
        raise not_a(Expected.BOOLEAN)
    return value


def integer(minimum: int, maximum: int = LARGEST_INTEGER) -> Validator:
    """Accept a whole number between two bounds, both included."""

    @takes(type="integer", minimum=minimum, maximum=maximum)
    def validate(value: object) -> int:
        """Validate one whole number."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise not_a(Expected.WHOLE_NUMBER)
        if not minimum <= value <= maximum:
            raise rejected(ErrorCode.OUT_OF_RANGE, minimum=minimum, maximum=maximum)
        return value

    return validate


def number(minimum: float, maximum: float) -> Callable[[object], float]:
    """Accept a number between two bounds, both included; text and booleans are none."""

    @takes(type="number", minimum=minimum, maximum=maximum)
    def validate(value: object) -> float:
        """Validate one number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise not_a(Expected.NUMBER)
        # Written so that NaN fails too.
        if not minimum <= value <= maximum:
            raise rejected(ErrorCode.OUT_OF_RANGE, minimum=minimum, maximum=maximum)
        return value

    return validate


def unique_integers(minimum: int) -> Validator:
    """Accept a list, not empty, of different whole numbers."""
    each = integer(minimum)

    @takes(
        type="array",
        minItems=1,
        uniqueItems=True,
        items={"type": "integer", "minimum": minimum, "maximum": LARGEST_INTEGER},
    )
    def validate(value: object) -> tuple[object, ...]:
        """Validate one list."""
        if not isinstance(value, list | tuple):
            raise not_a(Expected.LIST)
        if not value:
            raise rejected(ErrorCode.EMPTY)
        numbers = tuple(each(item) for item in value)
        if len(set(numbers)) < len(numbers):
            raise rejected(ErrorCode.DUPLICATE)
        return numbers

    return validate


@takes(type="string", format="date-time")
def instant(value: object) -> datetime:
    """Accept a datetime or ISO 8601 text, aware, and give it in UTC (R-B114)."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise rejected(ErrorCode.MALFORMED_TIME, value=value) from error
    if not isinstance(value, datetime):
        raise not_a(Expected.INSTANT)
    if value.utcoffset() is None:
        raise rejected(ErrorCode.NAIVE_TIME, value=value.isoformat())
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise rejected(ErrorCode.MALFORMED_TIME, value=value.isoformat()) from error


@takes(type="string")
def zone_name(value: object) -> str:
    """Accept the name of an IANA time zone (R-B67)."""
    if not isinstance(value, str):
        raise not_a(Expected.TEXT)
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise rejected(ErrorCode.UNKNOWN_ZONE, value=value[:100]) from error
    return value
