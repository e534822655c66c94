"""A light: one or several dimmable entities, each a channel with a colour."""

from typing import Any, Final, override

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.const import CONF_ENTITY_ID, CONF_NAME
from homeassistant.core import split_entity_id
from homeassistant.helpers.selector import (
    BooleanSelector,
    ObjectSelector,
    ObjectSelectorConfig,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
)
import probatio as vol

from ..const import (
    CONF_CHANNEL,
    CONF_CHANNELS,
    CONF_MAXIMUM_LEVEL,
    CONF_SAFE_LEVEL,
    CONF_SHUTDOWN_LEVEL,
    CONF_SLEW,
    CONF_START_LEVEL,
)
from ..devices.fields import LEVEL
from ..devices.level import ON_OFF
from ..devices.level_adapters import level_adapter
from ..form_fields import ANY_LEVEL, CONF_DARK_IS_SAFE, MAXIMUM_LEVEL, SLEW
from ..hand_options import entered_hand, hand_errors, hand_fields
from .device_flow import DeviceFlow, Errors, entity_field, several

DOMAINS: Final = ("light", "number", "input_number")
"""What can be dimmed."""
LIMITS: Final = (CONF_MAXIMUM_LEVEL, CONF_SLEW, CONF_START_LEVEL, CONF_SHUTDOWN_LEVEL)
"""What may be left empty."""

SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_CHANNELS): ObjectSelector(
            ObjectSelectorConfig(
                fields={
                    CONF_ENTITY_ID: {
                        "required": True,
                        "selector": entity_field(DOMAINS),
                    },
                    CONF_CHANNEL: {
                        "required": True,
                        "selector": SelectSelector(
                            SelectSelectorConfig(
                                options=["red", "green", "blue", "white", "warm"],
                                custom_value=True,
                                translation_key="channel",
                            )
                        ),
                    },
                },
                multiple=True,
                label_field=CONF_CHANNEL,
                description_field=CONF_ENTITY_ID,
                translation_key="light_channel",
            )
        ),
        vol.Optional(CONF_MAXIMUM_LEVEL): MAXIMUM_LEVEL,
        vol.Optional(CONF_SLEW): SLEW,
        vol.Required(CONF_DARK_IS_SAFE, default=True): BooleanSelector(),
        vol.Optional(CONF_START_LEVEL): ANY_LEVEL,
        vol.Optional(CONF_SHUTDOWN_LEVEL): ANY_LEVEL,
        **hand_fields({}),
    }
)


class LightFlow(DeviceFlow):
    """Asks for channels and limits."""

    @override
    async def async_step_device(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for everything at once."""
        errors: Errors = {}
        if user_input is not None:
            channels = [
                {
                    **self._stored(self._entity_id(channel[CONF_ENTITY_ID])),
                    CONF_CHANNEL: channel[CONF_CHANNEL].strip(),
                }
                for channel in several(user_input[CONF_CHANNELS])
            ]
            errors = (
                self._name_errors(user_input)
                | self._channel_errors(channels)
                | hand_errors(user_input)
            )
            if not errors:
                return self._save(
                    user_input[CONF_NAME],
                    {
                        CONF_CHANNELS: channels,
                        **{key: user_input.get(key) for key in LIMITS},
                        CONF_SAFE_LEVEL: 0 if user_input[CONF_DARK_IS_SAFE] else None,
                        **entered_hand(user_input),
                    },
                )
        return self._ask(SCHEMA, user_input or self._as_entered(), errors)

    def _as_entered(self) -> dict[str, Any]:
        """Return the light before the change in the form's own terms."""
        known = dict(self._known)
        if known:
            known[CONF_DARK_IS_SAFE] = known[CONF_SAFE_LEVEL] is not None
        return known

    def _channel_errors(self, channels: list[dict[str, str]]) -> Errors:
        """Return what is wrong with the channels."""
        if not channels:
            return {CONF_CHANNELS: "channels_missing"}
        entity_ids = [channel[CONF_ENTITY_ID] for channel in channels]
        words = [channel[CONF_CHANNEL] for channel in channels]
        return (
            self._entity_errors(CONF_CHANNELS, entity_ids, DOMAINS)
            or self._word_errors(CONF_CHANNELS, words)
            or self._dimming_errors(entity_ids)
        )

    def _dimming_errors(self, entity_ids: list[str]) -> Errors:
        """Return that a lamp which is there can only be on or off, when one is."""
        for entity_id in entity_ids:
            adapter = level_adapter(split_entity_id(entity_id)[0], LEVEL)
            state = self.hass.states.get(entity_id)
            if adapter.field(state).values == ON_OFF:
                self._placeholders["entity"] = entity_id
                return {CONF_CHANNELS: "not_dimmable"}
        return {}
