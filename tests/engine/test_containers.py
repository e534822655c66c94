"""Containers: filled, corrected, used up by every dose, and for how long they last (design 2)."""

from datetime import time
import logging
from typing import Any

import pytest

from custom_components.aquarist.devices.simulated import SimulatedPump
from custom_components.aquarist.dosing.ledger import DoseState
from custom_components.aquarist.dosing.programme import Programme, ProgrammeMode
from custom_components.aquarist.engine import containers, doses_ahead
from custom_components.aquarist.engine.changes import ContainerChanged
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.state import DeviceState, HeadLimits
from custom_components.aquarist.schedules import plan
from custom_components.aquarist.store.errors import StoreError
from tests.engine.memory_doser import MemoryDoser
from tests.engine.plans import create, daily
from tests.engine.rig import SERVICE, Rig
from tests.engine.troubled_store import read_only


async def pump(rig: Rig, **limits: Any) -> tuple[MemoryDoser, DeviceState]:
    """Attach a pump whose first head has a container of 100 mL."""
    doser = MemoryDoser()
    head = HeadLimits(**{"container": 100_000, **limits})
    return doser, await rig.attach(doser, heads={0: head})


async def dose(rig: Rig, state: DeviceState, volume: float) -> None:
    """Give a dose."""
    args = {"head_index": 0, "volume_ml": volume}
    await rig.done(await rig.engine.send(state, "dose", args, SERVICE))


def left(rig: Rig, state: DeviceState) -> int | None:
    """Return what is left in the first head's container."""
    return rig.engine.containers.remaining(state.row.number, 0)


async def test_a_new_container_is_full_and_doses_take_from_it(rig: Rig) -> None:
    """Its size is an option; that is announced."""
    _, state = await pump(rig)
    assert [one for one in rig.changes if isinstance(one, ContainerChanged)] == [
        ContainerChanged(device=1, head=0)
    ]
    await dose(rig, state, 30)
    found = rig.engine.containers.status(state, 0)
    assert found is not None
    assert (found.capacity, found.remaining, found.days_left, found.low) == (
        100_000,
        70_000,
        None,
        False,
    )


async def test_a_head_without_a_container_has_no_status(rig: Rig) -> None:
    """Nobody knows what is left."""
    _, state = await pump(rig)
    assert rig.engine.containers.status(state, 1) is None
    assert rig.engine.containers.remaining(1, 1) is None
    await dose(rig, state, 1)


async def test_a_dose_is_taken_as_it_is_known(rig: Rig) -> None:
    """Reserved, unknown, and in the end only a part of it."""
    doser, state = await pump(rig)
    doser.slow = True
    args = {"head_index": 0, "volume_ml": 40}
    command = await rig.engine.send(state, "dose", args, SERVICE)
    await rig.settle()
    assert left(rig, state) == 60_000
    doser.under_way[0].give(10_000)
    await rig.done(command)
    assert left(rig, state) == 90_000


async def test_a_dose_that_was_never_sent_takes_nothing(rig: Rig) -> None:
    """Its reservation is let go."""
    doser, state = await pump(rig)
    doser.prepare_errors = [StoreError("no")]
    await dose(rig, state, 40)
    assert left(rig, state) == 100_000


async def test_what_the_pump_gave_by_itself_is_taken_too(rig: Rig) -> None:
    """A container does not know who pumps."""
    doser, state = await pump(rig)
    doser._tell_counters({0: 0}, {})
    doser._tell_counters({0: 25_000}, {})
    assert left(rig, state) == 75_000


async def test_a_refill_makes_it_full(rig: Rig) -> None:
    """What is found out later about doses before it changes nothing."""
    doser, state = await pump(rig)
    doser.slow = True
    args = {"head_index": 0, "volume_ml": 40}
    command = await rig.engine.send(state, "dose", args, SERVICE)
    await rig.settle()
    doser.under_way[0].give(None)
    await rig.done(command)
    await rig.advance(1)
    found = await rig.engine.containers.refill(state, 0, user="keeper")
    assert found.remaining == 100_000
    rig.engine.ledger.settled(rig.engine.gate.unknown[0], DoseState.NOT_GIVEN)
    assert left(rig, state) == 100_000


async def test_the_keeper_sees_better_than_anyone(rig: Rig) -> None:
    """A correction is what is left from now on."""
    _, state = await pump(rig)
    await dose(rig, state, 30)
    await rig.advance(1)
    found = await rig.engine.containers.correct(state, 0, 65_000, user="keeper")
    assert found.remaining == 65_000
    await dose(rig, state, 5)
    assert left(rig, state) == 60_000


async def test_a_dose_of_the_same_moment_counts_for_safety(rig: Rig) -> None:
    """Nobody knows which came first."""
    _, state = await pump(rig)
    await dose(rig, state, 30)
    await rig.engine.containers.refill(state, 0, user=None)
    assert left(rig, state) == 70_000


async def test_another_size_keeps_what_is_in_it(rig: Rig) -> None:
    """As far as it fits."""
    _, state = await pump(rig)
    await dose(rig, state, 30)
    await rig.advance(1)
    larger = await rig.engine.containers.resize(state, 0, 500_000, user=None)
    assert (larger.capacity, larger.remaining) == (500_000, 70_000)
    smaller = await rig.engine.containers.resize(state, 0, 50_000, user=None)
    assert (smaller.capacity, smaller.remaining) == (50_000, 50_000)
    new = await rig.engine.containers.resize(state, 1, 20_000, user=None)
    assert (new.capacity, new.remaining) == (20_000, 20_000)


@pytest.mark.parametrize(
    ("method", "args", "code", "field"),
    [
        ("refill", (1,), "no_container", "head_index"),
        ("refill", (2,), "out_of_range", "head_index"),
        ("correct", (1, 100), "no_container", "head_index"),
        ("correct", (0, -1), "out_of_range", "remaining_ml"),
        ("correct", (0, 100_001), "out_of_range", "remaining_ml"),
        ("resize", (-1, 100), "out_of_range", "head_index"),
        ("resize", (0, 0), "out_of_range", "capacity_ml"),
        ("resize", (0, containers.LARGEST + 1), "out_of_range", "capacity_ml"),
    ],
)
async def test_what_cannot_be_is_refused_by_field(
    rig: Rig, method: str, args: tuple[int, ...], code: str, field: str
) -> None:
    """Nothing is stored."""
    _, state = await pump(rig)
    with pytest.raises(EngineError) as refused:
        await getattr(rig.engine.containers, method)(state, *args, user=None)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert left(rig, state) == 100_000


async def test_only_a_doser_has_containers(rig: Rig) -> None:
    """A pump of water has none."""
    state = await rig.attach(SimulatedPump(uuid="uuid", name="Wave", level=0.0))
    with pytest.raises(EngineError) as refused:
        await rig.engine.containers.resize(state, 0, 1000, user=None)
    assert refused.value.code == "not_a_doser"


async def test_a_store_that_refuses_changes_nothing(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """A refill is an error; the size of a new option comes later (law 2)."""
    doser, state = await pump(rig)
    await dose(rig, state, 30)
    await rig.advance(1)
    assert rig.engine.database is not None
    async with read_only(rig.engine.database):
        with pytest.raises(StoreError):
            await rig.engine.containers.refill(state, 0, user=None)
        await rig.engine.equipment.detach(1)
        caplog.set_level(logging.WARNING)
        state = await rig.attach(doser, heads={0: HeadLimits(container=50_000)})
    assert left(rig, state) == 70_000
    assert "keeps its size" in caplog.text


async def test_all_of_it_survives_a_restart(rig: Rig) -> None:
    """What was used since the last filling, too; the option is no change."""
    doser, state = await pump(rig)
    await rig.engine.containers.correct(state, 0, 80_000, user=None)
    await rig.advance(1)
    for _ in range(3):
        await dose(rig, state, 10)
        await rig.advance(26 * 3600)
    rig.changes.clear()
    (state,) = await rig.reboot(doser, heads={0: HeadLimits(container=100_000)})
    assert left(rig, state) == 50_000
    assert not any(isinstance(one, ContainerChanged) for one in rig.changes)
    await dose(rig, state, 10)
    assert left(rig, state) == 40_000


async def test_the_plan_says_for_how_long_it_lasts(rig: Rig) -> None:
    """Doses of this head, by schedules that are on."""
    _, state = await pump(rig, low_days=4)
    await rig.engine.containers.correct(state, 0, 8000, user=None)
    ours = {"head_index": 0, "volume_ml": 2}
    await create(rig, daily("13:00", "dose", ours))
    await create(rig, daily("14:00", "dose", ours, name="off", is_enabled=False))
    await create(
        rig, daily("15:00", "dose", {"head_index": 1, "volume_ml": 9}, name="other")
    )
    other = MemoryDoser("Other")
    await rig.attach(other)
    await create(rig, daily("16:00", "dose", ours, name="pump 2", devices=(2,)))
    await rig.attach(SimulatedPump(uuid="wave", name="Wave", level=0.0))
    await create(rig, daily("16:30", "off", name="wave", devices=(3,)))
    found = rig.engine.containers.status(state, 0)
    assert found is not None
    assert found.days_left == pytest.approx(4 + 1 / 24)
    assert not found.low
    await dose(rig, state, 1)
    found = rig.engine.containers.status(state, 0)
    assert found is not None
    assert found.days_left == pytest.approx(3 + 1 / 24)
    assert found.low


def macro(name: str, *doses: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a macro that doses with the pump, with a pause between."""
    steps = [
        {"command": {"device_id": "uuid-Doser", "action": "dose", "args": args}}
        for args in doses
    ]
    return {"name": name, "sequence": [*steps, {"delay": 60}], **changes}


async def test_what_a_schedule_starts_takes_from_it_too(rig: Rig) -> None:
    """All doses of the macro with this head, as it is now; who runs it by hand is not planned."""
    _, state = await pump(rig)
    await rig.engine.containers.correct(state, 0, 8000, user=None)
    ours, twice = {"head_index": 0, "volume_ml": 1}, {"head_index": 0, "volume_ml": 1}
    other = {"head_index": 1, "volume_ml": 9}
    made = await rig.engine.macros.create(
        macro("Evening", ours, other, twice), user=None
    )
    await rig.engine.macros.create(macro("By hand", ours), user=None)

    def days() -> float | None:
        found = rig.engine.containers.status(state, 0)
        assert found is not None
        return found.days_left

    assert days() is None
    start = {"macro": "Evening"}
    await create(rig, daily("13:00", "macro", start, devices=()))
    assert days() == pytest.approx(4 + 1 / 24)
    await rig.engine.macros.update(made.row.id, macro("Evening", ours), user=None)
    assert days() == pytest.approx(8 + 1 / 24)
    once = {
        "schedule_type": "one_off",
        "start_time": "2026-03-10T18:00:00+00:00",
        "cron_expression": None,
    }
    await create(rig, daily("18:00", "macro", start, devices=()) | once)
    assert days() == pytest.approx(7 + 1 / 24)
    await rig.engine.macros.delete(made.row.id, user=None)
    assert days() is None


async def test_a_dose_that_cannot_be_told_takes_nothing(rig: Rig) -> None:
    """The macro was saved while the pump was away; it says so when it is run."""
    _, state = await pump(rig)
    await rig.engine.equipment.detach(1)
    none = {"head_index": 0, "volume_ml": "much"}
    await rig.engine.macros.create(macro("Evening", none), user=None)
    await create(rig, daily("13:00", "macro", {"macro": "Evening"}, devices=()))
    found = rig.engine.containers.status(state, 0)
    assert found is not None
    assert found.days_left is None


async def test_a_programme_in_the_pump_shortens_it(rig: Rig) -> None:
    """As much as it gives in a week."""
    _, state = await pump(rig)
    programme = Programme(mode=ProgrammeMode.SINGLE, volume=2000, at=time(9))
    rig.engine.device_memory.content.keep(1, "head_0", programme)
    found = rig.engine.containers.status(state, 0)
    assert found is not None
    assert found.days_left == pytest.approx(50)


async def test_a_plan_of_very_many_doses_is_read_only_so_far(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And taken to go on alike."""
    monkeypatch.setattr(doses_ahead, "MOST_AHEAD", 10)
    _, state = await pump(rig)
    await create(rig, daily("13:00", "dose", {"head_index": 0, "volume_ml": 1}))
    found = rig.engine.containers.status(state, 0)
    assert found is not None
    assert found.days_left == pytest.approx(100, abs=10)


async def test_a_plan_is_walked_once_for_a_while(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it is another one, or what was read of it is half over."""
    walked = []

    def counted(*args: Any) -> Any:
        walked.append(args)
        return plan.between(*args)

    monkeypatch.setattr(doses_ahead, "between", counted)
    monkeypatch.setattr(doses_ahead, "MOST_AHEAD", 10)
    _, state = await pump(rig)
    await rig.engine.containers.correct(state, 0, 3500, user=None)
    ours = {"head_index": 0, "volume_ml": 1}
    await create(
        rig,
        {**daily("13:00", "dose", ours), "cron_expression": "* * * * *"},
    )

    def days() -> float:
        found = rig.engine.containers.status(state, 0)
        assert found is not None
        assert found.days_left is not None
        return found.days_left * 24 * 60

    walked.clear()
    assert days() == pytest.approx(4)
    assert len(walked) <= 1
    walked.clear()
    for _ in range(3):
        rig.clock.advance(60)
        assert days() == pytest.approx(4)
    assert walked == []
    rig.clock.advance(180)
    days()
    assert len(walked) == 1
    await create(rig, daily("13:00", "dose", ours, name="another"))
    days()
    assert len(walked) == 3


async def test_a_container_that_was_removed_is_gone(rig: Rig) -> None:
    """Nothing is counted, low or too small any more, and it does not come back."""
    doser, state = await pump(rig, only_if_fits=True, low_days=3, budget=None)
    await dose(rig, state, 50)
    await dose(rig, state, 49.5)
    rig.changes.clear()
    await rig.engine.containers.remove(state, 0, user="keeper")
    assert rig.changes == [ContainerChanged(device=1, head=0)]
    assert rig.engine.containers.status(state, 0) is None
    assert rig.engine.containers.capacity(1, 0) is None
    await dose(rig, state, 1)
    with pytest.raises(EngineError) as refused:
        await rig.engine.containers.remove(state, 0, user=None)
    assert (refused.value.code, refused.value.field) == ("no_container", "head_index")
    (state,) = await rig.reboot(doser)
    assert left(rig, state) is None
    await rig.advance(1)
    await rig.engine.containers.resize(state, 0, 50_000, user=None)
    assert left(rig, state) == 50_000


async def test_a_container_that_is_being_used_can_be_removed(rig: Rig) -> None:
    """A dose under way ends as always."""
    doser, state = await pump(rig)
    doser.slow = True
    args = {"head_index": 0, "volume_ml": 40}
    command = await rig.engine.send(state, "dose", args, SERVICE)
    await rig.settle()
    await rig.engine.containers.remove(state, 0, user=None)
    doser.under_way[0].give(10_000)
    await rig.done(command)
    assert left(rig, state) is None


async def test_what_the_keeper_sees_shows_how_true_a_head_is(rig: Rig) -> None:
    """Also after a restart and a refill, until it is calibrated; a top-up shows nothing."""
    doser, state = await pump(rig)
    await dose(rig, state, 40)
    await rig.advance(1)
    await rig.engine.containers.correct(state, 0, 70_000, user=None)
    delivery = rig.engine.calibrations.delivery
    assert delivery(state, 0).drift == 0
    await dose(rig, state, 40)
    await rig.advance(1)
    await rig.engine.containers.correct(state, 0, 40_000, user=None, compare=True)
    found = delivery(state, 0)
    assert (found.asked, found.given, found.drift) == (40_000, 30_000, -25)
    assert found.recalibration_suggested
    await rig.advance(1)
    await rig.engine.containers.refill(state, 0, user=None)
    (state,) = await rig.reboot(doser)
    assert rig.engine.calibrations.delivery(state, 0) == found
    await rig.advance(1)
    await rig.engine.calibrations.measured(
        state, 0, asked=5000, measured=4000, user=None
    )
    assert rig.engine.calibrations.delivery(state, 0).drift is None
