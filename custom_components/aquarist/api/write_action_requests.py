"""Asking for write actions: take them, call them off, try them again, write at once.

One action never spoils another: each has a result of its own, in the order of the request.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
import logging
from typing import Any, Final

from homeassistant.core import Context, HomeAssistant
import probatio as vol

from ..commands.command import Command
from ..commands.phases import Phase
from ..data import DATA_ENGINE
from ..engine.errors import EngineError
from ..engine.intake import Origin
from ..engine.state import DeviceState
from ..engine.write_actions import PLANNED
from ..errors import translated
from ..schedules.errors import ErrorCode, Expected, wrong_type
from ..schedules.validation import (
    instant,
    integer,
    not_a,
    rejected,
    takes,
    text,
    validated,
)
from ..store import write_action_history
from ..store.errors import StoreError
from .fields import LONGEST_NAME, reference, scalar, uuid_text
from .rights import require_control
from .targets import target
from .write_action_errors import ALREADY_EXECUTED, NOT_FOUND, naming_id
from .write_action_lists import store_of
from .write_action_records import (
    refused_record,
    synchronous_record,
    write_action_record,
)

_LOGGER = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 1000
"""Actions in one request."""
DEFAULT_TIMEOUT_MS: Final = 10_000
TIMEOUT_RANGE_MS: Final = (100, 30_000)
LONGEST_CANCEL: Final = 10.0
"""Seconds that the end of an action may take to be on disk."""

VALUE: dict[str | vol.Marker, Any] = {
    vol.Required("device_id"): reference,
    vol.Required("field_name"): text(LONGEST_NAME),
    vol.Required("value"): scalar,
}
TIMES: dict[str | vol.Marker, Any] = {
    vol.Required("start_timestamp"): instant,
    vol.Required("end_timestamp"): instant,
}
_ID: dict[str | vol.Marker, Any] = {vol.Required("action_id"): uuid_text}
ACTION = vol.Schema(_ID | VALUE | TIMES)
SYNCHRONOUS_ACTION = vol.Schema(_ID | VALUE)
TIMEOUT: dict[str | vol.Marker, Any] = {
    vol.Optional("timeout_ms", default=DEFAULT_TIMEOUT_MS): integer(*TIMEOUT_RANGE_MS)
}
RETRY: dict[str | vol.Marker, Any] = {
    vol.Required("action_id"): text(LONGEST_NAME),
    vol.Optional("new_action_id", default=None): vol.Maybe(uuid_text),
}

type Write = Callable[[DeviceState, Mapping[str, Any]], Awaitable[dict[str, Any]]]


def listed(each: vol.Schema | Any) -> Any:
    """Accept a list of items; each is looked at when its turn comes."""

    @takes(type="array", maxItems=MOST_AT_ONCE, items=each)
    def validate(value: object) -> list[Any]:
        """Validate the list alone."""
        if not isinstance(value, list):
            raise not_a(Expected.LIST)
        if len(value) > MOST_AT_ONCE:
            raise rejected(ErrorCode.TOO_MANY, maximum=MOST_AT_ONCE)
        return value

    return validate


_id_text = text(LONGEST_NAME)
_ids = listed(
    {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME, "pattern": r"\S"}
)


@takes(**_ids.json_schema)
def action_ids(value: object) -> list[str]:
    """Accept a list of the ids of write actions, each once and as it is stored."""
    found = [str(_id_text(one)).strip().lower() for one in _ids(value)]
    return list(dict.fromkeys(found))


async def create(
    hass: HomeAssistant, items: Sequence[Any], origin: Origin, context: Context
) -> list[dict[str, Any]]:
    """Take write actions; the same one again is answered with what there is (R-T30).

    Returns a result for each, in order. Raises Unauthorized when the caller may not change
    one of the devices: nothing is taken then.
    """
    engine = hass.data[DATA_ENGINE]

    async def write(device: DeviceState, asked: Mapping[str, Any]) -> dict[str, Any]:
        command = await engine.acceptance.create_window(
            device,
            asked["field_name"],
            asked["value"],
            origin,
            start=asked["start_timestamp"],
            end=asked["end_timestamp"],
            id=asked["action_id"],
        )
        return write_action_record(command, device.row.uuid)

    await _allowed(hass, items, context)
    return await _in_order(
        items,
        lambda item: _written(hass, item, ACTION, write),
    )


async def write_now(
    hass: HomeAssistant,
    items: Sequence[Any],
    timeout_ms: int,
    origin: Origin,
    context: Context,
) -> list[dict[str, Any]]:
    """Write values and wait until they are set, all within the same time (R-T32).

    Returns a result for each, in order. Raises Unauthorized.
    """
    engine = hass.data[DATA_ENGINE]

    async def write(device: DeviceState, asked: Mapping[str, Any]) -> dict[str, Any]:
        command = await engine.write_now(
            device,
            asked["field_name"],
            asked["value"],
            origin,
            timeout_ms / 1000,
            id=asked["action_id"],
        )
        return synchronous_record(command, device.row.uuid, timeout_ms)

    await _allowed(hass, items, context)
    return await asyncio.gather(
        *(_written(hass, item, SYNCHRONOUS_ACTION, write) for item in items)
    )


async def cancel(
    hass: HomeAssistant,
    ids: Sequence[str],
    context: Context,
    sees: Callable[[int], bool],
) -> dict[str, Any]:
    """Call write actions off that have not begun (R-T31).

    Returns how many, and an error for each of the others. Raises Unauthorized, EngineError,
    StoreError.
    """
    engine = hass.data[DATA_ENGINE]
    known = await store_of(hass).read(
        lambda connection: write_action_history.get(connection, ids)
    )
    visible = {key: one for key, (one, _) in known.items() if sees(one.device)}
    devices = {one.device for one in visible.values()} & engine.devices.keys()
    await require_control(hass, context, [engine.devices[one] for one in devices])
    errors = []
    for wanted in ids:
        try:
            await _cancelled(hass, visible.get(wanted), wanted)
        except (EngineError, StoreError) as error:
            errors.append(_not_cancelled(wanted, error))
    return {"canceled_count": len(ids) - len(errors), "errors": errors}


async def retry(
    hass: HomeAssistant, asked: Mapping[str, Any], origin: Origin, context: Context
) -> dict[str, Any]:
    """Take a failed write action once more, as a new one; return that (RES-53).

    Raises EngineError, InvalidValue, StoreError, Unauthorized.
    """
    engine = hass.data[DATA_ENGINE]
    command, _ = await find(hass, asked["action_id"])
    device = engine.devices.get(command.device)
    if device is None:
        raise EngineError("device_not_found", field="action_id", id=command.device)
    await require_control(hass, context, [device])
    new_id = asked["new_action_id"]
    try:
        again = await engine.windows.retry(command, origin, id=new_id)
    except EngineError as error:
        field = "new_action_id" if new_id else "action_id"
        raise naming_id(error, field) from error
    return write_action_record(again, device.row.uuid)


async def find(hass: HomeAssistant, id: str) -> tuple[Command, str]:
    """Return a write action and the UUID of its device.

    Raises EngineError `action_not_found`, StoreError.
    """
    wanted = id.lower()
    known = await store_of(hass).read(
        lambda connection: write_action_history.get(connection, [wanted])
    )
    if wanted not in known:
        raise EngineError(NOT_FOUND, field="action_id", id=id)
    return known[wanted]


async def _cancelled(hass: HomeAssistant, command: Command | None, id: str) -> None:
    """Call one action off and wait until that is on disk. Raises EngineError, StoreError."""
    engine = hass.data[DATA_ENGINE]
    if command is None:
        raise EngineError(NOT_FOUND, field="action_ids", id=id)
    current = engine.records.current(command.key)
    if current is None or current.phase not in PLANNED:
        raise EngineError(ALREADY_EXECUTED, field="action_ids", id=id)
    try:
        ended = await engine.cancel(current)
    except EngineError as error:
        raise EngineError(ALREADY_EXECUTED, field="action_ids", id=id) from error
    if ended.phase is Phase.RESTORING:
        # What may have arrived is brought back first; the record ends with that.
        return
    try:
        async with asyncio.timeout(LONGEST_CANCEL):
            await engine.finished(current)
    except TimeoutError as error:
        raise EngineError(engine.store_trouble or "store_locked") from error


def _not_cancelled(id: str, error: EngineError | StoreError) -> dict[str, Any]:
    """Return why an action could not be called off."""
    reason = {"reason": error.code} if error.code == ALREADY_EXECUTED else {}
    return {
        "action_id": id,
        "error_key": error.code,
        "error_message": str(translated(error)),
        "error_details": {"action_id": id, **reason},
    }


async def _written(
    hass: HomeAssistant, item: Any, schema: vol.Schema, write: Write
) -> dict[str, Any]:
    """Return what became of one item: its record, or why it was not taken."""
    device = None
    try:
        asked = _checked(schema, item)
        device = target(hass, asked["device_id"])
        return await write(device, asked)
    except Exception as error:
        # One item does not end the others.
        if translated(error).translation_key == "unexpected":
            _LOGGER.error("A write action could not be taken", exc_info=error)
        synchronous = schema is SYNCHRONOUS_ACTION
        return refused_record(item, error, device, synchronous=synchronous)


def _checked(schema: vol.Schema, item: Any) -> dict[str, Any]:
    """Return a valid item. Raises ScheduleError."""
    if not isinstance(item, Mapping):
        raise wrong_type("actions", Expected.MAPPING)
    return validated(schema, item, within="")


async def _allowed(hass: HomeAssistant, items: Iterable[Any], context: Context) -> None:
    """Raise Unauthorized unless the caller may change every device that is named."""
    devices: dict[int, DeviceState] = {}
    for item in items:
        named = item.get("device_id") if isinstance(item, Mapping) else None
        try:
            device = target(hass, reference(named))
        except EngineError, vol.Invalid:
            continue
        devices[device.row.number] = device
    await require_control(hass, context, devices.values())


async def _in_order(
    items: Sequence[Any], work: Callable[[Any], Awaitable[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Do all items beside each other, those of a device or an id one after the other.

    So the first of two with the same id is the one that counts, and of two windows that
    start together the later one wins, as the request has them.
    """
    last: dict[Hashable, asyncio.Task[dict[str, Any]]] = {}

    async def after(
        before: Iterable[asyncio.Task[dict[str, Any]]], item: Any
    ) -> dict[str, Any]:
        for one in before:
            await one
        return await work(item)

    tasks = []
    for item in items:
        keys = _keys(item)
        before = [last[key] for key in keys if key in last]
        task = asyncio.ensure_future(after(before, item))
        last.update(dict.fromkeys(keys, task))
        tasks.append(task)
    return [await task for task in tasks]


def _keys(item: Any) -> list[Hashable]:
    """Return what an item has in common with those that it must not overtake."""
    if not isinstance(item, Mapping):
        return []
    named = ((name, item.get(name)) for name in ("action_id", "device_id"))
    return [(name, str(value).lower()) for name, value in named if value is not None]
