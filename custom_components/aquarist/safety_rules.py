"""The safety rules that a keeper listed with an aquarium, and the entities that they look at.

Nothing here judges anything: what an entity shows is told to the engine by its id.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import (
    Event,
    EventStateChangedData,
    EventStateReportedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import (
    async_track_entity_registry_updated_event,
    async_track_state_change_event,
    async_track_state_report_event,
)

from .const import (
    CONF_ABOVE,
    CONF_BELOW,
    CONF_DEVICE,
    CONF_DEVICES,
    CONF_DISAGREEMENT,
    CONF_FASTEST,
    CONF_GOOD_READINGS,
    CONF_MAXIMUM,
    CONF_MINIMUM,
    CONF_SECOND,
    CONF_STALE_MINUTES,
    CONF_WITHIN_MINUTES,
    SUBENTRY_INTERLOCK,
    SUBENTRY_SENSOR_GUARD,
)
from .devices.references import present_entity_id
from .engine.engine import Engine
from .engine.safety import Interlock, Rule, SensorGuard
from .layers.setting import Scalar
from .limits.guard import Guard
from .limits.interlock import Requirement

ON_STATES: frozenset[Scalar] = frozenset({"on", "open"})
MINUTE = 60.0


@callback
def async_follow_rules(
    hass: HomeAssistant, entry: ConfigEntry[Any], engine: Engine
) -> Callable[[], None]:
    """Give an aquarium's rules to the engine, and tell it what their entities show.

    Returns what ends the telling. The rules stay: what they hold must not move for a reload.
    """
    rules = [
        rule
        for subentry in entry.subentries.values()
        if (rule := _rule(hass, subentry)) is not None
    ]
    engine.safety.set_rules(entry.entry_id, rules)
    sources = {source for rule in rules for source in _sources(rule)}

    @callback
    def told(
        event: Event[EventStateChangedData] | Event[EventStateReportedData],
    ) -> None:
        """Tell what an entity shows now, also when it shows the same again."""
        engine.safety.seen(event.data["entity_id"], shown(event.data["new_state"]))

    ends = ExitStack()

    @callback
    def renamed(event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        """Follow the entities under their present ids."""
        data = event.data
        if data["action"] == "update" and "entity_id" in data["changes"]:
            ends.close()
            ends.callback(async_follow_rules(hass, entry, engine))

    if sources:
        ends.callback(async_track_state_change_event(hass, sources, told))
        ends.callback(async_track_state_report_event(hass, sources, told))
        ends.callback(async_track_entity_registry_updated_event(hass, sources, renamed))
    for source in sorted(sources):
        if (state := hass.states.get(source)) is not None:
            ago = engine.clock.now() - state.last_reported
            engine.safety.seen(source, shown(state), ago=max(ago.total_seconds(), 0.0))
    return ends.close


def shown(state: State | None) -> Scalar | None:
    """Return what a state tells: a number where it is one, None where it tells nothing."""
    if state is None or state.state in (STATE_UNAVAILABLE, STATE_UNKNOWN):
        return None
    try:
        return float(state.state)
    except ValueError:
        return state.state


def interlock_of(data: Mapping[str, Any]) -> Requirement:
    """Return what an interlock asks for; without a number its entity must be on.

    Raises ValueError naming the field.
    """
    reach = (data.get(CONF_WITHIN_MINUTES) or 0) * MINUTE
    above, below = data.get(CONF_ABOVE), data.get(CONF_BELOW)
    values = ON_STATES if above is None and below is None else frozenset()
    return Requirement(above=above, below=below, values=values, reach=reach)


def guard_of(data: Mapping[str, Any]) -> Guard:
    """Return what a sensor may say. Raises ValueError naming the field."""
    stale = data.get(CONF_STALE_MINUTES)
    return Guard(
        minimum=data.get(CONF_MINIMUM),
        maximum=data.get(CONF_MAXIMUM),
        stale_after=None if stale is None else stale * MINUTE,
        fastest=data.get(CONF_FASTEST),
        disagreement=data.get(CONF_DISAGREEMENT),
        good_readings=int(data[CONF_GOOD_READINGS]),
    )


def _rule(hass: HomeAssistant, subentry: ConfigSubentry) -> Rule | None:
    """Return the rule of a subentry; None for a device."""
    data = subentry.data
    if subentry.subentry_type == SUBENTRY_INTERLOCK:
        return Interlock(
            id=subentry.subentry_id,
            name=subentry.title,
            device=data[CONF_DEVICE],
            source=present_entity_id(hass, data),
            requirement=interlock_of(data),
        )
    if subentry.subentry_type == SUBENTRY_SENSOR_GUARD:
        second: Mapping[str, Any] | None = data.get(CONF_SECOND)
        return SensorGuard(
            id=subentry.subentry_id,
            name=subentry.title,
            source=present_entity_id(hass, data),
            other=None if second is None else present_entity_id(hass, second),
            guard=guard_of(data),
            devices=tuple(data[CONF_DEVICES]),
        )
    return None


def _sources(rule: Rule) -> tuple[str, ...]:
    """Return the entities that a rule looks at."""
    if isinstance(rule, Interlock) or rule.other is None:
        return (rule.source,)
    return (rule.source, rule.other)
