"""What fields were: read from Home Assistant's recorder, in its own threads (R-T50)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from types import ModuleType
from typing import Any

from homeassistant.const import STATE_ON
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers.importlib import async_import_module
from homeassistant.helpers.recorder import DATA_INSTANCE

from ..engine.errors import EngineError
from ..layers.setting import Scalar
from .device_fields import Reader, Source

type Value = tuple[datetime, Scalar]

_RECORDER = "homeassistant.components.recorder.history"
_BRIGHTNESS = "brightness"
_MODES = "supported_color_modes"
_NOT_RECORDED = (
    _MODES,
    "fan_modes",
    "hvac_modes",
    "max",
    "max_temp",
    "min",
    "min_temp",
    "options",
    "preset_modes",
    "step",
    "supported_features",
    "target_temp_step",
)
"""What an entity can do is left out by the recorder; that of the present is taken."""


async def values_of(
    hass: HomeAssistant, source: Source, start: datetime, end: datetime
) -> Sequence[Value]:
    """Return each value of a field that began in a time, and the one that held at its start.

    Raises EngineError `history_unavailable` without a recorder.
    """
    recorder = hass.data.get(DATA_INSTANCE)
    if recorder is None:
        raise EngineError("history_unavailable")
    history = await async_import_module(hass, _RECORDER)
    present = hass.states.get(source.entity_id)
    attributes = present.attributes if present is not None else {}
    able = {name: attributes[name] for name in _NOT_RECORDED if name in attributes}
    return await recorder.async_add_executor_job(
        partial(_read, hass, history, source.entity_id, source.read, able, start, end)
    )


def page_of(
    series: Sequence[Sequence[Value]], offset: int, limit: int
) -> list[Sequence[Value]]:
    """Return the part of each series that is on a page, which counts values."""
    found: list[Sequence[Value]] = []
    for values in series:
        found.append(list(islice(values, max(offset, 0), max(offset + limit, 0))))
        offset -= len(values)
    return found


def _read(
    hass: HomeAssistant,
    history: ModuleType,
    entity_id: str,
    read: Reader,
    able: Mapping[str, Any],
    start: datetime,
    end: datetime,
) -> list[Value]:
    """Return the values of an entity; in a thread of the recorder."""
    states: dict[str, list[State]] = history.get_significant_states(
        hass, start, end, [entity_id], significant_changes_only=False
    )
    found: list[Value] = []
    before: Scalar | None = None
    for state in states.get(entity_id, ()):
        value = None if _is_untold(state, able) else read(_complete(state, able))
        if value is not None and (value, type(value)) != (before, type(before)):
            found.append((max(state.last_updated, start), value))
        before = value
    return found


def _complete(state: State, able: Mapping[str, Any]) -> State:
    """Return a state with what its entity can do, so that it can be read."""
    return State(
        state.entity_id,
        state.state,
        {**able, **state.attributes},
        last_updated=state.last_updated,
        validate_entity_id=False,
    )


def _is_untold(state: State, able: Mapping[str, Any]) -> bool:
    """Return whether nothing tells how bright a light was: its brightness is not recorded."""
    dims = any(mode != "onoff" for mode in able.get(_MODES, ()))
    return dims and state.state == STATE_ON and _BRIGHTNESS not in state.attributes
