"""Schedules: each due moment once, as commands, with a verdict (laws 7 and 9, RES-51)."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
import logging
from sqlite3 import Connection
from typing import Any

from ..commands.command import Command, ErrorCode, Source
from ..commands.phases import Phase
from ..devices.fields import InvalidValue
from ..schedules.actions import ActionType, OnMiss
from ..schedules.definition import ScheduleDefinition, as_json, parse_definition
from ..schedules.errors import ScheduleError
from ..schedules.moments import Moment
from ..schedules.plan import Plan, between, plan_for
from ..store import commands as command_rows, occurrences, schedules as schedule_rows
from ..store.errors import StoreError
from ..store.occurrences import Verdict
from ..store.schedules import DuplicateName, ScheduleRow
from .agenda import Agenda
from .changes import Announcer, OccurrenceChanged, ScheduleChanged
from .clock import Clock
from .errors import EngineError
from .intake import Origin, command_for
from .journal import Journal
from .records import Records
from .state import DeviceState

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


@dataclass(slots=True)
class _Running:
    """An occurrence whose commands have not all ended."""

    schedule: int
    at: datetime
    keys: set[str]
    phases: list[Command]


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
        self._running: dict[int, _Running] = {}
        self.automation_off: set[str] = set()
        agenda.on("schedule", self._due)
        records.on_settled(self._settled)

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

    def resume(self, undecided: list[occurrences.OccurrenceRow]) -> None:
        """Take up the occurrences that were under way when the engine stopped."""
        still_open: dict[int, list[Command]] = {}
        for command in self._records.open:
            if command.occurrence is not None:
                still_open.setdefault(command.occurrence, []).append(command)
        for row in undecided:
            commands = still_open.get(row.id, [])
            running = _Running(row.schedule, row.at, {one.key for one in commands}, [])
            self._running[row.id] = running
            if not commands:
                self._decide_from_store(row.id, running)

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
        schedule, plan = planned.row.id, planned.plan
        if plan is None:
            return
        handled = moment.at if moment is not None else passed[-1].at
        before, planned.handled = planned.handled, handled
        following = plan.after(max(handled, now))
        built, problem = self._build(planned, moment)
        occurrence_id: list[int] = []

        def unit(connection: Connection) -> list[Command]:
            if passed:
                occurrences.missed(
                    connection,
                    schedule,
                    passed[0],
                    passed[-1],
                    len(passed),
                    "not_running",
                    now,
                )
            stored: list[Command] = []
            if moment is not None:
                number = occurrences.claim(connection, schedule, moment, 0, now)
                if number is not None:
                    occurrence_id[:] = [number]
                    for command in built:
                        tagged = replace(command, occurrence=number)
                        stored.append(command_rows.insert(connection, tagged)[0])
                    if problem is not None:
                        occurrences.set_verdict(
                            connection, number, Verdict.FAILED, problem, now
                        )
            schedule_rows.set_run(
                connection,
                schedule,
                next_run=following.at if following else None,
                last_run=moment.at if moment is not None else None,
                last_run_status=_status(moment, problem),
                enabled=False if following is None else None,
            )
            return stored

        def committed(stored: list[Command]) -> None:
            self._committed(planned, moment, following, occurrence_id, problem, stored)

        try:
            future = self._journal.commit(unit, committed)
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

    def _committed(
        self,
        planned: Planned,
        moment: Moment | None,
        following: Moment | None,
        occurrence_id: list[int],
        problem: str | None,
        stored: list[Command],
    ) -> None:
        """Let what was stored enter memory and begin."""
        planned.row = replace(
            planned.row,
            next_run=following.at if following else None,
            last_run=moment.at if moment else planned.row.last_run,
            last_run_status=_status(moment, problem) or planned.row.last_run_status,
            enabled=planned.row.enabled and following is not None,
        )
        self._announcer.announce(ScheduleChanged(schedule=planned.row.id))
        self._arm(planned)
        if moment is None or not occurrence_id:
            return
        number = occurrence_id[0]
        if problem is None:
            self._running[number] = _Running(
                planned.row.id, moment.at, {one.key for one in stored}, []
            )
        self._announce(
            number,
            planned.row.id,
            moment.at,
            Verdict.FAILED if problem else None,
            problem,
        )
        for command in stored:
            self._records.enter(command)
            self._enter(command)

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
                return [], "automation_off"
            try:
                built.append(self._command(definition, device, moment.at, origin))
            except EngineError as error:
                return [], error.code
            except InvalidValue as error:
                return [], error.code
        return built, None

    def _settled(self, command: Command) -> None:
        """Give an occurrence its verdict when its last command has ended."""
        if command.occurrence is None:
            return
        running = self._running.get(command.occurrence)
        if running is None or command.key not in running.keys:
            return
        running.keys.discard(command.key)
        running.phases.append(command)
        if not running.keys:
            self._decide(command.occurrence, running)

    def _decide_from_store(self, occurrence: int, running: _Running) -> None:
        """Give a verdict to an occurrence all of whose commands ended before the restart."""

        def unit(connection: Connection) -> list[Command]:
            return command_rows.of_occurrence(connection, occurrence)

        def read(commands: list[Command]) -> None:
            running.phases = commands
            self._decide(occurrence, running)

        self._journal.record(unit, read)

    def _decide(self, occurrence: int, running: _Running) -> None:
        """Store and announce the verdict of an occurrence."""
        verdict, reason = verdict_of(running.phases)
        now = self._clock.now()
        status = "success" if verdict is Verdict.RAN else "failed"
        planned = self._schedules.get(running.schedule)

        def unit(connection: Connection) -> None:
            occurrences.set_verdict(connection, occurrence, verdict, reason, now)
            row = schedule_rows.get(connection, running.schedule)
            if row is not None and (row.last_run is None or row.last_run <= running.at):
                schedule_rows.set_run(
                    connection,
                    running.schedule,
                    next_run=row.next_run,
                    last_run=running.at,
                    last_run_status=status,
                )

        def committed(_: None) -> None:
            self._running.pop(occurrence, None)
            if planned is not None:
                planned.row = replace(planned.row, last_run_status=status)
            self._announce(occurrence, running.schedule, running.at, verdict, reason)

        self._journal.record(unit, committed)

    def _announce(
        self,
        occurrence: int,
        schedule: int,
        at: datetime,
        verdict: Verdict | None,
        reason: str | None,
    ) -> None:
        """Tell of an occurrence."""
        self._announcer.announce(
            OccurrenceChanged(
                occurrence=occurrence,
                schedule=schedule,
                at=at.isoformat(),
                verdict=verdict.value if verdict else None,
                reason=reason,
            )
        )


def verdict_of(commands: list[Command]) -> tuple[Verdict, str | None]:
    """Return the verdict of an occurrence from how its commands ended (RES-38)."""
    good = [one for one in commands if one.phase is Phase.COMPLETED]
    bad = [one for one in commands if one.phase is not Phase.COMPLETED]
    if not bad and good:
        return Verdict.RAN, None
    reason = bad[0].error or str(bad[0].phase) if bad else "no_command"
    if good:
        return Verdict.PARTLY, reason
    if bad and all(one.error_code == ErrorCode.SAFETY_REFUSED for one in bad):
        return Verdict.REFUSED, reason
    return Verdict.FAILED, reason


def _status(moment: Moment | None, problem: str | None) -> str | None:
    """Return the run status that is known when a moment is stored (R-B4)."""
    if moment is None:
        return "skipped"
    return "failed" if problem is not None else None


def _time_field(definition: ScheduleDefinition) -> str:
    """Return the field that says when a schedule is due."""
    return "cron_expression" if definition.cron_expression else "start_time"
