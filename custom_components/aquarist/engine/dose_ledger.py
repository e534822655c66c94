"""What became of every dose: recorded, counted, and settled by the pump's counters (law 3).

Each head has an account of what its counters show and what the ledger explains. What is left
over when no dose is open the pump gave by itself: a programme, or the vendor's app.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
import logging
from sqlite3 import Connection

from ..dosing.account import (
    COUNTER_END,
    TOLERANCE,
    Account,
    booked,
    opened,
    settled,
    with_lifetime,
    with_today,
)
from ..dosing.ledger import BY_ITSELF, RUN, Dose, DoseState, advance
from ..dosing.settlement import explanation, settle, volumes_between
from ..store import counters, doses as dose_rows
from ..store.counters import Counter
from .changes import DeviceChanged, DoseChanged
from .counter_looks import CounterLooks
from .counters import account_of, counter_of
from .found_doses import CLOCK_MARGIN, FoundDoses
from .gate import Gate, HeadKey
from .ground import Ground
from .state import DeviceState

_LOGGER = logging.getLogger(__name__)


@dataclass(slots=True)
class _News:
    """What one event changes: written in one unit, announced when it is on disk."""

    changed: list[Dose] = field(default_factory=list)
    found: list[Dose] = field(default_factory=list)
    counters: list[Counter] = field(default_factory=list)


class DoseLedger:
    """The doses of all heads, and their counters as last read."""

    def __init__(self, ground: Ground, gate: Gate) -> None:
        """Keep what the gate counts by; `looks` has the counters read."""
        self._clock = ground.clock
        self._journal = ground.journal
        self._announcer = ground.announcer
        self._gate = gate
        self._devices = ground.devices
        self._memory = ground.memory
        self._found = FoundDoses(ground)
        self._accounts: dict[HeadKey, Account] = {}
        # Until when the counters of each head are explained.
        self._explained: dict[HeadKey, datetime] = {}
        self._today: dict[HeadKey, int] = {}
        self.counters: dict[HeadKey, Counter] = {}
        self.looks = CounterLooks(ground, gate, self.counts)

    def load(self, rows: Iterable[Counter]) -> None:
        """Take in the counters on disk."""
        for row in rows:
            key = (row.device, row.head)
            self.counters[key] = row
            if row.today is not None:
                self._today[key] = row.today
            self._accounts[key] = account_of(row)
            self._explained[key] = row.at

    def counts(self, device: int, head: int) -> bool:
        """Return whether a head's lifetime counter was ever read."""
        return (device, head) in self._accounts

    def moved(self, dose: Dose, state: DoseState) -> Dose:
        """Move a dose on and record it."""
        moved = advance(self._newest(dose), state)
        self._record(_News(changed=[moved]))
        return moved

    def settled(
        self, dose: Dose, state: DoseState, *, given: int | None = None
    ) -> None:
        """Record what became of a dose; the counters may then explain the others."""
        ended = advance(self._newest(dose), state, given=given)
        news = _News(changed=[ended])
        key = (dose.device, dose.head)
        account = self._accounts.get(key)
        if not ended.is_settled or account is None or not self._compares(ended):
            self._record(news)
            return
        self._gate.note(ended)
        self._accounts[key] = booked(account, ended.counted)
        if self.looks.saw_all(dose.device):
            self._explain(key, news, self._clock.now())
        self._keep(key, self._clock.now(), news)
        self._record(news)

    def counters_read(
        self,
        device: DeviceState,
        lifetime: Mapping[int, int],
        today: Mapping[int, int],
    ) -> None:
        """Keep what the pump counted, and settle what it explains (RES-52)."""
        number, now, news = device.row.number, self._clock.now(), _News()
        if lifetime:
            self.looks.looked(number)
        for head in sorted(lifetime.keys() | today.keys()):
            self._read((number, head), lifetime.get(head), today.get(head), now, news)
        if news.counters:
            self._record(news, DeviceChanged(device=number))

    def prepared(self, device: DeviceState, head: int, lifetime: int | None) -> None:
        """Take in the lifetime that was read for a dose that is about to be given."""
        if lifetime is None:
            return
        account = self._accounts.get((device.row.number, head))
        if account is None or account.lifetime != lifetime:
            self.counters_read(device, {head: lifetime}, {})

    def ran_by_itself(
        self, device: DeviceState, head: int, volume: int, at: datetime
    ) -> None:
        """Book what a head gave that no dose accounts for: by hand, or beyond a dose."""
        self._record(
            _News(found=[self._found.dose((device.row.number, head), volume, at)])
        )

    def _read(
        self,
        key: HeadKey,
        total: int | None,
        today: int | None,
        now: datetime,
        news: _News,
    ) -> None:
        """Take in the counters of a head, and book what they tell."""
        account, ran = self._accounts.get(key), 0
        if account is None:
            if total is None:
                return
            self._accounts[key] = opened(total)
        elif total is not None:
            self._take(key, account, with_lifetime(account, total), news)
            self._tell_of_its_end(key, account.lifetime, total)
            ran = self._end_runs(key, now)
        if today is not None:
            account = self._accounts[key]
            if total is None:
                self._ask_for_more(key, account, today, now)
            day = self._local_time(now).date()
            told = with_today(account, today, day, under_way=self._under_way(key, now))
            self._take(key, account, told, news)
            self._today[key] = today
        if self._explain(key, news, now, read=total is not None, ran=ran):
            self._explained[key] = now
        self._keep(key, now, news)

    def _end_runs(self, key: HeadKey, now: datetime) -> int:
        """Reserve nothing any more for runs that are over: the counter has told.

        Returns the microlitres that they should have given.
        """
        ran = 0
        device = self._devices.get(key[0])
        busy = device.busy_heads.values() if device is not None else ()
        for dose in self._gate.open_doses(*key):
            over = dose.key not in busy and self.looks.end_of(dose) <= now
            if dose.source == RUN and over:
                self._gate.forget(dose)
                ran += dose.volume
        return ran

    def _under_way(self, key: HeadKey, now: datetime) -> bool:
        """Return whether the pump may be delivering a dose of a head."""
        return any(
            not _reserved(dose) and self.looks.end_of(dose) > now
            for dose in self._gate.open_doses(*key)
        )

    def _take(self, key: HeadKey, before: Account, after: Account, news: _News) -> None:
        """Let open doses follow where a counter did not go on from where it was."""
        self._accounts[key] = after
        if after.lost:
            self._explained[key] = self._clock.now()
        shift = after.booked - before.booked
        if not shift and not after.lost:
            return
        for dose in self._gate.open_doses(*key):
            if dose.lifetime_before is not None:
                was = None if after.lost else dose.lifetime_before + shift
                moved = replace(dose, lifetime_before=was)
                self._gate.note(moved)
                news.changed.append(moved)

    def _explain(
        self,
        key: HeadKey,
        news: _News,
        now: datetime,
        *,
        read: bool = False,
        ran: int = 0,
    ) -> bool:
        """Settle the open doses that the account explains, and book what is left over.

        While a dose is followed, or may still be delivered, or a counter does not tell,
        nothing is decided. Returns whether all is explained that was read; ``ran`` are the
        microlitres that runs should have given.
        """
        account = self._accounts[key]
        waiting = [dose for dose in self._gate.open_doses(*key) if not _reserved(dose)]
        if account.blind or any(
            dose.state is not DoseState.UNKNOWN or self.looks.end_of(dose) > now
            for dose in waiting
        ):
            return False
        if waiting and (parts := self._parts(account, waiting, now)) is not None:
            for dose, given in zip(waiting, parts, strict=False):
                ended = settle(dose, given)
                self._gate.note(ended)
                news.changed = [one for one in news.changed if one.key != dose.key]
                news.changed.append(ended)
                account = booked(account, ended.counted)
            waiting = []
        rest = account.unexplained - sum(dose.volume for dose in waiting)
        if rest > TOLERANCE:
            since = self._explained.get(key, now)
            news.found += self._found.parted(key, rest, ran, since, now)
            account = booked(account, rest)
        elif rest < 0 and read and not waiting:
            account = settled(account)
        self._accounts[key] = account
        return not waiting

    def _parts(
        self, account: Account, waiting: list[Dose], now: datetime
    ) -> tuple[int, ...] | None:
        """Return how much of each open dose was given, if the account tells.

        What the head's programme may have given meanwhile is explained along with it. Once
        the pump is known to have given something else as well, nobody can tell any more.
        """
        doses = self._gate.doses(waiting[0].device, waiting[0].head)
        since = doses[doses.index(waiting[0]) :]
        if any(dose.lifetime_before is None for dose in waiting) or any(
            dose.source in BY_ITSELF for dose in since
        ):
            return None
        programmed = self._programmed(waiting[0], now)
        volumes = [*(dose.volume for dose in waiting), *programmed]
        return explanation(account.unexplained, volumes)

    def _compares(self, dose: Dose) -> bool:
        """Return whether the next reading shows a dose: an older one is there to compare with."""
        explained = self._explained.get((dose.device, dose.head))
        return dose.lifetime_before is not None or (
            explained is not None and explained <= dose.at
        )

    def _programmed(self, dose: Dose, now: datetime) -> list[int]:
        """Return the volumes that a head's programme may have given since a dose."""
        programme = self._memory.programme(dose.device, dose.head)
        if programme is None:
            return []
        since = self._local_time(dose.at - CLOCK_MARGIN).replace(tzinfo=None)
        until = self._local_time(now + CLOCK_MARGIN).replace(tzinfo=None)
        return volumes_between(programme, since, until)

    def _ask_for_more(
        self, key: HeadKey, account: Account, today: int, now: datetime
    ) -> None:
        """Have the lifetime read when today's total alone shows what no dose explains."""
        if account.today is None or account.blind or self._gate.open_doses(*key):
            return
        ahead = max(-account.unexplained, 0)
        if account.paired and today - account.today - ahead > TOLERANCE:
            self.looks.soon(key[0])

    def _tell_of_its_end(self, key: HeadKey, before: int, total: int) -> None:
        """Log once that a counter started over, or came to its end."""
        state = self._devices.get(key[0])
        where = (state.row.name if state else key[0], key[1] + 1)
        if total < before:
            _LOGGER.info("The lifetime counter of %s, head %s, started over", *where)
        elif before < COUNTER_END <= total:
            _LOGGER.info("The lifetime counter of %s, head %s, is at its end", *where)

    def _local_time(self, instant: datetime) -> datetime:
        """Return the wall time of the house at an instant, which pumps keep."""
        return instant.astimezone(self._clock.local_now().tzinfo)

    def _newest(self, dose: Dose) -> Dose:
        """Return what is known of a dose by now."""
        known = {one.key: one for one in self._gate.doses(dose.device, dose.head)}
        return known.get(dose.key, dose)

    def _keep(self, key: HeadKey, at: datetime, news: _News) -> None:
        """Have a head's counters written with what they told."""
        today = self._today.get(key)
        news.counters.append(counter_of(key, self._accounts[key], today, at))

    def _record(self, news: _News, *also: DeviceChanged) -> None:
        """Write what changed; the gate knows at once, the world when it is on disk."""
        for dose in (*news.changed, *news.found):
            self._gate.note(dose)
        at = self._clock.now()

        def unit(connection: Connection) -> None:
            for dose in news.changed:
                dose_rows.update(connection, dose, at)
            for dose in news.found:
                dose_rows.intend(connection, dose, None, dose.source)
            for counter in news.counters:
                counters.upsert(connection, counter)

        def committed(_: None) -> None:
            for counter in news.counters:
                self.counters[counter.device, counter.head] = counter
            for dose in (*news.changed, *news.found):
                self._announcer.announce(DoseChanged(dose=dose))
            for change in also:
                self._announcer.announce(change)

        self._journal.record(unit, committed)


def _reserved(dose: Dose) -> bool:
    """Return whether the pump cannot have heard of a dose yet."""
    return dose.state is DoseState.INTENDED and dose.lifetime_before is None
