"""A dosing pump with two, four or eight heads, as protocol section 4 describes it."""

from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from typing import ClassVar, override

from ..chihiros import frames
from . import reports
from .clock import Cancel, SimulatorClock
from .device_clock import DAY, MINUTE, runs_on, weekday
from .faults import FaultName
from .peripheral import Peripheral
from .programme import MILLILITRE, TENTH, Programme
from .pump_head import PumpHead, tenths

HEAD_COUNTS = (2, 4, 8)
OMITTED = 255
UNTOUCHED = 255
MAX_HEADS = 8
DAY_MINUTES = DAY // MINUTE
# A loop fires its timers up to its own resolution too early.
TOLERANCE = 0.001


class LifetimeEnd(StrEnum):
    """What a lifetime counter does past 6553.5 mL: nobody knows which."""

    STICK = "stick"
    WRAP = "wrap"


class DoserModel(Peripheral):
    """A pump that doses when told and, by its own clock, on its programmes.

    What real pumps do is unknown in places; assumed here: a dose to a busy head adds to the running
    volume, so that one `22` reports both. A programmed dose is given during its minute, once, also
    when the clock is set back over it; what a clock jumps over is not given. Today starts over at
    midnight of the pump's clock and with a power cut. A run of any kind counts. With
    `live_counters` the counters run along with a dose, else they rise when it ends, and a power
    cut loses the part. It loses the clock, and the programmes only without `keeps_memory`: what
    real pumps do nobody has published. `A5/05` with 25 to 28 clears programmes, also on eight heads, where the same
    numbers could mean lifetime counters.
    """

    prefix: ClassVar[str] = "DYDOSE"

    def __init__(
        self,
        clock: SimulatorClock,
        *,
        address: str,
        name: str | None = None,
        rssi: int = -60,
        heads: int = 4,
        flow: int = MILLILITRE,
        lifetime: Sequence[int] = (),
        lifetime_end: LifetimeEnd = LifetimeEnd.STICK,
        live_counters: bool = True,
        keeps_memory: bool = True,
        firmware: int = 6,
        status_byte: int = 0xC8,
        clock_rate: float = 1.0,
    ) -> None:
        """Make an idle pump; flow in µL/s, `lifetime` what each head has pumped before, in µL.

        Raises ValueError naming the argument for a number of heads that no pump has, a flow below
        1, and more lifetimes than heads.
        """
        if heads not in HEAD_COUNTS:
            raise ValueError("heads: 2, 4 or 8")
        if flow < 1:
            raise ValueError("flow: at least 1 microlitre a second")
        if len(lifetime) > heads:
            raise ValueError("lifetime: at most one for each head")
        super().__init__(
            clock,
            address=address,
            name=name,
            rssi=rssi,
            firmware=firmware,
            status_byte=status_byte,
            clock_rate=clock_rate,
        )
        before = [*lifetime, *[0] * heads][:heads]
        self.heads = [
            PumpHead(flow=flow, lifetime=volume, live_counters=live_counters)
            for volume in before
        ]
        self.lifetime_end = lifetime_end
        self.staggered = False
        self._keeps_memory = keeps_memory
        self._ends: dict[int, Cancel] = {}
        self._wake: Cancel = _nothing
        self._served: set[tuple[int, int]] = set()
        self._seen = 0.0
        self._day = 0
        self._day_is_known = False
        self._arm()

    @property
    def delivered(self) -> tuple[int, ...]:
        """Return what really came out of each head since the model was made, in µL: the truth."""
        return tuple(head.delivered(self.clock.elapsed()) for head in self.heads)

    @override
    def state(self) -> dict[str, object]:
        """Describe the pump: its heads on top of what every device has."""
        now = self.clock.elapsed()
        return super().state() | {
            "staggered": self.staggered,
            "heads": [head.as_json(now) for head in self.heads],
        }

    @override
    def _obey(self, frame: frames.Frame) -> bool:
        """Act on the frames of section 4.2, except those that program."""
        match frame.group, frame.mode, tuple(frame.parameters):
            case 0xA5, 0x04, (4,):
                self.answer(self._lifetime_report)
            case 0xA5, 0x04, (5,):
                self.answer(self._today_report)
            case 0xA5, 0x1B, (index, 0, 0 | 2, high, low):
                return self._dose(index, (high << 8 | low) * TENTH)
            case 0xA5, 0x16, (index, seconds, whole, hundredths):
                return self._calibrate(index, seconds, whole, hundredths)
            case 0xA5, 0x14, (minutes, seconds, *switches) if (
                len(switches) == MAX_HEADS
            ):
                return self._run_for(minutes, seconds, switches)
            case 0xA5, 0x1F, (0 | 1 as staggered,):
                self.staggered = bool(staggered)
            case 0xA5, 0x05, (sub, 255, 255):
                return self._reset(sub)
            case _:
                return self._program(frame)
        return True

    def _program(self, frame: frames.Frame) -> bool:
        """Act on the frames that write a head's programme."""
        if frame.group != 0xA5 or not frame.parameters:
            return False
        index, fields = frame.parameters[0], frame.parameters[1:]
        if index >= len(self.heads):
            return False
        programme = self.heads[index].programme
        match frame.mode, tuple(fields):
            case 0x20, (0 | 1 as catch_up, 0 | 1 as active):
                programme.enable(catch_up=bool(catch_up), active=bool(active))
            case 0x1B, (mask, 1, 0 | 1, high, low) if mask < 128:
                programme.set_daily(mask, high << 8 | low)
            case 0x15, (mode, *_) if programme.set_times(mode, fields[1:]):
                pass
            case 0x17, _ if programme.set_windows(fields):
                pass
            case _:
                return False
        self._arm()
        return True

    @override
    def _snapshot(self) -> bytes:
        """Return mode, first times, today and target of the first four heads."""
        now = self.clock.elapsed()
        return reports.doser_snapshot(
            self.firmware,
            self.own_clock.read(now),
            [head.programme.record(self._shown_today(head)) for head in self.heads],
            [head.programme.target // MILLILITRE for head in self.heads],
        )

    @override
    def _clock_moved(self) -> None:
        """Go on from the new time: what was jumped over is not given, a later day starts today."""
        now = self.clock.elapsed()
        self._seen = self.own_clock.read(now)
        if not self._day_is_known:
            self._day = int(self._seen // DAY)
            self._day_is_known = self.own_clock.is_set
        self._begin_later_day(now)
        self._arm()

    @override
    def _lose_power(self) -> None:
        """Stop all heads and forget the day."""
        now = self.clock.elapsed()
        for cancel in self._ends.values():
            cancel()
        self._ends.clear()
        for head in self.heads:
            head.lose_power(now)
            if not self._keeps_memory:
                head.programme = Programme()
        self._served.clear()
        self._day_is_known = False
        self._wake()

    @override
    def _regain_power(self) -> None:
        """Run the stored programmes by a clock that starts over."""
        self._seen = 0.0
        self._day = 0
        self._arm()

    def _arm(self) -> None:
        """Wake at the next programmed dose or midnight, whichever comes first."""
        self._wake()
        reading = self.own_clock.read(self.clock.elapsed()) + TOLERANCE
        self._seen = reading
        midnight = (reading // DAY + 1) * DAY
        due = min(
            [
                midnight,
                *(minute * MINUTE for _, minute, _ in self._open_doses(midnight)),
            ]
        )
        self._wake = self.clock.call_at(self.own_clock.elapsed_at(due), self._act)

    def _act(self) -> None:
        """Begin the day and the doses that have fallen due."""
        now = self.clock.elapsed()
        reading = self.own_clock.read(now) + TOLERANCE
        self._begin_later_day(now)
        for index, minute, volume in self._open_doses(reading):
            self._served.add((index, minute))
            self._dose(index, volume)
        self._arm()

    def _open_doses(self, until: float) -> list[tuple[int, int, int]]:
        """Return (head, minute, µL) of programmed doses from the minute last seen to a reading.

        Minutes count from the clock's origin. Yesterday's windows may reach past midnight.
        """
        first = int(self._seen // MINUTE)
        days = range(int(self._seen // DAY) - 1, int(until // DAY) + 1)
        return [
            (index, day * DAY_MINUTES + minute, volume)
            for index, head in enumerate(self.heads)
            for day in days
            if runs_on(head.programme.mask, weekday(day * DAY))
            for minute, volume in head.programme.doses()
            if first <= day * DAY_MINUTES + minute <= until / MINUTE
            and (index, day * DAY_MINUTES + minute) not in self._served
        ]

    def _begin_later_day(self, now: float) -> None:
        """Start today over when the clock shows a later day than before."""
        day = int((self.own_clock.read(now) + TOLERANCE) // DAY)
        if day > self._day:
            self._day = day
            self._served = {
                (index, minute)
                for index, minute in self._served
                if minute >= (day - 2) * DAY_MINUTES
            }
            for head in self.heads:
                head.begin_day(now)

    def _dose(self, index: int, volume: int) -> bool:
        """Pump a volume with one head."""
        if index >= len(self.heads) or not volume:
            return False
        now = self.clock.elapsed()
        head = self.heads[index]
        begins = head.ends_at() or now
        head.add_volume(now, volume)
        if (fault := self.faults.take(FaultName.DROP_IN_DOSE)) is not None:
            share = (fault.value or 0) * volume / head.believed_flow
            self.clock.call_at(begins + share, lambda: self.drop_link("link_lost"))
        self._plan_end(index)
        return True

    def _calibrate(self, index: int, seconds: int, whole: int, hundredths: int) -> bool:
        """Run a head for a while, or store what was measured; 255 = omitted."""
        if index >= len(self.heads) or (whole == OMITTED) != (hundredths == OMITTED):
            return False
        if hundredths != OMITTED and hundredths > 100:
            return False
        measured = None if whole == OMITTED else whole * MILLILITRE + hundredths * 10
        duration = None if seconds == OMITTED else seconds
        accepted = self.heads[index].calibrate(self.clock.elapsed(), duration, measured)
        self._plan_end(index)
        return accepted

    def _run_for(self, minutes: int, seconds: int, switches: Sequence[int]) -> bool:
        """Run or stop heads (`A5/14`); 255, 255 = until stopped. Switches of absent heads are void."""
        unlimited = minutes == seconds == OMITTED
        if not unlimited and (minutes == OMITTED or seconds >= 60):
            return False
        if not {*switches} <= {0, 1, UNTOUCHED}:
            return False
        duration = None if unlimited else minutes * 60 + seconds
        for index, (_, switch) in enumerate(zip(self.heads, switches, strict=False)):
            if switch == 0:
                self._stop(index, self.clock.elapsed())
            elif switch == 1 and duration != 0:
                self.heads[index].add_seconds(self.clock.elapsed(), duration)
                self._plan_end(index)
        return True

    def _reset(self, sub: int) -> bool:
        """Clear a programme (head + 25) or a lifetime counter (head + 21)."""
        if 25 <= sub < 25 + len(self.heads):
            self.heads[sub - 25].programme = Programme()
            self._arm()
            return True
        if 21 <= sub < 21 + min(len(self.heads), 4):
            self.heads[sub - 21].zero_lifetime(self.clock.elapsed())
            return True
        return False

    def _plan_end(self, index: int) -> None:
        """Report the run's end when it comes; one that lasts until stopped has none."""
        self._forget_end(index)
        ends_at = self.heads[index].ends_at()
        if ends_at is not None:
            stop = partial(self._stop, index, ends_at)
            self._ends[index] = self.clock.call_at(ends_at, stop)

    def _forget_end(self, index: int) -> None:
        """Call the planned end of a run off."""
        if (cancel := self._ends.pop(index, None)) is not None:
            cancel()

    def _stop(self, index: int, at: float) -> None:
        """End a run: what came out till then counts, and today's totals are pushed."""
        self._forget_end(index)
        if self.heads[index].stop(at):
            self.notify(self._today_report())

    def _lifetime_report(self) -> bytes:
        """Return `1E`."""
        now = self.clock.elapsed()
        shown = [tenths(head.lifetime(now)) for head in self.heads]
        if self.lifetime_end is LifetimeEnd.WRAP:
            return reports.totals(
                reports.LIFETIME, [volume & 0xFFFF for volume in shown]
            )
        return reports.totals(
            reports.LIFETIME, [min(volume, 0xFFFF) for volume in shown]
        )

    def _today_report(self) -> bytes:
        """Return `22`."""
        return reports.totals(
            reports.TODAY, [self._shown_today(head) for head in self.heads]
        )

    def _shown_today(self, head: PumpHead) -> int:
        """Return today's volume of a head in tenths, as far as 16 bits reach."""
        return min(tenths(head.today(self.clock.elapsed())), reports.VOLUME_END)


def _nothing() -> None:
    """Stand in for the cancelling of a wake-up that was never armed."""
