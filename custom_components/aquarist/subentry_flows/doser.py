"""A dosing pump: a switch whose flow the keeper has measured."""

from collections.abc import Mapping
from typing import Any, Final, override

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.const import CONF_ENTITY_ID, CONF_NAME, UnitOfVolume
from homeassistant.helpers.selector import TextSelector
import probatio as vol

from ..const import (
    CONF_BUDGET_ML,
    CONF_FLOW_ML_PER_MINUTE,
    CONF_MAXIMUM_DOSE_ML,
    DEFAULT_BUDGET_ML,
)
from ..devices.doser import LONGEST_RUN
from ..form_fields import BUDGET, is_exact, number_field
from .device_flow import DeviceFlow, Errors, entity_field

DOMAINS: Final = ("switch", "input_boolean")
"""What can be on for an exact time."""

DEFAULT_MAXIMUM_DOSE_ML: Final = 10.0
LONGEST_RUN_MINUTES: Final = LONGEST_RUN / 60

SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_ENTITY_ID): entity_field(DOMAINS),
        vol.Required(CONF_FLOW_ML_PER_MINUTE): number_field("mL/min", 0.1, 10000),
        vol.Required(CONF_MAXIMUM_DOSE_ML): number_field(
            UnitOfVolume.MILLILITERS, 0.1, 6553, 0.1
        ),
        vol.Optional(CONF_BUDGET_ML): BUDGET,
    }
)
NEW: Final = {
    CONF_MAXIMUM_DOSE_ML: DEFAULT_MAXIMUM_DOSE_ML,
    CONF_BUDGET_ML: DEFAULT_BUDGET_ML,
}
"""What is suggested for a doser that is added."""


class DoserFlow(DeviceFlow):
    """Asks for the switch, its flow and the limits of its doses."""

    @override
    async def async_step_device(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for everything at once."""
        errors: Errors = {}
        if user_input is not None:
            entity_id = self._entity_id(user_input[CONF_ENTITY_ID])
            errors = {
                **self._name_errors(user_input),
                **self._entity_errors(CONF_ENTITY_ID, [entity_id], DOMAINS),
                **_dose_errors(user_input),
            }
            if not errors:
                return self._save(
                    user_input[CONF_NAME],
                    {
                        CONF_ENTITY_ID: entity_id,
                        CONF_FLOW_ML_PER_MINUTE: user_input[CONF_FLOW_ML_PER_MINUTE],
                        CONF_MAXIMUM_DOSE_ML: user_input[CONF_MAXIMUM_DOSE_ML],
                        CONF_BUDGET_ML: user_input.get(CONF_BUDGET_ML),
                    },
                )
        minutes = f"{LONGEST_RUN_MINUTES:g}"
        return self.async_show_form(
            step_id="device",
            data_schema=self.add_suggested_values_to_schema(
                SCHEMA, user_input or self._known or NEW
            ),
            errors=errors,
            description_placeholders={**self._placeholders, "minutes": minutes},
        )


def _dose_errors(user_input: Mapping[str, Any]) -> Errors:
    """Return what is wrong with the volumes; a dose must be given within the longest run of a switch."""
    errors: Errors = {}
    largest, flow = (
        user_input[CONF_MAXIMUM_DOSE_ML],
        user_input[CONF_FLOW_ML_PER_MINUTE],
    )
    if not is_exact(largest):
        errors[CONF_MAXIMUM_DOSE_ML] = "too_fine"
    elif largest > flow * LONGEST_RUN_MINUTES:
        errors[CONF_MAXIMUM_DOSE_ML] = "dose_too_long"
    if not is_exact(user_input.get(CONF_BUDGET_ML)):
        errors[CONF_BUDGET_ML] = "too_fine"
    return errors
