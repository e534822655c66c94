"""What the fields of requests take, and what they say of it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import probatio as vol
import pytest

from custom_components.aquarist.api import fields
from custom_components.aquarist.schedules.validation import DESCRIPTION

MORNING = datetime(2026, 3, 1, 8, tzinfo=UTC)
DESCRIBED = [
    getattr(fields, name)
    for name in (
        "arguments",
        "moment",
        "moment_text",
        "reference",
        "references",
        "scalar",
        "uuid_text",
    )
]


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (MORNING.timestamp(), MORNING),
        (1772352000, MORNING),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        ("2026-03-01T09:00:00+01:00", MORNING),
        (MORNING, MORNING),
    ],
)
def test_a_moment_is_seconds_or_a_text_with_its_offset(
    value: object, moment: datetime
) -> None:
    """RES-72: both mean the same instant; in an address both are text."""
    assert fields.moment(value) == moment
    assert fields.moment_text(str(value)) == moment


def test_a_plus_in_an_address_may_be_typed_as_it_is() -> None:
    """It arrives as a blank, which stands for nothing else after a time of day."""
    assert fields.moment_text("2026-03-01T09:00:00 01:00") == MORNING
    with pytest.raises(vol.Invalid) as caught:
        fields.moment_text("2026-03-01 09:00")
    assert str(caught.value.code) == "naive_time"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (True, "wrong_type"),
        (None, "wrong_type"),
        (-1, "out_of_range"),
        (float("nan"), "out_of_range"),
        (1e12, "out_of_range"),
        ("2026-03-01T08:00:00", "naive_time"),
        ("1772352000", "malformed_time"),
        ("soon", "malformed_time"),
    ],
)
def test_what_is_no_moment_says_why(value: object, code: str) -> None:
    """Text without offset is refused: nobody knows which hour it means."""
    with pytest.raises(vol.Invalid) as caught:
        fields.moment(value)
    assert str(caught.value.code) == code


@pytest.mark.parametrize("text", ["", "1.2.3", "١٢", "1e9", "9" * 200])
def test_digits_of_an_address_are_plain(text: str) -> None:
    """Anything else is a text, and a wrong one."""
    with pytest.raises(vol.Invalid):
        fields.moment_text(text)


def test_devices_are_named_by_text_or_number() -> None:
    """A target picker gives a list, also for one."""
    assert fields.reference(["one"]) == "one"
    assert fields.reference(7) == 7
    assert fields.references("one") == ["one"]
    assert fields.references(["one", 2]) == ["one", 2]
    for wrong in (True, None, 1.5, ["a", "b"], ""):
        with pytest.raises(vol.Invalid):
            fields.reference(wrong)
    with pytest.raises(vol.Invalid):
        fields.references([])


def test_arguments_are_json_of_a_bounded_size() -> None:
    """R-C56, with keys that are nothing but text."""
    assert fields.arguments({"a": ({"b": 1},)}) == {"a": [{"b": 1}]}
    wrong: list[Any] = [[], {1: 2}, {"a": object()}, {"a": "x" * 65_536}]
    for value in wrong:
        with pytest.raises(vol.Invalid):
            fields.arguments(value)


def test_ids_and_values_are_what_they_should_be() -> None:
    """A UUID in any form, and a single value."""
    one = UUID(int=5)
    assert fields.uuid_text(one.hex) == str(one)
    assert fields.scalar(True) is True
    for check, wrong in ((fields.uuid_text, "one"), (fields.scalar, [1])):
        with pytest.raises(vol.Invalid):
            check(wrong)


@pytest.mark.parametrize("validator", DESCRIBED, ids=lambda one: one.__name__)
def test_each_says_what_it_takes(validator: object) -> None:
    """The OpenAPI document is made of it."""
    described = getattr(validator, DESCRIPTION)

    assert set(described) & {"type", "anyOf"}
