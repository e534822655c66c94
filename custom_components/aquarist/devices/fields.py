"""Fields: what a device has, and which values each of them takes. Pure."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
import math

from ..frozen import frozen
from ..layers.setting import Scalar, Setting
from ..schedules.errors import EXPECTED, Expected

LEVEL = "level"


class DataType(StrEnum):
    """The type of a field's value (R-T47)."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    STRING = "string"


_EXPECTED = {
    DataType.NUMBER: Expected.NUMBER,
    DataType.BOOLEAN: Expected.BOOLEAN,
    DataType.STRING: Expected.TEXT,
}


@frozen
class Field:
    """A value of a device, in ``unit``; ``values`` lists what is allowed where it is a choice.

    A composite field is captured and restored whole: ``parts`` names its parts in order,
    ``part_fields`` describes them. A virtual field is owned by layers and read by the gate,
    and is never sent to the device.
    """

    name: str
    data_type: DataType
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    values: tuple[Scalar, ...] = ()
    writable: bool = True
    parts: tuple[str, ...] = ()
    virtual: bool = False
    part_fields: tuple[Field, ...] = ()


class InvalidValue(ValueError):
    """A value or argument that a field or action does not take.

    ``field`` names what was refused. ``code`` is one of `field_not_found`,
    `field_not_writable`, `wrong_type`, `wrong_count`, `value_out_of_bounds`,
    `unknown_action`, `unknown_argument`, `missing_argument`. ``placeholders`` fill the translated message.
    """

    def __init__(self, field: str, code: str, **placeholders: str) -> None:
        """Keep the field, the code and the placeholders."""
        super().__init__(f"{field}: {code} {placeholders}")
        self.field = field
        self.code = code
        self.placeholders = {"field": field, **placeholders}


def wrong_type(field: str, value: object, expected: Expected) -> InvalidValue:
    """Return the error of a value of the wrong type."""
    shown = {"value": str(value)[:100], EXPECTED: expected.value}
    return InvalidValue(field, "wrong_type", **shown)


def wrong_count(field: str, found: int, wanted: int) -> InvalidValue:
    """Return the error of a list with more or fewer entries than the device needs."""
    return InvalidValue(field, "wrong_count", value=str(found), count=str(wanted))


def unknown_action(action: str) -> InvalidValue:
    """Return the error of an action that a device does not know (R-C48)."""
    return InvalidValue("action", "unknown_action", action=action)


def composite(name: str, *part_fields: Field) -> Field:
    """Return a field made of parts; a single value written to it means the first part."""
    return Field(
        name=name,
        data_type=part_fields[0].data_type,
        parts=tuple(part.name for part in part_fields),
        part_fields=part_fields,
        writable=any(part.writable for part in part_fields),
    )


def percent(
    name: str, *, step: float | None = None, values: tuple[Scalar, ...] = ()
) -> Field:
    """Return a field that takes 0 to 100 per cent."""
    return Field(
        name=name,
        data_type=DataType.NUMBER,
        unit="%",
        minimum=0.0,
        maximum=100.0,
        step=step,
        values=values,
    )


def checked(field: Field, value: object) -> Scalar:
    """Return a value that a plain field or part takes, or raise InvalidValue (RES-49, R-T26).

    Types are strict: a boolean is no number, text is no number, NaN is none either.
    """
    scalar = _typed(field, value)
    if field.values and scalar not in field.values:
        raise InvalidValue(
            field.name,
            "value_out_of_bounds",
            value=str(scalar),
            values=", ".join(map(str, field.values)),
        )
    if isinstance(scalar, int | float) and field.data_type is DataType.NUMBER:
        low = -math.inf if field.minimum is None else field.minimum
        high = math.inf if field.maximum is None else field.maximum
        if not low <= scalar <= high:
            raise InvalidValue(
                field.name,
                "value_out_of_bounds",
                value=str(scalar),
                minimum=str(field.minimum),
                maximum=str(field.maximum),
            )
    return scalar


def checked_setting(field: Field, value: object) -> Setting:
    """Return the setting that a value asks of a field, or raise InvalidValue.

    A composite field takes a mapping of some of its parts, or a single value for the first.
    """
    if not field.writable:
        raise InvalidValue(field.name, "field_not_writable", reason="read_only")
    if not field.part_fields:
        return {field.name: checked(field, value)}
    if not isinstance(value, Mapping):
        first = field.part_fields[0]
        return {first.name: checked(first, value)}
    if not value:
        raise wrong_type(field.name, {}, Expected.PARTS)
    known = {part.name: part for part in field.part_fields}
    setting: dict[str, Scalar] = {}
    for name, part_value in value.items():
        if name not in known:
            raise InvalidValue(f"{field.name}.{name}", "field_not_found")
        setting[name] = checked(known[name], part_value)
    return setting


def checked_arguments(
    action: str,
    args: Mapping[str, object],
    *,
    required: Sequence[Field] = (),
    optional: Sequence[Field] = (),
) -> dict[str, Scalar]:
    """Return an action's arguments, or raise InvalidValue that names the one at fault (R-C11)."""
    known = {field.name: field for field in (*required, *optional)}
    refuse_unknown(action, args, *known)
    for field in required:
        if field.name not in args:
            raise InvalidValue(field.name, "missing_argument", action=action)
    return {name: checked(known[name], value) for name, value in args.items()}


def refuse_unknown(action: str, args: Mapping[str, object], *known: str) -> None:
    """Raise InvalidValue for the first argument that an action does not have."""
    for name in args:
        if name not in known:
            raise InvalidValue(str(name), "unknown_argument", action=action)


def whole_number(name: str, value: object, minimum: int, maximum: int) -> int:
    """Return a whole number within inclusive bounds, or raise InvalidValue."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong_type(name, value, Expected.WHOLE_NUMBER)
    if not minimum <= value <= maximum:
        raise InvalidValue(
            name,
            "value_out_of_bounds",
            value=str(value),
            minimum=str(minimum),
            maximum=str(maximum),
        )
    return value


def _typed(field: Field, value: object) -> Scalar:
    """Return the value when it has the field's type."""
    match field.data_type, value:
        case DataType.BOOLEAN, bool():
            return value
        case DataType.STRING, str():
            return value
        case DataType.NUMBER, float() if math.isfinite(value):
            return value
        case DataType.NUMBER, int() if not isinstance(value, bool):
            return value
        case _:
            raise wrong_type(field.name, value, _EXPECTED[field.data_type])
