"""What heads pump from: a container that was refilled, corrected, is another one, or gone."""

from homeassistant.core import ServiceCall, ServiceResponse
import probatio as vol

from ..api.command_requests import DEVICE
from ..api.rights import require_control
from ..api.serializers import container_record
from ..api.targets import target
from ..commands.schemas import MOST_HEADS
from ..container_sizes import LARGEST_CONTAINER_ML
from ..data import DATA_ENGINE
from ..engine.containers import check_head
from ..engine.errors import EngineError
from ..errors import translating
from ..hardware import MICROLITRES
from ..schedules.errors import ErrorCode, ScheduleError
from ..schedules.validation import boolean, integer, number, validated

REFILL_CONTAINER = "refill_container"
REMOVE_CONTAINER = "remove_container"
_HEAD = DEVICE | {vol.Required("head_index"): integer(0, MOST_HEADS - 1)}

_REFILL = vol.Schema(
    _HEAD
    | {
        vol.Optional("capacity_ml", default=None): vol.Maybe(
            number(1, LARGEST_CONTAINER_ML)
        ),
        vol.Optional("remaining_ml", default=None): vol.Maybe(
            number(0, LARGEST_CONTAINER_ML)
        ),
        vol.Optional("filled_in", default=True): boolean,
    }
)
_REMOVE = vol.Schema(_HEAD)


async def _refill_container(call: ServiceCall) -> ServiceResponse:
    """Note a full container, or what is in it; with a size, that it is another one."""
    with translating():
        asked = validated(_REFILL, dict(call.data), within="")
        device = target(call.hass, asked["device_id"])
        await require_control(call.hass, call.context, [device])
        containers = call.hass.data[DATA_ENGINE].containers
        head, user = asked["head_index"], call.context.user_id
        capacity, remaining = asked["capacity_ml"], asked["remaining_ml"]
        if not asked["filled_in"] and remaining is None:
            raise ScheduleError("remaining_ml", ErrorCode.MISSING)
        if not asked["filled_in"] and capacity is not None:
            raise ScheduleError("capacity_ml", ErrorCode.UNKNOWN_FIELD)
        if capacity is not None:
            if remaining is not None and remaining > capacity:
                raise EngineError(
                    "out_of_range", field="remaining_ml", minimum=0, maximum=capacity
                )
            await containers.resize(device, head, _microlitres(capacity), user=user)
        if remaining is not None:
            status = await containers.correct(
                device,
                head,
                _microlitres(remaining),
                user=user,
                compare=not asked["filled_in"],
            )
        else:
            status = await containers.refill(device, head, user=user)
    return container_record(device, head, status)


async def _remove_container(call: ServiceCall) -> None:
    """Note that a head has no container any more."""
    with translating():
        asked = validated(_REMOVE, dict(call.data), within="")
        device, head = target(call.hass, asked["device_id"]), asked["head_index"]
        await require_control(call.hass, call.context, [device])
        check_head(device, head)
        containers = call.hass.data[DATA_ENGINE].containers
        await containers.remove(device, head, user=call.context.user_id)


def _microlitres(millilitres: float) -> int:
    """Return a volume in microlitres; nobody measures a container finer."""
    return round(millilitres * MICROLITRES)


SERVICES = {
    REFILL_CONTAINER: _refill_container,
    REMOVE_CONTAINER: _remove_container,
}
