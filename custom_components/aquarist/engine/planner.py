"""Schedules: each due moment once, as commands, with a verdict (laws 7 and 9, RES-51)."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
import logging
from sqlite3 import Connection
from typing import Any

from ..commands.command import Command, Source
from ..devices.fields import InvalidValue
from ..schedules.actions import ActionType, OnMiss
from ..schedules.definition import ScheduleDefinition, as_json, parse_definition
from ..schedules.errors import ScheduleError
from ..schedules.moments import Moment
from ..schedules.plan import Plan, between, plan_for
from ..store import schedules as schedule_rows
from ..store.errors import StoreError
from ..store.schedules import DuplicateName, ScheduleRow
from .agenda import Agenda
from .changes import Announcer, ScheduleChanged
from .clock import Clock
from .due import AUTOMATION_OFF, Due, StoredDue
from .errors import EngineError
from .intake import Origin, command_for
from .journal import Journal
from .records import Records
from .state import DeviceState
from .verdicts import Verdicts

_LOGGER = logging.getLogger(__name__)

GRACE = timedelta(seconds=60)
LOOK_BACK = 1000
_RETRY = timedelta(seconds=5)

ACTIONS = {
    ActionType.ON: "turn_on",
    ActionType.OFF: "turn_off",
    ActionType.SET_LEVEL: "set_level",
    ActionType.RAMP: "ramp",
    ActionType.DOSE: "dose",
}


@dataclass(slots=True)
class Planned:
    """A schedule in memory; without a plan when what is stored no longer validates."""

    row: ScheduleRow
    definition: ScheduleDefinition | None
    plan: Plan | None
    handled: datetime
    error: str | None = None


class Planner:
    """Every schedule, and the occurrences under way."""

    def __init__(
        self,
        clock: Clock,
        agenda: Agenda,
        records: Records,
        journal: Journal,
        announcer: Announcer,
        devices: Mapping[int, DeviceState],
        enter: Any,
    ) -> None:
        """Answer the agenda; `enter` routes an accepted command to its place."""
        self._clock = clock
        self._agenda = agenda
        self._records = records
        self._journal = journal
        self._announcer = announcer
        self._devices = devices
        self._enter = enter
        self._schedules: dict[int, Planned] = {}
        self.verdicts = Verdicts(clock, records, journal, announcer, self._ran)
        self.automation_off: set[str] = set()
        agenda.on("schedule", self._due)

    @property
    def schedules(self) -> tuple[Planned, ...]:
        """Return every schedule, by id."""
        return tuple(self._schedules[key] for key in sorted(self._schedules))

    def get(self, schedule: int) -> Planned | None:
        """Return a schedule by its id."""
        return self._schedules.get(schedule)

    def next_moment(self, planned: Planned) -> Moment | None:
        """Return when a schedule is due next."""
        if planned.plan is None or not planned.row.enabled:
            return None
        return planned.plan.after(max(planned.handled, self._clock.now()))

    async def create(
        self, data: Mapping[str, Any], *, default_zone: str, user: str | None
    ) -> Planned:
        """Store a schedule and plan it. Raises ScheduleError, EngineError, StoreError."""
        definition = parse_definition(data, default_zone=default_zone)
        now = self._clock.now()
        self._check_devices(definition, now)
        plan = plan_for(definition)
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

    def load(self, rows: list[ScheduleRow]) -> None:
        """Take in what is stored; an item that no longer validates stays and is skipped (law 10)."""
        for row in rows:
            try:
                definition = parse_definition(row.definition, default_zone="UTC")
                plan = plan_for(definition)
            except ScheduleError as error:
                self._schedules[row.id] = Planned(
                    row, None, None, row.updated_at, error=str(error)
                )
                continue
            handled = row.updated_at
            if row.next_run is not None:
                handled = max(
                    row.last_run or row.updated_at,
                    row.next_run - timedelta(microseconds=1),
                )
            self._schedules[row.id] = Planned(row, definition, plan, handled)

    def missed(self) -> list[tuple[datetime, int]]:
        """Return which schedules had moments while nobody was there, in their order."""
        now = self._clock.now()
        found = []
        for planned in self.schedules:
            if planned.plan is None or not planned.row.enabled:
                continue
            moments = between(planned.plan, planned.handled, now, LOOK_BACK)
            if moments:
                found.append((moments[-1].at, planned.row.id))
        return sorted(found)

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

    def _check_devices(self, definition: ScheduleDefinition, now: datetime) -> None:
        """Refuse a schedule whose devices are unknown or cannot do what it asks (R-B66)."""
        for number in definition.device_ids:
            device = self._devices.get(number)
            if device is None or device.row.retired_at is not None:
                raise EngineError("device_not_found", field="device_ids", id=number)
            if device.device is not None:
                self._command(definition, device, now, Origin(source=Source.SCHEDULE))

    def _command(
        self,
        definition: ScheduleDefinition,
        device: DeviceState,
        at: datetime,
        origin: Origin,
    ) -> Command:
        """Return the command of a schedule at one of its devices."""
        args = {
            name: value
            for name, value in definition.action_params.items()
            if name != "description"
        }
        return command_for(
            device,
            ACTIONS[definition.action_type],
            args,
            origin,
            self._clock.now(),
            starts_at=at,
        )

    def _arm(self, planned: Planned) -> None:
        """Put the next moment of a schedule on the agenda."""
        if planned.plan is None or not planned.row.enabled:
            return
        moment = planned.plan.after(planned.handled)
        if moment is not None:
            self._agenda.put("schedule", planned.row.id, moment.at)

    def _due(self, key: Hashable, now: datetime) -> None:
        """Run the moment that is due; note the ones that passed unseen (law 9)."""
        planned = self._schedules.get(int(str(key)))
        if planned is None or planned.plan is None or not planned.row.enabled:
            return
        moments = between(planned.plan, planned.handled, now, LOOK_BACK)
        if not moments:
            self._arm(planned)
            return
        last = moments[-1]
        runs = self._still_wanted(planned, last, now)
        passed = moments[:-1] if runs else moments
        self._commit(planned, last if runs else None, passed, now)

    def _still_wanted(self, planned: Planned, moment: Moment, now: datetime) -> bool:
        """Return whether a moment may run although it is late (RES-37, RES-67)."""
        definition = planned.definition
        if definition is None:
            return False
        if now - moment.at <= GRACE:
            return True
        if definition.on_miss is not OnMiss.CONVERGE:
            return False
        if definition.action_type is ActionType.RAMP:
            return True
        duration = definition.action_params.get("duration")
        return duration is not None and (moment.at + timedelta(seconds=duration) > now)

    def _commit(
        self,
        planned: Planned,
        moment: Moment | None,
        passed: list[Moment],
        now: datetime,
    ) -> None:
        """Store what happens at a due moment in one unit: identity, commands, next run."""
        plan = planned.plan
        if plan is None:
            return
        handled = moment.at if moment is not None else passed[-1].at
        before, planned.handled = planned.handled, handled
        commands, problem = self._build(planned, moment)
        due = Due(
            schedule=planned.row.id,
            moment=moment,
            passed=tuple(passed),
            following=plan.after(max(handled, now)),
            commands=tuple(commands),
            problem=problem,
            now=now,
        )
        try:
            future = self._journal.commit(
                due.store, lambda stored: self._committed(planned, due, stored)
            )
        except EngineError:
            planned.handled = before
            return
        future.add_done_callback(lambda done: self._check(done, planned, before))

    def _check(self, done: Any, planned: Planned, before: datetime) -> None:
        """Try a due moment again that could not be stored; nothing of it has happened."""
        if done.cancelled() or (error := done.exception()) is None:
            return
        planned.handled = before
        if isinstance(error, StoreError):
            self._agenda.put("schedule", planned.row.id, self._clock.now() + _RETRY)
        else:
            _LOGGER.error("A due moment of %s failed", planned.row.name, exc_info=error)
            self._arm(planned)

    def _committed(self, planned: Planned, due: Due, stored: StoredDue) -> None:
        """Let what was stored enter memory and begin."""
        row, following = planned.row, due.following
        planned.row = replace(
            row,
            next_run=following.at if following else None,
            last_run=due.moment.at if due.moment else row.last_run,
            last_run_status=due.status or row.last_run_status,
            enabled=row.enabled and following is not None,
        )
        self._announcer.announce(ScheduleChanged(schedule=row.id))
        self._arm(planned)
        self.verdicts.began(due, stored)
        for command in stored.commands:
            self._records.enter(command)
            self._enter(command)

    def _ran(self, schedule: int, status: str) -> None:
        """Take note of how a schedule's last run came out."""
        if (planned := self._schedules.get(schedule)) is not None:
            planned.row = replace(planned.row, last_run_status=status)

    def _build(
        self, planned: Planned, moment: Moment | None
    ) -> tuple[list[Command], str | None]:
        """Return the commands of a moment, or why there are none (looked up when due)."""
        definition = planned.definition
        if moment is None or definition is None:
            return [], None
        origin = Origin(source=Source.SCHEDULE, schedule=planned.row.id)
        built = []
        for number in definition.device_ids:
            device = self._devices.get(number)
            if device is None or device.row.retired_at is not None:
                return [], "device_not_found"
            if device.row.aquarium in self.automation_off:
                return [], AUTOMATION_OFF
            try:
                built.append(self._command(definition, device, moment.at, origin))
            except EngineError as error:
                return [], error.code
            except InvalidValue as error:
                return [], error.code
        return built, None


def _time_field(definition: ScheduleDefinition) -> str:
    """Return the field that says when a schedule is due."""
    return "cron_expression" if definition.cron_expression else "start_time"
