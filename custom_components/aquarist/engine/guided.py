"""Guided calibration: the pump runs, the keeper measures, and both go on step by step.

The run waits for its keeper, for half an hour at most, and over a restart of the engine.
There is one for a head at a time. What it pumps goes the way of everything that is pumped.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, cast

from ..devices.device import DeviceKind, DoserDevice
from ..dosing.calibration import FURTHEST_OFF
from ..dosing.volume import millilitres
from ..frozen import frozen
from ..runs.calibration import KEEPER_WORDS, Answer, Calibration, Stage
from ..runs.records import Outcome
from ..runs.states import StepState
from ..runs.steps import AskStep, CalibrateStep, CommandStep, StepKind
from ..schedules.errors import Expected, wrong_type
from ..store.errors import StoreError
from ..store.runs import RunRow, StepRow
from .calibrations import Calibrations
from .containers import check_head
from .errors import EngineError
from .intake import Origin
from .live_runs import LiveRun
from .run_steps import DONE, Find, RunSteps, outcome_of
from .runs import RunRequest, Runs
from .state import DeviceState

CALIBRATION = "calibration"
_INTO_THE_GLASS = frozenset({Stage.RUN, Stage.MEASURE, Stage.STORE})
PATIENCE = 60.0
"""How many seconds an answer waits for the pump before it tells where the run is."""


@frozen
class Guide:
    """Where a guided run is: what it waits for, and what failed last, if something did."""

    run: RunRow
    stage: Stage
    answers: tuple[str, ...]
    error_code: str | None = None
    error: str | None = None


class Guided:
    """The guided runs of all heads."""

    def __init__(
        self,
        runs: Runs,
        steps: RunSteps,
        calibrations: Calibrations,
        find: Find,
        background: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        """Say how the run goes on, and how its own step is carried out."""
        self._background = background
        self._runs = runs
        self._steps = steps
        self._calibrations = calibrations
        self._find = find
        runs.register(CALIBRATION, _program)
        steps.register(StepKind.CALIBRATE, self._calibrate)

    def under_way(self, device: DeviceState, head: int) -> LiveRun | None:
        """Return the guided run of a head."""
        return self._of_head(device.row.number, head)

    def measuring(self, device: int, head: int) -> bool:
        """Return whether a head of a device, by its number, runs into a measuring glass now."""
        run = self._of_head(device, head)
        return run is not None and _stage(run) in _INTO_THE_GLASS

    def run_stopped(self, device: DeviceState, head: int) -> None:
        """End a guided run of which less came out than is reckoned with."""
        run = self._of_head(device.row.number, head)
        if run is not None and _stage(run) in _INTO_THE_GLASS:
            self._background(self._stopped(run.id))

    async def _stopped(self, run: int) -> None:
        """End a guided run, unless that has happened meanwhile."""
        with suppress(EngineError, StoreError):
            await self._runs.cancel(run, error="stopped")

    def _of_head(self, device: int, head: int) -> LiveRun | None:
        """Return the guided run of a head."""
        subject = _subject(device, head)
        for run in self._runs.live:
            if (run.row.kind, run.row.subject) == (CALIBRATION, subject):
                return run
        return None

    async def start(self, device: DeviceState, head: int, origin: Origin) -> Guide:
        """Let a head run, anew where a guided run waits for its keeper.

        Raises EngineError naming what is wrong, StoreError.
        """
        check_head(device, head)
        if (waiting := self.under_way(device, head)) is not None:
            return await self._answer(waiting.id, Answer.START)
        guide = Calibration(device_id=device.row.uuid, head_index=head)
        run = await self._runs.start(
            RunRequest(
                kind=CALIBRATION,
                name=f"{device.row.name} {head + 1}",
                definition=guide.as_json(),
                origin=origin,
                subject=_subject(device.row.number, head),
            )
        )
        return await self._at_rest(run.id)

    async def measured(self, run: int, measured_ml: float) -> Guide:
        """Take what came out, in millilitres; it is stored, and told to the pump.

        Raises EngineError `out_of_range`, `run_expects_other`, `run_expects_nothing`,
        `run_is_final`; StoreError.
        """
        guide = cast(Calibration, (await self._runs.find_live(run)).program)
        expected = self._expected(guide)
        volume = round(measured_ml * 1000)
        if not expected <= volume * FURTHEST_OFF or volume > expected * FURTHEST_OFF:
            raise EngineError(
                "out_of_range",
                field="measured_ml",
                minimum=millilitres(expected) / FURTHEST_OFF,
                maximum=millilitres(expected) * FURTHEST_OFF,
            )
        return await self._answer(run, Answer.MEASURED, {"measured": volume})

    async def test_dose(self, run: int) -> Guide:
        """Give the test dose. Raises EngineError, StoreError."""
        return await self._answer(run, Answer.TEST)

    async def finish(self, run: int, *, ok: bool) -> Guide:
        """End the run, or have it wait for a new start. Raises EngineError, StoreError."""
        return await self._answer(run, Answer.ACCEPT if ok else Answer.REJECT)

    async def cancel(self, run: int) -> Guide:
        """End the run; a calibration that was stored stays. Raises EngineError, StoreError."""
        await self._runs.cancel(run)
        return await self.guide(run)

    async def guide(self, run: int) -> Guide:
        """Return where a guided run is, also when it has ended. Raises EngineError."""
        row, steps = await self._runs.get(run)
        return _guide(row, steps)

    async def _answer(
        self, run: int, answer: Answer, data: Mapping[str, Any] | None = None
    ) -> Guide:
        """Give an answer, and return where the run is once it waits again."""
        await self._runs.answer(run, answer, data, words=KEEPER_WORDS)
        return await self._at_rest(run)

    async def _at_rest(self, run: int) -> Guide:
        """Return where a run is when it waits, has ended, or after a while anyhow."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._runs.at_rest(run)
        return await self.guide(run)

    def _expected(self, guide: Calibration) -> int:
        """Return the microlitres that the run should have given. Raises EngineError."""
        device = self._find(guide.device_id)
        check_head(device, guide.head_index)
        heads = cast(DoserDevice, device.device).heads
        return round(heads[guide.head_index].flow * guide.seconds)

    async def _calibrate(
        self, run: LiveRun, step: CalibrateStep, resumed: bool
    ) -> Outcome:
        """Keep what was measured; a pump with a mind of its own is told first."""
        device = self._find(step.device_id)
        await self._steps.attached(run, device)
        check_head(device, step.head_index)
        port = cast(DoserDevice, device.device)
        if port.kind is DeviceKind.CHIHIROS_DOSER:
            told = outcome_of(await self._steps.sent(run, device, _told(step)))
            if told.state is not StepState.COMPLETED:
                return told
        await self._calibrations.measured(
            device,
            step.head_index,
            asked=round(port.heads[step.head_index].flow * step.ran_for),
            measured=step.measured,
            user=run.row.user,
        )
        return DONE


def _told(step: CalibrateStep) -> CommandStep:
    """Return what tells a pump how much it gave."""
    return CommandStep(
        device_id=step.device_id,
        action="calibrate_head",
        args={
            "head_index": step.head_index,
            "measured_ml": millilitres(step.measured),
        },
    )


def _guide(row: RunRow, steps: list[StepRow]) -> Guide:
    """Return where a run is by its rows."""
    live = LiveRun(row=row, program=_program(row.definition), steps=steps)
    program = cast(Calibration, live.program)
    ended = live.records
    asked: frozenset[str] = frozenset()
    if ended and ended[-1].under_way:
        ended = ended[:-1]
        what = program.after(ended)
        asked = what.answers if isinstance(what, AskStep) else asked
    last = ended[-1] if ended else None
    return Guide(
        run=row,
        stage=program.stage(ended),
        answers=tuple(sorted(asked)),
        error_code=row.error_code or (last.error_code if last else None),
        error=row.error or (last.error if last else None),
    )


def _program(data: Mapping[str, Any]) -> Calibration:
    """Read the program of a guided run. Raises ScheduleError."""
    try:
        return Calibration(**data)
    except TypeError as error:
        raise wrong_type("definition", Expected.MAPPING) from error


def _subject(device: int, head: int) -> str:
    """Return what a guided run is about."""
    return f"{device}/{head}"


def _stage(run: LiveRun) -> Stage:
    """Return where a live run is."""
    ended = run.records if run.under_way is None else run.records[:-1]
    return cast(Calibration, run.program).stage(ended)
