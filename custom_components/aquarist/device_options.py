"""What the options of a Bluetooth device say before its keeper said anything."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from homeassistant.const import CONF_NAME

from .chihiros.models import DeviceFamily
from .const import (
    CONF_AQUARIUM,
    CONF_BUDGET_ML,
    CONF_CONTAINER_ML,
    CONF_ENABLED,
    CONF_HEADS,
    CONF_IDLE_HOLD,
    CONF_LOW_DAYS,
    CONF_MAXIMUM_LEVEL,
    CONF_ONLY_IF_FITS,
    CONF_SLEW,
    DEFAULT_BUDGET_ML,
    DEFAULT_IDLE_HOLD,
)

WITHOUT_CONTAINER: Final = {
    CONF_CONTAINER_ML: None,
    CONF_ONLY_IF_FITS: False,
    CONF_LOW_DAYS: None,
}
"""What the options say of a head that has no container any more."""

type Heads = Sequence[Mapping[str, Any]]


def new_options(
    family: DeviceFamily, heads: int, aquarium: str | None
) -> dict[str, Any]:
    """Return the options that a device starts with; lights have no heads."""
    options: dict[str, Any] = {
        CONF_AQUARIUM: aquarium,
        CONF_IDLE_HOLD: DEFAULT_IDLE_HOLD,
    }
    if family is DeviceFamily.DOSER:
        return {**options, CONF_HEADS: heads_of((), heads)}
    return {**options, CONF_MAXIMUM_LEVEL: None, CONF_SLEW: None}


def heads_of(known: Heads, count: int) -> list[dict[str, Any]]:
    """Return the options of as many heads: those that are known, then new ones."""
    kept = [dict(head) for head in known[:count]]
    new = [
        {
            CONF_NAME: f"Head {number}",
            CONF_ENABLED: True,
            CONF_BUDGET_ML: DEFAULT_BUDGET_ML,
        }
        for number in range(len(kept) + 1, count + 1)
    ]
    return kept + new
