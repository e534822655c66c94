"""What fields show, and what they showed (R-T49, R-T50)."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

from aiohttp import web
import probatio as vol

from ...devices.fields import InvalidValue
from ...engine.errors import EngineError
from ...engine.state import DeviceState
from ...schedules.validation import takes
from ..device_fields import SingleField, latest, single_fields, source_of
from ..field_history import page_of
from ..fields import moment_text
from ..write_action_lists import several
from .call import Call
from .device_types import value
from .operations import Right, operation
from .tilt import NEXT, PAGE, TiltView, paged
from .view import success

LONGEST = timedelta(days=366)
MOST_SERIES = 50
TEXT = vol.Maybe(str)
WHICH: dict[str | vol.Marker, Any] = {
    vol.Required("device_id"): several(),
    vol.Required("field_name"): several(),
}
LATEST = vol.Schema(
    {
        vol.Required("results"): [
            {
                vol.Required("device_id"): str,
                vol.Required("field_name"): str,
                vol.Required("value"): vol.Maybe(value),
                vol.Required("timestamp"): TEXT,
            }
        ]
    }
)


@takes(type="array", minItems=2, maxItems=2)
def pair(value: object) -> object:
    """Accept an instant and the value that began then."""
    return value


HISTORY = vol.Schema(
    {
        vol.Required("count"): int,
        vol.Required("next"): NEXT,
        vol.Required("results"): [
            {
                vol.Required("device_id"): str,
                vol.Required("field_name"): str,
                vol.Required("values"): [pair],
            }
        ],
    }
)
SPAN: dict[str | vol.Marker, Any] = {
    vol.Required("start"): moment_text,
    vol.Optional("end", default=None): vol.Maybe(moment_text),
}


class LatestValues(TiltView):
    """The present values of fields."""

    url = "/api/aquarist/latest_value"

    @operation(
        "What fields show now, and since when",
        right=Right.READ,
        query=vol.Schema(WHICH),
        answers={200: LATEST},
        errors=frozenset({404}),
    )
    async def get(self, call: Call) -> web.StreamResponse:
        """Answer with a value for each field of each device; null where it is not known."""
        results = []
        for device, name, field in _asked(call):
            shown = None if field is None else latest(call.hass, device, field)
            results.append(
                {
                    "device_id": device.row.uuid,
                    "field_name": name,
                    "value": shown and shown.value,
                    "timestamp": shown and shown.at,
                }
            )
        return success({"results": results})


class History(TiltView):
    """The earlier values of fields."""

    url = "/api/aquarist/history"

    @operation(
        "What fields showed in a time",
        right=Right.READ,
        query=vol.Schema(WHICH | SPAN | PAGE),
        answers={200: HISTORY},
        errors=frozenset({404}),
    )
    async def get(self, call: Call) -> web.StreamResponse:
        """Answer with pairs of instant and value; a page counts values, and reads only its own."""
        start = call.query["start"]
        end = call.query["end"] or call.engine.clock.now()
        if end <= start:
            raise EngineError("end_not_after_start", field="end")
        if end - start > LONGEST:
            raise EngineError("span_too_long", field="end", days=LONGEST.days)
        asked = list(_asked(call))
        if len(asked) > MOST_SERIES:
            raise EngineError("too_many", field="field_name", maximum=MOST_SERIES)
        sources = [
            None if field is None else source_of(call.hass, device, field)
            for device, _, field in asked
        ]
        size = call.query["page_size"]
        offset = (call.query["page"] - 1) * size
        count, shown = await page_of(call.hass, sources, start, end, offset, size)
        results = [
            {"device_id": device.row.uuid, "field_name": name, "values": values}
            for (device, name, _), values in zip(asked, shown, strict=True)
        ]
        # What comes after the first page was asked for is on none of them.
        return paged(call, count, results, end=end.isoformat())


def _asked(call: Call) -> Iterator[tuple[DeviceState, str, SingleField | None]]:
    """Yield each field that is asked for of each device, None where a device has none such.

    Raises EngineError, Unauthorized, and InvalidValue for a field that none of them has.
    """
    devices = [call.readable_device(one) for one in call.query["device_id"]]
    fields = {device.row.number: single_fields(device) for device in devices}
    for name in call.query["field_name"]:
        if not any(name in known for known in fields.values()):
            raise InvalidValue(name, "field_not_found")
    for device, name in product(devices, call.query["field_name"]):
        yield device, name, fields[device.row.number].get(name)
