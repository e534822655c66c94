"""The command record: one cause at one device, from acceptance to its end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
import hashlib
from itertools import count
import json
from typing import Any
from uuid import UUID, uuid7

from ..layers.claims import Layer
from .phases import FINAL, HOLDING, TRANSITIONS, Kind, Phase

RAMP_START = "start"
"""The argument of a ramp that keeps the setting which its start level asks for."""


_IDS = count(UUID(int=uuid7().int, version=4).int >> 32 << 32)


def new_id() -> str:
    """Return an id for a command whose sender gave none (R-C15): 32 hexadecimal digits.

    It has the form of a UUID of version 4, and grows with time, as those of version 7 do:
    that costs the store's index a fifth less. It counts on from the first one, for to ask the
    system for randomness each time would hand over to the writer's thread, and every command
    would be a batch of its own.
    """
    return f"{next(_IDS):032x}"


class Source(StrEnum):
    """The surface that a command came in by."""

    ENTITY = "entity"
    SERVICE = "service"
    WEBSOCKET = "websocket"
    REST = "rest"
    SCHEDULE = "schedule"
    MACRO = "macro"
    MODE = "mode"
    ENGINE = "engine"


class ErrorCode(StrEnum):
    """Why a command did not succeed (R-C41, RES-52, RES-57)."""

    DEVICE_NOT_FOUND = "device_not_found"
    DEVICE_DISCONNECTED = "device_disconnected"
    DEVICE_BUSY = "device_busy"
    DEVICE_TIMEOUT = "device_timeout"
    COMMAND_INVALID = "command_invalid"
    COMMAND_TIMEOUT = "command_timeout"
    COMMAND_FAILED = "command_failed"
    COMMAND_CANCELLED = "command_cancelled"
    VALIDATION_ERROR = "validation_error"
    INVALID_ARGUMENTS = "invalid_arguments"
    INTERNAL_ERROR = "internal_error"
    INTERRUPTED = "interrupted"
    SAFETY_REFUSED = "safety_refused"
    EXPIRED = "expired"
    MISSED_WINDOW = "missed_window"
    SUPERSEDED = "superseded"


class IllegalTransitionError(Exception):
    """A command was asked to move to a phase that it cannot reach."""

    def __init__(self, phase: Phase, wanted: Phase) -> None:
        """Keep both phases for the message."""
        super().__init__(f"{phase} -> {wanted}")
        self.phase = phase
        self.wanted = wanted


@dataclass(frozen=True, kw_only=True)
class Command:
    """One cause at one device; without slots, so that `changed` copies it in one go.

    Times are aware UTC datetimes. ``value`` is the setting that a set or window
    asks for; a ramp keeps its course in ``args``. ``order`` is given by the store
    and never reused: it is the order of acceptance. ``run`` and ``step`` name the run that
    asked for it, ``retry_of`` the id of the command that is tried again.
    """

    id: str
    device: int
    kind: Kind
    action: str
    source: Source
    created_at: datetime
    args: Mapping[str, Any] = field(default_factory=dict)
    field: str | None = None
    value: Mapping[str, Any] | None = None
    layer: Layer | None = None
    phase: Phase = Phase.PLANNED
    order: int = 0
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    expires_at: datetime | None = None
    timeout: float = 10.0
    repeatable: bool = True
    attempts: int = 0
    started_at: datetime | None = None
    completed_at: datetime | None = None
    result: Mapping[str, Any] | None = None
    error_code: str | None = None
    error: str | None = None
    error_details: Mapping[str, Any] | None = None
    schedule: int | None = None
    occurrence: int | None = None
    depth: int = 0
    user: str | None = None
    context: str | None = None
    run: int | None = None
    step: int | None = None
    retry_of: str | None = None

    @property
    def key(self) -> str:
        """Return the identity of the command among all devices (RES-44)."""
        return f"{self.device}/{self.id}"

    @property
    def final(self) -> bool:
        """Return whether the command has ended."""
        return self.phase in FINAL

    @property
    def is_off(self) -> bool:
        """Return whether the command switches something off: the safe side."""
        level = (self.value or {}).get("level")
        return self.action == "turn_off" or (level == 0 and not isinstance(level, bool))

    @property
    def ends_as(self) -> Phase:
        """Return the end that a command comes to once what it held has been given back.

        Why it gives back is noted before: it was called off, or its value was never
        reached; otherwise its time was over.
        """
        if self.error_code is None:
            return Phase.COMPLETED
        stopped = self.error_code == ErrorCode.COMMAND_CANCELLED
        return Phase.STOPPED if stopped else Phase.FAILED

    @property
    def shown_phase(self) -> Phase:
        """Return the phase that is told to whoever asked.

        What failed or was called off has ended for them, also while what it may have done
        is still being brought back.
        """
        giving_back = self.phase is Phase.RESTORING and self.error_code is not None
        return self.ends_as if giving_back else self.phase

    @property
    def fingerprint(self) -> str:
        """Return the digest of what was asked for: equal content, equal digest (RES-44).

        What follows from it is left out: `turn_on` is the same request, whatever level the
        device rests at by then. What began at once lasts so long; when that was is no content.
        """
        start = self.starts_at if self.scheduled else None
        end = self.ends_at.isoformat() if self.ends_at else None
        if start is None and self.starts_at and self.ends_at:
            end = str(self.ends_at - self.starts_at)
        asked = [
            self.device,
            self.kind,
            self.action,
            {
                name: _plain(self.args[name])
                for name in self.args
                if name not in self._added
            },
            start.isoformat() if start else None,
            end,
            self.timeout,
        ]
        text = json.dumps(asked, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def _added(self) -> tuple[str, ...]:
        """Return the names of the arguments that nobody gave: those found out since."""
        return (RAMP_START,) if self.kind is Kind.RAMP else ()

    @property
    def scheduled(self) -> bool:
        """Return whether the start was asked for, rather than being the moment of acceptance."""
        return self.starts_at is not None and self.starts_at != self.created_at


def changed(command: Command, **changes: Any) -> Command:
    """Return the command with other values: `dataclasses.replace` for the fast path."""
    return _with_values(vars(command) | changes)


def made(values: dict[str, Any]) -> Command:
    """Return a command with values of its fields; the others have their defaults.

    What `Command(**values)` returns, in a fifth of the time.
    """
    return _with_values(_BLANK | values)


def _with_values(values: dict[str, Any]) -> Command:
    """Return a command that has these values of all fields."""
    command = object.__new__(Command)
    object.__setattr__(command, "__dict__", values)
    return command


# Copied once more, so that the dictionary of a command is no larger than it has to be.
_BLANK: dict[str, Any] = dict(
    vars(
        Command(
            id="",
            device=0,
            kind=Kind.RAW,
            action="",
            source=Source.ENGINE,
            created_at=datetime.min.replace(tzinfo=UTC),
        )
    )
)


def advance(
    command: Command,
    phase: Phase,
    at: datetime,
    *,
    result: Mapping[str, Any] | None = None,
    error_code: str | None = None,
    error: str | None = None,
    error_details: Mapping[str, Any] | None = None,
) -> Command:
    """Return the command in its next phase; the only road from one phase to another.

    Raises IllegalTransitionError when the phase cannot be reached from the present one.
    """
    if phase not in TRANSITIONS[command.phase]:
        raise IllegalTransitionError(command.phase, phase)
    starting = command.started_at is None and phase in HOLDING
    # What is in force at once, a ramp, has been tried with that.
    tried = phase is Phase.APPLYING or (
        phase is Phase.IN_FORCE and command.phase is Phase.PLANNED
    )
    return changed(
        command,
        phase=phase,
        attempts=command.attempts + tried,
        started_at=at if starting else command.started_at,
        completed_at=at if phase in FINAL else None,
        result=result if result is not None else command.result,
        error_code=error_code if error_code is not None else command.error_code,
        error=error if error is not None else command.error,
        error_details=error_details
        if error_details is not None
        else command.error_details,
    )


def _plain(value: Any) -> Any:
    """Return JSON whose whole numbers have no decimals, as `40` and `40.0` are equal."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case Mapping():
            return {name: _plain(part) for name, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
    return value
