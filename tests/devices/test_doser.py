"""A dosing pump made from a switch. Flows are high, so that doses last milliseconds."""

import asyncio
from collections.abc import AsyncIterator

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
import pytest

from custom_components.aquarist.devices import (
    doser as doser_module,
    switch_dose,
    switch_off,
)
from custom_components.aquarist.devices.device import DeviceKind, Head, StopReport
from custom_components.aquarist.devices.doser import Doser
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import InvalidValue

from .entities import FakeLight, FakeSwitch, add
from .listening import Recorder

# 1000 µL in 20 ms.
FLOW = 50_000


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again to switch off after 10 ms."""
    monkeypatch.setattr(switch_off, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(switch_off, "LONGEST_PAUSE", 0.02)


@pytest.fixture
async def switch(hass: HomeAssistant) -> FakeSwitch:
    """Return a switch that is off."""
    entity = FakeSwitch("dosing")
    await add(hass, "switch", entity)
    return entity


@pytest.fixture
def recorder() -> Recorder:
    """Return who hears the doser."""
    return Recorder()


@pytest.fixture
async def doser(
    hass: HomeAssistant, switch: FakeSwitch, recorder: Recorder
) -> AsyncIterator[Doser]:
    """Return a doser of one head."""
    device = Doser(
        hass,
        uuid="u",
        name="Iron",
        entity="switch.dosing",
        head=Head(index=0, name="Iron", flow=FLOW, minimum=100, maximum=2_000_000),
        maximum_on=10.0,
        confirm_time=0.05,
    )
    device.listen(recorder)
    yield device
    await device.close()


async def test_dose_switches_on_and_off(doser: Doser, switch: FakeSwitch) -> None:
    """What was asked was given."""
    dose = await doser.prepare(0)
    assert dose.lifetime is None
    running = [dose.running]
    await dose.send(1000)
    running.append(dose.running)
    assert switch.runs()
    assert await dose.finished() == 1000
    running.append(dose.running)
    assert running == [False, True, False]
    assert not switch.runs()
    assert switch.log == [{"on": True}, {"on": False}]
    await dose.release()


async def test_time_on_is_volume_by_flow(doser: Doser, switch: FakeSwitch) -> None:
    """50 mL a second, 5 mL take a tenth of a second."""
    loop = asyncio.get_running_loop()
    dose = await doser.prepare(0)
    began = loop.time()
    await dose.send(5000)
    await dose.finished()
    assert loop.time() - began >= 0.095


async def test_doser_has_a_field_that_layers_own(
    doser: Doser, switch: FakeSwitch
) -> None:
    """Whether it may dose is remembered, and never sent."""
    assert doser.kind is DeviceKind.DOSER
    assert doser.fields["dosing_allowed_0"].virtual
    assert doser.observed("dosing_allowed_0") == {"dosing_allowed_0": True}
    await doser.apply({"dosing_allowed_0": {"dosing_allowed_0": False}})
    assert doser.observed("dosing_allowed_0") == {"dosing_allowed_0": False}
    assert switch.log == []
    with pytest.raises(DeviceError, match="unsupported"):
        await doser.apply({"level": {"level": 100.0}})
    switch.show(is_on=True)
    assert doser.observed("dosing_allowed_0") == {"dosing_allowed_0": False}


@pytest.mark.parametrize("volume", [0, 99, 150, 600_000, 2_000_100])
async def test_dose_that_the_head_cannot_give_is_refused(
    doser: Doser, switch: FakeSwitch, volume: int
) -> None:
    """Too small, too fine, too long, too much: nothing is switched."""
    dose = await doser.prepare(0)
    with pytest.raises(InvalidValue) as refusal:
        await dose.send(volume)
    assert refusal.value.field == "volume"
    assert refusal.value.code == "value_out_of_bounds"
    assert switch.log == []


@pytest.mark.parametrize("head", [1, -1, True])
async def test_head_that_it_has_not_is_refused(doser: Doser, head: int) -> None:
    """Heads are 0 to heads - 1 (RES-60)."""
    with pytest.raises(InvalidValue) as refusal:
        await doser.prepare(head)
    assert refusal.value.field == "head_index"


async def test_dose_is_sent_once(doser: Doser) -> None:
    """And finished only after it was sent."""
    dose = await doser.prepare(0)
    with pytest.raises(RuntimeError):
        await dose.finished()
    await dose.send(1000)
    with pytest.raises(RuntimeError):
        await dose.send(1000)
    assert await dose.finished() == 1000


async def test_switch_that_is_on_is_not_dosed_with(
    doser: Doser, switch: FakeSwitch
) -> None:
    """How much it gives nobody knows."""
    switch.show(is_on=True)
    with pytest.raises(DeviceError, match="already_running"):
        await doser.prepare(0)


async def test_second_dose_waits_for_the_first(doser: Doser) -> None:
    """One head gives one dose at a time."""
    dose = await doser.prepare(0)
    await dose.send(1000)
    with pytest.raises(DeviceError, match="already_running"):
        await doser.prepare(0)
    await dose.finished()
    assert await doser.prepare(0)


async def test_missing_switch_is_an_error(doser: Doser, switch: FakeSwitch) -> None:
    """Nothing can be prepared."""
    switch.show(available=False)
    with pytest.raises(DeviceError, match="entity_unavailable"):
        await doser.prepare(0)


async def test_switch_that_fails_to_go_on_is_switched_off(
    doser: Doser, switch: FakeSwitch
) -> None:
    """It may have gone on all the same; the error is final and nothing is known."""
    switch.fails = [HomeAssistantError("down")]
    dose = await doser.prepare(0)
    with pytest.raises(DeviceError) as error:
        await dose.send(1000)
    assert (error.value.code, error.value.transient) == ("service_failed", False)
    assert await dose.finished() is None
    assert switch.log == [{"on": True}, {"on": False}]


async def test_switch_that_hangs_when_it_goes_on_is_switched_off(
    doser: Doser, switch: FakeSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be on while nobody answers."""
    monkeypatch.setattr(switch_dose, "START_TIME", 0.02)
    switch.hangs = asyncio.Event()
    dose = await doser.prepare(0)
    sending = asyncio.ensure_future(dose.send(1000))
    while not switch.log:
        await asyncio.sleep(0)
    hanging, switch.hangs = switch.hangs, None
    with pytest.raises(DeviceError) as error:
        await sending
    assert (error.value.code, error.value.transient) == ("no_answer", False)
    assert await dose.finished() is None
    assert switch.log[-1] == {"on": False}
    hanging.set()


async def test_switch_that_hangs_when_it_goes_off_is_tried_again(
    doser: Doser, switch: FakeSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a stop nor the dose waits for it without end."""
    monkeypatch.setattr(switch_off, "OFF_TIME", 0.02)
    monkeypatch.setattr(doser_module, "STOP_TIME", 0.02)
    dose = await doser.prepare(0)
    await dose.send(1000)
    hanging = switch.hangs = asyncio.Event()
    assert await doser.stop() == StopReport(confirmed=False, detail="no_answer")
    switch.hangs = None
    given = await dose.finished()
    assert given is not None
    assert given > 1000
    assert not switch.runs()
    hanging.set()


async def test_switch_that_never_shows_on_is_switched_off(
    doser: Doser, switch: FakeSwitch
) -> None:
    """The wait for on is no longer than the dose."""
    switch.lies = True
    dose = await doser.prepare(0)
    with pytest.raises(DeviceError, match="not_confirmed"):
        await dose.send(1000)
    assert await dose.finished() is None
    assert switch.log[-1] == {"on": False}


async def test_off_is_tried_until_it_is_seen(doser: Doser, switch: FakeSwitch) -> None:
    """What was given is known from the time that it ran."""
    dose = await doser.prepare(0)
    await dose.send(1000)
    switch.fails = [HomeAssistantError("down"), HomeAssistantError("down")]
    given = await dose.finished()
    assert not switch.runs()
    assert [call["on"] for call in switch.log] == [True, False, False, False]
    assert given is not None
    assert given > 1000


async def test_caller_that_gives_up_does_not_leave_it_on(
    doser: Doser, switch: FakeSwitch
) -> None:
    """The way back to off is secured before it goes on."""
    switch.hangs = asyncio.Event()
    dose = await doser.prepare(0)
    sending = asyncio.ensure_future(dose.send(1000))
    while not switch.log:
        await asyncio.sleep(0)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    switch.hangs.set()
    assert await dose.finished() == 1000
    assert not switch.runs()


async def test_stop_ends_the_dose(doser: Doser, switch: FakeSwitch) -> None:
    """It tells what was given by then."""
    dose = await doser.prepare(0)
    await dose.send(500_000)
    report = await doser.stop()
    assert report.confirmed
    assert report.given is not None
    assert 0 <= report.given[0] < 100_000
    assert await dose.finished() == report.given[0]
    assert not switch.runs()


async def test_stop_without_a_dose(doser: Doser, switch: FakeSwitch) -> None:
    """It is switched off all the same."""
    assert await doser.stop() == StopReport(confirmed=True, detail="stopped")
    assert switch.log == [{"on": False}]


async def test_stop_that_is_not_confirmed_goes_on(
    doser: Doser, switch: FakeSwitch
) -> None:
    """It says so at once, and off is tried until it is seen: the dose does not go on."""
    dose = await doser.prepare(0)
    await dose.send(500_000)
    switch.fails = [HomeAssistantError("down")]
    assert await doser.stop() == StopReport(confirmed=False, detail="service_failed")
    given = await dose.finished()
    assert given is not None
    assert 0 < given < 100_000
    assert not switch.runs()


async def test_hand_at_the_switch_ends_the_dose(
    doser: Doser, switch: FakeSwitch
) -> None:
    """Switched off early it gave less."""
    dose = await doser.prepare(0)
    await dose.send(500_000)
    switch.show(is_on=False)
    given = await dose.finished()
    assert given is not None
    assert given < 100_000


async def test_end_of_a_dose_is_not_waited_for_without_end(doser: Doser) -> None:
    """A switch that hangs is not known to be off."""
    dose = await doser.prepare(0)
    await dose.send(50_000)
    assert await dose.ended_within(0.01) is None
    assert await dose.finished() == 50_000


async def test_dose_that_is_given_up_while_it_starts(
    doser: Doser, switch: FakeSwitch
) -> None:
    """Whoever waits for the start is not left waiting."""
    switch.hangs = asyncio.Event()
    dose = await doser.prepare(0)
    sending = asyncio.ensure_future(dose.send(1000))
    while not switch.log:
        await asyncio.sleep(0)
    await dose.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    switch.hangs.set()


async def test_closing_switches_off(doser: Doser, switch: FakeSwitch) -> None:
    """A device that is taken away leaves nothing running."""
    dose = await doser.prepare(0)
    await dose.send(500_000)
    await doser.close()
    assert not switch.runs()
    assert not dose.running


async def test_closing_without_a_dose_calls_nothing(
    doser: Doser, switch: FakeSwitch
) -> None:
    """A prepared dose holds nothing."""
    dose = await doser.prepare(0)
    await dose.cancel()
    await doser.close()
    assert switch.log == []


async def test_closing_gives_up_on_a_switch_that_is_gone(
    doser: Doser, switch: FakeSwitch
) -> None:
    """Nobody waits for it for ever."""
    dose = await doser.prepare(0)
    await dose.send(1000)
    switch.show(available=False)
    await doser.close()
    assert not dose.running


async def test_only_switches_dose(hass: HomeAssistant) -> None:
    """A lamp has no flow."""
    await add(hass, "light", FakeLight("lamp"))
    with pytest.raises(DeviceError, match="unsupported"):
        Doser(
            hass,
            uuid="u",
            name="x",
            entity="light.lamp",
            head=Head(index=0, name="x", flow=1, minimum=1, maximum=1),
        )


async def test_hand_that_switched_on_is_waited_for(
    doser: Doser, switch: FakeSwitch
) -> None:
    """It may be on for its longest time; then doses go on."""
    may_run = []
    for is_on in (True, False):
        switch.show(is_on=is_on)
        may_run.append(doser.may_run)
        if is_on:
            with pytest.raises(DeviceError, match="already_running"):
                await doser.prepare(0)
    assert may_run == [True, False]
    assert await doser.prepare(0)


async def test_flow_follows_the_newest_calibration(
    doser: Doser, switch: FakeSwitch
) -> None:
    """What can be given in the longest time follows too, never above what the keeper allows."""
    assert doser.heads[0].maximum == 500_000
    doser.set_flow(12.34)
    assert (doser.heads[0].flow, doser.heads[0].maximum) == (12.34, 100)
    doser.set_flow(1_000_000)
    assert doser.heads[0].maximum == 2_000_000
    dose = await doser.prepare(0)
    await dose.send(20_000)
    assert await dose.finished() == 20_000
    for wrong in (0, -1):
        with pytest.raises(ValueError, match="flow"):
            doser.set_flow(wrong)


async def test_longest_run_is_within_the_automatic_off(hass: HomeAssistant) -> None:
    """A dose that the switch itself cuts off is none."""
    dosers = [
        Doser(
            hass,
            uuid="u",
            name="x",
            entity="switch.dosing",
            head=Head(index=0, name="x", flow=1000, minimum=100, maximum=900_000),
            maximum_on=300.0,
            automatic_off=automatic_off,
        )
        for automatic_off in (None, 60.0, 900.0)
    ]
    assert [
        (one.has_automatic_off, one.longest_run, one.heads[0].maximum) for one in dosers
    ] == [(False, 300.0, 300_000), (True, 60.0, 60_000), (True, 300.0, 300_000)]


@pytest.mark.parametrize("action", ["prime_head", "calibrate_head"])
async def test_pump_runs_for_so_many_seconds(
    doser: Doser, switch: FakeSwitch, recorder: Recorder, action: str
) -> None:
    """It returns once the pump runs; all that was given is told, and it goes off by itself."""
    args = {"head_index": 0, "seconds": 0.1}
    assert await doser.perform(action, args) == args
    assert switch.runs()
    while doser.may_run:
        await asyncio.sleep(0.01)
    assert not switch.runs()
    assert [run[:2] for run in recorder.runs] == [(0, 5000)]


async def test_run_that_is_forbidden_switches_nothing(
    doser: Doser, switch: FakeSwitch
) -> None:
    """The last word is heard right before the switch goes on; another run may follow."""

    def no() -> None:
        raise PermissionError

    args = {"head_index": 0, "seconds": 0.1}
    with pytest.raises(PermissionError):
        await doser.run("prime_head", args, no)
    assert (switch.log, doser.may_run) == ([], False)
    assert await doser.run("prime_head", args, lambda: None) == args
    while doser.may_run:
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("args", "field", "code"),
    [
        ({}, "head_index", "missing_argument"),
        ({"head_index": 0}, "seconds", "missing_argument"),
        ({"head_index": 1, "seconds": 1}, "head_index", "value_out_of_bounds"),
        ({"head_index": 0, "seconds": 11}, "seconds", "value_out_of_bounds"),
        ({"head_index": 0, "seconds": 0}, "seconds", "value_out_of_bounds"),
        ({"head_index": 0, "seconds": "1"}, "seconds", "wrong_type"),
        ({"head_index": 0, "seconds": 1, "volume": 1}, "volume", "unknown_argument"),
    ],
)
async def test_run_with_wrong_arguments_is_refused(
    doser: Doser, switch: FakeSwitch, args: dict[str, object], field: str, code: str
) -> None:
    """Nothing is switched (law 10)."""
    for action in ("prime_head", "calibrate_head"):
        with pytest.raises(InvalidValue) as refusal:
            doser.check_action(action, args)
        assert (refusal.value.field, refusal.value.code) == (field, code)
        with pytest.raises(InvalidValue):
            await doser.perform(action, args)
    assert switch.log == []


async def test_status_tells_whether_it_can_be_reached(
    hass: HomeAssistant, doser: Doser
) -> None:
    """As of every device made from entities."""
    assert await async_setup_component(hass, "homeassistant", {})
    doser.check_action("request_status", {})
    status = await doser.perform("request_status", {})
    assert status == {
        "available": True,
        "fields": {"dosing_allowed_0": None},
    }
