"""A dosing switch is never on for longer than it may, whoever switched it on (law 5)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.aquarist.devices import switch_off, switch_watch
from custom_components.aquarist.devices.device import Head
from custom_components.aquarist.devices.doser import Doser

from .entities import FakeSwitch, add
from .listening import Recorder

# 1000 µL in 20 ms.
FLOW = 50_000
AT = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again to switch off after 10 ms."""
    monkeypatch.setattr(switch_off, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(switch_off, "LONGEST_PAUSE", 0.02)


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


@pytest.fixture
async def dosers() -> AsyncIterator[list[Doser]]:
    """Collect the dosers of a test, and close them at its end."""
    made: list[Doser] = []
    yield made
    for doser in made:
        await doser.close()


def doser_of(
    hass: HomeAssistant,
    dosers: list[Doser],
    *,
    maximum_on: float = 0.1,
    automatic_off: float | None = None,
) -> Doser:
    """Return a doser that nobody hears yet."""
    doser = Doser(
        hass,
        uuid="u",
        name="Iron",
        entity="switch.dosing",
        head=Head(index=0, name="Iron", flow=FLOW, minimum=100, maximum=2_000_000),
        maximum_on=maximum_on,
        automatic_off=automatic_off,
        confirm_time=0.05,
    )
    dosers.append(doser)
    return doser


async def off(doser: Doser, switch: FakeSwitch) -> None:
    """Wait until it is off."""
    while doser.may_run or switch.runs():
        await asyncio.sleep(0.005)


async def test_on_by_hand_goes_off_at_the_longest_time(
    hass: HomeAssistant, switch: FakeSwitch, recorder: Recorder, dosers: list[Doser]
) -> None:
    """What it gave by then is told, with the moment at which it went on."""
    doser = doser_of(hass, dosers)
    doser.listen(recorder)
    loop = asyncio.get_running_loop()
    began = loop.time()
    switch.show(is_on=True)
    on = hass.states.get("switch.dosing")
    assert on is not None
    await off(doser, switch)
    lasted = loop.time() - began
    assert lasted >= 0.09
    ((head, volume, at),) = recorder.runs
    assert (head, at) == (0, on.last_changed)
    assert 4500 <= volume <= lasted * FLOW


async def test_on_and_off_by_hand_is_told(
    hass: HomeAssistant, switch: FakeSwitch, recorder: Recorder, dosers: list[Doser]
) -> None:
    """Each time anew; a moment that gives nothing is nothing to tell."""
    doser = doser_of(hass, dosers, maximum_on=10)
    doser.listen(recorder)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for _ in range(2):
        switch.show(is_on=True)
        await asyncio.sleep(0.02)
        switch.show(is_on=False)
    most = (loop.time() - began) * FLOW
    doser.set_flow(0.001)
    switch.show(is_on=True)
    switch.show(is_on=False)
    assert len(recorder.runs) == 2
    assert all(900 <= run[1] <= most for run in recorder.runs)
    assert switch.log == []


async def test_off_is_tried_until_it_is_seen(
    hass: HomeAssistant, switch: FakeSwitch, recorder: Recorder, dosers: list[Doser]
) -> None:
    """Over errors, and while it is away."""
    doser = doser_of(hass, dosers)
    doser.listen(recorder)
    switch.fails = [HomeAssistantError("down")] * 2
    switch.show(is_on=True)
    while len(switch.log) < 2:
        await asyncio.sleep(0)
    switch.show(available=False)
    await asyncio.sleep(0.05)
    assert len(switch.log) == 2
    switch.show(available=True)
    await off(doser, switch)
    ((_, volume, _),) = recorder.runs
    assert volume >= 7500


async def test_switch_that_is_on_at_the_start_goes_off_first(
    hass: HomeAssistant,
    switch: FakeSwitch,
    recorder: Recorder,
    dosers: list[Doser],
    freezer: FrozenDateTimeFactory,
) -> None:
    """What it gave is counted from when Home Assistant saw it on."""
    freezer.move_to(AT)
    switch.show(is_on=True)
    freezer.move_to(AT + timedelta(seconds=20))
    doser = doser_of(hass, dosers, maximum_on=60)
    assert switch.log == []
    doser.listen(recorder)
    await off(doser, switch)
    assert switch.log == [{"on": False}]
    ((_, volume, at),) = recorder.runs
    assert at == AT
    assert 20 * FLOW <= volume <= 21 * FLOW


async def test_nothing_is_switched_before_anybody_listens(
    hass: HomeAssistant, switch: FakeSwitch, recorder: Recorder, dosers: list[Doser]
) -> None:
    """What was given could not be told."""
    doser = doser_of(hass, dosers, maximum_on=60)
    switch.show(is_on=True)
    await hass.async_block_till_done()
    assert switch.log == []
    doser.listen(recorder)
    await off(doser, switch)
    assert len(recorder.runs) == 1


async def test_clock_that_was_set_counts_a_day_at_most(
    hass: HomeAssistant,
    switch: FakeSwitch,
    recorder: Recorder,
    dosers: list[Doser],
    freezer: FrozenDateTimeFactory,
) -> None:
    """No budget looks back any further."""
    freezer.move_to(datetime(2000, 1, 1, tzinfo=UTC))
    switch.show(is_on=True)
    freezer.move_to(AT)
    doser = doser_of(hass, dosers)
    doser.listen(recorder)
    await off(doser, switch)
    assert recorder.runs[0][1] == 24 * 3600 * FLOW


async def test_switch_that_is_loaded_late_and_on_goes_off_first(
    hass: HomeAssistant, recorder: Recorder, dosers: list[Doser]
) -> None:
    """The doser is there before its entity."""
    doser = doser_of(hass, dosers, maximum_on=60)
    doser.listen(recorder)
    switch = FakeSwitch("dosing")
    switch._attr_is_on = True
    await add(hass, "switch", switch)
    await off(doser, switch)
    assert switch.log == [{"on": False}]


@pytest.mark.parametrize("before", [True, False])
async def test_switch_that_comes_back_on_goes_off_at_once(
    hass: HomeAssistant,
    switch: FakeSwitch,
    recorder: Recorder,
    dosers: list[Doser],
    before: bool,
) -> None:
    """Power that came back is nobody's hand."""
    doser = doser_of(hass, dosers, maximum_on=60)
    doser.listen(recorder)
    switch.show(is_on=before)
    switch.show(available=False)
    switch.show(available=True, is_on=True)
    await off(doser, switch)
    assert switch.log == [{"on": False}]
    switch.show(is_on=True)
    await hass.async_block_till_done()
    assert switch.runs()


async def test_what_was_not_seen_is_bounded_by_the_automatic_off(
    hass: HomeAssistant, switch: FakeSwitch, recorder: Recorder, dosers: list[Doser]
) -> None:
    """On by hand, gone, and back off."""
    doser = doser_of(hass, dosers, maximum_on=60, automatic_off=0.05)
    doser.listen(recorder)
    switch.show(is_on=True)
    switch.show(available=False)
    await asyncio.sleep(0.1)
    switch.show(available=True, is_on=False)
    assert [run[1] for run in recorder.runs] == [2500]


async def test_taking_it_away_switches_it_off(
    hass: HomeAssistant, switch: FakeSwitch, recorder: Recorder, dosers: list[Doser]
) -> None:
    """Nobody would watch it any more."""
    doser = doser_of(hass, dosers, maximum_on=60)
    doser.listen(recorder)
    switch.show(is_on=True)
    await doser.close()
    assert not switch.runs()


class TestCutOff:
    """The engine ended, or was killed, during a dose."""

    async def test_what_runs_still_goes_off_and_the_excess_is_told(
        self,
        hass: HomeAssistant,
        switch: FakeSwitch,
        recorder: Recorder,
        dosers: list[Doser],
    ) -> None:
        """On since the dose was sent; the dose itself is accounted for."""
        switch.show(is_on=True)
        doser = doser_of(hass, dosers, maximum_on=60)
        doser.cut_off(100_000, AT, 10.0)
        doser.listen(recorder)
        await off(doser, switch)
        ((head, volume, at),) = recorder.runs
        assert (head, at) == (0, AT)
        assert 400_000 <= volume <= 420_000

    async def test_dose_that_did_not_run_for_its_time_leaves_nothing_to_tell(
        self,
        hass: HomeAssistant,
        switch: FakeSwitch,
        recorder: Recorder,
        dosers: list[Doser],
    ) -> None:
        """It is counted whole as it is."""
        switch.show(is_on=True)
        doser = doser_of(hass, dosers, maximum_on=60)
        doser.cut_off(1_000_000, AT, 5.0)
        doser.listen(recorder)
        await off(doser, switch)
        assert recorder.runs == []

    @pytest.mark.parametrize(
        ("automatic_off", "ago", "excess"),
        [
            (None, 3600.0, []),
            (4.0, 3600.0, [(0, 100_000, AT)]),
            (4.0, 1.0, []),
            (2.0, 3600.0, []),
        ],
    )
    async def test_switch_that_is_off_may_have_run_until_its_automatic_off(
        self,
        hass: HomeAssistant,
        switch: FakeSwitch,
        recorder: Recorder,
        dosers: list[Doser],
        automatic_off: float | None,
        ago: float,
        excess: list[tuple[int, int, datetime]],
    ) -> None:
        """Without one nobody can tell: the dose stays unknown, and that is all."""
        doser = doser_of(hass, dosers, maximum_on=60, automatic_off=automatic_off)
        doser.cut_off(100_000, AT, ago)
        doser.listen(recorder)
        assert recorder.runs == excess
        assert switch.log == []


async def test_late_call_is_a_minute_late_at_most(
    hass: HomeAssistant,
    switch: FakeSwitch,
    recorder: Recorder,
    dosers: list[Doser],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What comes on later is a hand's doing."""
    monkeypatch.setattr(switch_watch, "LATE", 0.0)
    doser = doser_of(hass, dosers, maximum_on=0.1)
    doser.listen(recorder)
    dose = await doser.prepare(0)
    switch.fails = [HomeAssistantError("down")]
    with pytest.raises(Exception, match="service_failed"):
        await dose.send(1000)
    await dose.finished()
    switch.show(is_on=True)
    await hass.async_block_till_done()
    assert switch.runs()
    await off(doser, switch)
