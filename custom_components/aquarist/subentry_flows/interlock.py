"""An interlock: a device that is off, or does not dose, unless something else is proven."""

from typing import Any, Final, override

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.const import CONF_ENTITY_ID, CONF_NAME, UnitOfTime
from homeassistant.helpers.selector import EntitySelector, TextSelector
import probatio as vol

from ..const import CONF_ABOVE, CONF_BELOW, CONF_DEVICE, CONF_WITHIN_MINUTES
from ..form_fields import number_field
from ..safety_rules import interlock_of
from .device_flow import Errors
from .rules import RuleFlow, device_field

NUMBERS: Final = (CONF_ABOVE, CONF_BELOW, CONF_WITHIN_MINUTES)


class InterlockFlow(RuleFlow):
    """Asks what is protected, and what must be seen for it."""

    @override
    async def async_step_device(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for everything at once."""
        errors: Errors = {}
        if user_input is not None:
            errors = self._name_errors(user_input) | _problem(user_input)
            if not errors:
                entity_id = self._entity_id(user_input[CONF_ENTITY_ID])
                numbers = {key: user_input.get(key) for key in NUMBERS}
                return self._save(
                    user_input[CONF_NAME],
                    {
                        CONF_DEVICE: user_input[CONF_DEVICE],
                        **self._stored(entity_id),
                        **numbers,
                    },
                )
        return self._ask(self._schema(), user_input or self._known, errors)

    def _schema(self) -> vol.Schema:
        """Return the form: the devices to choose from are those of the aquarium."""
        aquarium = self._get_entry().entry_id
        return vol.Schema(
            {
                vol.Required(CONF_NAME): TextSelector(),
                # Not required by the form, which would choose the first one by itself.
                vol.Optional(CONF_DEVICE): device_field(
                    self.hass, aquarium, several=False
                ),
                vol.Required(CONF_ENTITY_ID): EntitySelector(),
                vol.Optional(CONF_ABOVE): number_field(None),
                vol.Optional(CONF_BELOW): number_field(None),
                vol.Optional(CONF_WITHIN_MINUTES): number_field(
                    UnitOfTime.MINUTES, 0, 1440
                ),
            }
        )


def _problem(user_input: dict[str, Any]) -> Errors:
    """Return what is wrong: no device, or numbers that nothing lies between."""
    if not user_input.get(CONF_DEVICE):
        return {CONF_DEVICE: "device_missing"}
    try:
        interlock_of(user_input)
    except ValueError:
        return {CONF_ABOVE: "range_empty"}
    return {}
