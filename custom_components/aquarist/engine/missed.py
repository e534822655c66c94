"""Doses that were missed while nobody was there, and that the keeper decides about (RES-67).

Nothing is given late by itself. The decision is written down once, together with the dose:
answering twice gives nothing twice.
"""

from collections.abc import Callable
from sqlite3 import Connection

from ..commands.command import Command, Source, changed
from ..store import commands as command_rows, occurrences
from ..store.occurrences import Verdict
from .changes import OccurrenceChanged
from .due import Waiting
from .errors import EngineError, SafetyRefusedError
from .gate import Gate
from .ground import Ground
from .intake import Origin, Request, check_dose, command_of
from .planner import Planner

GIVEN = "given_by_keeper"
LEFT_OUT = "left_out_by_keeper"


class _Decided(Exception):
    """Somebody else has decided meanwhile."""


class Missed:
    """The missed moments of schedules that ask."""

    def __init__(
        self,
        ground: Ground,
        gate: Gate,
        planner: Planner,
        enter: Callable[[Command], None],
    ) -> None:
        """Look into the planner; `enter` routes an accepted command to its place."""
        self._clock = ground.clock
        self._journal = ground.journal
        self._records = ground.records
        self._announcer = ground.announcer
        self._devices = ground.devices
        self._settings = ground.settings
        self._gate = gate
        self._planner = planner
        self._enter = enter

    @property
    def waiting(self) -> tuple[Waiting, ...]:
        """Return what the keeper has not decided yet, of schedules that still exist."""
        return tuple(
            one
            for one in self._planner.waiting.values()
            if self._planner.get(one.schedule) is not None
        )

    async def decide(
        self, occurrence: int, *, give: bool, user: str | None
    ) -> list[Command]:
        """Give one dose for all moments that were missed, or none.

        Returns the commands of the dose, one for each device of the schedule. Raises
        EngineError, and StoreError; nothing is decided then.
        """
        waiting = self._planner.waiting.get(occurrence)
        if waiting is None:
            raise _not_waiting(occurrence)
        commands = self._doses(waiting, user) if give else []
        reason = GIVEN if give else LEFT_OUT

        def unit(connection: Connection) -> list[Command]:
            if not occurrences.decide(connection, occurrence, reason):
                raise _Decided
            return [
                command_rows.insert(connection, changed(one, occurrence=occurrence))[0]
                for one in commands
            ]

        def committed(stored: list[Command]) -> None:
            self._planner.waiting.pop(occurrence, None)
            self._announcer.announce(
                OccurrenceChanged(
                    occurrence=occurrence,
                    schedule=waiting.schedule,
                    at=waiting.at.isoformat(),
                    verdict=Verdict.MISSED.value,
                    reason=reason,
                )
            )
            for command in stored:
                self._records.enter(command)
                self._enter(command)

        try:
            return await self._journal.commit(unit, committed)
        except _Decided as error:
            raise _not_waiting(occurrence) from error

    def _doses(self, waiting: Waiting, user: str | None) -> list[Command]:
        """Return the dose that the schedule gives now. Raises EngineError."""
        planned = self._planner.get(waiting.schedule)
        definition = planned.definition if planned is not None else None
        if definition is None:
            raise EngineError(
                "schedule_not_found", field="schedule_id", id=waiting.schedule
            )
        now = self._clock.now()
        args = {
            name: definition.action_params[name] for name in ("head_index", "volume_ml")
        }
        origin = Origin(source=Source.SCHEDULE, schedule=waiting.schedule, user=user)
        request = Request(action="dose", args=args, origin=origin)
        commands = []
        for number in definition.device_ids:
            device = self._devices.get(number)
            if device is None:
                raise EngineError("device_not_found", field="device_ids", id=number)
            commands.append(command_of(device, request, now, self._settings.current))
            refusal = self._gate.refusal(device, *check_dose(device, args), now)
            if refusal is not None:
                raise SafetyRefusedError(refusal)
        return commands


def _not_waiting(occurrence: int) -> EngineError:
    """Return the error for a moment that nobody has to decide about."""
    return EngineError("occurrence_not_waiting", field="occurrence_id", id=occurrence)
