"""The doses that the steps of a macro give: as commands, or by actions of Home Assistant."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from ..commands.actions import ACTIONS
from ..commands.phases import Kind
from ..dosing.volume import VolumeError, microlitres
from ..frozen import frozen
from ..runs.definition import RunDefinition
from ..runs.steps import CommandStep, ServiceStep, Step
from .errors import EngineError
from .state import DeviceState

DOSES = frozenset(name for name, spec in ACTIONS.items() if spec.kind is Kind.DOSE)


@frozen
class StepDose:
    """A dose of a head; ``volume`` is in microlitres, None where it cannot be told.

    ``said_in`` is the part of the step that makes it a dose with this head.
    """

    device: DeviceState
    head: int
    volume: int | None
    said_in: str


class MacroDoses:
    """Finds them, as devices and entities are now (law 7)."""

    def __init__(self, find: Callable[[str | int], DeviceState]) -> None:
        """Find devices; ``called`` tells what a call gives, once Home Assistant is known."""
        self._find = find
        self.called: Callable[[ServiceStep], Iterable[StepDose]] = lambda step: ()

    def of(self, definition: RunDefinition) -> Iterator[tuple[str, StepDose]]:
        """Yield the doses of a sequence, each with the field that makes it one.

        A device that is not there any more gives none.
        """
        for number, step in enumerate(definition.sequence):
            for dose in self._of_step(step):
                yield f"sequence.{number}.{step.kind}.{dose.said_in}", dose

    def _of_step(self, step: Step) -> Iterable[StepDose]:
        """Return the doses of one step."""
        match step:
            case CommandStep(action=action, args=args) if action in DOSES:
                with suppress(EngineError):
                    device = self._find(step.device_id)
                    return asked_dose(device, args, said_in="args.head_index")
            case ServiceStep():
                return self.called(step)
        return ()


def asked_dose(device: DeviceState, args: Any, *, said_in: str) -> list[StepDose]:
    """Return the dose that the arguments of the action ask for; none without a head."""
    match args:
        case {"head_index": int(head)}:
            try:
                volume = microlitres(args.get("volume_ml"))
            except VolumeError:
                volume = None
            return [StepDose(device=device, head=head, volume=volume, said_in=said_in)]
    return []
