"""Guided calibration as a service: one call for each step of the keeper."""

from enum import StrEnum

from homeassistant.core import ServiceCall, ServiceResponse
import probatio as vol

from ..api.command_requests import DEVICE
from ..api.rights import require_control
from ..api.runs import failure, guide_record
from ..api.targets import target
from ..commands.schemas import LARGEST_MEASURED, MOST_HEADS, SMALLEST_MEASURED
from ..data import DATA_ENGINE
from ..engine.errors import EngineError
from ..engine.guided import Guide, Guided
from ..engine.state import DeviceState
from ..errors import translating
from ..schedules.errors import ErrorCode, ScheduleError
from ..schedules.validation import boolean, integer, number, validated, word
from .calls import origin

CALIBRATE_HEAD = "calibrate_head"


class KeeperStep(StrEnum):
    """What the keeper does next."""

    START = "start"
    MEASURED = "measured"
    TEST = "test"
    FINISH = "finish"
    CANCEL = "cancel"


_CALIBRATE_HEAD = vol.Schema(
    DEVICE
    | {
        vol.Required("head_index"): integer(0, MOST_HEADS - 1),
        vol.Required("step"): word(KeeperStep),
        vol.Optional("measured_ml", default=None): vol.Maybe(
            number(SMALLEST_MEASURED, LARGEST_MEASURED)
        ),
        vol.Optional("ok", default=True): boolean,
    }
)


async def _calibrate_head(call: ServiceCall) -> ServiceResponse:
    """Do one step of a guided calibration; the answer tells which may come next."""
    with translating():
        asked = validated(_CALIBRATE_HEAD, dict(call.data), within="")
        measured: float | None = asked["measured_ml"]
        if (measured is None) is (asked["step"] is KeeperStep.MEASURED):
            code = ErrorCode.MISSING if measured is None else ErrorCode.UNKNOWN_FIELD
            raise ScheduleError("measured_ml", code)
        device = target(call.hass, asked["device_id"])
        await require_control(call.hass, call.context, [device])
        engine = call.hass.data[DATA_ENGINE]
        guided, head = engine.guided, asked["head_index"]
        if asked["step"] is KeeperStep.START:
            guide = await guided.start(device, head, origin(call))
        else:
            run = _run_of(guided, device, head)
            guide = await _answered(
                guided, run, asked["step"], measured, ok=asked["ok"]
            )
        error = failure(*await engine.runs.get(guide.run.id))
    if error is not None:
        raise error
    return guide_record(guide)


def _run_of(guided: Guided, device: DeviceState, head: int) -> int:
    """Return the guided run of a head. Raises EngineError when there is none."""
    if (run := guided.under_way(device, head)) is None:
        raise EngineError(
            "calibration_not_started", field="step", name=device.row.name, head=head + 1
        )
    return run.id


async def _answered(
    guided: Guided, run: int, step: KeeperStep, measured: float | None, *, ok: bool
) -> Guide:
    """Give a guided run what the keeper says."""
    if measured is not None:
        return await guided.measured(run, measured)
    if step is KeeperStep.TEST:
        return await guided.test_dose(run)
    if step is KeeperStep.FINISH:
        return await guided.finish(run, ok=ok)
    return await guided.cancel(run)


SERVICES = {
    CALIBRATE_HEAD: _calibrate_head,
}
