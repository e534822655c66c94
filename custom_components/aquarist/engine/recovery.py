"""From what is on disk to an engine that can go on: the first half of design 6, recovery.

Nothing here touches a device. What was interrupted is settled; what should hold is claimed
again; what is due is left to the agenda.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from sqlite3 import Connection
from typing import TYPE_CHECKING, Any

from ..commands.command import Command, ErrorCode
from ..commands.phases import Kind, Phase
from ..dosing.ledger import Dose
from ..layers.setting import Setting
from ..store import (
    commands as command_rows,
    counters,
    devices as device_rows,
    doses as dose_rows,
    occurrences,
    on_times,
    resting,
    schedules as schedule_rows,
    settings,
)
from ..store.devices import DeviceRow
from .clock import Anchor

if TYPE_CHECKING:
    from .engine import Engine

LEDGER_REACH = timedelta(hours=25)
AUTOMATION_OFF = "automation_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Everything that the engine needs from the store to go on."""

    devices: list[DeviceRow]
    commands: list[Command]
    doses: list[Dose]
    counters: list[counters.Counter]
    resting: dict[tuple[int, str], Setting]
    on_times: list[on_times.OnTime]
    schedules: list[schedule_rows.ScheduleRow]
    undecided: list[occurrences.OccurrenceRow]
    settings: dict[str, Any]


def load(connection: Connection, now: datetime) -> Stored:
    """Read it all in one view of the store."""
    recent = dose_rows.since(connection, now - LEDGER_REACH)
    known = {dose.key for dose in recent}
    older = [one for one in dose_rows.open_doses(connection) if one.key not in known]
    return Stored(
        devices=device_rows.load_all(connection),
        commands=command_rows.not_final(connection),
        doses=older + recent,
        counters=counters.load_all(connection),
        resting=dict(resting.load_all(connection)),
        on_times=on_times.load_all(connection),
        schedules=schedule_rows.load_all(connection),
        undecided=occurrences.undecided(connection),
        settings=settings.load_all(connection),
    )


def recover(engine: Engine, stored: Stored) -> None:
    """Bring the engine to where the last one stopped (R-B60, R-T54, RES-45)."""
    for row in stored.devices:
        engine.equipment.add(row)
    for (number, name), setting in stored.resting.items():
        engine.devices[number].field_state(name).resting = setting
    for since in stored.on_times:
        state = engine.devices[since.device].field_state(since.field)
        state.on_since = Anchor(wall=since.wall, elapsed=since.elapsed, boot=since.boot)
    engine.gate.load(stored.doses)
    for counter in stored.counters:
        engine.counters[counter.device, counter.head] = counter
    engine.planner.automation_off.update(stored.settings.get(AUTOMATION_OFF, ()))
    for command in stored.commands:
        engine.records.adopt(command)
    for command in stored.commands:
        _take_up(engine, command)
    engine.planner.load(stored.schedules)
    engine.planner.verdicts.resume(stored.undecided)


def _take_up(engine: Engine, command: Command) -> None:
    """Let one command go on, or end it where it must not."""
    if command.kind in (Kind.WINDOW, Kind.RAMP):
        if command.phase is Phase.PLANNED:
            engine.arbiter.wait(command)
        else:
            engine.arbiter.resume(command)
    elif command.phase is Phase.PLANNED:
        engine.acceptance.enter(command)
    elif command.kind is Kind.DOSE:
        engine.pulses.interrupted(command)
    elif command.repeatable:
        engine.acceptance.enter(command)
    else:
        engine.records.advance(
            command,
            Phase.FAILED,
            error_code=ErrorCode.INTERRUPTED,
            error="interrupted",
        )
