"""Where a mode is, read from the rows of its run alone (law 6: what is left is elapsed time)."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from ..frozen import frozen
from ..runs.mode import ModeDefinition, ModeProgram, Stage
from ..runs.states import StepState
from ..runs.steps import DelayStep, HoldStep, ModeStep, ReleaseStep
from ..store.runs import StepRow
from .clock import Clock
from .deadlines import Deadline
from .live_runs import LiveRun

LATEST_END = "latest_end"
"""Under this name the run of a mode remembers its latest end."""
_ADJUSTED = timedelta(seconds=2)


@frozen
class ModeTrouble:
    """A step of a mode that failed: its device, where it has one, and why."""

    step: int
    device_id: str | None
    error_code: str | None
    error: str | None


@frozen
class ModeStatus:
    """The mode that an aquarium is in.

    ``ends_at`` is when the countdown is over, ``seconds_left`` how long that takes; both are
    None where none is under way. At ``latest_end`` everything comes back. Instants are aware
    UTC, by the elapsed time that is left. ``held`` are the UUIDs of the devices that have not
    been given back.
    """

    aquarium: str
    mode: str
    run: int
    stage: Stage
    started_at: datetime
    ends_at: datetime | None
    seconds_left: float | None
    latest_end: datetime
    definition: ModeDefinition
    troubles: tuple[ModeTrouble, ...]
    held: tuple[str, ...]


def begun_with(clock: Clock, definition: ModeDefinition) -> dict[str, Any]:
    """Return what the run of a mode that begins now remembers."""
    seconds = definition.latest_end_minutes * 60
    return {LATEST_END: Deadline.after(clock, seconds).as_json()}


def program_of(run: LiveRun) -> ModeProgram:
    """Return what knows the steps of a mode."""
    return cast(ModeProgram, run.program)


def stage_of(run: LiveRun) -> Stage:
    """Return where a mode is; its countdown counts from when that is on disk."""
    ended = [record for record in run.records if not record.under_way]
    stage = program_of(run).stage(ended)
    begins = stage is Stage.COUNTDOWN and run.under_way is None
    return Stage.STARTING if begins else stage


def has_opened(run: LiveRun) -> bool:
    """Return whether a mode holds what it begins with: the step after that is on disk."""
    return len(run.steps) > program_of(run).definition.opening


def latest_end_in(run: LiveRun, clock: Clock) -> float:
    """Return the seconds until everything comes back; what was added to the countdown counts."""
    left = _deadline(run.row.data[LATEST_END]).left(clock)
    for row, _, step in _steps(run):
        if isinstance(step, DelayStep) and step.countdown and row.deadline is not None:
            left += _deadline(row.deadline).seconds - step.seconds
    return left


def status_of(run: LiveRun, clock: Clock) -> ModeStatus:
    """Return where a mode is, for whoever shows it."""
    ends_at = left = None
    stage, row = stage_of(run), run.under_way
    if stage is Stage.COUNTDOWN and row is not None and row.deadline is not None:
        deadline = _deadline(row.deadline)
        left = max(deadline.left(clock), 0.0)
        ends_at = _instant(deadline, clock)
    latest = clock.now() + timedelta(seconds=latest_end_in(run, clock))
    return ModeStatus(
        aquarium=run.row.subject or "",
        mode=run.row.name,
        run=run.id,
        stage=stage,
        started_at=run.row.started_at,
        ends_at=ends_at,
        seconds_left=left,
        latest_end=latest,
        definition=program_of(run).definition,
        troubles=tuple(_troubles(run)),
        held=_held(run),
    )


def _instant(deadline: Deadline, clock: Clock) -> datetime:
    """Return when a deadline is over by the wall clock, the same each time it is asked.

    After the clock was set it is another instant: what is left stays as long.
    """
    planned = deadline.since.wall + timedelta(seconds=deadline.seconds)
    shown = clock.now() + timedelta(seconds=deadline.left(clock))
    return planned if abs(shown - planned) < _ADJUSTED else shown


def _steps(run: LiveRun) -> Iterator[tuple[StepRow, int, ModeStep]]:
    """Yield the rows of a run with place and step of the definition that they belong to."""
    program = program_of(run)
    ended = [record for record in run.records if not record.under_way]
    places = program.places(ended)
    for row, place in zip(run.steps, places, strict=False):
        yield row, place, program.definition.steps[place]


def _held(run: LiveRun) -> tuple[str, ...]:
    """Return the UUIDs of the devices that a mode holds by now, each once, in their order."""
    held: list[HoldStep] = []
    for row, _, step in _steps(run):
        if row.state != StepState.COMPLETED:
            continue
        if isinstance(step, HoldStep):
            held.append(step)
        elif isinstance(step, ReleaseStep):
            held = [one for one in held if not _lets_go(step, one)]
    return tuple(dict.fromkeys(step.device_id for step in held))


def _lets_go(release: ReleaseStep, hold: HoldStep) -> bool:
    """Return whether a step gives back what another one holds."""
    fields = (None, hold.field_name)
    return release.device_id == hold.device_id and release.field_name in fields


def _troubles(run: LiveRun) -> Iterator[ModeTrouble]:
    """Yield what failed, each with its place in the definition."""
    for row, place, step in _steps(run):
        if row.state == StepState.FAILED:
            yield ModeTrouble(
                step=place,
                device_id=getattr(step, "device_id", None),
                error_code=row.error_code,
                error=row.error,
            )


def _deadline(data: Mapping[str, Any]) -> Deadline:
    """Return a deadline as it was written."""
    return Deadline.from_json(data)
