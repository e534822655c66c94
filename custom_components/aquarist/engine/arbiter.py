"""Who holds a field: claims begin, end and give way here.

A claim is a window, ramp or override in force; it is not stored apart from its command
(law 4).
"""

from collections.abc import Hashable, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from ..commands.command import Command, ErrorCode, Source, new_id
from ..commands.phases import HOLDING, Kind, Phase
from ..layers.claims import Layer
from ..layers.setting import Setting, merged, same
from ..store import resting
from .claims import NEXT_EVENT, claim_of, is_by_hand, is_over, seconds_left
from .ground import Ground
from .levels import Levels
from .state import DeviceState, FieldState
from .withheld import WITHHELD_BY

MANUAL_CHANGE = "manual_change"
_SEEN = 1.0


class Arbiter:
    """Keeps the claims of all fields."""

    def __init__(self, ground: Ground, levels: Levels) -> None:
        """Answer the agenda for everything that begins, moves or ends."""
        self._clock = ground.clock
        self._agenda = ground.agenda
        self._records = ground.records
        self._levels = levels
        self._devices = ground.devices
        self._settings = ground.settings
        self._tries: dict[str, int] = {}
        ground.agenda.on("begin", self._begin_due)
        ground.agenda.on("end", self._end_due)
        ground.agenda.on("lapse", self._end_due)
        ground.agenda.on("field", self._field_due)
        ground.agenda.on("slew", self._field_due)

    def enter(self, command: Command) -> None:
        """Let an accepted window or ramp wait for its start; begin it when that is past."""
        self.wait(command)
        if (command.starts_at or command.created_at) <= self._clock.now():
            self._agenda.remove("begin", command.key)
            self._begin(command)

    def wait(self, command: Command) -> None:
        """Let a window or ramp begin when the agenda says so, not before it runs."""
        _, state = self._place(command)
        state.coming[command.key] = claim_of(command, begun=False), None
        self._agenda.put("begin", command.key, command.starts_at or command.created_at)

    def awaken(self, device: DeviceState) -> None:
        """Let what waited to know the device begin: it is there (R-T54)."""
        for key in self._tries:
            command = self._records.current(key)
            if command is not None and command.device == device.row.number:
                self._agenda.put("begin", key, self._clock.now())

    def resume(self, command: Command) -> None:
        """Take up a window or ramp that was in force when the engine stopped (R-T54).

        An override whose time passed meanwhile has lapsed: it is not applied again (R-B111).
        """
        device, state = self._place(command)
        if command.phase is Phase.RESTORING:
            state.waiting[command.key] = command
            self._levels.touch(device, state)
            return
        if command.phase is Phase.APPLYING:
            # Nobody knows how far the last life came.
            state.unsettled = True
            state.waiting[command.key] = command
            if WITHHELD_BY not in (command.result or {}):
                state.tried |= {(command.key, command.phase)}
        if not is_over(command, self._clock):
            self._hold(device, state, command)
        elif command.phase is Phase.APPLYING:
            self._levels.arrivals.interrupted(device, state, command)
        else:
            self._end(command)

    def withdraw(
        self,
        command: Command,
        phase: Phase,
        code: ErrorCode,
        word: str,
        *,
        bring_back: bool = True,
    ) -> Command:
        """End a window or ramp before its time; the field is resolved again.

        What was held is given back first, and the record ends when that has arrived, also
        after a restart; unless somebody else brings the field where it should be.
        """
        device, state = self._place(command)
        held = self._forget(state, command) is not None
        shown = held and (command.phase is Phase.IN_FORCE or state.unsettled)
        if bring_back and shown and phase is Phase.STOPPED:
            phase = Phase.RESTORING
        ended = self._records.advance(command, phase, error_code=code, error=word)
        if not ended.final:
            state.waiting[ended.key] = ended
            state.tries = 0
        if held and bring_back:
            self._ends_with(state, command)
        self._levels.touch(device, state)
        return ended

    def _ends_with(self, state: FieldState, ended: Command) -> None:
        """End the changes by hand that were made over what has ended before its time (law 4)."""
        plans = (Layer.SCHEDULE, Layer.WINDOW)
        if ended.layer not in plans or any(
            claim.layer is ended.layer for claim in state.claims.values()
        ):
            return
        for hand in filter(None, map(self._records.current, tuple(state.claims))):
            over_it = (hand.started_at or hand.created_at) >= (
                ended.started_at or ended.created_at
            )
            lasts = ended.layer is Layer.WINDOW or hand.ends_at == ended.ends_at
            if is_by_hand(hand) and over_it and lasts:
                self.release(hand)

    def release(self, command: Command) -> None:
        """Let a window end now as if its time had come: the value goes back."""
        code, word = ErrorCode.COMMAND_CANCELLED, "cancelled"
        if command.phase is Phase.PLANNED:
            self.withdraw(command, Phase.WITHDRAWN, code, word)
        elif command.phase is Phase.APPLYING:
            self.withdraw(command, Phase.STOPPED, code, word)
        else:
            self._end(command)

    def scheduled(self, state: FieldState) -> None:
        """Let the overrides of a field go that last until its next scheduled event."""
        for key in tuple(state.claims):
            command = self._records.current(key)
            if command is not None and command.args.get(NEXT_EVENT):
                self.release(command)

    def impose(
        self,
        device: DeviceState,
        state: FieldState,
        setting: Setting,
        layer: Layer,
        *,
        action: str,
        ends_at: datetime | None,
        args: Mapping[str, Any] | None = None,
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
                args=args or {},
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
        rests_on = device.baseline(state)
        if rests_on is not None and state.is_idle(self._clock.elapsed()):
            rests_on = device.captured(state, rests_on)
        if rests_on is not None and rests_on != state.resting:
            self._levels.rest(device, state, rests_on)
        command = self._records.impose(command)
        self._take_hold(device, state, command)
        return command

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
        if is_over(command, self._clock):
            self._missed(state, command)
            return
        baseline = self._baseline(device, state)
        if baseline is None:
            self._wait_for_baseline(state, command, now)
            return
        self._tries.pop(command.key, None)
        state.coming[command.key] = (
            claim_of(command, begun=False),
            self._clock.elapsed(),
        )
        number, name, rested = device.row.number, state.name, state.resting
        phase = Phase.APPLYING
        if command.kind is Kind.RAMP:
            phase = Phase.IN_FORCE
            command = self._with_start(command, state, baseline)

        def begun(stored: Command) -> None:
            state.coming.pop(stored.key, None)
            if self._records.current(stored.key) is None:
                return
            if is_over(stored, self._clock):
                self._missed(state, stored)
                return
            if state.resting is rested:
                state.resting = baseline
            if stored.phase is Phase.APPLYING:
                state.waiting[stored.key] = stored
            self._take_hold(device, state, stored)

        self._records.advance(
            command,
            phase,
            also=lambda connection: resting.upsert(
                connection, number, name, dict(baseline), now
            ),
            then=begun,
        )

    def _baseline(self, device: DeviceState, state: FieldState) -> Setting | None:
        """Return what a field goes back to; None while nobody knows (R-T55).

        Where nothing of ours is at work that is what the device shows now, whatever it
        rested on when it was last seen.
        """
        if state.description.virtual:
            return state.resting or {}
        rests_on = state.resting
        if rests_on is not None and not state.is_idle(self._clock.elapsed()):
            return rests_on
        shown = device.device.observed(state.name) if device.device else None
        if shown is None or not device.reaches(state.name):
            return rests_on
        if rests_on is not None and same(rests_on, shown, tolerance=_SEEN):
            return device.captured(state, rests_on)
        return device.captured(state, merged(rests_on or {}, shown))

    def _missed(self, state: FieldState, command: Command) -> None:
        """End a window whose time was over before it could begin (RES-30)."""
        waited = command.key in self._tries
        self._forget(state, command)
        missed = command.phase is Phase.PLANNED and not waited
        self._records.advance(
            command,
            Phase.MISSED if missed else Phase.FAILED,
            error_code=ErrorCode.DEVICE_NOT_FOUND
            if waited
            else ErrorCode.MISSED_WINDOW,
            error="device_unavailable" if waited else "missed_window",
        )

    def _wait_for_baseline(
        self, state: FieldState, command: Command, now: datetime
    ) -> None:
        """Try again while the window lasts; what the field was must be known first (R-T55)."""
        state.coming.pop(command.key, None)
        tries = self._tries[command.key] = self._tries.get(command.key, 0) + 1
        pause = self._settings.current.window_pause(tries)
        again = now + timedelta(seconds=pause)
        self._agenda.put("begin", command.key, min(again, command.ends_at or again))

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

    def _take_hold(
        self, device: DeviceState, state: FieldState, command: Command
    ) -> None:
        """Let a claim that has just begun hold its field, and end what it takes the place of."""
        # What gives way does so under the new claim: nothing shows in between.
        self._hold(device, state, command)
        if command.schedule is not None:
            self.scheduled(state)
        if is_by_hand(command) and state.name in device.limits.respect_manual_change:
            self._respect(device, state, command)
        self._supersede(state, command)

    def _respect(
        self, device: DeviceState, state: FieldState, command: Command
    ) -> None:
        """Let a value set by hand be what shows once the windows are over (RES-54)."""
        value = dict(command.value or {})
        self._levels.rest(device, state, value)
        for key, claim in state.claims.items():
            window = self._records.current(key)
            if window is not None and claim.layer is Layer.WINDOW:
                result = {**(window.result or {}), MANUAL_CHANGE: value}
                noted = self._records.note(window, result=result)
                if key in state.waiting:
                    state.waiting[key] = noted

    def _supersede(self, state: FieldState, newer: Command) -> None:
        """Let a new ramp, or a new override, end the one before it on the same field (R-B107)."""
        older_ones = [key for key in state.claims if key != newer.key]
        for older in filter(None, map(self._records.current, older_ones)):
            ramps = older.kind is Kind.RAMP and newer.kind is Kind.RAMP
            overrides = older.layer is Layer.OVERRIDE and newer.layer is Layer.OVERRIDE
            if ramps or overrides:
                code, word = ErrorCode.SUPERSEDED, "superseded"
                self.withdraw(older, Phase.STOPPED, code, word, bring_back=False)

    def _hold(self, device: DeviceState, state: FieldState, command: Command) -> None:
        """Add the claim of a command, have its end watched and the field looked at."""
        state.claims[command.key] = claim_of(command)
        if (left := seconds_left(command, self._clock)) is not None:
            self._agenda.put_elapsed("lapse", command.key, left)
        elif command.ends_at is not None:
            self._agenda.put("end", command.key, command.ends_at)
        self._levels.touch(device, state)

    def _forget(self, state: FieldState, command: Command) -> object | None:
        """Take a command out of everything that waits for it; returns the claim it had."""
        for kind in ("begin", "end", "lapse"):
            self._agenda.remove(kind, command.key)
        self._tries.pop(command.key, None)
        state.coming.pop(command.key, None)
        state.waiting.pop(command.key, None)
        return state.claims.pop(command.key, None)

    def _end_due(self, key: Hashable, now: datetime) -> None:
        """End a window or ramp whose time is over."""
        command = self._records.current(str(key))
        if command is not None and command.phase in HOLDING:
            self._end(command)

    def _end(self, command: Command) -> None:
        """Take the claim away; restoring never waits for the store (law 2)."""
        device, state = self._place(command)
        self._forget(state, command)
        self._agenda.remove("field", (device.row.number, state.name))
        if command.phase is Phase.APPLYING:
            self._levels.arrivals.give_up(device, state, command)
            return
        if command.kind is Kind.RAMP:
            # In the same batch as what follows, and before it.
            self._levels.rest(device, state, command.value or {})
        state.waiting[command.key] = self._records.advance(command, Phase.RESTORING)
        state.tries = 0
        self._levels.touch(device, state)

    def _field_due(self, key: Hashable, now: datetime) -> None:
        """Have a field looked at: its course moved on, or a try is due."""
        number, name = cast(tuple[int, str], key)
        device = self._devices.get(number)
        if device is not None and (state := device.fields.get(name)) is not None:
            self._levels.touch(device, state)
