"""What a keeper may change about a Bluetooth device at any time, and what it starts with."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.config_entries import (
    ConfigFlowContext,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.const import CONF_ADDRESS, CONF_NAME
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
import probatio as vol

from .chihiros.models import DeviceFamily
from .const import (
    CONF_AQUARIUM,
    CONF_CONTAINER_ML,
    CONF_ENABLED,
    CONF_FAMILY,
    CONF_HEAD,
    CONF_HEADS,
    CONF_IDLE_HOLD,
    CONF_MAXIMUM_DOSE_ML,
    CONF_MAXIMUM_LEVEL,
    CONF_RESTORE_MEMORY,
    CONF_SAFE_LEVEL,
    CONF_SHUTDOWN_LEVEL,
    CONF_SLEW,
    CONF_START_LEVEL,
    DEFAULT_IDLE_HOLD,
)
from .device_options import Heads, heads_of
from .form_fields import (
    ANY_LEVEL,
    CONF_DARK_IS_SAFE,
    IDLE_HOLD,
    MAXIMUM_LEVEL,
    SLEW,
    aquarium_field,
    emptiable,
)
from .hand_options import entered_hand, hand_errors, hand_fields
from .hardware import device_uuid
from .head_options import (
    MAXIMUM_DOSE,
    Errors,
    container_errors,
    container_ml,
    entered_head,
    head_errors,
    head_fields,
)
from .head_steps import HeadSteps


class DeviceOptionsFlow(
    HeadSteps[ConfigFlowContext, ConfigFlowResult, str],
    OptionsFlowWithReload,
):
    """Asks for what a light or a pump is to do and for the limits of a head; runs a head."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for everything of a light at once; of a pump, ask first what it is about."""
        if self.config_entry.data[CONF_FAMILY] == DeviceFamily.DOSER:
            return self.async_show_menu(
                step_id="init",
                menu_options=["head", "calibrate_head", "prime_head", "doser"],
            )
        return await self.async_step_light()

    async def async_step_light(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the options of a light."""
        errors: Errors = {}
        if user_input is not None:
            errors = hand_errors(user_input)
            if not errors:
                return self.async_create_entry(
                    data=_common(user_input)
                    | _light_limits(user_input)
                    | entered_hand(user_input)
                )
        known = self._as_entered() if user_input is None else user_input
        dark = known[CONF_DARK_IS_SAFE]
        fields = {
            **self._common_fields(known),
            emptiable(CONF_MAXIMUM_LEVEL, known): MAXIMUM_LEVEL,
            emptiable(CONF_SLEW, known): SLEW,
            vol.Required(CONF_DARK_IS_SAFE, default=dark): BooleanSelector(),
            emptiable(CONF_START_LEVEL, known): ANY_LEVEL,
            emptiable(CONF_SHUTDOWN_LEVEL, known): ANY_LEVEL,
            **hand_fields(known),
        }
        return self.async_show_form(
            step_id="light", data_schema=vol.Schema(fields), errors=errors
        )

    async def async_step_doser(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the options of a pump as a whole."""
        if user_input is not None:
            heads = {CONF_HEADS: self._heads}
            return self.async_create_entry(data=_common(user_input) | heads)
        schema = vol.Schema(self._common_fields(self.config_entry.options))
        return self.async_show_form(step_id="doser", data_schema=schema)

    async def async_step_head(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which head, then for its limits."""
        if user_input is None:
            return self._ask_for_head("head")
        self._head = int(user_input[CONF_HEAD])
        return await self.async_step_limits()

    async def async_step_limits(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what a head gives, and what it may."""
        heads = self._heads
        known, container = heads[self._head], self._container
        errors: Errors = {}
        if user_input is not None:
            entered = {
                CONF_NAME: user_input[CONF_NAME].strip(),
                CONF_ENABLED: user_input[CONF_ENABLED],
                **entered_head(user_input),
            }
            others = [head for head in heads if head is not known]
            errors = (
                _name_errors(entered, others) | head_errors(entered)
            ) or await container_errors(self.hass, self._uuid, self._head, entered)
            if not errors:
                heads[self._head] = entered
                options = {**self.config_entry.options, CONF_HEADS: heads}
                return self.async_create_entry(data=options)
        shown = {**known, CONF_CONTAINER_ML: container}
        return self.async_show_form(
            step_id="limits",
            data_schema=self.add_suggested_values_to_schema(
                self._limits_schema(), user_input or shown
            ),
            errors=errors,
            description_placeholders={"head": str(self._head + 1)},
        )

    async def async_step_calibrate_head(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which head, then calibrate it."""
        if not self._loaded:
            return self.async_abort(reason="not_loaded")
        if user_input is None:
            return self._ask_for_head("calibrate_head")
        self._head = int(user_input[CONF_HEAD])
        return await self.async_step_calibrate()

    async def async_step_prime_head(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which head, then fill its hose."""
        if not self._loaded:
            return self.async_abort(reason="not_loaded")
        if user_input is None:
            return self._ask_for_head("prime_head")
        self._head = int(user_input[CONF_HEAD])
        return await self.async_step_prime()

    def _ask_for_head(self, step: str) -> ConfigFlowResult:
        """Ask for a head by its name."""
        options = [
            SelectOptionDict(value=str(index), label=head[CONF_NAME])
            for index, head in enumerate(self._heads)
        ]
        field = SelectSelector(
            SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST)
        )
        return self.async_show_form(
            step_id=step,
            data_schema=vol.Schema({vol.Required(CONF_HEAD): field}),
            last_step=False,
        )

    def _as_entered(self) -> Mapping[str, Any]:
        """Return the options of a light in the form's own terms."""
        options = self.config_entry.options
        dark = options.get(CONF_SAFE_LEVEL) is not None
        return {**options, CONF_DARK_IS_SAFE: dark}

    def _common_fields(self, known: Mapping[str, Any]) -> dict[Any, Any]:
        """Return the fields that every device has."""
        hold = known.get(CONF_IDLE_HOLD, DEFAULT_IDLE_HOLD)
        restore = known.get(CONF_RESTORE_MEMORY, False)
        return {
            **aquarium_field(self.hass, known.get(CONF_AQUARIUM)),
            vol.Required(CONF_IDLE_HOLD, default=hold): IDLE_HOLD,
            vol.Required(CONF_RESTORE_MEMORY, default=restore): BooleanSelector(),
        }

    def _limits_schema(self) -> vol.Schema:
        """Return the form for a head."""
        return vol.Schema(
            {
                vol.Required(CONF_NAME): TextSelector(),
                vol.Required(CONF_ENABLED): BooleanSelector(),
                **head_fields(self.hass),
                vol.Optional(CONF_MAXIMUM_DOSE_ML): MAXIMUM_DOSE,
            }
        )

    @property
    def _heads(self) -> list[dict[str, Any]]:
        """Return what is known of each head."""
        known = self.config_entry.options.get(CONF_HEADS, ())
        return heads_of(known, self.config_entry.data[CONF_HEADS])

    @property
    @override
    def _uuid(self) -> str:
        """Return the id of the device."""
        return device_uuid(self.config_entry.data[CONF_ADDRESS])

    @property
    def _container(self) -> float | None:
        """Return the size of the chosen head's container in mL."""
        known: float | None = self._heads[self._head].get(CONF_CONTAINER_ML)
        return container_ml(self.hass, self._uuid, self._head) or known


def _common(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that every device has."""
    return {
        CONF_AQUARIUM: user_input.get(CONF_AQUARIUM),
        CONF_IDLE_HOLD: int(user_input[CONF_IDLE_HOLD]),
        CONF_RESTORE_MEMORY: user_input[CONF_RESTORE_MEMORY],
    }


def _light_limits(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a light may, and where it is when nobody rules it."""
    keys = (CONF_MAXIMUM_LEVEL, CONF_SLEW, CONF_START_LEVEL, CONF_SHUTDOWN_LEVEL)
    return {
        **{key: user_input.get(key) for key in keys},
        CONF_SAFE_LEVEL: 0 if user_input[CONF_DARK_IS_SAFE] else None,
    }


def _name_errors(head: Mapping[str, Any], others: Heads) -> Errors:
    """Return what is wrong with the name of a head."""
    name = head[CONF_NAME].casefold()
    if not name:
        return {CONF_NAME: "head_name_missing"}
    if name in {other[CONF_NAME].casefold() for other in others}:
        return {CONF_NAME: "head_name_taken"}
    return {}
