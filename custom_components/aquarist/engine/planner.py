"""Schedules: each due moment once, as commands, with a verdict (laws 7 and 9, RES-51)."""

import asyncio
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
import logging
from sqlite3 import Connection
from typing import Any

from ..commands.command import Command
from ..schedules.actions import ActionType, OnMiss
from ..schedules.definition import ScheduleDefinition, as_json, parse_definition
from ..schedules.errors import ScheduleError
from ..schedules.moments import Moment
from ..schedules.plan import Plan, between, plan_for
from ..store import schedules as schedule_rows, settings
from ..store.errors import StoreError
from ..store.occurrences import OccurrenceRow
from ..store.schedules import DuplicateName, ScheduleRow
from .changes import CommandChanged, DeviceChanged, ScheduleChanged
from .due import AUTOMATION_OFF, NOT_RUNNING, WAITING, Due, StoredDue, Waiting
from .errors import EngineError
from .ground import Ground
from .orders import Orders
from .scheduled_macros import ScheduledMacros
from .verdicts import Verdicts

_LOGGER = logging.getLogger(__name__)

GRACE = timedelta(seconds=60)
LOOK_BACK = 50_000
_RETRY = timedelta(seconds=5)


@dataclass(slots=True)
class Planned:
    """A schedule in memory; without a plan when what is stored no longer validates.

    ``fault`` is the word of the store while it does not take a moment that is due.
    """

    row: ScheduleRow
    definition: ScheduleDefinition | None
    plan: Plan | None
    handled: datetime
    error: str | None = None
    fault: str | None = None

    @property
    def live(self) -> tuple[ScheduleDefinition, Plan] | None:
        """Return what is planned; None while it is off, or does not validate."""
        if self.definition is None or self.plan is None or not self.row.enabled:
            return None
        return self.definition, self.plan

    def after(self, instant: datetime) -> Moment | None:
        """Return the first moment after an instant."""
        return self.live[1].after(instant) if self.live is not None else None

    def passed(self, now: datetime) -> list[Moment]:
        """Return the moments since the last one that was handled."""
        if self.live is None:
            return []
        return between(self.live[1], self.handled, now, LOOK_BACK)


def restored(row: ScheduleRow) -> Planned:
    """Read a stored schedule; one that no longer validates stays and is skipped (law 10).

    Not for the event loop: its time zone, if there is such a one, is read from a file.
    """
    try:
        definition, plan = _read(row.definition, "UTC")
    except ScheduleError as error:
        return Planned(row, None, None, row.updated_at, error=str(error))
    handled = row.updated_at
    if row.next_run is not None:
        handled = max(
            row.last_run or row.updated_at,
            row.next_run - timedelta(microseconds=1),
        )
    return Planned(row, definition, plan, handled)


class Planner:
    """Every schedule, and the occurrences under way."""

    def __init__(self, ground: Ground, enter: Any, macros: ScheduledMacros) -> None:
        """Answer the agenda; `enter` routes an accepted command to its place."""
        self._clock = ground.clock
        self._agenda = ground.agenda
        self._records = ground.records
        self._journal = ground.journal
        self._announcer = ground.announcer
        self._devices = ground.devices
        self._enter = enter
        self._schedules: dict[int, Planned] = {}
        self.verdicts = Verdicts(ground, self._ran)
        self.automation_off: set[str] = set()
        self.waiting: dict[int, Waiting] = {}
        self._orders = Orders(ground, self.automation_off)
        self._macros = macros
        self._starting: set[asyncio.Task[None]] = set()
        ground.agenda.on("schedule", self._due)

    @property
    def schedules(self) -> tuple[Planned, ...]:
        """Return every schedule, by id."""
        return tuple(self._schedules[key] for key in sorted(self._schedules))

    def get(self, schedule: int) -> Planned | None:
        """Return a schedule by its id."""
        return self._schedules.get(schedule)

    def devices(self, definition: ScheduleDefinition) -> tuple[int, ...]:
        """Return the numbers of the devices that a schedule acts on, as things are now."""
        if definition.action_type is ActionType.MACRO:
            return self._macros.devices(definition)
        return definition.device_ids

    def concerned(self, planned: Planned) -> tuple[int, ...]:
        """Return the numbers of the devices that a schedule is about, valid or not."""
        if planned.definition is not None:
            return self.devices(planned.definition)
        return tuple(planned.row.definition.get("device_ids") or ())

    async def set_automation(self, aquarium: str, enabled: bool) -> None:
        """Let the schedules of an aquarium act, or not; kept over restarts."""

        def unit(connection: Connection) -> set[str]:
            off = set(settings.get(connection, AUTOMATION_OFF) or ()) - {aquarium}
            if not enabled:
                off.add(aquarium)
            settings.put(connection, AUTOMATION_OFF, sorted(off))
            return off

        def committed(off: set[str]) -> None:
            self.automation_off.clear()
            self.automation_off.update(off)
            self._announcer.announce(DeviceChanged(device=0))

        await self._journal.commit(unit, committed)

    def next_moment(self, planned: Planned) -> Moment | None:
        """Return when a schedule is due next."""
        return planned.after(max(planned.handled, self._clock.now()))

    async def create(
        self, data: Mapping[str, Any], *, default_zone: str, user: str | None
    ) -> Planned:
        """Store a schedule and plan it. Raises ScheduleError, EngineError, StoreError."""
        # In a thread: a time zone that was not used yet is read from a file.
        definition, plan = await asyncio.to_thread(_read, data, default_zone)
        now = self._clock.now()
        if definition.action_type is ActionType.MACRO:
            self._macros.check(definition)
        self._orders.check(definition)
        first = plan.after(now)
        if first is None and definition.is_enabled:
            raise EngineError("schedule_never_due", field=_time_field(definition))

        def unit(connection: Connection) -> ScheduleRow:
            return schedule_rows.create(
                connection,
                name=definition.name,
                definition=as_json(definition),
                enabled=definition.is_enabled,
                next_run=first.at if first else None,
                user=user,
                at=now,
            )

        try:
            row = await self._journal.commit(
                unit, lambda stored: self._take(stored, definition, plan, now)
            )
        except DuplicateName as error:
            raise EngineError(
                "duplicate_name", field="name", name=error.name
            ) from error
        return self._schedules[row.id]

    async def delete(self, schedule: int, *, user: str | None) -> None:
        """Remove a schedule; what it has under way ends, its occurrences stay (RES-62)."""
        if schedule not in self._schedules:
            raise EngineError("schedule_not_found", field="schedule_id", id=schedule)
        now = self._clock.now()

        def committed(_: ScheduleRow) -> None:
            self._schedules.pop(schedule, None)
            self._agenda.remove("schedule", schedule)
            self._announcer.announce(ScheduleChanged(schedule=schedule))

        await self._journal.commit(
            lambda connection: schedule_rows.delete(
                connection, schedule, user=user, at=now
            ),
            committed,
        )

    def load(self, stored: Iterable[Planned]) -> None:
        """Take in what is stored, as `restored` has read it."""
        self._schedules |= {planned.row.id: planned for planned in stored}

    def load_waiting(self, rows: Iterable[OccurrenceRow]) -> None:
        """Take in the missed moments that the keeper has not decided about."""
        for row in rows:
            self.waiting[row.id] = Waiting(
                occurrence=row.id,
                schedule=row.schedule,
                at=row.at,
                last_at=row.last_at,
                count=row.count,
            )

    def missed(self) -> list[tuple[datetime, int]]:
        """Return which schedules had moments while nobody was there, in their order."""
        now = self._clock.now()
        return sorted(
            (moments[-1].at, planned.row.id)
            for planned in self.schedules
            if (moments := planned.passed(now))
        )

    def start(self) -> None:
        """Catch up in the order of the moments, then wait for the next ones."""
        now = self._clock.now()
        for _, schedule in self.missed():
            self._due(schedule, now)
        for planned in self.schedules:
            self._arm(planned)

    def _take(
        self,
        row: ScheduleRow,
        definition: ScheduleDefinition,
        plan: Plan,
        handled: datetime,
    ) -> None:
        """Let a stored schedule enter memory."""
        planned = self._schedules[row.id] = Planned(row, definition, plan, handled)
        self._arm(planned)
        self._announcer.announce(ScheduleChanged(schedule=row.id))

    def _arm(self, planned: Planned) -> None:
        """Put the next moment of a schedule on the agenda."""
        if (moment := planned.after(planned.handled)) is not None:
            self._agenda.put("schedule", planned.row.id, moment.at)

    def _due(self, key: Hashable, now: datetime) -> None:
        """Run the moment that is due; note the ones that passed unseen (law 9)."""
        planned = self._schedules.get(int(str(key)))
        if planned is None or planned.live is None:
            return
        definition, plan = planned.live
        moments = planned.passed(now)
        if not moments:
            self._arm(planned)
            return
        last = moments[-1]
        more = len(moments) == LOOK_BACK
        moment: Moment | None = None
        commands: list[Command] = []
        problem: str | None = None
        if not more and _still_wanted(definition, last, now):
            moment = moments.pop()
            commands, problem = self._asked(definition, planned.row.id, moment)
        due = Due(
            schedule=planned.row.id,
            moment=moment,
            passed=tuple(moments),
            following=plan.after(max(last.at, now)),
            commands=tuple(commands),
            problem=problem,
            absence=WAITING
            if definition.on_miss is OnMiss.ASK
            else planned.fault or NOT_RUNNING,
            now=now,
        )
        self._commit(planned, due, last.at)

    def _commit(self, planned: Planned, due: Due, handled: datetime) -> None:
        """Store what happens at a due moment in one unit: identity, commands, next run."""
        before, planned.handled = planned.handled, handled
        future: asyncio.Future[Any]
        if due.moment is not None and due.problem is None and not due.commands:
            future = self._start_macro(planned, due)
        else:
            future = self._journal.commit(
                due.store, lambda stored: self._committed(planned, due, stored)
            )
        future.add_done_callback(lambda done: self._check(done, planned, before))

    def _start_macro(self, planned: Planned, due: Due) -> asyncio.Future[None]:
        """Start the macro of a due moment, together with the moment."""
        assert planned.definition is not None
        task = asyncio.get_running_loop().create_task(
            self._macros.begin(
                planned.definition,
                due,
                lambda stored_as, stored: self._committed(planned, stored_as, stored),
            ),
            name=f"aquarist macro of schedule {due.schedule}",
        )
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)
        return task

    def _asked(
        self, definition: ScheduleDefinition, schedule: int, moment: Moment
    ) -> tuple[list[Command], str | None]:
        """Return what a moment asks of its devices, or the word why nothing begins.

        A macro has no commands before it runs; one device that is held back holds it back.
        """
        if definition.action_type is not ActionType.MACRO:
            return self._orders.at(definition, schedule, moment)
        states = map(self._devices.get, self._macros.devices(definition))
        if any(
            one is not None and one.row.aquarium in self.automation_off
            for one in states
        ):
            return [], AUTOMATION_OFF
        return [], self._macros.problem(definition)

    def _check(self, done: Any, planned: Planned, before: datetime) -> None:
        """Try a due moment again that could not be stored; nothing of it has happened."""
        error = done.exception()
        if error is None or self._schedules.get(planned.row.id) is not planned:
            return
        planned.handled = before
        if isinstance(error, StoreError):
            planned.fault = error.code
            self._agenda.put("schedule", planned.row.id, self._clock.now() + _RETRY)
        else:
            _LOGGER.error("A due moment of %s failed", planned.row.name, exc_info=error)
            self._arm(planned)

    def _committed(self, planned: Planned, due: Due, stored: StoredDue) -> None:
        """Let what was stored enter memory and begin."""
        row, following = planned.row, due.following
        planned.fault = None
        planned.row = replace(
            row,
            next_run=following.at if following else None,
            last_run=due.moment.at if due.moment else row.last_run,
            last_run_status=due.status or row.last_run_status,
            enabled=row.enabled and following is not None,
        )
        self._announcer.announce(ScheduleChanged(schedule=row.id))
        self._arm(planned)
        if stored.missed is not None and due.absence == WAITING:
            self.waiting[stored.missed] = Waiting(
                occurrence=stored.missed,
                schedule=row.id,
                at=due.passed[0].at,
                last_at=due.passed[-1].at,
                count=len(due.passed),
            )
        self.verdicts.began(due, stored)
        for command in stored.commands:
            if command.final:
                self._announcer.announce(CommandChanged(command=command))
                continue
            self._records.enter(command)
            self._enter(command)

    def _ran(self, schedule: int, status: str) -> None:
        """Take note of how a schedule's last run came out."""
        planned = self._schedules[schedule]
        planned.row = replace(planned.row, last_run_status=status)


def _read(
    data: Mapping[str, Any], default_zone: str
) -> tuple[ScheduleDefinition, Plan]:
    """Return a definition and its plan, both of which look for the time zone."""
    definition = parse_definition(data, default_zone=default_zone)
    return definition, plan_for(definition)


def _still_wanted(
    definition: ScheduleDefinition, moment: Moment, now: datetime
) -> bool:
    """Return whether a moment may run although it is late (RES-37, RES-67)."""
    if now - moment.at <= GRACE:
        return True
    if definition.on_miss is not OnMiss.CONVERGE:
        return False
    if definition.action_type is ActionType.RAMP:
        return True
    duration = definition.action_params.get("duration")
    return duration is not None and (moment.at + timedelta(seconds=duration) > now)


def _time_field(definition: ScheduleDefinition) -> str:
    """Return the field that says when a schedule is due."""
    return "cron_expression" if definition.cron_expression else "start_time"
