"""One Home Assistant entity behind a device: followed, read, called and waited for."""

import asyncio
from collections.abc import Callable
import logging
from typing import Any

from homeassistant.const import ATTR_RESTORED, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import (
    Context,
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
    split_entity_id,
)
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import (
    async_track_entity_registry_updated_event,
    async_track_state_change_event,
)
import probatio as vol

from ..layers.setting import Setting, merged, plain
from .entity_adapter import EntityAdapter, Meaning, ServiceCall
from .errors import DeviceError
from .fields import Field
from .threads import runs_in_thread

_LOGGER = logging.getLogger(__name__)
CONFIRM_TIME = 5.0


class BackingEntity:
    """Follows an entity, which may be loaded later than the device, be renamed or go away.

    ``reference`` is an entity id or the id of a registry entry. ``changed`` is called after each
    change with the context that it came with, None when the entity came or has another id. ``late``
    are the calls in threads that go on, whether or not somebody still waits for them.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        reference: str,
        adapter: EntityAdapter,
        changed: Callable[[Context | None], None],
        *,
        confirm_time: float = CONFIRM_TIME,
    ) -> None:
        """Begin to follow the entity."""
        self._hass = hass
        self._adapter = adapter
        self._changed = changed
        self._confirm_time = confirm_time
        self._asked: Setting | None = None
        self._arrived = asyncio.Event()
        self.late: set[asyncio.Task[Any]] = set()
        self.entity_id = resolved(hass, reference)
        self._leave: list[Callable[[], None]] = []
        self._follow()

    @property
    def state(self) -> State | None:
        """Return the state, None while the entity is missing or unavailable."""
        state = self._hass.states.get(self.entity_id)
        return None if state is None or state.state == STATE_UNAVAILABLE else state

    @property
    def provided(self) -> bool:
        """Return whether something provides the entity, be it out of reach.

        What Home Assistant only remembers of one that it had is marked as restored.
        """
        state = self._hass.states.get(self.entity_id)
        return state is not None and not state.attributes.get(ATTR_RESTORED)

    @property
    def field(self) -> Field:
        """Describe the field as the entity is now."""
        return self._adapter.field(self.state)

    @property
    def reading(self) -> Setting | None:
        """Return the setting shown, None when there is none (R-T55).

        While the entity shows what was asked for within its own resolution, that is the
        reading: a value rounded by the entity is not a change by somebody else.
        """
        state = self.state
        if state is None:
            return None
        shown = self.shown_by(state)
        if (
            shown is not None
            and self._asked
            and self._adapter.shows(state, self._asked)
        ):
            return plain(merged(shown, self._asked))
        return shown

    @property
    def beside(self) -> str | None:
        """Return what goes along with what the entity shows, None while that is not known."""
        state = self.state
        if state is None or state.state == STATE_UNKNOWN:
            return None
        return self._adapter.beside(state)

    def shown_by(self, state: State) -> Setting | None:
        """Return the setting that a state shows, of now or of earlier; None for none (R-T55)."""
        if state.state in (STATE_UNAVAILABLE, STATE_UNKNOWN):
            return None
        return self._adapter.read(state)

    async def set(self, wanted: Setting) -> None:
        """Bring the entity to a setting and wait until it is shown. Raises DeviceError.

        A call that fails after it was seen to take effect has done what was wanted.
        """
        before = self.shows(wanted)
        try:
            await self.insist(wanted)
        except DeviceError as error:
            if before or not error.transient or not self.shows(wanted):
                raise
            _LOGGER.debug("%s did it all the same: %s", self.entity_id, error)

    async def insist(self, wanted: Setting) -> None:
        """Call for a setting, without an error, and wait until it is shown. Raises DeviceError.

        Some of what goes beside it can be asked for only when the rest is there.
        """
        await self.ask(wanted)
        within = self._confirm_time + self._adapter.settle_time
        rest = plain(wanted)
        if not await self.comes_to(
            lambda: self.shows(rest) or self.shows(wanted), within
        ):
            raise self.not_confirmed(wanted)
        if not self.shows(wanted):
            await self.ask(wanted)
            if not await self.comes_to_show(wanted, within):
                raise self.not_confirmed(wanted)

    async def ask(self, wanted: Setting) -> None:
        """Call for a setting without waiting until it is shown. Raises DeviceError."""
        state = self.require()
        calls = self._adapter.calls(state, wanted)
        still = self._asked if self._asked and self.shows(self._asked) else {}
        self._asked = merged(still, wanted)
        for call in calls:
            await self.call(call)

    async def comes_to_show(self, wanted: Setting, within: float) -> bool:
        """Wait until a setting is shown; False when it is not within so many seconds."""
        return await self.comes_to(lambda: self.shows(wanted), within)

    async def comes_to(self, condition: Callable[[], bool], within: float) -> bool:
        """Wait until something holds of the entity; False when it does not in so many seconds."""
        try:
            async with asyncio.timeout(within):
                while not condition():
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            return False
        return True

    def meant(self, call: ServiceCall) -> Meaning:
        """Return what somebody's call asks of the entity (law 1). Raises DeviceError."""
        return self._adapter.meant(self.require(), call)

    async def call(self, call: ServiceCall) -> None:
        """Call a service for this entity and wait for its end. Raises DeviceError (RES-73)."""
        try:
            await self._carried_out(call)
        except (ServiceValidationError, vol.Invalid) as error:
            raise self._service_failed(call, error, transient=False) from error
        except (HomeAssistantError, OSError, TimeoutError) as error:
            raise self._service_failed(call, error, transient=True) from error
        except Exception as error:
            # Integrations let errors of their libraries through; which kind it is nobody knows.
            _LOGGER.debug("Unexpected error of %s", self.entity_id, exc_info=True)
            raise self._service_failed(call, error, transient=True) from error

    async def _carried_out(self, call: ServiceCall) -> None:
        """Call a service; what goes on in a thread when it is given up is kept in mind."""
        work = self._hass.services.async_call(
            call.domain,
            call.service,
            {"entity_id": self.entity_id, **call.data},
            blocking=True,
            context=Context(),
        )
        if not runs_in_thread(self._hass, self.entity_id, call):
            await work
            return
        task = self._hass.async_create_background_task(
            work, f"{call} of {self.entity_id}"
        )
        self.late.add(task)
        task.add_done_callback(self.late.discard)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            task.add_done_callback(_heard)
            raise
        task.result()

    def require(self) -> State:
        """Return the state. Raises DeviceError when the entity is missing or unavailable."""
        state = self._hass.states.get(self.entity_id)
        if state is None:
            raise DeviceError(
                "entity_missing", transient=True, entity_id=self.entity_id
            )
        if state.state == STATE_UNAVAILABLE:
            raise DeviceError(
                "entity_unavailable", transient=True, entity_id=self.entity_id
            )
        return state

    def close(self) -> None:
        """Follow the entity no more."""
        while self._leave:
            self._leave.pop()()

    def shows(self, wanted: Setting) -> bool:
        """Return whether the entity shows a setting now."""
        state = self.state
        return (
            state is not None
            and state.state != STATE_UNKNOWN
            and self._adapter.shows(state, wanted)
        )

    def not_confirmed(self, wanted: Setting) -> DeviceError:
        """Return the error of a setting that is not shown; missing or unavailable comes first."""
        try:
            shown = self.require().state
        except DeviceError as error:
            return error
        return DeviceError(
            "not_confirmed",
            transient=True,
            entity_id=self.entity_id,
            wanted=", ".join(f"{part}={value}" for part, value in wanted.items()),
            shown=shown,
        )

    def _service_failed(
        self, call: ServiceCall, error: Exception, *, transient: bool
    ) -> DeviceError:
        """Return the error of a failed call."""
        return DeviceError(
            "service_failed",
            transient=transient,
            entity_id=self.entity_id,
            service=f"{call.domain}.{call.service}",
            error=str(error) or type(error).__name__,
        )

    def _follow(self) -> None:
        """Subscribe to the entity under its present id."""
        self._leave = [
            async_track_state_change_event(
                self._hass, self.entity_id, self._state_changed
            ),
            async_track_entity_registry_updated_event(
                self._hass, self.entity_id, self._registry_updated
            ),
        ]

    @callback
    def _state_changed(self, event: Event[EventStateChangedData]) -> None:
        """Wake whoever waits for a value, and tell the device.

        A value with which the entity came back was set by nobody, although it may carry
        the context of a user who changed the entity just before it went.
        """
        self._arrived.set()
        old = event.data["old_state"]
        came = old is None or old.state == STATE_UNAVAILABLE
        self._changed(None if came else event.context)

    @callback
    def _registry_updated(
        self, event: Event[er.EventEntityRegistryUpdatedData]
    ) -> None:
        """Follow the entity to a new id."""
        data = event.data
        if data["action"] == "update" and "entity_id" in data["changes"]:
            self.close()
            self.entity_id = data["entity_id"]
            self._follow()
            self._changed(None)


def _heard(task: asyncio.Task[Any]) -> None:
    """Take the error of a call that nobody waits for any more."""
    if not task.cancelled():
        task.exception()


def resolved(hass: HomeAssistant, reference: str) -> str:
    """Return the entity id that an entity id or the id of a registry entry stands for.

    Raises DeviceError `entity_missing` for an id of the registry that is gone.
    """
    entity_id = er.async_resolve_entity_id(er.async_get(hass), reference)
    if entity_id is None:
        raise DeviceError("entity_missing", transient=False, entity_id=reference)
    return entity_id


def domain_of(hass: HomeAssistant, reference: str) -> str:
    """Return the domain of a referenced entity. Raises DeviceError as `resolved` does."""
    return split_entity_id(resolved(hass, reference))[0]
