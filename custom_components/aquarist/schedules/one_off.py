"""Schedules of type one_off: a single instant (R-B10)."""

from datetime import datetime

from ..frozen import frozen
from .definition import ScheduleDefinition
from .moments import Moment
from .plan import register, required


@frozen
class OneOffPlan:
    """One moment, `at` (aware UTC), which may be in the past."""

    at: datetime

    def after(self, instant: datetime) -> Moment | None:
        """Give the moment while it is still ahead."""
        return Moment(at=self.at) if self.at > instant else None


def _plan(definition: ScheduleDefinition) -> OneOffPlan:
    """Make the plan of a definition."""
    return OneOffPlan(at=required(definition.start_time, "start_time"))


register("one_off", _plan, fields={"start_time"})
