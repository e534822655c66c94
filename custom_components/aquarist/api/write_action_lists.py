"""Looking write actions up: filters, and pages of what the caller may see (R-T33, R-T40 to R-T45)."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from homeassistant.core import HomeAssistant
import probatio as vol

from ..data import DATA_ENGINE
from ..engine.errors import EngineError
from ..schedules.errors import ErrorCode, Expected
from ..schedules.validation import Validator, not_a, rejected, takes
from ..store import write_action_history
from ..store.database import Database
from ..store.write_action_history import WriteActionFilter
from .fields import moment_text
from .targets import target
from .write_action_records import STATUSES, phases_of, write_action_record

PAGE_SIZE = 100
LARGEST_PAGE = 1000
LAST_PAGE = 10**9
MOST_LISTED = 1000


def several(known: Collection[str] | None = None) -> Validator:
    """Accept a list of words, or their text with commas between; of known ones, if given."""
    one_of = "|".join(known or ())
    form = rf"^({one_of})(,({one_of}))*$" if known else r"[^,\s]"

    @takes(type="string", minLength=1, pattern=form)
    def validate(value: object) -> list[str]:
        """Validate one list."""
        words = value.split(",") if isinstance(value, str) else value
        if not isinstance(words, list) or not all(
            isinstance(one, str) for one in words
        ):
            raise not_a(Expected.TEXTS)
        found = list(dict.fromkeys(one.strip() for one in words if one.strip()))
        if not found:
            raise rejected(ErrorCode.EMPTY)
        if len(found) > MOST_LISTED:
            raise rejected(ErrorCode.TOO_MANY, maximum=MOST_LISTED)
        for one in found:
            if known is not None and one not in known:
                raise rejected(
                    ErrorCode.UNKNOWN_WORD, value=one[:100], known=", ".join(known)
                )
        return found

    return validate


FILTERS: dict[str | vol.Marker, Any] = {
    vol.Optional("device_id", default=None): vol.Maybe(several()),
    vol.Optional("field_name", default=None): vol.Maybe(several()),
    vol.Optional("status", default=None): vol.Maybe(several(STATUSES)),
    vol.Optional("action_id", default=None): vol.Maybe(several()),
    vol.Optional("starts_after", default=None): vol.Maybe(moment_text),
}


async def page(
    hass: HomeAssistant,
    asked: Mapping[str, Any],
    sees: Callable[[int], bool] | None,
) -> tuple[int, list[dict[str, Any]]]:
    """Return how many write actions meet the filters, and the records of the page asked for.

    Of devices that the caller may not see nothing is told; ``sees`` is None for one who
    may see them all. Raises EngineError, StoreError.
    """
    wanted = WriteActionFilter(
        devices=_uuids(hass, asked["device_id"]),
        visible=None if sees is None else _visible(hass, sees),
        fields=asked["field_name"],
        phases=_phases(asked["status"]),
        ids=_lowered(asked["action_id"]),
        starts_after=asked["starts_after"],
    )
    size, offset = asked["page_size"], (asked["page"] - 1) * asked["page_size"]
    count, found = await store_of(hass).read(
        lambda connection: write_action_history.find(connection, wanted, size, offset)
    )
    return count, [write_action_record(command, uuid) for command, uuid in found]


def store_of(hass: HomeAssistant) -> Database:
    """Return the store. Raises EngineError while there is none."""
    database = hass.data[DATA_ENGINE].database
    if database is None:
        raise EngineError("store_locked")
    return database


def _visible(hass: HomeAssistant, sees: Callable[[int], bool]) -> list[int]:
    """Return the numbers of the devices that the caller may see."""
    return [number for number in hass.data[DATA_ENGINE].devices if sees(number)]


def _uuids(hass: HomeAssistant, references: list[str] | None) -> list[str] | None:
    """Return the UUIDs of devices; what names none is taken for one that is out of use."""
    if references is None:
        return None
    found = []
    for reference in references:
        try:
            found.append(target(hass, reference).row.uuid)
        except EngineError:
            found.append(reference.lower())
    return found


def _phases(statuses: list[str] | None) -> list[str] | None:
    """Return the phases of statuses."""
    if statuses is None:
        return None
    return [phase.value for status in statuses for phase in phases_of(status)]


def _lowered(ids: list[str] | None) -> list[str] | None:
    """Return ids as they are stored: UUIDs in small letters."""
    return None if ids is None else [one.lower() for one in ids]
