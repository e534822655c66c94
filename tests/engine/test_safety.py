"""Interlocks and guarded sensors at the devices: one test for each reason to go safe (law 5)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from custom_components.aquarist.commands.command import Command
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.engine.changes import SafetyChanged
from custom_components.aquarist.engine.errors import SafetyRefusedError
from custom_components.aquarist.engine.safety import (
    HELD_FOR,
    RENEWED_BEFORE,
    SOURCE_WAIT,
    Interlock,
    Rule,
    SensorGuard,
)
from custom_components.aquarist.engine.state import DeviceState
from custom_components.aquarist.layers.setting import Scalar
from custom_components.aquarist.limits.guard import Guard
from custom_components.aquarist.limits.interlock import Requirement
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import SERVICE, Pump, Rig

SAFE = {"level": {"level": 20.0}}
SKIMMER = Interlock(
    id="skimmer",
    name="Skimmer needs the return pump",
    device="uuid-Skimmer",
    source="return",
    requirement=Requirement(above=0),
)
HEATER = SensorGuard(
    id="probe",
    name="Tank temperature",
    source="probe",
    other="second",
    guard=Guard(
        minimum=18,
        maximum=30,
        stale_after=600,
        fastest=1,
        disagreement=2,
        good_readings=2,
    ),
    devices=("uuid-Heater",),
)


async def skimmer(rig: Rig, *rules: Rule, shown: Scalar | None = 40) -> Pump:
    """Attach a running skimmer, and let its source show a value."""
    pump = Pump("Skimmer", level=80)
    await rig.attach(pump)
    rig.engine.safety.set_rules("tank", rules or (SKIMMER,))
    if shown is not None:
        rig.engine.safety.seen("return", shown)
    await rig.settle()
    return pump


async def heater(rig: Rig, **limits: Any) -> Pump:
    """Attach a running heater whose probe shows 25 degrees."""
    pump = Pump("Heater", level=80)
    await rig.attach(pump, **(limits or {"safe": SAFE}))
    rig.engine.safety.set_rules("tank", (HEATER,))
    rig.engine.safety.seen("second", 25)
    rig.engine.safety.seen("probe", 25)
    await rig.settle()
    return pump


def reasons(rig: Rig) -> list[str | None]:
    """Return what was announced of the rules, in order."""
    return [one.reason for one in rig.changes if isinstance(one, SafetyChanged)]


def holds(rig: Rig, action: str) -> list[Command]:
    """Return the commands by which rules hold something."""
    return [one for one in rig.engine.records.open if one.action == action]


async def test_a_skimmer_is_off_while_the_return_pump_is(rig: Rig) -> None:
    """And comes back to what should hold by then."""
    pump = await skimmer(rig)
    assert pump.level == 80
    rig.engine.safety.seen("return", 0)
    await rig.settle()
    assert pump.level == 0
    (held,) = holds(rig, "interlock")
    assert held.result == {
        "rule": "skimmer",
        "name": "Skimmer needs the return pump",
        "reason": "not_proven",
    }
    assert held.ends_at == rig.clock.now() + timedelta(seconds=HELD_FOR)
    rig.engine.safety.seen("return", 55)
    await rig.settle()
    assert pump.level == 80
    assert (await rig.stored(held)).phase is Phase.COMPLETED
    assert reasons(rig) == ["not_proven", None]


async def test_a_command_under_an_interlock_shows_after_it(rig: Rig) -> None:
    """It changes what the skimmer rests on, and nothing else."""
    pump = await skimmer(rig, shown=0)
    state = rig.engine.device("uuid-Skimmer")
    done = await rig.done(
        await rig.engine.send(state, "set_level", {"level": 60}, SERVICE)
    )
    assert pump.level == 0
    assert done.result is not None
    assert "shadowed_by" in done.result
    rig.engine.safety.seen("return", 1)
    await rig.settle()
    assert pump.level == 60


async def test_what_was_never_heard_of_has_a_little_time(rig: Rig) -> None:
    """Entities come late after a start: the skimmer is not switched off for that (R-X5)."""
    pump = await skimmer(rig, shown=None)
    await rig.advance(SOURCE_WAIT - 1)
    assert pump.level == 80
    await rig.advance(1)
    assert pump.level == 0
    rig.engine.safety.seen("return", 5)
    await rig.settle()
    assert pump.level == 80


async def test_what_was_off_before_a_restart_stays_off_until_the_source_tells(
    rig: Rig,
) -> None:
    """The little time is for what runs: a skimmer does not start for a minute meanwhile."""
    pump = await skimmer(rig, shown=0)
    await rig.reboot(pump)
    rig.engine.safety.set_rules("tank", (SKIMMER,))
    await rig.advance(SOURCE_WAIT - 1)
    assert pump.level == 0
    rig.engine.safety.seen("return", 40)
    await rig.settle()
    assert pump.level == 80
    assert 80.0 not in pump.told[:-1]


async def test_a_source_that_cannot_tell_proves_nothing(rig: Rig) -> None:
    """An unavailable return pump is not a running one."""
    pump = await skimmer(rig)
    await rig.advance(SOURCE_WAIT)
    rig.engine.safety.seen("return", None)
    await rig.settle()
    assert pump.level == 0


async def test_a_proof_with_reach_holds_for_that_long(rig: Rig) -> None:
    """By elapsed time, whatever the clock on the wall does."""
    rule = Interlock(
        id="skimmer",
        name="Skimmer",
        device="uuid-Skimmer",
        source="return",
        requirement=Requirement(above=0, reach=300),
    )
    pump = await skimmer(rig, rule)
    rig.engine.safety.seen("return", 0)
    await rig.advance(299)
    assert pump.level == 80
    await rig.advance(1)
    assert pump.level == 0


async def test_a_dose_needs_its_proof(rig: Rig) -> None:
    """Dose only if flow was proven within five minutes; the refusal names the rule."""
    doser = MemoryDoser()
    state: DeviceState = await rig.attach(doser)
    rule = Interlock(
        id="flow",
        name="Flow in the sump",
        device=doser.uuid,
        source="flow",
        requirement=Requirement(above=0, reach=300),
    )
    rig.engine.safety.set_rules("tank", (rule,))
    rig.engine.safety.seen("flow", 3)
    assert rig.engine.safety.refusal(state) is None
    rig.engine.safety.seen("flow", 0)
    await rig.advance(300)
    with pytest.raises(SafetyRefusedError) as refused:
        await rig.engine.send(state, "dose", {"head_index": 0, "volume_ml": 1}, SERVICE)
    refusal = refused.value.refusal
    assert refusal.limit == "interlock"
    assert refusal.details == {"name": "Flow in the sump", "reason": "not_proven"}
    assert doser.sent == []
    other = await rig.attach(Pump("Other"))
    assert rig.engine.safety.refusal(other) is None


@pytest.mark.parametrize(
    ("source", "value", "seconds", "reason"),
    [
        ("probe", 31, 300, "sensor_out_of_range"),
        ("probe", 26.5, 60, "sensor_too_fast"),
        ("probe", 27.5, 300, "sensors_disagree"),
        (None, None, 600, "sensor_stale"),
    ],
)
async def test_each_doubt_about_a_sensor_makes_its_devices_safe(
    rig: Rig, source: str | None, value: float | None, seconds: float, reason: str
) -> None:
    """To the value that the keeper calls safe, which need not be off."""
    pump = await heater(rig)
    await rig.advance(seconds)
    if source is not None:
        rig.engine.safety.seen(source, value)
        await rig.settle()
    assert pump.level == 20
    (held,) = holds(rig, "sensor_doubt")
    assert held.result is not None
    assert held.result["reason"] == reason
    assert reasons(rig) == [reason]


async def test_good_readings_bring_the_devices_back(rig: Rig) -> None:
    """Two in a row here; one is not enough."""
    pump = await heater(rig)
    rig.engine.safety.seen("probe", 31)
    await rig.advance(600)
    rig.engine.safety.seen("probe", 25)
    await rig.settle()
    assert pump.level == 20
    await rig.advance(60)
    rig.engine.safety.seen("probe", 25)
    await rig.settle()
    assert pump.level == 80


async def test_the_second_sensor_is_watched_too(rig: Rig) -> None:
    """It runs away while the first one says nothing new."""
    pump = await heater(rig)
    rig.engine.safety.seen("second", 28)
    await rig.settle()
    assert pump.level == 20
    assert reasons(rig) == ["sensors_disagree"]


async def test_what_was_read_before_is_no_new_reading(rig: Rig) -> None:
    """An aquarium that is loaded anew shows what its sensor said long ago."""
    pump = await heater(rig)
    await rig.advance(500)
    rig.engine.safety.seen("probe", 25, ago=500)
    await rig.advance(99)
    assert pump.level == 80
    await rig.advance(1)
    assert pump.level == 20
    assert reasons(rig) == ["sensor_stale"]
    for _ in range(3):
        rig.engine.safety.seen("probe", 25, ago=600)
    await rig.settle()
    assert pump.level == 20


async def test_a_reading_from_before_counts_from_when_it_was_made(rig: Rig) -> None:
    """The silence of a sensor goes on."""
    pump = Pump("Heater", level=80)
    await rig.attach(pump, safe=SAFE)
    rig.engine.safety.seen("probe", 25, ago=550)
    rig.engine.safety.set_rules("tank", (HEATER,))
    await rig.advance(50)
    assert pump.level == 20


async def test_without_a_safe_value_there_is_only_an_alarm(rig: Rig) -> None:
    """Nobody knows what is safe: nothing is changed, and that is told."""
    pump = await heater(rig, maximum_on={})
    rig.engine.safety.seen("probe", 40)
    await rig.settle()
    assert pump.level == 80
    told = [one for one in rig.changes if isinstance(one, SafetyChanged)][-1]
    assert told.reason == "sensor_out_of_range"
    assert told.unprotected == (rig.engine.device("uuid-Heater").row.number,)


async def test_a_hold_is_renewed_before_it_ends(rig: Rig) -> None:
    """As long as its reason lasts, without a moment between."""
    pump = await skimmer(rig, shown=0)
    (first,) = holds(rig, "interlock")
    told = len(pump.told)
    await rig.advance(HELD_FOR - RENEWED_BEFORE)
    (second,) = holds(rig, "interlock")
    assert second.id != first.id
    assert (await rig.stored(first)).error == "superseded"
    assert pump.level == 0
    assert len(pump.told) == told


async def test_a_clock_that_is_set_back_makes_no_gap(rig: Rig) -> None:
    """A hold ends by elapsed time, so that is what tells when it must be renewed (law 6)."""
    pump = await skimmer(rig, shown=0)
    rig.clock.jump(-8 * 60 * 60)
    for _ in range(4):
        await rig.advance(HELD_FOR / 2)
        assert pump.level == 0
    assert pump.told == [0]


async def test_a_hold_ends_by_itself_when_its_rule_is_gone(rig: Rig) -> None:
    """After a restart nobody brings the rule: the skimmer does not stay off for ever."""
    pump = await skimmer(rig, shown=0)
    await rig.reboot(pump)
    assert pump.level == 0
    await rig.advance(HELD_FOR)
    assert pump.level == 80


async def test_a_doubt_outlives_a_restart(rig: Rig) -> None:
    """It still takes as many good readings to end it."""
    pump = await heater(rig)
    rig.engine.safety.seen("probe", 31)
    await rig.settle()
    await rig.reboot(pump, safe=SAFE)
    rig.engine.safety.set_rules("tank", (HEATER,))
    rig.engine.safety.seen("probe", 25)
    await rig.settle()
    assert pump.level == 20
    rig.engine.safety.seen("probe", 25)
    await rig.settle()
    assert pump.level == 80


async def test_rules_that_are_taken_away_let_go(rig: Rig) -> None:
    """The skimmer runs again at once, and the alarm ends."""
    pump = await skimmer(rig, shown=0)
    rig.engine.safety.set_rules("tank", ())
    await rig.settle()
    assert pump.level == 80
    assert reasons(rig)[-1] is None
    assert rig.engine.safety.reason("skimmer") is None


async def test_each_rule_minds_its_own_devices(rig: Rig) -> None:
    """The skimmer goes off, the heater does not; a quiet rule goes without a word."""
    warm = Pump("Heater", level=60)
    await rig.attach(warm, safe=SAFE)
    pump = await skimmer(rig, HEATER, SKIMMER)
    rig.engine.safety.seen("probe", 25)
    rig.engine.safety.seen("return", 0)
    await rig.advance(300)
    assert (pump.level, warm.level) == (0, 60)
    assert rig.engine.safety.reason("skimmer") == "not_proven"
    rig.engine.safety.set_rules("tank", (SKIMMER,))
    assert reasons(rig) == ["not_proven"]


async def test_rules_that_stay_keep_what_is_known(rig: Rig) -> None:
    """Another list of rules does not make the skimmer flicker."""
    pump = await skimmer(rig, shown=0)
    told = len(pump.told)
    rig.engine.safety.set_rules("tank", (SKIMMER, HEATER))
    await rig.settle()
    assert len(pump.told) == told
    assert rig.engine.safety.reason("skimmer") == "not_proven"


async def test_another_safe_value_counts_at_once(rig: Rig) -> None:
    """The keeper changed it because of the alarm that is going on."""
    warm = await heater(rig)
    rig.engine.safety.seen("probe", 31)
    await rig.settle()
    assert warm.level == 20
    await rig.attach(warm, safe={"level": {"level": 5.0}})
    await rig.settle()
    assert warm.level == 5
    assert len(holds(rig, "sensor_doubt")) == 1
    for _ in range(3):
        rig.engine.safety.seen("probe", 25)
    await rig.settle()
    assert warm.level == 80


async def test_what_a_rule_does_not_protect_any_more_is_let_go(rig: Rig) -> None:
    """The keeper took it out of the list; the reason for the others lasts."""
    warm, other = await heater(rig), Pump("Other", level=70)
    await rig.attach(other, safe=SAFE)
    both = replace(HEATER, devices=("uuid-Heater", "uuid-Other"))
    rig.engine.safety.set_rules("tank", (both,))
    rig.engine.safety.seen("probe", 31)
    await rig.settle()
    assert (warm.level, other.level) == (20, 20)
    rig.engine.safety.set_rules("tank", (HEATER,))
    await rig.settle()
    assert (warm.level, other.level) == (20, 70)


async def test_a_changed_rule_is_judged_by_what_its_source_shows(rig: Rig) -> None:
    """The keeper asks for more than the pump does."""
    pump = await skimmer(rig, shown=40)
    rule = Interlock(
        id="skimmer",
        name="Skimmer",
        device="uuid-Skimmer",
        source="return",
        requirement=Requirement(above=50),
    )
    rig.engine.safety.set_rules("tank", (rule,))
    await rig.settle()
    assert pump.level == 0


async def test_a_device_that_comes_later_is_held_too(rig: Rig) -> None:
    """Rules may be there before their devices."""
    rig.engine.safety.set_rules("tank", (SKIMMER,))
    rig.engine.safety.seen("return", 0)
    pump = Pump("Skimmer", level=80)
    await rig.attach(pump)
    await rig.settle()
    assert pump.level == 0


async def test_before_the_start_nothing_is_judged(rig: Rig) -> None:
    """Claims of the last life hold; new ones wait for Home Assistant to be ready."""
    await rig.engine.close()
    await rig.boot(start=False)
    pump = Pump("Skimmer", level=80)
    await rig.attach(pump)
    rig.engine.safety.set_rules("tank", (SKIMMER,))
    rig.engine.safety.seen("return", 0)
    await rig.settle()
    assert pump.level == 80
    assert rig.engine.safety.reason("skimmer") is None
    rig.engine.start()
    await rig.settle()
    assert pump.level == 0


async def test_readings_that_are_no_numbers_do_not_trouble_a_guard(rig: Rig) -> None:
    """A text or a switch is no temperature."""
    pump = await heater(rig)
    rig.engine.safety.seen("probe", "warm")
    rig.engine.safety.seen("probe", True)
    await rig.settle()
    assert pump.level == 80
