"""What can be listed by hand in an aquarium, each kind with the flow that asks for it."""

from collections.abc import Mapping
from typing import Final

from homeassistant.config_entries import ConfigSubentryFlow

from ..const import (
    SUBENTRY_DOSER,
    SUBENTRY_ENTITY,
    SUBENTRY_INTERLOCK,
    SUBENTRY_LIGHT,
    SUBENTRY_MODE,
    SUBENTRY_PUMP,
    SUBENTRY_SENSOR_GUARD,
)
from .doser import DoserFlow
from .entity import EntityFlow
from .interlock import InterlockFlow
from .light import LightFlow
from .mode import ModeFlow
from .pump import PumpFlow
from .sensor_guard import SensorGuardFlow

SUBENTRY_KINDS: Final[Mapping[str, type[ConfigSubentryFlow]]] = {
    SUBENTRY_PUMP: PumpFlow,
    SUBENTRY_LIGHT: LightFlow,
    SUBENTRY_DOSER: DoserFlow,
    SUBENTRY_ENTITY: EntityFlow,
    SUBENTRY_INTERLOCK: InterlockFlow,
    SUBENTRY_SENSOR_GUARD: SensorGuardFlow,
    SUBENTRY_MODE: ModeFlow,
}
"""Devices first, then safety rules and modes for them."""
