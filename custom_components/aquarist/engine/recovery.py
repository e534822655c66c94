"""From what is on disk to an engine that can go on: the first half of design 6, recovery.

Nothing here touches a device. What was interrupted is settled; what should hold is claimed
again; what is due is left to the agenda.
"""

from datetime import datetime, timedelta
from sqlite3 import Connection
from typing import TYPE_CHECKING, Any

from ..commands.command import Command, ErrorCode
from ..commands.phases import Kind, Phase
from ..dosing.calibration import LAST_DOSES
from ..dosing.ledger import Dose
from ..frozen import frozen
from ..layers.setting import Setting
from ..store import (
    calibrations,
    commands as command_rows,
    configurations,
    containers,
    counters,
    definitions,
    devices as device_rows,
    doses as dose_rows,
    occurrences,
    on_times,
    programmes,
    resting,
    runs as run_rows,
    schedules as schedule_rows,
    settings,
    write_action_history,
)
from ..store.devices import DeviceRow
from ..store.runs import RunRow, StepRow
from .clock import Anchor
from .due import AUTOMATION_OFF
from .emergency import AWAITED
from .live_settings import KEY as SETTINGS, REVISION as SETTINGS_REVISION
from .macros import MACRO
from .memory_power import POWERED
from .mode_definitions import MODE
from .planner import Planned, restored
from .switch_runs import SWITCHED_ON
from .timed_runs import RUNNING
from .write_actions import FAILED, LOOKING_BACK

if TYPE_CHECKING:
    from .engine import Engine

LEDGER_REACH = timedelta(hours=25)


@frozen
class StoredDosing:
    """What the pumps did, in the order in which they did it, and what they pump from.

    ``last`` are the newest doses of each head, ``containers`` come with the microlitres
    used since they were filled.
    """

    doses: list[Dose]
    last: list[Dose]
    counters: list[counters.Counter]
    seen: list[containers.Container]
    containers: list[tuple[containers.Container, int]]
    calibrations: list[calibrations.Calibration]


@frozen
class Stored:
    """Everything that the engine needs from the store to go on.

    Schedules are read already: their time zones come from files, which the event loop must
    not look for, be they there or not.
    """

    devices: list[DeviceRow]
    commands: list[Command]
    dosing: StoredDosing
    resting: dict[tuple[int, str], Setting]
    on_times: list[on_times.OnTime]
    schedules: list[Planned]
    undecided: list[occurrences.OccurrenceRow]
    waiting: list[occurrences.OccurrenceRow]
    programmes: list[programmes.ProgrammeRow]
    macros: list[definitions.Definition]
    modes: list[definitions.Definition]
    configurations: list[configurations.Configuration]
    runs: list[tuple[RunRow, list[StepRow]]]
    settings: dict[str, Any]
    failed_write_actions: list[Command]


def load(connection: Connection, now: datetime) -> Stored:
    """Read it all in one view of the store, and what else comes from files."""
    return Stored(
        devices=device_rows.load_all(connection),
        commands=command_rows.not_final(connection),
        dosing=_load_dosing(connection, now),
        resting=dict(resting.load_all(connection)),
        on_times=on_times.load_all(connection),
        schedules=[restored(row) for row in schedule_rows.load_all(connection)],
        undecided=occurrences.undecided(connection),
        waiting=occurrences.waiting(connection),
        programmes=programmes.load_all(connection),
        macros=definitions.load_all(connection, MACRO),
        modes=definitions.load_all(connection, MODE),
        configurations=configurations.load_all(connection),
        runs=[
            (row, run_rows.steps(connection, row.id))
            for row in run_rows.not_final(connection)
        ],
        settings=settings.load_all(connection),
        failed_write_actions=write_action_history.ended_since(
            connection, FAILED, now - LOOKING_BACK
        ),
    )


def _load_dosing(connection: Connection, now: datetime) -> StoredDosing:
    """Read what budgets, accounts and containers are counted from."""
    recent = dose_rows.since(connection, now - LEDGER_REACH)
    pumps = counters.load_all(connection)
    filled = containers.load_all(connection)
    measured = calibrations.load_all(connection)
    heads = {
        *((dose.device, dose.head) for dose in recent),
        *((counter.device, counter.head) for counter in pumps),
        *((container.device, container.head) for container in filled),
        *((calibration.device, calibration.head) for calibration in measured),
    }
    last = [
        dose
        for device, head in sorted(heads)
        for dose in reversed(dose_rows.of_head(connection, device, head, LAST_DOSES))
    ]
    waiting = dose_rows.open_doses(connection)
    doses = {one.key: one for one in (*last, *recent, *waiting)}
    return StoredDosing(
        # Where the clock stood still the order of the rows holds.
        doses=sorted(doses.values(), key=lambda dose: dose.at),
        last=last,
        counters=pumps,
        containers=[
            (one, containers.used_since(connection, one.device, one.head, one.at))
            for one in filled
        ],
        seen=containers.load_seen(connection),
        calibrations=measured,
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
    engine.gate.load(stored.dosing.doses)
    engine.ledger.load(stored.dosing.counters)
    engine.calibrations.load(stored.dosing.calibrations, stored.dosing.last)
    engine.containers.load(stored.dosing.containers, stored.dosing.seen)
    engine.device_memory.load(stored.programmes)
    engine.power_watch.load(stored.settings.get(POWERED, {}))
    engine.switch_runs.load(stored.settings.get(SWITCHED_ON, {}))
    engine.timed_runs.load(stored.settings.get(RUNNING, ()))
    engine.emergency.load(stored.settings.get(AWAITED, ()))
    engine.planner.automation_off.update(stored.settings.get(AUTOMATION_OFF, ()))
    engine.levels.memory.load(stored.settings)
    engine.live_settings.load(
        stored.settings.get(SETTINGS), stored.settings.get(SETTINGS_REVISION, 0)
    )
    for command in stored.commands:
        engine.records.adopt(command)
    for command in stored.commands:
        _take_up(engine, command)
    engine.write_actions.load(stored.failed_write_actions)
    engine.macros.load(stored.macros)
    engine.modes.definitions.load(stored.modes)
    engine.configurations.load_newest(stored.configurations)
    engine.runs.load(stored.runs)
    engine.planner.load(stored.schedules)
    engine.planner.load_waiting(stored.waiting)
    engine.planner.verdicts.resume(stored.undecided)


def _take_up(engine: Engine, command: Command) -> None:
    """Let one command go on, or end it where it must not."""
    if command.kind in (Kind.WINDOW, Kind.RAMP):
        if command.phase is Phase.PLANNED:
            engine.arbiter.wait(command)
        else:
            engine.arbiter.resume(command)
    elif command.phase is Phase.PLANNED:
        engine.acceptance.resume(command)
    elif command.kind is Kind.DOSE:
        engine.pulses.interrupted(command)
    elif command.repeatable:
        engine.acceptance.enter(command)
    else:
        word = ErrorCode.INTERRUPTED
        engine.equipment.give_up(command, word, word)
