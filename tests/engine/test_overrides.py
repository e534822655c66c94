"""Overrides: by service for a time, by hand as the device's rule says (R-B111, RES-54)."""

from datetime import timedelta
from typing import Any, ClassVar

import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.layers.claims import Layer
from custom_components.aquarist.layers.hand import HandPolicy, HandRule
from tests.engine.holding import BY_HAND, claim, overrides, phase, phases, shows, window
from tests.engine.plans import create, daily
from tests.engine.rig import SERVICE, Pump, Rig
from tests.fakes.manual_clock import START, ManualEngineClock

HALF_AN_HOUR = 1800.0
MINUTES = HandPolicy(rule=HandRule.MINUTES, seconds=300.0)
RELEASED = HandPolicy(rule=HandRule.UNTIL_RELEASED)
ENFORCE = HandPolicy(rule=HandRule.ENFORCE)


async def off(rig: Rig, pump: Pump, **lasts: Any) -> Any:
    """Override a pump: off."""
    state = rig.engine.device(pump.uuid)
    command = await rig.engine.override(state, "level", 0, SERVICE, **lasts)
    await rig.settle()
    return command


class TestByService:
    """R-B111."""

    async def test_off_for_half_an_hour(self, rig: Rig) -> None:
        """Then what it rests on comes back."""
        pump = Pump(level=80)
        await rig.attach(pump)
        command = await off(rig, pump, seconds=HALF_AN_HOUR)
        await rig.advance(HALF_AN_HOUR - 1)
        assert pump.told == [0.0]
        await rig.advance(1)
        assert pump.told == [0.0, 80.0]
        assert await phase(rig, command) is Phase.COMPLETED

    async def test_it_stands_above_a_window_and_outlasts_it(self, rig: Rig) -> None:
        """It was asked for by its time."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        await window(rig, state, 30, 0, 600)
        await off(rig, pump, seconds=HALF_AN_HOUR)
        await rig.advance(700)
        assert pump.level == 0
        await rig.advance(1100)
        assert pump.level == 80

    @pytest.mark.parametrize("jump", [-7200, 7200])
    async def test_it_ends_by_elapsed_time(self, rig: Rig, jump: float) -> None:
        """Law 6: whatever the wall clock says."""
        pump = Pump(level=80)
        await rig.attach(pump)
        await off(rig, pump, seconds=HALF_AN_HOUR)
        await rig.advance(600)
        rig.clock.jump(jump)
        await rig.advance(1199)
        assert pump.level == 0
        await rig.advance(1)
        assert pump.level == 80

    async def test_a_restart_after_ten_minutes_does_not_begin_it_anew(
        self, rig: Rig
    ) -> None:
        """It ends after 30 minutes all the same."""
        pump = Pump(level=80)
        await rig.attach(pump)
        await off(rig, pump, seconds=HALF_AN_HOUR)
        await rig.advance(600)
        await rig.reboot(pump)
        await rig.advance(1199)
        assert set(pump.told) == {0.0}
        await rig.advance(1)
        assert pump.told[-1] == 80.0

    @pytest.mark.parametrize("boot", ["boot-1", "boot-2"])
    async def test_a_restart_after_its_end_does_not_apply_it_again(
        self, rig: Rig, boot: str
    ) -> None:
        """It has lapsed; the pump is brought back. Also when the machine was restarted."""
        pump = Pump(level=80)
        await rig.attach(pump)
        command = await off(rig, pump, seconds=HALF_AN_HOUR)
        await rig.engine.close()
        if boot == "boot-1":
            rig.clock.advance(2400)
        else:
            rig.clock = ManualEngineClock(START + timedelta(seconds=2400), boot=boot)
        await rig.boot(start=False)
        await rig.attach(pump)
        rig.engine.start()
        await rig.settle()
        assert pump.told == [0.0, 80.0]
        assert await phase(rig, command) is Phase.COMPLETED

    async def test_a_newer_one_takes_the_place_of_the_older(self, rig: Rig) -> None:
        """One per target, and what is beneath does not show in between."""
        pump = Pump(level=80)
        await rig.attach(pump)
        state = rig.engine.device(pump.uuid)
        older = await off(rig, pump, seconds=HALF_AN_HOUR)
        newer = await rig.engine.override(state, "level", 40, SERVICE, seconds=60)
        await rig.settle()
        assert pump.told == [0.0, 40.0]
        ended = await rig.stored(older)
        assert (ended.phase, ended.error) == (Phase.STOPPED, "superseded")
        await rig.advance(60)
        assert pump.told == [0.0, 40.0, 80.0]
        assert await phase(rig, newer) is Phase.COMPLETED

    async def test_release_returns_to_what_the_plan_wants_by_now(
        self, rig: Rig
    ) -> None:
        """Not to what it wanted when the override began."""
        pump = Pump(level=0)
        state = await rig.attach(pump)
        args = {"start_level": 0, "end_level": 100, "duration": 1000}
        await rig.engine.send(state, "ramp", args, SERVICE)
        command = await off(rig, pump, seconds=HALF_AN_HOUR)
        await rig.advance(500)
        assert rig.engine.overrides.release(state, "level") is not None
        await rig.settle()
        assert abs(pump.level - 50) <= 1
        assert await phase(rig, command) is Phase.COMPLETED
        assert rig.engine.overrides.release(state, "level") is None

    async def test_one_that_could_not_be_set_is_released_too(self, rig: Rig) -> None:
        """It ends as called off; nothing is applied later."""
        pump = Pump(level=80)
        pump.raise_after = [DeviceError("link_lost", transient=True)]
        state = await rig.attach(pump)
        command = await off(rig, pump, seconds=HALF_AN_HOUR)
        assert pump.level == 0
        rig.engine.overrides.release(state, "level")
        await rig.settle()
        assert pump.level == 80
        assert await phase(rig, command) is Phase.STOPPED

    async def test_one_that_waits_for_its_device_is_released_too(
        self, rig: Rig
    ) -> None:
        """It never begins."""
        pump = Pump(level=80)
        pump._available = False
        pump._known.clear()
        state = await rig.attach(pump)
        command = await off(rig, pump, seconds=HALF_AN_HOUR)
        rig.engine.overrides.release(state, "level")
        pump._know("level", {"level": 80.0})
        pump.available = True
        await rig.advance(60)
        assert pump.told == []
        assert await phase(rig, command) is Phase.WITHDRAWN

    async def test_one_that_waits_for_its_device_has_its_time(self, rig: Rig) -> None:
        """Counted from when it was asked for."""
        pump = Pump(level=80)
        pump._available = False
        pump._known.clear()
        await rig.attach(pump)
        command = await off(rig, pump, seconds=60)
        await rig.advance(90)
        ended = await rig.stored(command)
        assert (ended.phase, ended.error) == (Phase.FAILED, "device_unavailable")

    async def test_until_released_stays_when_it_holds_nothing_off(
        self, rig: Rig
    ) -> None:
        """Without an end of its own."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        command = await rig.engine.override(
            state, "level", 40, SERVICE, until="released"
        )
        assert (await rig.stored(command)).ends_at is None
        await rig.advance(40 * 3600)
        assert pump.level == 40
        rig.engine.overrides.release(state, "level")
        await rig.settle()
        assert pump.level == 80

    async def test_until_released_has_a_latest_end_when_it_holds_off(
        self, rig: Rig
    ) -> None:
        """Law 4: only the emergency stop is latched."""
        pump = Pump(level=80)
        await rig.attach(pump)
        await off(rig, pump, until="released")
        await rig.advance(24 * 3600 - 1)
        assert pump.level == 0
        await rig.advance(1)
        assert pump.level == 80

    @pytest.mark.parametrize("schedule", ["set_level", "ramp"])
    async def test_until_the_next_event_of_a_schedule(
        self, rig: Rig, schedule: str
    ) -> None:
        """Its value shows, whether it sets a level or moves it."""
        pump = Pump(level=80)
        await rig.attach(pump)
        params = {
            "set_level": {"level": 60},
            "ramp": {"start_level": 60, "end_level": 60, "duration": 60},
        }[schedule]
        await create(rig, daily("12:10", schedule, params))
        command = await off(rig, pump)
        await rig.advance(599)
        assert pump.told == [0.0]
        await rig.advance(1)
        assert pump.told == [0.0, 60.0]
        assert await phase(rig, command) is Phase.COMPLETED

    async def test_one_for_a_time_is_not_ended_by_a_schedule(self, rig: Rig) -> None:
        """Its level shows afterwards."""
        pump = Pump(level=80)
        await rig.attach(pump)
        await create(rig, daily("12:10", "set_level", {"level": 60}))
        await off(rig, pump, seconds=HALF_AN_HOUR)
        await rig.advance(600)
        await rig.advance(1199)
        assert pump.told == [0.0]
        await rig.advance(1)
        assert pump.told == [0.0, 60.0]

    @pytest.mark.parametrize(
        ("lasts", "code", "field"),
        [
            ({"seconds": 60, "until": "released"}, "not_both", "seconds"),
            ({"until": "noon"}, "unknown_word", "until"),
            ({"seconds": 0}, "out_of_range", "seconds"),
            ({"seconds": 10**9}, "out_of_range", "seconds"),
        ],
    )
    async def test_a_wrong_one_is_refused(
        self, rig: Rig, lasts: dict[str, Any], code: str, field: str
    ) -> None:
        """Law 10: nothing is stored."""
        pump = Pump(level=80)
        await rig.attach(pump)
        with pytest.raises(EngineError) as refused:
            await off(rig, pump, **lasts)
        assert (refused.value.code, refused.value.field) == (code, field)
        assert await rig.engine.history.recent(None, 10) == []

    async def test_a_wrong_value_is_refused(self, rig: Rig) -> None:
        """By the device."""
        state = await rig.attach(Pump(level=80))
        with pytest.raises(InvalidValue):
            await rig.engine.override(state, "level", 101, SERVICE, seconds=60)
        with pytest.raises(InvalidValue):
            rig.engine.overrides.release(state, "colour")


class TestByHand:
    """What the rule of the device makes of a change by hand."""

    @pytest.mark.parametrize("known", ["outside", "entity"])
    async def test_minutes(self, rig: Rig, known: str) -> None:
        """Then the window shows again, until its end."""
        pump = Pump(level=80)
        state = await rig.attach(pump, hand=MINUTES)
        await window(rig, state, 0, 0, 600)
        await rig.advance(60)
        if known == "outside":
            shows(pump, 35)
        else:
            await rig.engine.send(state, "set_level", {"level": 35}, BY_HAND)
        await rig.advance(299)
        assert pump.level == 35
        await rig.advance(1)
        assert pump.level == 0
        await rig.advance(240)
        assert pump.level == 80

    async def test_until_released_over_a_ramp(self, rig: Rig) -> None:
        """It stays over the end of the plan."""
        pump = Pump(level=0)
        state = await rig.attach(pump, hand=RELEASED)
        args = {"start_level": 0, "end_level": 90, "duration": 600}
        await rig.engine.send(state, "ramp", args, SERVICE)
        await rig.advance(300)
        shows(pump, 10, user_id="keeper")
        await rig.advance(3600)
        assert pump.level == 10
        rig.engine.overrides.release(state, "level")
        await rig.settle()
        assert pump.level == 90

    async def test_until_released_ends_with_a_window(self, rig: Rig) -> None:
        """Law 4: at the latest."""
        pump = Pump(level=80)
        state = await rig.attach(pump, hand=RELEASED)
        await window(rig, state, 0, 0, 600)
        await rig.advance(60)
        shows(pump, 35)
        await rig.advance(600)
        assert pump.level == 80

    @pytest.mark.parametrize("user", ["keeper", None])
    async def test_enforce(self, rig: Rig, user: str | None) -> None:
        """It is undone at once, by one call."""
        pump = Pump(level=80)
        state = await rig.attach(pump, hand=ENFORCE)
        await window(rig, state, 0, 0, 600)
        await rig.advance(60)
        shows(pump, 35, user_id=user)
        await rig.settle()
        assert pump.told == [0.0, 0.0]
        assert overrides(rig) == []

    async def test_enforce_makes_an_entity_call_a_point_action(self, rig: Rig) -> None:
        """It shows when the window is over."""
        pump = Pump(level=80)
        state = await rig.attach(pump, hand=ENFORCE)
        await window(rig, state, 0, 0, 600)
        ended = await rig.done(
            await rig.engine.send(state, "set_level", {"level": 35}, BY_HAND)
        )
        assert ended.phase is Phase.COMPLETED
        assert pump.told == [0.0]
        await rig.advance(600)
        assert pump.level == 35

    async def test_enforce_without_a_plan_lets_the_hand_be(self, rig: Rig) -> None:
        """RES-54: it is the new resting value."""
        pump = Pump(level=80)
        await rig.attach(pump, hand=ENFORCE)
        shows(pump, 35)
        await rig.advance(60)
        assert pump.told == []

    async def test_a_schedule_ends_it_where_it_lasts_until_the_next_event(
        self, rig: Rig
    ) -> None:
        """Over a ramp."""
        pump = Pump(level=0)
        state = await rig.attach(pump)
        await create(rig, daily("12:10", "set_level", {"level": 60}))
        args = {"start_level": 20, "end_level": 20, "duration": 3600}
        await rig.engine.send(state, "ramp", args, SERVICE)
        await rig.advance(60)
        shows(pump, 50, user_id="keeper")
        await rig.advance(539)
        assert pump.level == 50
        await rig.advance(1)
        assert pump.level == 20

    async def test_a_mode_is_not_overridden(self, rig: Rig) -> None:
        """Feeding goes on: the hand is undone."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        await claim(rig, state, 0, 0, 600, Layer.MODE)
        await rig.advance(60)
        shows(pump, 35, user_id="keeper")
        await rig.settle()
        assert pump.told == [0.0, 0.0]

    async def test_a_field_by_its_name_is_overridden_too(self, rig: Rig) -> None:
        """A keeper's own switch under a window (law 4)."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        await window(rig, state, 0, 0, 600)
        await rig.engine.acceptance.set_field(state, "level", 35, BY_HAND)
        await rig.settle()
        assert pump.level == 35
        await rig.advance(600)
        assert pump.level == 80


class TestRespectManualChange:
    """RES-28, RES-54: per field, the value set by hand stays when the window ends."""

    LIMITS: ClassVar[dict[str, Any]] = {"respect_manual_change": frozenset({"level"})}

    @pytest.mark.parametrize("restarted", [False, True])
    @pytest.mark.parametrize("known", ["outside", "entity"])
    async def test_it_is_what_shows_afterwards(
        self, rig: Rig, known: str, restarted: bool
    ) -> None:
        """Without a call at the end, and the record of the window has a note."""
        pump = Pump(level=80)
        state = await rig.attach(pump, **self.LIMITS)
        command = await window(rig, state, 0, 0, 600)
        await rig.advance(60)
        if known == "outside":
            shows(pump, 35)
        else:
            await rig.engine.send(state, "set_level", {"level": 35}, BY_HAND)
        await rig.settle()
        if restarted:
            await rig.reboot(pump, **self.LIMITS)
        told = len(pump.told)
        await rig.advance(540)
        assert pump.level == 35
        assert 80.0 not in pump.told[told:]
        ended = await rig.stored(command)
        assert ended.phase is Phase.COMPLETED
        assert ended.result == {"manual_change": {"level": 35}}

    async def test_while_the_window_is_still_being_set(self, rig: Rig) -> None:
        """It is noted all the same, and the window goes on."""
        pump = Pump(level=80)
        pump.raise_after = [DeviceError("link_lost", transient=True)] * 2
        state = await rig.attach(pump, **self.LIMITS)
        command = await window(rig, state, 0, 0, 600)
        await rig.engine.send(state, "set_level", {"level": 35}, BY_HAND)
        await rig.settle()
        assert state.fields["level"].waiting.keys() > {command.key}
        await rig.advance(10)
        assert phases(rig, command)[-1] is Phase.IN_FORCE
        await rig.advance(590)
        assert pump.level == 35
        result = (await rig.stored(command)).result
        assert result is not None and result.keys() == {"manual_change", "shadowed_by"}
        assert result["manual_change"] == {"level": 35}

    async def test_without_a_hand_the_original_returns(self, rig: Rig) -> None:
        """Also after an override by service, which is no hand."""
        pump = Pump(level=80)
        state = await rig.attach(pump, **self.LIMITS)
        command = await window(rig, state, 0, 0, 600)
        await rig.engine.override(state, "level", 35, SERVICE, seconds=60)
        await rig.advance(600)
        assert pump.level == 80
        assert (await rig.stored(command)).result is None
