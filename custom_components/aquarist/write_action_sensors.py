"""Sensors of an aquarium's write actions: how many wait, hold and failed, and why (R-T58)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from homeassistant.components.sensor import SensorStateClass
from homeassistant.const import EntityCategory

from .api.serializers import WRITE_ACTION
from .api.write_action_errors import error_of_command
from .commands.command import Command
from .engine.changes import Change, CommandChanged
from .engine.write_actions import LOOKING_BACK
from .sensor_description import AquaristSensorDescription
from .subjects import Aquarium


def _hears(change: Change) -> bool:
    """Return whether a write action entered a phase."""
    return isinstance(change, CommandChanged) and (
        change.command.action == WRITE_ACTION
    )


def _numbers(aquarium: Aquarium) -> set[int]:
    """Return the numbers of the aquarium's devices."""
    return {device.row.number for device in aquarium.devices}


def _failures(aquarium: Aquarium) -> list[Command]:
    """Return the write actions that failed in the last day."""
    return aquarium.engine.write_actions.failures(_numbers(aquarium))


def _first_expires(aquarium: Aquarium) -> datetime | None:
    """Return when the oldest failure that counts is a day old."""
    failures = _failures(aquarium)
    ended = failures[0].completed_at if failures else None
    return None if ended is None else ended + LOOKING_BACK


def _last_expires(aquarium: Aquarium) -> datetime | None:
    """Return when the last failure is a day old."""
    failures = _failures(aquarium)
    ended = failures[-1].completed_at if failures else None
    return None if ended is None else ended + LOOKING_BACK


def _error(aquarium: Aquarium) -> str | None:
    """Return why the last one failed."""
    failures = _failures(aquarium)
    return error_of_command(failures[-1])["error_key"] if failures else None


def _failure(aquarium: Aquarium) -> Mapping[str, Any]:
    """Return which one failed last, and what there is to say about it."""
    failures = _failures(aquarium)
    if not failures:
        return {"action_id": None, "device_id": None, "error_message": None}
    last = failures[-1]
    return {
        "action_id": last.id,
        "device_id": aquarium.engine.devices[last.device].row.uuid,
        "error_message": error_of_command(last)["error_message"],
    }


WRITE_ACTION_SENSORS: tuple[AquaristSensorDescription[Aquarium], ...] = (
    AquaristSensorDescription(
        key="write_actions_planned",
        translation_key="write_actions_planned",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda one: one.engine.write_actions.planned(_numbers(one)),
        hears=_hears,
    ),
    AquaristSensorDescription(
        key="write_actions_active",
        translation_key="write_actions_active",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda one: one.engine.write_actions.active(_numbers(one)),
        hears=_hears,
    ),
    AquaristSensorDescription(
        key="write_actions_failed",
        translation_key="write_actions_failed",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda one: len(_failures(one)),
        hears=_hears,
        expires=_first_expires,
    ),
    AquaristSensorDescription(
        key="write_action_error",
        translation_key="write_action_error",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=_error,
        attributes=_failure,
        hears=_hears,
        expires=_last_expires,
    ),
)
