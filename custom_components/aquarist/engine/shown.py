"""What shows in place of what a command asked for: another owner's value, or less of it."""

from datetime import datetime
from typing import Any, Final

from ..commands.command import Command
from ..layers.claims import Claim
from ..layers.resolve import owners
from ..layers.setting import is_number
from ..limits.bounds import bounded
from .on_time import LEVEL
from .state import DeviceState, FieldState

SHADOWED_BY: Final = "shadowed_by"
LIMITED_TO: Final = "limited_to"


def id_of(claim: Claim) -> str:
    """Return the id of the command that a claim is."""
    return claim.id.partition("/")[2]


def arrived(
    device: DeviceState, state: FieldState, command: Command, now: datetime
) -> dict[str, Any]:
    """Return the result of a point action whose field has arrived."""
    return {
        "field": state.name,
        "value": dict(command.value or {}),
        **instead(device, state, command, now),
    }


def instead(
    device: DeviceState, state: FieldState, command: Command, now: datetime
) -> dict[str, Any]:
    """Return what there is to tell of a command that has arrived; nothing if its value shows.

    `shadowed_by` is the id of a command of a higher rank that holds the field (RES-56),
    `limited_to` the level that the keeper's bounds make of the one asked for (RES-57).
    """
    told: dict[str, Any] = {}
    if (above := _above(state, command, now)) is not None:
        told[SHADOWED_BY] = id_of(above)
    bounds, level = (
        device.limits.bounds.get(state.name),
        (command.value or {}).get(LEVEL),
    )
    if bounds is not None and level is not None and is_number(level):
        limited = bounded(float(level), bounds)
        if limited != level:
            told[LIMITED_TO] = {LEVEL: limited}
    return told


def _above(state: FieldState, command: Command, now: datetime) -> Claim | None:
    """Return the top claim that says something else of a part that a command is about."""
    parts = (command.value or {}).keys()
    for claim in owners(state.claims.values(), now):
        if claim.id == command.key:
            return None
        if not parts.isdisjoint(claim.course.at(now)):
            return claim
    return None
