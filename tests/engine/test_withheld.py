"""A window that safety does not let show: it waits, and was refused if it never did (RES-57)."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from custom_components.aquarist.api.write_action_records import write_action_record
from custom_components.aquarist.commands.command import Command, ErrorCode
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.engine.intake import Request
from custom_components.aquarist.engine.safety import Interlock, SensorGuard
from custom_components.aquarist.engine.start_and_stop import CATCH_UP
from custom_components.aquarist.engine.state import DeviceState
from custom_components.aquarist.layers.claims import Layer
from custom_components.aquarist.limits.guard import Guard
from custom_components.aquarist.limits.interlock import Requirement
from tests.engine.holding import claim, phases, window
from tests.engine.rig import SERVICE, Pump, Rig

RULE = Interlock(
    id="skimmer",
    name="Skimmer needs the return pump",
    device="uuid-Pump",
    source="return",
    requirement=Requirement(above=0),
)


async def forbidden(rig: Rig, **limits: Any) -> tuple[Pump, DeviceState]:
    """Attach a pump that an interlock holds off."""
    pump = Pump(level=80)
    state = await rig.attach(pump, **limits)
    rig.engine.safety.set_rules("tank", (RULE,))
    await seen(rig, 0)
    assert pump.level == 0
    return pump, state


async def seen(rig: Rig, value: float) -> None:
    """Let the return pump show a level."""
    rig.engine.safety.seen("return", value)
    await rig.settle()


def holder(rig: Rig, action: str = "interlock") -> Command:
    """Return the command by which safety holds the pump."""
    (found,) = [one for one in rig.engine.records.open if one.action == action]
    return found


async def test_it_is_not_called_set_while_an_interlock_holds_its_field(
    rig: Rig,
) -> None:
    """R-T11: it waits, and tells for what."""
    pump, state = await forbidden(rig)
    command = await window(rig, state, 50, 10, 60)
    await rig.advance(10)
    waiting = await rig.stored(command)
    assert (waiting.phase, pump.level) == (Phase.APPLYING, 0)
    record = write_action_record(waiting, "device")
    assert record["status"] == "PLANNED"
    assert record["details"] == {
        "withheld_by": {
            "limit": "interlock",
            "asked": "50",
            "allowed": "0",
            "shows": {"level": 0},
            "held_by": holder(rig).id,
            "rule": "skimmer",
            "name": "Skimmer needs the return pump",
            "reason": "not_proven",
        }
    }


async def test_it_is_set_as_soon_as_safety_lets_go(rig: Rig) -> None:
    """And comes back to what was before, with nothing left of the wait."""
    pump, state = await forbidden(rig)
    command = await window(rig, state, 50, 0, 60)
    await rig.advance(20)
    await seen(rig, 40)
    stored = await rig.stored(command)
    assert (stored.phase, pump.level) == (Phase.IN_FORCE, 50)
    assert "details" not in write_action_record(stored, "device")
    await rig.advance(40)
    assert (await rig.stored(command)).phase is Phase.COMPLETED
    assert pump.level == 80
    assert phases(rig, command) == [
        Phase.PLANNED,
        Phase.APPLYING,
        Phase.IN_FORCE,
        Phase.RESTORING,
        Phase.COMPLETED,
    ]


async def test_it_was_refused_when_its_time_is_over_before(rig: Rig) -> None:
    """FAILED `refused_by_safety`, with which limit and by how much; nothing was sent for it."""
    pump, state = await forbidden(rig)
    command = await window(rig, state, 50, 0, 60)
    held = holder(rig).id
    await rig.advance(60)
    failed = await rig.stored(command)
    assert (failed.phase, failed.error_code) == (Phase.FAILED, "safety_refused")
    assert failed.error == "refused_interlock"
    details = failed.error_details
    assert details is not None
    assert (details["limit"], details["asked"], details["allowed"]) == (
        "interlock",
        "50",
        "0",
    )
    assert (details["name"], details["held_by"]) == (RULE.name, held)
    assert 50.0 not in pump.told
    await seen(rig, 40)
    assert pump.level == 80
    assert Phase.RESTORING not in phases(rig, command)


async def test_one_that_was_set_before_stays_set(rig: Rig) -> None:
    """What covers it later does not undo that; it shows again, and is given back."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    rig.engine.safety.set_rules("tank", (RULE,))
    await seen(rig, 40)
    command = await window(rig, state, 50, 0, 60)
    await seen(rig, 0)
    assert pump.level == 0
    assert (await rig.stored(command)).phase is Phase.IN_FORCE
    await seen(rig, 40)
    assert pump.level == 50
    await seen(rig, 0)
    await rig.advance(60)
    assert (await rig.stored(command)).phase is Phase.COMPLETED
    await seen(rig, 40)
    assert pump.level == 80


async def test_one_whose_value_is_the_safe_one_is_set(rig: Rig) -> None:
    """R-T56: the device shows it; that something else holds it is told."""
    pump, state = await forbidden(rig)
    command = await window(rig, state, 0, 0, 60)
    stored = await rig.stored(command)
    assert stored.phase is Phase.IN_FORCE
    assert stored.result == {"shadowed_by": holder(rig).id}
    await rig.advance(60)
    assert (await rig.stored(command)).phase is Phase.COMPLETED
    assert pump.told == [0.0]


async def test_the_longest_time_on_tells_when_it_frees(rig: Rig) -> None:
    """By elapsed time: the clock may be set meanwhile."""
    pump = Pump(level=0)
    state = await rig.attach(pump, maximum_on={"level": 100.0})
    rig.engine.safety.set_rules("tank", ())
    await rig.done(await rig.engine.send(state, "set_level", {"level": 80}, SERVICE))
    await rig.advance(100)
    assert pump.level == 0
    command = await window(rig, state, 50, 30, 60)
    await rig.advance(30)
    frees_at = rig.clock.now() + timedelta(seconds=70)
    note = (await rig.stored(command)).result
    assert note is not None
    assert note["withheld_by"]["frees_at"] == frees_at.isoformat()
    await rig.advance(30)
    failed = await rig.stored(command)
    assert failed.error_code == ErrorCode.SAFETY_REFUSED
    assert failed.error == "refused_maximum_on_time"
    assert failed.error_details is not None
    assert failed.error_details["maximum_on_seconds"] == 100
    assert failed.error_details["frees_at"] == frees_at.isoformat()


async def test_an_emergency_stop_refuses(rig: Rig) -> None:
    """Until somebody lets go."""
    pump = Pump(level=80)
    state = await rig.attach(pump, safe={"level": {"level": 0.0}})
    await rig.engine.emergency.stop(None)
    command = await window(rig, state, 50, 0, 60)
    late = await window(rig, state, 60, 0, 3600)
    await rig.advance(60)
    assert (await rig.stored(command)).error == "refused_emergency_stop"
    rig.engine.emergency.release(None)
    await rig.settle()
    assert pump.level == 60
    assert (await rig.stored(late)).phase is Phase.IN_FORCE


async def test_a_sensor_that_is_not_trusted_refuses(rig: Rig) -> None:
    """The safe value of the keeper stands above the window."""
    pump = Pump(level=80)
    state = await rig.attach(pump, safe={"level": {"level": 20.0}})
    guard = SensorGuard(
        id="probe",
        name="Probe",
        source="probe",
        guard=Guard(maximum=30),
        devices=("uuid-Pump",),
    )
    rig.engine.safety.set_rules("tank", (guard,))
    rig.engine.safety.seen("probe", 31)
    await rig.settle()
    command = await window(rig, state, 50, 0, 60)
    await rig.advance(60)
    failed = await rig.stored(command)
    assert failed.error == "refused_sensor_doubt"
    assert failed.error_details is not None
    assert failed.error_details["allowed"] == "20"
    assert failed.error_details["reason"] == "sensor_out_of_range"


async def test_a_level_for_the_start_refuses_until_the_plan_takes_over(
    rig: Rig,
) -> None:
    """A window that is due in the first seconds is set after them."""
    await rig.engine.close()
    await rig.boot(start=False)
    pump = Pump(level=80)
    state = await rig.attach(pump, at_start={"level": {"level": 20.0}})
    rig.engine.start()
    await rig.settle()
    command = await window(rig, state, 50, 0, 60)
    note = (await rig.stored(command)).result
    assert note is not None
    assert (note["withheld_by"]["limit"], pump.level) == ("at_start", 20)
    await rig.advance(CATCH_UP)
    assert (await rig.stored(command)).phase is Phase.IN_FORCE
    assert pump.level == 50


async def test_another_limit_in_its_place_is_told_instead(rig: Rig) -> None:
    """The one that holds the field now."""
    pump, state = await forbidden(rig, safe={"level": {"level": 0.0}})
    command = await window(rig, state, 50, 0, 60)
    await rig.advance(1)
    await rig.engine.emergency.stop(None)
    await rig.settle()
    note = (await rig.stored(command)).result
    assert note is not None
    assert note["withheld_by"]["limit"] == "emergency_stop"
    await seen(rig, 40)
    assert pump.level == 0
    await rig.advance(60)
    assert (await rig.stored(command)).error == "refused_emergency_stop"


async def test_an_enforced_window_is_refused_like_any_other(rig: Rig) -> None:
    """A mode is not: its equipment is where safety wants it, and the mode goes on."""
    _, state = await forbidden(rig)
    enforced = await claim(rig, state, 40, 0, 60, Layer.ENFORCED)
    mode = await claim(rig, state, 50, 0, 60, Layer.MODE)
    assert (await rig.stored(enforced)).phase is Phase.APPLYING
    assert (await rig.stored(mode)).phase is Phase.IN_FORCE
    await rig.advance(60)
    assert (await rig.stored(enforced)).error == "refused_interlock"
    assert (await rig.stored(mode)).phase is Phase.COMPLETED


async def test_a_command_that_holds_its_level_is_refused(rig: Rig) -> None:
    """RES-57: a device action of a schedule that lasts, for instance."""
    pump, state = await forbidden(rig)
    request = Request(action="set_level", args={"level": 60}, origin=SERVICE, hold=30)
    command = await rig.engine.acceptance.send(state, request)
    await rig.settle()
    await rig.advance(30)
    failed = await rig.stored(command)
    assert (failed.phase, failed.error) == (Phase.FAILED, "refused_interlock")
    assert 60.0 not in pump.told


async def test_it_can_be_cancelled_while_it_waits(rig: Rig) -> None:
    """It has not begun for whoever asked."""
    pump, state = await forbidden(rig)
    command = await window(rig, state, 50, 0, 60)
    await rig.engine.cancel(command)
    await rig.settle()
    assert (await rig.stored(command)).phase is Phase.STOPPED
    await seen(rig, 40)
    assert pump.level == 80


@pytest.mark.parametrize("frees", [False, True])
async def test_a_restart_changes_nothing(rig: Rig, frees: bool) -> None:
    """It goes on waiting, and is neither tried nor counted meanwhile."""
    pump, state = await forbidden(rig)
    command = await window(rig, state, 50, 0, 600)
    (state,) = await rig.reboot(pump)
    rig.engine.safety.set_rules("tank", (RULE,))
    await rig.settle()
    waiting = await rig.stored(command)
    assert (waiting.phase, waiting.attempts, pump.level) == (Phase.APPLYING, 1, 0)
    if frees:
        await seen(rig, 40)
        stored = await rig.stored(command)
        assert (stored.phase, stored.attempts) == (Phase.IN_FORCE, 1)
        await rig.advance(600)
        assert (await rig.stored(command)).phase is Phase.COMPLETED
    else:
        await rig.advance(600)
        assert (await rig.stored(command)).error == "refused_interlock"
    await seen(rig, 40)
    assert pump.level == 80


async def test_one_whose_end_passes_while_nobody_is_there_was_refused(
    rig: Rig,
) -> None:
    """The last thing that is known of it is that safety held its field."""
    pump, state = await forbidden(rig)
    command = await window(rig, state, 50, 0, 60)
    await rig.engine.close()
    rig.clock.advance(120)
    await rig.boot(start=False)
    await rig.attach(pump)
    rig.engine.start()
    await rig.settle()
    failed = await rig.stored(command)
    assert (failed.phase, failed.error) == (Phase.FAILED, "refused_interlock")
    assert failed.error_details is not None
    assert failed.error_details["limit"] == "interlock"


async def test_safety_that_ends_with_the_window_has_refused_it(rig: Rig) -> None:
    """There was no moment in which it could have been set."""
    pump = Pump(level=0)
    state = await rig.attach(pump, maximum_on={"level": 60.0})
    await rig.done(await rig.engine.send(state, "set_level", {"level": 80}, SERVICE))
    await rig.advance(60)
    command = await window(rig, state, 50, 0, 60)
    pump.hanging = asyncio.Event()
    await rig.advance(60)
    pump.hanging.set()
    await rig.settle()
    assert (await rig.stored(command)).error == "refused_maximum_on_time"
    assert pump.level == 80


async def test_a_device_that_fails_after_safety_let_go_is_why(rig: Rig) -> None:
    """Then it is no limit that has refused it."""
    pump, state = await forbidden(rig)
    command = await window(rig, state, 50, 0, 60)
    pump.raise_after = [DeviceError("link_lost", transient=True)] * 50
    await seen(rig, 40)
    await rig.advance(60)
    assert (await rig.stored(command)).error == "link_lost"
    pump.raise_after.clear()
    await rig.advance(60)
    assert pump.level == 80


async def test_tries_of_the_safe_value_are_not_counted(rig: Rig) -> None:
    """The window was tried once, before safety came between."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    rig.engine.safety.set_rules("tank", (RULE,))
    await seen(rig, 40)
    pump.raise_after = [DeviceError("link_lost", transient=True)]
    command = await window(rig, state, 50, 0, 600)
    await seen(rig, 0)
    await rig.advance(60)
    stored = await rig.stored(command)
    assert (stored.phase, stored.attempts, pump.level) == (Phase.APPLYING, 1, 0)
    await seen(rig, 40)
    assert (await rig.stored(command)).phase is Phase.IN_FORCE
    assert pump.level == 50


async def test_a_fault_of_the_safe_value_is_not_its_own(rig: Rig) -> None:
    """A device that refuses to go safe does not end the windows that wait beneath."""
    pump, state = await forbidden(rig)
    command = await window(rig, state, 50, 0, 600)
    pump.fail_next(DeviceError("service_failed", transient=False))
    state.fields["level"].sent = None
    rig.engine.levels.touch(state, state.fields["level"])
    await rig.settle()
    assert (await rig.stored(command)).phase is Phase.APPLYING
    await rig.advance(60)
    stored = await rig.stored(command)
    assert (stored.phase, stored.attempts) == (Phase.APPLYING, 1)
    await seen(rig, 40)
    assert pump.level == 50


async def test_a_synchronous_write_is_refused_at_once(rig: Rig) -> None:
    """With the limit; it changes nothing that would show later."""
    pump, state = await forbidden(rig)
    ended = await rig.engine.write_now(state, "level", 50, SERVICE, 5.0)
    await rig.settle()
    assert (ended.phase, ended.error_code) == (Phase.FAILED, ErrorCode.SAFETY_REFUSED)
    assert ended.error == "refused_interlock"
    assert ended.error_details is not None
    assert ended.error_details["name"] == RULE.name
    await seen(rig, 40)
    assert pump.level == 80


async def test_a_switch_that_is_forbidden_tells_no_numbers(rig: Rig) -> None:
    """What is neither more nor less has nothing to be asked by how much."""
    _, state = await forbidden(rig)
    field = state.fields["level"]
    told = rig.engine.levels.withheld.held(field, {"level": True})
    assert told is not None
    assert "asked" not in told
    assert told["allowed"] == "0"
