"""Windows at devices that are late, away, broken or dishonest: what was there comes back."""

import asyncio

import pytest

from custom_components.aquarist.commands.command import ErrorCode
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.engine.state import DeviceLimits
from custom_components.aquarist.limits.slew import Slew
from custom_components.aquarist.store import resting
from tests.engine.holding import phase, phases, shows, window
from tests.engine.rig import SERVICE, Pump, Rig

FINAL = DeviceError("service_failed", transient=False)
LOST = DeviceError("link_lost", transient=True)
LIES = DeviceError("not_confirmed", transient=True)


async def test_what_it_was_is_on_disk_before_the_device_hears(rig: Rig) -> None:
    """R-T53: a crash never makes the new value the original."""
    pump = Pump(level=80)
    seen = []

    async def apply(settings: object) -> None:
        assert rig.engine.database is not None
        seen.append(await rig.engine.database.read(resting.load_all))

    state = await rig.attach(pump)
    pump.apply = apply  # type: ignore[method-assign]
    await window(rig, state, 0, 0, 60)
    assert seen == [{(1, "level"): {"level": 80}}]


async def test_a_start_that_has_passed_is_made_up_for_at_once(rig: Rig) -> None:
    """R-T22, RES-30: started 10 minutes ago, 50 minutes to go."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    command = await window(rig, state, 0, -600, 3000)
    assert pump.told == [0.0]
    assert await phase(rig, command) is Phase.IN_FORCE


async def test_what_it_was_is_what_shows_when_the_window_begins(rig: Rig) -> None:
    """R-T7: not what was last known of it; it was changed while nobody looked."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await rig.done(await rig.engine.send(state, "set_level", {"level": 70}, SERVICE))
    await rig.engine.close()
    pump._know("level", {"level": 30.0})
    await rig.boot(start=False)
    state = await rig.attach(pump)
    rig.engine.start()
    await window(rig, state, 0, 0, 60)
    await rig.advance(60)
    assert pump.told[-2:] == [0.0, 30.0]


async def test_an_entity_that_is_not_loaded_yet_is_waited_for(rig: Rig) -> None:
    """R-T54, R-T55: the window begins as soon as the device is there."""
    pump = Pump(level=80)
    pump._available = False
    pump._known.clear()
    state = await rig.attach(pump)
    command = await window(rig, state, 0, 0, 600)
    await rig.advance(300)
    assert await phase(rig, command) is Phase.PLANNED
    pump._know("level", {"level": 80.0})
    pump.available = True
    await rig.advance(0)
    assert pump.told == [0.0]
    await rig.advance(300)
    assert pump.told == [0.0, 80.0]


async def test_each_device_is_waited_for_by_itself(rig: Rig) -> None:
    """R-T57: one that comes does not begin the windows of another."""
    pumps = [Pump("One", level=80), Pump("Two", level=70)]
    for pump in pumps:
        pump._available = False
        pump._known.clear()
        await window(rig, await rig.attach(pump), 0, 0, 600)
    pumps[1]._know("level", {"level": 70.0})
    pumps[1].available = True
    await rig.advance(0)
    assert [pump.told for pump in pumps] == [[], [0.0]]


async def test_one_that_never_loads_fails_when_its_time_is_over(rig: Rig) -> None:
    """R-T55: device_unavailable, and nothing was sent."""
    pump = Pump(level=80)
    pump._available = False
    pump._known.clear()
    state = await rig.attach(pump)
    command = await window(rig, state, 0, 0, 600)
    await rig.advance(600)
    ended = await rig.stored(command)
    assert (ended.phase, ended.error) == (Phase.FAILED, "device_unavailable")
    assert pump.told == []


async def test_a_device_that_is_away_at_the_start_is_set_when_it_comes(
    rig: Rig,
) -> None:
    """Inside the window (RES-74)."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await rig.done(await rig.engine.send(state, "set_level", {"level": 70}, SERVICE))
    pump.available = False
    command = await window(rig, state, 0, 0, 600)
    await rig.advance(300)
    assert await phase(rig, command) is Phase.APPLYING
    pump.available = True
    await rig.settle()
    assert await phase(rig, command) is Phase.IN_FORCE
    await rig.advance(300)
    assert set(pump.told[1:-1]) == {0.0}
    assert pump.level == 70


async def test_a_device_that_was_away_for_all_of_it_was_never_touched(
    rig: Rig,
) -> None:
    """FAILED at once at its end: there is nothing to bring back."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await rig.done(await rig.engine.send(state, "set_level", {"level": 70}, SERVICE))
    pump.available = False
    command = await window(rig, state, 0, 0, 600)
    await rig.advance(600)
    ended = await rig.stored(command)
    assert (ended.phase, ended.error) == (Phase.FAILED, "out_of_range")
    assert ended.error_code == ErrorCode.DEVICE_NOT_FOUND


async def test_a_device_that_is_away_at_the_end_is_restored_when_it_comes(
    rig: Rig,
) -> None:
    """RES-30, RES-53: NEW_VALUE_SET until then, also over a restart."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    command = await window(rig, state, 0, 0, 60)
    pump.available = False
    await rig.advance(3600)
    assert await phase(rig, command) is Phase.RESTORING
    await rig.reboot(pump)
    await rig.advance(3600)
    assert await phase(rig, command) is Phase.RESTORING
    pump.available = True
    await rig.settle()
    assert pump.level == 80
    assert await phase(rig, command) is Phase.COMPLETED


async def test_a_device_that_lies_does_not_become_set(rig: Rig) -> None:
    """R-T11: what is read back differs, each time; it failed and is brought back."""
    pump = Pump(level=80)
    pump.raise_after = [LIES] * 5
    state = await rig.attach(pump)
    command = await window(rig, state, 0, 0, 30)
    await rig.advance(29)
    assert Phase.IN_FORCE not in phases(rig, command)
    pump.raise_after = []
    await rig.advance(1)
    ended = await rig.stored(command)
    assert (ended.phase, ended.error) == (Phase.FAILED, "not_confirmed")
    assert pump.level == 80


class TestEffectAndThenAnError:
    """R-T16: the value took effect although the write failed."""

    async def test_it_is_brought_back(self, rig: Rig) -> None:
        """And the record ends when it is."""
        pump = Pump(level=80)
        pump.raise_after = [FINAL]
        state = await rig.attach(pump)
        command = await window(rig, state, 0, 0, 60)
        assert pump.told == [0.0, 80.0]
        assert phases(rig, command)[1:] == [
            Phase.APPLYING,
            Phase.RESTORING,
            Phase.FAILED,
        ]
        assert (await rig.stored(command)).error == "service_failed"

    async def test_also_after_a_restart(self, rig: Rig) -> None:
        """The device was away when it was to be brought back."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        pump.hanging = asyncio.Event()
        command = await window(rig, state, 0, 0, 60)
        pump.raise_after = [FINAL]
        pump._failures = []
        state.queue.hold()
        pump.hanging.set()
        pump.hanging = None
        await rig.settle()
        assert pump.level == 0
        assert await phase(rig, command) is Phase.RESTORING
        await rig.reboot(pump)
        assert pump.level == 80
        ended = await rig.stored(command)
        assert (ended.phase, ended.error) == (Phase.FAILED, "service_failed")

    async def test_a_passing_fault_is_tried_again(self, rig: Rig) -> None:
        """R-T17, RES-50: twice, then it works; the window goes on."""
        pump = Pump(level=80)
        pump.raise_after = [LOST, LOST]
        state = await rig.attach(pump)
        command = await window(rig, state, 0, 0, 60)
        await rig.advance(2)
        await rig.advance(4)
        assert await phase(rig, command) is Phase.IN_FORCE
        await rig.advance(60)
        assert pump.level == 80

    async def test_a_window_whose_time_is_over_meanwhile_brings_back(
        self, rig: Rig
    ) -> None:
        """It may have been set, nobody knows."""
        pump = Pump(level=80)
        pump.raise_after = [LOST] * 9
        state = await rig.attach(pump)
        command = await window(rig, state, 0, 0, 20)
        await rig.advance(19)
        assert pump.level == 0
        pump.raise_after = []
        await rig.advance(1)
        assert pump.level == 80
        ended = await rig.stored(command)
        assert (ended.phase, ended.error) == (Phase.FAILED, "link_lost")


async def test_a_write_that_hangs_over_the_end_is_undone(rig: Rig) -> None:
    """It lands after the window: what should hold by then is written."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    slow = pump.hanging = asyncio.Event()
    command = await window(rig, state, 0, 0, 20)
    await rig.advance(20)
    assert await phase(rig, command) is Phase.RESTORING
    pump.hanging = None
    slow.set()
    await rig.settle()
    assert pump.level == 80
    ended = await rig.stored(command)
    assert (ended.phase, ended.error) == (Phase.FAILED, "no_answer")


async def test_a_slow_move_that_never_arrives_says_so(rig: Rig) -> None:
    """`not_reached`: 30 per cent at one per cent a second is not done in 10 s."""
    pump = Pump(level=80)
    state = await rig.attach(pump, slew={"level": Slew(per_second=1.0)})
    command = await window(rig, state, 50, 0, 10)
    told = {"limited_to": {"level": 70.0}}
    assert (await rig.stored(command)).result == told
    for _ in range(10):
        await rig.advance(1)
    assert 70 <= pump.level <= 71
    assert await phase(rig, command) is Phase.RESTORING
    for _ in range(12):
        await rig.advance(1)
    assert pump.level == 80
    ended = await rig.stored(command)
    assert (ended.phase, ended.error) == (Phase.FAILED, "not_reached")
    assert ended.result == told


async def test_a_slow_move_that_has_time_enough_is_not_limited(rig: Rig) -> None:
    """30 per cent at one per cent a second are done in half a minute."""
    pump = Pump(level=80)
    state = await rig.attach(pump, slew={"level": Slew(per_second=1.0)})
    command = await window(rig, state, 50, 0, 40)
    for _ in range(31):
        await rig.advance(1)
    moved = await rig.stored(command)
    assert (moved.phase, moved.result, pump.level) == (Phase.IN_FORCE, None, 50)


async def test_a_slow_move_without_a_limit_by_now_is_not_limited(rig: Rig) -> None:
    """The limit is taken away while the first step is being written."""
    pump = Pump(level=80)
    state = await rig.attach(pump, slew={"level": Slew(per_second=1.0)})
    slow = pump.hanging = asyncio.Event()
    command = await window(rig, state, 50, 0, 10)
    state.limits = DeviceLimits()
    pump.hanging = None
    slow.set()
    await rig.settle()
    assert (await rig.stored(command)).result is None
    await rig.advance(2)
    assert (await rig.stored(command)).phase is Phase.IN_FORCE


async def test_a_slow_move_that_gets_there_after_all_says_nothing_more(
    rig: Rig,
) -> None:
    """The keeper lets it go faster meanwhile."""
    pump = Pump(level=80)
    state = await rig.attach(pump, slew={"level": Slew(per_second=1.0)})
    command = await window(rig, state, 50, 0, 10)
    assert (await rig.stored(command)).result == {"limited_to": {"level": 70.0}}
    state.limits = DeviceLimits()
    await rig.advance(2)
    moved = await rig.stored(command)
    assert (moved.phase, moved.result, pump.level) == (Phase.IN_FORCE, {}, 50)


async def test_a_restore_that_fails_for_good_says_what_to_put_back(rig: Rig) -> None:
    """Which field, and which value; announced, so that it can be repaired by hand."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    command = await window(rig, state, 0, 0, 60)
    pump.fail_next(FINAL)
    await rig.advance(60)
    ended = await rig.stored(command)
    assert ended.phase is Phase.FAILED
    assert ended.error_details == {
        "restoring": True,
        "restore_failed": {"field": "level", "value": {"level": 80}},
    }
    assert phases(rig, command)[-1] is Phase.FAILED


async def test_what_it_took_to_give_back_is_told(rig: Rig) -> None:
    """R-T17: tries of the restore count by themselves."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    command = await window(rig, state, 0, 0, 60)
    pump.fail_next(LOST)
    pump.fail_next(LOST)
    await rig.advance(60)
    await rig.advance(2)
    assert (await rig.stored(command)).result == {"restore_attempts": 2}
    await rig.advance(4)
    ended = await rig.stored(command)
    assert (ended.phase, ended.attempts) == (Phase.COMPLETED, 1)
    assert ended.result == {"restore_attempts": 3}
    assert pump.level == 80


async def test_who_comes_later_has_tries_of_its_own(rig: Rig) -> None:
    """R-T17: a window that meets a fault of another one was tried once."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    pump.fail_next(LOST)
    first = await window(rig, state, 30, 0, 60)
    second = await window(rig, state, 20, 0, 60)
    assert [(await rig.stored(one)).attempts for one in (first, second)] == [2, 1]
    assert pump.level == 20


async def test_a_try_that_a_restart_cut_off_counts(rig: Rig) -> None:
    """R-T17: the next life tries again."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    pump.fail_next(LOST)
    command = await window(rig, state, 0, 0, 600)
    await rig.reboot(pump)
    held = await rig.stored(command)
    assert (held.phase, held.attempts) == (Phase.IN_FORCE, 2)


async def test_a_rollback_that_fails_keeps_the_first_reason(rig: Rig) -> None:
    """And says what to put back."""
    pump = Pump(level=80)
    pump.raise_after = [DeviceError("write_failed", transient=False), FINAL]
    state = await rig.attach(pump)
    command = await window(rig, state, 0, 0, 60)
    ended = await rig.stored(command)
    assert (ended.phase, ended.error) == (Phase.FAILED, "write_failed")
    assert ended.error_details is not None
    assert ended.error_details["restore_failed"]["value"] == {"level": 80}


class TestKilled:
    """R-T53, R-T54: in every phase, at a quiet moment; between the lines the harness kills."""

    async def test_before_it_began(self, rig: Rig) -> None:
        """It begins in the next life."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        command = await window(rig, state, 0, 60, 120)
        await rig.reboot(pump)
        await rig.advance(60)
        assert pump.told == [0.0]
        await rig.advance(60)
        assert pump.told == [0.0, 80.0]
        assert await phase(rig, command) is Phase.COMPLETED

    @pytest.mark.parametrize("away", [0, 3600])
    async def test_while_it_was_applied(self, rig: Rig, away: float) -> None:
        """It goes on, or it is brought back when its time is over."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        pump.raise_after = [LOST]
        command = await window(rig, state, 0, 0, 60)
        assert pump.level == 0
        assert await phase(rig, command) is Phase.APPLYING
        await rig.engine.close()
        rig.clock.advance(away)
        await rig.boot(start=False)
        await rig.attach(pump)
        rig.engine.start()
        await rig.settle()
        if not away:
            assert await phase(rig, command) is Phase.IN_FORCE
            await rig.advance(60)
            assert await phase(rig, command) is Phase.COMPLETED
        else:
            ended = await rig.stored(command)
            assert (ended.phase, ended.error) == (Phase.FAILED, "interrupted")
        assert pump.level == 80

    async def test_while_it_was_restored(self, rig: Rig) -> None:
        """The value is still given back."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        command = await window(rig, state, 0, 0, 60)
        pump.raise_after = [LOST] * 4
        await rig.advance(60)
        assert await phase(rig, command) is Phase.RESTORING
        pump.raise_after = []
        await rig.reboot(pump)
        assert pump.level == 80
        assert await phase(rig, command) is Phase.COMPLETED


async def test_a_stop_does_not_make_a_write_forgotten(rig: Rig) -> None:
    """What runs is cancelled; what should hold is written when the stop is let go."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await rig.done(await rig.engine.send(state, "set_level", {"level": 70}, SERVICE))
    slow = pump.hanging = asyncio.Event()
    command = await window(rig, state, 0, 0, 600)

    async def nothing() -> None:
        pump.hanging = None

    await state.queue.stop(nothing)
    await rig.settle()
    assert not slow.is_set()
    assert pump.level == 0
    assert await phase(rig, command) is Phase.IN_FORCE


async def test_an_off_lamp_comes_back_off_although_it_remembers_a_level(
    rig: Rig,
) -> None:
    """R-T60."""
    pump = Pump(level=0)
    state = await rig.attach(pump)
    await window(rig, state, 50, 0, 60)
    await rig.advance(60)
    assert pump.told == [50.0, 0.0]


async def test_a_device_that_was_detached_for_all_of_it(rig: Rig) -> None:
    """FAILED: it could not even be tried."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await rig.done(await rig.engine.send(state, "set_level", {"level": 70}, SERVICE))
    command = await window(rig, state, 0, 10, 60)
    await rig.engine.equipment.detach(state.row.number)
    await rig.advance(10)
    await rig.advance(50)
    ended = await rig.stored(command)
    assert (ended.phase, ended.error) == (Phase.FAILED, "device_unavailable")


async def test_what_a_write_did_late_is_no_hand(rig: Rig) -> None:
    """It is given back, and the device does what it was told before: it is told again."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    command = await window(rig, state, 0, 0, 60)
    pump.raise_after = [LOST] * 20
    await rig.advance(60)
    await rig.advance(20)
    shows(pump, 0)
    await rig.settle()
    assert state.fields["level"].resting == {"level": 80}
    pump.raise_after = []
    await rig.advance(60)
    assert pump.level == 80
    assert await phase(rig, command) is Phase.COMPLETED


async def test_tries_and_pauses_are_the_keepers(rig: Rig) -> None:
    """RES-74: in the settings."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await rig.engine.live_settings.update({"restore_tries": 2}, None)
    command = await window(rig, state, 0, 0, 60)
    pump.raise_after = [LOST] * 3
    await rig.advance(60)
    await rig.advance(10)
    assert await phase(rig, command) is Phase.FAILED
    assert pump.told.count(80.0) == 2
