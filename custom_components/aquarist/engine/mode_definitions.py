"""The modes that an aquarium has: feed and maintenance without set-up, and the keeper's own.

A stored mode named `feed` or `maintenance` takes the place of the one without set-up.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from sqlite3 import Connection
from typing import Any

from ..devices.device import DeviceKind
from ..devices.fields import LEVEL, InvalidValue
from ..frozen import frozen
from ..runs.mode import ModeDefinition
from ..runs.mode_definition import FEED, NORMAL, PRESETS, mode_json, parse_mode
from ..runs.mode_presets import feed, maintenance
from ..runs.steps import HoldStep, ModeStep, ReleaseStep, WaitStep
from ..schedules.errors import ScheduleError
from ..store import definitions
from ..store.definitions import Definition
from ..store.errors import Conflict, NameTaken
from .errors import EngineError
from .ground import Ground
from .intake import DOSERS
from .run_steps import Find
from .state import DeviceState

MODE = "mode"
_ALLOWED = "dosing_allowed_"


@frozen
class Mode:
    """A mode of an aquarium; ``row`` is None for one that needs no set-up.

    Without a definition nothing would be held, or what is stored no longer validates
    (``error`` says why).
    """

    aquarium: str
    name: str
    definition: ModeDefinition | None
    row: Definition | None = None
    error: str | None = None


class ModeDefinitions:
    """Every mode of every aquarium."""

    def __init__(
        self, ground: Ground, find: Find, changed: Callable[[str], None]
    ) -> None:
        """Start with none of the keeper's own; call `changed` with an aquarium that has others."""
        self._clock = ground.clock
        self._journal = ground.journal
        self._changed = changed
        self._devices = ground.devices
        self._find = find
        self._stored: dict[tuple[str, str], Mode] = {}

    def load(self, rows: Iterable[Definition]) -> None:
        """Take in what is stored; what no longer validates stays and is not started (law 10)."""
        for row in rows:
            mode = _mode(row)
            self._stored[mode.aquarium, mode.name] = mode

    @property
    def stored(self) -> tuple[Mode, ...]:
        """Return the modes of the keeper's own, of all aquariums."""
        return tuple(self._stored.values())

    def by_number(self, number: int) -> Mode | None:
        """Return a stored mode by the number of its row, None when there is none."""
        return next(
            (mode for mode in self.stored if mode.row and mode.row.id == number), None
        )

    def names(self, aquarium: str) -> tuple[str, ...]:
        """Return what an aquarium can be in besides normal, the keeper's own by name."""
        own = sorted(name for known, name in self._stored if known == aquarium)
        return (*PRESETS, *(name for name in own if name not in PRESETS))

    def all(self, aquarium: str) -> tuple[Mode, ...]:
        """Return every mode of an aquarium, in the order of their names."""
        return tuple(self.get(aquarium, name) for name in self.names(aquarium))

    def get(self, aquarium: str, name: str) -> Mode:
        """Return a mode; what needs no set-up is found however its name is written.

        Raises EngineError `mode_not_found`.
        """
        if name.casefold() in PRESETS:
            name = name.casefold()
        if (stored := self._stored.get((aquarium, name))) is not None:
            return stored
        if name not in PRESETS:
            raise EngineError("mode_not_found", field="mode", name=name)
        return Mode(
            aquarium=aquarium, name=name, definition=self._preset(aquarium, name)
        )

    def startable(self, aquarium: str, name: str) -> ModeDefinition:
        """Return what a mode does. Raises EngineError for one that cannot be started."""
        mode = self.get(aquarium, name)
        if mode.error is not None:
            raise EngineError("mode_invalid", field="mode", name=name, error=mode.error)
        if mode.row is not None and not mode.row.enabled:
            raise EngineError("mode_disabled", field="mode", name=name)
        if mode.definition is None:
            raise EngineError("mode_holds_nothing", field="mode", name=name)
        return mode.definition

    async def create(
        self, aquarium: str, data: Mapping[str, Any], *, user: str | None
    ) -> Mode:
        """Store a mode. Raises ScheduleError, EngineError, InvalidValue, StoreError."""
        definition = self._checked(aquarium, data)
        now = self._clock.now()
        return await self._store(
            definition,
            lambda connection: definitions.create(
                connection,
                kind=MODE,
                name=_key(aquarium, definition.name),
                definition=mode_json(definition),
                user=user,
                at=now,
            ),
        )

    async def update(
        self,
        aquarium: str,
        name: str,
        data: Mapping[str, Any],
        *,
        user: str | None,
        expected_revision: int | None = None,
    ) -> Mode:
        """Store the next revision of a mode; one under way goes on as it was.

        What is said of a mode without set-up is stored in its place. Raises as `create`,
        and EngineError `mode_not_found`, `revision_conflict`.
        """
        known = self.get(aquarium, name)
        row = known.row
        if row is None:
            return await self.create(aquarium, {**data, "name": name}, user=user)
        definition = self._checked(aquarium, data)
        now = self._clock.now()
        return await self._store(
            definition,
            lambda connection: definitions.update(
                connection,
                row.id,
                name=_key(aquarium, definition.name),
                definition=mode_json(definition),
                user=user,
                at=now,
                expected_revision=expected_revision,
            ),
            before=(aquarium, known.name),
        )

    async def delete(
        self,
        aquarium: str,
        name: str,
        *,
        user: str | None,
        expected_revision: int | None = None,
    ) -> None:
        """Remove a stored mode; its revisions stay, and one under way goes on.

        Raises EngineError `mode_not_found`, `mode_not_stored`, `revision_conflict`,
        StoreError.
        """
        known = self.get(aquarium, name)
        row = known.row
        if row is None:
            raise EngineError("mode_not_stored", field="mode", name=name)
        now = self._clock.now()

        def committed(_: Definition) -> None:
            self._stored.pop((aquarium, known.name), None)
            self._changed(aquarium)

        try:
            await self._journal.commit(
                lambda connection: definitions.remove(
                    connection,
                    row.id,
                    user=user,
                    at=now,
                    expected_revision=expected_revision,
                ),
                committed,
            )
        except Conflict as error:
            raise _conflict(error) from error

    async def disable(self, aquarium: str) -> None:
        """Take the stored modes of an aquarium out of use, each with a revision (law 7).

        Raises StoreError.
        """
        now = self._clock.now()
        for mode in self.all(aquarium):
            if mode.row is not None:
                unit = partial(_disabled, mode.row, now)
                await self._journal.commit(unit, self._take)

    def _preset(self, aquarium: str, name: str) -> ModeDefinition | None:
        """Return a mode that needs no set-up, by the devices that are there now."""
        here = [
            device
            for _, device in sorted(self._devices.items())
            if device.row.aquarium == aquarium and device.row.retired_at is None
        ]
        pumps = [device for device in here if device.row.kind == DeviceKind.PUMP]
        first = [pump.row.uuid for pump in pumps if not _safe_when_off(pump)]
        last = [pump.row.uuid for pump in pumps if _safe_when_off(pump)]
        if name == FEED:
            return feed(first, last)
        dosing = [
            (device.row.uuid, field)
            for device in here
            if device.row.kind in DOSERS
            for field in device.fields
            if field.startswith(_ALLOWED)
        ]
        return maintenance(first, last, dosing)

    def _checked(self, aquarium: str, data: Mapping[str, Any]) -> ModeDefinition:
        """Return a definition whose devices are of the aquarium and take what it holds.

        Raises ScheduleError, EngineError or InvalidValue; each names the step's field.
        """
        definition = parse_mode(data)
        if definition.name == NORMAL:
            raise EngineError("mode_name_taken", field="name", name=NORMAL)
        for place, step in enumerate(definition.steps):
            try:
                self._check(aquarium, step)
            except EngineError as error:
                shown = _inside(error.placeholders)
                raise EngineError(
                    error.code, **shown, field=_field(place, step, "device_id")
                ) from error
            except InvalidValue as error:
                field = _field(place, step, error.field)
                shown = _inside(error.placeholders)
                raise InvalidValue(field, error.code, **shown) from error
        return definition

    def _check(self, aquarium: str, step: ModeStep) -> None:
        """Raise what is wrong with a step, as far as its device can tell now."""
        if not isinstance(step, HoldStep | ReleaseStep | WaitStep):
            return
        device = self._find(step.device_id)
        if device.row.aquarium != aquarium:
            raise EngineError(
                "device_of_other_aquarium", field="device_id", name=device.row.name
            )
        if (port := device.device) is None or step.field_name is None:
            return
        try:
            port.field_of(step.field_name)
        except InvalidValue as error:
            shown = _inside(error.placeholders)
            raise InvalidValue("field_name", error.code, **shown) from error
        if isinstance(step, HoldStep):
            try:
                port.check(step.field_name, step.value)
            except InvalidValue as error:
                shown = _inside(error.placeholders)
                raise InvalidValue("value", error.code, **shown) from error

    def _take(self, row: Definition) -> None:
        """Take a mode into memory as it has just been stored."""
        mode = _mode(row)
        self._stored[mode.aquarium, mode.name] = mode
        self._changed(mode.aquarium)

    async def _store(
        self,
        definition: ModeDefinition,
        unit: Callable[[Connection], Definition],
        *,
        before: tuple[str, str] | None = None,
    ) -> Mode:
        """Write a mode and let it enter memory in commit order."""

        def committed(row: Definition) -> None:
            if before is not None:
                self._stored.pop(before, None)
            self._take(row)

        try:
            return _mode(await self._journal.commit(unit, committed))
        except NameTaken as error:
            raise EngineError(
                "mode_name_taken", field="name", name=definition.name
            ) from error
        except Conflict as error:
            raise _conflict(error) from error


def _disabled(row: Definition, at: datetime, connection: Connection) -> Definition:
    """Store the revision in which a mode is out of use."""
    return definitions.update(
        connection,
        row.id,
        name=row.name,
        definition=row.definition,
        enabled=False,
        user=None,
        at=at,
    )


def _safe_when_off(pump: DeviceState) -> bool:
    """Return whether a pump's safe level is off: what nothing else depends on."""
    return pump.limits.safe.get(LEVEL, {}).get(LEVEL) == 0


def _key(aquarium: str, name: str) -> str:
    """Return the name under which the store keeps a mode: aquariums share none."""
    return f"{aquarium}/{name}"


def _mode(row: Definition) -> Mode:
    """Return a mode as stored."""
    aquarium, name = row.name.split("/", 1)
    try:
        definition = parse_mode(row.definition)
    except ScheduleError as error:
        return Mode(
            aquarium=aquarium, name=name, definition=None, row=row, error=str(error)
        )
    return Mode(aquarium=aquarium, name=name, definition=definition, row=row)


def _conflict(error: Conflict) -> EngineError:
    """Return the error of a change that was made from another revision."""
    return EngineError(
        "revision_conflict", field="expected_revision", revision=error.present
    )


def _field(place: int, step: ModeStep, field: str) -> str:
    """Return the name of a field inside of a step, as it was written."""
    if isinstance(step, HoldStep) and step.field_name == LEVEL:
        field = {"value": LEVEL, "field_name": LEVEL}.get(field, field)
    return f"steps.{place}.{step.kind}.{field}"


def _inside(placeholders: Mapping[str, str]) -> dict[str, str]:
    """Return the values of a message without the field, which is named anew."""
    return {key: value for key, value in placeholders.items() if key != "field"}
