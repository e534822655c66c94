"""What a keeper says of changes by hand: the form's fields, and the rule they become (RES-54)."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.const import UnitOfTime
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import probatio as vol

from .const import CONF_HAND, CONF_HAND_MINUTES, CONF_RESPECT_MANUAL_CHANGE
from .form_fields import emptiable, number_field
from .layers.hand import HandRule

USUAL: Final = HandRule.UNTIL_NEXT_EVENT
RULE: Final = SelectSelector(
    SelectSelectorConfig(
        options=[rule.value for rule in HandRule],
        translation_key="hand",
        mode=SelectSelectorMode.LIST,
    )
)
MINUTES: Final = number_field(UnitOfTime.MINUTES, 1, 1440, 1)


def hand_fields(known: Mapping[str, Any]) -> dict[Any, Any]:
    """Return the fields of a form, filled in with what is known of a device."""
    rule = known.get(CONF_HAND, USUAL.value)
    respect = known.get(CONF_RESPECT_MANUAL_CHANGE, False)
    return {
        vol.Required(CONF_HAND, default=rule): RULE,
        emptiable(CONF_HAND_MINUTES, known): MINUTES,
        vol.Required(CONF_RESPECT_MANUAL_CHANGE, default=respect): BooleanSelector(),
    }


def hand_errors(entered: Mapping[str, Any]) -> dict[str, str]:
    """Return that the minutes are missing where the rule needs them."""
    if _in_minutes(entered) and entered.get(CONF_HAND_MINUTES) is None:
        return {CONF_HAND_MINUTES: "hand_minutes_missing"}
    return {}


def entered_hand(entered: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is stored: minutes only where the rule needs them."""
    minutes = entered.get(CONF_HAND_MINUTES) if _in_minutes(entered) else None
    return {
        CONF_HAND: entered[CONF_HAND],
        CONF_HAND_MINUTES: None if minutes is None else int(minutes),
        CONF_RESPECT_MANUAL_CHANGE: entered[CONF_RESPECT_MANUAL_CHANGE],
    }


def _in_minutes(entered: Mapping[str, Any]) -> bool:
    """Return whether a change by hand is to win for some minutes."""
    return bool(entered[CONF_HAND] == HandRule.MINUTES)
