"""The fields that several forms ask, each with its range and unit."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from homeassistant.const import PERCENTAGE, UnitOfTime, UnitOfVolume
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import probatio as vol

from .const import CONF_AQUARIUM, CONF_KIND, DOMAIN, KIND_AQUARIUM
from .dosing.volume import VolumeError, microlitres

CONF_DARK_IS_SAFE: Final = "dark_is_safe"
LONGEST_NAME: Final = 100


def number_field(
    unit: str | None,
    minimum: float | None = None,
    maximum: float | None = None,
    step: float | None = None,
) -> NumberSelector:
    """Return a field for a number in a unit; without a step any number in the range."""
    config = NumberSelectorConfig(
        step="any" if step is None else step, mode=NumberSelectorMode.BOX
    )
    if unit is not None:
        config["unit_of_measurement"] = unit
    if minimum is not None:
        config["min"] = minimum
    if maximum is not None:
        config["max"] = maximum
    return NumberSelector(config)


IDLE_HOLD: Final = number_field(UnitOfTime.SECONDS, 5, 600, 1)
ANY_LEVEL: Final = number_field(PERCENTAGE, 0, 100)
MAXIMUM_LEVEL: Final = number_field(PERCENTAGE, 1, 100, 1)
SLEW: Final = number_field("%/s", 0.01, 100)
BUDGET: Final = number_field(UnitOfVolume.MILLILITERS, 0.2, 6553, 0.1)
HEADS: Final = SelectSelector(
    SelectSelectorConfig(
        options=["2", "4", "8"], translation_key="heads", mode=SelectSelectorMode.LIST
    )
)
USUAL_HEADS: Final = "4"
DEVICE_TYPE: Final = SelectSelector(
    SelectSelectorConfig(
        options=["white", "rgb", "wrgb", "doser"],
        translation_key="device_type",
        mode=SelectSelectorMode.LIST,
    )
)


def layout_field(layouts: Iterable[str]) -> SelectSelector:
    """Return the field that asks which channels a light has."""
    return SelectSelector(
        SelectSelectorConfig(
            options=list(layouts),
            translation_key="layout",
            mode=SelectSelectorMode.LIST,
        )
    )


def aquariums(hass: HomeAssistant) -> dict[str, str]:
    """Return the names of all aquariums by the id of their entry."""
    return {
        entry.entry_id: entry.title
        for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False)
        if entry.data[CONF_KIND] == KIND_AQUARIUM
    }


def aquarium_field(hass: HomeAssistant, chosen: str | None) -> dict[Any, Any]:
    """Return the field that asks for a device's aquarium; nothing to ask where there is none."""
    names = aquariums(hass)
    if not names:
        return {}
    options = [
        SelectOptionDict(value=entry_id, label=title)
        for entry_id, title in names.items()
    ]
    known = {CONF_AQUARIUM: chosen} if chosen in names else {}
    return {
        emptiable(CONF_AQUARIUM, known): SelectSelector(
            SelectSelectorConfig(options=options, mode=SelectSelectorMode.DROPDOWN)
        )
    }


def name_problem(name: str) -> str | None:
    """Return the key of what is wrong with a name by itself, None when it can be one."""
    if not name:
        return "name_missing"
    return "name_too_long" if len(name) > LONGEST_NAME else None


def emptiable(key: str, known: Mapping[str, Any]) -> Any:
    """Return the key of a field that may be left empty, with its known value as a suggestion."""
    return vol.Optional(key, description={"suggested_value": known.get(key)})


def is_exact(ml: float | None) -> bool:
    """Return whether a volume can be counted exactly: it has at most one decimal, or is absent."""
    try:
        return ml is None or microlitres(ml) >= 0
    except VolumeError:
        return False
