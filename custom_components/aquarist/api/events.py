"""Puts what the engine announces on Home Assistant's bus, for automations and the logbook."""

from collections.abc import Callable, Mapping
from typing import Any

from homeassistant.core import Context, HomeAssistant

from ..commands.command import Command
from ..engine.changes import (
    Change,
    CommandChanged,
    DoseChanged,
    ModeProgressed,
    OccurrenceChanged,
)
from ..engine.engine import Engine
from ..store.runs import RunRow
from .progress import Progress
from .renewals import Renewals
from .serializers import (
    WRITE_ACTION,
    bounded,
    command_record,
    dose_record,
    occurrence_record,
    progress_record,
)
from .write_action_records import write_action_record

EVENT_COMMAND = "aquarist_command"
EVENT_DOSE = "aquarist_dose"
EVENT_MODE = "aquarist_mode"
EVENT_OCCURRENCE = "aquarist_occurrence"
EVENT_WRITE_ACTION = "aquarist_write_action"


def async_forward(hass: HomeAssistant, engine: Engine) -> Callable[[], None]:
    """Fire an event for each change of a status until the returned function is called.

    The payload is the record of the surface, bounded (R-C56); the context is that of the
    request, so that the logbook knows who asked.
    """
    # What the recovery has settled since is news.
    commands = Progress(lambda words: words.command, engine.found)
    actions = Progress(lambda words: words.write_action, engine.found)
    renewals = Renewals()
    asked = {one.key: one for one in engine.records.open}

    def fire(
        name: str, record: Mapping[str, Any], cause: Command | RunRow | None
    ) -> None:
        context = Context(user_id=cause.user, id=cause.context) if cause else None
        hass.bus.async_fire(name, bounded(record), context=context)

    def forward(change: Change) -> None:
        match change:
            case CommandChanged(command=command):
                device = engine.devices.get(command.device)
                silent = renewals.is_silent(command, asked.values())
                asked[command.key] = command
                if commands.is_news(command) and not silent:
                    fire(EVENT_COMMAND, command_record(command, device), command)
                if command.action == WRITE_ACTION and actions.is_news(command):
                    uuid = device.row.uuid if device else None
                    record = write_action_record(command, uuid)
                    fire(EVENT_WRITE_ACTION, record, command)
                if command.final:
                    del asked[command.key]
            case DoseChanged(dose=dose):
                device = engine.devices.get(dose.device)
                fire(EVENT_DOSE, dose_record(dose, device), asked.get(dose.key))
            case ModeProgressed(run=run):
                fire(EVENT_MODE, progress_record(change), run)
            case OccurrenceChanged(schedule=schedule):
                planned = engine.planner.get(schedule)
                fire(EVENT_OCCURRENCE, occurrence_record(change, planned), None)

    return engine.listen(forward)
