"""Entities as plain fields with their own values."""

from typing import Any

from homeassistant.core import State
import pytest

from custom_components.aquarist.devices.entity_adapter import ServiceCall
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import DataType
from custom_components.aquarist.devices.value_adapters import value_adapter

CELSIUS = {"unit_of_measurement": "°C"}
FAHRENHEIT = {"unit_of_measurement": "°F", "min": 50, "max": 104, "step": 1}


@pytest.mark.parametrize(
    ("domain", "attributes", "data_type", "unit", "bounds", "values"),
    [
        ("switch", {}, "boolean", None, (None, None), ()),
        ("input_boolean", {}, "boolean", None, (None, None), ()),
        (
            "number",
            {**CELSIUS, "min": 18, "max": 30, "step": 0.5},
            "number",
            "°C",
            (18, 30),
            (),
        ),
        ("input_number", {"min": 1, "max": 5}, "number", None, (1, 5), ()),
        ("select", {"options": ["a", "b"]}, "string", None, (None, None), ("a", "b")),
        ("input_select", {"options": ["x"]}, "string", None, (None, None), ("x",)),
        ("text", {"max": 10}, "string", None, (None, None), ()),
        ("input_text", {}, "string", None, (None, None), ()),
        ("input_datetime", {}, "string", None, (None, None), ()),
        ("light", {}, "number", "%", (0, 100), (0.0, 100.0)),
        ("fan", {"supported_features": 1}, "number", "%", (0, 100), ()),
        ("cover", {"supported_features": 4}, "number", "%", (0, 100), ()),
        ("valve", {"supported_features": 0}, "number", "%", (0, 100), (0.0, 100.0)),
        ("sensor", CELSIUS, "number", "°C", (None, None), ()),
        ("sensor", {"state_class": "measurement"}, "number", None, (None, None), ()),
        ("sensor", {}, "string", None, (None, None), ()),
        ("binary_sensor", {}, "boolean", None, (None, None), ()),
    ],
)
def test_field_is_described_by_the_entity(
    domain: str,
    attributes: dict[str, Any],
    data_type: str,
    unit: str | None,
    bounds: tuple[float | None, float | None],
    values: tuple[object, ...],
) -> None:
    """Type, unit, bounds and choices are the entity's (R-T47)."""
    field = value_adapter(domain, "x").field(State(f"{domain}.x", "on", attributes))
    assert field.name == "x"
    assert field.data_type == data_type
    assert field.unit == unit
    assert (field.minimum, field.maximum) == bounds
    assert field.values == values
    assert field.writable is (domain not in {"sensor", "binary_sensor"})


@pytest.mark.parametrize("domain", ["number", "select", "sensor", "switch", "light"])
def test_field_of_an_entity_that_is_not_loaded(domain: str) -> None:
    """It has its type, and its bounds come later."""
    field = value_adapter(domain, "x").field(None)
    assert field.name == "x"
    assert field.values == ()


@pytest.mark.parametrize(
    ("domain", "text", "attributes", "value"),
    [
        ("switch", "on", {}, True),
        ("number", "24.5", CELSIUS, 24.5),
        ("select", "b", {}, "b"),
        ("sensor", "24.5", CELSIUS, 24.5),
        ("sensor", "idle", {}, "idle"),
        ("binary_sensor", "off", {}, False),
        ("cover", "open", {"current_position": 30}, 30),
    ],
)
def test_value_is_what_the_entity_shows(
    domain: str, text: str, attributes: dict[str, Any], value: object
) -> None:
    """In the field's own type."""
    reading = value_adapter(domain, "x").read(State(f"{domain}.x", text, attributes))
    assert reading == {"x": value}
    assert reading is not None
    assert type(reading["x"]) is type(value) or domain == "cover"


@pytest.mark.parametrize(
    ("domain", "attributes"), [("number", {}), ("sensor", CELSIUS)]
)
def test_text_where_a_number_belongs_is_no_reading(
    domain: str, attributes: dict[str, Any]
) -> None:
    """It is neither a value nor a confirmation."""
    state = State(f"{domain}.x", "broken", attributes)
    assert value_adapter(domain, "x").read(state) is None
    assert not value_adapter(domain, "x").shows(state, {"x": 1.0})


@pytest.mark.parametrize(
    ("domain", "value", "service", "data"),
    [
        ("switch", True, "turn_on", {}),
        ("input_boolean", False, "turn_off", {}),
        ("number", 17.3, "set_value", {"value": 17.3}),
        ("select", "b", "select_option", {"option": "b"}),
        ("text", "b", "set_value", {"value": "b"}),
        ("input_text", "", "set_value", {"value": ""}),
        ("light", 0.0, "turn_off", {}),
    ],
)
def test_each_domain_has_its_service(
    domain: str, value: Any, service: str, data: dict[str, Any]
) -> None:
    """The value is sent as it was asked, not rounded."""
    state = State(f"{domain}.x", "on", {"step": 0.5})
    assert value_adapter(domain, "x").calls(state, {"x": value}) == [
        ServiceCall(domain=domain, service=service, data=data)
    ]


@pytest.mark.parametrize(
    ("domain", "text", "wanted", "shown"),
    [
        ("switch", "on", True, True),
        ("switch", "on", False, False),
        ("number", "17.5", 17.3, True),
        ("number", "17.5", 17.0, False),
        ("select", "b", "b", True),
        ("select", "b", "a", False),
        ("binary_sensor", "on", True, True),
    ],
)
def test_confirmation_allows_for_half_a_step(
    domain: str, text: str, wanted: Any, shown: bool
) -> None:
    """A number may be rounded by its entity, everything else must be equal."""
    state = State(f"{domain}.x", text, {"step": 0.5})
    assert value_adapter(domain, "x").shows(state, {"x": wanted}) is shown


def test_announced_unit_holds_when_home_assistant_has_another_one() -> None:
    """17 °C is written as 62.6 °F, and read back as 17 (R-T62)."""
    adapter = value_adapter("number", "x", unit="°C")
    state = State("number.x", "62.6", FAHRENHEIT)
    field = adapter.field(state)
    assert (field.unit, field.minimum, field.maximum) == ("°C", 10.0, 40.0)
    assert field.step is None
    assert adapter.read(state) == {"x": 17.0}
    assert adapter.calls(state, {"x": 17}) == [
        ServiceCall(domain="number", service="set_value", data={"value": 62.6})
    ]
    assert adapter.shows(state, {"x": 17})
    same = adapter.field(State("number.x", "20", {**CELSIUS, "step": 0.1}))
    assert same.step == 0.1


def test_sensor_in_the_announced_unit() -> None:
    """A thermometer may count in °F."""
    adapter = value_adapter("sensor", "x", unit="°C")
    state = State("sensor.x", "77", {"unit_of_measurement": "°F"})
    assert adapter.read(state) == {"x": 25.0}
    assert adapter.field(state).unit == "°C"


@pytest.mark.parametrize(
    ("device_class", "own", "announced", "unit", "number"),
    [
        (None, "°C", "°C", "°C", 25.0),
        (None, "°C", "°F", "°F", 77.0),
        ("temperature", "°F", "°C", "°C", -3.888889),
        ("volume", "gal", "L", "L", 94.635295),
        ("pressure", "psi", "mbar", "mbar", 1723.689323),
        ("power", "W", "kW", "kW", 0.025),
        (None, "W", "kW", "W", 25.0),
        (None, None, "°C", None, 25.0),
        (None, "°C", "L", "°C", 25.0),
        ("volume", "gal", "°C", "gal", 25.0),
        (None, "gal", None, "gal", 25.0),
    ],
)
@pytest.mark.parametrize("domain", ["sensor", "number"])
def test_values_are_in_the_announced_unit(
    domain: str,
    device_class: str | None,
    own: str | None,
    announced: str | None,
    unit: str | None,
    number: float,
) -> None:
    """A unit that the entity's cannot become is not announced: a wrong value would be worse."""
    attributes = {"unit_of_measurement": own, "device_class": device_class}
    state = State(f"{domain}.x", "25", attributes)
    adapter = value_adapter(domain, "x", unit=announced)
    assert adapter.field(state).unit == unit
    reading = adapter.read(state)
    assert reading is not None
    assert reading["x"] == pytest.approx(number)


def test_volume_is_written_in_the_unit_of_the_entity() -> None:
    """Imperial inside, litres outside: there and back it is the same number."""
    attributes = {
        "unit_of_measurement": "gal",
        "device_class": "volume",
        "min": 0,
        "max": 100,
        "step": 0.1,
    }
    adapter = value_adapter("number", "x", unit="L")
    before = State("number.x", "0", attributes)
    assert adapter.field(before).maximum == pytest.approx(378.5412)
    (call,) = adapter.calls(before, {"x": 100})
    assert call.data["value"] == pytest.approx(26.417205)
    assert adapter.shows(State("number.x", "26.4", attributes), {"x": 100})
    assert adapter.field(None).unit == "L"


@pytest.mark.parametrize(
    ("attributes", "value", "data"),
    [
        (
            {"has_date": True, "has_time": True},
            "2026-05-01 08:00:00",
            {"datetime": "2026-05-01 08:00:00"},
        ),
        (
            {"has_date": True, "has_time": False},
            "2026-05-01",
            {"date": "2026-05-01"},
        ),
        ({"has_date": False, "has_time": True}, "08:00:00", {"time": "08:00:00"}),
    ],
)
def test_date_and_time_are_set_as_they_are_shown(
    attributes: dict[str, Any], value: str, data: dict[str, str]
) -> None:
    """So that they can be put back."""
    adapter = value_adapter("input_datetime", "x")
    state = State("input_datetime.x", value, attributes)
    assert adapter.read(state) == {"x": value}
    assert adapter.shows(state, {"x": value})
    assert adapter.calls(state, {"x": value}) == [
        ServiceCall(domain="input_datetime", service="set_datetime", data=data)
    ]


def test_sensor_cannot_be_set() -> None:
    """The check before refuses it; this is the last line."""
    with pytest.raises(DeviceError, match="unsupported") as error:
        value_adapter("sensor", "x").calls(State("sensor.x", "1"), {"x": 1.0})
    assert not error.value.transient


def test_number_that_no_check_let_pass_is_zero() -> None:
    """A setting of the wrong type never raises here."""
    assert value_adapter("number", "x").calls(
        State("number.x", "1"), {"x": "much"}
    ) == [ServiceCall(domain="number", service="set_value", data={"value": 0.0})]


def test_other_domains_are_no_fields() -> None:
    """A vacuum has no value."""
    with pytest.raises(DeviceError, match="unsupported"):
        value_adapter("vacuum", "x")


def test_attribute_that_is_no_list_gives_no_choices() -> None:
    """A broken entity offers nothing rather than letters."""
    state = State("select.x", "a", {"options": "ab"})
    assert value_adapter("select", "x").field(state).values == ()
    assert value_adapter("select", "x").field(state).data_type is DataType.STRING


@pytest.mark.parametrize("domain", ["number", "input_number", "sensor"])
@pytest.mark.parametrize("shown", ["nan", "inf", "-inf"])
def test_what_is_no_finite_number_is_not_read(domain: str, shown: str) -> None:
    """R-T55: it would be taken for what a field rests on, and cannot be brought back."""
    attributes = {"min": 0, "max": 10, "unit_of_measurement": "L"}
    state = State(f"{domain}.x", shown, attributes)
    assert value_adapter(domain, "x").read(state) is None
