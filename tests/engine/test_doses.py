"""Doses: written before sent, sent at most once, settled by what the pump counted."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from custom_components.aquarist.ble.link import Link
from custom_components.aquarist.ble.session import LinkSettings
from custom_components.aquarist.ble.simulated_transport import SimulatedTransport
from custom_components.aquarist.chihiros.models import DeviceFamily
from custom_components.aquarist.commands.command import Command
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.chihiros_doser import ChihirosDoser
from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.dosing.ledger import Dose, DoseState
from custom_components.aquarist.engine.errors import EngineError, SafetyRefusedError
from custom_components.aquarist.engine.state import DeviceState, HeadLimits
from custom_components.aquarist.simulator.clock import LoopClock
from custom_components.aquarist.simulator.doser import DoserModel
from custom_components.aquarist.store import doses
from tests.engine.rig import SERVICE, Rig

QUICK = LinkSettings(idle_hold=0.2, write_pause=0, answer_timeout=0.2, drop_grace=0.2)


def local_time() -> datetime:
    """Give the doser's wall clock."""
    return datetime(2026, 3, 10, 13, tzinfo=UTC)


class Bench:
    """A simulated pump and a doser that reaches it, again after each restart."""

    def __init__(self, *, flow: int = 50_000) -> None:
        """Fill a pump that delivers quickly."""
        self.clock = LoopClock(asyncio.get_running_loop())
        self.model = DoserModel(self.clock, address="02:AA:00:00:00:01", flow=flow)

    def doser(self) -> ChihirosDoser:
        """Give a doser over a new link."""
        link = Link(
            SimulatedTransport(self.model), DeviceFamily.DOSER, local_time, QUICK
        )
        return ChihirosDoser(
            link,
            uuid="uuid-doser",
            name="Doser",
            address=self.model.address,
            head_names=["One", "Two", "Three", "Four"],
            local_time=local_time,
        )


@pytest.fixture
def bench_of() -> Iterator[Callable[..., Bench]]:
    """Give benches, and end their simulated pumps with the test."""
    benches: list[Bench] = []

    def build(**options: Any) -> Bench:
        benches.append(Bench(**options))
        return benches[-1]

    yield build
    for bench in benches:
        bench.clock.close()


async def until(rig: Rig, condition: Callable[[], bool]) -> None:
    """Wait for something that real devices bring about."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)
    await rig.settle()


async def ledger(rig: Rig) -> list[Dose]:
    """Return the doses on disk."""
    assert rig.engine.database is not None

    def query(connection: Any) -> list[Dose]:
        return doses.since(connection, datetime(2000, 1, 1, tzinfo=UTC))

    return await rig.engine.database.read(query)


async def dose(rig: Rig, state: Any, volume: float, **more: Any) -> Command:
    """Ask for a dose of the first head."""
    return await rig.engine.send(
        state, "dose", {"head_index": 0, "volume_ml": volume}, SERVICE, **more
    )


async def test_a_dose_arrives_once_and_is_confirmed_by_the_pump(
    rig: Rig, bench_of: Callable[..., Bench]
) -> None:
    """The `22` ends the command; the ledger says given."""
    bench = bench_of()
    state = await rig.attach(bench.doser())
    ended = await rig.done(await dose(rig, state, 2.5))
    assert ended.phase is Phase.COMPLETED
    assert bench.model.delivered == (2500, 0, 0, 0)
    assert [(one.state, one.given) for one in await ledger(rig)] == [
        (DoseState.GIVEN, 2500)
    ]
    assert rig.engine.counters[state.row.number, 0].lifetime == 2500


async def test_the_same_id_doses_once(rig: Rig, bench_of: Callable[..., Bench]) -> None:
    """R-C9, law 3."""
    bench = bench_of()
    state = await rig.attach(bench.doser())
    commands = await asyncio.gather(
        dose(rig, state, 1, id="iron"), dose(rig, state, 1, id="iron")
    )
    for command in commands:
        assert (await rig.done(command)).phase is Phase.COMPLETED
    assert bench.model.delivered[0] == 1000


@pytest.mark.parametrize(
    ("args", "code", "field"),
    [
        ({"head_index": 0, "volume_ml": 0}, "value_out_of_bounds", "volume_ml"),
        ({"head_index": 0, "volume_ml": 0.1}, "out_of_range", "volume_ml"),
        ({"head_index": 0, "volume_ml": 1000}, "value_out_of_bounds", "volume_ml"),
        ({"head_index": 0, "volume_ml": 1.23}, "volume_too_fine", "volume_ml"),
        (
            {"head_index": 0, "volume_ml": float("nan")},
            "value_out_of_bounds",
            "volume_ml",
        ),
        ({"head_index": 4, "volume_ml": 1}, "out_of_range", "head_index"),
        ({"head_index": True, "volume_ml": 1}, "wrong_type", "head_index"),
        ({"volume_ml": 1}, "missing_argument", "head_index"),
        ({"head_index": 0, "volume_ml": 1, "x": 1}, "unknown_argument", "x"),
    ],
)
async def test_bad_doses_are_refused_by_field(
    rig: Rig,
    bench_of: Callable[..., Bench],
    args: dict[str, Any],
    code: str,
    field: str,
) -> None:
    """Nothing is stored and the pump hears nothing."""
    bench = bench_of()
    state = await rig.attach(bench.doser())
    with pytest.raises((EngineError, InvalidValue)) as refused:
        await rig.engine.send(state, "dose", args, SERVICE)
    assert isinstance(refused.value, EngineError | InvalidValue)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert bench.model.write_log == []
    assert await ledger(rig) == []


async def test_the_budget_of_24_hours_holds_and_frees(
    rig: Rig, bench_of: Callable[..., Bench]
) -> None:
    """Law 5: the refusal says how much is left and when it frees."""
    bench = bench_of()
    state = await rig.attach(bench.doser(), heads={0: HeadLimits(budget=5000)})
    await rig.done(await dose(rig, state, 4))
    with pytest.raises(SafetyRefusedError) as refused:
        await dose(rig, state, 2)
    assert refused.value.refusal.left == 1
    assert refused.value.refusal.frees_at is not None
    await rig.advance(24 * 3600 + 60)
    assert (await rig.done(await dose(rig, state, 2))).phase is Phase.COMPLETED


async def test_two_doses_cannot_pass_together_on_one_budget(
    rig: Rig, bench_of: Callable[..., Bench]
) -> None:
    """Both are accepted, the gate lets one through."""
    bench = bench_of()
    state = await rig.attach(bench.doser(), heads={0: HeadLimits(budget=5000)})
    first, second = await asyncio.gather(dose(rig, state, 3), dose(rig, state, 3))
    await rig.done(first)
    while rig.engine.records.current(second.key):
        await rig.advance(6)
    assert (await rig.done(second)).error == "refused_budget_24h"
    assert bench.model.delivered[0] == 3000


async def test_a_link_lost_in_the_middle_ends_unknown_and_is_settled_later(
    rig: Rig,
    bench_of: Callable[..., Bench],
) -> None:
    """RES-52: never sent again; the next reading of the counter decides."""
    bench = bench_of(flow=10_000)
    state = await rig.attach(bench.doser())
    bench.model.faults.set("drop_in_dose", value=0.5)
    ended = await rig.done(await dose(rig, state, 3))
    assert ended.phase is Phase.FAILED
    assert ended.error_code == "interrupted"
    assert [one.state for one in await ledger(rig)] == [DoseState.UNKNOWN]
    await until(rig, lambda: bench.model.delivered[0] == 3000)
    await rig.advance(60)
    await until(rig, lambda: not rig.engine.gate.open_doses(state.row.number, 0))
    assert [(one.state, one.given) for one in await ledger(rig)] == [
        (DoseState.GIVEN, 3000)
    ]
    assert bench.model.delivered[0] == 3000


async def cut_and_unread(rig: Rig, bench: Bench, state: DeviceState) -> None:
    """Cut a dose of 3 mL off from us, and let the reading at its time fail, too."""
    await rig.engine.live_settings.update({"command_tries": 1}, None)
    bench.model.faults.set("drop_in_dose", value=0.5)
    assert (await rig.done(await dose(rig, state, 3))).error_code == "interrupted"
    await until(rig, lambda: bench.model.delivered[0] == 3000)
    bench.model.faults.set("out_of_range", times=None)
    await until(rig, lambda: not state.available)
    await rig.advance(60)
    await until(rig, lambda: not asked(rig))
    assert [one.state for one in await ledger(rig)] == [DoseState.UNKNOWN]


def asked(rig: Rig) -> bool:
    """Return whether a pump is being asked for its counters."""
    return any(one.action == "request_status" for one in rig.engine.records.open)


async def settled(rig: Rig) -> list[DoseState]:
    """Return the states of the doses on disk, once none is open any more."""
    await until(rig, lambda: not rig.engine.gate.open_doses(1, 0))
    return [one.state for one in await ledger(rig)]


async def test_a_pump_that_comes_into_reach_settles_what_could_not_be_read(
    rig: Rig, bench_of: Callable[..., Bench]
) -> None:
    """Long before it would have been tried again."""
    bench = bench_of(flow=10_000)
    state = await rig.attach(bench.doser())
    await cut_and_unread(rig, bench, state)
    bench.model.faults.clear()
    await until(rig, lambda: state.available)
    await rig.advance(1)
    assert await settled(rig) == [DoseState.GIVEN]


async def test_the_next_connection_settles_what_could_not_be_read(
    rig: Rig, bench_of: Callable[..., Bench]
) -> None:
    """Whatever it is made for; once on each connection, though the pump may not answer."""
    bench = bench_of(flow=10_000)
    state = await rig.attach(bench.doser())
    await cut_and_unread(rig, bench, state)
    bench.model.faults.set("mute", times=None)
    bench.model.faults.clear("out_of_range")
    await until(rig, lambda: state.available)
    await rig.advance(1)
    await until(rig, lambda: not asked(rig))
    assert [one.state for one in await ledger(rig)] == [DoseState.UNKNOWN]
    looks = await rig.engine.history.recent(None, 10)
    assert [one.action for one in looks] == ["request_status"] * 2 + ["dose"]
    bench.model.faults.clear()
    await until(rig, lambda: not bench.model.connected)
    clock = await rig.engine.send(state, "sync_clock", {}, SERVICE)
    assert (await rig.done(clock)).phase is Phase.COMPLETED
    await rig.advance(1)
    assert await settled(rig) == [DoseState.GIVEN]


async def test_a_restart_in_the_middle_never_doses_twice(
    rig: Rig, bench_of: Callable[..., Bench]
) -> None:
    """RES-45: the command ends interrupted, the counter settles the dose."""
    bench = bench_of(flow=5_000)
    state = await rig.attach(bench.doser())
    command = await dose(rig, state, 3)
    await until(rig, lambda: bench.model.delivered[0] > 0)
    (state,) = await rig.reboot(bench.doser())
    assert (await rig.stored(command)).error_code == "interrupted"
    await until(rig, lambda: bench.model.delivered[0] == 3000)
    await rig.advance(60)
    await until(rig, lambda: not rig.engine.gate.open_doses(state.row.number, 0))
    assert [one.state for one in await ledger(rig)] == [DoseState.GIVEN]
    assert bench.model.delivered[0] == 3000


async def test_a_dose_that_could_not_be_sent_is_no_dose(
    rig: Rig, bench_of: Callable[..., Bench]
) -> None:
    """The pump was out of range: nothing is in the ledger, nothing counts."""
    bench = bench_of()
    state = await rig.attach(bench.doser())
    bench.model.faults.set("out_of_range", times=None)
    ended = await rig.done(await dose(rig, state, 3, timeout=5))
    assert ended.phase is Phase.FAILED
    assert await ledger(rig) == []
    assert rig.engine.gate.given(state.row.number, 0, rig.clock.now()) == 0


async def test_emergency_stop_ends_a_dose_and_latches(
    rig: Rig, bench_of: Callable[..., Bench]
) -> None:
    """It answers at once, the rest is not given, and nothing doses until it is released."""
    bench = bench_of(flow=1000)
    state = await rig.attach(bench.doser())
    command = await dose(rig, state, 60)
    await until(rig, lambda: bench.model.delivered[0] > 500)
    async with asyncio.timeout(5):
        reports = await rig.engine.emergency.stop("tank")
    assert [one.confirmed for one in reports] == [True]
    ended = await rig.done(command)
    assert ended.phase is Phase.STOPPED
    given = bench.model.delivered[0]
    assert given < 5000
    with pytest.raises(SafetyRefusedError):
        await dose(rig, state, 1)
    await rig.settle()
    (state,) = await rig.reboot(bench.doser())
    with pytest.raises(SafetyRefusedError):
        await dose(rig, state, 1)
    rig.engine.emergency.release("tank")
    await rig.settle()
    assert (await rig.done(await dose(rig, state, 1))).phase is Phase.COMPLETED
    (first, _) = await ledger(rig)
    assert first.state is DoseState.PARTLY
