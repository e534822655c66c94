"""A light with one to four channels, as protocol section 3 describes it."""

from enum import StrEnum
from math import floor
from typing import ClassVar, override

from ..chihiros import frames
from . import reports
from .clock import SimulatorClock
from .device_clock import MINUTE
from .light_curve import LightCurve
from .light_memory import LEVEL_END, LightMemory
from .peripheral import Peripheral

MAX_CHANNELS = 4


class LightMode(StrEnum):
    """Who decides the levels."""

    AUTO = "auto"
    CURVE = "curve"
    MANUAL = "manual"


class LightModel(Peripheral):
    """A WRGB light: channels 0 red, 1 green, 2 blue, 3 white.

    In auto mode the stored windows decide. A level set in auto mode holds until the next full
    minute of the light's own clock; without any stored window it stays. A power cut keeps the
    windows and the curve, unless made without `keeps_memory`, and loses the mode and the
    levels: the light comes back in auto (assumed).
    """

    prefix: ClassVar[str] = "DYU1000"

    def __init__(
        self,
        clock: SimulatorClock,
        *,
        address: str,
        name: str | None = None,
        rssi: int = -60,
        channels: int = MAX_CHANNELS,
        keeps_memory: bool = True,
        firmware: int = 21,
        clock_rate: float = 1.0,
        unknown_bytes: bytes = bytes(reports.UNKNOWN_BYTES),
    ) -> None:
        """Make a light in auto mode, dark and without a schedule.

        `unknown_bytes` are the 13 leftovers in a snapshot. Raises ValueError naming the argument.
        """
        if not 1 <= channels <= MAX_CHANNELS:
            raise ValueError(f"channels: from 1 to {MAX_CHANNELS}")
        if len(unknown_bytes) != reports.UNKNOWN_BYTES:
            raise ValueError(f"unknown_bytes: exactly {reports.UNKNOWN_BYTES}")
        super().__init__(
            clock,
            address=address,
            name=name,
            rssi=rssi,
            firmware=firmware,
            status_byte=0xFF,
            clock_rate=clock_rate,
        )
        self.mode = LightMode.AUTO
        self.memory = LightMemory()
        self.curve = LightCurve()
        self._keeps_memory = keeps_memory
        self._unknown_bytes = unknown_bytes
        self._count = channels
        self._held = (0.0,) * channels
        self._held_until: float | None = None

    @property
    def channels(self) -> tuple[float, ...]:
        """Return the light that comes out now, 0 to 100 for each channel."""
        if not self.powered:
            return (0.0,) * self._count
        now = self.clock.elapsed()
        held_on = self._held_until is not None and now < self._held_until
        follows = self.curve if self.mode is LightMode.CURVE else self.memory
        if self.mode is LightMode.MANUAL or not follows or held_on:
            return self._held
        return follows.levels(self.own_clock.read(now), self._count)

    @override
    def state(self) -> dict[str, object]:
        """Describe the light: mode, channels and windows on top of what every device has."""
        return super().state() | {
            "mode": self.mode.value,
            "channels": list(self.channels),
            "windows": self.memory.as_json(),
            "curve": self.curve.as_json(),
        }

    @override
    def _obey(self, frame: frames.Frame) -> bool:
        """Act on the frames of section 3.1 that this light has."""
        match frame.group, frame.mode, tuple(frame.parameters):
            case 0x5A, 0x07, (channel, level):
                return self._set_channel(channel, level)
            case 0x5A, 0x05, (sub, *_):
                return self._switch(sub)
            case 0x5A, 0x06, (channel, hour, minute, level) if channel < self._count:
                self._held = self.channels
                return self.curve.write(channel, hour, minute, level)
            case 0xA5, 0x19, _:
                self._held = self.channels
                return self.memory.write(frame.parameters)
        return False

    @override
    def _snapshot(self) -> bytes:
        """Return the eight first points of today with the level of the first channel."""
        reading = self.own_clock.read(self.clock.elapsed())
        points = self.memory.points(reading)
        return reports.light_snapshot(
            self.firmware, reading, self._unknown_bytes, points
        )

    @override
    def _clock_moved(self) -> None:
        """Evaluate the schedule at once."""
        self._held_until = None

    @override
    def _lose_power(self) -> None:
        """Forget mode and levels."""
        if not self._keeps_memory:
            self.memory.clear()
            self.curve.clear()
        self.mode = LightMode.AUTO
        self._held = (0.0,) * self._count
        self._held_until = None

    @override
    def _regain_power(self) -> None:
        """Go on in auto: levels are computed when they are asked for."""

    def _set_channel(self, channel: int, level: int) -> bool:
        """Set one channel now; the others stay as they are."""
        if channel >= self._count or level > LEVEL_END:
            return False
        levels = list(self.channels)
        levels[channel] = float(level)
        self._held = tuple(levels)
        now = self.clock.elapsed()
        next_minute = (floor(self.own_clock.read(now) / MINUTE) + 1) * MINUTE
        self._held_until = self.own_clock.elapsed_at(next_minute)
        return True

    def _switch(self, sub: int) -> bool:
        """Act on a mode switch `5A/05` (section 3.2): 3, 5, 7, 11, 18 and 40."""
        self._held = self.channels
        match sub:
            case 3:
                self.mode = LightMode.CURVE
                self._held_until = None
            case 5:
                self.memory.clear()
                self.curve.clear()
            case 11:
                self.mode = LightMode.MANUAL
            case 18:
                self.mode = LightMode.AUTO
                self._held_until = None
            case 7 | 40:
                self._held_until = None
            case _:
                return False
        return True
