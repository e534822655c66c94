"""What all kinds of devices share: listeners, what is known, and checks of values."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar

from ..layers.setting import Scalar, Setting, is_number
from .device import DeviceKind, DeviceListener, DeviceStatus, MemoryReport, Observation
from .errors import DeviceError
from .fields import (
    LEVEL,
    Field,
    InvalidValue,
    checked,
    checked_setting,
    refuse_unknown,
    unknown_action,
)


class ObservableDevice:
    """Keeps the last known settings and tells listeners of changes.

    ``ACTIONS`` names the actions that set no field, each with its optional arguments.
    """

    ACTIONS: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def __init__(
        self,
        *,
        uuid: str,
        kind: DeviceKind,
        name: str,
        address: str | None = None,
        fields: Mapping[str, Field],
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        """Start with nothing known. ``aliases`` are further names of parts."""
        self.uuid = uuid
        self.kind = kind
        self.name = name
        self.address = address
        self._fields = dict(fields)
        self._aliases = dict(aliases or {})
        self._known: dict[str, Setting] = {}
        self._last_level: float | None = None
        self._listeners: list[DeviceListener] = []

    @property
    def fields(self) -> Mapping[str, Field]:
        """Return the fields by name."""
        return self._fields

    @property
    def within_reach(self) -> frozenset[str]:
        """Return that no field can be reached without the device."""
        return frozenset()

    @property
    def apart(self) -> frozenset[str]:
        """Return that all fields are set in one call."""
        return frozenset()

    @property
    def missing(self) -> tuple[str, ...]:
        """Return that it is made of no entities."""
        return ()

    def observed(self, field: str) -> Setting | None:
        """Return the last known or assumed setting of a field."""
        return self._known.get(field)

    def beside(self, field: str) -> str | None:
        """Return that nothing goes along with a field."""
        return None

    def listen(self, listener: DeviceListener) -> Callable[[], None]:
        """Tell a listener of all changes until the returned function is called."""
        self._listeners.append(listener)

        def leave() -> None:
            """Stop telling the listener."""
            if listener in self._listeners:
                self._listeners.remove(listener)

        return leave

    def field_of(self, name: str) -> str:
        """Return the name of the field that a field, part or alias belongs to.

        Raises InvalidValue `field_not_found`.
        """
        return self._find(name)[0].name

    def check(self, field: str, value: Scalar | Setting) -> Setting:
        """Return the setting that a value asks of a field or part. Raises InvalidValue."""
        whole, part = self._find(field)
        if part is None:
            return checked_setting(whole, value)
        if not part.writable:
            raise InvalidValue(field, "field_not_writable", reason="read_only")
        return {part.name: checked(part, value)}

    def setting_for(
        self, action: str, args: Mapping[str, object], resting: Setting | None
    ) -> tuple[str, Setting]:
        """Refuse: a device without a level has no level actions."""
        raise unknown_action(action)

    def check_action(self, action: str, args: Mapping[str, object]) -> None:
        """Raise InvalidValue for an action or argument that the device does not know."""
        if action not in self.ACTIONS:
            raise unknown_action(action)
        refuse_unknown(action, args, *self.ACTIONS[action])

    async def perform(
        self, action: str, args: Mapping[str, object]
    ) -> Mapping[str, object] | None:
        """Refuse: no action is known."""
        raise unknown_action(action)

    async def let_go(self, field: str | None = None) -> None:
        """Have nothing to wait for: what is given up has ended."""

    async def close(self) -> None:
        """Forget the listeners."""
        self._listeners.clear()

    def _find(self, name: str) -> tuple[Field, Field | None]:
        """Return a field by name, or the field and the part of the name (`part`, `field.part`)."""
        if name in self.fields:
            return self.fields[name], None
        wanted = self._aliases.get(name, name)
        for field in self.fields.values():
            for part in field.part_fields:
                if wanted in (part.name, f"{field.name}.{part.name}"):
                    return field, part
        raise InvalidValue(name, "field_not_found")

    def _know(self, field: str, setting: Setting) -> bool:
        """Keep a setting and return whether it is news."""
        level = setting.get(LEVEL)
        if level is not None and is_number(level) and level > 0:
            self._last_level = level
        if self._known.get(field) == setting:
            return False
        self._known[field] = setting
        return True

    def _tell_observed(self, observation: Observation) -> None:
        """Tell all listeners of an observation."""
        for listener in tuple(self._listeners):
            listener.observed(observation)

    def _tell_availability(self, available: bool) -> None:
        """Tell all listeners that the device came or went."""
        for listener in tuple(self._listeners):
            listener.availability_changed(available)

    def _tell_connected(self) -> None:
        """Tell all listeners that a connection was opened."""
        for listener in tuple(self._listeners):
            listener.connected()

    def _tell_came(self, field: str) -> None:
        """Tell all listeners that a field came within reach."""
        for listener in tuple(self._listeners):
            listener.field_came(field)

    def _tell_counters(
        self, lifetime: Mapping[int, int], today: Mapping[int, int]
    ) -> None:
        """Tell all listeners of totals that were just read."""
        for listener in tuple(self._listeners):
            listener.counters_read(lifetime, today)

    def _tell_ran(self, head: int, microlitres: int, at: datetime) -> None:
        """Tell all listeners what a head gave that no dose accounts for."""
        for listener in tuple(self._listeners):
            listener.ran_by_itself(head, microlitres, at)

    def _tell_off(self) -> None:
        """Tell all listeners that a dosing switch is off and its time on was told."""
        for listener in tuple(self._listeners):
            listener.went_off()

    def _tell_status(self, status: DeviceStatus) -> None:
        """Tell all listeners what the device says of itself."""
        for listener in tuple(self._listeners):
            listener.status_read(status)

    def _tell_memory(self, report: MemoryReport) -> None:
        """Tell all listeners what the device shows of its memory."""
        for listener in tuple(self._listeners):
            listener.memory_read(report)


def only_fields(settings: Mapping[str, Setting], *known: str) -> None:
    """Raise DeviceError `unsupported` for a field that the device cannot be told to set."""
    for name in settings:
        if name not in known:
            raise DeviceError("unsupported", transient=False, field=name)
