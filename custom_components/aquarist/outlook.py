"""What the plan holds: which schedules will act on something, and when.

Only reads the planner; nothing here decides whether a moment runs.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from .engine.engine import Engine
from .engine.planner import Planned
from .frozen import frozen
from .schedules.definition import ScheduleDefinition
from .schedules.plan import Plan, between

type Wanted = Callable[[ScheduleDefinition], bool]

SHORTEST = timedelta(minutes=1)
MOST_MOMENTS = 1000


@frozen
class Entry:
    """A moment of the plan: aware UTC, ``end`` after ``start``; and what is done then."""

    schedule: int
    name: str
    definition: ScheduleDefinition
    start: datetime
    end: datetime


def of_aquarium(engine: Engine, aquarium: str) -> Wanted:
    """Return what tells the schedules with a device of an aquarium."""

    def wanted(definition: ScheduleDefinition) -> bool:
        """Tell whether one of the devices belongs to the aquarium."""
        return any(
            state is not None and state.row.aquarium == aquarium
            for state in map(engine.devices.get, engine.planner.devices(definition))
        )

    return wanted


def of_head(engine: Engine, device: int, head: int) -> Wanted:
    """Return what tells the schedules that dose with a head, by its index."""
    return lambda definition: engine.dosing_plans.dose(definition, device, head)


def upcoming(engine: Engine, wanted: Wanted) -> Entry | None:
    """Return the next moment of the schedules that are wanted and may act."""
    found = (
        _entry(planned, definition, planned.row.next_run)
        for planned, definition, _ in _acting(engine, wanted)
        if planned.row.next_run is not None
    )
    return min(found, key=_order, default=None)


def present(engine: Engine, wanted: Wanted) -> Entry | None:
    """Return the first moment of the plan that is under way or to come."""
    now = engine.clock.now()
    found = []
    for planned, definition, plan in _acting(engine, wanted):
        moment = plan.after(_first(planned, now - _length(definition)))
        if moment is not None:
            found.append(_entry(planned, definition, moment.at))
    return min(found, key=_order, default=None)


def entries(
    engine: Engine, wanted: Wanted, start: datetime, end: datetime
) -> list[Entry]:
    """Return what the plan holds between two aware instants, in order.

    Of a schedule that is due very often only the first 1000 moments are given.
    """
    return sorted(
        (
            _entry(planned, definition, moment.at)
            for planned, definition, plan in _acting(engine, wanted)
            for moment in between(
                plan, _first(planned, start - _length(definition)), end, MOST_MOMENTS
            )
            if moment.at < end
        ),
        key=_order,
    )


def _acting(
    engine: Engine, wanted: Wanted
) -> Iterator[tuple[Planned, ScheduleDefinition, Plan]]:
    """Yield the schedules that are wanted, enabled and not held back by an aquarium."""
    for planned in engine.planner.schedules:
        definition, plan = planned.definition, planned.plan
        if definition is None or plan is None or not planned.row.enabled:
            continue
        if wanted(definition) and _automated(engine, definition):
            yield planned, definition, plan


def _automated(engine: Engine, definition: ScheduleDefinition) -> bool:
    """Return whether every aquarium that a schedule needs lets schedules act."""
    return not any(
        state is not None and state.row.aquarium in engine.planner.automation_off
        for state in map(engine.devices.get, engine.planner.devices(definition))
    )


def _entry(planned: Planned, definition: ScheduleDefinition, at: datetime) -> Entry:
    """Return a moment as it is shown."""
    return Entry(
        schedule=planned.row.id,
        name=planned.row.name,
        definition=definition,
        start=at,
        end=at + _length(definition),
    )


def _first(planned: Planned, start: datetime) -> datetime:
    """Return from when on moments count: none was planned before the schedule was made."""
    return max(start, planned.row.created_at)


def _length(definition: ScheduleDefinition) -> timedelta:
    """Return how long a schedule's action takes to show; what has no length gets a minute."""
    seconds = definition.action_params.get("duration", 0)
    return max(timedelta(seconds=float(seconds)), SHORTEST)


def _order(entry: Entry) -> tuple[datetime, int]:
    """Return what entries are sorted by."""
    return entry.start, entry.schedule
