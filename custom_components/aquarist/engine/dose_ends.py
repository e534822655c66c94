"""How the command of a dose ends that was not given in full, or nobody knows how much."""

from collections.abc import Mapping
from typing import Any

from ..commands.command import Command, ErrorCode
from ..commands.phases import Phase
from ..limits.refusal import Refusal
from .errors import describe
from .records import Records


def ended_unknown(
    records: Records, command: Command, *, stopped: bool, refusal: Refusal | None
) -> None:
    """End a command of whose dose nobody knows what was given."""
    by_stop = stopped and refusal is None
    records.advance(
        command,
        Phase.STOPPED if by_stop else Phase.FAILED,
        error_code=ErrorCode.COMMAND_CANCELLED if by_stop else ErrorCode.INTERRUPTED,
        error="dose_unknown",
        error_details=describe(refusal) if refusal is not None else None,
    )


def ended_in_part(
    records: Records,
    command: Command,
    result: Mapping[str, Any],
    *,
    stopped: bool,
    refusal: Refusal | None,
) -> None:
    """End a command of whose dose only a part was given, or nothing."""
    if refusal is not None:
        records.advance(
            command,
            Phase.FAILED,
            result=result,
            error_code=ErrorCode.SAFETY_REFUSED,
            error="dose_cut_off",
            error_details=describe(refusal),
        )
        return
    records.advance(
        command,
        Phase.STOPPED if stopped else Phase.FAILED,
        result=result,
        error_code=ErrorCode.COMMAND_CANCELLED if stopped else ErrorCode.COMMAND_FAILED,
        error="dose_stopped" if stopped else "dose_partly",
    )
