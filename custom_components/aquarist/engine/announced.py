"""What a field takes from a write action: less than the device, where the keeper says so.

Elsewhere a level above the keeper's limit is brought down to it; a write action is told the
range beforehand, and asks for what it will get (R-T24, R-T47).
"""

from dataclasses import replace

from ..devices.fields import LEVEL, Field, checked
from ..layers.setting import Setting
from .state import DeviceState


def announced(device: DeviceState, whole: str, part: Field) -> Field:
    """Return a field, or a part of the field ``whole``, with the range that is left of it."""
    bounds = device.limits.bounds.get(whole)
    if bounds is None or bounds.maximum is None or part.name != LEVEL:
        return part
    own = bounds.maximum if part.maximum is None else part.maximum
    return replace(part, maximum=min(own, bounds.maximum))


def require_announced(device: DeviceState, name: str, setting: Setting) -> None:
    """Raise InvalidValue `value_out_of_bounds` for a setting beyond the range of a field."""
    known = device.fields.get(name)
    parts = (known.description.part_fields or (known.description,)) if known else ()
    for part in parts:
        if part.name in setting:
            checked(announced(device, name, part), setting[part.name])
