"""Schedules of type cron: moments on the wall clock or on the real clock (RES-14)."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from .cron_expression import parse
from .definition import ScheduleDefinition
from .moments import Moment
from .plan import register, required
from .wall_clock import SECOND, instant as instant_of, offset_change, wall_time

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9990, 1, 1, tzinfo=UTC)

# More than all that any zone's offset has ever moved (25.5 hours), and less than the
# least time between two of its changes (6.9 days).
_REACH = timedelta(days=2)


class CronPlan:
    """The moments of a cron expression in a zone, `start` and `end` included (RES-36).

    With fixed hours and minutes the plan keeps to the wall clock: a time that the clock
    jumps over runs once, at the first instant after the gap; a time shown twice runs in
    the first pass. With a wildcard in hour or minute it follows the real clock: both
    passes run, missing minutes do not. Raises ScheduleError for an expression outside
    the dialect (RES-41).
    """

    def __init__(
        self,
        expression: str,
        zone: tzinfo,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> None:
        """Read the expression, once."""
        self._fields = parse(expression)
        self._zone = zone
        self._start = start
        self._end = end

    def after(self, instant: datetime) -> Moment | None:
        """Give the first moment strictly after an instant; None when the plan is over."""
        if self._start is not None and self._start > instant:
            instant = self._start - datetime.resolution
        if instant >= _LATEST:
            return None
        second = max(instant, _EARLIEST).astimezone(UTC).replace(microsecond=0)
        if self._fields.follows_real_clock:
            moment = self._on_real_clock(second + SECOND)
        else:
            moment = self._on_wall_clock(second)
        if moment is None or (self._end is not None and moment.at > self._end):
            return None
        return moment

    def _on_wall_clock(self, second: datetime) -> Moment | None:
        """Search the wall-clock times whose instant is after a second.

        Those of a gap collapse onto one instant, which is known by the first of them.
        """
        local = wall_time(second, self._zone)
        while (nominal := self._fields.following(local + SECOND)) is not None:
            if (at := instant_of(nominal, self._zone)) > second:
                return Moment(at=at, nominal=nominal.isoformat())
            local = nominal
        return None

    def _on_real_clock(self, at: datetime) -> Moment | None:
        """Search the instants from one on.

        Between two changes of the offset both clocks run alike.
        """
        while True:
            wall = wall_time(at, self._zone)
            local = self._fields.following(wall)
            if local is None:
                return None
            target = at + (local - wall)
            horizon = min(target, at + _REACH)
            if change := offset_change(at, horizon, self._zone):
                at = change
            elif horizon == target:
                return Moment(at=target)
            else:
                # No change in between can bring back a time that matches.
                at = max(horizon, target - _REACH)


def _plan(definition: ScheduleDefinition) -> CronPlan:
    """Make the plan of a definition."""
    expression = required(definition.cron_expression, "cron_expression")
    return CronPlan(
        expression,
        ZoneInfo(definition.timezone),
        definition.start_time,
        definition.end_time,
    )


register("cron", _plan, fields={"cron_expression", "start_time", "end_time"})
