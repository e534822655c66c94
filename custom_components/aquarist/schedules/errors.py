"""The one error of the room: which field of a schedule is wrong, and how."""

from collections.abc import Mapping
from enum import StrEnum

EXPECTED = "expected"
"""The placeholder that says what a field takes."""


class ErrorCode(StrEnum):
    """What can be wrong with a field. Each word is the key of a translation."""

    MISSING = "missing"
    UNKNOWN_FIELD = "unknown_field"
    NOT_FOR_TYPE = "not_for_type"
    NOT_FOR_ACTION = "not_for_action"
    WRONG_TYPE = "wrong_type"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    NONE_OF = "none_of"
    NOT_TOGETHER = "not_together"
    UNKNOWN_WORD = "unknown_word"
    UNKNOWN_ZONE = "unknown_zone"
    OUT_OF_RANGE = "out_of_range"
    TOO_FINE = "too_fine"
    DUPLICATE = "duplicate"
    MALFORMED_TIME = "malformed_time"
    NAIVE_TIME = "naive_time"
    NOT_AFTER_START = "not_after_start"
    CRON_COLUMNS = "cron_columns"
    CRON_ALIAS = "cron_alias"
    MALFORMED_CRON = "malformed_cron"
    NEVER_MATCHES = "never_matches"


class Expected(StrEnum):
    """What a field or argument takes instead. Each word ends the key of a translation."""

    ADDRESSES = "addresses"
    BOOLEAN = "boolean"
    CLOCK = "clock"
    DELIVERY_POINT = "delivery_point"
    INSTANT = "instant"
    LIST = "list"
    MAPPING = "mapping"
    NUMBER = "number"
    PARTS = "parts"
    REFERENCE = "reference"
    SERVICES = "services"
    TEXT = "text"
    TEXTS = "texts"
    TRUE = "true"
    UUID = "uuid"
    VALUE = "value"
    WHOLE_NUMBER = "whole_number"


class ScheduleError(ValueError):
    """A schedule that is refused.

    `field` is the name of the field, dotted inside the action's parameters
    (`action_params.level`); `placeholders` fill the translated message of `code`.
    """

    def __init__(
        self, field: str, code: ErrorCode, placeholders: Mapping[str, str] | None = None
    ) -> None:
        """Keep the parts of the message."""
        self.field = field
        self.code = code
        self.placeholders = dict(placeholders or {})
        details = ", ".join(
            f"{name}: {value}" for name, value in self.placeholders.items()
        )
        super().__init__(f"{field}: {code}" + (f" ({details})" if details else ""))


def wrong_type(field: str, expected: Expected) -> ScheduleError:
    """Return the error of a field that takes another type."""
    return ScheduleError(field, ErrorCode.WRONG_TYPE, {EXPECTED: expected.value})
