"""Which schedules dose with which heads: themselves, or by the macro that they start."""

from collections.abc import Callable, Iterable, Iterator

from ..schedules.actions import ActionType
from ..schedules.definition import ScheduleDefinition
from .gate import HeadKey
from .planner import Planned
from .scheduled_macros import ScheduledMacros
from .state import DeviceState


class DosingPlans:
    """Looks through all schedules that are on."""

    def __init__(
        self, schedules: Callable[[], Iterable[Planned]], macros: ScheduledMacros
    ) -> None:
        """Keep nothing: schedules and macros are as they are when somebody asks (law 7)."""
        self._schedules = schedules
        self._macros = macros

    def of_head(self, device: DeviceState, head: int) -> str | None:
        """Return the name of a schedule that doses with a head, None when there is none."""
        for planned, definition in self._live():
            if (device.row.number, head) in self._heads(definition):
                return planned.row.name
        return None

    def starts(self, name: str, macro: int | None) -> bool:
        """Return whether a schedule starts the macro of a name, or of a number."""
        return any(
            definition.action_type is ActionType.MACRO
            and definition.action_params["macro"] in (name, macro)
            for _, definition in self._live()
        )

    def _live(self) -> Iterator[tuple[Planned, ScheduleDefinition]]:
        """Yield the schedules that are on."""
        for planned in self._schedules():
            if planned.live is not None:
                yield planned, planned.live[0]

    def _heads(self, definition: ScheduleDefinition) -> Iterable[HeadKey]:
        """Return the heads that a schedule doses with."""
        if definition.action_type is ActionType.MACRO:
            return self._macros.heads(definition)
        if definition.action_type is not ActionType.DOSE:
            return ()
        head = definition.action_params["head_index"]
        return [(number, head) for number in definition.device_ids]
