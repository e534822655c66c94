"""What a dose through a switch gives when the switch misbehaves; flows are high."""

import asyncio

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.aquarist.devices import switch_dose, switch_off
from custom_components.aquarist.devices.device import Head
from custom_components.aquarist.devices.doser import Doser
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import InvalidValue

from .entities import FakeSwitch, add
from .listening import Recorder

# 1000 µL in 20 ms.
FLOW = 50_000


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again to switch off after 10 ms."""
    monkeypatch.setattr(switch_off, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(switch_off, "LONGEST_PAUSE", 0.02)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count what comes a little late as given."""
    monkeypatch.setattr(switch_dose, "QUICK", 0.02)


@pytest.fixture
def recorder() -> Recorder:
    """Return who hears the doser."""
    return Recorder()


@pytest.fixture
async def switch(hass: HomeAssistant) -> FakeSwitch:
    """Return a switch that is off."""
    entity = FakeSwitch("dosing")
    await add(hass, "switch", entity)
    return entity


def doser_of(
    hass: HomeAssistant, recorder: Recorder, *, automatic_off: float | None = None
) -> Doser:
    """Return a doser of one head that somebody hears."""
    doser = Doser(
        hass,
        uuid="u",
        name="Iron",
        entity="switch.dosing",
        head=Head(index=0, name="Iron", flow=FLOW, minimum=100, maximum=2_000_000),
        maximum_on=10.0,
        automatic_off=automatic_off,
        confirm_time=0.5,
    )
    doser.listen(recorder)
    return doser


async def until(switch: FakeSwitch, calls: int) -> None:
    """Wait until so many calls have arrived."""
    while len(switch.log) < calls:
        await asyncio.sleep(0)


@pytest.mark.usefixtures("slow")
async def test_off_that_is_slow_gives_more_than_was_asked(
    hass: HomeAssistant, switch: FakeSwitch, recorder: Recorder
) -> None:
    """The end tells so; it is told once."""
    dose = await doser_of(hass, recorder).prepare(0)
    await dose.send(1000)
    hanging = switch.hangs = asyncio.Event()
    await until(switch, 2)
    await asyncio.sleep(0.05)
    hanging.set()
    given = await dose.finished()
    assert given is not None
    assert given >= 3500
    await dose.release()
    assert recorder.runs == []


async def test_what_nobody_waits_for_any_more_is_told(
    hass: HomeAssistant, switch: FakeSwitch, recorder: Recorder
) -> None:
    """Off came too late for the engine: the excess is run by itself, the dose is booked."""
    dose = await doser_of(hass, recorder).prepare(0)
    await dose.send(1000)
    on = hass.states.get("switch.dosing")
    assert on is not None
    switch.fails = [HomeAssistantError("down")] * 5
    await until(switch, 2)
    await dose.release()
    given = await dose.ended_within(5)
    assert given is not None
    assert given > 1000
    assert recorder.runs == [(0, given - 1000, on.last_changed)]


async def test_end_that_nobody_took_is_told_at_the_release(
    hass: HomeAssistant, switch: FakeSwitch, recorder: Recorder
) -> None:
    """Once, however often it is released."""
    dose = await doser_of(hass, recorder).prepare(0)
    await dose.send(1000)
    switch.fails = [HomeAssistantError("down")] * 5
    given = await dose.ended_within(5)
    assert recorder.runs == []
    await dose.release()
    await dose.release()
    assert given is not None
    assert [run[1] for run in recorder.runs] == [given - 1000]


async def test_exact_dose_leaves_nothing_to_tell(
    hass: HomeAssistant, switch: FakeSwitch, recorder: Recorder
) -> None:
    """What was asked was given, whether or not somebody waits."""
    dose = await doser_of(hass, recorder).prepare(0)
    await dose.send(1000)
    await dose.release()
    assert await dose.ended_within(5) == 1000
    assert recorder.runs == []


async def test_switch_that_takes_effect_and_then_raises_doses(
    hass: HomeAssistant, switch: FakeSwitch, recorder: Recorder
) -> None:
    """It is seen to be on: that is all that a dose needs."""
    dose = await doser_of(hass, recorder).prepare(0)
    switch.fails_after = [HomeAssistantError("no answer from the bridge")]
    await dose.send(1000)
    assert await dose.finished() == 1000
    assert not switch.runs()


async def test_on_that_hangs_after_it_took_effect_is_timed_from_the_effect(
    hass: HomeAssistant, switch: FakeSwitch, recorder: Recorder
) -> None:
    """Whatever the call does."""
    doser = doser_of(hass, recorder)
    dose = await doser.prepare(0)
    switch.hangs = asyncio.Event()
    sending = asyncio.ensure_future(dose.send(5000))
    await until(switch, 1)
    switch.hangs = None
    switch.show(is_on=True)
    await sending
    assert await dose.finished() == 5000
    assert not switch.runs()


async def test_on_that_arrives_after_all_goes_off_at_once(
    hass: HomeAssistant,
    switch: FakeSwitch,
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A call that was given up is nobody's hand at the switch."""
    monkeypatch.setattr(switch_dose, "START_TIME", 0.01)
    doser = doser_of(hass, recorder)
    dose = await doser.prepare(0)
    switch.lies = True
    with pytest.raises(DeviceError, match="not_confirmed"):
        await dose.send(1000)
    assert await dose.finished() is None
    switch.lies = False
    switch.show(is_on=True)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not switch.runs()


async def test_start_that_fails_counts_until_it_is_seen_off(
    hass: HomeAssistant,
    switch: FakeSwitch,
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may have run all the time: what goes beyond the dose is told."""
    monkeypatch.setattr(switch_dose, "START_TIME", 0.05)
    dose = await doser_of(hass, recorder).prepare(0)
    switch.hangs = asyncio.Event()
    with pytest.raises(DeviceError, match="no_answer"):
        await dose.send(1000)
    await dose.release()
    switch.hangs.set()
    assert await dose.finished() is None
    ((head, volume, _),) = recorder.runs
    assert head == 0
    assert 1400 <= volume < 500_000


async def test_what_was_not_seen_counts_as_far_as_the_automatic_off_allows(
    hass: HomeAssistant, switch: FakeSwitch, recorder: Recorder
) -> None:
    """Gone in the middle of a dose, back off: it went off by itself at the latest."""
    dose = await doser_of(hass, recorder, automatic_off=0.1).prepare(0)
    await dose.send(1000)
    switch.show(available=False)
    await asyncio.sleep(0.2)
    switch.show(available=True, is_on=False)
    assert await dose.finished() == 5000


async def test_what_is_seen_on_again_was_on(
    hass: HomeAssistant, switch: FakeSwitch, recorder: Recorder
) -> None:
    """Then the automatic off did not do what was said of it."""
    dose = await doser_of(hass, recorder, automatic_off=0.1).prepare(0)
    await dose.send(1000)
    switch.show(available=False)
    await asyncio.sleep(0.2)
    switch.show(available=True)
    given = await dose.finished()
    assert given is not None
    assert given >= 10_000
    assert not switch.runs()


async def test_stop_while_it_starts(
    hass: HomeAssistant, switch: FakeSwitch, recorder: Recorder
) -> None:
    """The dose is not begun."""
    doser = doser_of(hass, recorder)
    dose = await doser.prepare(0)
    switch.hangs = asyncio.Event()
    sending = asyncio.ensure_future(dose.send(1000))
    await until(switch, 1)
    switch.hangs = None
    report = await doser.stop()
    assert (report.confirmed, report.given) == (True, None)
    with pytest.raises(DeviceError, match="stopping") as error:
        await sending
    assert not error.value.transient
    assert not switch.runs()


async def test_switch_that_shows_on_late_is_on_since_it_was_asked(
    hass: HomeAssistant,
    switch: FakeSwitch,
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A report that takes four seconds does not make a dose of eight seconds longer."""
    loop, jumped = asyncio.get_running_loop(), 0.0
    elapsed = loop.time
    monkeypatch.setattr(loop, "time", lambda: elapsed() + jumped)
    dose = await doser_of(hass, recorder).prepare(0)
    switch.lies = True
    asked = loop.time()
    sending = asyncio.ensure_future(dose.send(8 * FLOW))
    await until(switch, 1)
    for _ in range(20):
        await asyncio.sleep(0)
    jumped = 4.0
    switch.lies = False
    switch.show(is_on=True)
    await sending
    jumped = 8.0
    assert await dose.finished() == 8 * FLOW
    assert loop.time() - asked < 10, "it was on until twelve seconds after it was asked"


async def test_stop_may_come_twice(
    hass: HomeAssistant, switch: FakeSwitch, recorder: Recorder
) -> None:
    """Both report what was given."""
    doser = doser_of(hass, recorder)
    dose = await doser.prepare(0)
    await dose.send(500_000)
    hanging = switch.hangs = asyncio.Event()
    both = [asyncio.ensure_future(doser.stop()) for _ in range(2)]
    await until(switch, 2)
    hanging.set()
    first, second = await asyncio.gather(*both)
    assert first == second
    assert first.given == {0: await dose.finished()}


@pytest.mark.parametrize("seconds", [0, -1, 10.1])
async def test_run_has_a_longest_time(
    hass: HomeAssistant, switch: FakeSwitch, recorder: Recorder, seconds: float
) -> None:
    """Nothing is switched."""
    dose = await doser_of(hass, recorder).prepare(0)
    with pytest.raises(InvalidValue) as refusal:
        await dose.run(seconds)
    assert refusal.value.field == "seconds"
    assert switch.log == []
