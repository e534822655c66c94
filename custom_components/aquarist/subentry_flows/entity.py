"""Any other device: one or more entities, each a field with a name that plans and rules use."""

from collections.abc import Mapping
from typing import Any, Final, override

from homeassistant.config_entries import SOURCE_USER, SubentryFlowResult
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT, CONF_ENTITY_ID, CONF_NAME
from homeassistant.core import HomeAssistant, split_entity_id
from homeassistant.helpers.selector import (
    BooleanSelector,
    ObjectSelector,
    ObjectSelectorConfig,
    TextSelector,
)
import probatio as vol

from ..const import CONF_FIELDS, CONF_RESPECT_MANUAL_CHANGE, CONF_UNIT
from ..devices.references import present_entity_id
from ..hand_options import entered_hand, hand_errors, hand_fields
from .device_flow import DeviceFlow, Errors, entity_field, several
from .safe_values import SAFE_VALUES, entered_values, shown_values

DOMAINS: Final = (
    "binary_sensor",
    "climate",
    "cover",
    "fan",
    "input_boolean",
    "input_datetime",
    "input_number",
    "input_select",
    "input_text",
    "light",
    "number",
    "select",
    "sensor",
    "switch",
    "text",
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
                    **{
                        key: {"required": False, "selector": TextSelector()}
                        for key in SAFE_VALUES
                    },
                    CONF_RESPECT_MANUAL_CHANGE: {
                        "required": False,
                        "selector": BooleanSelector(),
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


def _unit_of(hass: HomeAssistant, entity_id: str) -> str | None:
    """Return the unit that an entity shows now; a climate shows its temperatures in the house's."""
    if split_entity_id(entity_id)[0] == "climate":
        return hass.config.units.temperature_unit
    state = hass.states.get(entity_id)
    return None if state is None else state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)


def _kept(field: Mapping[str, Any]) -> dict[str, bool]:
    """Return that what somebody sets a field to stays when a window ends (RES-28)."""
    kept = bool(field.get(CONF_RESPECT_MANUAL_CHANGE))
    return {CONF_RESPECT_MANUAL_CHANGE: True} if kept else {}


class EntityFlow(DeviceFlow):
    """Asks for the fields."""

    @override
    async def async_step_device(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for everything at once."""
        errors: Errors = {}
        if user_input is not None:
            entered = several(user_input[CONF_FIELDS])
            fields = [
                {
                    CONF_NAME: field[CONF_NAME].strip(),
                    **self._noted(self._entity_id(field[CONF_ENTITY_ID])),
                    **_kept(field),
                }
                for field in entered
            ]
            errors = (
                self._name_errors(user_input)
                | self._value_errors(entered, fields)
                | self._field_errors(fields)
                | hand_errors(user_input)
            )
            if not errors:
                return self._save(
                    user_input[CONF_NAME],
                    {CONF_FIELDS: fields, **entered_hand(user_input)},
                )
        known = user_input or self._as_entered()
        return self._ask(SCHEMA.extend(hand_fields(known)), known, errors)

    def _as_entered(self) -> dict[str, Any]:
        """Return the device before the change in the form's own terms."""
        known = dict(self._known)
        if known:
            known[CONF_FIELDS] = [shown_values(field) for field in known[CONF_FIELDS]]
        return known

    def _value_errors(
        self, entered: list[dict[str, Any]], fields: list[dict[str, Any]]
    ) -> Errors:
        """Take the values of the fields over; return that one is none."""
        for asked, field in zip(entered, fields, strict=True):
            values, wrong = entered_values(field[CONF_ENTITY_ID], asked)
            field |= values
            if wrong is not None:
                self._placeholders["entity"] = field[CONF_ENTITY_ID]
                self._placeholders["word"] = wrong
                return {CONF_FIELDS: "value_wrong"}
        return {}

    def _noted(self, entity_id: str) -> dict[str, str]:
        """Return how a field's entity is stored: with the unit that is announced from now on.

        It stays when Home Assistant changes to other units (R-T62).
        """
        stored = self._stored(entity_id)
        unit = self._known_units().get(entity_id) or _unit_of(self.hass, entity_id)
        return stored if unit is None else {**stored, CONF_UNIT: unit}

    def _known_units(self) -> dict[str, str]:
        """Return the units that were announced before the change, by the present entity id."""
        if self.source == SOURCE_USER:
            return {}
        return {
            present_entity_id(self.hass, field): field[CONF_UNIT]
            for field in self._get_reconfigure_subentry().data[CONF_FIELDS]
            if CONF_UNIT in field
        }

    def _field_errors(self, fields: list[dict[str, Any]]) -> Errors:
        """Return what is wrong with the fields."""
        if not fields:
            return {CONF_FIELDS: "fields_missing"}
        return self._entity_errors(
            CONF_FIELDS, [field[CONF_ENTITY_ID] for field in fields], DOMAINS
        ) or self._word_errors(CONF_FIELDS, [field[CONF_NAME] for field in fields])
