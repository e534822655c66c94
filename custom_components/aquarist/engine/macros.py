"""Macros: sequences that keepers save and run (R-C31, R-C62)."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from sqlite3 import Connection
from typing import Any

from ..commands.command import Source
from ..devices.fields import InvalidValue
from ..frozen import frozen
from ..runs.definition import RunDefinition, as_json, parse_definition
from ..runs.steps import CommandStep, ServiceStep, Step, WaitStep
from ..schedules.errors import ScheduleError
from ..store import definitions, runs as run_rows
from ..store.definitions import Definition, DefinitionRevision
from ..store.errors import Conflict, NameTaken
from ..store.runs import RunRow
from .changes import MacroChanged
from .errors import EngineError
from .ground import Ground
from .intake import Origin, command_for, spec_of
from .macro_doses import MacroDoses
from .runs import RunRequest, Runs, Write
from .state import DeviceState

MACRO = "macro"

_NAMED = {
    "action": "action",
    "args": "args",
    "confirm": "confirm",
    "device_id": "device_id",
}

type Find = Callable[[str | int], DeviceState]


@frozen
class Macro:
    """A macro in memory; without a definition when what is stored no longer validates."""

    row: Definition
    definition: RunDefinition | None
    error: str | None = None


class Macros:
    """Every macro that is in use."""

    def __init__(
        self,
        ground: Ground,
        runs: Runs,
        find: Find,
        check_service: Callable[[ServiceStep], None],
    ) -> None:
        """Start with none; recovery loads them.

        `check_service` raises what is wrong with a step. ``scheduled`` tells whether a
        schedule starts the macro of a name or number.
        """
        self._check_service = check_service
        self._clock = ground.clock
        self._journal = ground.journal
        self._announcer = ground.announcer
        self._database = ground.database
        self._runs = runs
        self._find = find
        self.doses = MacroDoses(find)
        self._memory = ground.memory
        self._macros: dict[int, Macro] = {}
        self.scheduled: Callable[[str, int | None], bool] = lambda name, macro: False
        runs.register(MACRO, lambda data: parse_definition(data).program)

    @property
    def all(self) -> tuple[Macro, ...]:
        """Return every macro, by name."""
        return tuple(sorted(self._macros.values(), key=lambda macro: macro.row.name))

    def get(self, macro: int, *, field: str = "macro_id") -> Macro:
        """Return a macro. Raises EngineError `macro_not_found`."""
        if macro not in self._macros:
            raise EngineError("macro_not_found", field=field, id=macro)
        return self._macros[macro]

    def named(self, name: str, *, field: str = "macro_id") -> Macro:
        """Return a macro by its name. Raises EngineError `macro_not_found`."""
        for macro in self._macros.values():
            if macro.row.name == name:
                return macro
        raise EngineError("macro_not_found", field=field, id=name)

    def load(self, rows: Iterable[Definition]) -> None:
        """Take in what is stored; what no longer validates stays and is not run (law 10)."""
        for row in rows:
            self._macros[row.id] = _macro(row)

    async def create(self, data: Mapping[str, Any], *, user: str | None) -> Macro:
        """Store a macro. Raises ScheduleError, EngineError, InvalidValue, StoreError."""
        definition = self._checked(data)
        now = self._clock.now()
        return await self._store(
            definition.name,
            lambda connection: definitions.create(
                connection,
                kind=MACRO,
                name=definition.name,
                definition=as_json(definition),
                user=user,
                at=now,
            ),
        )

    async def update(
        self,
        macro: int,
        data: Mapping[str, Any],
        *,
        user: str | None,
        expected_revision: int | None = None,
    ) -> Macro:
        """Store the next revision of a macro; what runs goes on as it was.

        Raises as `create`, and EngineError `macro_not_found`, `revision_conflict`.
        """
        self.get(macro)
        definition = self._checked(data, macro)
        now = self._clock.now()
        return await self._store(
            definition.name,
            lambda connection: definitions.update(
                connection,
                macro,
                name=definition.name,
                definition=as_json(definition),
                user=user,
                at=now,
                expected_revision=expected_revision,
            ),
        )

    async def delete(
        self, macro: int, *, user: str | None, expected_revision: int | None = None
    ) -> None:
        """Remove a macro and end its runs; its revisions stay.

        Raises EngineError `macro_not_found`, `revision_conflict`, StoreError.
        """
        self.get(macro)
        now = self._clock.now()

        def committed(_: Definition) -> None:
            self._macros.pop(macro, None)
            self._announcer.announce(MacroChanged(macro=macro))

        try:
            await self._journal.commit(
                lambda connection: definitions.remove(
                    connection,
                    macro,
                    user=user,
                    at=now,
                    expected_revision=expected_revision,
                ),
                committed,
            )
        except Conflict as error:
            raise _conflict(error) from error
        for run in self._runs.live:
            if run.row.kind == MACRO and run.row.definition_id == macro:
                # What has ended meanwhile needs no end.
                with suppress(EngineError):
                    await self._runs.cancel(run.id)

    async def revisions(self, macro: int) -> list[DefinitionRevision]:
        """Return what was done to a macro, oldest first. Raises EngineError."""
        self.get(macro)
        if self._database is None:
            raise EngineError("store_locked")
        return await self._database.read(
            lambda connection: definitions.revisions(connection, macro)
        )

    async def run(
        self,
        macro: int,
        origin: Origin,
        *,
        write: Write = run_rows.insert,
        entered: Callable[[], None] = lambda: None,
    ) -> RunRow:
        """Run a macro as it is now; it is on disk when this returns.

        `write` and `entered` are as `Runs.start` has them. Raises EngineError
        `macro_not_found`, `macro_invalid`, `run_under_way`, `run_maximum`; StoreError.
        """
        found = self.get(macro)
        if found.definition is None:
            raise EngineError(
                "macro_invalid",
                field="macro_id",
                name=found.row.name,
                error=found.error,
            )
        return await self._runs.start(
            RunRequest(
                kind=MACRO,
                name=found.row.name,
                definition=found.row.definition,
                origin=origin,
                mode=found.definition.mode,
                maximum=found.definition.maximum,
                definition_id=macro,
            ),
            write=write,
            entered=entered,
        )

    def refuse_doses(
        self, definition: RunDefinition, *, field: str | None = None
    ) -> None:
        """Refuse a sequence that is started by plan and doses with a head that does so itself.

        Raises EngineError `programme_active`, naming the step's field or the one given.
        """
        for where, dose in self.doses.of(definition):
            row = dose.device.row
            self._memory.refuse_dose(
                row.number, dose.head, row.name, field=field or where
            )

    def _checked(
        self, data: Mapping[str, Any], macro: int | None = None
    ) -> RunDefinition:
        """Return the definition of a macro whose devices are there and can do what it says.

        One that a schedule starts doses with no head that doses by itself.

        Raises ScheduleError, EngineError or InvalidValue; each names the step's field.
        """
        definition = parse_definition(data)
        for number, step in enumerate(definition.sequence):
            try:
                self._check(step)
            except EngineError as error:
                raise EngineError(
                    error.code,
                    **_inside(error.placeholders),
                    field=_field(number, step, error.field),
                ) from error
            except InvalidValue as error:
                raise InvalidValue(
                    _field(number, step, error.field),
                    error.code,
                    **_inside(error.placeholders),
                ) from error
        if self.scheduled(definition.name, macro):
            self.refuse_doses(definition)
        return definition

    def _check(self, step: Step) -> None:
        """Raise what is wrong with a step, as far as its device can tell now."""
        if isinstance(step, ServiceStep):
            self._check_service(step)
            return
        if not isinstance(step, CommandStep | WaitStep):
            return
        device = self._find(step.device_id)
        if device.device is None:
            return
        if isinstance(step, WaitStep):
            device.device.field_of(step.field_name)
            return
        command_for(
            device,
            step.action,
            step.args,
            Origin(source=Source.MACRO),
            self._clock.now(),
            timeout=step.timeout,
        )
        if spec_of(step.action).destructive and not step.confirm:
            raise EngineError(
                "confirmation_needed", field="confirm", action=step.action
            )

    async def _store(
        self, name: str, unit: Callable[[Connection], Definition]
    ) -> Macro:
        """Write a macro and let it enter memory in commit order."""

        def committed(row: Definition) -> None:
            self._macros[row.id] = _macro(row)
            self._announcer.announce(MacroChanged(macro=row.id))

        try:
            row = await self._journal.commit(unit, committed)
        except NameTaken as error:
            raise EngineError("macro_name_taken", field="name", name=name) from error
        except Conflict as error:
            raise _conflict(error) from error
        return _macro(row)


def _macro(row: Definition) -> Macro:
    """Return a macro as stored."""
    try:
        return Macro(row=row, definition=parse_definition(row.definition))
    except ScheduleError as error:
        return Macro(row=row, definition=None, error=str(error))


def _conflict(error: Conflict) -> EngineError:
    """Return the error of a change that was made from another revision."""
    return EngineError(
        "revision_conflict", field="expected_revision", revision=error.present
    )


def _field(number: int, step: Step, field: str | None) -> str:
    """Return the name of a field inside of a step."""
    named = _NAMED.get(field or "args")
    if isinstance(step, ServiceStep):
        named = field
    elif named is None:
        waits = isinstance(step, WaitStep)
        named = "field_name" if waits else f"args.{field}"
    return f"sequence.{number}.{step.kind}.{named}"


def _inside(placeholders: Mapping[str, str]) -> dict[str, str]:
    """Return the values of a message without the field, which is named anew."""
    return {key: value for key, value in placeholders.items() if key != "field"}
