"""Who holds a field: claims begin, end and give way here, and observations are judged.

A claim is a window or ramp in force; it is not stored apart from its command (law 4).
"""

from collections.abc import Hashable, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from ..commands.backoff import window_pause
from ..commands.command import Command, ErrorCode, Source, new_id
from ..commands.phases import HOLDING, Kind, Phase
from ..devices.device import Observation
from ..layers.claims import Layer
from ..layers.resolve import override_end
from ..layers.setting import Setting, same
from ..store import resting
from .changes import DeviceChanged, FieldChanged
from .claims import claim_of
from .clock import anchor
from .ground import Ground
from .levels import LEVEL, Levels, describe_error
from .state import DeviceState, FieldState

LONGEST_OVERRIDE = timedelta(hours=24)
_SEEN = 1.0


class Arbiter:
    """Keeps the claims of all fields."""

    def __init__(self, ground: Ground, levels: Levels) -> None:
        """Answer the agenda for everything that begins, moves or ends."""
        self._clock = ground.clock
        self._agenda = ground.agenda
        self._records = ground.records
        self._journal = ground.journal
        self._announcer = ground.announcer
        self._levels = levels
        self._devices = ground.devices
        self._tries: dict[str, int] = {}
        ground.agenda.on("begin", self._begin_due)
        ground.agenda.on("end", self._end_due)
        ground.agenda.on("field", self._field_due)
        ground.agenda.on("slew", self._field_due)
        ground.agenda.on("on_time", self._on_time_due)

    def enter(self, command: Command) -> None:
        """Let an accepted window or ramp wait for its start; begin it when that is past."""
        if (command.starts_at or command.created_at) > self._clock.now():
            self.wait(command)
        else:
            self._begin(command)

    def wait(self, command: Command) -> None:
        """Let a window or ramp begin when the agenda says so, not before it runs."""
        self._agenda.put("begin", command.key, command.starts_at or command.created_at)

    def resume(self, command: Command) -> None:
        """Take up a window or ramp that was in force when the engine stopped (R-T54)."""
        device, state = self._place(command)
        if command.phase is Phase.RESTORING:
            state.waiting[command.key] = command
            self._levels.touch(device, state)
            return
        if command.phase is Phase.APPLYING:
            state.waiting[command.key] = command
        self._hold(device, state, command)

    def withdraw(
        self, command: Command, phase: Phase, code: ErrorCode, word: str
    ) -> Command:
        """End a window or ramp before its time; the field is resolved again."""
        device, state = self._place(command)
        self._agenda.remove("begin", command.key)
        self._agenda.remove("end", command.key)
        state.claims.pop(command.key, None)
        state.waiting.pop(command.key, None)
        ended = self._records.advance(command, phase, error_code=code, error=word)
        self._levels.touch(device, state)
        return ended

    def release(self, command: Command) -> None:
        """Let a window end now as if its time had come: the value goes back."""
        self._agenda.remove("end", command.key)
        self._end(command)

    def impose(
        self,
        device: DeviceState,
        state: FieldState,
        setting: Setting,
        layer: Layer,
        *,
        action: str,
        ends_at: datetime | None,
        user: str | None = None,
        context: str | None = None,
        result: Mapping[str, Any] | None = None,
    ) -> Command:
        """Claim a field on the spot; record and device move go out together (law 2)."""
        now = self._clock.now()
        return self.hold_at_once(
            device,
            Command(
                id=new_id(),
                device=device.row.number,
                kind=Kind.WINDOW,
                action=action,
                source=Source.ENGINE,
                created_at=now,
                field=state.name,
                value=dict(setting),
                layer=layer,
                phase=Phase.IN_FORCE,
                starts_at=now,
                ends_at=ends_at,
                started_at=now,
                user=user,
                context=context,
                result=result,
            ),
        )

    def hold_at_once(self, device: DeviceState, command: Command) -> Command:
        """Let a window in force hold its field; its record is written as soon as it can be."""
        state = device.field_state(command.field or "")
        # What the field rests on is on disk before, or with, what holds it.
        if state.resting is None and (shown := device.baseline(state)) is not None:
            self._levels.rest(device, state, shown)
        command = self._records.impose(command)
        self._supersede(state, command)
        self._hold(device, state, command)
        return command

    def observe(self, device: DeviceState, observation: Observation) -> None:
        """Judge a value that was seen at a device: echo, hand, or nothing new (design 5)."""
        state = device.fields.get(observation.field)
        if state is None:
            return
        self._judge(device, state, observation)
        self._announcer.announce(
            FieldChanged(
                device=device.row.number,
                field=state.name,
                setting=observation.setting,
            )
        )

    def _judge(
        self, device: DeviceState, state: FieldState, observation: Observation
    ) -> None:
        """Take a value for what it is; what follows from it is in memory afterwards."""
        elapsed = self._clock.elapsed()
        by_user = observation.user_id is not None and observation.parent_id is None
        pending = state.expected is not None and elapsed <= state.expected_until
        if state.is_echo(observation.setting, elapsed) or (pending and not by_user):
            return
        self._levels.noticed(device, state, observation.setting)
        resolution = state.resolve(self._clock.now())
        if resolution is not None and same(
            resolution.setting, observation.setting, tolerance=_SEEN
        ):
            return
        owner = resolution.owner if resolution is not None else None
        if owner is None:
            self._levels.rest(device, state, observation.setting)
        elif owner.layer > Layer.OVERRIDE:
            self._levels.touch(device, state)
        else:
            self.override(device, state, observation)

    def override(
        self, device: DeviceState, state: FieldState, observation: Observation
    ) -> None:
        """Let a change by hand win until the plan beneath it ends (RES-54)."""
        now = self._clock.now()
        self.impose(
            device,
            state,
            observation.setting,
            Layer.OVERRIDE,
            action="override",
            ends_at=override_end(state.claims.values(), now) or now + LONGEST_OVERRIDE,
            user=observation.user_id,
            context=observation.context_id,
        )

    def availability_changed(self, device: DeviceState, available: bool) -> None:
        """Re-assert what should be on a device that came back (R-B113).

        Of a field that nothing holds only what was known of it before it went: what was
        changed while nobody was there is not undone by a start.
        """
        self._announcer.announce(DeviceChanged(device=device.row.number))
        if not available:
            return
        for state in device.fields.values():
            if state.claims or state.waiting or state.sent is not None:
                state.sent = None
                state.tries = 0
                self._levels.touch(device, state)

    def converge(self, device: DeviceState) -> None:
        """Have everything that is held on a device written, because it was just attached."""
        for state in device.fields.values():
            self._levels.note_on_time(device, state)
            if state.on_since is not None:
                self._watch_on_time(device, state)
            if state.claims or state.waiting:
                self._levels.touch(device, state)

    def _place(self, command: Command) -> tuple[DeviceState, FieldState]:
        """Return where a window or ramp acts."""
        device = self._devices[command.device]
        return device, device.field_state(command.field or "")

    def _begin_due(self, key: Hashable, now: datetime) -> None:
        """Begin a window or ramp whose start has come, if it is still wanted (law 7)."""
        command = self._records.current(str(key))
        if command is not None and command.phase is Phase.PLANNED:
            self._begin(command)

    def _begin(self, command: Command) -> None:
        """Capture what the field rests on, and commit that before the device hears (R-T53)."""
        device, state = self._place(command)
        now = self._clock.now()
        if (
            command.ends_at is not None
            and command.ends_at <= now
            and (command.kind is Kind.WINDOW)
        ):
            self._records.advance(
                command,
                Phase.MISSED,
                error_code=ErrorCode.MISSED_WINDOW,
                error="missed_window",
            )
            return
        baseline = device.baseline(state)
        if baseline is None:
            self._wait_for_baseline(command, now)
            return
        self._tries.pop(command.key, None)
        number, name, at = device.row.number, state.name, now
        phase = Phase.APPLYING
        if command.kind is Kind.RAMP:
            phase = Phase.IN_FORCE
            command = self._with_start(command, state, baseline)

        def begun(stored: Command) -> None:
            if state.resting is None:
                state.resting = baseline
            self._supersede(state, stored)
            if stored.phase is Phase.APPLYING:
                state.waiting[stored.key] = stored
            self._hold(device, state, stored)

        self._records.advance(
            command,
            phase,
            also=lambda connection: resting.upsert(
                connection, number, name, dict(baseline), at
            ),
            then=begun,
        )

    def _wait_for_baseline(self, command: Command, now: datetime) -> None:
        """Try again while the window lasts; what the field was must be known first (R-T55)."""
        tries = self._tries[command.key] = self._tries.get(command.key, 0) + 1
        again = now + timedelta(seconds=window_pause(tries))
        if command.ends_at is None or again < command.ends_at:
            self._agenda.put("begin", command.key, again)
            return
        del self._tries[command.key]
        self._records.advance(
            command,
            Phase.FAILED,
            error_code=ErrorCode.DEVICE_NOT_FOUND,
            error="device_unavailable",
        )

    def _with_start(
        self, command: Command, state: FieldState, baseline: Setting
    ) -> Command:
        """Let a ramp without a start level begin at what the field shows now."""
        if "start" in command.args:
            start = command.args["start"]
            return self._records.count(command, result={"start": start})
        resolution = state.resolve(self._clock.now())
        shown = resolution.setting if resolution is not None else baseline
        start = {part: shown[part] for part in command.value or {} if part in shown}
        return self._records.count(command, result={"start": start})

    def _supersede(self, state: FieldState, newer: Command) -> None:
        """Let a new ramp, or a new override, end the one before it on the same field (R-B107)."""
        holding = [self._records.current(key) for key in state.claims]
        for older in filter(None, holding):
            ramps = older.kind is Kind.RAMP and newer.kind is Kind.RAMP
            overrides = older.layer is Layer.OVERRIDE and newer.layer is Layer.OVERRIDE
            if ramps or overrides:
                self.withdraw(older, Phase.STOPPED, ErrorCode.SUPERSEDED, "superseded")

    def _hold(self, device: DeviceState, state: FieldState, command: Command) -> None:
        """Add the claim of a command, have its end watched and the field looked at."""
        state.claims[command.key] = claim_of(command)
        if command.ends_at is not None:
            self._agenda.put("end", command.key, command.ends_at)
        self._levels.touch(device, state)

    def _end_due(self, key: Hashable, now: datetime) -> None:
        """End a window or ramp whose time is over."""
        command = self._records.current(str(key))
        if command is not None and command.phase in HOLDING:
            self._end(command)

    def _end(self, command: Command) -> None:
        """Take the claim away; restoring never waits for the store (law 2)."""
        device, state = self._place(command)
        state.claims.pop(command.key, None)
        if command.phase is Phase.APPLYING:
            state.waiting.pop(command.key, None)
            code, text = describe_error(TimeoutError())
            self._records.advance(command, Phase.FAILED, error_code=code, error=text)
        elif command.kind is Kind.RAMP:
            state.resting = {**(state.resting or {}), **(command.value or {})}
            number, name, value = device.row.number, state.name, dict(state.resting)
            at = self._clock.now()
            state.waiting[command.key] = self._records.advance(
                command,
                Phase.RESTORING,
                also=lambda connection: resting.upsert(
                    connection, number, name, value, at
                ),
            )
        else:
            state.waiting[command.key] = self._records.advance(command, Phase.RESTORING)
        state.tries = 0
        self._levels.touch(device, state)

    def _field_due(self, key: Hashable, now: datetime) -> None:
        """Have a field looked at: its course moved on, or a try is due."""
        if (place := self._field_of(key)) is not None:
            self._levels.touch(*place)

    def _field_of(self, key: Hashable) -> tuple[DeviceState, FieldState] | None:
        """Return the field that an agenda's key names, None when it is gone."""
        number, name = cast(tuple[int, str], key)
        device = self._devices.get(number)
        if device is None or (state := device.fields.get(name)) is None:
            return None
        return device, state

    def _watch_on_time(self, device: DeviceState, state: FieldState) -> None:
        """Put the moment on the agenda at which a field has been on for too long."""
        maximum = device.limits.maximum_on.get(state.name)
        if maximum is None or state.on_since is None:
            return
        left = maximum - state.on_since.seconds_since(self._clock)
        self._agenda.put_elapsed(
            "on_time", (device.row.number, state.name), max(left, 0.0)
        )

    def _on_time_due(self, key: Hashable, now: datetime) -> None:
        """Switch off what has been on for as long as it may, and let it rest as long."""
        if (place := self._field_of(key)) is None:
            return
        device, state = place
        maximum = device.limits.maximum_on.get(state.name)
        if maximum is None or state.on_since is None:
            return
        if state.on_since.seconds_since(self._clock) < maximum:
            self._watch_on_time(device, state)
            return
        state.on_since = anchor(self._clock)
        self.impose(
            device,
            state,
            {LEVEL: 0.0},
            Layer.SAFETY,
            action="maximum_on_time",
            ends_at=now + timedelta(seconds=maximum),
            result={"maximum_on_seconds": maximum},
        )
