"""Windows of all ranks over one another: one owner at a time, and no flicker (law 4)."""

import asyncio
from datetime import timedelta
from typing import Any, override

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aquarist.commands.command import Command
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.entity import EntityDevice, EntityField
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.layers.claims import Layer
from custom_components.aquarist.layers.setting import Setting
from custom_components.aquarist.limits.bounds import Bounds
from custom_components.aquarist.limits.slew import Slew
from tests.devices.entities import FakeClimate, add
from tests.engine.holding import claim, phase, window
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import SERVICE, Pump, Rig


async def test_each_rank_stands_above_the_one_before(rig: Rig) -> None:
    """Law 4; and each gives way to what holds by then."""
    pump = Pump(level=80)
    state = await rig.attach(pump, safe={"level": {"level": 0.0}})
    args = {"start_level": 10, "end_level": 10, "duration": 3600}
    await rig.engine.send(state, "ramp", args, SERVICE)
    await rig.settle()
    assert pump.level == 10
    held = [await window(rig, state, 20, 0, 3600)]
    held.append(await rig.engine.override(state, "level", 30, SERVICE, seconds=3600))
    await rig.settle()
    held += [
        await claim(rig, state, 40, 0, 3600, Layer.ENFORCED),
        await claim(rig, state, 50, 0, 3600, Layer.MODE),
    ]
    await rig.engine.emergency.stop(None)
    assert pump.told == [10.0, 20.0, 30.0, 40.0, 50.0, 0.0]
    rig.engine.emergency.release(None)
    await rig.settle()
    for command in reversed(held):
        await rig.engine.cancel(command)
        await rig.settle()
    assert pump.told[6:] == [50.0, 40.0, 30.0, 20.0, 10.0]


async def test_one_that_begins_beneath_another_says_so(rig: Rig) -> None:
    """RES-56, R-T11: it is in force, and its value does not show."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    above = await claim(rig, state, 50, 0, 30, Layer.MODE)
    beneath = await window(rig, state, 20, 0, 60)
    assert (await rig.stored(beneath)).result == {"shadowed_by": above.id}
    assert (await rig.stored(above)).result is None
    assert pump.level == 50
    await rig.advance(30)
    assert pump.level == 20


async def test_parts_of_one_field_do_not_stand_above_one_another(
    hass: HomeAssistant, rig: Rig
) -> None:
    """A mode and a temperature both show; of two temperatures one does not."""
    chiller = FakeClimate("Chiller")
    await add(hass, "climate", chiller)
    field = EntityField(name="chiller", entity="climate.chiller")
    state = await rig.attach(
        EntityDevice(hass, uuid="sump", name="Sump", fields=[field])
    )
    now = rig.clock.now()

    async def held(part: str, value: Any, seconds: float) -> Command:
        command = await rig.engine.acceptance.create_window(
            state, part, value, SERVICE, start=now, end=now + timedelta(seconds=seconds)
        )
        await rig.settle()
        return await rig.stored(command)

    warm = await held("temperature", 25.0, 60)
    mode = await held("hvac_mode", "cool", 60)
    assert (mode.phase, mode.result) == (Phase.IN_FORCE, None)
    cold = await rig.engine.windows.claim(
        state,
        "temperature",
        18.0,
        SERVICE,
        layer=Layer.MODE,
        action="mode",
        end=now + timedelta(seconds=60),
    )
    assert (await held("hvac_mode", "heat", 30)).result is None
    beneath = await held("temperature", 22.0, 30)
    assert beneath.result == {"shadowed_by": cold.id}
    assert (await rig.stored(warm)).result is None


@pytest.mark.parametrize(
    ("asked", "shows"), [(20, 30), (50, None), (60, None), (0, None)]
)
async def test_one_that_a_bound_cuts_says_so(
    rig: Rig, asked: float, shows: float | None
) -> None:
    """RES-57, R-T11: which level the keeper's bounds make of it."""
    pump = Pump(level=40)
    bounds = {"level": Bounds(minimum=30, maximum=60)}
    state = await rig.attach(pump, bounds=bounds)
    limited = None if shows is None else {"limited_to": {"level": shows}}
    held = await rig.stored(await window(rig, state, asked, 0, 60))
    assert (held.phase, held.result) == (Phase.IN_FORCE, limited)
    assert pump.level == (asked if shows is None else shows)
    await rig.advance(60)
    ended = await rig.done(
        await rig.engine.send(state, "set_level", {"level": asked}, SERVICE)
    )
    assert ended.result is not None
    assert ended.result.get("limited_to") == (limited or {}).get("limited_to")


async def test_an_enforced_claim_stands_above_what_started_later(rig: Rig) -> None:
    """RES-55: neither a write action nor an override gets through."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await claim(rig, state, 40, 0, 600, Layer.ENFORCED, blocking=True)
    await window(rig, state, 20, 0, 300)
    await rig.engine.override(state, "level", 30, SERVICE, seconds=300)
    await rig.settle()
    assert pump.told == [40.0]
    await rig.advance(600)
    assert pump.told == [40.0, 80.0]


async def test_at_equal_rank_the_later_start_wins(rig: Rig) -> None:
    """RES-55: also against a block that started before."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await claim(rig, state, 40, 0, 600, Layer.WINDOW, blocking=True)
    await rig.advance(10)
    await window(rig, state, 20, 0, 60)
    assert pump.told == [40.0, 20.0]


async def test_of_two_that_start_together_blocking_wins(rig: Rig) -> None:
    """RES-55: whichever was accepted first; and nothing else shows before."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await claim(rig, state, 40, 60, 600, Layer.WINDOW, blocking=True)
    await window(rig, state, 20, 60, 600)
    await rig.advance(60)
    assert pump.level == 40
    assert pump.told == [40.0]
    await rig.engine.close()
    await rig.boot(start=False)
    await rig.attach(pump)
    rig.engine.start()
    await rig.settle()
    assert pump.level == 40


async def test_a_claim_has_an_end_on_disk(rig: Rig) -> None:
    """Law 4: a committed latest end, which brings back although nobody ends it."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    command = await claim(rig, state, 0, 0, 600, Layer.MODE, run=None, step=None)
    assert (await rig.stored(command)).ends_at == rig.clock.now() + timedelta(
        seconds=600
    )
    await rig.reboot(pump)
    await rig.advance(600)
    assert pump.level == 80


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"layer": Layer.SAFETY}, "unknown_word", "layer"),
        ({"layer": Layer.RESTING}, "unknown_word", "layer"),
        ({"end": timedelta(0)}, "end_not_after_start", "end"),
        ({"start": timedelta(-20), "end": timedelta(-10)}, "end_in_past", "end"),
        ({"naive": True}, "naive_time", "end"),
    ],
)
async def test_a_wrong_claim_is_refused(
    rig: Rig, change: dict[str, Any], code: str, field: str
) -> None:
    """Law 10: nothing is stored, and the error names what is wrong."""
    state = await rig.attach(Pump(level=80))
    now = rig.clock.now()
    end = now + change.get("end", timedelta(seconds=60))
    start = now + change["start"] if "start" in change else None
    with pytest.raises(EngineError) as refused:
        await rig.engine.windows.claim(
            state,
            "level",
            0,
            SERVICE,
            layer=change.get("layer", Layer.MODE),
            action="mode",
            start=start,
            end=end.replace(tzinfo=None) if "naive" in change else end,
        )
    assert (refused.value.code, refused.value.field) == (code, field)
    assert await rig.engine.history.recent(None, 10) == []


async def test_a_claim_takes_what_the_field_takes(rig: Rig) -> None:
    """Law 10."""
    state = await rig.attach(Pump(level=80))
    with pytest.raises(InvalidValue):
        await claim(rig, state, 101, 0, 60, Layer.MODE)


async def test_a_mode_may_hold_a_head(rig: Rig) -> None:
    """`dosing allowed` has no device value to go back to: it is allowed again."""
    doser = MemoryDoser()
    state = await rig.attach(doser)
    now = rig.clock.now()
    command = await rig.engine.windows.claim(
        state,
        "dosing_allowed_0",
        False,
        SERVICE,
        layer=Layer.MODE,
        action="feed",
        end=now + timedelta(seconds=60),
    )
    await rig.settle()
    field = state.fields["dosing_allowed_0"]
    held = field.resolve(rig.clock.now())
    assert held is not None
    assert held.setting == {"dosing_allowed_0": False}
    await rig.advance(60)
    free = field.resolve(rig.clock.now())
    assert free is not None
    assert free.setting.get("dosing_allowed_0") is not False
    assert await phase(rig, command) is Phase.COMPLETED


class TestSeveralWindows:
    """R-T52, RES-27."""

    async def test_nested(self, rig: Rig) -> None:
        """The outer one shows again; the end of the inner one is a call of its own."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        await window(rig, state, 10, 10, 100)
        await window(rig, state, 20, 30, 60)
        for _ in range(12):
            await rig.advance(10)
        assert pump.told == [10.0, 20.0, 10.0, 80.0]

    async def test_three_deep(self, rig: Rig) -> None:
        """Each end uncovers what is in force by then."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        for level, begin, end in ((10, 0, 90), (20, 10, 60), (30, 20, 100)):
            await window(rig, state, level, begin, end)
        for _ in range(11):
            await rig.advance(10)
        assert pump.told == [10.0, 20.0, 30.0, 80.0]

    @pytest.mark.parametrize("level", [0, 30])
    async def test_back_to_back(self, rig: Rig, level: float) -> None:
        """The baseline does not show between them; equal values need no call at all."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        first = await window(rig, state, 0, 10, 60)
        second = await window(rig, state, level, 60, 120)
        await rig.advance(59)
        await rig.advance(1)
        assert pump.told == ([0.0] if level == 0 else [0.0, 30.0])
        assert await phase(rig, first) is Phase.COMPLETED
        await rig.advance(60)
        assert pump.told[-1] == 80.0
        assert await phase(rig, second) is Phase.COMPLETED

    async def test_back_to_back_over_a_restart(self, rig: Rig) -> None:
        """The first ended and the second began while nobody was there."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        await window(rig, state, 0, 0, 60)
        await window(rig, state, 0, 60, 600)
        await rig.engine.close()
        rig.clock.advance(90)
        await rig.boot(start=False)
        await rig.attach(pump)
        rig.engine.start()
        await rig.settle()
        assert 80.0 not in pump.told
        await rig.advance(600)
        assert pump.told[-1] == 80.0

    async def test_the_second_of_two_that_the_store_does_not_take(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Law 2: restoring the first does not wait for the store for longer than a moment."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        await window(rig, state, 0, 10, 60)
        await window(rig, state, 0, 60, 120)
        await rig.advance(10)
        kept: list[Any] = []
        monkeypatch.setattr(
            rig.engine.journal, "record", lambda *unit: kept.append(unit)
        )
        await rig.advance(50)
        assert pump.told == [0.0]
        await rig.advance(1)
        assert pump.told == [0.0, 80.0]
        assert kept


class TestRamps:
    """A pause returns to the ramp's present level."""

    async def test_a_pause_of_a_mode(self, rig: Rig) -> None:
        """Law 4: it went on beneath."""
        pump = Pump(level=0)
        state = await rig.attach(pump)
        args = {"start_level": 0, "end_level": 100, "duration": 1000}
        await rig.engine.send(state, "ramp", args, SERVICE)
        await rig.advance(200)
        await claim(rig, state, 0, 0, 400, Layer.MODE)
        await rig.advance(399)
        assert pump.level == 0
        await rig.advance(1)
        assert abs(pump.level - 60) <= 1

    async def test_a_new_ramp_takes_over_without_a_gap(self, rig: Rig) -> None:
        """R-B107: the resting level does not show in between."""
        pump = Pump(level=0)
        state = await rig.attach(pump)
        args = {"start_level": 0, "end_level": 100, "duration": 1000}
        await rig.engine.send(state, "ramp", args, SERVICE)
        await rig.advance(500)
        told = len(pump.told)
        await rig.engine.send(state, "ramp", {"end_level": 0, "duration": 500}, SERVICE)
        await rig.settle()
        assert all(abs(level - 50) <= 1 for level in pump.told[told:])


class TestPointActions:
    """RES-29, RES-56."""

    async def test_one_that_fails_for_good_is_withdrawn_also_on_disk(
        self, rig: Rig
    ) -> None:
        """Although a window began meanwhile and wrote down what was to come."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        slow = pump.hanging = asyncio.Event()
        point = await rig.engine.send(state, "set_level", {"level": 20}, SERVICE)
        held = await window(rig, state, 0, 0, 60)
        pump.fail_next(DeviceError("service_failed", transient=False))
        pump.hanging = None
        slow.set()
        assert (await rig.done(point)).phase is Phase.FAILED
        await rig.settle()
        await rig.reboot(pump)
        await rig.advance(60)
        assert pump.level == 80
        assert await phase(rig, held) is Phase.COMPLETED


class TestClock:
    """R-X4, law 6."""

    async def test_a_window_in_force_stays_when_the_clock_is_set_back(
        self, rig: Rig
    ) -> None:
        """It is not given back, and does not begin again."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        command = await window(rig, state, 0, 0, 600)
        await rig.advance(60)
        rig.clock.jump(-3600)
        state.queue.touch()
        await rig.engine.send(state, "set_level", {"level": 70}, SERVICE)
        for _ in range(3):
            await rig.advance(30)
        assert pump.told == [0.0]
        rig.clock.jump(3600 + 500)
        await rig.advance(30)
        assert pump.told == [0.0, 70.0]
        assert await phase(rig, command) is Phase.COMPLETED

    async def test_a_step_forward_over_start_and_end_misses_the_window(
        self, rig: Rig
    ) -> None:
        """RES-30: once, and without a call."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        command = await window(rig, state, 0, 60, 120)
        rig.clock.jump(3600)
        await rig.advance(30)
        rig.clock.jump(-3600)
        await rig.advance(120)
        assert pump.told == []
        assert await phase(rig, command) is Phase.MISSED


class TestSlewAfterARestart:
    """R-B109: no jump over livestock."""

    async def test_the_move_goes_on_where_it_was(self, rig: Rig) -> None:
        """A point action was on its way when the engine ended."""
        pump = Pump(level=0)
        limits: dict[str, Any] = {"slew": {"level": Slew(per_second=2.0)}}
        state = await rig.attach(pump, **limits)
        await rig.done(
            await rig.engine.send(state, "set_level", {"level": 80}, SERVICE)
        )
        for _ in range(5):
            await rig.advance(1)
        await rig.reboot(pump, **limits)
        for _ in range(40):
            await rig.advance(1)
        steps = [b - a for a, b in zip(pump.told, pump.told[1:], strict=False)]
        assert max(steps) <= 2.0
        assert pump.level == 80

    async def test_a_lamp_that_cannot_tell_its_level_does_not_jump(
        self, rig: Rig
    ) -> None:
        """What it was last sent is on disk; the window over it ended meanwhile."""
        lamp = Mute(level=80)
        limits: dict[str, Any] = {"slew": {"level": Slew(per_second=2.0)}}
        state = await rig.attach(lamp, assumed={"level": {"level": 80.0}}, **limits)
        await window(rig, state, 0, 0, 600)
        for _ in range(45):
            await rig.advance(1)
        await rig.engine.close()
        rig.clock.advance(3600)
        again = Mute(level=0)
        await rig.boot(start=False)
        await rig.attach(again, **limits)
        rig.engine.start()
        for _ in range(60):
            await rig.advance(1)
        assert again.told[0] <= 2
        steps = [b - a for a, b in zip(again.told, again.told[1:], strict=False)]
        assert max(steps) <= 2.0
        assert again.told[-1] == 80


class Mute(Pump):
    """A lamp without read-back."""

    @override
    def observed(self, field: str) -> Setting | None:
        """Tell nothing."""
        return None
