"""Synchronous writes: done when they are answered, or never (R-T32, RES-56, RES-78)."""

import asyncio
from threading import Event
from typing import override

import pytest

from custom_components.aquarist.api.write_action_records import synchronous_record
from custom_components.aquarist.commands.command import Command, ErrorCode
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.state import DeviceState
from custom_components.aquarist.layers.claims import Layer
from custom_components.aquarist.layers.setting import Setting
from custom_components.aquarist.limits.bounds import Bounds
from custom_components.aquarist.limits.slew import Slew
from tests.engine.holding import claim, overrides, phase, window
from tests.engine.rig import SERVICE, Pump, Rig


async def write(
    rig: Rig, state: DeviceState, level: float, timeout: float = 5.0
) -> Command:
    """Set the level and wait for the answer."""
    ended = await rig.engine.write_now(state, "level", level, SERVICE, timeout)
    await rig.settle()
    assert await rig.stored(ended) == ended
    return ended


async def test_it_is_set_when_it_is_answered_and_stays(rig: Rig) -> None:
    """R-T32: no later restore."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    ended = await write(rig, state, 20)
    assert ended.phase is Phase.COMPLETED
    assert ended.result == {"field": "level", "value": {"level": 20}}
    await rig.reboot(pump)
    await rig.advance(3600)
    assert pump.told == [20.0]


async def test_a_device_that_takes_its_time_is_waited_for(rig: Rig) -> None:
    """Within the time."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    slow = pump.hanging = asyncio.Event()
    asking = asyncio.ensure_future(write(rig, state, 20))
    await rig.settle()
    assert not asking.done()
    slow.set()
    assert (await asking).phase is Phase.COMPLETED


async def test_the_same_request_twice_is_one_write(rig: Rig) -> None:
    """RES-44: also while the first is under way, and both get its answer."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    slow = pump.hanging = asyncio.Event()

    async def ask() -> Command:
        return await rig.engine.write_now(state, "level", 20, SERVICE, 5.0, id="one")

    both = asyncio.gather(ask(), ask())
    await rig.settle()
    slow.set()
    first, second = await both
    assert first == second == await ask()
    assert first.phase is Phase.COMPLETED
    assert pump.told == [20.0]


async def test_a_device_that_hangs_is_answered_in_time_and_nothing_follows(
    rig: Rig,
) -> None:
    """RES-78: what it does late is an observation."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    pump.hanging = asyncio.Event()
    ended = await write(rig, state, 20, 0.1)
    assert (ended.phase, ended.error) == (Phase.TIMED_OUT, "no_answer")
    assert ended.error_code == ErrorCode.COMMAND_TIMEOUT
    pump.hanging = None
    await rig.advance(3600)
    assert pump.told == [20.0]
    pump.turn_by_hand(20)
    await rig.advance(3600)
    assert pump.told == [20.0]
    assert state.fields["level"].resting == {"level": 20}


async def test_one_that_waits_behind_another_is_answered_in_time(rig: Rig) -> None:
    """It is never sent."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    slow = pump.hanging = asyncio.Event()
    before = await rig.engine.send(state, "set_level", {"level": 50}, SERVICE)
    ended = await rig.engine.write_now(state, "level", 20, SERVICE, 0.1)
    assert (ended.phase, ended.error_code, ended.error) == (
        Phase.FAILED,
        ErrorCode.COMMAND_TIMEOUT,
        "no_answer",
    )
    slow.set()
    assert (await rig.done(before)).phase is Phase.COMPLETED
    assert pump.told == [50.0]


@pytest.mark.parametrize("layer", [Layer.WINDOW, Layer.ENFORCED, Layer.MODE])
async def test_a_field_that_somebody_owns_is_left_alone(rig: Rig, layer: Layer) -> None:
    """RES-56: FAILED field_owned, and it changes nothing that would show later."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    held = await claim(rig, state, 0, 0, 60, layer)
    ended = await write(rig, state, 20)
    assert (ended.phase, ended.error) == (Phase.FAILED, "field_owned")
    assert ended.error_details == {"owner": held.id, "layer": layer.name.lower()}
    await rig.advance(60)
    assert pump.told == [0.0, 80.0]


async def test_a_fault_that_passes_is_tried_again_within_the_time(rig: Rig) -> None:
    """RES-74."""
    pump = Pump(level=80)
    pump.fail_next(DeviceError("link_lost", transient=True))
    state = await rig.attach(pump)
    ended = await write(rig, state, 20)
    assert (ended.phase, ended.attempts) == (Phase.COMPLETED, 2)


async def test_a_fault_that_does_not_pass_ends_it(rig: Rig) -> None:
    """And nothing is sent after that: what the device shows is what it rests on."""
    pump = Pump(level=80)
    pump.raise_after = [DeviceError("service_failed", transient=False)]
    state = await rig.attach(pump)
    ended = await write(rig, state, 20)
    assert (ended.phase, ended.error) == (Phase.FAILED, "service_failed")
    await rig.advance(3600)
    assert pump.told == [20.0]
    assert state.fields["level"].resting == {"level": 20}
    held = await window(rig, state, 0, 0, 60)
    await rig.advance(60)
    assert pump.told == [20.0, 0.0, 20.0]
    assert held.id


async def test_a_slow_move_is_answered_when_it_has_arrived(rig: Rig) -> None:
    """Not after its first step."""
    pump = Pump(level=80)
    state = await rig.attach(pump, slew={"level": Slew(per_second=1000.0)})
    state.fields["level"].sent_at = rig.clock.elapsed()
    asking = asyncio.ensure_future(write(rig, state, 20))
    await rig.settle()
    assert not asking.done()
    rig.clock.advance(1)
    assert (await asking).phase is Phase.COMPLETED
    assert pump.level == 20


async def test_a_slow_move_that_does_not_arrive_in_time_stops_there(rig: Rig) -> None:
    """RES-78."""
    pump = Pump(level=80)
    state = await rig.attach(pump, slew={"level": Slew(per_second=1.0)})
    ended = await write(rig, state, 20, 0.1)
    assert (ended.phase, ended.error_code, ended.error) == (
        Phase.TIMED_OUT,
        ErrorCode.COMMAND_TIMEOUT,
        "not_reached",
    )
    shown = pump.level
    for _ in range(30):
        await rig.advance(1)
    assert pump.level == shown


async def test_a_level_that_a_bound_cuts_says_so(rig: Rig) -> None:
    """RES-57, R-T11: it is set, as far as the keeper allows."""
    pump = Pump(level=80)
    state = await rig.attach(pump, bounds={"level": Bounds(minimum=60)})
    ended = await write(rig, state, 50)
    assert (ended.phase, pump.level) == (Phase.COMPLETED, 60)
    record = synchronous_record(ended, "uuid", 1000)
    assert record["details"] == {"limited_to": {"level": 60}}


async def test_after_a_restart_nobody_waits_for_it(rig: Rig) -> None:
    """It was accepted and had not begun: it never is sent."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    state.queue.hold()
    asking = asyncio.ensure_future(write(rig, state, 20))
    await rig.settle()
    asking.cancel()
    (open_one,) = rig.engine.records.open
    await rig.reboot(pump)
    ended = await rig.stored(open_one)
    assert (ended.phase, ended.error) == (Phase.FAILED, "interrupted")
    assert pump.told == []


async def test_nobody_takes_it_for_a_hand(rig: Rig) -> None:
    """Its echo is ours."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await write(rig, state, 20)
    assert overrides(rig) == []


@pytest.mark.parametrize("timeout", [0.0, 31.0])
async def test_a_time_out_of_range_is_refused(rig: Rig, timeout: float) -> None:
    """Law 10."""
    state = await rig.attach(Pump(level=80))
    with pytest.raises(EngineError) as refused:
        await rig.engine.write_now(state, "level", 20, SERVICE, timeout)
    assert (refused.value.code, refused.value.field) == ("out_of_range", "timeout")


async def test_a_wrong_value_is_refused(rig: Rig) -> None:
    """Law 10: nothing is stored."""
    state = await rig.attach(Pump(level=80))
    with pytest.raises(InvalidValue):
        await rig.engine.write_now(state, "level", 101, SERVICE, 5)
    assert await rig.engine.history.recent(None, 10) == []


async def test_a_hand_meanwhile_is_not_taken_back(rig: Rig) -> None:
    """The write timed out; what the keeper did in between is what the pump rests on."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    pump.hanging = asyncio.Event()
    asking = asyncio.ensure_future(write(rig, state, 20, 0.2))
    await rig.settle()
    pump.turn_by_hand(35, user_id="keeper")
    assert (await asking).phase is Phase.TIMED_OUT
    assert state.fields["level"].resting == {"level": 35}


async def test_a_lamp_that_cannot_tell_rests_where_it_did(rig: Rig) -> None:
    """Nothing was seen."""
    lamp = Mute(level=80)
    lamp.fail_next(DeviceError("service_failed", transient=False))
    state = await rig.attach(lamp, assumed={"level": {"level": 80.0}})
    assert (await write(rig, state, 20)).phase is Phase.FAILED
    assert state.fields["level"].resting == {"level": 80.0}


class Mute(Pump):
    """A lamp without read-back."""

    @override
    def observed(self, field: str) -> Setting | None:
        """Tell nothing."""
        return None


async def test_the_same_id_is_written_once(rig: Rig) -> None:
    """RES-44: while the first is under way, after it has ended, and after a restart."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    slow = pump.hanging = asyncio.Event()

    def write_once(level: float = 20) -> asyncio.Future[Command]:
        return asyncio.ensure_future(
            rig.engine.write_now(state, "level", level, SERVICE, 5, id="once")
        )

    first, twin = write_once(), write_once()
    await rig.settle()
    slow.set()
    assert (await first, (await twin).phase) == (await twin, Phase.COMPLETED)
    assert (await write_once()).phase is Phase.COMPLETED
    with pytest.raises(EngineError) as refused:
        await write_once(30)
    assert refused.value.code == "id_conflict"
    assert pump.told == [20.0]


async def test_a_window_that_begins_meanwhile_is_set_all_the_same(rig: Rig) -> None:
    """What is sent afterwards is sent for the window (RES-78)."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    pump.hanging = asyncio.Event()
    asking = asyncio.ensure_future(write(rig, state, 20, 0.2))
    await rig.settle()
    held = await window(rig, state, 0, 0, 60)
    pump.hanging = None
    assert (await asking).phase is Phase.TIMED_OUT
    assert await phase(rig, held) is Phase.IN_FORCE
    assert pump.level == 0
    await rig.reboot(pump)
    await rig.advance(60)
    assert pump.level == 80
    assert await phase(rig, held) is Phase.COMPLETED


async def test_what_is_still_to_be_given_back_is_given_back(rig: Rig) -> None:
    """A window before it had not been brought back yet (R-T7)."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    held = await window(rig, state, 0, 0, 60)
    for _ in range(2):
        pump.fail_next(DeviceError("no_answer", transient=True))
    await rig.advance(60)
    assert await phase(rig, held) is Phase.RESTORING
    pump.hanging = asyncio.Event()
    asking = asyncio.ensure_future(write(rig, state, 20, 0.2))
    await rig.settle()
    pump.hanging = None
    assert (await asking).phase is Phase.TIMED_OUT
    await rig.advance(10)
    assert pump.level == 80
    assert await phase(rig, held) is Phase.COMPLETED


async def test_a_store_that_takes_longer_than_the_time_has_nothing_sent(
    rig: Rig,
) -> None:
    """R-T32: no call later."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    slow = Event()
    storing = rig.engine.journal.commit(lambda connection: slow.wait(10))
    asking = asyncio.ensure_future(write(rig, state, 20, 0.1))
    await asyncio.sleep(0)
    (late,) = rig.engine.synchronous._late.values()
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    loop.call_at(late.when() + 0.01, over.set_result, None)
    await over
    slow.set()
    assert await storing
    ended = await asking
    assert (ended.phase, ended.error_code, ended.error) == (
        Phase.FAILED,
        ErrorCode.COMMAND_TIMEOUT,
        "no_answer",
    )
    assert pump.told == []


async def test_what_safety_wants_meanwhile_is_done(rig: Rig) -> None:
    """Law 5: whatever becomes of the write."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    pump.hanging = asyncio.Event()
    asking = asyncio.ensure_future(write(rig, state, 20, 0.2))
    await rig.settle()
    field = state.fields["level"]
    off = {"level": 0.0}
    rig.engine.arbiter.impose(
        state, field, off, Layer.SAFETY, action="interlock", ends_at=None
    )
    pump.hanging = None
    assert (await asking).phase is Phase.TIMED_OUT
    assert pump.level == 0
    assert field.resting == {"level": 80}


async def test_where_nobody_knows_what_it_rested_on_safety_is_served(rig: Rig) -> None:
    """A lamp that cannot tell, of which nothing was known before."""
    lamp = Mute(level=80)
    state = await rig.attach(lamp)
    lamp.hanging = asyncio.Event()
    asking = asyncio.ensure_future(write(rig, state, 20, 0.2))
    await rig.settle()
    field = state.fields["level"]
    off = {"level": 0.0}
    rig.engine.arbiter.impose(
        state, field, off, Layer.SAFETY, action="interlock", ends_at=None
    )
    lamp.hanging = None
    assert (await asking).phase is Phase.TIMED_OUT
    assert lamp.told == [20.0, 0.0]
    assert field.resting is None
