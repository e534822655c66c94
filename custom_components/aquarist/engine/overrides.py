"""Overrides: a value that wins over the plan for a while, by hand or by service (law 4)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from ..commands.command import Command, changed, new_id
from ..commands.phases import Kind, Phase
from ..devices.device import Observation
from ..layers.claims import Layer
from ..layers.hand import HandRule, Lasting, by_hand, lasts
from ..layers.setting import Scalar, Setting
from .arbiter import Arbiter
from .claims import NEXT_EVENT, SET_OVERRIDE, lasting
from .errors import EngineError
from .ground import Ground
from .intake import Origin, attached
from .state import DeviceState, FieldState

type Until = Literal["next_event", "released"]

ACTION = "override"
LONGEST_SECONDS = 31 * 24 * 60 * 60
_RULES = {
    "next_event": HandRule.UNTIL_NEXT_EVENT,
    "released": HandRule.UNTIL_RELEASED,
}


class Overrides:
    """Makes overrides and lets them go; how long one lasts is decided here."""

    def __init__(self, ground: Ground, arbiter: Arbiter) -> None:
        """Claim through the arbiter."""
        self._clock = ground.clock
        self._records = ground.records
        self._arbiter = arbiter

    def seen(
        self, device: DeviceState, state: FieldState, observation: Observation
    ) -> bool:
        """Let a change that was made outside win for a while; False where it must not (RES-54)."""
        ending = self._by_hand(device, state, observation.setting)
        if ending is None:
            return False
        self._arbiter.impose(
            device,
            state,
            observation.setting,
            Layer.OVERRIDE,
            action=ACTION,
            user=observation.user_id,
            context=observation.context_id,
            **ending,
        )
        return True

    def as_override(self, device: DeviceState, command: Command) -> Command:
        """Turn a change by hand into an override while a plan holds the field (law 4).

        Where the hand does not win it stays a point action: it changes what shows later.
        """
        now = self._clock.now()
        state = device.field_state(command.field or "")
        resolution = state.resolve(now)
        owner = resolution.owner if resolution is not None else None
        if owner is None or owner.layer > Layer.OVERRIDE:
            return command
        ending = self._by_hand(device, state, command.value or {})
        if ending is None:
            return command
        return changed(
            command,
            kind=Kind.WINDOW,
            layer=Layer.OVERRIDE,
            phase=Phase.PLANNED,
            attempts=0,
            started_at=None,
            starts_at=now,
            expires_at=None,
            ends_at=ending["ends_at"],
            args={**command.args, **ending["args"]},
        )

    def by_service(
        self,
        device: DeviceState,
        field_name: str,
        value: Scalar | Setting,
        origin: Origin,
        *,
        seconds: float | None,
        until: Until | None,
    ) -> Command:
        """Return the command of an override that was asked for (R-B111), from now on.

        ``seconds`` of elapsed time, or until the next event of the plan (the default), or
        until it is released. Raises EngineError or InvalidValue.
        """
        port = attached(device)
        if seconds is not None and until is not None:
            raise EngineError("not_both", field="seconds", other="until")
        if until is not None and until not in _RULES:
            raise EngineError("unknown_word", field="until", known=", ".join(_RULES))
        if seconds is not None and not 1 <= seconds <= LONGEST_SECONDS:
            raise EngineError(
                "out_of_range", field="seconds", minimum=1, maximum=LONGEST_SECONDS
            )
        setting = dict(port.check(field_name, value))
        name = port.field_of(field_name)
        now = self._clock.now()
        rule = (
            HandRule.MINUTES if seconds is not None else _RULES[until or "next_event"]
        )
        claims = device.field_state(name).claims.values()
        off = _holds_off(setting)
        ending = self._arguments(lasts(rule, claims, now, seconds, holds_off=off))
        return Command(
            id=new_id(),
            device=device.row.number,
            kind=Kind.WINDOW,
            action=SET_OVERRIDE,
            args={"field_name": field_name, "value": value, **ending["args"]},
            source=origin.source,
            created_at=now,
            field=name,
            value=setting,
            layer=Layer.OVERRIDE,
            starts_at=now,
            ends_at=ending["ends_at"],
            user=origin.user,
            context=origin.context,
            depth=origin.depth,
        )

    def release(self, device: DeviceState, field_name: str) -> Command | None:
        """Let the override of a field go, also one that has still to begin; None without one.

        The field returns to what the plan wants by now (R-B111).
        """
        name = attached(device).field_of(field_name)
        released = None
        for command in self._records.open:
            here = command.device == device.row.number and command.field == name
            wanted = command.phase is not Phase.RESTORING
            if here and wanted and command.layer is Layer.OVERRIDE:
                self._arbiter.release(command)
                released = self._records.current(command.key) or command
        return released

    def _by_hand(
        self, device: DeviceState, state: FieldState, setting: Setting
    ) -> dict[str, Any] | None:
        """Return how a change by hand ends by the rule of its device."""
        ending = by_hand(
            device.limits.hand,
            state.claims.values(),
            self._clock.now(),
            holds_off=_holds_off(setting),
        )
        return None if ending is None else self._arguments(ending)

    def _arguments(self, ending: Lasting) -> dict[str, Any]:
        """Return an override's end as its record keeps it."""
        args: dict[str, Any] = {NEXT_EVENT: True} if ending.next_event else {}
        ends_at = ending.ends_at
        if ending.seconds is not None:
            args |= lasting(self._clock, ending.seconds)
            ends_at = self._clock.now() + timedelta(seconds=ending.seconds)
        return {"ends_at": ends_at, "args": args}


def _holds_off(setting: Mapping[str, Scalar]) -> bool:
    """Return whether a setting holds equipment off."""
    return any(
        value is False or (value == 0 and not isinstance(value, bool))
        for value in setting.values()
    )
