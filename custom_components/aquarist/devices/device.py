"""What every device is to the engine, and the values they exchange."""

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime, time
from enum import StrEnum
from typing import Protocol

from ..dosing.programme import ProgrammeMode
from ..frozen import frozen
from ..layers.setting import Scalar, Setting
from .fields import Field


class DeviceKind(StrEnum):
    """The kind of a device."""

    CHIHIROS_LIGHT = "chihiros_light"
    CHIHIROS_DOSER = "chihiros_doser"
    PUMP = "pump"
    LIGHT = "light"
    DOSER = "doser"
    ENTITY = "entity"


@frozen
class Observation:
    """A field was seen to have this setting.

    ``at`` is an aware UTC datetime, None when the device only assumes the setting. The ids are
    those of the Home Assistant context that the change came with.
    """

    field: str
    setting: Setting
    at: datetime | None = None
    user_id: str | None = None
    parent_id: str | None = None
    context_id: str | None = None


@frozen
class StopReport:
    """How a stop ended: ``detail`` is `stopped`, `nothing_to_stop` or an error code.

    ``given`` tells per head the microlitres that a dose under way had given, where known.
    """

    confirmed: bool
    detail: str
    given: Mapping[int, int] | None = None


@frozen
class Head:
    """A pump head: 0-based index, name, flow in microlitres a second, dose bounds in microlitres.

    ``flow_entered_at`` is when the keeper changed the flow (aware UTC): a calibration before
    that counts no more for it.
    """

    index: int
    name: str
    flow: float
    minimum: int
    maximum: int
    flow_entered_at: datetime | None = None


@frozen
class DeviceStatus:
    """What a device says of itself: firmware, and minutes since power on (they stop at 5000)."""

    firmware: int
    uptime_minutes: int


@frozen
class HeadMemory:
    """What a pump shows of a head's programme (protocol 4.3).

    ``mode`` is None for a head whose programme is off, ``times`` are at most three, ``today``
    microlitres given today, ``target_ml`` whole millilitres a day, cut off.
    """

    mode: ProgrammeMode | None
    times: tuple[time, ...]
    today: int
    target_ml: int


@frozen
class LightPoint:
    """A point of a light's stored course: hour, minute, and one level for all channels."""

    hour: int
    minute: int
    level: int


@frozen
class MemoryReport:
    """What a device shows of its memory, as far as it does; None and absent is not shown.

    ``heads`` by index, ``points`` at most eight of a light, ``auto`` whether a light was
    told to follow its memory.
    """

    heads: Mapping[int, HeadMemory] = field(default_factory=dict)
    points: tuple[LightPoint, ...] | None = None
    auto: bool | None = None


class DeviceListener(Protocol):
    """What the engine hears from a device, always in the event loop."""

    def observed(self, observation: Observation) -> None:
        """Take note of a setting that a field was seen to have."""

    def availability_changed(self, available: bool) -> None:
        """Take note that the device came or went; called on changes only."""

    def connected(self) -> None:
        """Take note that a connection to the device was opened."""

    def field_came(self, field: str) -> None:
        """Take note that a field came within reach while others of the device are away."""

    def counters_read(
        self, lifetime: Mapping[int, int], today: Mapping[int, int]
    ) -> None:
        """Take note of totals in microlitres per head.

        Only what was just read is given: a mapping is empty when those totals were not read now.
        """

    def status_read(self, status: DeviceStatus) -> None:
        """Take note of what a device says of itself."""

    def memory_read(self, report: MemoryReport) -> None:
        """Take note of what a device shows of its memory."""

    def ran_by_itself(self, head: int, microlitres: int, at: datetime) -> None:
        """Take note of what a head gave that no dose accounts for: by hand, or an off too late.

        ``at`` is when it went on, aware UTC.
        """

    def went_off(self) -> None:
        """Take note that a dosing switch is off, and that its time on has been told."""


class Device(Protocol):
    """A thing with fields."""

    uuid: str
    kind: DeviceKind
    name: str
    address: str | None

    @property
    def fields(self) -> Mapping[str, Field]:
        """Return the fields by name, as far as they are known now."""

    @property
    def available(self) -> bool:
        """Return whether the device can be reached."""

    @property
    def within_reach(self) -> frozenset[str]:
        """Return the fields that can be reached by themselves, whatever holds for the others."""

    @property
    def apart(self) -> frozenset[str]:
        """Return the fields that `apply` may be told of side by side, each in a call of its own."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the ids of entities that it is made of and that nothing provides."""

    def observed(self, field: str) -> Setting | None:
        """Return the last known or assumed setting; never one made of `unknown` (R-T55)."""

    def beside(self, field: str) -> str | None:
        """Return what goes along with a field's setting now, and is lost by setting it (R-T60)."""

    def listen(self, listener: DeviceListener) -> Callable[[], None]:
        """Tell a listener of all changes until the returned function is called."""

    def setting_for(
        self, action: str, args: Mapping[str, object], resting: Setting | None
    ) -> tuple[str, Setting]:
        """Translate a level action to a field and its setting. Raises InvalidValue."""

    def check(self, field: str, value: Scalar | Setting) -> Setting:
        """Return the setting that a value asks of a field or part. Raises InvalidValue."""

    def field_of(self, name: str) -> str:
        """Return the field that a field, part or alias belongs to. Raises InvalidValue."""

    async def apply(self, settings: Mapping[str, Setting]) -> None:
        """Bring the named fields to their settings in one go; return when that is confirmed.

        Raises DeviceError; FieldErrors when only some of them did not get there. The caller
        bounds the time and may cancel.
        """

    async def stop(self) -> StopReport:
        """Go to the safe side at once. Bounded, never raises DeviceError."""

    def check_action(self, action: str, args: Mapping[str, object]) -> None:
        """Raise InvalidValue for an action of `perform` that the device would refuse."""

    async def perform(
        self, action: str, args: Mapping[str, object]
    ) -> Mapping[str, object] | None:
        """Do an action that sets no field. Raises InvalidValue and DeviceError."""

    async def let_go(self, field: str | None = None) -> None:
        """Return once nothing goes on that was given up, of a field or at all (R-C51).

        Bounded in time.
        """

    async def close(self) -> None:
        """Let go of the hardware."""


class PreparedDose(Protocol):
    """A dose for which all is ready; exactly one of send and release comes next."""

    @property
    def lifetime(self) -> int | None:
        """Return the head's lifetime counter in microlitres, as read just before."""

    async def send(self, volume: int) -> None:
        """Start the dose, in microlitres. From this call on it may have been given.

        Raises DeviceError, and InvalidValue when the head cannot give the volume.
        """

    async def finished(self) -> int | None:
        """Wait for the end and return the microlitres given, None when that cannot be told.

        The caller bounds the time.
        """

    async def release(self) -> None:
        """Let go of everything that the dose holds; may be called again."""


class DoserDevice(Device, Protocol):
    """A device that gives doses."""

    heads: tuple[Head, ...]

    async def prepare(self, head: int) -> PreparedDose:
        """Make ready for one dose of a head. Raises DeviceError and InvalidValue."""

    async def run(
        self, action: str, args: Mapping[str, object], last_word: Callable[[], None]
    ) -> Mapping[str, object] | None:
        """Do an action of `perform` that runs a head for a time.

        ``last_word`` is called right before the pump hears of it, and only then, with no
        wait in between; what it raises keeps the head from running. Raises as `perform`.
        """


class SwitchedDoser(DoserDevice, Protocol):
    """A doser that runs for as long as a switch is on: nothing in it ends a dose."""

    @property
    def may_run(self) -> bool:
        """Return whether the switch is on, or may be."""

    @property
    def has_automatic_off(self) -> bool:
        """Return whether the switch goes off by itself when nobody switches it off."""

    def cut_off(
        self, volume: int, at: datetime, seconds_ago: float, *, counted: bool = True
    ) -> None:
        """Know of a dose or run whose end nobody saw: it may still be running.

        ``counted`` tells whether its microlitres are accounted for already; it was sent at
        an aware UTC instant.
        """

    def set_flow(self, flow: float) -> None:
        """Dose from now on by another flow, in microlitres a second. Raises ValueError."""
