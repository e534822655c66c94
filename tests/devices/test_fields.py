"""Which values fields and actions take."""

import math

import pytest

from custom_components.aquarist.devices.fields import (
    DataType,
    Field,
    InvalidValue,
    checked,
    checked_arguments,
    checked_setting,
    composite,
    percent,
    unknown_action,
    whole_number,
)

LEVEL = percent("level")
SWITCHED = percent("level", step=100.0, values=(0.0, 100.0))
POWER = Field(name="power", data_type=DataType.BOOLEAN)
PROGRAM = Field(name="program", data_type=DataType.STRING, values=("eco", "boost"))
NOTE = Field(name="note", data_type=DataType.STRING)
SENSOR = Field(name="water", data_type=DataType.NUMBER, writable=False)
LAMP = composite("light", percent("level"), percent("mix_red"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (LEVEL, 0),
        (LEVEL, 100),
        (LEVEL, 37.5),
        (SWITCHED, 0),
        (SWITCHED, 100.0),
        (POWER, True),
        (POWER, False),
        (PROGRAM, "eco"),
        (NOTE, ""),
        (Field(name="free", data_type=DataType.NUMBER), -1e9),
    ],
)
def test_value_that_the_field_takes_comes_back_as_it_is(
    field: Field, value: object
) -> None:
    """A good value is not changed."""
    result = checked(field, value)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        (LEVEL, True, "wrong_type"),
        (LEVEL, "17", "wrong_type"),
        (LEVEL, math.nan, "wrong_type"),
        (LEVEL, math.inf, "wrong_type"),
        (LEVEL, None, "wrong_type"),
        (LEVEL, {}, "wrong_type"),
        (LEVEL, [], "wrong_type"),
        (LEVEL, -0.1, "value_out_of_bounds"),
        (LEVEL, 100.1, "value_out_of_bounds"),
        (LEVEL, 10**400, "value_out_of_bounds"),
        (SWITCHED, 50, "value_out_of_bounds"),
        (POWER, 1, "wrong_type"),
        (POWER, "on", "wrong_type"),
        (PROGRAM, "turbo", "value_out_of_bounds"),
        (PROGRAM, 1, "wrong_type"),
    ],
)
def test_value_that_the_field_does_not_take_is_refused(
    field: Field, value: object, code: str
) -> None:
    """The refusal names the field and says why (RES-49, R-T26)."""
    with pytest.raises(InvalidValue) as refusal:
        checked(field, value)
    assert refusal.value.field == field.name
    assert refusal.value.code == code
    assert refusal.value.placeholders["field"] == field.name
    assert all(isinstance(text, str) for text in refusal.value.placeholders.values())


def test_plain_field_makes_a_setting_of_one_part() -> None:
    """The part is named like the field."""
    assert checked_setting(POWER, True) == {"power": True}


def test_read_only_field_is_refused() -> None:
    """A sensor is not written (R-T24)."""
    with pytest.raises(InvalidValue) as refusal:
        checked_setting(SENSOR, 25.0)
    assert refusal.value.code == "field_not_writable"


def test_composite_field_takes_some_of_its_parts() -> None:
    """What is not named stays open."""
    assert LAMP.parts == ("level", "mix_red")
    assert checked_setting(LAMP, {"mix_red": 40}) == {"mix_red": 40}


def test_single_value_for_a_composite_field_means_its_first_part() -> None:
    """A lamp written with a number is dimmed."""
    assert checked_setting(LAMP, 60) == {"level": 60}


@pytest.mark.parametrize(
    ("value", "field", "code"),
    [
        ({}, "light", "wrong_type"),
        ({"mix_pink": 1}, "light.mix_pink", "field_not_found"),
        ({"level": 101}, "level", "value_out_of_bounds"),
    ],
)
def test_bad_parts_are_refused(value: object, field: str, code: str) -> None:
    """The part at fault is named."""
    with pytest.raises(InvalidValue) as refusal:
        checked_setting(LAMP, value)
    assert (refusal.value.field, refusal.value.code) == (field, code)


def test_arguments_are_checked_by_their_fields() -> None:
    """Optional arguments may be left out."""
    assert checked_arguments(
        "act", {"level": 5}, required=[LEVEL], optional=[NOTE]
    ) == {"level": 5}


@pytest.mark.parametrize(
    ("args", "field", "code"),
    [
        ({}, "level", "missing_argument"),
        ({"level": 5, "speed": 1}, "speed", "unknown_argument"),
        ({"level": 500}, "level", "value_out_of_bounds"),
    ],
)
def test_bad_arguments_are_refused(
    args: dict[str, object], field: str, code: str
) -> None:
    """The argument at fault is named (R-C11)."""
    with pytest.raises(InvalidValue) as refusal:
        checked_arguments("act", args, required=[LEVEL])
    assert (refusal.value.field, refusal.value.code) == (field, code)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1.0, "wrong_type"),
        (True, "wrong_type"),
        ("1", "wrong_type"),
        (-1, "value_out_of_bounds"),
        (4, "value_out_of_bounds"),
    ],
)
def test_whole_number_is_strict(value: object, code: str) -> None:
    """An index is neither a fraction nor a boolean."""
    with pytest.raises(InvalidValue) as refusal:
        whole_number("color", value, 0, 3)
    assert (refusal.value.field, refusal.value.code) == ("color", code)
    assert whole_number("color", 3, 0, 3) == 3


def test_unknown_action_names_the_action() -> None:
    """The error says which action is not known (R-C48)."""
    error = unknown_action("fly")
    assert (error.field, error.code) == ("action", "unknown_action")
    assert error.placeholders["action"] == "fly"
