"""From our records to the words and keys of each surface (RES-1): one table, one file.

Times are epoch seconds in command records and ISO 8601 with offset everywhere else (RES-47).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..commands.bounded import bounded as shortened
from ..commands.command import Command
from ..commands.phases import Phase
from ..dosing.container import ContainerStatus
from ..dosing.ledger import Dose
from ..dosing.volume import millilitres
from ..engine.changes import ModeProgressed, OccurrenceChanged
from ..engine.engine import Engine
from ..engine.planner import Planned
from ..engine.state import DeviceState
from ..frozen import frozen

WRITE_ACTION = "write_action"
"""The action of the commands that are write actions."""

EVENT_LIMIT = 24 * 1024
"""Bytes of JSON that an event or push may have; the recorder refuses more than 32 KiB."""


@frozen
class Words:
    """How the surfaces call a phase; None where a surface has no word for it."""

    write_action: str
    device_action: str | None
    occurrence: str | None
    command: str


WORDS: Mapping[Phase, Words] = {
    Phase.PLANNED: Words(
        write_action="PLANNED",
        device_action="pending",
        occurrence=None,
        command="pending",
    ),
    Phase.APPLYING: Words(
        write_action="PLANNED",
        device_action="in_progress",
        occurrence="STARTED",
        command="running",
    ),
    Phase.IN_FORCE: Words(
        write_action="NEW_VALUE_SET",
        device_action="in_progress",
        occurrence="STARTED",
        command="running",
    ),
    Phase.RESTORING: Words(
        write_action="NEW_VALUE_SET",
        device_action="in_progress",
        occurrence="STARTED",
        command="running",
    ),
    Phase.COMPLETED: Words(
        write_action="OLD_VALUE_RESTORED",
        device_action="success",
        occurrence="FINISHED",
        command="success",
    ),
    Phase.FAILED: Words(
        write_action="FAILED",
        device_action="failed",
        occurrence="FAILED",
        command="failed",
    ),
    Phase.TIMED_OUT: Words(
        write_action="FAILED",
        device_action="failed",
        occurrence="FAILED",
        command="timed_out",
    ),
    Phase.WITHDRAWN: Words(
        write_action="FAILED",
        device_action="failed",
        occurrence="WONT_START",
        command="cancelled",
    ),
    Phase.STOPPED: Words(
        write_action="FAILED",
        device_action="failed",
        occurrence="WONT_FINISH",
        command="cancelled",
    ),
    Phase.MISSED: Words(
        write_action="FAILED",
        device_action=None,
        occurrence="WONT_START",
        command="failed",
    ),
}

COMMAND_STATUSES = tuple(dict.fromkeys(words.command for words in WORDS.values()))
"""How command records call what becomes of them (R-C6)."""


def phases_of(status: str) -> frozenset[Phase]:
    """Return the phases that command records call so."""
    return frozenset(phase for phase, words in WORDS.items() if words.command == status)


def command_record(command: Command, device: DeviceState | None) -> dict[str, Any]:
    """Return a command in the words of the device commands (R-C5, R-C40, R-C41, R-C63).

    ``order`` is the place in the list, for paging.
    """
    missed = command.phase is Phase.MISSED
    return {
        "id": command.id,
        "address": device.row.address if device else None,
        "device_id": device.row.uuid if device else None,
        "action": command.action,
        "args": dict(command.args),
        "timeout": command.timeout,
        "status": WORDS[command.shown_phase].command,
        "attempts": command.attempts,
        "created_at": command.created_at.timestamp(),
        "started_at": _epoch(command.started_at),
        "completed_at": _epoch(command.completed_at),
        "result": None if command.result is None else dict(command.result),
        "error": "expired" if missed else command.error or _text(command.error_code),
        "error_code": _text(command.error_code),
        "error_details": command.error_details and dict(command.error_details),
        "scheduled_at": _epoch(command.starts_at if command.scheduled else None),
        "source": command.source.value,
        "user": command.user,
        "context": command.context,
        "run": command.run,
        "step": command.step,
        "retry_of": command.retry_of,
        "order": command.order,
    }


def occurrence_record(
    change: OccurrenceChanged, planned: Planned | None
) -> dict[str, Any]:
    """Return a due moment; its verdict is null until it is known."""
    return {
        "occurrence_id": change.occurrence,
        "schedule_id": change.schedule,
        "name": planned.row.name if planned else None,
        "at": change.at,
        "verdict": change.verdict,
        "reason": change.reason,
    }


def progress_record(change: ModeProgressed) -> dict[str, Any]:
    """Return what a mode has come to; ``reason`` says why it ended."""
    run = change.run
    ended = run.ended_at is not None
    return {
        "aquarium": run.subject,
        "mode": run.name,
        "run_id": run.id,
        "progress": change.progress.value,
        "reason": (run.error or str(run.state)) if ended else None,
        "ends_at": _iso(change.ends_at),
        "latest_end": _iso(change.latest_end),
        "started_at": run.started_at.isoformat(),
        "source": run.source,
        "user": run.user,
    }


def dose_record(dose: Dose, device: DeviceState | None) -> dict[str, Any]:
    """Return a dose; volumes are millilitres, heads count from 0 (RES-46)."""
    return {
        "command_id": dose.key.partition("/")[2],
        "device_id": device.row.uuid if device else None,
        "address": device.row.address if device else None,
        "head_index": dose.head,
        "volume_ml": millilitres(dose.volume),
        "given_ml": None if dose.given is None else millilitres(dose.given),
        "state": dose.state.value,
        "additive": dose.additive,
        "source": dose.source,
        "at": dose.at.isoformat(),
    }


def container_record(
    device: DeviceState, head: int, status: ContainerStatus
) -> dict[str, Any]:
    """Return a head's container; ``days_left`` is None when nothing is planned."""
    days = status.days_left
    return {
        "device_id": device.row.uuid,
        "address": device.row.address,
        "head_index": head,
        "additive": device.limits.head(head).additive,
        "capacity_ml": millilitres(status.capacity),
        "remaining_ml": millilitres(status.remaining),
        "days_left": None if days is None else round(days, 1),
        "low": status.low,
    }


def schedule_record(planned: Planned, engine: Engine) -> dict[str, Any]:
    """Return a schedule as stored, with when it runs next and how it last ran."""
    row = planned.row
    moment = engine.planner.next_moment(planned)
    return {
        **row.definition,
        "id": row.id,
        "is_enabled": row.enabled,
        "revision": row.revision,
        "next_run": _iso(moment.at if moment else None),
        "last_run": _iso(row.last_run),
        "last_run_status": row.last_run_status,
        "error": planned.error,
        "created_at": row.created_at.isoformat(),
        "updated_at": row.updated_at.isoformat(),
    }


def device_record(device: DeviceState, engine: Engine) -> dict[str, Any]:
    """Return a device with its fields and what each of them shows."""
    port = device.device
    return {
        "number": device.row.number,
        "device_id": device.row.uuid,
        "address": device.row.address,
        "kind": str(device.row.kind),
        "name": device.row.name,
        "aquarium": device.row.aquarium,
        "available": device.available,
        "stopped": engine.emergency.latched(device),
        "fields": [
            {
                "name": field.name,
                "data_type": field.description.data_type.value,
                "unit": field.description.unit,
                "min": field.description.minimum,
                "max": field.description.maximum,
                "values": list(field.description.values),
                "parts": list(field.description.parts),
                "writable": field.description.writable,
                "shown": (port and port.observed(field.name)) or field.sent,
            }
            for field in device.fields.values()
        ],
    }


def bounded(record: Mapping[str, Any], *, limit: int = EVENT_LIMIT) -> dict[str, Any]:
    """Return a record of at most so many bytes of JSON (R-C56).

    ``truncated`` says whether its largest values were left out (null) to get there.
    """
    return shortened({**record, "truncated": False}, limit=limit)


def _text(code: str | None) -> str | None:
    """Return an error code as plain text, also when it is a member of an enum."""
    return None if code is None else str(code)


def _epoch(instant: datetime | None) -> float | None:
    """Return an instant as epoch seconds."""
    return None if instant is None else instant.timestamp()


def _iso(instant: datetime | None) -> str | None:
    """Return an instant as ISO 8601 with offset."""
    return None if instant is None else instant.isoformat()
