"""Any other device: one or more entities, each a field with a name that plans and rules use."""

from typing import Any, Final, override

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.const import CONF_ENTITY_ID, CONF_NAME
from homeassistant.helpers.selector import (
    ObjectSelector,
    ObjectSelectorConfig,
    TextSelector,
)
import probatio as vol

from ..const import CONF_FIELDS
from .device_flow import DeviceFlow, Errors, entity_field, several

DOMAINS: Final = (
    "binary_sensor",
    "climate",
    "cover",
    "fan",
    "input_boolean",
    "input_number",
    "input_select",
    "light",
    "number",
    "select",
    "sensor",
    "switch",
    "valve",
)
"""What can be a field; sensors are read only."""

SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_FIELDS): ObjectSelector(
            ObjectSelectorConfig(
                fields={
                    CONF_NAME: {"required": True, "selector": TextSelector()},
                    CONF_ENTITY_ID: {
                        "required": True,
                        "selector": entity_field(DOMAINS),
                    },
                },
                multiple=True,
                label_field=CONF_NAME,
                description_field=CONF_ENTITY_ID,
                translation_key="device_field",
            )
        ),
    }
)


class EntityFlow(DeviceFlow):
    """Asks for the fields."""

    @override
    async def async_step_device(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for everything at once."""
        errors: Errors = {}
        if user_input is not None:
            fields = [
                {
                    CONF_NAME: field[CONF_NAME].strip(),
                    CONF_ENTITY_ID: self._entity_id(field[CONF_ENTITY_ID]),
                }
                for field in several(user_input[CONF_FIELDS])
            ]
            errors = self._name_errors(user_input) | self._field_errors(fields)
            if not errors:
                return self._save(user_input[CONF_NAME], {CONF_FIELDS: fields})
        return self.async_show_form(
            step_id="device",
            data_schema=self.add_suggested_values_to_schema(
                SCHEMA, user_input or self._known
            ),
            errors=errors,
            description_placeholders=self._placeholders,
        )

    def _field_errors(self, fields: list[dict[str, str]]) -> Errors:
        """Return what is wrong with the fields."""
        if not fields:
            return {CONF_FIELDS: "fields_missing"}
        return self._entity_errors(
            CONF_FIELDS, [field[CONF_ENTITY_ID] for field in fields], DOMAINS
        ) or self._word_errors(CONF_FIELDS, [field[CONF_NAME] for field in fields])
