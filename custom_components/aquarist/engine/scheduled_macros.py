"""Schedules that start a macro: a due moment and its run are one unit (laws 2 and 7, RES-58)."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from sqlite3 import Connection

from ..commands.command import Source
from ..runs.steps import CommandStep, ServiceStep
from ..schedules.actions import ActionType
from ..schedules.definition import ScheduleDefinition
from ..store import runs as run_rows
from ..store.runs import RunRow
from .due import Due, StoredDue
from .errors import EngineError
from .ground import Ground
from .intake import Origin
from .macro_doses import StepDose
from .macros import Macro, Macros
from .runs import Runs
from .state import DeviceState

OCCURRENCE = "occurrence"
SCHEDULE = "schedule"
"""What a run remembers of where it came from."""

_FIELD = "action_params.macro"

type Targets = Callable[[ServiceStep], tuple[list[DeviceState], frozenset[str]]]
type Committed = Callable[[Due, StoredDue], None]


class _HadItsTurn(Exception):
    """The moment ran before, or was missed (RES-51)."""


class ScheduledMacros:
    """Looks macros up when they are due, and starts them."""

    def __init__(
        self,
        ground: Ground,
        macros: Macros,
        runs: Runs,
        targets: Targets,
    ) -> None:
        """Know the macros; `targets` tells what a step that calls a service changes."""
        self._journal = ground.journal
        self._devices = ground.devices
        self._macros = macros
        self._runs = runs
        self._targets = targets

    def check(self, definition: ScheduleDefinition) -> None:
        """Raise EngineError for a macro that is unknown or does not validate any more.

        So it is for one that doses with a head which doses by itself, as long as the
        schedule is on.
        """
        found = self._named(definition)
        if found.definition is None:
            raise EngineError(
                "macro_invalid", field=_FIELD, name=found.row.name, error=found.error
            )
        if definition.is_enabled:
            self._macros.refuse_doses(found.definition, field=_FIELD)

    def problem(self, definition: ScheduleDefinition) -> str | None:
        """Return why the macro of a schedule cannot be run now, None when it can."""
        try:
            self.check(definition)
        except EngineError as error:
            return error.code
        return None

    def find(self, definition: ScheduleDefinition) -> Macro | None:
        """Return the macro of a schedule as it is now, None when there is none."""
        try:
            return self._named(definition)
        except EngineError:
            return None

    def lost(self, definition: ScheduleDefinition) -> bool:
        """Return whether a schedule is to start a macro that there is not any more."""
        macro = definition.action_type is ActionType.MACRO
        return macro and self.find(definition) is None

    def devices(self, definition: ScheduleDefinition) -> tuple[int, ...]:
        """Return the numbers of the devices that the macro changes, as it is now."""
        macro = self.find(definition)
        if macro is None or macro.definition is None:
            return ()
        wanted = {dose.device.row.uuid for dose in self.doses(definition)}
        for step in macro.definition.sequence:
            match step:
                case CommandStep(device_id=device_id):
                    wanted.add(device_id)
                case ServiceStep():
                    ours, _ = self._targets(step)
                    wanted.update(device.row.uuid for device in ours)
        return tuple(
            number
            for number, device in self._devices.items()
            if device.row.uuid in wanted
        )

    def doses(self, definition: ScheduleDefinition) -> list[StepDose]:
        """Return the doses that the macro gives, as it is now."""
        macro = self.find(definition)
        if macro is None or macro.definition is None:
            return []
        return [dose for _, dose in self._macros.doses.of(macro.definition)]

    async def begin(
        self, definition: ScheduleDefinition, due: Due, committed: Committed
    ) -> None:
        """Start the macro of a moment; `committed` enters what was stored into memory.

        Where the macro's mode does not allow a run, the moment has its verdict. Raises
        StoreError; neither the moment nor the run is there then.
        """
        stored = StoredDue()

        def write(connection: Connection, row: RunRow) -> RunRow:
            nonlocal stored
            stored = due.store(connection)
            if stored.occurrence is None:
                raise _HadItsTurn
            origin = {OCCURRENCE: stored.occurrence, SCHEDULE: due.schedule}
            return run_rows.insert(connection, replace(row, data=origin))

        try:
            await self._macros.run(
                self._named(definition).row.id,
                Origin(source=Source.SCHEDULE, schedule=due.schedule),
                write=write,
                entered=lambda: committed(due, stored),
            )
        except _HadItsTurn:
            await self._without_run(due, committed)
        except EngineError as error:
            await self._without_run(replace(due, problem=error.code), committed)

    async def end(self, schedule: int) -> None:
        """End what a schedule has under way. Raises StoreError."""
        for run in self._runs.live:
            if run.row.data.get(SCHEDULE) == schedule:
                with suppress(EngineError):
                    await self._runs.cancel(run.id)

    async def _without_run(self, due: Due, committed: Committed) -> None:
        """Store a moment at which nothing begins."""
        await self._journal.commit(due.store, lambda stored: committed(due, stored))

    def _named(self, definition: ScheduleDefinition) -> Macro:
        """Return the macro of a schedule. Raises EngineError `macro_not_found`."""
        wanted = definition.action_params["macro"]
        try:
            if isinstance(wanted, str):
                return self._macros.named(wanted)
            return self._macros.get(wanted)
        except EngineError as error:
            raise EngineError(error.code, field=_FIELD, id=wanted) from error
