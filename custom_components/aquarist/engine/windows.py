"""Windows that other rooms ask for, and failed ones that are tried again (issue 4)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..commands.command import Command, changed, new_id
from ..commands.phases import Kind, Phase
from ..layers.claims import Layer
from ..layers.setting import Scalar, Setting
from ..store.commands import WRITE_ACTION
from .acceptance import Acceptance
from .announced import require_announced
from .claims import BLOCKING
from .errors import EngineError
from .ground import Ground
from .intake import Origin, attached
from .state import DeviceState
from .write_actions import FAILED


class Windows:
    """Accepts windows of every rank but safety, which does not wait for the store."""

    def __init__(self, ground: Ground, acceptance: Acceptance) -> None:
        """Let windows in by the way that all commands take."""
        self._clock = ground.clock
        self._devices = ground.devices
        self._acceptance = acceptance

    async def claim(
        self,
        device: DeviceState,
        field_name: str,
        value: Scalar | Setting,
        origin: Origin,
        *,
        layer: Layer,
        action: str,
        end: datetime,
        start: datetime | None = None,
        args: Mapping[str, Any] | None = None,
        blocking: bool = False,
        id: str | None = None,
        run: int | None = None,
        step: int | None = None,
    ) -> Command:
        """Accept a claim of a rank: a mode's, a geo schedule's, an enforced one (law 4).

        It begins at ``start`` (now when not given) and has its latest end on disk; whoever
        ends it earlier cancels it. A ``blocking`` one wins over others of its rank that
        start with it (RES-55). Raises EngineError, InvalidValue, StoreError.
        """
        now = self._clock.now()
        if layer in (Layer.RESTING, Layer.SAFETY):
            raise EngineError("unknown_word", field="layer", known=", ".join(_RANKS))
        begins = start or now
        for name, instant in (("start", begins), ("end", end)):
            if instant.tzinfo is None:
                raise EngineError("naive_time", field=name)
        if end <= begins:
            raise EngineError("end_not_after_start", field="end")
        if end <= now:
            raise EngineError("end_in_past", field="end")
        port = attached(device)
        command = Command(
            id=id or new_id(),
            device=device.row.number,
            kind=Kind.WINDOW,
            action=action,
            args={
                "field_name": field_name,
                "value": value,
                **(args or {}),
                **({BLOCKING: True} if blocking else {}),
            },
            source=origin.source,
            created_at=now,
            field=port.field_of(field_name),
            value=dict(port.check(field_name, value)),
            layer=layer,
            starts_at=begins,
            ends_at=end,
            schedule=origin.schedule,
            user=origin.user,
            context=origin.context,
            depth=origin.depth,
            run=run,
            step=step,
        )
        return await self._acceptance.accept(device, command)

    async def retry(
        self, failed: Command, origin: Origin, *, id: str | None = None
    ) -> Command:
        """Accept a failed window once more, as a new action that names the first (RES-53).

        One that was called off has failed, too (RES-26). Its times are the same; a start that
        has passed means at once. Raises EngineError
        `not_failed`, `end_in_past`, `device_not_found`, InvalidValue, StoreError.
        """
        now = self._clock.now()
        if failed.kind is not Kind.WINDOW or failed.shown_phase not in FAILED:
            raise EngineError("not_failed", field="id", id=failed.id)
        if failed.ends_at is None or failed.ends_at <= now:
            raise EngineError("end_in_past", field="end_timestamp")
        device = self._devices.get(failed.device)
        if device is None:
            raise EngineError("device_not_found", field="device_id", id=failed.device)
        port = attached(device)
        if "field_name" in failed.args:
            port.check(failed.args["field_name"], failed.args["value"])
            if failed.action == WRITE_ACTION:
                require_announced(device, failed.field or "", failed.value or {})
        again = changed(
            failed,
            id=id or new_id(),
            source=origin.source,
            created_at=now,
            phase=Phase.PLANNED,
            order=0,
            attempts=0,
            started_at=None,
            completed_at=None,
            result=None,
            error_code=None,
            error=None,
            error_details=None,
            user=origin.user,
            context=origin.context,
            depth=origin.depth,
            retry_of=failed.id,
        )
        return await self._acceptance.accept(device, again)


_RANKS = tuple(
    layer.name.lower() for layer in Layer if Layer.RESTING < layer < Layer.SAFETY
)
