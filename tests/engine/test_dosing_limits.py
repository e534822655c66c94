"""Limits of dosing beyond a head's budget: additive, aquarium, interval, size, container (law 5)."""

from datetime import time, timedelta
from typing import Any

import pytest

from custom_components.aquarist.chihiros.command_frame import Weekday
from custom_components.aquarist.commands.command import Command, ErrorCode
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.dosing.ledger import RUN, Dose, DoseState
from custom_components.aquarist.dosing.programme import Programme, ProgrammeMode
from custom_components.aquarist.dosing.spacing import Spacing
from custom_components.aquarist.engine.errors import SafetyRefusedError
from custom_components.aquarist.engine.intake import QUEUE_EXPIRY
from custom_components.aquarist.engine.pulses import LONGEST_WAIT
from custom_components.aquarist.engine.state import (
    AquariumLimits,
    DeviceLimits,
    DeviceState,
    HeadLimits,
)
from custom_components.aquarist.limits.refusal import Refusal
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import SERVICE, Rig
from tests.fakes.manual_clock import START

IRON = HeadLimits(additive="iron")
PHOSPHATE = HeadLimits(additive="phosphate")
AN_HOUR = (Spacing(first="iron", second="phosphate", seconds=3600),)


async def pump(
    rig: Rig, name: str = "Doser", *heads: HeadLimits, aquarium: str = "tank"
) -> tuple[MemoryDoser, DeviceState]:
    """Attach a pump with the limits of its heads."""
    doser = MemoryDoser(name)
    limits = dict(enumerate(heads))
    return doser, await rig.attach(doser, aquarium=aquarium, heads=limits)


def run(head: int, volume: int) -> Dose:
    """Return a run that is about to begin."""
    return Dose(
        key="1/run",
        device=1,
        head=head,
        volume=volume,
        state=DoseState.SENT,
        at=START,
        source=RUN,
    )


async def ask(rig: Rig, state: DeviceState, volume: float, head: int = 0) -> Command:
    """Ask for a dose, and let happen what can."""
    args = {"head_index": head, "volume_ml": volume}
    command = await rig.engine.send(state, "dose", args, SERVICE)
    await rig.settle()
    return command


async def refused(rig: Rig, state: DeviceState, volume: float, head: int = 0) -> Any:
    """Ask for a dose that is refused at once; return the refusal."""
    with pytest.raises(SafetyRefusedError) as caught:
        await ask(rig, state, volume, head)
    return caught.value.refusal


class TestBudgets:
    """Rolling 24 hours over several heads and pumps."""

    async def test_an_additive_has_one_budget_at_all_pumps(self, rig: Rig) -> None:
        """The refusal names it, and says when it frees."""
        _, one = await pump(rig, "One", IRON)
        _, two = await pump(rig, "Two", IRON, PHOSPHATE)
        rig.engine.set_aquarium_limits(
            "tank", AquariumLimits(additive_budget={"iron": 5000})
        )
        await rig.done(await ask(rig, one, 3))
        refusal = await refused(rig, two, 3)
        assert (refusal.limit, refusal.allowed, refusal.left) == (
            "budget_additive_24h",
            5,
            2,
        )
        assert refusal.details == {"additive": "iron"}
        assert refusal.frees_at == START + timedelta(hours=24)
        assert (await rig.done(await ask(rig, two, 2))).phase is Phase.COMPLETED
        assert (await rig.done(await ask(rig, two, 9, 1))).phase is Phase.COMPLETED

    async def test_an_aquarium_has_one_budget_for_all_additives(self, rig: Rig) -> None:
        """Heads without an additive too; another aquarium is not its concern."""
        _, one = await pump(rig, "One", IRON)
        _, two = await pump(rig, "Two")
        _, other = await pump(rig, "Other", aquarium="other")
        rig.engine.set_aquarium_limits("tank", AquariumLimits(budget=5000))
        await rig.done(await ask(rig, other, 9))
        await rig.done(await ask(rig, one, 3))
        refusal = await refused(rig, two, 2.1)
        assert (refusal.limit, refusal.left) == ("budget_aquarium_24h", 2)
        assert (await rig.done(await ask(rig, two, 2))).phase is Phase.COMPLETED

    async def test_two_pumps_cannot_pass_together(self, rig: Rig) -> None:
        """What is reserved counts at once."""
        slow, one = await pump(rig, "One", IRON)
        _, two = await pump(rig, "Two", IRON)
        slow.slow = True
        rig.engine.set_aquarium_limits("tank", AquariumLimits(budget=5000))
        await ask(rig, one, 3)
        assert (await refused(rig, two, 3)).limit == "budget_aquarium_24h"

    async def test_what_the_pump_gave_by_itself_counts(self, rig: Rig) -> None:
        """Also when the counter tells of it only just before the dose."""
        doser, state = await pump(rig, "Doser", HeadLimits(budget=5000))
        doser._tell_counters({0: 0}, {})
        doser.lifetime[0] = 4000
        ended = await rig.done(await ask(rig, state, 2))
        assert (ended.error_code, ended.error) == (
            ErrorCode.SAFETY_REFUSED,
            "refused_budget_24h",
        )
        assert doser.sent == []
        assert rig.engine.gate.given(1, 0, rig.clock.now()) == 4000
        assert (await rig.done(await ask(rig, state, 1))).phase is Phase.COMPLETED

    async def test_what_a_switch_gave_beyond_its_dose_counts(self, rig: Rig) -> None:
        """Off came too late: 7 of 5 mL are booked."""
        doser, state = await pump(rig, "Doser", HeadLimits(budget=8000))
        doser.slow, doser.counts = True, False
        command = await ask(rig, state, 5)
        doser.under_way[0].give(7000)
        ended = await rig.done(command)
        assert ended.phase is Phase.COMPLETED
        assert (ended.result or {})["given_ml"] == 7.0
        (booked,) = rig.engine.gate.doses(1, 0)
        assert (booked.state, booked.volume, booked.given) == (
            DoseState.GIVEN,
            5000,
            7000,
        )
        assert (await refused(rig, state, 2)).left == 1

    async def test_budgets_survive_a_restart(self, rig: Rig) -> None:
        """With the additive and the aquarium that the doses went into."""
        doser, state = await pump(rig, "Doser", IRON)
        await rig.done(await ask(rig, state, 4))
        (state,) = await rig.reboot(doser, heads={0: IRON})
        rig.engine.set_aquarium_limits(
            "tank", AquariumLimits(budget=9000, additive_budget={"iron": 5000})
        )
        assert (await refused(rig, state, 2)).limit == "budget_additive_24h"
        assert (await refused(rig, state, 6, 1)).limit == "budget_aquarium_24h"


class TestSingleDoses:
    """One dose, and the one before it."""

    async def test_one_dose_has_a_largest_volume(self, rig: Rig) -> None:
        """However much budget is left."""
        _, state = await pump(rig, "Doser", HeadLimits(maximum_volume=2000))
        refusal = await refused(rig, state, 2.1)
        assert (refusal.limit, refusal.asked, refusal.allowed) == (
            "maximum_volume",
            2.1,
            2,
        )
        assert (await rig.done(await ask(rig, state, 2))).phase is Phase.COMPLETED

    async def test_two_doses_have_a_shortest_time_between_them(self, rig: Rig) -> None:
        """Days, if the keeper says so, and over a restart."""
        limits = HeadLimits(minimum_interval=72 * 3600)
        doser, state = await pump(rig, "Doser", limits)
        await rig.done(await ask(rig, state, 1))
        for _ in range(2):
            await rig.advance(30 * 3600)
            await rig.done(await ask(rig, state, 1, 1))
        (state,) = await rig.reboot(doser, heads={0: limits})
        refusal = await refused(rig, state, 1)
        assert refusal.limit == "minimum_interval"
        assert refusal.frees_at == START + timedelta(hours=72)
        await rig.advance(12 * 3600)
        assert (await rig.done(await ask(rig, state, 1))).phase is Phase.COMPLETED

    async def test_only_a_calibrated_head_may_have_to_dose(self, rig: Rig) -> None:
        """Once it is measured, it does."""
        _, state = await pump(rig, "Doser", HeadLimits(only_calibrated=True))
        refusal = await refused(rig, state, 1)
        assert (refusal.limit, refusal.details) == ("not_calibrated", {"head": 1})
        await rig.engine.calibrations.measured(
            state, 0, asked=4000, measured=4100, user=None
        )
        assert (await rig.done(await ask(rig, state, 1))).phase is Phase.COMPLETED

    async def test_a_dose_may_have_to_fit_into_what_is_left(self, rig: Rig) -> None:
        """Its own reservation does not stand in its way."""
        limits = HeadLimits(container=5000, only_if_fits=True)
        _, state = await pump(rig, "Doser", limits)
        await rig.done(await ask(rig, state, 3))
        refusal = await refused(rig, state, 2.1)
        assert (refusal.limit, refusal.left) == ("container_empty", 2)
        assert refusal.details == {"head": 1}
        assert (await rig.done(await ask(rig, state, 2))).phase is Phase.COMPLETED

    async def test_what_is_found_just_before_a_dose_may_be_what_it_needed(
        self, rig: Rig
    ) -> None:
        """The pump gave 3 of 4 mL by itself, as its counter tells before the dose."""
        limits = HeadLimits(container=5000, only_if_fits=True)
        doser, state = await pump(rig, "Doser", limits)
        await rig.done(await ask(rig, state, 1))
        doser.lifetime[0] += 3000
        ended = await rig.done(await ask(rig, state, 3))
        assert (ended.phase, ended.error) == (Phase.FAILED, "refused_container_empty")
        assert doser.sent == [(0, 1000)]
        assert rig.engine.containers.remaining(1, 0) == 1000

    async def test_without_that_wish_an_empty_container_is_no_limit(
        self, rig: Rig
    ) -> None:
        """It may be larger than the keeper said."""
        _, state = await pump(rig, "Doser", HeadLimits(container=1000))
        assert (await rig.done(await ask(rig, state, 3))).phase is Phase.COMPLETED
        assert rig.engine.containers.remaining(1, 0) == 0


class TestRuns:
    """Runs that calibrate or prime."""

    async def test_they_keep_within_the_budgets(self, rig: Rig) -> None:
        """But need no calibration, and are no single dose."""
        limits = HeadLimits(
            budget=5000,
            maximum_volume=1000,
            only_calibrated=True,
            minimum_interval=3600,
            container=4500,
            only_if_fits=True,
        )
        _, state = await pump(rig, "Doser", limits, HeadLimits(enabled=False))
        gate = rig.engine.gate
        assert gate.run_answer(state, run(0, 4000), START) is None
        words = [
            gate.run_answer(state, run(0, 5100), START),
            gate.run_answer(state, run(0, 4600), START),
            gate.run_answer(state, run(1, 100), START),
        ]
        assert [one.limit for one in words if isinstance(one, Refusal)] == [
            "budget_24h",
            "container_empty",
            "head_disabled",
        ]
        gate.note(run(0, 4000))
        assert gate.run_answer(state, run(0, 4000), START) is None


class TestBesideProgrammes:
    """What pumps give by themselves within 24 hours is taken before anybody else's doses."""

    def keep(
        self, rig: Rig, number: int, volume: int, head: int = 0, **more: Any
    ) -> None:
        """Have a pump keep a programme."""
        programme = Programme(
            mode=ProgrammeMode.SINGLE, volume=volume, **{"at": time(9), **more}
        )
        rig.engine.device_memory.content.keep(number, f"head_{head}", programme)

    async def test_a_head_gives_no_more_than_its_limit_with_its_programme(
        self, rig: Rig
    ) -> None:
        """Before the programme has given its share, and after it."""
        doser, state = await pump(rig, "Doser", HeadLimits(budget=5000))
        self.keep(rig, 1, 4000)
        refusal = await refused(rig, state, 1.1)
        assert refusal == Refusal(
            limit="budget_24h",
            asked=1.1,
            allowed=5,
            left=1,
            details={"programme": "4"},
        )
        doser._tell_counters({0: 0}, {})
        self.keep(rig, 1, 4000, at=time(13))
        await rig.advance(2 * 3600)
        doser._tell_counters({0: 4000}, {})
        await rig.settle()
        assert (await refused(rig, state, 1.1)).left == 1
        assert (await rig.done(await ask(rig, state, 1))).phase is Phase.COMPLETED
        refusal = await refused(rig, state, 0.5)
        assert (refusal.left, refusal.frees_at) == (0, START + timedelta(hours=26))
        assert refusal.details == {"programme": "4"}

    async def test_a_dose_keeps_its_distance_from_those_of_the_programme(
        self, rig: Rig
    ) -> None:
        """The shortest time between two doses holds for those ahead, too."""
        _, state = await pump(rig, "Doser", HeadLimits(minimum_interval=1800))
        local = rig.clock.local_now() + timedelta(minutes=10)
        soon = Programme(mode=ProgrammeMode.SINGLE, volume=2000, at=local.time())
        rig.engine.device_memory.content.keep(1, "head_0", soon)
        refusal = await refused(rig, state, 1)
        assert refusal.limit == "minimum_interval"
        assert refusal.frees_at == START + timedelta(minutes=41)

    async def test_only_what_it_gives_within_a_day_is_taken(self, rig: Rig) -> None:
        """The clock of the rig stands on a Tuesday."""
        _, state = await pump(rig, "Doser", HeadLimits(budget=5000))
        self.keep(rig, 1, 4000, weekdays=Weekday.FRIDAY)
        assert (await rig.done(await ask(rig, state, 5))).phase is Phase.COMPLETED

    async def test_budgets_of_an_aquarium_count_all_programmes(self, rig: Rig) -> None:
        """Those of the additive, and all; not those of other aquariums."""
        _, state = await pump(rig, "One", IRON, PHOSPHATE)
        await pump(rig, "Two", IRON)
        await pump(rig, "Other", IRON, aquarium="other")
        rig.engine.set_aquarium_limits(
            "tank", AquariumLimits(budget=9000, additive_budget={"iron": 5000})
        )
        self.keep(rig, 2, 3000)
        self.keep(rig, 3, 9000)
        refusal = await refused(rig, state, 2.1)
        assert (refusal.limit, refusal.left) == ("budget_additive_24h", 2)
        assert refusal.details == {"programme": "3", "additive": "iron"}
        refusal = await refused(rig, state, 6.1, head=1)
        assert (refusal.limit, refusal.left) == ("budget_aquarium_24h", 6)
        assert (await rig.done(await ask(rig, state, 2))).phase is Phase.COMPLETED

    async def test_what_is_left_is_without_the_programme(self, rig: Rig) -> None:
        """As the sensor shows it."""
        _, state = await pump(rig, "Doser", HeadLimits(budget=5000))
        gate, now = rig.engine.gate, rig.clock.now()
        self.keep(rig, 1, 4000)
        assert gate.taken(state, 0, now) == 4000
        await rig.done(await ask(rig, state, 0.5))
        assert gate.taken(state, 0, now) == 4500
        assert gate.taken(state, 1, now) == 0


class TestProgrammes:
    """What is written into a pump's memory, which no gate sees later."""

    def check(
        self, rig: Rig, state: DeviceState, volume: int, head: int = 0
    ) -> Refusal | None:
        """Ask the gate about a programme."""
        programme = Programme(mode=ProgrammeMode.SINGLE, volume=volume, at=time(9))
        return rig.engine.programme_gate.refusal(
            state, head, programme, rig.clock.now()
        )

    async def test_it_keeps_within_the_budget_of_its_head(self, rig: Rig) -> None:
        """Of a day."""
        _, state = await pump(rig, "Doser", HeadLimits(budget=5000))
        assert self.check(rig, state, 5000) is None
        refusal = self.check(rig, state, 5100)
        assert refusal is not None
        assert (refusal.limit, refusal.asked, refusal.left) == ("budget_24h", 5.1, 5)

    async def test_it_shares_budgets_with_the_programmes_of_other_heads(
        self, rig: Rig
    ) -> None:
        """And takes the place of the head's own; another aquarium does not count."""
        _, one = await pump(rig, "One", IRON, PHOSPHATE)
        _, two = await pump(rig, "Two", IRON)
        await pump(rig, "Other", IRON, aquarium="other")
        content = rig.engine.device_memory.content
        for number, slot in (
            (1, "head_0"),
            (1, "head_1"),
            (2, "head_0"),
            (3, "head_0"),
        ):
            content.keep(
                number,
                slot,
                Programme(mode=ProgrammeMode.SINGLE, volume=2000, at=time(9)),
            )
        rig.engine.set_aquarium_limits(
            "tank", AquariumLimits(budget=9000, additive_budget={"iron": 5000})
        )
        assert self.check(rig, two, 3000) is None
        of_additive = self.check(rig, two, 3100)
        of_aquarium = self.check(rig, one, 5100, 1)
        assert of_additive is not None
        assert of_aquarium is not None
        assert (of_additive.limit, of_additive.left) == ("budget_additive_24h", 3)
        assert of_additive.details == {"additive": "iron"}
        assert (of_aquarium.limit, of_aquarium.left) == ("budget_aquarium_24h", 5)
        assert self.check(rig, one, 5000, 1) is None

    async def test_its_doses_keep_to_what_holds_for_each_dose(self, rig: Rig) -> None:
        """Not too large, not too close to each other, nor to another additive."""
        _, state = await pump(
            rig,
            "Doser",
            HeadLimits(additive="iron", maximum_volume=1000, minimum_interval=7200),
            PHOSPHATE,
        )
        rig.engine.set_aquarium_limits("tank", AquariumLimits(spacing=AN_HOUR))
        phosphate = Programme(mode=ProgrammeMode.SINGLE, volume=2000, at=time(9, 30))
        rig.engine.device_memory.content.keep(1, "head_1", phosphate)
        hourly = Programme(mode=ProgrammeMode.EVERY_HOUR, volume=2400)
        refusals = [
            self.check(rig, state, 1100),
            rig.engine.programme_gate.refusal(state, 0, hourly, rig.clock.now()),
            self.check(rig, state, 1000),
        ]
        assert [one.limit for one in refusals if one] == [
            "maximum_volume",
            "programme_interval",
            "programme_spacing",
        ]

    async def test_a_head_that_may_not_dose_gets_none(self, rig: Rig) -> None:
        """Switched off, not in use, or not measured."""
        _, state = await pump(
            rig,
            "Doser",
            HeadLimits(only_calibrated=True),
            HeadLimits(enabled=False),
        )
        words = [
            self.check(rig, state, 100),
            self.check(rig, state, 100, 1),
        ]
        assert [one.limit for one in words if one] == [
            "not_calibrated",
            "head_disabled",
        ]


class TestSpacing:
    """Additives that must not come together, over all pumps of an aquarium."""

    async def two_pumps(
        self, rig: Rig
    ) -> tuple[MemoryDoser, DeviceState, MemoryDoser, DeviceState]:
        """Attach a pump for each additive."""
        one, first = await pump(rig, "One", IRON)
        two, second = await pump(rig, "Two", PHOSPHATE)
        rig.engine.set_aquarium_limits("tank", AquariumLimits(spacing=AN_HOUR))
        return one, first, two, second

    async def test_the_second_waits_and_is_given_when_its_time_has_come(
        self, rig: Rig
    ) -> None:
        """Longer than a queue would let it wait; it stays pending."""
        _, first, two, second = await self.two_pumps(rig)
        await rig.done(await ask(rig, first, 1))
        waiting = await ask(rig, second, 1)
        await rig.advance(3000)
        assert two.sent == []
        stored = await rig.stored(waiting)
        assert stored.phase is Phase.PLANNED
        await rig.advance(602)
        assert (await rig.done(waiting)).phase is Phase.COMPLETED
        assert two.sent == [(0, 1000)]

    async def test_it_does_not_block_its_pump(self, rig: Rig) -> None:
        """Another head doses meanwhile."""
        _, first, two, second = await self.two_pumps(rig)
        await rig.done(await ask(rig, first, 1))
        await ask(rig, second, 1)
        assert (await rig.done(await ask(rig, second, 2, 1))).phase is Phase.COMPLETED
        assert two.sent == [(1, 2000)]

    async def test_a_dose_under_way_is_waited_for(self, rig: Rig) -> None:
        """From its end on, however long it takes."""
        one, first, two, second = await self.two_pumps(rig)
        one.slow = True
        under_way = await ask(rig, first, 40)
        waiting = await ask(rig, second, 1)
        await rig.advance(30)
        one.under_way[0].give(40_000)
        await rig.done(under_way)
        await rig.advance(3571)
        assert two.sent == []
        await rig.advance(69)
        assert (await rig.done(waiting)).phase is Phase.COMPLETED

    async def test_of_two_that_wait_the_first_goes_first(self, rig: Rig) -> None:
        """The other one has its time from then on; neither expires."""
        _, first, two, second = await self.two_pumps(rig)
        await rig.done(await ask(rig, first, 1))
        phosphate = await ask(rig, second, 1)
        await rig.advance(3602)
        await rig.done(phosphate)
        iron = await ask(rig, first, 2)
        await rig.advance(3602)
        assert (await rig.done(iron)).phase is Phase.COMPLETED
        assert two.sent == [(0, 1000)]

    async def test_it_still_waits_after_a_restart(self, rig: Rig) -> None:
        """Its place is on disk, and how long it may wait."""
        one, first, two, second = await self.two_pumps(rig)
        await rig.done(await ask(rig, first, 1))
        waiting = await ask(rig, second, 1)
        await rig.engine.close()
        rig.clock.advance(1800)
        await rig.boot(start=False)
        await rig.attach(one, heads={0: IRON})
        await rig.attach(two, heads={0: PHOSPHATE})
        rig.engine.set_aquarium_limits("tank", AquariumLimits(spacing=AN_HOUR))
        rig.engine.start()
        await rig.settle()
        assert two.sent == []
        await rig.advance(1802)
        assert (await rig.done(waiting)).phase is Phase.COMPLETED
        assert two.sent == [(0, 1000)]

    async def test_when_its_time_has_come_it_waits_no_longer_than_any_other(
        self, rig: Rig
    ) -> None:
        """Its pump is busy for too long: it expires, five minutes after its moment."""
        _, first, two, second = await self.two_pumps(rig)
        await rig.done(await ask(rig, first, 1))
        waiting = await ask(rig, second, 1)
        two.slow = True
        await rig.advance(3590)
        await ask(rig, second, 50, 1)
        await rig.advance(12)
        assert rig.engine.records.current(waiting.key) is not None
        await rig.advance(QUEUE_EXPIRY.total_seconds())
        ended = await rig.done(waiting)
        assert (ended.phase, ended.error_code) == (Phase.MISSED, ErrorCode.EXPIRED)

    async def test_it_may_be_called_off_while_it_waits(self, rig: Rig) -> None:
        """When its time comes nothing happens."""
        _, first, two, second = await self.two_pumps(rig)
        await rig.done(await ask(rig, first, 1))
        waiting = await ask(rig, second, 1)
        assert (await rig.engine.cancel(waiting)).phase is Phase.WITHDRAWN
        await rig.advance(3602)
        assert two.sent == []

    async def test_it_does_not_wait_for_ever(self, rig: Rig) -> None:
        """A spacing of days ends in a dose that has expired."""
        _, first, two, second = await self.two_pumps(rig)
        days = (Spacing(first="iron", second="phosphate", seconds=72 * 3600),)
        rig.engine.set_aquarium_limits("tank", AquariumLimits(spacing=days))
        await rig.done(await ask(rig, first, 1))
        waiting = await ask(rig, second, 1)
        await rig.advance(LONGEST_WAIT.total_seconds())
        assert rig.engine.records.current(waiting.key) is not None
        await rig.advance(QUEUE_EXPIRY.total_seconds() + 1)
        assert (await rig.done(waiting)).phase is Phase.MISSED
        assert two.sent == []

    async def test_a_limit_is_told_before_any_waiting(self, rig: Rig) -> None:
        """A dose that is refused need not wait to hear so."""
        _, first, two, second = await self.two_pumps(rig)
        await rig.done(await ask(rig, first, 1))
        second.limits = DeviceLimits(
            heads={0: HeadLimits(additive="phosphate", budget=500)}
        )
        assert (await refused(rig, second, 1)).limit == "budget_24h"
        assert two.sent == []

    async def test_what_the_pump_gave_by_itself_makes_it_wait_too(
        self, rig: Rig
    ) -> None:
        """It was found just before the dose would have gone out."""
        doser = MemoryDoser()
        state = await rig.attach(doser, heads={0: IRON, 1: PHOSPHATE})
        doser._tell_counters({0: 0, 1: 0}, {})
        rig.engine.set_aquarium_limits(
            "tank",
            AquariumLimits(
                spacing=(Spacing(first="iron", second="iron", seconds=600),)
            ),
        )
        doser.lifetime[0] = 3000
        waiting = await ask(rig, state, 1)
        assert doser.sent == []
        assert rig.engine.gate.given(1, 0, START) == 3000
        await rig.advance(602)
        assert (await rig.done(waiting)).phase is Phase.COMPLETED

    async def test_what_the_pump_will_give_by_itself_makes_it_wait_too(
        self, rig: Rig
    ) -> None:
        """Its programme comes first: the dose is given when both are apart."""
        doser = MemoryDoser()
        state = await rig.attach(doser, heads={0: IRON, 1: PHOSPHATE})
        rig.engine.set_aquarium_limits("tank", AquariumLimits(spacing=AN_HOUR))
        local = rig.clock.local_now() + timedelta(minutes=10)
        soon = Programme(mode=ProgrammeMode.SINGLE, volume=2000, at=local.time())
        rig.engine.device_memory.content.keep(1, "head_1", soon)
        waiting = await ask(rig, state, 1)
        assert doser.sent == []
        await rig.advance(60 * 70)
        assert doser.sent == []
        await rig.advance(62)
        assert (await rig.done(waiting)).phase is Phase.COMPLETED

    async def test_an_aquarium_that_keeps_nothing_apart_lets_all_pass(
        self, rig: Rig
    ) -> None:
        """And a head without an additive is never kept."""
        _, first, _, second = await self.two_pumps(rig)
        await rig.done(await ask(rig, first, 1))
        assert (await rig.done(await ask(rig, first, 1, 1))).phase is Phase.COMPLETED
        rig.engine.set_aquarium_limits("tank", AquariumLimits())
        assert (await rig.done(await ask(rig, second, 1))).phase is Phase.COMPLETED
