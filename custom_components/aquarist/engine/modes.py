"""Modes of an aquarium: feeding, maintenance and the keeper's own, as runs plus claims.

A mode under way is a run of its own kind whose subject is the aquarium; what it holds are
claims that carry the run's number. The newest run of an aquarium is its mode: an older one
ends as soon as the newer holds what it begins with, so that nothing flickers in between.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from contextlib import suppress
from datetime import datetime
import logging
from typing import Any

from ..runs.mode import MINUTE, ModeDefinition, ModeProgram, Stage
from ..runs.mode_definition import (
    LONGEST_MINUTES,
    SHORTEST_MINUTES,
    mode_json,
    parse_mode,
)
from ..runs.steps import Mode as Concurrency
from ..store.errors import StoreError
from .agenda import RESOLUTION
from .arbiter import Arbiter
from .changes import Change, ModeChanged, ModeProgressed, Progress, RunChanged
from .errors import EngineError
from .ground import Ground
from .history import History
from .intake import Origin
from .live_runs import LiveRun
from .mode_definitions import MODE, ModeDefinitions
from .mode_holds import ModeHolds
from .mode_status import (
    ModeStatus,
    begun_with,
    has_opened,
    latest_end_in,
    stage_of,
    status_of,
)
from .run_steps import Find, RunSteps
from .runs import SUPERSEDED, RunRequest, Runs
from .windows import Windows

_LOGGER = logging.getLogger(__name__)

ENDED = "mode_ended"
LATEST_END = "mode_latest_end"
MOST_AT_ONCE = 10
"""How many modes of an aquarium may be on their way to replace each other."""


class Modes:
    """Starts modes, ends them, and sees to it that what they held comes back."""

    def __init__(
        self,
        ground: Ground,
        runs: Runs,
        steps: RunSteps,
        windows: Windows,
        arbiter: Arbiter,
        history: History,
        *,
        find: Find,
        background: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        """Follow the runs of this kind."""
        self._clock = ground.clock
        self._agenda = ground.agenda
        self._announcer = ground.announcer
        self._runs = runs
        self._background = background
        self.definitions = ModeDefinitions(ground, find, self._announce)
        self._holds = ModeHolds(
            ground,
            steps,
            windows,
            arbiter,
            history,
            find,
            lambda run: latest_end_in(run, ground.clock),
        )
        self._told: dict[str, ModeChanged] = {}
        # One longer countdown after the other: each goes by what the last one came to.
        self._extending = asyncio.Lock()
        runs.register(MODE, lambda data: ModeProgram(definition=parse_mode(data)))
        ground.agenda.on(MODE, self._latest_end_due)
        ground.agenda.on_sweep(self._look)
        ground.announcer.listen(self._heard, RunChanged)

    def start_up(self) -> None:
        """Go on with the modes of an earlier life; what ended there is let go of here."""
        under_way = {live.id for live in self._runs.live}
        for command in self._holds.all:
            if command.run is not None and command.run not in under_way:
                self._holds.let_go(command.run)
        self._look()

    def status(self, aquarium: str) -> ModeStatus | None:
        """Return the mode that an aquarium is in; None is normal."""
        live = self._newest(aquarium)
        return None if live is None else status_of(live, self._clock)

    async def start(
        self,
        aquarium: str,
        name: str,
        origin: Origin,
        *,
        minutes: float | None = None,
    ) -> ModeStatus:
        """Start a mode, also in place of the present one; it is on disk when this returns.

        ``minutes`` is how long its countdown lasts this time. Raises EngineError
        `mode_not_found`, `mode_invalid`, `mode_holds_nothing`, `out_of_range`, `run_maximum`;
        StoreError.
        """
        definition = self.definitions.startable(aquarium, name)
        if minutes is not None:
            definition = _lasting(definition, minutes)
        stored = self.definitions.get(aquarium, name).row
        row = await self._runs.start(
            RunRequest(
                kind=MODE,
                name=definition.name,
                definition=mode_json(definition),
                origin=origin,
                mode=Concurrency.PARALLEL,
                maximum=MOST_AT_ONCE,
                definition_id=None if stored is None else stored.id,
                subject=aquarium,
                data=begun_with(self._clock, definition),
            )
        )
        live = next(live for live in self._runs.live if live.id == row.id)
        return self._progressed(live, Progress.BEGAN)

    async def end(self, aquarium: str) -> None:
        """Begin the staged return now; a second time, give everything back at once.

        Does nothing in normal. Raises StoreError, and the mode goes on.
        """
        live = self._newest(aquarium)
        if live is None:
            return
        if stage_of(live) is Stage.RETURNING:
            await self.normal(aquarium)
            return
        while live is self._newest(aquarium) and stage_of(live) is not Stage.RETURNING:
            try:
                await self._runs.skip(live.id)
            except EngineError:
                # A step that takes no time is under way.
                await live.change()

    async def normal(self, aquarium: str) -> None:
        """End whatever mode an aquarium is in, and give everything back at once.

        Raises StoreError, and what had not ended goes on.
        """
        for live in self._live(aquarium):
            await self._cancel(live, ENDED)

    async def extend(self, aquarium: str, minutes: float) -> ModeStatus:
        """Let the countdown last longer, and what it holds as well.

        Raises EngineError `mode_not_counting`, `out_of_range`; StoreError.
        """
        async with self._extending:
            live = _counting(self._newest(aquarium))
            longest = LONGEST_MINUTES - latest_end_in(live, self._clock) / MINUTE
            _within("minutes", minutes, longest)
            seconds = minutes * MINUTE
            # What is held first: a countdown must never outlast it.
            await self._holds.renew(live, seconds)
            # It may have ended meanwhile; a delay of the return is not for this.
            _counting(live)
            await self._runs.extend(live.id, seconds)
            return self._progressed(live, Progress.EXTENDED)

    def _progressed(self, live: LiveRun, progress: Progress) -> ModeStatus:
        """Announce what a mode has come to; return where it is."""
        status = status_of(live, self._clock)
        self._announcer.announce(
            ModeProgressed(
                run=live.row,
                progress=progress,
                ends_at=status.ends_at,
                latest_end=status.latest_end,
            )
        )
        return status

    # How modes go on

    def _live(self, aquarium: str) -> list[LiveRun]:
        """Return the modes of an aquarium that have not ended, oldest first."""
        return [
            live
            for live in self._runs.live
            if live.row.kind == MODE
            and live.row.subject == aquarium
            and not live.ending
        ]

    def _newest(self, aquarium: str) -> LiveRun | None:
        """Return the mode that an aquarium is in."""
        return next(reversed(self._live(aquarium)), None)

    def _heard(self, change: Change) -> None:
        """Follow the runs of this kind."""
        if not isinstance(change, RunChanged) or change.run.kind != MODE:
            return
        run, aquarium = change.run, change.run.subject or ""
        if run.ended_at is not None:
            self._agenda.remove(MODE, run.id)
            self._holds.let_go(run.id)
            self._announcer.announce(ModeProgressed(run=run, progress=Progress.ENDED))
        self._follow(aquarium)

    def _look(self) -> None:
        """Follow every aquarium: time has passed, and a clock may have been set."""
        modes = [live for live in self._runs.live if live.row.kind == MODE]
        for live in modes:
            if live.over:
                # Its end is not on disk yet; giving back does not wait for that (law 2).
                self._holds.let_go(live.id)
        for aquarium in {live.row.subject or "" for live in modes}:
            self._follow(aquarium)

    def _follow(self, aquarium: str) -> None:
        """Watch the latest end of a mode, end what it replaces, and tell what is news."""
        newest = self._newest(aquarium)
        if newest is not None:
            self._watch(newest)
            if has_opened(newest):
                for older in self._live(aquarium)[:-1]:
                    self._background(self._ended(older, SUPERSEDED))
        self._tell(aquarium)

    def _watch(self, live: LiveRun) -> None:
        """Have the latest end of a mode watched."""
        left = max(latest_end_in(live, self._clock), 0.0)
        self._agenda.put_elapsed(MODE, live.id, left)

    def _latest_end_due(self, key: Hashable, now: datetime) -> None:
        """End a mode whose steps have taken too long: what it held has come back (law 4)."""
        for live in self._runs.live:
            if live.id != key or live.ending:
                continue
            if latest_end_in(live, self._clock) > RESOLUTION:
                self._watch(live)
            else:
                self._background(self._ended(live, LATEST_END))

    async def _ended(self, live: LiveRun, error: str) -> None:
        """End a run, now or when the next sweep finds a store that takes it."""
        try:
            await self._cancel(live, error)
        except StoreError as fault:
            _LOGGER.warning("The mode %s could not be ended: %s", live.row.name, fault)

    async def _cancel(self, live: LiveRun, error: str) -> None:
        """End a run that has not ended; what it held is let go of with its end."""
        # What has ended meanwhile needs no end.
        with suppress(EngineError):
            await self._runs.cancel(live.id, error=error)

    def _tell(self, aquarium: str) -> None:
        """Announce where an aquarium is, if that is news."""
        known = self._told.get(aquarium, ModeChanged(aquarium=aquarium))
        if self._shown(aquarium) != known:
            self._announce(aquarium)

    def _announce(self, aquarium: str) -> None:
        """Announce where an aquarium is."""
        change = self._told[aquarium] = self._shown(aquarium)
        self._announcer.announce(change)

    def _shown(self, aquarium: str) -> ModeChanged:
        """Return what there is to tell of an aquarium now."""
        live = self._newest(aquarium)
        if live is None:
            return ModeChanged(aquarium=aquarium)
        status = status_of(live, self._clock)
        return ModeChanged(
            aquarium=aquarium,
            run=status.run,
            mode=status.mode,
            stage=status.stage,
            ends_at=status.ends_at,
            troubles=len(status.troubles),
            held=len(status.held) if has_opened(live) else 0,
        )


def _counting(live: LiveRun | None) -> LiveRun:
    """Return a mode whose countdown is under way. Raises EngineError `mode_not_counting`."""
    if live is None or stage_of(live) is not Stage.COUNTDOWN:
        raise EngineError("mode_not_counting", field="aquarium")
    return live


def _lasting(definition: ModeDefinition, minutes: float) -> ModeDefinition:
    """Return a mode with another countdown. Raises EngineError `out_of_range`."""
    more = definition.latest_end_minutes - definition.duration_minutes
    _within("minutes", minutes, LONGEST_MINUTES - more)
    return definition.lasting(minutes)


def _within(field: str, minutes: float, longest: float) -> None:
    """Raise EngineError unless a countdown may last so long."""
    if not SHORTEST_MINUTES <= minutes <= longest:
        raise EngineError(
            "out_of_range",
            field=field,
            minimum=f"{SHORTEST_MINUTES:g}",
            maximum=f"{longest:g}",
        )
