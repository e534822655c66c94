"""The steps of runs that call a service of Home Assistant (R-C31).

What of its target backs one of our devices is not called: it becomes an intent for that
device (law 1). The call itself is made at most once (law 3): whether one that a restart has
cut off was made, nobody knows.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol, runtime_checkable

from ..commands.bounded import bounded
from ..commands.command import Command, ErrorCode, Source, changed
from ..devices.device import Device
from ..devices.entity_adapter import RestsAt, ServiceCall
from ..devices.errors import DeviceError
from ..devices.fields import InvalidValue
from ..devices.home_services import CallFailed, Concerned, Target, mentioned
from ..layers.setting import Scalar, Setting
from ..runs.records import Outcome
from ..runs.states import StepState
from ..runs.steps import ServiceStep, StepKind
from .acceptance import Acceptance
from .errors import EngineError
from .execution import LARGEST_RESULT
from .faults import describe_error
from .ground import Ground
from .history import History
from .intake import Origin, attached, field_command
from .live_runs import LiveRun
from .run_steps import Finished, RunSteps, failure, outcome_of
from .state import DeviceState

LOOKING = frozenset({"homeassistant.update_entity"})
"""Services that change nothing of what they are for."""
NEVER = frozenset({"aquarist.run_macro"})
"""Services that no step may call: a macro that begins itself would never end."""

_CODES = {
    "call_not_found": ErrorCode.COMMAND_INVALID,
    "call_not_allowed": ErrorCode.COMMAND_INVALID,
    "call_refused": ErrorCode.INVALID_ARGUMENTS,
    "call_failed": ErrorCode.COMMAND_FAILED,
    "call_timed_out": ErrorCode.COMMAND_TIMEOUT,
}


@runtime_checkable
class Backed(Device, Protocol):
    """A device that entities of Home Assistant are behind."""

    def intent(
        self, entity_id: str, call: ServiceCall, rests_at: RestsAt
    ) -> tuple[str, Setting]:
        """Return the field and setting that a call asks for. Raises InvalidValue, DeviceError."""


class Home(Protocol):
    """Home Assistant, as far as steps need it."""

    def backing(self) -> Mapping[str, str]:
        """Return the UUID of the device that each entity is behind."""

    def concerned(self, target: Target) -> Concerned:
        """Return the entities of a target."""

    async def call(
        self,
        call: ServiceCall,
        target: Target,
        *,
        timeout: float,
        user: str | None,
        parent: str | None,
    ) -> Mapping[str, Any] | None:
        """Call a service and return what it answers. Raises CallFailed."""


class ServiceSteps:
    """Carries them out, and checks them before they are stored."""

    def __init__(
        self,
        ground: Ground,
        steps: RunSteps,
        acceptance: Acceptance,
        history: History,
        finished: Finished,
    ) -> None:
        """Wait for ``home``, which is known once Home Assistant is."""
        self._clock = ground.clock
        self._devices = ground.devices
        self._settings = ground.settings
        self._acceptance = acceptance
        self._history = history
        self._finished = finished
        self._steps = steps
        self.home: Home | None = None
        steps.register(StepKind.SERVICE, self._service)

    def check(self, step: ServiceStep) -> None:
        """Raise EngineError or InvalidValue for what will never do, naming the field."""
        call = _call_of(step)
        if str(call) in NEVER:
            raise EngineError("service_not_in_macro", field="service", service=call)
        backed = self._backed(step, call)
        self._refuse_mentioned(call)
        for entity_id, device in backed:
            with suppress(DeviceError):
                if device.device is not None:
                    self._intent(device, entity_id, call)

    def targets(self, step: ServiceStep) -> tuple[list[DeviceState], frozenset[str]]:
        """Return what a step changes: devices of ours, and other entities of Home Assistant."""
        call = _call_of(step)
        backed = self._backed(step, call)
        others = self._reached(step, call) - {entity_id for entity_id, _ in backed}
        return [device for _, device in backed], others

    async def _service(
        self, run: LiveRun, step: ServiceStep, resumed: bool
    ) -> Outcome | None:
        """Have devices of ours do what is meant for them, then call what is left."""
        call = _call_of(step)
        backed = self._backed(step, call)
        self._refuse_mentioned(call)
        for _, device in backed:
            await self._steps.attached(run, device)
        done: list[str] = []
        for place, (entity_id, device) in enumerate(backed):
            try:
                command = await self._sent(run, place, entity_id, device, call, resumed)
            except DeviceError as error:
                return failure(*describe_error(error))
            outcome = outcome_of(command)
            if outcome.state is not StepState.COMPLETED:
                return outcome
            done.append(command.id)
        result: dict[str, Any] = {"command_ids": done}
        rest = self._rest(step, call, [entity_id for entity_id, _ in backed])
        if rest is None:
            return Outcome(state=StepState.COMPLETED, result=result)
        if resumed:
            return failure(ErrorCode.INTERRUPTED, "interrupted")
        try:
            result["response"] = await self._home.call(
                call,
                rest,
                timeout=step.timeout,
                user=run.row.user,
                parent=run.row.context,
            )
        except CallFailed as error:
            details = {"service": str(call), "reason": error.reason[:500]}
            return failure(_CODES[error.code], error.code, details)
        return Outcome(
            state=StepState.COMPLETED, result=bounded(result, limit=LARGEST_RESULT)
        )

    async def _sent(
        self,
        run: LiveRun,
        place: int,
        entity_id: str,
        device: DeviceState,
        call: ServiceCall,
        resumed: bool,
    ) -> Command:
        """Have a device do what a call means for it, once, and wait for its end.

        Raises EngineError, InvalidValue, DeviceError or StoreError.
        """
        number = len(run.steps) - 1
        key = f"run-{run.id}-{number}-{place}"
        if resumed:
            # What it was asked then is not worked out again: toggled it would be undone.
            known = await self._history.command(device, key)
            if known is not None:
                return await self._finished(known)
        name, value = self._intent(device, entity_id, call)
        origin = Origin(
            source=Source(run.row.source), user=run.row.user, context=run.row.context
        )
        expiry = self._settings.current.queue_expiry
        asked = field_command(device, name, value, origin, self._clock.now(), expiry)
        command = changed(asked, id=key, run=run.id, step=number)
        return await self._finished(await self._acceptance.accept(device, command))

    def _intent(
        self, device: DeviceState, entity_id: str, call: ServiceCall
    ) -> tuple[str, Scalar | Setting]:
        """Return the field and its valid value that a call means. Raises InvalidValue, DeviceError."""
        port = attached(device)
        assert isinstance(port, Backed)
        name, setting = port.intent(
            entity_id,
            call,
            lambda field: device.baseline(device.field_state(field)),
        )
        value = setting if port.fields[name].parts else setting[name]
        try:
            port.check(name, value)
        except InvalidValue as error:
            shown = {
                key: text for key, text in error.placeholders.items() if key != "field"
            }
            raise InvalidValue("data", error.code, **shown) from error
        return name, value

    @property
    def _home(self) -> Home:
        """Return Home Assistant, which is there before any run goes on."""
        assert self.home is not None
        return self.home

    def _reached(self, step: ServiceStep, call: ServiceCall) -> frozenset[str]:
        """Return the entities that a step's call is for."""
        return self._home.concerned(step.target).of(call)

    def _backed(
        self, step: ServiceStep, call: ServiceCall
    ) -> list[tuple[str, DeviceState]]:
        """Return the entities that a call would change and that back a device of ours."""
        if str(call) in LOOKING or not step.target:
            return []
        backing = self._backing()
        reached = sorted(self._reached(step, call) & backing.keys())
        return [(entity_id, backing[entity_id]) for entity_id in reached]

    def _rest(
        self, step: ServiceStep, call: ServiceCall, backed: Sequence[str]
    ) -> Target | None:
        """Return whom the call itself is still for; None when nobody is left."""
        if not backed:
            return step.target
        left = self._reached(step, call) - set(backed)
        return {"entity_id": sorted(left)} if left else None

    def _refuse_mentioned(self, call: ServiceCall) -> None:
        """Raise InvalidValue for data by which a device would be changed unseen."""
        backing = self._backing()
        found = mentioned(call.data, backing.keys())
        if found is not None:
            raise InvalidValue(
                "data",
                "service_not_for_device",
                service=str(call),
                entity_id=found,
                name=backing[found].row.name,
            )

    def _backing(self) -> Mapping[str, DeviceState]:
        """Return the device that each entity backs, attached or not."""
        known = {device.row.uuid: device for device in self._devices.values()}
        return {
            entity_id: known[uuid]
            for entity_id, uuid in self._home.backing().items()
            if uuid in known
        }


def _call_of(step: ServiceStep) -> ServiceCall:
    """Return the call of a step."""
    domain, _, service = step.service.partition(".")
    return ServiceCall(domain=domain, service=service, data=step.data)
