"""What every simulated device has: a radio, a link, power, its own clock, faults."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from random import Random
from typing import ClassVar

from ..chihiros import frames
from . import reports
from .clock import SimulatorClock
from .device_clock import MINUTE, DeviceClock, minute_of_day, weekday
from .errors import (
    ConnectError,
    ConnectUnanswered,
    HeldByApp,
    InUse,
    LinkLost,
    OutOfRange,
    OutOfSlots,
    PoweredOff,
    Refused,
    WriteFailed,
    WriteUnanswered,
)
from .faults import FaultName, Faults, Number
from .link import Connection, WrittenFrame

ANSWER_AFTER = 0.05
SECOND_ANSWER_AFTER = 0.08
TRUNCATED_SIZE = 16
MOST_KEPT = 10_000
"""How many frames are kept: a demo may run for years."""

_CONNECT_FAULTS: tuple[tuple[FaultName, type[ConnectError]], ...] = (
    (FaultName.OUT_OF_RANGE, OutOfRange),
    (FaultName.APP_HOLDS_LINK, HeldByApp),
    (FaultName.OUT_OF_SLOTS, OutOfSlots),
    (FaultName.MUTE_CONNECT, ConnectUnanswered),
    (FaultName.REFUSE, Refused),
)


class Peripheral(ABC):
    """A device that advertises, takes one central, reads frames and notifies.

    `write_log` has what arrived last, `ignored` what of it the device did not understand.
    Sections 1.2, 1.3 and 2 of the protocol page.
    """

    prefix: ClassVar[str]

    def __init__(
        self,
        clock: SimulatorClock,
        *,
        address: str,
        name: str | None = None,
        rssi: int = -60,
        firmware: int,
        status_byte: int,
        clock_rate: float = 1.0,
    ) -> None:
        """Power the device on; without a name it is called prefix plus address, as on air."""
        self.clock = clock
        self.address = address
        self.name = name or self.prefix + address.replace(":", "")
        self.rssi = rssi
        self.firmware = firmware
        self.status_byte = status_byte
        self.powered = True
        self.own_clock = DeviceClock(clock.elapsed(), rate=clock_rate)
        self.write_log: list[WrittenFrame] = []
        self.ignored: list[bytes] = []
        self.faults = Faults(
            at_once={
                FaultName.POWER_CUT: self._cut_for,
                FaultName.WRONG_CLOCK: self._move_clock,
            },
            on_set={FaultName.OUT_OF_RANGE: lambda: self.drop_link("out_of_range")},
        )
        self._connection: Connection | None = None
        self._powered_at = clock.elapsed()

    @property
    def advertising(self) -> bool:
        """Whether a scanner can hear the device: powered, in range and not connected."""
        return (
            self.powered
            and self._connection is None
            and self.faults.find(FaultName.OUT_OF_RANGE) is None
            and self.faults.find(FaultName.APP_HOLDS_LINK) is None
        )

    @property
    def mute_connect(self) -> bool:
        """Whether the next connect would never be answered."""
        return self.faults.find(FaultName.MUTE_CONNECT) is not None

    @property
    def connected(self) -> bool:
        """Whether a central holds the link."""
        return self._connection is not None

    @property
    def uptime_minutes(self) -> int:
        """Whole minutes since power-on, not yet cut off at 5000."""
        return int((self.clock.elapsed() - self._powered_at) / MINUTE)

    def connect(
        self, notify: Callable[[bytes], None], dropped: Callable[[str], None]
    ) -> Connection:
        """Give the one link to a central.

        `notify` gets each notification, `dropped` the reason when the link is lost (not after the
        central's own disconnect). Raises PoweredOff, OutOfRange, HeldByApp, OutOfSlots, Refused,
        InUse, or ConnectUnanswered when the transport should let the attempt hang.
        """
        if not self.powered:
            raise PoweredOff
        for name, error in _CONNECT_FAULTS:
            if self.faults.take(name) is not None:
                raise error
        if self._connection is not None:
            raise InUse
        self._connection = Connection(self, notify, dropped)
        return self._connection

    def drop_link(self, reason: str) -> None:
        """Lose the link, if there is one, and tell the central why."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.drop(reason)

    def released(self) -> None:
        """Take note that the central has disconnected."""
        self._connection = None

    def power_cut(self) -> None:
        """Take the power away: the link, the clock and what runs are lost. Twice does no harm."""
        if self.powered:
            self._lose_power()
            self.powered = False
            self.drop_link("power_cut")

    def power_on(self) -> None:
        """Give the power back: the clock starts on Monday at 00:00 until a central sets it.

        That clock is an assumption (nobody has published what an unset one shows), as is that
        stored schedules and programmes then run by it.
        """
        if not self.powered:
            self.powered = True
            self._powered_at = self.clock.elapsed()
            self.own_clock.lose(self._powered_at)
            self._regain_power()

    def receive(self, data: bytes, *, response: bool) -> None:
        """Take one write: the faults of the way first, then the frame, then those of the answer."""
        if self.faults.reach(FaultName.DROP_BEFORE_WRITE, 1) is not None:
            self._break_off(response=response)
            return
        arrived = self.faults.reach(FaultName.DROP_AT_BYTE, len(data))
        whole = data if arrived is None else data[:arrived]
        if whole:
            self.write_log.append(
                WrittenFrame(
                    at_elapsed=self.clock.elapsed(), data=whole, response=response
                )
            )
            del self.write_log[:-MOST_KEPT]
        failing = self.faults.take(FaultName.WRITE_ERROR) is not None
        if whole and not failing:
            self._take_effect(whole)
        after = self.faults.reach(FaultName.DROP_AFTER_WRITE, 1)
        if arrived is not None or after is not None:
            self._break_off(response=response)
        elif response:
            self._answer_write(failing=failing)

    def state(self) -> dict[str, object]:
        """Return a JSON-able description of the device; volumes in microlitres, levels 0 to 100."""
        reading = self.own_clock.read(self.clock.elapsed())
        hour, minute = divmod(int(minute_of_day(reading)), 60)
        return {
            "address": self.address,
            "name": self.name,
            "rssi": self.rssi,
            "powered": self.powered,
            "advertising": self.advertising,
            "connected": self.connected,
            "clock": {
                "is_set": self.own_clock.is_set,
                "weekday": weekday(reading),
                "hour": hour,
                "minute": minute,
            },
            "uptime_minutes": self.uptime_minutes,
            "writes": len(self.write_log),
            "ignored": [data.hex() for data in self.ignored],
            "faults": self.faults.as_json(),
        }

    def notify(self, data: bytes) -> None:
        """Send a notification to the central, if one listens and no fault swallows it."""
        connection = self._connection
        if connection is None or not connection.subscribed:
            return
        mode = data[5]
        lost = self.faults.find(FaultName.LOSE_NOTIFICATION)
        if lost is not None and lost.value == mode:
            self.faults.take(FaultName.LOSE_NOTIFICATION)
            return
        if self.faults.take(FaultName.MUTE) is not None:
            return
        if (garbage := self.faults.take(FaultName.GARBAGE)) is not None:
            garbage.progress += 1
            random = Random(f"{garbage.value}/{garbage.progress}")
            connection.notify(random.randbytes(random.randint(1, 60)))
        if mode == reports.SNAPSHOT and self.faults.take(FaultName.TRUNCATED_SNAPSHOT):
            data = data[:TRUNCATED_SIZE]
        connection.notify(data)

    def answer(self, build: Callable[[], bytes], after: float = ANSWER_AFTER) -> None:
        """Notify, after a while, what is true then; only over the link on which it was asked."""
        asked_on = self._connection

        def send() -> None:
            if self._connection is asked_on:
                self.notify(build())

        self.clock.call_at(self.clock.elapsed() + after, send)

    def report_device(self) -> None:
        """Answer `5A/04 [1]` with status and snapshot, 50 to 80 ms later (section 1.3)."""
        self.answer(
            lambda: reports.status(self.firmware, self.status_byte, self.uptime_minutes)
        )
        self.answer(self._snapshot, SECOND_ANSWER_AFTER)

    @abstractmethod
    def _obey(self, frame: frames.Frame) -> bool:
        """Act on a frame; False when the device does not understand it."""

    @abstractmethod
    def _snapshot(self) -> bytes:
        """Return the `FE` notification as of now."""

    @abstractmethod
    def _clock_moved(self) -> None:
        """Act on a clock that was set or moved."""

    @abstractmethod
    def _lose_power(self) -> None:
        """Drop what does not survive a power cut."""

    @abstractmethod
    def _regain_power(self) -> None:
        """Take up what runs by itself."""

    def _take_effect(self, data: bytes) -> None:
        """Read one frame and act on it; what is no frame or not understood is put aside."""
        try:
            frame = frames.parse(data)
        except frames.FrameError:
            obeyed = False
        else:
            obeyed = self._obey_common(frame) or self._obey(frame)
        if not obeyed:
            self.ignored.append(data)
            del self.ignored[:-MOST_KEPT]

    def _obey_common(self, frame: frames.Frame) -> bool:
        """Act on the two frames of the prelude that all devices share."""
        match frame.group, frame.mode, tuple(frame.parameters):
            case 0x5A, 0x04, (1,):
                self.report_device()
                return True
            case 0x5A, 0x09, (_, _, _, _, _, _) as fields:
                accepted = self.own_clock.set(self.clock.elapsed(), fields)
                if accepted:
                    self._clock_moved()
                return accepted
        return False

    def _break_off(self, *, response: bool) -> None:
        """Lose the link in a write; only a write that waits for its response notices by itself."""
        self.drop_link("link_lost")
        if response:
            raise LinkLost

    def _answer_write(self, *, failing: bool) -> None:
        """Answer a write with response."""
        if failing or self.faults.take(FaultName.WRITE_ERROR_AFTER) is not None:
            raise WriteFailed
        if self.faults.take(FaultName.MUTE_WRITE) is not None:
            raise WriteUnanswered

    def _cut_for(self, seconds: Number | None) -> None:
        """Cut the power, for a while or until it is given back."""
        self.power_cut()
        if seconds is not None:
            self.clock.call_at(self.clock.elapsed() + seconds, self.power_on)

    def _move_clock(self, minutes: Number | None) -> None:
        """Move the device's own clock."""
        self.own_clock.shift(self.clock.elapsed(), minutes or 0)
        self._clock_moved()
