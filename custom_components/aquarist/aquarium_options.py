"""What all dosing pumps of an aquarium together may do, which its keeper may change at any time."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.const import UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    ObjectSelector,
    ObjectSelectorConfig,
    ObjectSelectorField,
)
import probatio as vol

from .const import (
    CONF_ADDITIVE,
    CONF_ADDITIVE_BUDGETS,
    CONF_BUDGET_ML,
    CONF_FIRST,
    CONF_MINUTES,
    CONF_SECOND,
    CONF_SPACING,
)
from .form_fields import BUDGET, is_exact, number_field
from .head_options import Errors, additive_field
from .subentry_flows.device_flow import several

_MINUTES: Final = number_field(UnitOfTime.MINUTES, 1, 1440, 1)


class AquariumOptionsFlow(OptionsFlow):
    """Asks for budgets, and for what must not come together.

    The aquarium's own listener takes the answers: no device is attached anew for them.
    """

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Begin; the devices of Bluetooth have other steps."""
        return await self.async_step_aquarium()

    async def async_step_aquarium(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for everything at once."""
        errors: Errors = {}
        word = ""
        if user_input is not None:
            entered = _entered(user_input)
            errors, word = _problem(entered)
            if not errors:
                return self.async_create_entry(data=entered)
        return self.async_show_form(
            step_id="aquarium",
            data_schema=self.add_suggested_values_to_schema(
                _schema(self.hass), user_input or self.config_entry.options
            ),
            errors=errors,
            description_placeholders={
                "name": self.config_entry.title,
                "word": word,
            },
        )


def _schema(hass: HomeAssistant) -> vol.Schema:
    """Return the form."""
    additive: ObjectSelectorField = {"required": True, "selector": additive_field(hass)}
    return vol.Schema(
        {
            vol.Optional(CONF_BUDGET_ML): BUDGET,
            vol.Optional(CONF_ADDITIVE_BUDGETS): ObjectSelector(
                ObjectSelectorConfig(
                    fields={
                        CONF_ADDITIVE: additive,
                        CONF_BUDGET_ML: {"required": True, "selector": BUDGET},
                    },
                    multiple=True,
                    label_field=CONF_ADDITIVE,
                    description_field=CONF_BUDGET_ML,
                    translation_key="additive_budget",
                )
            ),
            vol.Optional(CONF_SPACING): ObjectSelector(
                ObjectSelectorConfig(
                    fields={
                        CONF_FIRST: additive,
                        CONF_SECOND: additive,
                        CONF_MINUTES: {"required": True, "selector": _MINUTES},
                    },
                    multiple=True,
                    label_field=CONF_FIRST,
                    description_field=CONF_SECOND,
                    translation_key="additive_spacing",
                )
            ),
        }
    )


def _entered(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was entered as it is stored."""
    return {
        CONF_BUDGET_ML: user_input.get(CONF_BUDGET_ML),
        CONF_ADDITIVE_BUDGETS: [
            {
                CONF_ADDITIVE: one[CONF_ADDITIVE].strip(),
                CONF_BUDGET_ML: one[CONF_BUDGET_ML],
            }
            for one in several(user_input.get(CONF_ADDITIVE_BUDGETS, []))
        ],
        CONF_SPACING: [
            {
                CONF_FIRST: one[CONF_FIRST].strip(),
                CONF_SECOND: one[CONF_SECOND].strip(),
                CONF_MINUTES: one[CONF_MINUTES],
            }
            for one in several(user_input.get(CONF_SPACING, []))
        ],
    }


def _problem(entered: Mapping[str, Any]) -> tuple[Errors, str]:
    """Return what is wrong by field, and the additive that it is about."""
    if not is_exact(entered[CONF_BUDGET_ML]):
        return {CONF_BUDGET_ML: "too_fine"}, ""
    taken: set[str] = set()
    for one in entered[CONF_ADDITIVE_BUDGETS]:
        additive = one[CONF_ADDITIVE]
        if not additive:
            return {CONF_ADDITIVE_BUDGETS: "additive_missing"}, ""
        if additive in taken:
            return {CONF_ADDITIVE_BUDGETS: "additive_twice"}, additive
        if not is_exact(one[CONF_BUDGET_ML]):
            return {CONF_ADDITIVE_BUDGETS: "budget_too_fine"}, additive
        taken.add(additive)
    for one in entered[CONF_SPACING]:
        if not (one[CONF_FIRST] and one[CONF_SECOND]):
            return {CONF_SPACING: "additive_missing"}, ""
    return {}, ""
