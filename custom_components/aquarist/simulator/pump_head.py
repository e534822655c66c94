"""One head of a dosing pump: what it pumps, what really came out, what the pump counts.

Volumes are whole microlitres, flows microlitres a second. The true flow and the one the pump
believes in may differ: that is what calibration is for.
"""

from dataclasses import dataclass

from .programme import MILLILITRE, Programme


@dataclass(slots=True, kw_only=True)
class Run:
    """A run in progress: when it began, how long it lasts (None = until stopped), what it ends at."""

    started_at: float
    seconds: float | None
    delivered: int
    counted: int


class PumpHead:
    """A head. Time is the elapsed second, given with each call."""

    def __init__(self, *, flow: int, lifetime: int, live_counters: bool) -> None:
        """Make an idle head that believes its true flow and has `lifetime` on its counter."""
        self.flow = flow
        self.believed_flow = flow
        self.live_counters = live_counters
        self.programme = Programme()
        self.run: Run | None = None
        self._delivered = 0
        self._counted = 0
        self._lifetime_from = -lifetime
        self._today_from = 0
        self._calibration_seconds: int | None = None

    def delivered(self, now: float) -> int:
        """Return what really came out since the model was made, the run in progress included."""
        return self._delivered + self._delivered_in_run(now)

    def lifetime(self, now: float) -> int:
        """Return the lifetime counter, unbounded."""
        return self._count(now) - self._lifetime_from

    def today(self, now: float) -> int:
        """Return today's counter."""
        return self._count(now) - self._today_from

    def zero_lifetime(self, now: float) -> None:
        """Start the lifetime counter over."""
        self._lifetime_from = self._count(now)

    def begin_day(self, now: float) -> None:
        """Start today's counter over."""
        self._today_from = self._count(now)

    def add_volume(self, now: float, volume: int) -> None:
        """Pump a volume; a head that is busy adds it to what it is pumping."""
        self._extend(
            now,
            seconds=volume / self.believed_flow,
            delivered=volume * self.flow // self.believed_flow,
            counted=volume,
        )

    def add_seconds(self, now: float, seconds: int | None) -> None:
        """Run for some seconds, or until stopped; a head that is busy runs that much longer."""
        if seconds is not None:
            self._extend(
                now,
                seconds=seconds,
                delivered=seconds * self.flow,
                counted=seconds * self.believed_flow,
            )
            return
        run = self.run or Run(started_at=now, seconds=None, delivered=0, counted=0)
        run.seconds = None
        self.run = run

    def calibrate(self, now: float, seconds: int | None, measured: int | None) -> bool:
        """Run for some seconds, or believe in the flow that a measured volume shows.

        A volume alone belongs to the run before; one with seconds is stored for these seconds, and
        nothing runs (assumed). False when there is nothing to go by.
        """
        if measured is None:
            if not seconds:
                return False
            self._calibration_seconds = seconds
            self.add_seconds(now, seconds)
            return True
        over = seconds or self._calibration_seconds
        if not over or not measured:
            return False
        self.believed_flow = max(1, round(measured / over))
        return True

    def ends_at(self) -> float | None:
        """Return the elapsed second at which the run ends by itself."""
        if self.run is None or self.run.seconds is None:
            return None
        return self.run.started_at + self.run.seconds

    def stop(self, now: float) -> bool:
        """End the run at an elapsed second; what came out till then counts. False when nothing ran."""
        if self.run is None:
            return False
        delivered, counted = self._delivered_in_run(now), self._counted_in_run(now)
        self._delivered += delivered
        self._counted += counted
        self.run = None
        return True

    def lose_power(self, now: float) -> None:
        """Stop without power: what came out counts only where the counters run along.

        Today starts over, the lifetime counter and the programme are kept (assumed).
        """
        counted = self._count(now)
        self._delivered = self.delivered(now)
        self._counted = counted
        self.run = None
        self.begin_day(now)

    def as_json(self, now: float) -> dict[str, object]:
        """Return the head for a state description; volumes in µL."""
        return {
            "delivered": self.delivered(now),
            "today": self.today(now),
            "lifetime": self.lifetime(now),
            "running": self.run is not None,
            "flow": self.flow,
            "believed_flow": self.believed_flow,
            "programme": self.programme.as_json(),
        }

    def _extend(
        self, now: float, *, seconds: float, delivered: int, counted: int
    ) -> None:
        """Start a run, or let the one in progress last longer."""
        run = self.run or Run(started_at=now, seconds=0.0, delivered=0, counted=0)
        if run.seconds is not None:
            run.seconds += seconds
            run.delivered += delivered
            run.counted += counted
        self.run = run

    def _delivered_in_run(self, now: float) -> int:
        """Return what the run in progress has really pumped."""
        return (
            0
            if self.run is None
            else _share(self.run, now, self.flow, self.run.delivered)
        )

    def _counted_in_run(self, now: float) -> int:
        """Return what the pump believes to have pumped in the run in progress."""
        return (
            0
            if self.run is None
            else _share(self.run, now, self.believed_flow, self.run.counted)
        )

    def _count(self, now: float) -> int:
        """Return all that is counted; a run in progress only where the counters run along."""
        return self._counted + (self._counted_in_run(now) if self.live_counters else 0)


def tenths(volume: int) -> int:
    """Round µL to the tenths of a millilitre of the wire.

    To the nearest: a captured hourly programme of 37.0 mL shows 3.1 after two doses of 1.54.
    """
    return (volume + MILLILITRE // 20) // (MILLILITRE // 10)


def _share(run: Run, now: float, flow: int, end: int) -> int:
    """Return the volume of a run so far, never more than it ends at."""
    so_far = round((now - run.started_at) * flow)
    return so_far if run.seconds is None else min(so_far, end)
