"""Writes whose answer says whether the value is set (R-T32, RES-56, RES-78)."""

from aiohttp import web

from ..write_action_requests import SYNCHRONOUS_ACTION, TIMEOUT, write_now
from .call import Call
from .operations import Right, operation
from .tilt import TiltView
from .write_actions import RESULT, answered, either, items_of, one_or_several

TIMEOUT_MS = "timeout_ms"
EXAMPLES = {
    "level": {
        "action_id": "a5c1de60-5a9e-4c58-8a1f-7e5f2d6b9c03",
        "device_id": "51428aa6-50a0-5b89-841c-9db6a088dad1",
        "field_name": "level",
        "value": 30,
        "timeout_ms": 5000,
    }
}


class SynchronousWriteActions(TiltView):
    """Values that are set when the answer comes, and stay."""

    url = "/api/aquarist/synchronous_write_actions"

    @operation(
        "Set fields now, and wait until they are set",
        right=Right.CONTROL,
        body=one_or_several(SYNCHRONOUS_ACTION, TIMEOUT),
        answers={200: either(RESULT)},
        examples=EXAMPLES,
    )
    async def post(self, call: Call) -> web.StreamResponse:
        """Answer with a result for each, at the latest when the time is over."""
        results = await write_now(
            call.hass,
            items_of(call, TIMEOUT_MS),
            call.body[TIMEOUT_MS],
            call.origin,
            call.context,
        )
        return answered(call, results)
