"""What the recorder has of an entity, counted and read by the page (R-T50).

A page is found by the recorder's own index: what lies before it is counted, not read. To be
called in a thread of the recorder; importing this reads in the database library.
"""

from typing import Any, Final

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.util.json import json_loads_object
from sqlalchemy import Row, text
from sqlalchemy.orm.session import Session

from ..frozen import frozen

_UNKNOWN: Final = (None, STATE_UNKNOWN, STATE_UNAVAILABLE)
_COUNT: Final = text(
    """
SELECT COUNT(*) FROM states
WHERE metadata_id = (
        SELECT metadata_id FROM states_meta WHERE entity_id = :entity_id
    )
    AND last_updated_ts > :start AND last_updated_ts <= :end
    AND state IS NOT NULL AND state NOT IN ('unknown', 'unavailable')
    AND (:attributes = 1 OR last_changed_ts IS NULL OR last_changed_ts = last_updated_ts)
"""
)
_PAGE: Final = text(
    """
SELECT states.state, states.last_updated_ts, state_attributes.shared_attrs
FROM (
    SELECT state_id FROM states
    WHERE metadata_id = (
            SELECT metadata_id FROM states_meta WHERE entity_id = :entity_id
        )
        AND last_updated_ts > :start AND last_updated_ts <= :end
        AND state IS NOT NULL AND state NOT IN ('unknown', 'unavailable')
        AND (
            :attributes = 1 OR last_changed_ts IS NULL OR last_changed_ts = last_updated_ts
        )
    ORDER BY last_updated_ts, state_id
    LIMIT :limit OFFSET :offset
) AS found
JOIN states ON states.state_id = found.state_id
LEFT JOIN state_attributes ON state_attributes.attributes_id = states.attributes_id
ORDER BY states.last_updated_ts, states.state_id
"""
)
_AT_START: Final = text(
    """
SELECT states.state, states.last_updated_ts, state_attributes.shared_attrs
FROM states
LEFT JOIN state_attributes ON state_attributes.attributes_id = states.attributes_id
WHERE metadata_id = (
        SELECT metadata_id FROM states_meta WHERE entity_id = :entity_id
    )
    AND last_updated_ts <= :start
ORDER BY last_updated_ts DESC, state_id DESC
LIMIT 1
"""
)


@frozen
class Recorded:
    """A state as it was: its text, its attributes, and since when in epoch seconds."""

    state: str
    attributes: dict[str, Any]
    at: float


@frozen
class Span:
    """The states of an entity that began after ``start`` and not after ``end``, epoch seconds.

    Those with which only attributes changed are among them only when ``attributes`` says so.
    """

    entity_id: str
    start: float
    end: float
    attributes: bool

    def count(self, session: Session) -> int:
        """Return how many there are; what nobody knew at the time is none."""
        return int(session.execute(_COUNT, self._places).scalar_one())

    def read(self, session: Session, offset: int, limit: int) -> list[Recorded]:
        """Return so many of them, in order, after the first ``offset``."""
        places = self._places | {"limit": limit, "offset": offset}
        return [_recorded(row) for row in session.execute(_PAGE, places)]

    def at_start(self, session: Session) -> Recorded | None:
        """Return the state that held at the start; None where nobody knew it."""
        places = {"entity_id": self.entity_id, "start": self.start}
        row = session.execute(_AT_START, places).one_or_none()
        if row is None or row[0] in _UNKNOWN:
            return None
        return _recorded(row)

    @property
    def _places(self) -> dict[str, Any]:
        """Return the values of the conditions."""
        return {
            "entity_id": self.entity_id,
            "start": self.start,
            "end": self.end,
            "attributes": int(self.attributes),
        }


def _recorded(row: Row[Any]) -> Recorded:
    """Return a state from its row."""
    state, at, shared = row
    attributes = dict(json_loads_object(shared)) if shared else {}
    return Recorded(state=state, attributes=attributes, at=at)
