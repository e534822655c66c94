"""What devices made from Home Assistant entities share."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import override

from homeassistant.core import Context, callback

from ..layers.setting import Setting
from .backing_entity import BackingEntity
from .device import DeviceKind, Observation, StopReport
from .entity_adapter import RestsAt, ServiceCall, Switching
from .errors import DeviceError
from .fields import Field, InvalidValue
from .observable import ObservableDevice

STOP_TIME = 15.0
LONGEST_LATE = 30.0
"""Seconds that are waited for a call which was given up and goes on in a thread."""


class BackedDevice(ObservableDevice, ABC):
    """A device whose fields are shown by entities. Subclasses say how entities make fields."""

    ACTIONS = {"request_status": ()}

    def __init__(
        self,
        *,
        uuid: str,
        kind: DeviceKind,
        name: str,
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        """Start without entities; the subclass calls `_attach` once it has them."""
        super().__init__(uuid=uuid, kind=kind, name=name, fields={}, aliases=aliases)
        self._entities: tuple[BackingEntity, ...] = ()
        self._available = False
        self._within_reach: frozenset[str] = frozenset()
        self._being_written: list[str] = []
        self._held_back: dict[str, Context | None] = {}

    @property
    def available(self) -> bool:
        """Return whether all entities that are needed are there."""
        return self._available

    @property
    def entity_ids(self) -> tuple[str, ...]:
        """Return the present ids of the entities behind the device (law 1)."""
        return tuple(entity.entity_id for entity in self._entities)

    @property
    @override
    def within_reach(self) -> frozenset[str]:
        """Return the fields whose own entities are there."""
        return self._within_reach

    @property
    @override
    def missing(self) -> tuple[str, ...]:
        """Return the ids of the entities that nothing provides."""
        return tuple(one.entity_id for one in self._entities if not one.provided)

    def behind(self, field: str) -> BackingEntity | None:
        """Return the entity that shows a field alone; None where several do, or none."""
        return self._entities[0] if len(self._entities) == 1 else None

    @override
    def beside(self, field: str) -> str | None:
        """Return what goes along with what the entity of a field shows."""
        entity = self.behind(field)
        return None if entity is None else entity.beside

    def intent(
        self, entity_id: str, call: ServiceCall, rests_at: RestsAt
    ) -> tuple[str, Setting]:
        """Return the field and setting that a call for an entity behind the device asks for.

        Law 1: the call itself is not made. Raises InvalidValue `service_not_for_device` for
        one that no field stands for, DeviceError while the entity is not there.
        """
        entity = next(one for one in self._entities if one.entity_id == entity_id)
        meant = entity.meant(call)
        wanted = None if meant is None else self._intended(entity, meant, rests_at)
        if wanted is None:
            raise InvalidValue(
                "service",
                "service_not_for_device",
                service=str(call),
                entity_id=entity_id,
                name=self.name,
            )
        return wanted

    def _intended(
        self, entity: BackingEntity, meant: Setting | Switching, rests_at: RestsAt
    ) -> tuple[str, Setting] | None:
        """Return the field and setting that is meant; None: no field of the device is."""
        return None

    @override
    async def perform(
        self, action: str, args: Mapping[str, object]
    ) -> Mapping[str, object] | None:
        """Do `request_status`: ask the entities to update and return what they show (R-C12)."""
        self.check_action(action, args)
        update = ServiceCall(domain="homeassistant", service="update_entity")
        await together(entity.call(update) for entity in self._entities)
        settings = {name: self._read(name) for name in self.fields}
        return {
            "available": self.available,
            "fields": {
                name: setting and dict(setting) for name, setting in settings.items()
            },
        }

    @override
    async def let_go(self, field: str | None = None) -> None:
        """Wait until the calls have ended that were given up (R-C51), for a while at most."""
        alone = None if field is None else self.behind(field)
        entities = self._entities if alone is None else (alone,)
        late = [task for entity in entities for task in entity.late]
        if late:
            await asyncio.wait(late, timeout=LONGEST_LATE)

    @override
    async def close(self) -> None:
        """Follow the entities no more."""
        for entity in self._entities:
            entity.close()
        await super().close()

    @abstractmethod
    def _describe(self) -> Sequence[Field]:
        """Return the fields as the entities are now."""

    @abstractmethod
    def _read(self, field: str) -> Setting | None:
        """Return what a field shows, None when that is not known."""

    @abstractmethod
    async def apply(self, settings: Mapping[str, Setting]) -> None:
        """Bring the named fields to their settings."""

    def _reachable(self) -> bool:
        """Return whether all entities that are needed are there."""
        return all(entity.state is not None for entity in self._entities)

    def _singly_reachable(self) -> frozenset[str]:
        """Return the fields that need no other entities than those that are there."""
        return frozenset()

    def _attach(self, entities: Sequence[BackingEntity]) -> None:
        """Take over the entities and what they show."""
        self._entities = tuple(entities)
        self._fields = {field.name: field for field in self._describe()}
        self._available = self._reachable()
        self._within_reach = self._singly_reachable()
        for name in self._fields:
            setting = self._read(name)
            if setting is not None:
                self._know(name, setting)

    @callback
    def _entity_changed(self, context: Context | None) -> None:
        """Take in a change of one of the entities."""
        self._fields = {field.name: field for field in self._describe()}
        available, before = self._reachable(), self._within_reach
        self._within_reach = self._singly_reachable()
        if available != self._available:
            self._available = available
            self._tell_availability(available)
        if not available:
            for name in sorted(self._within_reach - before):
                self._tell_came(name)
        by_person = context is not None and context.user_id is not None
        for name in self._fields:
            if name in self._being_written and not by_person:
                self._held_back[name] = context
            else:
                self._report(name, context)

    def _report(self, name: str, context: Context | None) -> None:
        """Tell of a field if it shows something new."""
        setting = self._read(name)
        if setting is None or not self._know(name, setting):
            return
        self._tell_observed(
            Observation(
                field=name,
                setting=setting,
                at=self._updated_at(),
                user_id=context.user_id if context else None,
                parent_id=context.parent_id if context else None,
                context_id=context.id if context else None,
            )
        )

    def _updated_at(self) -> datetime | None:
        """Return when the entities have last shown something."""
        states = (entity.state for entity in self._entities)
        return max((state.last_updated for state in states if state), default=None)

    @asynccontextmanager
    async def _writing(self, fields: Iterable[str]) -> AsyncIterator[None]:
        """Hold back what fields pass by until their write has ended, then report where it did.

        What a person does meanwhile is reported at once, and so is every other field.
        """
        names = tuple(fields)
        self._being_written.extend(names)
        try:
            yield
        finally:
            for name in names:
                self._being_written.remove(name)
                if name not in self._being_written:
                    self._report(name, self._held_back.pop(name, None))

    async def _to_safe_side(self, settings: Mapping[str, Setting]) -> StopReport:
        """Apply safe settings within a bounded time and report how that went."""
        if not settings:
            return StopReport(confirmed=True, detail="nothing_to_stop")
        try:
            async with asyncio.timeout(STOP_TIME):
                await self.apply(settings)
        except DeviceError as error:
            return StopReport(confirmed=False, detail=error.code)
        except TimeoutError:
            return StopReport(confirmed=False, detail="no_answer")
        return StopReport(confirmed=True, detail="stopped")


async def together(works: Iterable[Awaitable[None]]) -> None:
    """Let all works come to their end, then raise the first error among them."""
    results = await asyncio.gather(*works, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
