"""What the engine keeps in memory about each device and each of its fields."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..commands.command import Command
from ..devices.device import Device, DeviceStatus
from ..devices.fields import DataType, Field
from ..layers.claims import Claim
from ..layers.resolve import Resolution, next_change, resolve
from ..layers.setting import Setting, same
from ..limits.bounds import Bounds
from ..limits.slew import Slew
from ..store.devices import DeviceRow
from .clock import Anchor
from .queue import DeviceQueue

DEFAULT_BUDGET = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLimits:
    """What the keeper allows on every road to a device (law 5).

    ``bounds`` and ``slew`` by field, ``maximum_on`` in seconds of elapsed time by field,
    ``safe`` the value to go to by field in an emergency, ``budget`` the microlitres that a
    head may give in rolling 24 hours (None for no limit), heads without an own entry get
    the default.
    """

    bounds: Mapping[str, Bounds] = field(default_factory=dict)
    slew: Mapping[str, Slew] = field(default_factory=dict)
    maximum_on: Mapping[str, float] = field(default_factory=dict)
    safe: Mapping[str, Setting] = field(default_factory=dict)
    budget: Mapping[int, int | None] = field(default_factory=dict)
    disabled_heads: frozenset[int] = frozenset()

    def budget_of(self, head: int) -> int | None:
        """Return the microlitres that a head may give in 24 hours; None means no limit."""
        return self.budget.get(head, DEFAULT_BUDGET)


@dataclass(slots=True)
class FieldState:
    """One field: who claims it, what it rests on, and what was last sent."""

    name: str
    description: Field
    resting: Setting | None = None
    claims: dict[str, Claim] = field(default_factory=dict)
    waiting: dict[str, Command] = field(default_factory=dict)
    dirty: bool = False
    tries: int = 0
    sent: Setting | None = None
    sent_at: float = 0.0
    expected: Setting | None = None
    expected_until: float = 0.0
    on_since: Anchor | None = None

    def resolve(self, now: datetime) -> Resolution | None:
        """Return what the field should be; None while nobody knows what it rests on."""
        if self.claims:
            return resolve(self.resting or {}, self.claims.values(), now)
        if self.resting is None:
            return None
        return Resolution(setting=self.resting, owner=None)

    def next_change(self, now: datetime) -> datetime | None:
        """Return the next instant at which the field may want another value."""
        return next_change(self.claims.values(), now) if self.claims else None

    def expect(self, setting: Setting, until: float) -> None:
        """Remember what the device will show because of us, until an elapsed reading."""
        self.expected = setting
        self.expected_until = until

    def is_echo(self, setting: Setting, elapsed: float) -> bool:
        """Return whether a value that was seen is the one that we asked for."""
        return (
            self.expected is not None
            and elapsed <= self.expected_until
            and same(setting, self.expected)
        )


class DeviceState:
    """One device of the engine; it outlives reloads of the entry that attaches it."""

    def __init__(
        self,
        row: DeviceRow,
        execute: Callable[[DeviceState, Command], Coroutine[Any, Any, None]],
        flush: Callable[[DeviceState], Coroutine[Any, Any, None]],
    ) -> None:
        """Start without hardware: the queue holds everything back."""
        self.row = row
        self.device: Device | None = None
        self.status: DeviceStatus | None = None
        self.limits = DeviceLimits()
        self.fields: dict[str, FieldState] = {}
        self.orphans: dict[str, FieldState] = {}
        self.queue = DeviceQueue(
            lambda command: execute(self, command), lambda: flush(self)
        )
        self.queue.hold()
        self.busy_heads: dict[int, str] = {}

    @property
    def available(self) -> bool:
        """Return whether the device is attached and can be reached."""
        return self.device is not None and self.device.available

    def field_state(self, name: str) -> FieldState:
        """Return a field's state, also of a field whose device is not attached yet."""
        if (state := self.fields.get(name)) is not None:
            return state
        if (state := self.orphans.get(name)) is None:
            state = self.orphans[name] = FieldState(name=name, description=_UNKNOWN)
        return state

    def baseline(self, field: FieldState) -> Setting | None:
        """Return what a field rests on: the stored value, else what the device shows."""
        if field.resting is not None:
            return field.resting
        return self.device.observed(field.name) if self.device is not None else None

    def attach(self, device: Device, limits: DeviceLimits) -> None:
        """Take the hardware: its fields meet what is already known of them."""
        self.device = device
        self.limits = limits
        self.refresh_fields()

    def refresh_fields(self) -> None:
        """Take the fields as the device knows them now; an entity may tell them late."""
        if self.device is None:
            return
        known = self.orphans | self.fields
        self.fields = {}
        for name, description in self.device.fields.items():
            state = known.pop(name, None) or FieldState(
                name=name, description=description
            )
            state.description = description
            self.fields[name] = state
        self.orphans = known

    def detach(self) -> None:
        """Let the hardware go; claims and resting values stay."""
        self.device = None
        self.queue.hold()


_UNKNOWN = Field(name="", data_type=DataType.NUMBER, writable=False)
