"""Device commands over REST: send, list, look up, cancel, repeat (R-C1 to R-C4, R-C54)."""

from http import HTTPStatus

from aiohttp import web
import probatio as vol

from ...commands.command import Command
from ...commands.phases import Phase
from ...engine.history import DEVICE_PAGE, LARGEST_DEVICE_PAGE
from ...engine.state import DeviceState
from ..command_lists import FILTERS, filter_of, page
from ..command_requests import (
    CONFIRM,
    CONTENT,
    EXECUTION,
    Execution,
    repeat,
    stored,
    submit,
)
from ..serializers import command_record
from .call import Call
from .operations import Right, operation
from .reading import whole_number
from .records import COMMAND, COMMANDS
from .view import View, success

UNREACHABLE = frozenset(
    {"device_unavailable", "entity_missing", "entity_unavailable", "out_of_range"}
)
"""Why a device was not reached at all (RES-64, RES-77)."""

REQUEST = vol.Schema(CONTENT | EXECUTION)
PAGE = {
    vol.Optional("limit", default=DEVICE_PAGE): whole_number(1, LARGEST_DEVICE_PAGE),
    vol.Optional("before", default=None): vol.Maybe(whole_number(1)),
}
QUERY = vol.Schema(FILTERS | PAGE)
SENDING = frozenset({404, 409, 429})
EXAMPLES = {
    "level": {"action": "set_level", "args": {"level": 40}},
    "dose": {
        "action": "dose",
        "args": {"head_index": 0, "volume_ml": 0.5},
        "id": "morning-dose",
        "execution": "sync",
    },
}


class DeviceCommands(View):
    """The commands of a device."""

    url = "/api/aquarist/devices/{address}/commands"

    @operation(
        "The device's newest commands first",
        right=Right.READ,
        query=QUERY,
        answers={200: COMMANDS},
        errors=frozenset({404}),
    )
    async def get(self, call: Call) -> web.StreamResponse:
        """Answer with a page of the records (R-C4)."""
        device = call.readable_device(call.path["address"], field="address")
        wanted = filter_of(device, call.query)
        limit, before = call.query["limit"], call.query["before"]
        return success(await page(call.hass, wanted, limit, before, call.sees))

    @operation(
        "Have the device do something, once for each id",
        right=Right.CONTROL,
        body=REQUEST,
        answers={200: COMMAND, 404: COMMAND, 504: COMMAND},
        errors=SENDING,
        examples=EXAMPLES,
    )
    async def post(self, call: Call) -> web.StreamResponse:
        """Answer with the record: as accepted, or for `sync` as it ended (RES-42, RES-43)."""
        device = await call.controllable_device(call.path["address"], field="address")
        command = await submit(call.hass, device, call.body, call.origin)
        # Who does not wait is told that it was accepted, whatever becomes of it.
        waits = call.body["execution"] is Execution.SYNC
        status = status_of_command(command) if waits else HTTPStatus.OK
        return success(command_record(command, device), status)


class DeviceCommand(View):
    """One command of a device."""

    url = "/api/aquarist/devices/{address}/commands/{id}"

    @operation(
        "One command",
        right=Right.READ,
        answers={200: COMMAND},
        errors=frozenset({404}),
    )
    async def get(self, call: Call) -> web.StreamResponse:
        """Answer with the record."""
        device = call.readable_device(call.path["address"], field="address")
        return success(command_record(await _command(call, device), device))

    @operation(
        "Cancel a command that waits",
        right=Right.CONTROL,
        answers={200: COMMAND},
        errors=frozenset({404, 409}),
    )
    async def delete(self, call: Call) -> web.StreamResponse:
        """Answer with the record, cancelled; what runs or has ended is 409 (R-C54)."""
        device = await call.controllable_device(call.path["address"], field="address")
        cancelled = await call.engine.cancel(await _command(call, device))
        return success(command_record(cancelled, device))


class Rerun(View):
    """The same once more."""

    url = "/api/aquarist/devices/{address}/commands/{id}/rerun"

    @operation(
        "Send the same once more, as a new command",
        right=Right.CONTROL,
        body=vol.Schema(CONFIRM),
        answers={200: COMMAND},
        errors=SENDING,
        examples={"erase again": {"confirm": True}},
    )
    async def post(self, call: Call) -> web.StreamResponse:
        """Answer with the new record (R-C35)."""
        device = await call.controllable_device(call.path["address"], field="address")
        command = await _command(call, device)
        again = await repeat(
            call.hass, command, call.origin, confirm=call.body["confirm"]
        )
        return success(command_record(again, device))


def status_of_command(command: Command) -> HTTPStatus:
    """Return the status that a record is answered with (RES-43, RES-64, RES-77)."""
    if command.phase is Phase.TIMED_OUT:
        return HTTPStatus.GATEWAY_TIMEOUT
    if command.phase is Phase.FAILED and command.error in UNREACHABLE:
        return HTTPStatus.NOT_FOUND
    return HTTPStatus.OK


async def _command(call: Call, device: DeviceState) -> Command:
    """Return the command that the path names. Raises EngineError when there is none."""
    wanted = call.path["id"]
    return stored(await call.engine.history.command(device, wanted), wanted)
