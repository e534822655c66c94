"""Calibrations: the flow of a switch, the age of a measurement, and how true a head stays."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, override

import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.device import DeviceKind
from custom_components.aquarist.dosing.calibration import REMINDER_DAYS
from custom_components.aquarist.engine.changes import DeviceChanged
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.state import DeviceState, HeadLimits
from custom_components.aquarist.store.errors import StoreError
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import SERVICE, Rig
from tests.engine.troubled_store import read_only
from tests.fakes.manual_clock import START


class SwitchDoser(MemoryDoser):
    """A doser made of a switch: it doses by the flow that it is told."""

    def __init__(self) -> None:
        """Have no counter."""
        super().__init__("Switch")
        self.kind = DeviceKind.DOSER
        self.counts = False
        self.flows: list[float] = []

    @property
    @override
    def may_run(self) -> bool:
        """Return that the switch is off."""
        return False

    def cut_off(self, volume: int, at: datetime, seconds_ago: float) -> None:
        """Know of the last dose."""

    def set_flow(self, flow: float) -> None:
        """Take a flow."""
        self.flows.append(flow)


async def doses(rig: Rig, state: DeviceState, *volumes: float) -> None:
    """Give doses of the first head."""
    for volume in volumes:
        args = {"head_index": 0, "volume_ml": volume}
        command = await rig.engine.send(state, "dose", args, SERVICE)
        assert (await rig.done(command)).phase is not Phase.PLANNED


@pytest.fixture
def keys(rig: Rig) -> Iterator[None]:
    """Check that what the mapping holds is what it counts."""
    yield
    known = rig.engine.calibrations
    assert len(list(known)) == len(known)


@pytest.mark.usefixtures("keys")
async def test_a_switch_doses_by_the_flow_that_was_measured(rig: Rig) -> None:
    """At once, and whenever it is attached again."""
    doser = SwitchDoser()
    state = await rig.attach(doser)
    assert doser.flows == []
    rig.changes.clear()
    found = await rig.engine.calibrations.measured(
        state, 0, asked=10_000, measured=9000, user="keeper"
    )
    assert found.flow == 900
    assert rig.engine.calibrations[1, 0] == found
    assert doser.flows == [900]
    assert DeviceChanged(device=1) in rig.changes
    doser.flows.clear()
    await rig.reboot(doser)
    assert doser.flows == [900]


@pytest.mark.parametrize(("seconds", "flows"), [(-1, [900]), (0, []), (1, [])], ids=str)
async def test_a_flow_that_the_keeper_entered_later_counts(
    rig: Rig, seconds: int, flows: list[float]
) -> None:
    """One entered before the calibration does not; the next calibration counts again."""
    doser = SwitchDoser()
    state = await rig.attach(doser)
    old = await rig.engine.calibrations.measured(
        state, 0, asked=10_000, measured=9000, user="keeper"
    )
    entered_at = old.at + timedelta(seconds=seconds)
    doser.heads = (replace(doser.heads[0], flow_entered_at=entered_at),)
    doser.flows.clear()
    (state,) = await rig.reboot(doser)
    assert doser.flows == flows
    await rig.advance(2)
    await rig.engine.calibrations.measured(
        state, 0, asked=10_000, measured=8000, user="keeper"
    )
    assert doser.flows == [*flows, 800]


@pytest.mark.usefixtures("keys")
async def test_a_pump_with_a_mind_of_its_own_keeps_its_flow_itself(rig: Rig) -> None:
    """The record and its age are ours."""
    doser = MemoryDoser()
    state = await rig.attach(doser)
    assert rig.engine.calibrations.age(state, 0) is None
    await rig.advance(1)
    found = await rig.engine.calibrations.measured(
        state, 0, asked=4000, measured=4100, user=None
    )
    assert (found.asked, found.measured, found.flow) == (4000, 4100, None)
    (state,) = await rig.reboot(doser)
    await rig.advance(60)
    age = rig.engine.calibrations.age(state, 0)
    assert age is not None
    assert (age.at, age.age) == (
        START + timedelta(seconds=1),
        timedelta(seconds=60),
    )
    assert not age.due


@pytest.mark.parametrize(
    ("limits", "days", "due"),
    [
        ({}, REMINDER_DAYS - 1, False),
        ({}, REMINDER_DAYS, True),
        ({"calibration_days": 30}, 29, False),
        ({"calibration_days": 30}, 30, True),
        ({"calibration_days": 0}, 3650, False),
    ],
)
async def test_an_old_measurement_is_due_again(
    rig: Rig, limits: dict[str, Any], days: int, due: bool
) -> None:
    """Hoses wear; the keeper says how fast, and whether to be reminded at all."""
    state = await rig.attach(MemoryDoser(), heads={0: HeadLimits(**limits)})
    await rig.engine.calibrations.measured(
        state, 0, asked=4000, measured=4000, user=None
    )
    rig.clock.advance(timedelta(days=days).total_seconds())
    age = rig.engine.calibrations.age(state, 0)
    assert age is not None
    assert age.due is due


async def test_a_slip_of_the_hand_is_refused_by_field(rig: Rig) -> None:
    """With what would have been believed."""
    state = await rig.attach(MemoryDoser())
    with pytest.raises(EngineError) as refused:
        await rig.engine.calibrations.measured(
            state, 0, asked=4000, measured=41_000, user=None
        )
    assert (refused.value.code, refused.value.field) == ("out_of_range", "measured_ml")
    assert refused.value.placeholders["minimum"] == "0.8"
    assert refused.value.placeholders["maximum"] == "20.0"
    with pytest.raises(EngineError) as refused:
        await rig.engine.calibrations.measured(
            state, 7, asked=4000, measured=4000, user=None
        )
    assert refused.value.field == "head_index"
    assert (1, 0) not in rig.engine.calibrations


async def test_a_store_that_refuses_leaves_the_flow_as_it_was(rig: Rig) -> None:
    """Law 2."""
    doser = SwitchDoser()
    state = await rig.attach(doser)
    assert rig.engine.database is not None
    async with read_only(rig.engine.database):
        with pytest.raises(StoreError):
            await rig.engine.calibrations.measured(
                state, 0, asked=4000, measured=4100, user=None
            )
    assert doser.flows == []
    assert len(rig.engine.calibrations) == 0


async def test_what_was_given_is_compared_with_what_was_asked_for(rig: Rig) -> None:
    """Over the last doses, a restart in between, until the head is measured again."""
    doser = MemoryDoser()
    doser.slow = True
    state = await rig.attach(doser)
    for number, volume in enumerate((5, 5)):
        args = {"head_index": 0, "volume_ml": volume}
        command = await rig.engine.send(state, "dose", args, SERVICE)
        await rig.settle()
        doser.under_way[number].give(4400)
        await rig.done(command)
    found = rig.engine.calibrations.delivery(state, 0)
    assert (found.doses, found.asked, found.given) == (2, 10_000, 8800)
    assert found.drift == pytest.approx(-12)
    assert found.recalibration_suggested
    (state,) = await rig.reboot(doser)
    assert rig.engine.calibrations.delivery(state, 0) == found
    await rig.advance(1)
    await rig.engine.calibrations.measured(
        state, 0, asked=4000, measured=3600, user=None
    )
    assert rig.engine.calibrations.delivery(state, 0).doses == 0
    await rig.advance(1)
    doser.slow = False
    await doses(rig, state, 6, 6)
    again = rig.engine.calibrations.delivery(state, 0)
    assert (again.doses, again.drift) == (2, 0)
    assert rig.engine.calibrations.delivery(state, 1).doses == 0


async def test_an_unknown_dose_says_nothing_until_it_is_settled(rig: Rig) -> None:
    """Also one that was unknown over a restart."""
    doser = MemoryDoser()
    doser.slow = True
    state = await rig.attach(doser)
    args = {"head_index": 0, "volume_ml": 12}
    command = await rig.engine.send(state, "dose", args, SERVICE)
    await rig.settle()
    doser.under_way[0].give(None)
    await rig.done(command)
    (state,) = await rig.reboot(doser)
    assert rig.engine.calibrations.delivery(state, 0).doses == 0
    doser.lifetime[0] = 12_000
    await rig.advance(60)
    assert rig.engine.calibrations.delivery(state, 0).given == 12_000
