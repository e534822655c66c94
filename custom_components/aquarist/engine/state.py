"""What the engine keeps in memory about each device and each of its fields."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from ..commands.command import Command
from ..commands.phases import Phase
from ..devices.beside import with_beside
from ..devices.device import Device, DeviceKind, DeviceStatus, SwitchedDoser
from ..devices.fields import DataType, Field
from ..dosing.calibration import REMINDER_DAYS
from ..dosing.spacing import Spacing
from ..frozen import frozen
from ..layers.claims import Claim
from ..layers.hand import HandPolicy
from ..layers.resolve import Resolution, next_change, resolve
from ..layers.setting import Setting, plain, same
from ..limits.bounds import Bounds
from ..limits.slew import Slew
from ..store.devices import DeviceRow
from .clock import Anchor
from .queue import DeviceQueue

DEFAULT_BUDGET = 100_000
DEVICE_WAIT = 60.0
"""Seconds that a device has to come after the start (R-X5)."""
BEGINS_WITHIN = 1.0
"""Seconds that the beginning of a claim has to reach the store before others go on."""


@frozen
class HeadLimits:
    """What the keeper allows one head of a doser.

    Volumes are microlitres: ``budget`` in rolling 24 hours, ``maximum_volume`` of a dose,
    ``container`` the size of what the head draws from. ``minimum_interval`` is the seconds
    between two doses, ``low_days`` the days left of which the keeper wants to hear. None
    means no limit. ``calibration_days`` is after how many days the keeper wants to be
    reminded to measure again, 0 for never.
    """

    additive: str | None = None
    budget: int | None = DEFAULT_BUDGET
    minimum_interval: float | None = None
    maximum_volume: int | None = None
    only_calibrated: bool = False
    calibration_days: int = REMINDER_DAYS
    only_if_fits: bool = False
    low_days: int | None = None
    enabled: bool = True
    container: int | None = None


@frozen
class AquariumLimits:
    """What the keeper allows all dosers of an aquarium together, in microlitres in 24 hours."""

    budget: int | None = None
    additive_budget: Mapping[str, int] = field(default_factory=dict)
    spacing: tuple[Spacing, ...] = ()


@frozen
class DeviceLimits:
    """What the keeper allows on every road to a device (law 5).

    ``bounds`` and ``slew`` by field, ``maximum_on`` in seconds of elapsed time by field,
    ``hand`` how long a change by hand wins, ``respect_manual_change`` the fields that rest
    on a value set by hand inside a window once it has ended (RES-54),
    ``safe`` the value to go to by field in an emergency or doubt, ``at_start`` and
    ``at_shutdown`` those while Home Assistant starts and after it has stopped, ``heads`` what each head of a doser
    may do; heads without an own entry get the default; ``restore_memory`` whether what was
    written into the device's memory is written again after it was without power.
    """

    bounds: Mapping[str, Bounds] = field(default_factory=dict)
    slew: Mapping[str, Slew] = field(default_factory=dict)
    maximum_on: Mapping[str, float] = field(default_factory=dict)
    hand: HandPolicy = field(default_factory=HandPolicy)
    respect_manual_change: frozenset[str] = frozenset()
    safe: Mapping[str, Setting] = field(default_factory=dict)
    at_start: Mapping[str, Setting] = field(default_factory=dict)
    at_shutdown: Mapping[str, Setting] = field(default_factory=dict)
    heads: Mapping[int, HeadLimits] = field(default_factory=dict)
    restore_memory: bool = False

    def head(self, index: int) -> HeadLimits:
        """Return what a head may do."""
        return self.heads.get(index, _USUAL)


@dataclass(slots=True)
class FieldState:
    """One field: who claims it, what it rests on, and what was last sent.

    ``coming`` are the claims that have not begun, each with the elapsed reading since
    which its beginning is being written down. ``unsettled`` is true while the device may
    show something of a write that has not arrived; ``moving`` the seconds to the next step
    of a slow move; ``error`` why the last write failed; ``remembered`` the level that was
    last sent in an earlier life; ``withdrawn`` whether the device may show a value that
    was withdrawn, so that it has to be written once more; ``returned`` whether the device
    came back and the field was not written since: what it shows is no change by hand;
    ``tried`` the commands for which a write failed, with their phases.
    """

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
    coming: dict[str, tuple[Claim, float | None]] = field(default_factory=dict)
    unsettled: bool = False
    moving: float | None = None
    error: Exception | None = None
    remembered: Setting | None = None
    remembered_at: float = 0.0
    withdrawn: bool = False
    returned: bool = False
    tried: frozenset[tuple[str, Phase]] = frozenset()

    @property
    def owed(self) -> bool:
        """Return whether somebody holds the field, or waits for it, or it is to be brought back."""
        return bool(self.claims or self.waiting or self.withdrawn)

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

    def changes_hands(self, now: datetime, elapsed: float) -> bool:
        """Return whether a claim is just about to begin that will own the field.

        Until it does nothing is written: no flicker between back-to-back windows (RES-27).
        """
        resolution = self.resolve(now)
        owner = resolution.owner if resolution is not None else None
        return any(
            claim.in_force(now)
            and (since is None or elapsed - since < BEGINS_WITHIN)
            and (owner is None or claim.precedence > owner.precedence)
            for claim, since in self.coming.values()
        )

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

    def awaits_echo(self, elapsed: float) -> bool:
        """Return whether the device may still be on its way to what we asked for."""
        return self.expected is not None and elapsed < self.expected_until

    def is_idle(self, elapsed: float) -> bool:
        """Return whether nothing of ours is at work: what shows is what the field rests on."""
        return not (
            self.claims
            or self.waiting
            or self.dirty
            or self.tries
            or self.moving is not None
            or self.awaits_echo(elapsed)
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

    def reaches(self, field: str) -> bool:
        """Return whether a field can be reached, maybe without the rest of the device."""
        if self.device is None:
            return False
        return self.device.available or field in self.device.within_reach

    @property
    def ready(self) -> bool:
        """Return whether the device is there, or a part of it that has all that waits for it."""
        if self.device is None or self.device.available:
            return self.device is not None
        wanted = {command.field for command in self.queue.waiting}
        wanted |= {name for name, field in self.fields.items() if field.owed}
        return bool(self.device.within_reach) and wanted <= self.device.within_reach

    @property
    def may_run(self) -> bool:
        """Return whether this is a dosing switch that is on, or may be."""
        device = self.device
        if device is None or device.kind is not DeviceKind.DOSER:
            return False
        return cast(SwitchedDoser, device).may_run

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

    def captured(self, field: FieldState, setting: Setting) -> Setting:
        """Return a setting with what goes along with it at the device now (R-T60)."""
        beside = self.device.beside(field.name) if self.device is not None else None
        return with_beside(plain(setting), beside)

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


_USUAL = HeadLimits()
_UNKNOWN = Field(name="", data_type=DataType.NUMBER, writable=False)
