"""Whatever is asked, fails, is given by the pump itself or restarts: no budget is exceeded (law 5)."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from sqlite3 import Connection
from tempfile import TemporaryDirectory

from hypothesis import given, settings, strategies as st

from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.dosing.ledger import Dose
from custom_components.aquarist.dosing.spacing import Spacing
from custom_components.aquarist.engine.errors import SafetyRefusedError
from custom_components.aquarist.engine.state import (
    AquariumLimits,
    DeviceState,
    HeadLimits,
)
from custom_components.aquarist.store import doses as dose_rows
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import SERVICE, Rig

DAY = timedelta(hours=24)
HEAD_BUDGET = 4000
IRON_BUDGET = 6000
AQUARIUM_BUDGET = 9000
SPACING = 1800
HEADS = {
    0: HeadLimits(additive="iron", budget=HEAD_BUDGET),
    1: HeadLimits(additive="phosphate", budget=HEAD_BUDGET),
}
LIMITS = AquariumLimits(
    budget=AQUARIUM_BUDGET,
    additive_budget={"iron": IRON_BUDGET},
    spacing=(Spacing(first="iron", second="phosphate", seconds=SPACING),),
)


@dataclass
class Truth:
    """What really came out of the pumps: when, of which pump and head, how much, and why."""

    rows: list[tuple[datetime, int, int, int, bool]] = field(default_factory=list)


class TrueDoser(MemoryDoser):
    """A doser that writes down what really comes out, and can lie about its end."""

    def __init__(self, number: int, truth: Truth) -> None:
        """Be told what to do with the next dose."""
        super().__init__(f"Doser {number}")
        self.slow = True
        self.number = number
        self.truth = truth

    def pump(self, now: datetime, head: int, volume: int, *, asked: bool) -> None:
        """Let something come out."""
        if volume:
            self.truth.rows.append((now, self.number, head, volume, asked))


class World:
    """Two pumps of one aquarium, and one life of the engine after another."""

    def __init__(self, folder: Path) -> None:
        """Start with clean pumps."""
        self.rig = Rig(folder)
        self.truth = Truth()
        self.pumps = [TrueDoser(number, self.truth) for number in (0, 1)]
        self.states: list[DeviceState] = []

    async def begin(self) -> None:
        """Begin a life."""
        await self.rig.boot(start=False)
        self.rig.engine.set_aquarium_limits("tank", LIMITS)
        self.states = [await self.rig.attach(pump, heads=HEADS) for pump in self.pumps]
        self.rig.engine.start()
        await self.rig.settle()

    async def dose(self, number: int, head: int, volume: int, fate: str) -> None:
        """Ask for a dose; what becomes of it is fate."""
        pump = self.pumps[number]
        if fate == "unreachable":
            pump.prepare_errors = [DeviceError("out_of_range", transient=False)]
        if fate == "refused_by_pump":
            pump.send_errors = [DeviceError("write_failed", transient=False)]
        try:
            await self.rig.engine.send(
                self.states[number],
                "dose",
                {"head_index": head, "volume_ml": volume / 1000},
                SERVICE,
            )
        except SafetyRefusedError:
            return
        await self.rig.settle()
        pump.prepare_errors.clear()
        pump.send_errors.clear()
        await self.deliver(fate)

    async def deliver(self, fate: str) -> None:
        """Let what was sent come out, as far as fate lets it."""
        for pump in self.pumps:
            while pump.under_way:
                under_way = pump.under_way.pop(0)
                head, volume = pump.sent.pop(0)
                if fate == "lost":
                    pump.lifetime[head] += volume
                    pump.pump(self.rig.clock.now(), head, volume, asked=True)
                    under_way.give(None)
                elif fate == "vanished":
                    under_way.give(None)
                else:
                    out = volume // 200 * 100 if fate == "partly" else volume
                    pump.pump(self.rig.clock.now(), head, out, asked=True)
                    under_way.give(out)
                await self.rig.settle()

    async def by_itself(self, number: int, head: int, volume: int) -> None:
        """Let a pump give something by itself; the engine hears of it at some reading."""
        self.pumps[number].lifetime[head] += volume
        self.pumps[number].pump(self.rig.clock.now(), head, volume, asked=False)

    async def wait(self, seconds: int) -> None:
        """Let time pass."""
        await self.rig.advance(seconds)
        await self.deliver("given")

    async def restart(self) -> None:
        """End one life and begin another."""
        await self.rig.engine.close()
        for pump in self.pumps:
            for head, volume in pump.sent:
                pump.lifetime[head] += volume
                pump.pump(self.rig.clock.now(), head, volume, asked=True)
            pump.sent.clear()
            pump.under_way.clear()
        await self.begin()

    async def read(self) -> None:
        """Have all counters read once every dose has ended."""
        await self.rig.advance(60)
        for pump in self.pumps:
            pump.tell()
        await self.rig.settle()


volumes = st.integers(1, 30).map(lambda tenths: tenths * 100)
steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("dose"),
            st.integers(0, 1),
            st.integers(0, 1),
            volumes,
            st.sampled_from(
                [
                    "given",
                    "given",
                    "partly",
                    "lost",
                    "vanished",
                    "unreachable",
                    "refused_by_pump",
                ]
            ),
        ),
        st.tuples(st.just("by_itself"), st.integers(0, 1), st.integers(0, 1), volumes),
        st.tuples(st.just("wait"), st.sampled_from([1, 60, 1800, 3600, 36_000])),
        st.tuples(st.just("restart")),
        st.tuples(st.just("read")),
    ),
    max_size=14,
)


def check_admitted(doses: list[Dose]) -> None:
    """Check that each dose fitted when it was let in, by what the ledger knows in the end."""
    ours = [dose for dose in doses if dose.source != "pump"]
    for dose in ours:
        if not dose.counted:
            continue
        before = [
            other
            for other in doses
            if timedelta(0) <= dose.at - other.at < DAY
            and (other.at < dose.at or other.source != "pump" or other is dose)
        ]
        for limit, counted in (
            (
                HEAD_BUDGET,
                [one for one in before if (one.device, one.head) == _head(dose)],
            ),
            (
                IRON_BUDGET,
                [one for one in before if one.additive == "iron"]
                if dose.additive == "iron"
                else [],
            ),
            (AQUARIUM_BUDGET, before),
        ):
            by_pump = sum(one.counted for one in counted if one.source == "pump")
            total = sum(one.counted for one in counted)
            assert total <= max(limit, by_pump), (dose, counted)


def _head(dose: Dose) -> tuple[int, int]:
    """Return the head of a dose."""
    return dose.device, dose.head


def check_spaced(doses: list[Dose]) -> None:
    """Check that no dose came too soon after an incompatible one, at either pump."""
    given_doses = [dose for dose in doses if dose.source != "pump" and dose.counted]
    for earlier, later in combinations(given_doses, 2):
        if earlier.additive != later.additive:
            assert later.at - earlier.at >= timedelta(seconds=SPACING)


def check_true(world: World, doses: list[Dose]) -> None:
    """Check that nothing that came out is missing in the ledger, but for a tenth a head."""
    for number, _ in enumerate(world.pumps):
        for head in (0, 1):
            out = sum(
                volume
                for _, one, of_head, volume, _ in world.truth.rows
                if (one, of_head) == (number, head)
            )
            booked = sum(
                dose.counted for dose in doses if _head(dose) == (number + 1, head)
            )
            assert booked >= out - 100, (number, head, out, booked)


async def ledger(rig: Rig) -> list[Dose]:
    """Return the doses on disk."""
    assert rig.engine.database is not None

    def query(connection: Connection) -> list[Dose]:
        return dose_rows.since(connection, datetime(2000, 1, 1, tzinfo=UTC))

    return await rig.engine.database.read(query)


async def live(folder: Path, happenings: list[tuple]) -> None:  # type: ignore[type-arg]
    """Let things happen, then look at what was done."""
    world = World(folder)
    await world.begin()
    await world.read()
    for what, *args in happenings:
        await getattr(world, what)(*args)
    await world.deliver("given")
    await world.read()
    doses = await ledger(world.rig)
    try:
        check_admitted(doses)
        check_spaced(doses)
        check_true(world, doses)
    finally:
        await world.rig.engine.close()


@settings(max_examples=30, deadline=None)
@given(steps)
def test_no_budget_is_ever_exceeded_and_nothing_that_came_out_is_missing(
    happenings: list[tuple],  # type: ignore[type-arg]
) -> None:
    """By head, by additive over both pumps, and by aquarium, in any 24 hours."""
    with TemporaryDirectory() as folder:
        asyncio.run(live(Path(folder), happenings))
