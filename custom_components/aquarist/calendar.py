"""A calendar for each aquarium: the plan."""

from datetime import datetime, timedelta
from typing import override

from homeassistant.components.calendar import (
    CalendarEntity,
    CalendarEntityDescription,
    CalendarEvent,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from .data import AquaristConfigEntry
from .engine.changes import Change, DeviceChanged, MacroChanged, ScheduleChanged
from .entity import AquaristEntity, any_of
from .outlook import Entry, entries, of_aquarium, present
from .plan_words import words_of
from .subject_entities import with_each
from .subjects import Aquarium

PARALLEL_UPDATES = 0

SETTLE = timedelta(seconds=1)
"""How long changes of the plan are gathered: hundreds may come at once."""

PLAN = CalendarEntityDescription(key="plan", translation_key="plan")


async def async_setup_entry(
    hass: HomeAssistant,
    entry: AquaristConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the calendar of the aquarium."""
    with_each(
        hass,
        entry,
        async_add_entities,
        Aquarium,
        lambda aquarium: [PlanCalendar(aquarium)],
    )


class PlanCalendar(AquaristEntity[Aquarium], CalendarEntity):
    """The moments at which schedules will act on an aquarium."""

    def __init__(self, aquarium: Aquarium) -> None:
        """Hear of changes of the plan."""
        hears = any_of(ScheduleChanged, MacroChanged, DeviceChanged)
        super().__init__(aquarium, PLAN, hears)
        self._wanted = of_aquarium(aquarium.engine, aquarium.entry_id)
        self._settling: CALLBACK_TYPE | None = None

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """Return what the plan does now or next."""
        entry = present(self.engine, self._wanted)
        return None if entry is None else self._event(entry)

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return what the plan does between two instants."""
        start, end = dt_util.as_utc(start_date), dt_util.as_utc(end_date)
        return [
            self._event(entry)
            for entry in entries(self.engine, self._wanted, start, end)
        ]

    @override
    async def async_will_remove_from_hass(self) -> None:
        """Wait for no more changes."""
        await super().async_will_remove_from_hass()
        if self._settling is not None:
            self._settling()
            self._settling = None

    @callback
    @override
    def _changed(self, change: Change) -> None:
        """Show the plan once its changes have settled."""
        if self._settling is None:
            self._settling = async_call_later(self.hass, SETTLE, self._settled)

    @callback
    def _settled(self, _: datetime) -> None:
        """Show the plan as it is now."""
        self._settling = None
        self._show()

    def _event(self, entry: Entry) -> CalendarEvent:
        """Return a moment of the plan as Home Assistant shows it, in local time."""
        return CalendarEvent(
            start=dt_util.as_local(entry.start),
            end=dt_util.as_local(entry.end),
            summary=entry.name,
            description=words_of(self.engine, entry.definition),
            uid=f"{entry.schedule}/{entry.start.isoformat()}",
        )
