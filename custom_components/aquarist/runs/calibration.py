"""The program of a guided calibration: run the pump, measure, store, test, confirm.

The pump runs for some seconds, the keeper enters what came out, that is stored, and a test
dose shows whether it is right. Between the steps of the pump the run waits for the keeper,
who may start again at every point.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from ..frozen import frozen
from .driver import Finish
from .records import StepRecord
from .states import RunState, StepState
from .steps import AskStep, CalibrateStep, CommandStep, Step

RUN_SECONDS = 5
TEST_ML = 4.0
KEEPER_SECONDS = 30 * 60.0
"""How long a guided run waits for its keeper before it ends."""


class Stage(StrEnum):
    """Where a guided calibration is."""

    RUN = "run"
    MEASURE = "measure"
    STORE = "store"
    STORED = "stored"
    TEST = "test"
    CONFIRM = "confirm"
    READY = "ready"
    DONE = "done"


class Answer(StrEnum):
    """What the keeper can say."""

    START = "start"
    MEASURED = "measured"
    TEST = "test"
    ACCEPT = "accept"
    REJECT = "reject"


KEEPER_WORDS: Mapping[str, str] = {Answer.ACCEPT: "finish", Answer.REJECT: "finish"}
"""The step by which the keeper gives an answer, where it has another name."""

STAGES: Mapping[Stage, Mapping[Answer | None, Stage]] = {
    Stage.RUN: {None: Stage.MEASURE},
    Stage.MEASURE: {Answer.MEASURED: Stage.STORE, Answer.START: Stage.RUN},
    Stage.STORE: {None: Stage.STORED},
    Stage.STORED: {
        Answer.TEST: Stage.TEST,
        Answer.ACCEPT: Stage.DONE,
        Answer.REJECT: Stage.READY,
        Answer.START: Stage.RUN,
    },
    Stage.TEST: {None: Stage.CONFIRM},
    Stage.CONFIRM: {
        Answer.ACCEPT: Stage.DONE,
        Answer.REJECT: Stage.READY,
        Answer.TEST: Stage.TEST,
        Answer.START: Stage.RUN,
    },
    Stage.READY: {Answer.START: Stage.RUN},
    Stage.DONE: {},
}

# What the keeper can do once more when it failed, and where the run waits for that.
FALL_BACK: Mapping[Stage, Stage] = {
    Stage.STORE: Stage.MEASURE,
    Stage.TEST: Stage.STORED,
}


@frozen
class Calibration:
    """A guided calibration of one head, by the seconds of its run and its test dose."""

    device_id: str
    head_index: int
    seconds: int = RUN_SECONDS
    test_ml: float = TEST_ML
    keeper_seconds: float = KEEPER_SECONDS

    def after(self, ended: Sequence[StepRecord]) -> Step | Finish:
        """Return the next step, or how the run ends."""
        failed = ended and ended[-1].state is not StepState.COMPLETED
        if failed and self.stage(ended[:-1]) not in FALL_BACK:
            last = ended[-1]
            return Finish(
                state=RunState.FAILED, error_code=last.error_code, error=last.error
            )
        stage = self.stage(ended)
        match stage:
            case Stage.RUN:
                return self._run()
            case Stage.STORE:
                return CalibrateStep(
                    device_id=self.device_id,
                    head_index=self.head_index,
                    ran_for=self.seconds,
                    measured=measured(ended),
                )
            case Stage.TEST:
                return self._test()
            case Stage.DONE:
                return Finish(state=RunState.COMPLETED)
        answers = frozenset(answer for answer in STAGES[stage] if answer is not None)
        return AskStep(answers=answers, seconds=self.keeper_seconds)

    def stage(self, ended: Sequence[StepRecord]) -> Stage:
        """Return where the run is once these steps have ended."""
        stage = Stage.RUN
        for record in ended:
            if record.state is StepState.COMPLETED:
                stage = STAGES[stage][answer_of(record)]
            else:
                stage = FALL_BACK.get(stage, stage)
        return stage

    def as_json(self) -> dict[str, Any]:
        """Write it as JSON values, which the constructor takes back."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def _run(self) -> CommandStep:
        """Return the step that lets the pump run for the time."""
        return CommandStep(
            device_id=self.device_id,
            action="calibrate_head",
            args={"head_index": self.head_index, "seconds": self.seconds},
        )

    def _test(self) -> CommandStep:
        """Return the step that gives the test dose."""
        return CommandStep(
            device_id=self.device_id,
            action="dose",
            args={"head_index": self.head_index, "volume_ml": self.test_ml},
        )


def answer_of(record: StepRecord) -> Answer | None:
    """Return what the keeper answered; None for a step that asked nothing."""
    word = (record.result or {}).get("answer")
    return None if word is None else Answer(word)


def measured(ended: Sequence[StepRecord]) -> int:
    """Return the microlitres that the keeper measured last. Raises LookupError for none."""
    for record in reversed(ended):
        result = record.result or {}
        if result.get("answer") == Answer.MEASURED:
            return int(result["measured"])
    raise LookupError("nothing was measured")
