"""What a level does not say of an entity, and loses: a preset, an effect, a tilt (R-T60).

It is captured with what a field rests on, as one part of the setting, and brought back with
it. Nobody can ask for it: what somebody sets is a level and nothing beside it.
"""

from collections.abc import Iterator, Mapping
import json
from typing import Any

from ..layers.setting import BESIDE, Setting, plain


def beside(values: Mapping[str, Any]) -> str | None:
    """Return values as the part of a setting that they are; None for no values."""
    return json.dumps(values, sort_keys=True) if values else None


def besides(setting: Setting) -> Mapping[str, Any]:
    """Return the values that go along with a setting."""
    text = setting.get(BESIDE)
    values: Mapping[str, Any] = json.loads(text) if isinstance(text, str) else {}
    return values


def readable(setting: Setting) -> str:
    """Return a setting as people read it, with what goes along with it."""
    return ", ".join(_told({**plain(setting), **besides(setting)}))


def with_beside(setting: Setting, text: str | None) -> Setting:
    """Return a setting with what goes along with it, if anything does."""
    return setting if text is None else {**setting, BESIDE: text}


def _told(values: Mapping[str, Any], of: str = "") -> Iterator[str]:
    """Yield each value with its name, of a lamp with that of its channel."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _told(value, f"{of}{name} ")
        else:
            yield f"{of}{name} {value}"
