"""Plans: what every schedule type gives, and the register of the types (R-B73)."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from ..frozen import frozen
from .errors import ErrorCode, ScheduleError
from .moments import Moment

if TYPE_CHECKING:
    from .definition import ScheduleDefinition

# The fields that say when a schedule is due; each type uses some of them (R-B65).
TIMING_FIELDS = ("cron_expression", "interval_seconds", "start_time", "end_time")


class Plan(Protocol):
    """The moments of a schedule."""

    def after(self, instant: datetime) -> Moment | None:
        """Give the first moment strictly after an aware instant, None at the end."""


@frozen
class _ScheduleType:
    """A registered type: how its plan is made and which timing fields it uses."""

    factory: Callable[[ScheduleDefinition], Plan]
    fields: frozenset[str]


_TYPES: dict[str, _ScheduleType] = {}


def register(
    schedule_type: str,
    factory: Callable[[ScheduleDefinition], Plan],
    *,
    fields: Collection[str] = TIMING_FIELDS,
) -> None:
    """Register a schedule type.

    `fields` are the timing fields it may use; those it cannot do without the factory
    asks for with `required()`. Raises ValueError when the type is registered already,
    or for an unknown timing field.
    """
    if schedule_type in _TYPES:
        raise ValueError(f"Schedule type {schedule_type} is registered already")
    if unknown := set(fields).difference(TIMING_FIELDS):
        raise ValueError(f"Unknown timing fields: {', '.join(sorted(unknown))}")
    _TYPES[schedule_type] = _ScheduleType(factory=factory, fields=frozenset(fields))


def schedule_types() -> tuple[str, ...]:
    """Give the registered types."""
    return tuple(_TYPES)


def required[T](value: T | None, field: str) -> T:
    """Give the value of a field that a type cannot do without, or raise ScheduleError."""
    if value is None:
        raise ScheduleError(field, ErrorCode.MISSING)
    return value


def plan_for(definition: ScheduleDefinition) -> Plan:
    """Make the plan of a definition.

    Raises ScheduleError for an unknown type, a timing field that the type does not use,
    one that it misses, and for what the plan itself refuses (R-B65, R-B68).
    """
    known = _TYPES.get(definition.schedule_type)
    if known is None:
        words = {"value": definition.schedule_type, "known": ", ".join(_TYPES)}
        raise ScheduleError("schedule_type", ErrorCode.UNKNOWN_WORD, words)
    for field in TIMING_FIELDS:
        if field not in known.fields and getattr(definition, field) is not None:
            raise ScheduleError(
                field,
                ErrorCode.NOT_FOR_TYPE,
                {"schedule_type": definition.schedule_type},
            )
    return known.factory(definition)


def between(plan: Plan, after: datetime, until: datetime, limit: int) -> list[Moment]:
    """Give the moments in (after, until], in order, at most `limit` of them."""
    moments: list[Moment] = []
    while len(moments) < limit:
        moment = plan.after(after)
        if moment is None or moment.at > until:
            break
        moments.append(moment)
        after = moment.at
    return moments
