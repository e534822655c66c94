"""Validators of single values."""

from enum import StrEnum

import probatio as vol
import pytest

from custom_components.aquarist.schedules.errors import ErrorCode, ScheduleError
from custom_components.aquarist.schedules.validation import (
    LARGEST_INTEGER,
    Validator,
    boolean,
    instant,
    integer,
    number,
    text,
    unique_integers,
    validated,
    word,
    zone_name,
)


class Fish(StrEnum):
    """A vocabulary."""

    TANG = "tang"
    WRASSE = "wrasse"


@pytest.mark.parametrize(
    ("validator", "value", "result"),
    [
        (text(5), "abcde", "abcde"),
        (text(5), " a ", " a "),
        (word(Fish), "tang", Fish.TANG),
        (word(Fish), Fish.WRASSE, Fish.WRASSE),
        (boolean, False, False),
        (integer(1), 1, 1),
        (integer(1), LARGEST_INTEGER, LARGEST_INTEGER),
        (number(0, 100), 0, 0),
        (number(0, 100), 99.5, 99.5),
        (number(0, 100), 100, 100),
        (unique_integers(1), [3, 1], (3, 1)),
        (unique_integers(1), (2,), (2,)),
        (zone_name, "US/Pacific", "US/Pacific"),
        (zone_name, "Asia/Kolkata", "Asia/Kolkata"),
    ],
)
def test_good_values_pass(validator: Validator, value: object, result: object) -> None:
    """Nothing is trimmed, rounded or converted behind people's backs."""
    passed = validator(value)
    assert passed == result
    assert type(passed) is type(result)


@pytest.mark.parametrize(
    ("validator", "value", "code", "placeholders"),
    [
        (text(5), 5, ErrorCode.WRONG_TYPE, {"expected": "text"}),
        (text(5), "", ErrorCode.EMPTY, {}),
        (text(5), " \n", ErrorCode.EMPTY, {}),
        (text(5), "abcdef", ErrorCode.TOO_LONG, {"maximum": "5"}),
        (word(Fish), ["tang"], ErrorCode.WRONG_TYPE, {"expected": "text"}),
        (
            word(Fish),
            "TANG",
            ErrorCode.UNKNOWN_WORD,
            {"value": "TANG", "known": "tang, wrasse"},
        ),
        (boolean, 1, ErrorCode.WRONG_TYPE, {"expected": "boolean"}),
        (boolean, "true", ErrorCode.WRONG_TYPE, {"expected": "boolean"}),
        (integer(1), True, ErrorCode.WRONG_TYPE, {"expected": "whole_number"}),
        (integer(1), 1.0, ErrorCode.WRONG_TYPE, {"expected": "whole_number"}),
        (integer(1), "1", ErrorCode.WRONG_TYPE, {"expected": "whole_number"}),
        (
            integer(1),
            0,
            ErrorCode.OUT_OF_RANGE,
            {"minimum": "1", "maximum": str(LARGEST_INTEGER)},
        ),
        (
            integer(1),
            LARGEST_INTEGER + 1,
            ErrorCode.OUT_OF_RANGE,
            {"minimum": "1", "maximum": str(LARGEST_INTEGER)},
        ),
        (number(0, 9), False, ErrorCode.WRONG_TYPE, {"expected": "number"}),
        (number(0, 9), "5", ErrorCode.WRONG_TYPE, {"expected": "number"}),
        (number(0, 9), -0.1, ErrorCode.OUT_OF_RANGE, {"minimum": "0", "maximum": "9"}),
        (
            number(0, 9),
            float("nan"),
            ErrorCode.OUT_OF_RANGE,
            {"minimum": "0", "maximum": "9"},
        ),
        (
            number(0, 9),
            float("inf"),
            ErrorCode.OUT_OF_RANGE,
            {"minimum": "0", "maximum": "9"},
        ),
        (
            number(0, 9),
            10**400,
            ErrorCode.OUT_OF_RANGE,
            {"minimum": "0", "maximum": "9"},
        ),
        (unique_integers(1), 3, ErrorCode.WRONG_TYPE, {"expected": "list"}),
        (unique_integers(1), "12", ErrorCode.WRONG_TYPE, {"expected": "list"}),
        (unique_integers(1), ["1"], ErrorCode.WRONG_TYPE, {"expected": "whole_number"}),
        (unique_integers(1), [], ErrorCode.EMPTY, {}),
        (unique_integers(1), [1, 2, 1], ErrorCode.DUPLICATE, {}),
        (instant, 1700000000, ErrorCode.WRONG_TYPE, {"expected": "instant"}),
        (instant, "soon", ErrorCode.MALFORMED_TIME, {"value": "soon"}),
        (
            instant,
            "2026-02-30T00:00Z",
            ErrorCode.MALFORMED_TIME,
            {"value": "2026-02-30T00:00Z"},
        ),
        (
            instant,
            "2026-05-01T06:00",
            ErrorCode.NAIVE_TIME,
            {"value": "2026-05-01T06:00:00"},
        ),
        (instant, "2026-05-01", ErrorCode.NAIVE_TIME, {"value": "2026-05-01T00:00:00"}),
        (
            instant,
            "0001-01-01T00:00+01:00",
            ErrorCode.MALFORMED_TIME,
            {"value": "0001-01-01T00:00:00+01:00"},
        ),
        (zone_name, None, ErrorCode.WRONG_TYPE, {"expected": "text"}),
        (zone_name, "Mars/Phobos", ErrorCode.UNKNOWN_ZONE, {"value": "Mars/Phobos"}),
        (zone_name, "europe", ErrorCode.UNKNOWN_ZONE, {"value": "europe"}),
        (zone_name, "", ErrorCode.UNKNOWN_ZONE, {"value": ""}),
        (zone_name, "../UTC", ErrorCode.UNKNOWN_ZONE, {"value": "../UTC"}),
        (zone_name, "x" * 5000, ErrorCode.UNKNOWN_ZONE, {"value": "x" * 100}),
    ],
)
def test_bad_values_are_rejected_with_their_code(
    validator: Validator, value: object, code: ErrorCode, placeholders: dict[str, str]
) -> None:
    """The code says what is wrong, the placeholders what would be right."""
    with pytest.raises(vol.Invalid) as rejection:
        validator(value)
    assert rejection.value.code == code
    assert rejection.value.placeholders == placeholders


@pytest.mark.parametrize(
    ("validator", "value", "message"),
    [
        (number(1, 30), 99, "must be between 1 and 30"),
        (text(5), "abcdef", "can have 5 characters at most"),
        (text(5), " ", "is empty"),
        (word(Fish), "cod", "takes one of these: tang, wrasse"),
        (boolean, "yes", "must be of the type boolean"),
        (instant, "2026-05-01", "naive time"),
    ],
)
def test_the_message_is_in_plain_words(
    validator: Validator, value: object, message: str
) -> None:
    """Where nothing translates it."""
    with pytest.raises(vol.Invalid) as rejection:
        validator(value)
    assert rejection.value.error_message == message


def test_an_instant_keeps_its_moment_and_becomes_utc() -> None:
    """Any offset is understood (R-B8)."""
    found = instant("2026-05-01T06:00:00+02:00")
    assert found.isoformat() == "2026-05-01T04:00:00+00:00"
    assert instant(found) == found


@pytest.mark.parametrize(
    ("data", "within", "field", "code"),
    [
        ({}, "", "level", ErrorCode.MISSING),
        ({}, "params", "params.level", ErrorCode.MISSING),
        ({"level": 1, "lvl": 1}, "", "lvl", ErrorCode.UNKNOWN_FIELD),
        ({"level": 1, 5: 1}, "params", "params.5", ErrorCode.UNKNOWN_FIELD),
        ({"level": 11}, "params", "params.level", ErrorCode.OUT_OF_RANGE),
        ([1], "params", "params", ErrorCode.WRONG_TYPE),
        (None, "", "schedule", ErrorCode.WRONG_TYPE),
    ],
)
def test_a_failed_schema_names_the_field(
    data: object, within: str, field: str, code: ErrorCode
) -> None:
    """Dotted inside another field."""
    schema = vol.Schema({vol.Required("level"): number(0, 10)})
    with pytest.raises(ScheduleError) as refused:
        validated(schema, data, within=within)
    assert refused.value.field == field
    assert refused.value.code is code
