"""The base of all entities: they show what the engine knows and submit intents.

An entity makes no decision of its own. What it asks for goes to the engine with the user
and context that asked; what comes back is an answer, or a translated error.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, override

from homeassistant.core import CALLBACK_TYPE, Context, callback
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.event import async_call_later

from .commands.command import Command, ErrorCode, Source
from .commands.phases import FINAL, Phase
from .devices.fields import InvalidValue
from .engine.changes import Change, CommandChanged, FieldChanged, StoreChanged
from .engine.engine import Engine
from .engine.errors import EngineError
from .engine.intake import Origin
from .errors import failed, translated
from .layers.setting import Setting, is_number
from .store.errors import StoreError
from .subjects import Device, Subject

PACE = 10.0
"""Seconds between two states of an entity whose value moves by itself (design 3)."""

type Hears = Callable[[Change], bool]

_TAKEN_HOLD = frozenset({Phase.IN_FORCE, Phase.RESTORING})


def any_of(*kinds: type) -> Hears:
    """Return what tells the changes of these kinds."""
    return lambda change: isinstance(change, kinds)


class AquaristEntity[S: Subject](Entity):
    """An entity that shows what the engine knows of a subject, be its device there or not."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(
        self, subject: S, description: EntityDescription, hears: Hears
    ) -> None:
        """Take the kinds of changes after which the state may be another one."""
        self.subject = subject
        self.entity_description = description
        self._hears = hears
        self._attr_unique_id = f"{subject.key}_{description.key}"
        self._attr_device_info = subject.info

    @property
    def engine(self) -> Engine:
        """Return the engine."""
        return self.subject.engine

    @override
    async def async_added_to_hass(self) -> None:
        """Begin to hear of changes."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self.engine.announcer.listen(self._announced, device=self.subject.number)
        )

    @callback
    def _announced(self, change: Change) -> None:
        """Look at a change that the engine announces."""
        if self._hears(change) and self.subject.concerns(change):
            self._changed(change)

    @callback
    def _changed(self, change: Change) -> None:
        """Take in a change that may alter the state."""
        self._show()

    @callback
    def _show(self) -> None:
        """Let the state machine know what holds now."""
        self.async_write_ha_state()

    @property
    def origin(self) -> Origin:
        """Return on whose behalf the present service call is made; by hand or not (law 4)."""
        context = self._context or Context()
        return Origin(
            source=Source.ENTITY,
            user=context.user_id,
            context=context.id,
            by_hand=context.user_id is not None and context.parent_id is None,
        )

    async def submitted(self, request: Awaitable[Command]) -> Command:
        """Return a request's command once it has taken hold.

        Raises a translated error when it is refused, cannot be stored, or fails.
        """
        command = await self.answered(_taken_hold_of(self.engine, request))
        ended = command.shown_phase
        unsuccessful = ended in FINAL and ended is not Phase.COMPLETED
        if unsuccessful and command.error_code != ErrorCode.SUPERSEDED:
            raise failed(command)
        return command

    async def answered[T](self, request: Awaitable[T]) -> T:
        """Return what the engine answers. Raises its errors translated."""
        try:
            return await request
        except (EngineError, InvalidValue, StoreError) as error:
            raise translated(error) from error


class ReachingEntity[S: Device](AquaristEntity[S]):
    """An entity that reaches for its device: unavailable while that is."""

    @property
    @override
    def available(self) -> bool:
        """Return whether the subject can be told to do something."""
        return self.subject.available


class LevelEntity(ReachingEntity[Device]):
    """Shows a field with a level, and lets the recorder see a ramp at most every 10 s.

    What goes on or off, or changes hands, is shown at once, what moves between is paced, the
    last value always lands.
    """

    def __init__(
        self, subject: Device, description: EntityDescription, hears: Hears, field: str
    ) -> None:
        """Take the name of the field."""
        super().__init__(subject, description, hears)
        self._field = field
        self._shown_on: bool | None = None
        self._shown: Setting = {}
        self._shown_owner: str | None = None
        self._moved_at: float | None = None
        self._later: CALLBACK_TYPE | None = None

    @property
    def setting(self) -> Setting:
        """Return what the field shows, empty while nobody knows."""
        return self.subject.shown(self._field) or {}

    @property
    def level(self) -> float | None:
        """Return the level in per cent, None while nobody knows."""
        level = self.setting.get("level")
        return float(level) if level is not None and is_number(level) else None

    @property
    def is_on(self) -> bool | None:
        """Return whether the level is above zero."""
        return None if self.level is None else self.level > 0

    async def submit(self, action: str, **args: Any) -> None:
        """Ask for an action and show at once what came of it."""
        try:
            await self.submitted(
                self.engine.send(self.subject.state, action, args, self.origin)
            )
        finally:
            self._show()

    @override
    async def async_added_to_hass(self) -> None:
        """Begin to hear of changes."""
        await super().async_added_to_hass()
        self.async_on_remove(self._stop_waiting)
        self._remember()

    @callback
    @override
    def _changed(self, change: Change) -> None:
        """Show a change at once or after the pace."""
        if not isinstance(change, FieldChanged) or self.is_on != self._shown_on:
            self._show()
            return
        if change.field != self._field or self.setting == self._shown:
            return
        if self._owner != self._shown_owner:
            self._show_moved()
            return
        if self._later is not None:
            return
        elapsed = self.engine.clock.elapsed()
        if self._moved_at is None or elapsed - self._moved_at >= PACE:
            self._show_moved()
        else:
            left = PACE - (elapsed - self._moved_at)
            self._later = async_call_later(self.hass, left, self._show_moved)

    @callback
    def _show_moved(self, _: datetime | None = None) -> None:
        """Show the newest value, and begin a new pace by elapsed time."""
        self._later = None
        self._moved_at = self.engine.clock.elapsed()
        self._show()

    @callback
    @override
    def _show(self) -> None:
        """Let the state machine know; nothing is left to be shown later."""
        self._stop_waiting()
        self._remember()
        super()._show()

    @property
    def _owner(self) -> str | None:
        """Return the command that holds the field, None while it rests."""
        field = self.subject.state.fields.get(self._field)
        resolution = field and field.resolve(self.engine.clock.now())
        owner = resolution.owner if resolution else None
        return None if owner is None else owner.id

    def _remember(self) -> None:
        """Take note of what is shown, and of who wanted it."""
        self._shown_on = self.is_on
        if self.setting != self._shown:
            self._shown, self._shown_owner = self.setting, self._owner

    @callback
    def _stop_waiting(self) -> None:
        """Forget the write that was to come."""
        if self._later is not None:
            self._later()
            self._later = None


async def _taken_hold_of(engine: Engine, request: Awaitable[Command]) -> Command:
    """Wait until a command is in force, its dose is under way, or it has ended.

    Raises EngineError while the store is in trouble: what came of it cannot be told.
    """
    newest: dict[str, Command] = {}
    heard = asyncio.Event()

    def hear(change: Change) -> None:
        """Keep every record: the request's own may move on before it has answered."""
        if isinstance(change, CommandChanged):
            newest[change.command.key] = change.command
        heard.set()

    leave = engine.announcer.listen(hear, CommandChanged, StoreChanged)
    try:
        command = await request
        # Without a place in the store it is an off that went out although that is broken.
        while command.order != 0 and not _has_taken_hold(command):
            if engine.store_trouble is not None:
                raise EngineError(engine.store_trouble)
            heard.clear()
            if command is newest.setdefault(command.key, command):
                await heard.wait()
            command = newest[command.key]
        return command
    finally:
        leave()


def _has_taken_hold(command: Command) -> bool:
    """Return whether nobody needs to wait for a command any longer."""
    return command.final or command.phase in _TAKEN_HOLD
