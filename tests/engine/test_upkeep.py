"""Upkeep: what ended long ago goes, and a store that refused is tried again."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
import sqlite3
from typing import Any

from custom_components.aquarist.engine import upkeep
from custom_components.aquarist.engine.changes import StoreChanged
from custom_components.aquarist.store import retention, settings
from custom_components.aquarist.store.instants import to_store
from tests.engine.plans import create, daily, verdicts
from tests.engine.rig import SERVICE, Pump, Rig
from tests.engine.troubled_store import read_only

YEAR = timedelta(days=367).total_seconds()


@contextmanager
def file_of(rig: Rig) -> Iterator[sqlite3.Connection]:
    """Give a connection of our own to the store's file."""
    with closing(sqlite3.connect(rig.path)) as connection:
        yield connection


async def quiet_year(rig: Rig) -> None:
    """Let a year pass without the engine, and its first upkeep come."""
    await rig.engine.close()
    rig.clock.advance(YEAR)
    await rig.boot()
    await rig.advance(upkeep.FIRST_RETENTION)


class TestRetention:
    """Law 9: a year's answers are kept."""

    async def test_what_ended_a_year_ago_goes(self, rig: Rig) -> None:
        """Records and occurrences; what is not final stays."""
        state = await rig.attach(Pump())
        once: dict[str, Any] = {"schedule_type": "one_off", "cron_expression": None}
        start = (rig.clock.now() + timedelta(seconds=60)).isoformat()
        await create(rig, daily("12:01", "off", **once, start_time=start))
        await rig.advance(60)
        assert len(await verdicts(rig)) == 1
        now = rig.clock.now()
        waiting = await rig.engine.acceptance.create_window(
            state,
            "level",
            0,
            SERVICE,
            start=now + timedelta(days=900),
            end=now + timedelta(days=901),
        )
        assert len(await rig.engine.history.recent(None, 10)) == 2
        await quiet_year(rig)
        assert await rig.engine.history.recent(None, 10) == [waiting]
        assert await verdicts(rig) == []

    async def test_the_settings_say_how_long(self, rig: Rig) -> None:
        """RES-66: at the next upkeep."""
        state = await rig.attach(Pump())
        await rig.done(await rig.engine.send(state, "turn_off", {}, SERVICE))
        await rig.engine.live_settings.update({"retention_days": 30}, None)
        await rig.advance(29 * 86400)
        assert len(await rig.engine.history.recent(None, 10)) == 1
        await rig.advance(2 * 86400)
        assert await rig.engine.history.recent(None, 10) == []

    async def test_the_settings_say_how_long_verdicts_stay_single(
        self, rig: Rig
    ) -> None:
        """Those of a schedule that is due very often are summed up by day after that."""
        await rig.engine.live_settings.update({"verdict_days": 5}, None)
        noon = to_store(rig.clock.now() - timedelta(days=7))
        count = retention.OFTEN + 1
        with file_of(rig) as connection, connection:
            connection.executemany(
                "INSERT INTO occurrence (schedule, at, last_at, count, depth, verdict, "
                "claimed_at, decided_at) VALUES (1, ?, ?, 1, 0, 'ran', 0, 0)",
                [(noon + number, noon + number) for number in range(count)],
            )
        await rig.advance(upkeep.FIRST_RETENTION)
        assert [row.count for row in await verdicts(rig)] == [count]

    async def test_what_is_younger_stays(self, rig: Rig) -> None:
        """Until its day comes: it is looked at once a day."""
        state = await rig.attach(Pump())
        rig.clock.advance(2 * 24 * 3600)
        await rig.done(await rig.engine.send(state, "turn_off", {}, SERVICE))
        await rig.engine.close()
        rig.clock.advance(YEAR - 2 * 24 * 3600)
        await rig.boot()
        await rig.advance(upkeep.FIRST_RETENTION)
        assert len(await rig.engine.history.recent(None, 10)) == 1
        await rig.advance(upkeep.EVERY_RETENTION)
        assert await rig.engine.history.recent(None, 10) == []

    async def test_more_than_one_bite(self, rig: Rig) -> None:
        """It goes on until nothing is left."""
        await rig.attach(Pump())
        count = 2 * retention.AT_ONCE + 1
        with file_of(rig) as connection, connection:
            connection.executemany(
                "INSERT INTO occurrence (schedule, at, last_at, count, depth, verdict, "
                "claimed_at, decided_at) VALUES (1, ?, ?, 1, 0, 'ran', 0, 0)",
                [(number, number) for number in range(count)],
            )
        await rig.advance(upkeep.FIRST_RETENTION)
        assert await verdicts(rig) == []

    async def test_a_store_that_refuses_keeps_it_for_now(self, rig: Rig) -> None:
        """The next day it goes."""
        state = await rig.attach(Pump())
        await rig.done(await rig.engine.send(state, "turn_off", {}, SERVICE))
        await rig.engine.close()
        rig.clock.advance(YEAR)
        await rig.boot()
        assert rig.engine.database is not None
        async with read_only(rig.engine.database):
            await rig.advance(upkeep.FIRST_RETENTION)
        assert len(await rig.engine.history.recent(None, 10)) == 1
        await rig.advance(upkeep.EVERY_RETENTION)
        assert await rig.engine.history.recent(None, 10) == []


class TestRefusingStore:
    """Whether it takes anything again is found out, not waited for."""

    async def test_the_end_of_the_trouble_is_found_by_the_sweep(self, rig: Rig) -> None:
        """Nobody else wrote in the meantime."""
        rig.changes.clear()
        assert rig.engine.database is not None
        async with read_only(rig.engine.database):
            refused = rig.engine.journal.commit(
                lambda connection: settings.put(connection, "mine", 1)
            )
            await rig.settle()
            assert refused.exception() is not None
            await rig.advance(30)
            during = rig.engine.store_trouble
        await rig.advance(30)
        assert (during, rig.engine.store_trouble) == ("store_read_only", None)
        codes = [one.code for one in rig.changes if isinstance(one, StoreChanged)]
        assert codes == ["store_read_only", None]

    async def test_a_store_without_trouble_is_left_in_peace(self, rig: Rig) -> None:
        """No mark is written."""
        await rig.advance(300)
        assert rig.engine.database is not None
        found = await rig.engine.database.read(settings.load_all)
        assert upkeep.LAST_CHECK not in found

    async def test_an_engine_without_a_store_tries_nothing(self, rig: Rig) -> None:
        """There is nothing to try."""
        await rig.engine.close()
        engine = rig.lock()
        engine.start()
        rig.clock.advance(upkeep.FIRST_RETENTION + 60)
        assert engine.store_trouble == "store_locked"
