"""Events: how doses ended, and what became of the plan's moments."""

from typing import override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import AquaristConfigEntry
from .dosing.ledger import DoseState
from .dosing.volume import millilitres
from .engine.changes import Change, DoseChanged, OccurrenceChanged
from .entity import AquaristEntity, any_of
from .store.occurrences import Verdict
from .subject_entities import with_each
from .subjects import Aquarium, Head

PARALLEL_UPDATES = 0

STARTED = "started"
RESULTS = (DoseState.GIVEN, DoseState.PARTLY, DoseState.NOT_GIVEN, DoseState.UNKNOWN)

DOSE = EventEntityDescription(
    key="dose_result",
    translation_key="dose_result",
    event_types=[result.value for result in RESULTS],
)
OCCURRENCE = EventEntityDescription(
    key="occurrence",
    translation_key="occurrence",
    event_types=[STARTED, *(verdict.value for verdict in Verdict)],
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AquaristConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the events of heads and of the aquarium."""
    with_each(hass, entry, async_add_entities, Head, lambda head: [DoseEvent(head)])
    with_each(
        hass,
        entry,
        async_add_entities,
        Aquarium,
        lambda aquarium: [OccurrenceEvent(aquarium)],
    )


class DoseEvent(AquaristEntity[Head], EventEntity):
    """Tells how each dose of a head ended, and what became of an unknown one later."""

    def __init__(self, head: Head) -> None:
        """Hear of the head's doses."""
        super().__init__(head, DOSE, any_of(DoseChanged))

    @callback
    @override
    def _changed(self, change: Change) -> None:
        """Tell of a dose whose end is known, or known to be unknown."""
        if isinstance(change, DoseChanged) and change.dose.state in RESULTS:
            dose = change.dose
            given = None if dose.given is None else millilitres(dose.given)
            self._trigger_event(
                dose.state, {"volume": millilitres(dose.volume), "given": given}
            )
            self._show()


class OccurrenceEvent(AquaristEntity[Aquarium], EventEntity):
    """Tells of every due moment of an aquarium's schedules."""

    def __init__(self, aquarium: Aquarium) -> None:
        """Hear of the moments."""
        super().__init__(aquarium, OCCURRENCE, any_of(OccurrenceChanged))

    @callback
    @override
    def _changed(self, change: Change) -> None:
        """Tell of a moment that began or got its verdict."""
        if not isinstance(change, OccurrenceChanged):
            return
        planned = self.engine.planner.get(change.schedule)
        self._trigger_event(
            change.verdict or STARTED,
            {
                "schedule_id": change.schedule,
                "schedule": planned.row.name if planned is not None else None,
                "at": change.at,
                "reason": change.reason,
            },
        )
        self._show()
