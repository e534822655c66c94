"""What becomes of the commands that wait for a field: it arrives, it fails, or it is withheld."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..commands.command import Command, ErrorCode
from ..commands.phases import Phase
from ..devices.beside import besides
from ..layers.setting import plain
from ..limits.slew import Slew, reached_in
from .faults import describe_error
from .ground import Ground
from .on_time import LEVEL
from .shown import LIMITED_TO, instead
from .state import DeviceState, FieldState
from .withheld import HELD_BY, WITHHELD_BY, Withheld, word_of

RESTORE_ATTEMPTS = "restore_attempts"
_ON_THE_WAY = frozenset({WITHHELD_BY, LIMITED_TO})
_NO_ANSWER = describe_error(TimeoutError())


class Arrivals:
    """Moves those on that are in a field's `waiting`."""

    def __init__(
        self,
        ground: Ground,
        withheld: Withheld,
        touch: Callable[[DeviceState, FieldState], None],
    ) -> None:
        """Have fields looked at again through ``touch``."""
        self._clock = ground.clock
        self._records = ground.records
        self._withheld = withheld
        self._touch = touch

    def advance(
        self, device: DeviceState, state: FieldState, arrived: Mapping[str, Command]
    ) -> None:
        """Advance the commands for which the field has arrived.

        What moved on while the write was under way waits for another value.
        """
        for key, waiting in arrived.items():
            if state.waiting.get(key) is not waiting:
                continue
            command = self._records.current(key)
            if command is not None and (why := self._withheld.why(state, command)):
                self._withhold(state, command, why)
                continue
            del state.waiting[key]
            if command is None:
                continue
            if command.phase is not Phase.APPLYING:
                self._records.advance(command, command.ends_as)
                continue
            result = command.result or {}
            told = {
                name: one for name, one in result.items() if name not in _ON_THE_WAY
            }
            told |= instead(device, state, command, self._clock.now())
            changed = told if told or result else None
            self._records.advance(command, Phase.IN_FORCE, result=changed)

    def on_the_way(
        self, state: FieldState, waiting: Iterable[str], target: float, slew: Slew
    ) -> None:
        """Note what a slow move leaves of values whose time is over before they arrive."""
        shown = float((state.sent or {})[LEVEL])
        for key in waiting:
            command = self._records.current(key)
            if (
                command is None
                or command.phase is not Phase.APPLYING
                or command.ends_at is None
                or (command.value or {}).get(LEVEL) != target
                or LIMITED_TO in (result := command.result or {})
            ):
                continue
            left = (command.ends_at - self._clock.now()).total_seconds()
            reached = reached_in(left, shown, target, slew)
            if reached != target:
                noted = {**result, LIMITED_TO: {LEVEL: round(reached, 1)}}
                state.waiting[key] = self._records.note(command, result=noted)

    def _withhold(
        self, state: FieldState, command: Command, why: Mapping[str, Any]
    ) -> None:
        """Note what keeps a window from being set; it goes on waiting for its field (RES-57)."""
        result = command.result or {}
        if result.get(WITHHELD_BY, {}).get(HELD_BY) != why[HELD_BY]:
            noted = {**result, WITHHELD_BY: why}
            state.waiting[command.key] = self._records.note(command, result=noted)

    def expected(self, state: FieldState) -> list[Command]:
        """Return the commands that wait for what is written to a field and have not ended."""
        waiting = [self._records.current(key) for key in state.waiting]
        return [
            command
            for command in waiting
            if command is not None and self._withheld.why(state, command) is None
        ]

    def count_tries(self, state: FieldState) -> None:
        """Note that those are tried once more whose last try failed (R-T17).

        What is to be given back has been set already: those tries count by themselves.
        """
        for key in tuple(state.waiting):
            command = self._records.current(key)
            if command is None or (key, command.phase) not in state.tried:
                continue
            if self._withheld.why(state, command) is not None:
                continue
            result = command.result or {}
            state.waiting[key] = (
                self._records.note(command, attempts=command.attempts + 1)
                if command.phase is Phase.APPLYING
                else self._records.note(
                    command,
                    result={
                        **result,
                        RESTORE_ATTEMPTS: result.get(RESTORE_ATTEMPTS, 1) + 1,
                    },
                )
            )

    def fail(
        self,
        device: DeviceState,
        state: FieldState,
        command: Command,
        code: str,
        word: str,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """End a command whose value was not reached; the field goes back to what holds.

        While the device may show that value all the same, the command ends once it is
        brought back (R-T16), also after a restart.
        """
        state.claims.pop(command.key, None)
        state.waiting.pop(command.key, None)
        phase = Phase.RESTORING if state.unsettled else Phase.FAILED
        moved = self._records.advance(
            command, phase, error_code=code, error=word, error_details=details
        )
        if state.unsettled:
            state.waiting[command.key] = moved
        self._touch(device, state)

    def give_up(self, device: DeviceState, state: FieldState, command: Command) -> None:
        """End a window whose time is over and whose value was never reached."""
        why = self._withheld.why(state, command)
        reason = self._why_not(device, state) if why is None else None
        if why is None and reason is None:
            # Safety let go in the last moment.
            why = (command.result or {}).get(WITHHELD_BY)
        self._fail_for(device, state, command, why, reason or _NO_ANSWER)

    def interrupted(
        self, device: DeviceState, state: FieldState, command: Command
    ) -> None:
        """End a window whose time was over while nobody was there to set it."""
        why = (command.result or {}).get(WITHHELD_BY)
        word = ErrorCode.INTERRUPTED
        self._fail_for(device, state, command, why, (word, word))

    def _fail_for(
        self,
        device: DeviceState,
        state: FieldState,
        command: Command,
        why: Mapping[str, Any] | None,
        otherwise: tuple[str, str],
    ) -> None:
        """End a command because safety withheld it, else for another reason (RES-57)."""
        if why is None:
            self.fail(device, state, command, *otherwise)
        else:
            code, word = ErrorCode.SAFETY_REFUSED, word_of(why)
            self.fail(device, state, command, code, word, why)

    def _why_not(
        self, device: DeviceState, state: FieldState
    ) -> tuple[str, str] | None:
        """Return error code and reason of a value that was not reached in its time."""
        if state.error is not None:
            return describe_error(state.error)
        if state.moving is not None:
            return ErrorCode.COMMAND_FAILED, "not_reached"
        if not device.reaches(state.name):
            return ErrorCode.DEVICE_NOT_FOUND, "device_unavailable"
        return None

    def restore_failed(
        self, state: FieldState, command: Command, error: Exception
    ) -> None:
        """End a command that could not give back; the record says what to put back by hand."""
        del state.waiting[command.key]
        resolution = state.resolve(self._clock.now())
        setting = resolution.setting if resolution is not None else {}
        wanted = {**plain(setting), **besides(setting)}
        code, word = describe_error(error)
        self._records.advance(
            command,
            Phase.FAILED,
            error_code=command.error_code or code,
            error=command.error or word,
            error_details={
                "restoring": True,
                "restore_failed": {"field": state.name, "value": wanted},
            },
        )
