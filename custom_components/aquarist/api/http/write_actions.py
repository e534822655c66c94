"""Write actions over REST: set a field for a time, look it up, call it off (R-T2 to R-T45)."""

from typing import Any

from aiohttp import web
import probatio as vol

from ...schedules.errors import Expected
from ...schedules.validation import not_a, takes
from ..rights import sees_everything
from ..write_action_errors import ERROR_KEYS
from ..write_action_lists import FILTERS, page
from ..write_action_records import STATUSES
from ..write_action_requests import ACTION, action_ids, cancel, create, listed
from .call import Call
from .operations import Right, operation
from .tilt import NEXT, PAGE, TiltView, paged
from .view import success

TEXT = vol.Maybe(str)
FAILURE: dict[str | vol.Marker, Any] = {
    vol.Required("error_key"): vol.In(sorted(ERROR_KEYS)),
    vol.Required("error_message"): str,
    vol.Required("error_details"): dict,
}


@takes()
def anything(value: object) -> object:
    """Accept any JSON: a value that is refused is told as it came."""
    return value


RESULT: dict[str | vol.Marker, Any] = {
    vol.Required("action_id"): TEXT,
    vol.Required("device_id"): TEXT,
    vol.Required("field_name"): TEXT,
    vol.Required("value"): anything,
    vol.Required("status"): vol.In(STATUSES),
    vol.Optional("error"): FAILURE,
    vol.Optional("details"): dict,
}
RECORD: dict[str | vol.Marker, Any] = RESULT | {
    vol.Required("start_timestamp"): TEXT,
    vol.Required("end_timestamp"): TEXT,
}
LISTED = vol.Schema(
    {
        vol.Required("count"): int,
        vol.Required("next"): NEXT,
        vol.Required("results"): [RECORD],
    }
)
CANCELED = vol.Schema(
    {
        vol.Required("canceled_count"): int,
        vol.Required("errors"): [{vol.Required("action_id"): str} | FAILURE],
    }
)


def one_or_several(each: vol.Schema, more: dict[str | vol.Marker, Any]) -> vol.Schema:
    """Return the schema of a body that is an action, or has several under `actions` (RES-25).

    An action is looked at when its turn comes; ``more`` is what belongs to the request.
    """
    batch = vol.Schema({vol.Required("actions"): listed(each), **more})
    names = {str(name) for name in each.schema}
    single = vol.Schema(each.schema | more)
    rest = vol.Schema(more, extra=vol.ALLOW_EXTRA)

    @takes(anyOf=[batch, single])
    def validate(value: object) -> object:
        """Validate the frame of a request."""
        if not isinstance(value, dict):
            raise not_a(Expected.MAPPING)
        if "actions" in value or not names & value.keys():
            return batch(value)
        return rest(value)

    return vol.Schema(validate)


def either(record: dict[str | vol.Marker, Any]) -> vol.Schema:
    """Return the schema of an answer that is a record, or has several under `results`."""
    batch, single = vol.Schema({vol.Required("results"): [record]}), vol.Schema(record)

    @takes(anyOf=[batch, single])
    def validate(value: object) -> object:
        """Validate an answer."""
        several = isinstance(value, dict) and "results" in value
        return batch(value) if several else single(value)

    return vol.Schema(validate)


def items_of(call: Call, *apart: str) -> list[Any]:
    """Return the actions of a request, without what belongs to the request itself."""
    if "actions" in call.body:
        items: list[Any] = call.body["actions"]
        return items
    return [{name: call.body[name] for name in call.body if name not in apart}]


def answered(call: Call, results: list[dict[str, Any]]) -> web.Response:
    """Answer with the results, or with the only one where one was asked for."""
    return success({"results": results} if "actions" in call.body else results[0])


BODY = one_or_several(ACTION, {})
ANSWER = either(RECORD)
QUERY = vol.Schema(FILTERS | PAGE)
EXAMPLES = {
    "pause": {
        "actions": [
            {
                "action_id": "3d6f0f2e-8c1b-4f4e-9d6a-2b1f5f0a7c11",
                "device_id": "51428aa6-50a0-5b89-841c-9db6a088dad1",
                "field_name": "level",
                "value": 30,
                "start_timestamp": "2035-03-01T17:00:00+01:00",
                "end_timestamp": "2035-03-01T17:10:00+01:00",
            }
        ]
    }
}


class WriteActions(TiltView):
    """All write actions."""

    url = "/api/aquarist/write_actions"

    @operation(
        "The write actions accepted last first",
        right=Right.READ,
        query=QUERY,
        answers={200: LISTED},
    )
    async def get(self, call: Call) -> web.StreamResponse:
        """Answer with a page of them, as they stand now (R-T9)."""
        sees = None if sees_everything(call.user) else call.sees
        count, results = await page(call.hass, call.query, sees)
        return paged(call, count, results)

    @operation(
        "Set fields for a time, each once for its id",
        right=Right.CONTROL,
        body=BODY,
        answers={200: ANSWER},
        examples=EXAMPLES,
    )
    async def post(self, call: Call) -> web.StreamResponse:
        """Answer with a result for each, in the order of the request."""
        items = items_of(call)
        results = await create(call.hass, items, call.origin, call.context)
        return answered(call, results)

    @operation(
        "Set fields for a time, as POST does",
        right=Right.CONTROL,
        body=BODY,
        answers={200: ANSWER},
        examples=EXAMPLES,
    )
    async def put(self, call: Call) -> web.StreamResponse:
        """Answer as `post` does (R-T29)."""
        return await self.post(call)


class CancelWriteActions(TiltView):
    """Write actions that shall not begin."""

    url = "/api/aquarist/write_actions/cancel"

    @operation(
        "Call write actions off that have not begun",
        right=Right.CONTROL,
        body=vol.Schema({vol.Required("action_ids"): action_ids}),
        answers={200: CANCELED},
        examples={"one": {"action_ids": ["3d6f0f2e-8c1b-4f4e-9d6a-2b1f5f0a7c11"]}},
    )
    async def put(self, call: Call) -> web.StreamResponse:
        """Answer with how many were called off, and why the others were not (R-T31)."""
        ids = call.body["action_ids"]
        return success(await cancel(call.hass, ids, call.context, call.sees))
