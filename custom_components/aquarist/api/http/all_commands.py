"""Commands of all devices over REST: the list, and several at once (R-C33)."""

from http import HTTPStatus
from typing import Any

from aiohttp import web
from homeassistant.exceptions import HomeAssistantError
import probatio as vol

from ...schedules.errors import ErrorCode, Expected
from ...schedules.validation import not_a, rejected, takes
from ..command_lists import FILTERS, filter_of, page
from ..command_requests import CONTENT, DEVICE, MOST_AT_ONCE, submit
from ..fields import reference
from ..serializers import command_record
from .call import Call
from .commands import PAGE
from .errors import as_answered, error_object, status_of
from .operations import Right, operation
from .reading import checked
from .records import COMMANDS, RESULTS
from .view import View, logged, success

OF_DEVICE = {vol.Optional("device_id", default=None): vol.Maybe(reference)}
QUERY = vol.Schema(FILTERS | PAGE | OF_DEVICE)
ITEM = vol.Schema(DEVICE | CONTENT)
EXAMPLES = {
    "off": {
        "commands": [
            {"device_id": 3, "action": "turn_off"},
            {"device_id": 4, "action": "turn_off"},
        ]
    }
}


@takes(type="array", minItems=1, maxItems=MOST_AT_ONCE, items=ITEM)
def _items(value: object) -> list[Any]:
    """Accept the items of a batch; each is looked at when its turn comes."""
    if not isinstance(value, list):
        raise not_a(Expected.LIST)
    if not value:
        raise rejected(ErrorCode.EMPTY)
    if len(value) > MOST_AT_ONCE:
        raise rejected(ErrorCode.TOO_MANY, maximum=MOST_AT_ONCE)
    return value


BATCH = vol.Schema({vol.Required("commands"): _items})


class AllCommands(View):
    """The commands of all devices."""

    url = "/api/aquarist/commands"

    @operation(
        "The newest commands of all devices first",
        right=Right.READ,
        query=QUERY,
        answers={200: COMMANDS},
        errors=frozenset({404}),
    )
    async def get(self, call: Call) -> web.StreamResponse:
        """Answer with a page of the records that the caller may see."""
        reference = call.query["device_id"]
        device = None if reference is None else call.readable_device(reference)
        wanted = filter_of(device, call.query)
        limit, before = call.query["limit"], call.query["before"]
        return success(await page(call.hass, wanted, limit, before, call.sees))

    @operation(
        "Send several commands, each with a result of its own",
        right=Right.CONTROL,
        body=BATCH,
        answers={200: RESULTS},
        examples=EXAMPLES,
    )
    async def post(self, call: Call) -> web.StreamResponse:
        """Answer with the results in the order of the request."""
        results = [await _result(call, item) for item in call.body["commands"]]
        return success({"results": results})


async def _result(call: Call, item: object) -> dict[str, Any]:
    """Return what became of one item: its record, or its error."""
    try:
        asked = checked(ITEM, item, whole="commands")
        device = await call.controllable_device(asked["device_id"])
        command = await submit(call.hass, device, asked, call.origin)
    except Exception as cause:  # noqa: BLE001 - one item does not end the others
        error: HomeAssistantError = logged(call.request, as_answered(cause), cause)
        return {"status": status_of(error), "error": error_object(error)}
    return {"status": HTTPStatus.OK, "command": command_record(command, device)}
