"""A head's programme: which doses of a day the pump gives by itself (protocol section 4.2)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import batched

from ..frozen import frozen

TENTH = 100
MILLILITRE = 1000
NO_VOLUME = 0xFFFF
DAY_HOURS = 24


class ProgrammeMode(IntEnum):
    """The mode byte of `A5/15` and of the snapshot; the wire writes windows as `A5/17`."""

    SINGLE = 0
    HOURLY = 1
    WINDOWS = 2
    TIMER = 3
    DISABLED = 4


@frozen
class Entry:
    """A time of the day in minutes; a timer's volume in µL; a window's end and count."""

    start: int
    volume: int = 0
    end: int = 0
    count: int = 0


@dataclass(slots=True, kw_only=True)
class Programme:
    """What a head does by itself; volumes in microlitres.

    A list that is longer than a frame comes in several frames, so a list adds to one of the same
    kind unless `A5/20` or `A5/1B` opened a new programme before it (assumed: the page tells how the
    app splits a list, not how the pump joins it).
    """

    active: bool = False
    catch_up: bool = False
    mask: int = 0
    volume: int | None = None
    mode: ProgrammeMode = ProgrammeMode.DISABLED
    entries: list[Entry] = field(default_factory=list)
    opened: bool = True

    @property
    def shown_mode(self) -> ProgrammeMode:
        """Return the mode a snapshot shows: a head that is switched off shows as disabled."""
        return self.mode if self.active else ProgrammeMode.DISABLED

    @property
    def target(self) -> int:
        """Return the daily volume: the one sent, else the sum of the timer's entries."""
        if self.volume is None:
            return sum(entry.volume for entry in self.entries)
        return self.volume

    def enable(self, *, catch_up: bool, active: bool) -> None:
        """Take `A5/20`: the flags and the start of a new programme. Catch-up is stored only."""
        self.catch_up = catch_up
        self.active = active
        self.opened = True

    def set_daily(self, mask: int, tenths: int) -> None:
        """Take `A5/1B` with six parameters: weekdays and daily volume (FFFF = no volume)."""
        self.mask = mask
        self.volume = None if tenths == NO_VOLUME else tenths * TENTH
        self.opened = True

    def set_times(self, mode: int, fields: bytes) -> bool:
        """Take `A5/15` after its head and mode; False when the fields are no such list."""
        if len(fields) % 4 or not fields:
            return False
        entries = [
            Entry(start=hour * 60 + minute, volume=(high << 8 | low) * TENTH)
            for hour, minute, high, low in batched(fields, 4, strict=True)
            if hour < DAY_HOURS and minute < 60
        ]
        if len(entries) != len(fields) // 4:
            return False
        if mode == ProgrammeMode.TIMER:
            self._store(ProgrammeMode.TIMER, entries)
            return True
        if mode not in {ProgrammeMode.SINGLE, ProgrammeMode.HOURLY} or len(entries) > 1:
            return False
        # A volume in this frame is what one peer sends instead of the volume of `A5/1B`.
        self.volume = entries[0].volume or self.volume
        self.opened = True
        self._store(ProgrammeMode(mode), [Entry(start=entries[0].start)])
        return True

    def set_windows(self, fields: bytes) -> bool:
        """Take `A5/17` after its head; False when the fields are no windows.

        The end may lie after midnight (26:00).
        """
        if len(fields) % 5 or not fields:
            return False
        entries = []
        for start_hour, start_minute, end_hour, end_minute, count in batched(
            fields, 5, strict=True
        ):
            start = start_hour * 60 + start_minute
            end = end_hour * 60 + end_minute
            if (
                start_hour >= DAY_HOURS
                or max(start_minute, end_minute) >= 60
                or end < start
            ):
                return False
            entries.append(Entry(start=start, end=end, count=count))
        self._store(ProgrammeMode.WINDOWS, entries)
        return True

    def doses(self) -> list[tuple[int, int]]:
        """Return the doses of a day as (minute since its midnight, µL); minutes may pass 1440.

        Windows spread the daily volume evenly, the first dose at a window's start (assumed).
        """
        match self.shown_mode:
            case ProgrammeMode.SINGLE:
                minutes = [self.entries[0].start]
            case ProgrammeMode.HOURLY:
                past = self.entries[0].start % 60
                minutes = [hour * 60 + past for hour in range(DAY_HOURS)]
            case ProgrammeMode.WINDOWS:
                minutes = [
                    entry.start + (entry.end - entry.start) * step // entry.count
                    for entry in self.entries
                    for step in range(entry.count)
                ]
            case ProgrammeMode.TIMER:
                return [(entry.start, entry.volume) for entry in self.entries]
            case _:
                return []
        return list(zip(minutes, _shares(self.target, len(minutes)), strict=True))

    def record(self, today_tenths: int) -> bytes:
        """Return the nine bytes of the head in a snapshot: mode, up to three times, today."""
        mode = self.shown_mode
        shown = {ProgrammeMode.DISABLED: 0, ProgrammeMode.TIMER: 3}.get(mode, 1)
        times = b"".join(
            bytes(divmod(entry.start, 60)) for entry in self.entries[:shown]
        )
        return bytes([mode]) + times.ljust(6, b"\0") + today_tenths.to_bytes(2)

    def as_json(self) -> dict[str, object]:
        """Return the programme for a state description."""
        return {
            "mode": self.shown_mode.name.lower(),
            "active": self.active,
            "catch_up": self.catch_up,
            "mask": self.mask,
            "target": self.target,
            "doses": [list(dose) for dose in self.doses()],
        }

    def _store(self, mode: ProgrammeMode, entries: Sequence[Entry]) -> None:
        """Keep the entries: in place of the old ones, or behind them."""
        if self.opened or self.mode is not mode:
            self.entries = []
        self.mode = mode
        self.entries += entries
        self.opened = False


def _shares(volume: int, count: int) -> list[int]:
    """Split a volume into equal whole parts that add up to it."""
    return [
        volume * (part + 1) // count - volume * part // count for part in range(count)
    ]
