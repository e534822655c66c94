"""Entities whose field holds what Home Assistant shows, in the announced unit."""

from collections.abc import Sequence
from typing import ClassVar, override

from homeassistant.components.sensor.const import UNIT_CONVERTERS
from homeassistant.const import STATE_ON
from homeassistant.core import State
from homeassistant.util.unit_conversion import BaseUnitConverter, TemperatureConverter

from ..frozen import frozen
from ..layers.setting import Setting, is_number
from .entity_adapter import (
    EntityAdapter,
    Meaning,
    ServiceCall,
    choices,
    number_attribute,
    only_number,
    state_number,
    switching,
)
from .errors import DeviceError
from .fields import DataType, Field
from .level_adapters import level_adapter

_UNIT = "unit_of_measurement"


@frozen
class ValueAdapter:
    """What all single values share; ``unit`` is announced instead of the entity's own (R-T62)."""

    settle_time: ClassVar[float] = 0.0
    name: str
    domain: str
    unit: str | None = None

    def beside(self, state: State) -> str | None:
        """Return that a single value is all there is."""
        return None

    def meant(self, state: State, call: ServiceCall) -> Meaning:
        """Return what a call asks for: nothing that is known of all of them."""
        return None

    def _asked(self, call: ServiceCall, service: str, name: str) -> Meaning:
        """Return the one value of a call of a service, as the value of the field."""
        asked = (call.domain, call.service, {*call.data})
        if asked != (self.domain, service, {name}):
            return None
        return {self.name: call.data[name]}

    def _unit(self, state: State | None) -> str | None:
        """Return the announced unit: the chosen one, unless the entity's cannot become it."""
        if state is None:
            return self.unit
        own = state.attributes.get(_UNIT)
        if self.unit is None or own == self.unit:
            return own
        converter = _converter(state)
        units = converter.VALID_UNITS if converter is not None else ()
        return self.unit if self.unit in units and own in units else own

    def _announced(self, state: State | None, number: float | None) -> float | None:
        """Return the entity's number in the announced unit."""
        if number is None or state is None:
            return None
        return in_unit(
            number, state.attributes.get(_UNIT), self._unit(state), _converter(state)
        )


class BooleanValue(ValueAdapter):
    """A switch or input boolean."""

    def field(self, state: State | None) -> Field:
        """Describe the field."""
        return Field(name=self.name, data_type=DataType.BOOLEAN)

    def read(self, state: State) -> Setting | None:
        """Return whether it is on."""
        return {self.name: state.state == STATE_ON}

    def calls(self, state: State, wanted: Setting) -> Sequence[ServiceCall]:
        """Return the call that switches."""
        service = "turn_on" if wanted[self.name] is True else "turn_off"
        return [ServiceCall(domain=self.domain, service=service)]

    @override
    def meant(self, state: State, call: ServiceCall) -> Meaning:
        """Return how a call switches."""
        return switching(call, self.domain)

    def shows(self, state: State, wanted: Setting) -> bool:
        """Return whether it is switched as wanted."""
        return self.read(state) == wanted


class NumberValue(ValueAdapter):
    """A number or input number, in the announced unit."""

    def field(self, state: State | None) -> Field:
        """Describe the field with the entity's bounds."""
        return Field(
            name=self.name,
            data_type=DataType.NUMBER,
            unit=self._unit(state),
            minimum=self._announced(state, number_attribute(state, "min")),
            maximum=self._announced(state, number_attribute(state, "max")),
            step=number_attribute(state, "step") if self._in_own_unit(state) else None,
        )

    def read(self, state: State) -> Setting | None:
        """Return the number."""
        number = self._announced(state, state_number(state))
        return None if number is None else {self.name: number}

    def calls(self, state: State, wanted: Setting) -> Sequence[ServiceCall]:
        """Return the call with the number in the entity's unit."""
        value = self._native(state, wanted)
        return [
            ServiceCall(domain=self.domain, service="set_value", data={"value": value})
        ]

    def shows(self, state: State, wanted: Setting) -> bool:
        """Return whether the number is shown, within half a step."""
        number = state_number(state)
        step = number_attribute(state, "step") or 0.0
        return (
            number is not None
            and abs(number - self._native(state, wanted)) <= step / 2 + 1e-6
        )

    @override
    def meant(self, state: State, call: ServiceCall) -> Meaning:
        """Return the number of a call, in the announced unit."""
        value = only_number(call, self.domain, "set_value", "value")
        announced = self._announced(state, value)
        return None if announced is None else {self.name: announced}

    def _in_own_unit(self, state: State | None) -> bool:
        """Return whether the announced unit is the entity's."""
        return state is not None and self._unit(state) == state.attributes.get(_UNIT)

    def _native(self, state: State, wanted: Setting) -> float:
        """Return the wanted number in the entity's unit."""
        number = wanted[self.name]
        return in_unit(
            float(number) if is_number(number) else 0.0,
            self._unit(state),
            state.attributes.get(_UNIT),
            _converter(state),
        )


class ChoiceValue(ValueAdapter):
    """A select or input select."""

    def field(self, state: State | None) -> Field:
        """Describe the field with the entity's options."""
        return Field(
            name=self.name, data_type=DataType.STRING, values=choices(state, "options")
        )

    def read(self, state: State) -> Setting | None:
        """Return the option."""
        return {self.name: state.state}

    def calls(self, state: State, wanted: Setting) -> Sequence[ServiceCall]:
        """Return the call that selects."""
        data = {"option": wanted[self.name]}
        return [ServiceCall(domain=self.domain, service="select_option", data=data)]

    @override
    def meant(self, state: State, call: ServiceCall) -> Meaning:
        """Return the option that a call selects."""
        return self._asked(call, "select_option", "option")

    def shows(self, state: State, wanted: Setting) -> bool:
        """Return whether the option is selected."""
        return self.read(state) == wanted


class TextValue(ValueAdapter):
    """A text or input text."""

    def field(self, state: State | None) -> Field:
        """Describe the field."""
        return Field(name=self.name, data_type=DataType.STRING)

    def read(self, state: State) -> Setting | None:
        """Return the text."""
        return {self.name: state.state}

    def calls(self, state: State, wanted: Setting) -> Sequence[ServiceCall]:
        """Return the call with the text; the entity itself refuses one that it cannot take."""
        data = {"value": wanted[self.name]}
        return [ServiceCall(domain=self.domain, service="set_value", data=data)]

    @override
    def meant(self, state: State, call: ServiceCall) -> Meaning:
        """Return the text of a call."""
        return self._asked(call, "set_value", "value")

    def shows(self, state: State, wanted: Setting) -> bool:
        """Return whether the text is shown."""
        return self.read(state) == wanted


class DateTimeValue(TextValue):
    """An input datetime: a date, a time of day or both, as the entity shows them."""

    @override
    def calls(self, state: State, wanted: Setting) -> Sequence[ServiceCall]:
        """Return the call with the date, the time or both."""
        data = {self._part(state): wanted[self.name]}
        return [ServiceCall(domain=self.domain, service="set_datetime", data=data)]

    @override
    def meant(self, state: State, call: ServiceCall) -> Meaning:
        """Return the date, the time or both of a call."""
        return self._asked(call, "set_datetime", self._part(state))

    def _part(self, state: State) -> str:
        """Return what the entity has."""
        has_date = state.attributes.get("has_date") is not False
        has_time = state.attributes.get("has_time") is not False
        return "datetime" if has_date and has_time else "date" if has_date else "time"


class SensorValue(ValueAdapter):
    """A sensor or binary sensor: read-only."""

    def field(self, state: State | None) -> Field:
        """Describe the field; whether a sensor is numeric is known from its state."""
        data_type = DataType.STRING
        if self.domain == "binary_sensor":
            data_type = DataType.BOOLEAN
        elif state is not None and self._numeric(state):
            data_type = DataType.NUMBER
        return Field(
            name=self.name,
            data_type=data_type,
            unit=self._unit(state),
            values=choices(state, "options"),
            writable=False,
        )

    def read(self, state: State) -> Setting | None:
        """Return what the sensor shows."""
        if self.domain == "binary_sensor":
            return {self.name: state.state == STATE_ON}
        if not self._numeric(state):
            return {self.name: state.state}
        number = self._announced(state, state_number(state))
        return None if number is None else {self.name: number}

    def calls(self, state: State, wanted: Setting) -> Sequence[ServiceCall]:
        """Refuse: a sensor cannot be set."""
        raise DeviceError("unsupported", transient=False, entity_id=state.entity_id)

    def shows(self, state: State, wanted: Setting) -> bool:
        """Return whether the sensor shows the value."""
        return self.read(state) == wanted

    def _numeric(self, state: State) -> bool:
        """Return whether the sensor measures, by Home Assistant's own rule."""
        return _UNIT in state.attributes or "state_class" in state.attributes


def in_unit(
    number: float,
    have: str | None,
    want: str | None,
    converter: type[BaseUnitConverter] | None,
) -> float:
    """Return a number in another unit; as it is where there is nothing to convert."""
    if converter is None or have == want:
        return number
    return round(converter.convert(number, have, want), 6)


def _converter(state: State) -> type[BaseUnitConverter] | None:
    """Return what converts between the units that an entity may have, by its device class.

    An entity without one can still be a thermometer.
    """
    found = UNIT_CONVERTERS.get(state.attributes.get("device_class"))
    if (
        found is None
        and state.attributes.get(_UNIT) in TemperatureConverter.VALID_UNITS
    ):
        return TemperatureConverter
    return found


def value_adapter(domain: str, name: str, unit: str | None = None) -> EntityAdapter:
    """Return the adapter for a domain as a plain field.

    Lights, fans, covers and valves are per cents. Raises DeviceError `unsupported`.
    """
    match domain:
        case "switch" | "input_boolean":
            return BooleanValue(name=name, domain=domain)
        case "number" | "input_number":
            return NumberValue(name=name, domain=domain, unit=unit)
        case "select" | "input_select":
            return ChoiceValue(name=name, domain=domain)
        case "text" | "input_text":
            return TextValue(name=name, domain=domain)
        case "input_datetime":
            return DateTimeValue(name=name, domain=domain)
        case "sensor" | "binary_sensor":
            return SensorValue(name=name, domain=domain, unit=unit)
        case _:
            return level_adapter(domain, name)
