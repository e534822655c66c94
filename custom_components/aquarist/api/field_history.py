"""What fields were: read from Home Assistant's recorder, in its own threads (R-T50)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from homeassistant.const import STATE_ON
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers.importlib import async_import_module
from homeassistant.helpers.recorder import DATA_INSTANCE, session_scope

from ..engine.errors import EngineError
from ..frozen import frozen
from ..layers.setting import Scalar
from .device_fields import Source

if TYPE_CHECKING:
    from .recorded_states import Recorded, Span

type Value = tuple[datetime, Scalar | None]

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
    "swing_horizontal_modes",
    "swing_modes",
    "target_temp_step",
)
"""What an entity can do is left out by the recorder; that of the present is taken."""


@frozen
class Series:
    """The recorded values of one field: where they are, and how they are read."""

    source: Source
    span: Span
    able: Mapping[str, Any]

    def value(self, recorded: Recorded) -> Value:
        """Return since when a value held, at the earliest from the start, and the value."""
        at = datetime.fromtimestamp(max(recorded.at, self.span.start), UTC)
        state = State(
            self.source.entity_id,
            recorded.state,
            {**self.able, **recorded.attributes},
            validate_entity_id=False,
        )
        return at, None if self._is_untold(recorded) else self.source.read(state)

    def _is_untold(self, recorded: Recorded) -> bool:
        """Return whether nothing tells how bright a light was: its brightness is not recorded."""
        dims = any(mode != "onoff" for mode in self.able.get(_MODES, ()))
        shines = dims and recorded.state == STATE_ON
        return shines and _BRIGHTNESS not in recorded.attributes


async def page_of(
    hass: HomeAssistant,
    sources: Sequence[Source | None],
    start: datetime,
    end: datetime,
    offset: int,
    limit: int,
) -> tuple[int, list[Sequence[Value]]]:
    """Return how many values fields had in a time, and those of each that are on a page.

    The values are counted one field after the other; the first one of each held at the
    start. Raises EngineError `history_unavailable` without a recorder.
    """
    recorder = hass.data.get(DATA_INSTANCE)
    if recorder is None:
        raise EngineError("history_unavailable")
    states = await async_import_module(hass, f"{__package__}.recorded_states")
    series = [
        None
        if source is None
        else Series(
            source=source,
            span=states.Span(
                entity_id=source.entity_id,
                start=start.timestamp(),
                end=end.timestamp(),
                attributes=source.in_attributes,
            ),
            able=_able(hass, source),
        )
        for source in sources
    ]
    return await recorder.async_add_executor_job(_read, hass, series, offset, limit)


def _able(hass: HomeAssistant, source: Source) -> Mapping[str, Any]:
    """Return what an entity can do now."""
    present = hass.states.get(source.entity_id)
    attributes = present.attributes if present is not None else {}
    return {name: attributes[name] for name in _NOT_RECORDED if name in attributes}


def _read(
    hass: HomeAssistant, series: Sequence[Series | None], offset: int, limit: int
) -> tuple[int, list[Sequence[Value]]]:
    """Return the number of values of all series and those on the page; in a thread."""
    count = 0
    found: list[Sequence[Value]] = []
    with session_scope(hass=hass, read_only=True) as session:
        for one in series:
            if one is None:
                found.append(())
                continue
            first = one.span.at_start(session)
            known = 0 if first is None else 1
            size = known + one.span.count(session)
            low = min(max(offset - count, 0), size)
            high = min(max(offset + limit - count, 0), size)
            rows = [first] if first is not None and low < known <= high else []
            after, until = max(low - known, 0), max(high - known, 0)
            if until > after:
                rows += one.span.read(session, after, until - after)
            found.append([one.value(row) for row in rows])
            count += size
    return count, found
