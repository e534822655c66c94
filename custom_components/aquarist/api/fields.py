"""What the fields of several requests take; each error names the field (law 10)."""

from collections.abc import Mapping
from datetime import UTC, datetime
import json
import re
from typing import Any
from uuid import UUID

from ..schedules.errors import ErrorCode, Expected
from ..schedules.validation import (
    LARGEST_INTEGER,
    instant,
    not_a,
    number,
    rejected,
    takes,
    text,
)

LARGEST_ARGUMENTS = 64 * 1024
LONGEST_NAME = 100
LAST_EPOCH = 253_402_300_799
"""The last second of the year 9999; later ones have no date."""

_LOST_PLUS = re.compile(r"^(\d{4}-\d\d-\d\dT[\d:.]+) (\d\d:?\d\d)$", re.ASCII)
_name = text(LONGEST_NAME)
_epoch = number(0, LAST_EPOCH)
_ONE = (
    {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME, "pattern": r"\S"},
    {"type": "integer", "minimum": 1, "maximum": LARGEST_INTEGER},
)


@takes(anyOf=list(_ONE))
def reference(value: object) -> str | int:
    """Accept what stands for one device; a target picker gives a list."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str):
        return str(_name(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise not_a(Expected.REFERENCE)


@takes(anyOf=[*_ONE, {"type": "array", "minItems": 1, "items": {"anyOf": list(_ONE)}}])
def references(value: object) -> list[str | int]:
    """Accept what stands for one or several devices."""
    several = value if isinstance(value, list | tuple) else [value]
    if not several:
        raise rejected(ErrorCode.EMPTY)
    return [reference(one) for one in several]


@takes(type="object")
def arguments(value: object) -> Mapping[str, Any]:
    """Accept the arguments of an action: JSON of a bounded size (R-C56)."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise not_a(Expected.MAPPING)
    try:
        size = len(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise not_a(Expected.MAPPING) from error
    if size > LARGEST_ARGUMENTS:
        raise rejected(ErrorCode.TOO_LONG, maximum=LARGEST_ARGUMENTS)
    return dict(plain(value))


def plain(value: Any) -> Any:
    """Return data with keys that are nothing but text; those of YAML know their line."""
    match value:
        case Mapping():
            return {str(key): plain(part) for key, part in value.items()}
        case list() | tuple():
            return [plain(part) for part in value]
    return value


@takes(type="string", format="uuid")
def uuid_text(value: object) -> str:
    """Accept the text of a UUID."""
    try:
        return str(UUID(str(_name(value))))
    except ValueError as error:
        raise not_a(Expected.UUID) from error


@takes(type=["boolean", "number", "string"])
def scalar(value: object) -> bool | float | str:
    """Accept a single value; what the field takes is checked by its device (R-T26)."""
    if isinstance(value, bool | int | float | str):
        return value
    raise not_a(Expected.VALUE)


@takes(
    anyOf=[
        {"type": "number", "minimum": 0, "maximum": LAST_EPOCH},
        {"type": "string", "format": "date-time"},
    ]
)
def moment(value: object) -> datetime:
    """Accept epoch seconds, or a time of day with its offset, and give it in UTC (RES-72)."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(_epoch(value), UTC)
    return instant(value)


@takes(
    anyOf=[
        {"type": "number", "minimum": 0, "maximum": LAST_EPOCH},
        {"type": "string", "format": "date-time"},
    ]
)
def moment_text(value: object) -> datetime:
    """Accept a moment of a query, where epoch seconds are digits.

    A plus that was typed into an address as it is arrives as a blank.
    """
    digits = str(value)
    plain = digits.isascii() and digits.replace(".", "", 1).isdecimal()
    if plain and len(digits) <= LONGEST_NAME:
        return moment(float(digits))
    return moment(_LOST_PLUS.sub(r"\1+\2", digits))
