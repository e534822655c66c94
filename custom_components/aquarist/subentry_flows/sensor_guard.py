"""A watched sensor: what it may say, and which devices go safe when it is in doubt."""

from typing import Any, Final, override

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.const import CONF_ENTITY_ID, CONF_NAME, UnitOfTime
from homeassistant.helpers.selector import TextSelector
import probatio as vol

from ..const import (
    CONF_DEVICES,
    CONF_DISAGREEMENT,
    CONF_FASTEST,
    CONF_GOOD_READINGS,
    CONF_MAXIMUM,
    CONF_MINIMUM,
    CONF_SECOND,
    CONF_STALE_MINUTES,
)
from ..form_fields import number_field
from ..safety_rules import guard_of
from .device_flow import Errors, entity_field
from .rules import RuleFlow, device_field

DOMAINS: Final = ("sensor", "number", "input_number")
"""What gives numbers."""

CHECKS: Final = (
    CONF_MINIMUM,
    CONF_MAXIMUM,
    CONF_STALE_MINUTES,
    CONF_FASTEST,
    CONF_DISAGREEMENT,
)
NEW: Final = {CONF_GOOD_READINGS: 3}
"""What is suggested for a sensor that is added."""


class SensorGuardFlow(RuleFlow):
    """Asks for the sensor, its checks and the devices."""

    @override
    async def async_step_device(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for everything at once."""
        errors: Errors = {}
        if user_input is not None:
            errors = self._name_errors(user_input) | _problem(user_input)
            if not errors:
                return self._save(user_input[CONF_NAME], self._data(user_input))
        known: dict[str, Any] = {**NEW, **self._known}
        if known.get(CONF_SECOND):
            known[CONF_SECOND] = known[CONF_SECOND][CONF_ENTITY_ID]
        return self._ask(self._schema(), user_input or known, errors)

    def _data(self, user_input: dict[str, Any]) -> dict[str, Any]:
        """Return what is stored."""
        second = user_input.get(CONF_SECOND)
        return {
            **self._stored(self._entity_id(user_input[CONF_ENTITY_ID])),
            CONF_SECOND: second and self._stored(self._entity_id(second)),
            CONF_DEVICES: list(user_input[CONF_DEVICES]),
            CONF_GOOD_READINGS: int(user_input[CONF_GOOD_READINGS]),
            **{key: user_input.get(key) for key in CHECKS},
        }

    def _schema(self) -> vol.Schema:
        """Return the form: the devices to choose from are those of the aquarium."""
        aquarium = self._get_entry().entry_id
        positive = number_field(None, 0.001)
        return vol.Schema(
            {
                vol.Required(CONF_NAME): TextSelector(),
                vol.Required(CONF_ENTITY_ID): entity_field(DOMAINS),
                # Not required by the form, which would choose the first one by itself.
                vol.Optional(CONF_DEVICES): device_field(
                    self.hass, aquarium, several=True
                ),
                vol.Optional(CONF_MINIMUM): number_field(None),
                vol.Optional(CONF_MAXIMUM): number_field(None),
                vol.Optional(CONF_STALE_MINUTES): number_field(
                    UnitOfTime.MINUTES, 0.1, 10080
                ),
                vol.Optional(CONF_FASTEST): positive,
                vol.Optional(CONF_SECOND): entity_field(DOMAINS),
                vol.Optional(CONF_DISAGREEMENT): positive,
                vol.Required(CONF_GOOD_READINGS): number_field(None, 1, 100, 1),
            }
        )


def _problem(user_input: dict[str, Any]) -> Errors:
    """Return what is wrong with the checks: there must be one, and something can pass it."""
    if not user_input.get(CONF_DEVICES):
        return {CONF_DEVICES: "devices_missing"}
    if all(user_input.get(key) is None for key in CHECKS):
        return {"base": "checks_missing"}
    if user_input.get(CONF_DISAGREEMENT) and not user_input.get(CONF_SECOND):
        return {CONF_SECOND: "second_missing"}
    try:
        guard_of(user_input)
    except ValueError:
        return {CONF_MINIMUM: "range_empty"}
    return {}
