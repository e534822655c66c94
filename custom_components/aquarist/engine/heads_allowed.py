"""Whether a head may dose at all: its keeper uses it, and no layer holds it (law 4)."""

from datetime import datetime

from ..devices.dosing_fields import allowed_field
from ..layers.claims import Layer
from ..limits.refusal import Refusal
from .state import DeviceState


def not_allowed(device: DeviceState, head: int, now: datetime) -> Refusal | None:
    """Refuse a head that is held by a layer, or not in use."""
    allowed = device.fields.get(allowed_field(head))
    if allowed is not None:
        resolution = allowed.resolve(now)
        if resolution is not None and resolution.setting.get(allowed.name) is False:
            owner = resolution.owner
            return Refusal(
                limit="not_allowed",
                details={"head": head + 1, "by": owner.id if owner else "keeper"},
            )
    return in_use(device, head)


def held_for_good(device: DeviceState, head: int, now: datetime) -> Refusal | None:
    """Refuse a head that its keeper has switched off, or an emergency stop holds."""
    refusal = not_allowed(device, head, now)
    allowed = device.fields.get(allowed_field(head))
    resolution = allowed.resolve(now) if allowed is not None else None
    owner = resolution.owner if resolution is not None else None
    return refusal if owner is None or owner.layer is Layer.SAFETY else None


def in_use(device: DeviceState, head: int) -> Refusal | None:
    """Refuse a head that its keeper does not use."""
    if device.limits.head(head).enabled:
        return None
    return Refusal(limit="head_disabled", details={"head": head + 1})
