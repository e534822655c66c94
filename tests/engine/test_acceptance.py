"""Accepting: an id is used once, what waits too long ends, and an off always goes out."""

import asyncio
from contextlib import closing
from datetime import timedelta, timezone
import sqlite3
from typing import Any, override

import pytest

from custom_components.aquarist.commands.command import Command, Source
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.engine.errors import EngineError, SafetyRefusedError
from custom_components.aquarist.engine.intake import QUEUE_EXPIRY, Origin
from custom_components.aquarist.engine.state import DeviceState, HeadLimits
from custom_components.aquarist.layers.claims import Layer
from custom_components.aquarist.store import commands
from custom_components.aquarist.store.errors import StoreOwesError, StoreReadOnlyError
from tests.engine.memory_doser import MemoryDose, MemoryDoser
from tests.engine.rig import SERVICE, Pump, Rig, at
from tests.engine.troubled_store import read_only
from tests.store.gate import blocked

ENTITY = Origin(source=Source.ENTITY, user="keeper", context="c")
BY_HAND = Origin(source=Source.ENTITY, user="keeper", context="c", by_hand=True)


class Slow(MemoryDoser):
    """A doser that makes ready only when it is told to."""

    def __init__(self) -> None:
        """Start idle."""
        super().__init__()
        self.told = asyncio.Event()

    @override
    async def prepare(self, head: int) -> MemoryDose:
        """Wait for the word."""
        await self.told.wait()
        return await super().prepare(head)


class Forgetful(MemoryDoser):
    """A doser that can be made as new."""

    ACTIONS = {"factory_reset": ()}


async def level(
    rig: Rig, state: DeviceState, value: float, origin: Origin = SERVICE, **more: Any
) -> Command:
    """Ask for a level."""
    return await rig.engine.send(state, "set_level", {"level": value}, origin, **more)


async def window(
    rig: Rig, state: DeviceState, value: float, begin: str, end: str, **more: Any
) -> Command:
    """Accept a write action of today."""
    return await rig.engine.acceptance.create_window(
        state, "level", value, SERVICE, start=at(begin), end=at(end), **more
    )


class TestIdentity:
    """RES-44: the same request is answered with what is stored."""

    async def test_a_dose_that_used_up_the_budget_is_found_again(
        self, rig: Rig
    ) -> None:
        """A replay is no new dose: no limit is asked."""
        doser = MemoryDoser()
        state = await rig.attach(doser, heads={0: HeadLimits(budget=1000)})
        args = {"head_index": 0, "volume_ml": 1}
        first = await rig.engine.send(state, "dose", args, SERVICE, id="iron")
        await rig.done(first)
        with pytest.raises(SafetyRefusedError):
            await rig.engine.send(state, "dose", args, SERVICE, id="another")
        again = await rig.engine.send(state, "dose", args, SERVICE, id="iron")
        assert (again.order, again.phase) == (first.order, Phase.COMPLETED)
        assert doser.sent == [(0, 1000)]

    async def test_a_window_that_is_over_is_found_again(self, rig: Rig) -> None:
        """Its end lies in the past by now."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        first = await window(rig, state, 0, "12:10", "12:20", id="feed")
        await rig.advance(600)
        await rig.advance(600)
        again = await window(rig, state, 0, "12:10", "12:20", id="feed")
        assert (again.order, again.phase) == (first.order, Phase.COMPLETED)
        assert pump.told == [0.0, 80.0]

    async def test_how_a_time_is_written_makes_no_difference(self, rig: Rig) -> None:
        """Noon is noon, in whatever zone it was said."""
        state = await rig.attach(Pump())
        first = await window(rig, state, 0, "12:10", "12:20", id="feed")
        berlin = timezone(timedelta(hours=1))
        again = await rig.engine.acceptance.create_window(
            state,
            "level",
            0,
            SERVICE,
            start=at("12:10").astimezone(berlin),
            end=at("12:20").astimezone(berlin),
            id="feed",
        )
        assert again.order == first.order

    async def test_how_a_timeout_is_written_makes_no_difference(self, rig: Rig) -> None:
        """Ten seconds are ten seconds."""
        state = await rig.attach(Pump())
        first = await level(rig, state, 10, id="one", timeout=10)
        assert (await level(rig, state, 10, id="one", timeout=10.0)).key == first.key
        again = await level(rig, state, 10, id="one", timeout=10)
        assert again.order == first.order

    async def test_a_ramp_is_found_again_while_it_runs(self, rig: Rig) -> None:
        """Its start was the moment of acceptance."""
        state = await rig.attach(Pump(level=0))
        args = {"start_level": 5, "end_level": 50, "duration": 600}
        first = await rig.engine.send(state, "ramp", args, SERVICE, id="dawn")
        await rig.advance(60)
        again = await rig.engine.send(state, "ramp", args, SERVICE, id="dawn")
        assert (again.order, again.phase) == (first.order, Phase.IN_FORCE)

    async def test_other_content_is_a_conflict(self, rig: Rig) -> None:
        """For windows and doses too; the stored one stays as it is."""
        state = await rig.attach(Pump())
        first = await window(rig, state, 0, "12:10", "12:20", id="feed")
        with pytest.raises(EngineError) as refused:
            await window(rig, state, 0, "12:10", "12:30", id="feed")
        assert (refused.value.code, refused.value.field) == ("id_conflict", "id")
        assert await rig.stored(first) == first

    async def test_a_conflict_of_two_at_the_same_time(self, rig: Rig) -> None:
        """The store decides, and the queue goes on."""
        pump = Pump()
        state = await rig.attach(pump)
        outcomes = await asyncio.gather(
            level(rig, state, 10, id="one"),
            level(rig, state, 20, id="one"),
            return_exceptions=True,
        )
        (accepted,) = (one for one in outcomes if isinstance(one, Command))
        (refused,) = (one for one in outcomes if isinstance(one, EngineError))
        assert refused.code == "id_conflict"
        await rig.done(accepted)
        await rig.done(await level(rig, state, 30))
        assert pump.told == [accepted.args["level"], 30.0]

    async def test_ids_of_commands_are_known_by_device(self, rig: Rig) -> None:
        """Two devices may use the same one."""
        pumps = Pump("First"), Pump("Second")
        for pump in pumps:
            state = await rig.attach(pump)
            await rig.done(await level(rig, state, 10, id="one"))
        assert [pump.told for pump in pumps] == [[10.0], [10.0]]

    async def test_ids_of_write_actions_are_known_to_all_devices(
        self, rig: Rig
    ) -> None:
        """The same id at another device is a conflict."""
        first = await rig.attach(Pump("First"))
        second = await rig.attach(Pump("Second"))
        await window(rig, first, 0, "12:10", "12:20", id="feed")
        with pytest.raises(EngineError) as refused:
            await window(rig, second, 0, "12:10", "12:20", id="feed")
        assert refused.value.code == "id_conflict"
        assert len(await rig.engine.history.recent(None, 10)) == 1

    async def test_also_when_both_come_at_the_same_time(self, rig: Rig) -> None:
        """The store decides."""
        first = await rig.attach(Pump("First"))
        second = await rig.attach(Pump("Second"))
        outcomes = await asyncio.gather(
            window(rig, first, 0, "12:10", "12:20", id="feed"),
            window(rig, second, 0, "12:10", "12:20", id="feed"),
            return_exceptions=True,
        )
        (accepted,) = (one for one in outcomes if isinstance(one, Command))
        (refused,) = (one for one in outcomes if isinstance(one, EngineError))
        assert refused.code == "id_conflict"
        assert await rig.engine.history.recent(None, 10) == [accepted]

    async def test_an_id_and_its_record_outlive_a_restart(self, rig: Rig) -> None:
        """R-T30."""
        pump = Pump()
        state = await rig.attach(pump)
        first = await level(rig, state, 10, id="one")
        await rig.done(first)
        (state,) = await rig.reboot(pump)
        again = await level(rig, state, 10, id="one")
        assert again.order == first.order
        assert pump.told == [10.0]


class TestWaiting:
    """What waits for its device."""

    async def test_a_newer_entity_write_ends_the_one_that_waits(self, rig: Rig) -> None:
        """A slider that is drawn sends where it ended, not the way (design 5)."""
        pump = Pump()
        state = await rig.attach(pump)
        pump.hanging = asyncio.Event()
        commands = [await level(rig, state, value, ENTITY) for value in (10, 20, 30)]
        pump.hanging.set()
        ended = [await rig.done(command) for command in commands]
        assert [one.phase for one in ended] == [
            Phase.COMPLETED,
            Phase.WITHDRAWN,
            Phase.COMPLETED,
        ]
        assert (ended[1].error_code, ended[1].error) == ("superseded", "superseded")
        assert pump.told == [10.0, 30.0]

    async def test_commands_of_services_are_never_merged(self, rig: Rig) -> None:
        """Neither by each other nor by an entity's."""
        pump = Pump()
        state = await rig.attach(pump)
        pump.hanging = asyncio.Event()
        for value, origin in ((10, SERVICE), (20, SERVICE), (30, ENTITY)):
            await level(rig, state, value, origin)
        pump.hanging.set()
        await rig.settle()
        assert pump.told == [10.0, 20.0, 30.0]

    async def test_another_field_is_another_matter(self, rig: Rig) -> None:
        """Two switches of one doser."""
        doser = MemoryDoser()
        state = await rig.attach(doser)
        state.queue.hold()
        for head in (0, 1):
            await rig.engine.acceptance.set_field(
                state, f"dosing_allowed_{head}", False, ENTITY
            )
        state.queue.release()
        await rig.settle()
        ended = await rig.engine.history.recent(None, 10)
        assert [one.phase for one in ended] == [Phase.COMPLETED] * 2

    async def test_what_waits_too_long_never_runs(self, rig: Rig) -> None:
        """A level of a while ago is nobody's wish any more."""
        pump = Pump()
        state = await rig.attach(pump)
        pump.hanging = asyncio.Event()
        runs = await level(rig, state, 10)
        waits = await level(rig, state, 20)
        await rig.advance(QUEUE_EXPIRY.total_seconds())
        ended = await rig.done(waits)
        assert (ended.phase, ended.error_code) == (Phase.MISSED, "expired")
        pump.hanging.set()
        assert (await rig.done(runs)).phase is Phase.COMPLETED
        assert pump.told == [10.0]

    async def test_what_has_begun_does_not_expire(self, rig: Rig) -> None:
        """It has a timeout of its own."""
        pump = Pump()
        state = await rig.attach(pump)
        state.queue.hold()
        command = await level(rig, state, 20)
        pump.hanging = asyncio.Event()
        await rig.advance(QUEUE_EXPIRY.total_seconds() - 1)
        state.queue.release()
        await rig.advance(1)
        pump.hanging.set()
        assert (await rig.done(command)).phase is Phase.COMPLETED

    async def test_what_was_held_too_long_is_not_begun(self, rig: Rig) -> None:
        """The clock was set on while it waited, and the queue is faster than the sweep."""
        pump = Pump()
        state = await rig.attach(pump)
        state.queue.hold()
        command = await level(rig, state, 20)
        rig.clock.jump(QUEUE_EXPIRY.total_seconds() + 1)
        state.queue.release()
        ended = await rig.done(command)
        assert (ended.phase, ended.error) == (Phase.MISSED, "expired")
        assert pump.told == []


class TestScheduled:
    """R-C30, R-C61: a command with a start of its own."""

    @pytest.mark.parametrize(
        ("action", "args"), [("set_level", {"level": 20}), ("toggle", {})]
    )
    async def test_it_waits_for_its_start(
        self, rig: Rig, action: str, args: dict[str, Any]
    ) -> None:
        """Others go before it meanwhile; it may wait as long as any from then on."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        start = at("12:30")
        command = await rig.engine.send(
            state, action, args, SERVICE, scheduled_at=start
        )
        assert (command.starts_at, command.phase) == (start, Phase.PLANNED)
        assert command.expires_at == start + QUEUE_EXPIRY
        assert not rig.engine.acceptance.busy(state, None)
        await rig.done(await level(rig, state, 60))
        await rig.advance(1799)
        assert pump.told == [60.0]
        await rig.advance(1)
        assert (await rig.done(command)).phase is Phase.COMPLETED
        assert (await rig.stored(command)).started_at == start

    @pytest.mark.parametrize(
        ("action", "args"), [("ramp", {"end_level": 0, "duration": 60}), ("dose", None)]
    )
    async def test_any_kind_can_wait(
        self, rig: Rig, action: str, args: dict[str, Any] | None
    ) -> None:
        """A ramp and a dose, too."""
        pump, doser = Pump(level=80), MemoryDoser()
        state = await rig.attach(pump if args else doser)
        args = args or {"head_index": 0, "volume_ml": 1}
        start = at("12:10")
        command = await rig.engine.send(
            state, action, args, SERVICE, scheduled_at=start
        )
        await rig.advance(599)
        assert (pump.told, doser.sent) == ([], [])
        await rig.advance(1)
        await rig.advance(60)
        assert (await rig.done(command)).phase is Phase.COMPLETED

    async def test_a_minute_ago_is_now(self, rig: Rig) -> None:
        """In another zone, too; it expires five minutes from now."""
        pump = Pump()
        state = await rig.attach(pump)
        start = (at("12:00") - timedelta(seconds=60)).astimezone(
            timezone(timedelta(hours=2))
        )
        command = await level(rig, state, 20, scheduled_at=start)
        assert command.expires_at == at("12:00") + QUEUE_EXPIRY
        assert (await rig.done(command)).phase is Phase.COMPLETED

    async def test_it_can_be_cancelled_while_it_waits(self, rig: Rig) -> None:
        """It never runs."""
        pump = Pump()
        state = await rig.attach(pump)
        command = await level(rig, state, 20, scheduled_at=at("12:30"))
        assert (await rig.engine.cancel(command)).phase is Phase.WITHDRAWN
        await rig.advance(3600)
        assert pump.told == []

    async def test_one_that_ended_meanwhile_does_not_begin(self, rig: Rig) -> None:
        """Law 7: looked up when it is due."""
        pump = Pump()
        state = await rig.attach(pump)
        command = await level(rig, state, 20, scheduled_at=at("12:30"))
        rig.engine.records.advance(command, Phase.WITHDRAWN)
        await rig.advance(3600)
        assert pump.told == []

    async def test_it_survives_a_restart(self, rig: Rig) -> None:
        """And begins at its time."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        command = await level(rig, state, 20, scheduled_at=at("12:10"))
        await rig.advance(300)
        await rig.reboot(pump)
        assert pump.told == []
        await rig.advance(300)
        assert (await rig.stored(command)).phase is Phase.COMPLETED
        assert pump.told == [20.0]

    @pytest.mark.parametrize(
        ("action", "away", "phase"),
        [
            ("turn_off", 299, Phase.COMPLETED),
            ("turn_off", 301, Phase.MISSED),
            ("toggle", 1, Phase.MISSED),
        ],
    )
    async def test_missed_while_nobody_was_there(
        self, rig: Rig, action: str, away: float, phase: Phase
    ) -> None:
        """What may be repeated is made up for until it expires; all else is dropped."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        command = await rig.engine.send(
            state, action, {}, SERVICE, scheduled_at=at("12:10")
        )
        await rig.engine.close()
        rig.clock.advance(600 + away)
        await rig.boot(start=False)
        await rig.attach(pump)
        rig.engine.start()
        await rig.settle()
        ended = await rig.stored(command)
        assert ended.phase is phase
        assert ended.error == ("expired" if phase is Phase.MISSED else None)
        assert pump.told == ([] if phase is Phase.MISSED else [0.0])

    async def test_one_that_waits_in_the_queue_at_its_time_expires(
        self, rig: Rig
    ) -> None:
        """Nothing runs late; counted from the start."""
        pump = Pump()
        state = await rig.attach(pump)
        command = await level(rig, state, 20, scheduled_at=at("12:10"))
        state.queue.hold()
        await rig.advance(600)
        await rig.advance(299)
        assert (await rig.stored(command)).phase is Phase.PLANNED
        await rig.advance(1)
        assert (await rig.stored(command)).phase is Phase.MISSED

    async def test_the_start_is_content(self, rig: Rig) -> None:
        """RES-44: asked again after it began it is still the same."""
        state = await rig.attach(Pump())
        start = at("12:10")
        first = await level(rig, state, 20, id="one", scheduled_at=start)
        with pytest.raises(EngineError) as refused:
            await level(rig, state, 20, id="one")
        assert refused.value.code == "id_conflict"
        with pytest.raises(EngineError):
            await level(rig, state, 20, id="one", scheduled_at=at("12:11"))
        for _ in range(10):
            await rig.advance(600)
        again = await level(rig, state, 20, id="one", scheduled_at=start)
        assert (again.order, again.phase) == (first.order, Phase.COMPLETED)

    async def test_an_off_of_later_does_not_go_out_when_the_store_is_broken(
        self, rig: Rig
    ) -> None:
        """Only what switches off now cannot wait (law 2)."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        assert rig.engine.database is not None
        async with read_only(rig.engine.database):
            with pytest.raises(StoreReadOnlyError):
                await rig.engine.send(
                    state, "turn_off", {}, SERVICE, scheduled_at=at("12:10")
                )
        assert pump.told == []


class TestConfirmation:
    """RES-70: what erases something has to be confirmed."""

    async def test_without_it_nothing_happens(self, rig: Rig) -> None:
        """The field is named, and the bad argument before it."""
        state = await rig.attach(Forgetful())
        with pytest.raises(EngineError) as refused:
            await rig.engine.send(state, "factory_reset", {}, SERVICE)
        assert (refused.value.code, refused.value.field) == (
            "confirmation_needed",
            "confirm",
        )
        with pytest.raises(InvalidValue):
            await rig.engine.send(state, "reset_head", {}, SERVICE)
        assert await rig.engine.history.recent(None, 10) == []

    async def test_with_it_it_is_done_once(self, rig: Rig) -> None:
        """Whoever repeats the request need not confirm it again."""
        state = await rig.attach(Forgetful())
        first = await rig.engine.send(
            state, "factory_reset", {}, SERVICE, id="one", confirm=True
        )
        assert (await rig.done(first)).phase is Phase.COMPLETED
        again = await rig.engine.send(state, "factory_reset", {}, SERVICE, id="one")
        assert (again.order, again.phase) == (first.order, Phase.COMPLETED)

    async def test_doing_it_again_needs_it_again(self, rig: Rig) -> None:
        """It is another command."""
        state = await rig.attach(Forgetful())
        first = await rig.done(
            await rig.engine.send(state, "factory_reset", {}, SERVICE, confirm=True)
        )
        with pytest.raises(EngineError) as refused:
            await rig.engine.acceptance.rerun(first, SERVICE)
        assert refused.value.code == "confirmation_needed"
        assert (
            await rig.engine.acceptance.rerun(first, SERVICE, confirm=True)
        ).id != first.id


class TestRateLimit:
    """R-C55, RES-75: so many commands for each device and user."""

    async def test_the_eleventh_is_refused_until_there_is_room(self, rig: Rig) -> None:
        """The error says how long to wait; the other device and user are not concerned."""
        pump, other = Pump(), Pump("Other")
        state, elsewhere = await rig.attach(pump), await rig.attach(other)
        for value in range(10):
            await rig.done(await level(rig, state, value + 1))
            await rig.advance(1)
        with pytest.raises(EngineError) as refused:
            await level(rig, state, 99)
        assert refused.value.code == "rate_limited"
        assert refused.value.field is None
        assert refused.value.placeholders == {
            "retry_after": "50",
            "limit": "10",
            "window": "60",
        }
        assert len(await rig.engine.history.recent(state, 20)) == 10
        await level(rig, elsewhere, 5)
        await level(rig, state, 5, Origin(source=Source.REST, user="somebody else"))
        await rig.advance(49)
        with pytest.raises(EngineError):
            await level(rig, state, 99)
        await rig.advance(1)
        assert (await rig.done(await level(rig, state, 99))).phase is Phase.COMPLETED

    async def test_no_clock_change_frees_or_blocks_anybody(self, rig: Rig) -> None:
        """Elapsed time counts (law 6)."""
        state = await rig.attach(Pump())
        for value in range(10):
            await level(rig, state, value + 1)
        rig.clock.jump(3600)
        with pytest.raises(EngineError):
            await level(rig, state, 99)
        rig.clock.jump(-7200)
        await rig.advance(60)
        await level(rig, state, 99)

    async def test_what_is_asked_again_does_not_count(self, rig: Rig) -> None:
        """Before and when the limit is reached."""
        state = await rig.attach(Pump())
        first = await level(rig, state, 1, id="one")
        for value in range(9):
            assert (await level(rig, state, 1, id="one")).order == first.order
            await level(rig, state, value + 2)
        with pytest.raises(EngineError):
            await level(rig, state, 99, id="new")
        assert (await level(rig, state, 1, id="one")).order == first.order

    async def test_a_twin_of_the_last_one_that_fits_is_answered(self, rig: Rig) -> None:
        """Both come at the same time: one is accepted, and both hear of it."""
        state = await rig.attach(Pump())
        for value in range(9):
            await level(rig, state, value + 1)
        twins = await asyncio.gather(*(level(rig, state, 50, id="one") for _ in "abc"))
        assert len({one.order for one in twins}) == 1
        with pytest.raises(EngineError):
            await level(rig, state, 51)

    async def test_what_was_not_accepted_does_not_count(self, rig: Rig) -> None:
        """Bad input, conflicts, twins, and what could not be stored."""
        state = await rig.attach(Pump())
        await asyncio.gather(
            *(level(rig, state, 1, id="one") for _ in "abc"),
        )
        assert rig.engine.database is not None
        async with read_only(rig.engine.database):
            with pytest.raises(StoreReadOnlyError):
                await level(rig, state, 2)
        for _ in range(20):
            with pytest.raises(InvalidValue):
                await level(rig, state, 101)
        await asyncio.gather(
            level(rig, state, 3, id="two"),
            level(rig, state, 4, id="two"),
            return_exceptions=True,
        )
        for value in range(8):
            await level(rig, state, value + 5)
        with pytest.raises(EngineError) as refused:
            await level(rig, state, 99)
        assert refused.value.code == "rate_limited"

    @pytest.mark.parametrize(
        ("action", "args"),
        [("turn_off", {}), ("set_level", {"level": 0})],
    )
    async def test_an_off_is_never_refused(
        self, rig: Rig, action: str, args: dict[str, Any]
    ) -> None:
        """It is the safe side; neither does it take the place of another."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        for _ in range(15):
            await rig.engine.send(state, action, args, SERVICE)
        for value in range(10):
            await level(rig, state, value + 1)
        await rig.done(await rig.engine.send(state, action, args, SERVICE))
        assert pump.level == 0

    @pytest.mark.parametrize(
        "origin",
        [
            Origin(source=Source.ENGINE),
            Origin(source=Source.SCHEDULE),
            Origin(source=Source.MODE),
            Origin(source=Source.SERVICE, run=1, step=0),
            ENTITY,
            BY_HAND,
        ],
        ids=["engine", "schedule", "mode", "run", "entity", "by hand"],
    )
    async def test_what_is_not_limited(self, rig: Rig, origin: Origin) -> None:
        """Plans, modes, runs, and the sliders of entities: the newest wins by itself."""
        state = await rig.attach(Pump())
        for value in range(15):
            await level(rig, state, value + 1, origin)
        await level(rig, state, 99)

    async def test_buttons_of_entities_are(self, rig: Rig) -> None:
        """A dose is no slider."""
        state = await rig.attach(MemoryDoser())
        for _ in range(10):
            await rig.engine.send(state, "request_status", {}, ENTITY)
        with pytest.raises(EngineError) as refused:
            await rig.engine.send(state, "request_status", {}, ENTITY)
        assert refused.value.code == "rate_limited"

    async def test_the_settings_take_effect_at_once(self, rig: Rig) -> None:
        """RES-66."""
        state = await rig.attach(Pump())
        await rig.engine.live_settings.update(
            {"rate_limit": 1, "rate_window_seconds": 5}, None
        )
        await level(rig, state, 1)
        with pytest.raises(EngineError) as refused:
            await level(rig, state, 2)
        assert refused.value.placeholders["retry_after"] == "5"
        await rig.engine.live_settings.update({"rate_limit": 2}, None)
        await level(rig, state, 2)

    async def test_without_a_store_there_is_nothing_to_find(self, rig: Rig) -> None:
        """A locked engine accepts nothing; its error is the one that is told."""
        await rig.engine.close()
        rig.lock()
        state = await rig.attach(Pump())
        for _ in range(20):
            with pytest.raises(EngineError) as refused:
                await level(rig, state, 1, id="one")
            assert refused.value.code == "store_locked"


class TestWithoutHardware:
    """What can be told of a device whose entry is not loaded."""

    @pytest.mark.parametrize(
        ("action", "args"),
        [
            ("set_level", {"level": 10}),
            ("ramp", {"start_level": 1, "end_level": 10, "duration": 60}),
            ("request_status", {}),
        ],
    )
    async def test_a_command_is_found_again(
        self, rig: Rig, action: str, args: dict[str, Any]
    ) -> None:
        """RES-44: the stored record is the answer, a conflict is one."""
        state = await rig.attach(Pump())
        first = await rig.engine.send(state, action, args, SERVICE, id="one")
        await rig.settle()
        await rig.engine.equipment.detach(state.row.number)
        again = await rig.engine.send(state, action, args, SERVICE, id="one")
        assert again == await rig.stored(first)
        with pytest.raises(EngineError) as refused:
            await rig.engine.send(state, "turn_on", {}, SERVICE, id="one")
        assert refused.value.code == "id_conflict"
        with pytest.raises(EngineError) as refused:
            await rig.engine.send(state, action, args, SERVICE, id="two")
        assert refused.value.code == "device_not_loaded"

    async def test_a_held_level_is_found_again(self, rig: Rig) -> None:
        """How long it is held is content."""
        state = await rig.attach(Pump())
        first = await level(rig, state, 10, id="one", hold=600)
        await rig.engine.equipment.detach(state.row.number)
        await rig.advance(60)
        assert (await level(rig, state, 10, id="one", hold=600)).order == first.order
        with pytest.raises(EngineError) as refused:
            await level(rig, state, 10, id="one", hold=601)
        assert refused.value.code == "id_conflict"

    async def test_a_write_action_is_found_again(self, rig: Rig) -> None:
        """RES-44."""
        state = await rig.attach(Pump())
        first = await window(rig, state, 0, "12:10", "12:20", id="feed")
        await rig.engine.equipment.detach(state.row.number)
        again = await window(rig, state, 0, "12:10", "12:20", id="feed")
        assert again.order == first.order
        with pytest.raises(EngineError) as refused:
            await window(rig, state, 1, "12:10", "12:20", id="feed")
        assert refused.value.code == "id_conflict"

    async def test_two_at_the_same_time_are_one(self, rig: Rig) -> None:
        """R-C50: of what lasts, too, though the clock went on between them."""
        state = await rig.attach(Pump())
        args = {"end_level": 10, "duration": 60}

        async def ask() -> Command:
            rig.clock.jump(0.000_01)
            return await rig.engine.send(state, "ramp", args, SERVICE, id="one")

        first, second = await asyncio.gather(ask(), ask())
        assert first.order == second.order


class TestAgain:
    """R-C35: the same once more."""

    async def test_it_is_a_new_command(self, rig: Rig) -> None:
        """With the same arguments, from whoever asked now, and naming the first."""
        pump = Pump()
        state = await rig.attach(pump)
        first = await rig.done(await level(rig, state, 30, timeout=5))
        again = await rig.engine.acceptance.rerun(
            first, Origin(source=Source.REST, user="k")
        )
        assert (again.retry_of, again.user, again.source) == (
            first.id,
            "k",
            Source.REST,
        )
        assert (again.args, again.timeout) == (first.args, 5.0)
        assert again.id != first.id
        assert (await rig.done(again)).phase is Phase.COMPLETED

    async def test_what_lasts_lasts_as_long_again(self, rig: Rig) -> None:
        """From now on."""
        state = await rig.attach(Pump(level=80))
        held = await level(rig, state, 30, hold=60)
        ramp = await rig.engine.send(
            state,
            "ramp",
            {"start_level": 0, "end_level": 50, "duration": 60},
            SERVICE,
            scheduled_at=at("12:00"),
        )
        await rig.advance(600)
        again = await rig.engine.acceptance.rerun(held, SERVICE)
        assert (again.starts_at, again.ends_at) == (at("12:10"), at("12:11"))
        again = await rig.engine.acceptance.rerun(ramp, SERVICE)
        assert again.args == ramp.args
        assert (again.starts_at, again.ends_at) == (at("12:10"), at("12:11"))

    async def test_what_is_no_action_cannot_be(self, rig: Rig) -> None:
        """A write action has times of its own."""
        state = await rig.attach(Pump())
        command = await window(rig, state, 0, "12:10", "12:20")
        with pytest.raises(EngineError) as refused:
            await rig.engine.acceptance.rerun(command, SERVICE)
        assert (refused.value.code, refused.value.field) == ("cannot_rerun", "id")

    async def test_of_a_device_that_is_gone(self, rig: Rig) -> None:
        """Its records stay, it does not."""
        state = await rig.attach(Pump())
        command = await rig.done(await level(rig, state, 10))
        await rig.engine.equipment.retire(state.row.number)
        with pytest.raises(EngineError) as refused:
            await rig.engine.acceptance.rerun(command, SERVICE)
        assert (refused.value.code, refused.value.field) == (
            "device_not_found",
            "device_id",
        )


class TestBusy:
    """R-C3: a synchronous request does not wait for its turn."""

    async def test_while_something_else_runs_or_waits(self, rig: Rig) -> None:
        """Not for the command that is asked for again."""
        pump = Pump()
        state = await rig.attach(pump)
        assert not rig.engine.acceptance.busy(state, None)
        pump.hanging = asyncio.Event()
        runs = await level(rig, state, 10, id="one")
        assert rig.engine.acceptance.busy(state, None)
        assert not rig.engine.acceptance.busy(state, "one")
        await level(rig, state, 20, id="two")
        assert rig.engine.acceptance.busy(state, "one")
        pump.hanging.set()
        await rig.done(runs)
        await rig.settle()
        assert not rig.engine.acceptance.busy(state, None)

    async def test_while_a_dose_is_given(self, rig: Rig) -> None:
        """It has left the queue, and the pump runs."""
        doser = MemoryDoser()
        doser.slow = True
        state = await rig.attach(doser)
        args = {"head_index": 0, "volume_ml": 1}
        command = await rig.engine.send(state, "dose", args, SERVICE, id="iron")
        await rig.settle()
        assert state.queue.running is None
        assert rig.engine.acceptance.busy(state, None)
        assert not rig.engine.acceptance.busy(state, "iron")
        doser.under_way[0].give(1000)
        await rig.done(command)
        assert not rig.engine.acceptance.busy(state, None)


class TestCancel:
    """Ending a command before its time."""

    async def test_one_that_waits(self, rig: Rig) -> None:
        """It never runs."""
        pump = Pump()
        state = await rig.attach(pump)
        pump.hanging = asyncio.Event()
        await level(rig, state, 10)
        waits = await level(rig, state, 20)
        assert (await rig.engine.cancel(waits)).phase is Phase.WITHDRAWN
        pump.hanging.set()
        ended = await rig.done(waits)
        assert (ended.error_code, ended.error) == ("command_cancelled", "cancelled")
        await rig.settle()
        assert pump.told == [10.0]

    async def test_what_is_answered_is_on_disk(self, rig: Rig) -> None:
        """A kill after the answer brings nothing back (law 2, R-X2)."""
        state = await rig.attach(Pump())
        state.queue.hold()
        waits = await level(rig, state, 20)
        assert rig.engine.database is not None
        gate, standing = await blocked(rig.engine.database.writer)
        cancelling = asyncio.ensure_future(rig.engine.cancel(waits))
        await asyncio.sleep(0)
        assert not cancelling.done()
        gate.opened.set()
        await standing
        await cancelling
        assert (await rig.stored(waits)).phase is Phase.WITHDRAWN

    async def test_one_whose_end_cannot_be_written(self, rig: Rig) -> None:
        """Who asked is told; the command is not carried out all the same."""
        pump = Pump()
        state = await rig.attach(pump)
        state.queue.hold()
        waits = await level(rig, state, 20)
        assert rig.engine.database is not None
        async with read_only(rig.engine.database):
            with pytest.raises(StoreOwesError):
                await rig.engine.cancel(waits)
        state.queue.release()
        await rig.engine.journal.retry()
        assert (await rig.stored(waits)).phase is Phase.WITHDRAWN
        assert pump.told == []

    async def test_one_that_runs(self, rig: Rig) -> None:
        """It comes to its own end."""
        pump = Pump()
        state = await rig.attach(pump)
        pump.hanging = asyncio.Event()
        runs = await level(rig, state, 10)
        with pytest.raises(EngineError) as refused:
            await rig.engine.cancel(runs)
        assert refused.value.code == "command_is_running"
        pump.hanging.set()
        assert (await rig.done(runs)).phase is Phase.COMPLETED

    async def test_one_that_is_being_prepared(self, rig: Rig) -> None:
        """A dose that the pump makes ready for is not called off half way (409)."""
        doser = Slow()
        state = await rig.attach(doser)
        args = {"head_index": 0, "volume_ml": 1}
        command = await rig.engine.send(state, "dose", args, SERVICE)
        await rig.settle()
        assert command.phase is Phase.PLANNED
        with pytest.raises(EngineError) as refused:
            await rig.engine.cancel(command)
        assert refused.value.code == "command_is_running"
        doser.told.set()
        assert (await rig.done(command)).phase is Phase.COMPLETED

    async def test_one_that_has_ended(self, rig: Rig) -> None:
        """Final is final (law 8)."""
        state = await rig.attach(Pump())
        command = await rig.done(await level(rig, state, 10))
        with pytest.raises(EngineError) as refused:
            await rig.engine.cancel(command)
        assert refused.value.code == "command_is_final"

    async def test_a_window_before_its_start(self, rig: Rig) -> None:
        """It never begins."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        command = await window(rig, state, 0, "12:10", "12:20")
        assert (await rig.engine.cancel(command)).phase is Phase.WITHDRAWN
        await rig.advance(3600)
        assert pump.told == []

    async def test_a_window_in_force(self, rig: Rig) -> None:
        """The field goes back."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        command = await window(rig, state, 0, "12:00", "12:20")
        await rig.settle()
        assert pump.level == 0
        assert (await rig.engine.cancel(command)).phase is Phase.RESTORING
        await rig.settle()
        assert pump.level == 80
        ended = await rig.stored(command)
        assert (ended.phase, ended.error) == (Phase.STOPPED, "cancelled")


class TestByHand:
    """A keeper's own change while a plan holds the field (law 4)."""

    async def test_it_wins_until_the_plan_ends(self, rig: Rig) -> None:
        """Then what was there before comes back."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        await window(rig, state, 0, "12:00", "12:20")
        await rig.settle()
        command = await level(rig, state, 40, BY_HAND)
        await rig.settle()
        assert command.layer is Layer.OVERRIDE
        assert command.ends_at == at("12:20")
        assert pump.level == 40
        await rig.advance(1200)
        assert pump.level == 80
        assert (await rig.stored(command)).phase is Phase.COMPLETED

    async def test_without_a_plan_it_is_a_point_action(self, rig: Rig) -> None:
        """RES-54."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        ended = await rig.done(await level(rig, state, 40, BY_HAND))
        assert ended.layer is None
        assert state.fields["level"].resting == {"level": 40}

    async def test_under_an_emergency_stop_it_changes_what_comes_after(
        self, rig: Rig
    ) -> None:
        """Nothing by hand wins over safety."""
        pump = Pump(level=80)
        state = await rig.attach(pump, safe={"level": {"level": 0.0}})
        await rig.engine.emergency.stop(None)
        ended = await rig.done(await level(rig, state, 40, BY_HAND))
        assert ended.phase is Phase.COMPLETED
        assert pump.level == 0
        rig.engine.emergency.release(None)
        await rig.settle()
        assert pump.level == 40


class TestTroubledStore:
    """What cannot be stored is not accepted, but for an off (law 2)."""

    @pytest.mark.parametrize(
        ("action", "args"),
        [("turn_off", {}), ("set_level", {"level": 0}), ("set_level", {"level": 0.0})],
    )
    async def test_an_off_goes_out_and_is_recorded_later(
        self, rig: Rig, action: str, args: dict[str, Any]
    ) -> None:
        """The caller hears of its end when that is on disk."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        assert rig.engine.database is not None
        async with read_only(rig.engine.database):
            command = await rig.engine.send(state, action, args, SERVICE)
            await rig.settle()
            assert pump.told == [0.0]
        await rig.advance(30)
        ended = await rig.done(command)
        assert ended.phase is Phase.COMPLETED
        assert (await rig.stored(command)).order > 0

    @pytest.mark.parametrize(
        ("action", "args"),
        [
            ("set_level", {"level": 40}),
            ("turn_on", {}),
            ("ramp", {"end_level": 0, "duration": 60}),
            ("request_status", {}),
        ],
    )
    async def test_all_else_is_an_error_and_nothing_happens(
        self, rig: Rig, action: str, args: dict[str, Any]
    ) -> None:
        """Nothing half stored; afterwards the queue goes on."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        assert rig.engine.database is not None
        async with read_only(rig.engine.database):
            with pytest.raises(StoreReadOnlyError):
                await rig.engine.send(state, action, args, SERVICE)
            await rig.settle()
        assert pump.told == []
        assert await rig.engine.history.recent(None, 10) == []
        assert state.queue.idle

    async def test_who_hangs_up_leaves_no_place_taken(self, rig: Rig) -> None:
        """The queue of the device is idle again, also when nothing was accepted."""
        state = await rig.attach(Pump())
        assert rig.engine.database is not None
        async with read_only(rig.engine.database):
            asking = asyncio.ensure_future(level(rig, state, 20))
            await asyncio.sleep(0)
            assert not state.queue.idle
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        await rig.settle()
        assert state.queue.idle

    async def test_an_off_by_hand_wins_over_a_plan(self, rig: Rig) -> None:
        """Also while it cannot be recorded; it ends with the plan."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        await window(rig, state, 60, "12:00", "12:20")
        await rig.settle()
        assert rig.engine.database is not None
        async with read_only(rig.engine.database):
            command = await rig.engine.send(state, "turn_off", {}, BY_HAND)
            await rig.settle()
            assert pump.level == 0
            assert command.layer is Layer.OVERRIDE
        for _ in range(40):
            await rig.advance(30)
        assert pump.level == 80
        stored = await rig.stored(command)
        assert (stored.phase, stored.user) == (Phase.COMPLETED, "keeper")

    async def test_without_a_store_only_an_off_is_accepted(self, rig: Rig) -> None:
        """The engine is locked (design 3)."""
        await rig.engine.close()
        engine = rig.lock()
        pump = Pump(level=80)
        state = await rig.attach(pump)
        engine.start()
        with pytest.raises(EngineError) as refused:
            await level(rig, state, 40, id="one")
        assert refused.value.code == "store_locked"
        with pytest.raises(EngineError):
            await window(rig, state, 40, "12:00", "12:20", id="two")
        command = await rig.engine.send(state, "turn_off", {}, SERVICE)
        assert (await engine.finished(command)).key == command.key
        await asyncio.sleep(0)
        assert pump.told == [0.0]
        with pytest.raises(EngineError):
            await engine.history.recent(None, 10)


async def test_a_twin_waits_for_what_memory_has_not_heard_of_yet(rig: Rig) -> None:
    """The store's thread is ahead of the event loop: both get the same end (R-C50)."""
    state = await rig.attach(Pump(level=0))
    first = asyncio.create_task(
        rig.engine.send(state, "set_level", {"level": 40}, SERVICE, id="twin")
    )
    with closing(sqlite3.connect(rig.path)) as connection:
        stored = None
        while stored is None:
            await asyncio.sleep(0)
            # Nothing runs in the event loop while the store's thread goes on.
            for _ in range(100):
                stored = stored or commands.get(connection, state.row.number, "twin")
    assert rig.engine.records.current(stored.key) is None
    ended = await rig.engine.finished(stored)
    assert ended.phase is Phase.COMPLETED
    assert (await rig.done(await first)).phase is Phase.COMPLETED
