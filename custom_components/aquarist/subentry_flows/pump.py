"""A pump: what switches or regulates it, then its range and limits."""

from collections.abc import Mapping
from typing import Any, Final, override

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.const import (
    ATTR_UNIT_OF_MEASUREMENT,
    CONF_ENTITY_ID,
    CONF_NAME,
    UnitOfTime,
)
from homeassistant.core import State, split_entity_id
from homeassistant.helpers.selector import TextSelector
import probatio as vol

from ..const import (
    CONF_MAXIMUM,
    CONF_MAXIMUM_ON_MINUTES,
    CONF_MINIMUM,
    CONF_SAFE_LEVEL,
    CONF_SHUTDOWN_LEVEL,
    CONF_SLEW,
    CONF_START_LEVEL,
)
from ..devices.entity_adapter import number_attribute
from ..devices.fields import LEVEL
from ..devices.level import ON_OFF
from ..devices.level_adapters import level_adapter
from ..form_fields import ANY_LEVEL, SLEW, emptiable, number_field
from ..hand_options import entered_hand, hand_errors, hand_fields
from .device_flow import DeviceFlow, Errors, entity_field

NUMBERS: Final = ("number", "input_number")
DOMAINS: Final = (
    "switch",
    "input_boolean",
    *NUMBERS,
    "light",
    "fan",
    "valve",
    "cover",
)
"""What a level can be set at."""

SAFE_LEVELS: Final = (CONF_SAFE_LEVEL, CONF_START_LEVEL, CONF_SHUTDOWN_LEVEL)
LIMITS: Final = (
    CONF_MINIMUM,
    CONF_MAXIMUM,
    *SAFE_LEVELS,
    CONF_MAXIMUM_ON_MINUTES,
    CONF_SLEW,
)
DEVICE_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_ENTITY_ID): entity_field(DOMAINS),
    }
)
MAXIMUM_ON: Final = number_field(UnitOfTime.MINUTES, 1, 10080)


class PumpFlow(DeviceFlow):
    """Asks for the entity, then for what makes sense with it."""

    def __init__(self) -> None:
        """Start with nothing chosen."""
        super().__init__()
        self._name = ""
        self._entity = ""

    @override
    async def async_step_device(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the name and the entity."""
        errors: Errors = {}
        if user_input is not None:
            entity_id = self._entity_id(user_input[CONF_ENTITY_ID])
            errors = self._name_errors(user_input) | self._entity_errors(
                CONF_ENTITY_ID, [entity_id], DOMAINS
            )
            if not errors:
                self._name, self._entity = user_input[CONF_NAME], entity_id
                return await self.async_step_limits()
        return self._ask(
            DEVICE_SCHEMA, user_input or self._known, errors, last_step=False
        )

    async def async_step_limits(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the range and the limits."""
        state = self.hass.states.get(self._entity)
        errors: Errors = {}
        if user_input is not None:
            errors = self._limit_errors(user_input, state) | hand_errors(user_input)
            if not errors:
                limits = {key: user_input.get(key) for key in LIMITS}
                return self._save(
                    self._name,
                    {
                        **self._stored(self._entity),
                        **limits,
                        **entered_hand(user_input),
                    },
                )
        return self.async_show_form(
            step_id="limits",
            data_schema=self._limits_schema(
                self._suggested(state) if user_input is None else user_input, state
            ),
            errors=errors,
            description_placeholders={"entity": state.name if state else self._entity},
        )

    def _suggested(self, state: State | None) -> Mapping[str, Any]:
        """Return the limits to begin with: the present ones, unless the pump gets another entity.

        A new pump's range is its number's own, and stopped is safe.
        """
        known = self._known
        if known.get(CONF_ENTITY_ID) == self._entity:
            return known
        low, high = _own_range(state)
        return {CONF_MINIMUM: low, CONF_MAXIMUM: high, CONF_SAFE_LEVEL: 0}

    def _limits_schema(
        self, values: Mapping[str, Any], state: State | None
    ) -> vol.Schema:
        """Return the form: a range for numbers only, a slew for what has levels between off and full."""
        fields: dict[Any, Any] = {}
        if self._is_number:
            unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT) if state else None
            number = number_field(unit, *_own_range(state))
            fields[emptiable(CONF_MINIMUM, values)] = number
            fields[emptiable(CONF_MAXIMUM, values)] = number
        for key in SAFE_LEVELS:
            fields[emptiable(key, values)] = ANY_LEVEL
        fields[emptiable(CONF_MAXIMUM_ON_MINUTES, values)] = MAXIMUM_ON
        if not self._on_or_off(state):
            fields[emptiable(CONF_SLEW, values)] = SLEW
        return vol.Schema(fields | hand_fields(values))

    def _limit_errors(
        self, user_input: Mapping[str, Any], state: State | None
    ) -> Errors:
        """Return what is wrong with the limits."""
        own_low, own_high = _own_range(state)
        low = user_input.get(CONF_MINIMUM, own_low)
        high = user_input.get(CONF_MAXIMUM, own_high)
        if self._is_number and low is not None and high is not None and low >= high:
            return {CONF_MAXIMUM: "range_empty"}
        if not self._on_or_off(state):
            return {}
        return {
            key: "on_or_off"
            for key in SAFE_LEVELS
            if user_input.get(key) not in (None, *ON_OFF)
        }

    @property
    def _is_number(self) -> bool:
        """Return whether the entity is a number, whose range has to be known."""
        return split_entity_id(self._entity)[0] in NUMBERS

    def _on_or_off(self, state: State | None) -> bool:
        """Return whether the entity knows nothing between off and full."""
        adapter = level_adapter(split_entity_id(self._entity)[0], LEVEL)
        return adapter.field(state).values == ON_OFF


def _own_range(state: State | None) -> tuple[float | None, float | None]:
    """Return the range that a number has by itself, as far as it is known."""
    return number_attribute(state, "min"), number_attribute(state, "max")
