"""What is seen at a device: an echo, a hand, or a device that came back (design 5, RES-54)."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from custom_components.aquarist.commands.command import Command, Source
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.device import Observation
from custom_components.aquarist.engine.intake import Origin
from custom_components.aquarist.engine.state import DeviceState
from custom_components.aquarist.layers.claims import Layer
from custom_components.aquarist.limits.slew import Slew
from tests.engine.rig import SERVICE, Pump, Rig

BY_HAND = Origin(source=Source.ENTITY, user="keeper", by_hand=True)
AUTOMATION = Origin(source=Source.ENTITY)


def shows(pump: Pump, level: float, **context: Any) -> None:
    """Let the pump show a level, with a Home Assistant context or none."""
    setting = {"level": level}
    if pump._know("level", setting):
        pump._tell_observed(Observation(field="level", setting=setting, **context))


async def held(rig: Rig, state: DeviceState, level: float, seconds: float) -> Command:
    """Hold a level from now on for some seconds."""
    now = rig.clock.now()
    command = await rig.engine.acceptance.create_window(
        state, "level", level, SERVICE, start=now, end=now + timedelta(seconds=seconds)
    )
    await rig.settle()
    return command


def overrides(rig: Rig) -> list[Command]:
    """Return the overrides in force."""
    return [one for one in rig.engine.records.open if one.layer is Layer.OVERRIDE]


async def test_our_own_value_is_an_echo_however_late_its_context(rig: Rig) -> None:
    """Home Assistant forgets whose change it was: value and deadline come first."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await held(rig, state, 0, 600)
    shows(pump, 0.3, context_id="someone's")
    await rig.advance(9)
    shows(pump, 0.0)
    await rig.settle()
    assert overrides(rig) == []
    assert pump.told == [0.0]


async def test_what_passes_by_on_the_way_is_no_hand(rig: Rig) -> None:
    """A pump that ramps to its new level by itself."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await held(rig, state, 0, 600)
    for level in (60.0, 30.0, 0.0):
        shows(pump, level)
    await rig.settle()
    assert overrides(rig) == []


async def test_a_user_is_a_hand_even_while_an_echo_is_due(rig: Rig) -> None:
    """A context with a user and no parent."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await held(rig, state, 0, 600)
    shows(pump, 40, user_id="keeper", context_id="c")
    await rig.settle()
    (override,) = overrides(rig)
    assert (override.user, override.context) == ("keeper", "c")
    assert pump.level == 40


async def test_what_an_automation_of_the_user_did_is_no_hand_while_an_echo_is_due(
    rig: Rig,
) -> None:
    """It has a parent."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await held(rig, state, 0, 600)
    shows(pump, 40, user_id="keeper", parent_id="automation")
    await rig.settle()
    assert overrides(rig) == []


async def test_a_hand_wins_until_the_window_ends(rig: Rig) -> None:
    """Then the original returns (RES-54)."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    window = await held(rig, state, 0, 600)
    await rig.advance(60)
    shows(pump, 35)
    await rig.settle()
    (override,) = overrides(rig)
    assert override.ends_at == window.ends_at
    await rig.advance(100)
    assert pump.level == 35
    await rig.advance(500)
    assert pump.level == 80
    assert (await rig.stored(override)).phase is Phase.COMPLETED


async def test_a_hand_ends_with_a_window_that_is_called_off(rig: Rig) -> None:
    """With the window at the latest (law 4), also under another one that goes on."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    outer = await held(rig, state, 10, 900)
    await rig.advance(30)
    window = await held(rig, state, 0, 600)
    await rig.advance(30)
    shows(pump, 35)
    await rig.settle()
    (override,) = overrides(rig)
    await rig.engine.cancel(window)
    await rig.settle()
    assert pump.level == 35
    await rig.engine.cancel(outer)
    await rig.settle()
    assert pump.level == 80
    assert (await rig.stored(override)).phase is Phase.COMPLETED


async def test_a_hand_from_before_a_window_outlasts_it(rig: Rig) -> None:
    """It overrides the ramp that goes on."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    args = {"end_level": 0, "duration": 900}
    ramp = await rig.engine.send(state, "ramp", args, SERVICE)
    await rig.settle()
    shows(pump, 35, user_id="keeper")
    await rig.advance(30)
    window = await held(rig, state, 0, 600)
    await rig.advance(30)
    await rig.engine.cancel(window)
    await rig.settle()
    assert pump.level == 35
    await rig.engine.cancel(ramp)
    await rig.settle()
    assert overrides(rig) == []


async def test_a_second_hand_takes_the_place_of_the_first(rig: Rig) -> None:
    """One override, with the newest value."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await held(rig, state, 0, 600)
    await rig.advance(60)
    shows(pump, 35)
    await rig.advance(60)
    shows(pump, 45)
    await rig.settle()
    (override,) = overrides(rig)
    assert override.value == {"level": 45}
    await rig.advance(600)
    assert pump.level == 80


async def test_a_hand_on_a_field_without_a_plan_is_its_new_resting_value(
    rig: Rig,
) -> None:
    """It survives a restart."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    shows(pump, 35)
    await rig.settle()
    assert state.fields["level"].resting == {"level": 35}
    (state,) = await rig.reboot(pump)
    assert state.fields["level"].resting == {"level": 35}
    await held(rig, state, 0, 60)
    await rig.advance(60)
    assert pump.level == 35


async def test_a_hand_against_a_safety_claim_is_corrected(rig: Rig) -> None:
    """Nobody overrides an emergency stop."""
    pump = Pump(level=80)
    await rig.attach(pump, safe={"level": {"level": 0.0}})
    await rig.engine.emergency.stop(None)
    await rig.advance(60)
    shows(pump, 35, user_id="keeper")
    await rig.settle()
    assert pump.level == 0
    assert overrides(rig) == []


async def test_an_entity_call_by_hand_is_an_override_under_a_plan(rig: Rig) -> None:
    """And a point action without one (law 4)."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    first = await rig.engine.send(state, "set_level", {"level": 70}, BY_HAND)
    assert (await rig.done(first)).phase is Phase.COMPLETED
    assert overrides(rig) == []
    window = await held(rig, state, 0, 600)
    second = await rig.engine.send(state, "set_level", {"level": 30}, BY_HAND)
    await rig.settle()
    (override,) = overrides(rig)
    assert override.key == second.key
    assert override.ends_at == window.ends_at
    assert pump.level == 30
    await rig.advance(600)
    assert pump.level == 70


async def test_an_automation_under_a_window_changes_what_shows_later(rig: Rig) -> None:
    """It is a point action: no override (RES-56)."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    window = await held(rig, state, 0, 600)
    ended = await rig.done(
        await rig.engine.send(state, "set_level", {"level": 30}, AUTOMATION)
    )
    assert ended.result is not None
    assert ended.result["shadowed_by"] == window.id
    assert pump.level == 0
    await rig.advance(600)
    assert pump.level == 30


async def test_a_hand_during_a_ramp_ends_with_the_ramp(rig: Rig) -> None:
    """Then the ramp's end shows."""
    pump = Pump(level=0)
    state = await rig.attach(pump)
    await rig.engine.send(
        state, "ramp", {"start_level": 0, "end_level": 90, "duration": 600}, SERVICE
    )
    await rig.advance(60)
    await rig.advance(15)
    shows(pump, 50, user_id="keeper")
    await rig.settle()
    assert len(overrides(rig)) == 1
    await rig.advance(200)
    assert pump.level == 50
    for _ in range(8):
        await rig.advance(60)
    assert pump.level == 90


async def test_a_value_after_unavailable_is_corrected_once_and_is_no_hand(
    rig: Rig,
) -> None:
    """R-B113, under a plan."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await held(rig, state, 0, 600)
    await rig.advance(60)
    pump.available = False
    pump._know("level", {"level": 80.0})
    pump.available = True
    shows(pump, 80)
    await rig.settle()
    assert pump.told == [0.0, 0.0]
    assert overrides(rig) == []


async def test_a_resting_value_is_corrected_after_unavailable_too(rig: Rig) -> None:
    """A pump that was switched off stays off after a power cut."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await rig.done(await rig.engine.send(state, "turn_off", {}, SERVICE))
    await rig.advance(60)
    pump.available = False
    pump._know("level", {"level": 80.0})
    pump.available = True
    await rig.settle()
    assert pump.told == [0.0, 0.0]
    assert state.fields["level"].resting == {"level": 0}


async def test_a_device_of_which_nothing_was_asked_is_left_as_it_comes_back(
    rig: Rig,
) -> None:
    """Also after a start: what was changed meanwhile is not undone."""
    pump = Pump(level=80)
    await rig.attach(pump)
    pump.available = False
    pump._know("level", {"level": 30.0})
    pump.available = True
    await rig.settle()
    assert pump.told == []


async def test_entity_writes_that_have_not_begun_give_way_to_the_newest(
    rig: Rig,
) -> None:
    """`cancelled: superseded`; commands of other surfaces are never merged."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    pump.hanging = asyncio.Event()
    running = await rig.engine.send(state, "set_level", {"level": 10}, AUTOMATION)
    service = await rig.engine.send(state, "set_level", {"level": 20}, SERVICE)
    older = await rig.engine.send(state, "set_level", {"level": 30}, AUTOMATION)
    newest = await rig.engine.send(state, "set_level", {"level": 40}, AUTOMATION)
    assert await rig.engine.finished(older) == await rig.stored(older)
    ended = await rig.stored(older)
    assert (ended.phase, ended.error) == (Phase.WITHDRAWN, "superseded")
    pump.hanging.set()
    for command in (running, service, newest):
        assert (await rig.done(command)).phase is Phase.COMPLETED
    assert pump.told == [10.0, 20.0, 40.0]


async def test_a_field_that_nobody_knows_is_not_judged(rig: Rig) -> None:
    """A device may tell more than it described."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    pump._tell_observed(Observation(field="colour", setting={"colour": 1}))
    assert "colour" not in state.fields


class TestAfterTheEcho:
    """What is there when the time for an echo is over is judged (design 5)."""

    async def test_a_knob_turned_just_after_our_write_is_a_hand(self, rig: Rig) -> None:
        """It wins, ten seconds later."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        await held(rig, state, 0, 600)
        await rig.advance(3)
        shows(pump, 40)
        await rig.settle()
        assert overrides(rig) == []
        await rig.advance(8)
        (override,) = overrides(rig)
        assert override.value == {"level": 40}
        await rig.advance(600)
        assert pump.level == 80

    async def test_a_device_that_arrived_meanwhile_was_on_its_way(
        self, rig: Rig
    ) -> None:
        """Nothing is made of it."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        await held(rig, state, 0, 600)
        shows(pump, 40)
        shows(pump, 0)
        await rig.advance(11)
        assert overrides(rig) == []
        assert pump.told == [0.0]

    @pytest.mark.parametrize("gone", ["away", "detached", "retired"])
    async def test_nobody_is_asked_who_is_not_there(self, rig: Rig, gone: str) -> None:
        """Nothing can be judged."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        await held(rig, state, 0, 600)
        shows(pump, 40)
        if gone == "away":
            pump.available = False
        elif gone == "detached":
            await rig.engine.equipment.detach(1)
        else:
            await rig.engine.equipment.retire(1)
        await rig.advance(11)
        assert overrides(rig) == []


async def test_what_was_sent_last_is_nothing_new_however_late(rig: Rig) -> None:
    """A slow move stands on a step, and the device says so once more."""
    pump = Pump(level=80)
    slew = {"level": Slew(per_second=0.01)}
    state = await rig.attach(pump, slew=slew)
    await held(rig, state, 0, 6000)
    await rig.advance(20)
    shows(pump, pump.level - 0.2)
    await rig.settle()
    assert overrides(rig) == []


async def test_a_device_that_says_what_should_hold_is_in_step(rig: Rig) -> None:
    """It came back, and told its value afterwards."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await held(rig, state, 0, 600)
    await rig.advance(60)
    pump.available = False
    state.fields["level"].sent = None
    pump._known.clear()
    shows(pump, 0)
    await rig.settle()
    assert overrides(rig) == []


async def test_what_comes_back_before_home_assistant_has_started_is_no_hand(
    rig: Rig,
) -> None:
    """R-T54, R-B113: nothing may be written yet, and it is not forgotten meanwhile."""
    pump = Pump(level=80)
    await held(rig, await rig.attach(pump), 0, 600)
    await rig.engine.close()
    pump.available = False
    await rig.boot(start=False)
    await rig.attach(pump)
    pump.available = True
    shows(pump, 80)
    await rig.settle()
    assert overrides(rig) == []
    assert pump.told == [0.0]
    rig.engine.start()
    await rig.settle()
    assert pump.told == [0.0, 0.0]
    assert pump.level == 0
    shows(pump, 30)
    await rig.advance(11)
    assert len(overrides(rig)) == 1
