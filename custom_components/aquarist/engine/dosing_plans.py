"""Which schedules dose with which heads: themselves, or by the macro that they start."""

from collections.abc import Callable, Iterable, Iterator

from ..dosing.volume import microlitres
from ..schedules.actions import ActionType
from ..schedules.definition import ScheduleDefinition
from ..schedules.plan import Plan
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
        for planned, definition, _ in self._live():
            if self.dose(definition, device.row.number, head):
                return planned.row.name
        return None

    def dose(self, definition: ScheduleDefinition, device: int, head: int) -> bool:
        """Return whether a schedule doses with a head of a device, by its number."""
        return any(key == (device, head) for key, _ in self._doses(definition))

    def volumes(self, device: int, head: int) -> Iterator[tuple[Plan, int]]:
        """Yield the plans that dose with a head, each with the microlitres of one dose.

        A macro has all its doses when it is begun. One whose volume cannot be told is left out.
        """
        for _, definition, plan in self._live():
            for key, volume in self._doses(definition):
                if key == (device, head) and volume is not None:
                    yield plan, volume

    def starts(self, name: str, macro: int | None) -> bool:
        """Return whether a schedule starts the macro of a name, or of a number."""
        return any(
            definition.action_type is ActionType.MACRO
            and definition.action_params["macro"] in (name, macro)
            for _, definition, _ in self._live()
        )

    def _live(self) -> Iterator[tuple[Planned, ScheduleDefinition, Plan]]:
        """Yield the schedules that are on."""
        for planned in self._schedules():
            if planned.live is not None:
                yield planned, *planned.live

    def _doses(
        self, definition: ScheduleDefinition
    ) -> Iterator[tuple[HeadKey, int | None]]:
        """Yield the doses of each moment of a schedule: the head, and the microlitres."""
        params = definition.action_params
        if definition.action_type is ActionType.MACRO:
            for dose in self._macros.doses(definition):
                yield (dose.device.row.number, dose.head), dose.volume
        elif definition.action_type is ActionType.DOSE:
            volume = microlitres(params["volume_ml"])
            for number in definition.device_ids:
                yield (number, params["head_index"]), volume
