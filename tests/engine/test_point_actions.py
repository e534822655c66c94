"""Point actions: accepted on disk, executed in order, and honest about their end."""

import asyncio

import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.engine.changes import CommandChanged
from custom_components.aquarist.engine.errors import EngineError
from tests.engine.rig import SERVICE, Pump, Rig


async def test_a_level_reaches_the_device_and_the_record_says_so(rig: Rig) -> None:
    """The command runs at once, ends COMPLETED, and is on disk so."""
    pump = Pump()
    state = await rig.attach(pump)
    command = await rig.engine.send(state, "set_level", {"level": 40}, SERVICE)
    ended = await rig.done(command)
    assert ended.phase is Phase.COMPLETED
    assert pump.told == [40.0]
    assert (await rig.stored(command)).phase is Phase.COMPLETED


async def test_phases_are_announced_in_order_once_each(rig: Rig) -> None:
    """Listeners hear pending, running and the end, each once (R-C58)."""
    state = await rig.attach(Pump())
    command = await rig.engine.send(state, "turn_off", {}, SERVICE)
    await rig.done(command)
    phases = [
        change.command.phase
        for change in rig.changes
        if isinstance(change, CommandChanged)
    ]
    assert phases == [Phase.PLANNED, Phase.APPLYING, Phase.COMPLETED]


async def test_the_same_id_runs_once_even_in_parallel(rig: Rig) -> None:
    """Two requests with one id are one command (R-C50, RES-44)."""
    pump = Pump()
    state = await rig.attach(pump)
    first, second = await asyncio.gather(
        rig.engine.send(state, "set_level", {"level": 30}, SERVICE, id="one"),
        rig.engine.send(state, "set_level", {"level": 30}, SERVICE, id="one"),
    )
    await rig.done(first)
    await rig.done(second)
    assert first.order == second.order
    assert pump.told == [30.0]


async def test_the_same_id_for_something_else_is_refused(rig: Rig) -> None:
    """The stored command stays as it is (RES-44)."""
    pump = Pump()
    state = await rig.attach(pump)
    await rig.done(
        await rig.engine.send(state, "set_level", {"level": 30}, SERVICE, id="one")
    )
    with pytest.raises(EngineError) as refused:
        await rig.engine.send(state, "set_level", {"level": 31}, SERVICE, id="one")
    assert refused.value.code == "id_conflict"
    assert pump.told == [30.0]


async def test_commands_run_first_in_first_out(rig: Rig) -> None:
    """The last one accepted is the one that stays."""
    pump = Pump()
    state = await rig.attach(pump)
    commands = await asyncio.gather(
        *(
            rig.engine.send(state, "set_level", {"level": level}, SERVICE)
            for level in (10, 20, 30, 40)
        )
    )
    for command in commands:
        assert (await rig.done(command)).phase is Phase.COMPLETED
    assert pump.told == [10.0, 20.0, 30.0, 40.0]


async def test_a_final_fault_fails_the_command_and_withdraws_its_value(
    rig: Rig,
) -> None:
    """What could not be set is not what the field rests on (law 4)."""
    pump = Pump()
    state = await rig.attach(pump)
    await rig.done(await rig.engine.send(state, "set_level", {"level": 50}, SERVICE))
    pump.fail_next(DeviceError("service_failed", transient=False))
    ended = await rig.done(
        await rig.engine.send(state, "set_level", {"level": 70}, SERVICE)
    )
    assert ended.phase is Phase.FAILED
    assert ended.error == "service_failed"
    assert state.fields["level"].resting == {"level": 50}


async def test_one_that_fails_on_a_field_that_nobody_knows_leaves_it_unknown(
    rig: Rig,
) -> None:
    """There is nothing to bring back."""
    pump = Pump(level=80)
    pump._known.clear()
    state = await rig.attach(pump)
    pump.fail_next(DeviceError("service_failed", transient=False))
    ended = await rig.done(
        await rig.engine.send(state, "set_level", {"level": 20}, SERVICE)
    )
    assert ended.phase is Phase.FAILED
    await rig.advance(60)
    assert state.fields["level"].resting is None
    assert pump.told == [20.0]


@pytest.mark.parametrize(
    ("action", "args", "field"),
    [
        ("set_level", {"level": 101}, "level"),
        ("set_level", {"level": "much"}, "level"),
        ("set_level", {}, "level"),
        ("fly", {}, "action"),
        ("ramp", {"end_level": 10}, "duration"),
        ("ramp", {"end_level": 200, "duration": 60}, "end_level"),
        ("ramp", {"end_level": 20, "duration": 60, "curve": "wild"}, "curve"),
        ("turn_off", {"duration": 0}, "duration"),
        ("dose", {"head_index": 0, "volume_ml": 1}, "device_id"),
    ],
)
async def test_bad_input_names_the_field_and_stores_nothing(
    rig: Rig, action: str, args: dict[str, object], field: str
) -> None:
    """Law 10."""
    pump = Pump()
    state = await rig.attach(pump)
    with pytest.raises((EngineError, InvalidValue)) as refused:
        await rig.engine.send(state, action, args, SERVICE)
    assert isinstance(refused.value, EngineError | InvalidValue)
    assert refused.value.field == field
    assert pump.told == []
    assert await rig.engine.history.recent(None, 10) == []
