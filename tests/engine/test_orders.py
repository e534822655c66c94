"""Orders: what a schedule asks of each of its devices, looked up when it is due (law 7)."""

from datetime import timedelta
from typing import Any

import pytest

from custom_components.aquarist.commands.phases import Kind, Phase
from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.engine.changes import CommandChanged
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.store.occurrences import Verdict
from tests.engine.memory_doser import MemoryDoser
from tests.engine.plans import create, daily, ramp, words
from tests.engine.rig import Pump, Rig, at

DOSE = {"head_index": 1, "volume_ml": 1.0}


async def test_a_device_that_is_gone_does_not_hold_the_others_back(rig: Rig) -> None:
    """Each device has a record of its own, which says what became of it (RES-38)."""
    pump, gone = Pump(level=80), Pump("Gone")
    await rig.attach(pump)
    await rig.attach(gone)
    planned = await create(rig, daily("12:30", "off", devices=(2, 1)))
    await rig.engine.equipment.detach(2)
    await rig.advance(1800)
    assert pump.told == [0.0]
    assert await words(rig) == [(Verdict.PARTLY, "device_not_loaded")]
    assert planned.row.last_run_status == "failed"
    first, second = await rig.engine.history.recent(None, 10)
    assert (first.device, first.phase) == (1, Phase.COMPLETED)
    assert (second.device, second.phase) == (2, Phase.FAILED)
    assert (second.error_code, second.error) == (
        "device_not_found",
        "device_not_loaded",
    )
    assert second.completed_at == at("12:30")
    told = [
        one.command.phase
        for one in rig.changes
        if isinstance(one, CommandChanged) and one.command.key == second.key
    ]
    assert told == [Phase.FAILED]
    await rig.reboot(pump)
    assert await words(rig) == [(Verdict.PARTLY, "device_not_loaded")]


async def test_an_aquarium_that_is_held_back_holds_only_its_own_devices_back(
    rig: Rig,
) -> None:
    """One plan for two tanks."""
    here, there = Pump("Here", level=80), Pump("There", level=80)
    await rig.attach(here, aquarium="here")
    await rig.attach(there, aquarium="there")
    await create(rig, daily("12:30", "ramp", ramp(0, 60), devices=(1, 2)))
    await rig.engine.planner.set_automation("there", False)
    await rig.advance(1800)
    await rig.advance(60)
    assert (here.level, there.level) == (0, 80)
    assert await words(rig) == [(Verdict.PARTLY, "automation_off")]
    held_back = (await rig.engine.history.recent(rig.engine.device(2), 1))[0]
    assert (held_back.kind, held_back.phase) == (Kind.RAMP, Phase.WITHDRAWN)
    assert held_back.error_code == "command_cancelled"


async def test_when_no_device_can_act_nothing_is_stored_but_the_verdict(
    rig: Rig,
) -> None:
    """The next moment is another one."""
    pump = Pump(level=80)
    await rig.attach(pump)
    await create(rig, daily("12:30", "off"))
    await rig.engine.equipment.detach(1)
    await rig.advance(1800)
    assert await words(rig) == [(Verdict.FAILED, "device_not_loaded")]
    assert await rig.engine.history.recent(None, 10) == []
    await rig.attach(pump)
    await rig.advance(timedelta(days=1).total_seconds())
    assert (await words(rig))[-1] == (Verdict.RAN, None)


async def test_a_device_that_cannot_do_it_any_more(rig: Rig) -> None:
    """A doser that lost a head, and one that is no pump any more."""
    await rig.attach(MemoryDoser())
    await rig.attach(Pump())
    await create(rig, daily("12:10", "dose", DOSE))
    await create(rig, daily("12:20", "off", devices=(2,)))
    for number in (1, 2):
        await rig.engine.equipment.detach(number)
    smaller, other = MemoryDoser(), MemoryDoser()
    smaller.heads = smaller.heads[:1]
    other.uuid = "uuid-Pump"
    await rig.attach(smaller)
    await rig.attach(other)
    await rig.advance(600)
    await rig.advance(600)
    assert await words(rig) == [
        (Verdict.FAILED, "out_of_range"),
        (Verdict.FAILED, "unknown_action"),
    ]


@pytest.mark.parametrize("number", [2, 99])
async def test_an_unknown_or_retired_device_is_refused(rig: Rig, number: int) -> None:
    """R-B66: the error names field and device, nothing is stored."""
    await rig.attach(Pump())
    await rig.attach(Pump("Retired"))
    await rig.engine.equipment.retire(2)
    with pytest.raises(EngineError) as refused:
        await create(rig, daily("12:30", "off", devices=(1, number)))
    assert (refused.value.code, refused.value.field) == (
        "device_not_found",
        "device_ids",
    )
    assert refused.value.placeholders["id"] == str(number)
    assert rig.engine.planner.schedules == ()


async def test_a_device_that_is_not_there_now_is_accepted(rig: Rig) -> None:
    """R-B66: it may come back."""
    await rig.attach(Pump())
    await rig.engine.equipment.detach(1)
    assert (await create(rig, daily("12:30", "off"))).row.id == 1


async def test_what_a_device_cannot_do_is_refused(rig: Rig) -> None:
    """Tried on the device that is there; a note is no argument."""
    await rig.attach(Pump())
    await rig.attach(MemoryDoser())
    with pytest.raises(EngineError) as refused:
        await create(rig, daily("12:30", "dose", DOSE))
    assert refused.value.code == "not_a_doser"
    assert refused.value.placeholders["field"] == "device_ids"
    with pytest.raises(InvalidValue) as invalid:
        await create(rig, daily("12:30", "off", devices=(2,)))
    assert invalid.value.code == "unknown_action"
    assert rig.engine.planner.schedules == ()
    await create(rig, daily("12:30", "off", {"description": "Night"}))


async def test_any_other_command_comes_again_and_again(rig: Rig) -> None:
    """RES-58, R-C30: what is not confirmed at its making is not stored."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    await create(rig, daily("12:30", "command", {"action": "request_status"}))
    await create(
        rig,
        daily("12:40", "command", {"action": "set_level", "args": {"level": 30}}),
    )
    await rig.advance(1800)
    await rig.advance(600)
    assert await words(rig) == [(Verdict.RAN, None)] * 2
    second, first = await rig.engine.history.recent(state, 10)
    assert (first.action, first.kind) == ("request_status", Kind.RAW)
    assert (second.action, second.args) == ("set_level", {"level": 30})
    assert first.schedule is not None
    assert pump.told == [30]

    await rig.engine.equipment.detach(1)
    await rig.advance(timedelta(days=1).total_seconds())
    assert (await words(rig))[-1] == (Verdict.FAILED, "device_not_loaded")


@pytest.mark.parametrize(
    ("params", "field", "code"),
    [
        ({"action": "dose"}, "action_params.action", "command_not_in_schedule"),
        ({"action": "ramp"}, "action_params.action", "command_not_in_schedule"),
        ({"action": "sing"}, "action_params.action", "unknown_action"),
        (
            {"action": "set_level"},
            "action_params.args.level",
            "missing_argument",
        ),
        (
            {"action": "set_level", "args": {"level": 101}},
            "action_params.args.level",
            "value_out_of_bounds",
        ),
        (
            {"action": "factory_reset"},
            "action_params.confirm",
            "confirmation_needed",
        ),
        (
            {"action": "factory_reset", "confirm": True},
            "action_params.action",
            "unknown_action",
        ),
    ],
)
async def test_a_command_that_would_never_do_is_refused(
    rig: Rig, params: dict[str, Any], field: str, code: str
) -> None:
    """Law 10: the error names the field inside of the parameters."""
    await rig.attach(Pump())
    with pytest.raises((EngineError, InvalidValue)) as refused:
        await create(rig, daily("12:30", "command", params))
    error = refused.value
    assert isinstance(error, EngineError | InvalidValue)
    assert (error.field, error.code) == (field, code)


async def test_a_command_of_a_device_that_is_away_is_checked_as_far_as_can_be(
    rig: Rig,
) -> None:
    """Its name and what it takes; and when it is due it has failed."""
    pump, gone = Pump(), Pump("Gone")
    await rig.attach(pump)
    await rig.attach(gone)
    await rig.engine.equipment.detach(2)
    params = {"action": "turn_off"}
    await create(rig, daily("12:30", "command", params, devices=(1, 2)))
    wrong = {"action": "turn_off", "args": {"level": 1}}
    with pytest.raises(InvalidValue):
        await create(rig, daily("12:30", "command", wrong, devices=(2,), name="x"))
    await rig.advance(1800)
    failed = (await rig.engine.history.recent(rig.engine.devices[2], 1))[0]
    assert (failed.action, failed.error) == ("turn_off", "device_not_loaded")
