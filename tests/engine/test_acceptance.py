"""Accepting: an id is used once, what waits too long ends, and an off always goes out."""

import asyncio
from datetime import timedelta, timezone
from typing import Any

import pytest

from custom_components.aquarist.commands.command import Command, Source
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.engine.errors import EngineError, SafetyRefusedError
from custom_components.aquarist.engine.intake import QUEUE_EXPIRY, Origin
from custom_components.aquarist.engine.state import DeviceState
from custom_components.aquarist.layers.claims import Layer
from custom_components.aquarist.store.errors import StoreReadOnlyError
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import SERVICE, Pump, Rig, at
from tests.engine.troubled_store import read_only

ENTITY = Origin(source=Source.ENTITY, user="keeper", context="c")
BY_HAND = Origin(source=Source.ENTITY, user="keeper", context="c", by_hand=True)


async def level(
    rig: Rig, state: DeviceState, value: float, origin: Origin = SERVICE, **more: Any
) -> Command:
    """Ask for a level."""
    return await rig.engine.send(state, "set_level", {"level": value}, origin, **more)


async def window(
    rig: Rig, state: DeviceState, value: float, begin: str, end: str, **more: Any
) -> Command:
    """Accept a write action of today."""
    return await rig.engine.create_window(
        state, "level", value, SERVICE, start=at(begin), end=at(end), **more
    )


class TestIdentity:
    """RES-44: the same request is answered with what is stored."""

    async def test_a_dose_that_used_up_the_budget_is_found_again(
        self, rig: Rig
    ) -> None:
        """A replay is no new dose: no limit is asked."""
        doser = MemoryDoser()
        state = await rig.attach(doser, budget={0: 1000})
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
        again = await rig.engine.create_window(
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
        assert len(await rig.engine.recent(None, 10)) == 1

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
        assert await rig.engine.recent(None, 10) == [accepted]

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
            await rig.engine.set_field(state, f"dosing_allowed_{head}", False, ENTITY)
        state.queue.release()
        await rig.settle()
        ended = await rig.engine.recent(None, 10)
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
        assert (await rig.engine.cancel(command)).phase is Phase.STOPPED
        await rig.settle()
        assert pump.level == 80
        assert (await rig.stored(command)).error == "cancelled"


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
        await rig.engine.emergency_stop(None)
        ended = await rig.done(await level(rig, state, 40, BY_HAND))
        assert ended.phase is Phase.COMPLETED
        assert pump.level == 0
        rig.engine.release_emergency(None)
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
            ("turn_off", {"duration": 60}),
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
        assert await rig.engine.recent(None, 10) == []
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
            await engine.recent(None, 10)
