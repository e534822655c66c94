"""What the pump counted: open doses explained, its own doses found, resets survived (RES-52)."""

from datetime import UTC, datetime, time, timedelta
import logging
from sqlite3 import Connection
from typing import Any

import pytest

from custom_components.aquarist.commands.command import Command
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.dosing.account import COUNTER_END
from custom_components.aquarist.dosing.ledger import PROGRAMME, PUMP, Dose, DoseState
from custom_components.aquarist.dosing.programme import Programme, ProgrammeMode
from custom_components.aquarist.engine.changes import DeviceChanged, DoseChanged
from custom_components.aquarist.engine.counter_looks import EVERY_LOOK
from custom_components.aquarist.engine.state import DeviceState, HeadLimits
from custom_components.aquarist.store import doses
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import SERVICE, Rig
from tests.fakes.manual_clock import START

HEAD = 0


async def slow(rig: Rig, **limits: Any) -> tuple[MemoryDoser, DeviceState]:
    """Attach a doser whose doses end only when the test says so."""
    doser = MemoryDoser()
    doser.slow = True
    return doser, await rig.attach(doser, **limits)


async def dose(rig: Rig, state: DeviceState, volume: float) -> Command:
    """Ask for a dose, and let it be sent."""
    command = await rig.engine.send(
        state, "dose", {"head_index": HEAD, "volume_ml": volume}, SERVICE
    )
    await rig.settle()
    return command


async def lost(rig: Rig, doser: MemoryDoser, state: DeviceState, volume: float) -> None:
    """Ask for a dose whose end nobody sees."""
    command = await dose(rig, state, volume)
    doser.under_way[-1].give(None)
    await rig.done(command)


async def ledger(rig: Rig) -> list[Dose]:
    """Return the doses on disk."""
    assert rig.engine.database is not None

    def query(connection: Connection) -> list[Dose]:
        return doses.since(connection, datetime(2000, 1, 1, tzinfo=UTC))

    return await rig.engine.database.read(query)


async def known(rig: Rig) -> list[tuple[str, int | None]]:
    """Return state and volume given of each dose on disk, the same as in memory."""
    on_disk = await ledger(rig)
    in_memory = {one.key: one for one in rig.engine.gate.doses(1, HEAD)}
    assert {one.key: one for one in on_disk} == in_memory
    return [(one.state.value, one.given) for one in on_disk]


def tell(
    doser: MemoryDoser, lifetime: int | None = None, today: int | None = None
) -> None:
    """Report the totals of the first head, as the pump does: one after the other."""
    if lifetime is not None:
        doser._tell_counters({HEAD: lifetime}, {})
    if today is not None:
        doser._tell_counters({}, {HEAD: today})


class TestOpenDoses:
    """Doses whose end nobody saw."""

    async def test_two_are_explained_together(self, rig: Rig) -> None:
        """3 of 2 and 3 mL: the first was not given."""
        doser, state = await slow(rig)
        await lost(rig, doser, state, 2)
        await lost(rig, doser, state, 3)
        doser.lifetime[HEAD] = 3000
        await rig.advance(60)
        assert await known(rig) == [("not_given", 0), ("given", 3000)]

    async def test_two_that_left_no_trace_were_not_given(self, rig: Rig) -> None:
        """Neither of them."""
        doser, state = await slow(rig)
        await lost(rig, doser, state, 2)
        await lost(rig, doser, state, 2)
        await rig.advance(60)
        assert await known(rig) == [("not_given", 0)] * 2

    async def test_one_decided_by_the_keeper_explains_the_other(self, rig: Rig) -> None:
        """2 mL came out of one of two alike; the keeper says which."""
        doser, state = await slow(rig)
        await lost(rig, doser, state, 2)
        await lost(rig, doser, state, 2)
        doser.lifetime[HEAD] = 2000
        await rig.advance(60)
        assert await known(rig) == [("unknown", None)] * 2
        first, _ = rig.engine.gate.unknown
        rig.engine.ledger.settled(first, DoseState.NOT_GIVEN)
        await rig.settle()
        assert await known(rig) == [("not_given", 0), ("given", 2000)]

    async def test_the_keeper_may_know_better_than_a_rise_that_tells_nothing(
        self, rig: Rig
    ) -> None:
        """What the dose did not give then came from the pump itself."""
        doser, state = await slow(rig)
        await lost(rig, doser, state, 2)
        doser.lifetime[HEAD] = 9000
        await rig.advance(60)
        assert await known(rig) == [("unknown", None), ("given", 7000)]
        rig.engine.ledger.settled(rig.engine.gate.unknown[0], DoseState.NOT_GIVEN)
        await rig.settle()
        assert await known(rig) == [
            ("not_given", 0),
            ("given", 7000),
            ("given", 2000),
        ]

    async def test_a_keeper_who_decided_before_the_counter_could_be_read(
        self, rig: Rig
    ) -> None:
        """The next reading shows the same volume: it is not booked twice."""
        doser, state = await slow(rig)
        await lost(rig, doser, state, 2)
        rig.engine.ledger.settled(rig.engine.gate.unknown[0], DoseState.GIVEN)
        await rig.settle()
        (state,) = await rig.reboot(doser)
        tell(doser, 2000)
        await rig.settle()
        assert await known(rig) == [("given", 2000)]

    async def test_a_keeper_who_was_wrong_hides_nothing_that_comes_later(
        self, rig: Rig
    ) -> None:
        """The counter shows that nothing was given; what it then rises is the pump's own."""
        doser, state = await slow(rig)
        await lost(rig, doser, state, 2)
        rig.engine.ledger.settled(rig.engine.gate.unknown[0], DoseState.GIVEN)
        tell(doser, 0)
        tell(doser, 1500)
        await rig.settle()
        assert await known(rig) == [("given", 2000), ("given", 1500)]

    async def test_a_dose_whose_counter_was_not_read_is_for_the_keeper(
        self, rig: Rig
    ) -> None:
        """Also when a later reading would fit."""
        doser, state = await slow(rig)
        tell(doser, 0)
        doser.counts = False
        await lost(rig, doser, state, 2)
        tell(doser, 2000)
        await rig.advance(60)
        tell(doser, 2000)
        await rig.settle()
        assert await known(rig) == [("unknown", None)]
        tell(doser, 0)
        tell(doser, 0)
        await rig.settle()
        assert await known(rig) == [("unknown", None)]

    async def test_while_a_dose_may_still_be_delivered_nothing_is_decided(
        self, rig: Rig
    ) -> None:
        """The counters run along with it."""
        doser, state = await slow(rig)
        await lost(rig, doser, state, 10)
        tell(doser, 3000)
        await rig.settle()
        assert await known(rig) == [("unknown", None)]
        doser.lifetime[HEAD] = 10_000
        await rig.advance(30)
        assert await known(rig) == [("given", 10_000)]

    async def test_the_programme_may_have_given_it(self, rig: Rig) -> None:
        """A rise that fits both is no explanation; none is, and so are both."""
        doser, state = await slow(rig)
        programme = Programme(
            mode=ProgrammeMode.SINGLE, volume=2000, at=time(12, 0, 30)
        )
        rig.engine.device_memory.content.keep(1, "head_0", programme)
        await lost(rig, doser, state, 2)
        doser.lifetime[HEAD] = 2000
        await rig.advance(60)
        assert await known(rig) == [("unknown", None)]
        doser.lifetime[HEAD] = 4000
        tell(doser, 4000)
        await rig.settle()
        assert await known(rig) == [("given", 2000), ("given", 2000)]

    async def test_a_programme_of_another_time_explains_nothing(self, rig: Rig) -> None:
        """It runs in the evening."""
        doser, state = await slow(rig)
        programme = Programme(mode=ProgrammeMode.SINGLE, volume=2000, at=time(19))
        rig.engine.device_memory.content.keep(1, "head_0", programme)
        await lost(rig, doser, state, 2)
        doser.lifetime[HEAD] = 2000
        await rig.advance(60)
        assert await known(rig) == [("given", 2000)]

    async def test_a_programme_that_ran_very_often_leaves_only_none_or_unknown(
        self, rig: Rig
    ) -> None:
        """Nobody counts a week of hourly doses."""
        doser, state = await slow(rig)
        programme = Programme(mode=ProgrammeMode.EVERY_HOUR, volume=2400)
        rig.engine.device_memory.content.keep(1, "head_0", programme)
        await lost(rig, doser, state, 2)
        await rig.engine.equipment.detach(1)
        await rig.advance(7 * 24 * 3600)
        doser.lifetime[HEAD] = 1200
        await rig.attach(doser)
        await rig.advance(60)
        assert await known(rig) == [("unknown", None)]


class TestPumpsOwnDoses:
    """What the pump gave by itself: programmes, and the vendor's app."""

    async def test_it_is_found_between_two_readings(self, rig: Rig) -> None:
        """Booked at the reading, counted by head, additive and aquarium."""
        doser, state = await slow(rig, heads={0: HeadLimits(additive="iron")})
        tell(doser, 70_000, 500)
        rig.changes.clear()
        await rig.advance(3600)
        tell(doser, 73_000, 3500)
        await rig.settle()
        (found,) = await ledger(rig)
        assert (found.state, found.volume, found.given) == (
            DoseState.GIVEN,
            3000,
            3000,
        )
        assert (found.source, found.additive, found.aquarium) == (PUMP, "iron", "tank")
        assert found.at == START + timedelta(hours=1)
        assert rig.engine.gate.given(1, HEAD, rig.clock.now()) == 3000
        told = [one.dose for one in rig.changes if isinstance(one, DoseChanged)]
        assert told == [found]
        assert state.row.number == 1

    async def test_our_own_doses_are_not_found_again(self, rig: Rig) -> None:
        """Whether the counter was read before or after their end was told."""
        doser, state = await slow(rig)
        tell(doser, 70_000)
        doser.lifetime[HEAD] = 70_000
        command = await dose(rig, state, 3)
        doser.under_way[0].give(3000)
        assert (await rig.done(command)).phase is Phase.COMPLETED
        tell(doser, 73_000)
        await rig.settle()
        assert await known(rig) == [("given", 3000)]
        command = await dose(rig, state, 2)
        tell(doser, 75_000)
        doser.under_way[1].give(2000)
        await rig.done(command)
        tell(doser, 75_000)
        await rig.settle()
        assert await known(rig) == [("given", 3000), ("given", 2000)]

    async def test_it_is_found_after_a_restart_too(self, rig: Rig) -> None:
        """The counters on disk are where the account begins."""
        doser, _ = await slow(rig)
        tell(doser, 70_000)
        await rig.settle()
        await rig.reboot(doser)
        tell(doser, 74_000)
        await rig.settle()
        assert await known(rig) == [("given", 4000)]
        await rig.reboot(doser)
        tell(doser, 74_000)
        await rig.settle()
        assert await known(rig) == [("given", 4000)]

    async def test_an_open_dose_of_the_last_life_is_not_taken_for_it(
        self, rig: Rig
    ) -> None:
        """What it explains and what was booked since is known from the doses on disk."""
        doser, state = await slow(rig)
        tell(doser, 70_000)
        doser.lifetime[HEAD] = 70_000
        await lost(rig, doser, state, 2)
        doser.lifetime[HEAD] = 79_000
        await rig.advance(60)
        assert await known(rig) == [("unknown", None), ("given", 7000)]
        (state,) = await rig.reboot(doser)
        tell(doser, 80_000)
        await rig.settle()
        assert await known(rig) == [
            ("unknown", None),
            ("given", 7000),
            ("given", 1000),
        ]

    async def test_a_tenth_is_what_the_counters_may_be_off_by(self, rig: Rig) -> None:
        """It is booked with the next one."""
        doser, _ = await slow(rig)
        tell(doser, 70_000)
        tell(doser, 70_100)
        await rig.settle()
        assert await known(rig) == []
        tell(doser, 70_200)
        await rig.settle()
        assert await known(rig) == [("given", 200)]

    async def test_a_tenth_that_is_not_booked_yet_survives_a_restart(
        self, rig: Rig
    ) -> None:
        """Tenths do not get lost one by one; one that an open dose came after neither."""
        doser, state = await slow(rig)
        tell(doser, 70_000)
        doser.lifetime[HEAD] = 70_100
        tell(doser, 70_100)
        await rig.settle()
        (state,) = await rig.reboot(doser)
        await lost(rig, doser, state, 2)
        await rig.reboot(doser)
        doser.lifetime[HEAD] = 72_100
        await rig.advance(60)
        assert await known(rig) == [("given", 2100)]

    async def test_a_total_that_is_pushed_has_the_counters_read(self, rig: Rig) -> None:
        """The pump has just given something by itself."""
        doser, _ = await slow(rig)
        tell(doser, 0, 0)
        doser.lifetime[HEAD] = 1500
        tell(doser, None, 1500)
        await rig.advance(1)
        assert doser.asked == 1
        assert await known(rig) == [("given", 1500)]
        tell(doser, None, 3000)
        await rig.engine.equipment.detach(1)
        await rig.advance(1)
        assert doser.asked == 1

    async def test_our_own_dose_that_is_pushed_has_nothing_read(self, rig: Rig) -> None:
        """It explains the total."""
        doser, state = await slow(rig)
        tell(doser, 0, 0)
        command = await dose(rig, state, 2)
        tell(doser, None, 2000)
        doser.under_way[0].give(2000)
        await rig.done(command)
        tell(doser, None, 2000)
        await rig.advance(1)
        assert doser.asked == 0

    async def test_a_pump_with_a_programme_is_looked_at_now_and_then(
        self, rig: Rig
    ) -> None:
        """Although nobody asks it for a dose."""
        doser, state = await slow(rig)
        tell(doser, 0)
        doser.lifetime[HEAD] = 1200
        await rig.advance(EVERY_LOOK)
        assert doser.asked == 0
        programme = Programme(mode=ProgrammeMode.EVERY_HOUR, volume=2400)
        rig.engine.device_memory.content.keep(1, "head_0", programme)
        await rig.advance(EVERY_LOOK)
        assert doser.asked == 1
        assert await known(rig) == [("given", 1200)]
        (found,) = await ledger(rig)
        assert found.source == PROGRAMME
        assert state.available

    async def test_what_the_programme_cannot_have_given_is_told_apart(
        self, rig: Rig
    ) -> None:
        """Somebody gave 3 mL with the app; the programme its 2 mL at one o'clock."""
        doser, _ = await slow(rig)
        programme = Programme(mode=ProgrammeMode.SINGLE, volume=2000, at=time(13))
        rig.engine.device_memory.content.keep(1, "head_0", programme)
        tell(doser, 0)
        await rig.advance(1800)
        tell(doser, 1000)
        await rig.advance(3600)
        tell(doser, 5000)
        await rig.settle()
        told = [(one.source, one.given) for one in await ledger(rig)]
        assert told == [(PUMP, 1000), (PROGRAMME, 2000), (PUMP, 2000)]
        gate, now = rig.engine.gate, rig.clock.now()
        assert gate.taken(rig.engine.device(1), HEAD, now) == 5000

    async def test_both_totals_in_one_word_are_one_reading(self, rig: Rig) -> None:
        """A pump may tell them together."""
        doser, _ = await slow(rig)
        doser._tell_counters({HEAD: 70_000}, {HEAD: 1000})
        doser._tell_counters({HEAD: 0}, {HEAD: 3000})
        await rig.advance(1)
        assert await known(rig) == [("given", 2000)]
        assert doser.asked == 0

    async def test_what_ran_beyond_any_dose_is_booked(self, rig: Rig) -> None:
        """A switch that went on by hand, or off too late."""
        doser, state = await slow(rig)
        at = START - timedelta(minutes=5)
        doser._tell_ran(HEAD, 1200, at)
        await rig.settle()
        (found,) = await ledger(rig)
        assert (found.given, found.at, found.source) == (1200, at, PUMP)
        assert rig.engine.gate.given(state.row.number, HEAD, START) == 1200


class TestCountersThatDoNotGoOn:
    """Reset, replaced, or at their end."""

    async def test_a_reset_makes_no_doses(
        self, rig: Rig, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A new base line, told once."""
        caplog.set_level(logging.INFO)
        doser, _ = await slow(rig)
        tell(doser, 70_000, 1000)
        tell(doser, 0, 1000)
        tell(doser, 0, 1000)
        await rig.settle()
        assert await known(rig) == []
        assert caplog.text.count("started over") == 1
        tell(doser, 2000, 3000)
        await rig.settle()
        assert await known(rig) == [("given", 2000)]

    async def test_a_dose_over_a_reset_is_settled_by_todays_total(
        self, rig: Rig
    ) -> None:
        """And still is after a restart in between."""
        doser, state = await slow(rig)
        doser.lifetime[HEAD] = 70_000
        tell(doser, 70_000, 1000)
        await lost(rig, doser, state, 2)
        tell(doser, 0, 1000)
        await rig.settle()
        (state,) = await rig.reboot(doser)
        doser.lifetime[HEAD] = 2000
        await rig.advance(60)
        assert await known(rig) == [("given", 2000)]

    async def test_a_dose_over_a_reset_that_nothing_tells_of_is_for_the_keeper(
        self, rig: Rig
    ) -> None:
        """Nothing is made up, and nobody asks the pump for ever."""
        doser, state = await slow(rig)
        doser.lifetime[HEAD] = 70_000
        tell(doser, 70_000)
        await lost(rig, doser, state, 2)
        tell(doser, 0)
        tell(doser, 0)
        await rig.advance(60)
        asked = doser.asked
        await rig.advance(3600)
        assert doser.asked == asked
        assert await known(rig) == [("unknown", None)]
        (unknown,) = rig.engine.gate.unknown
        assert unknown.lifetime_before is None
        rig.engine.ledger.settled(unknown, DoseState.GIVEN)
        tell(doser, 0)
        await rig.settle()
        assert await known(rig) == [("given", 2000)]

    async def test_what_comes_after_a_lost_thread_is_not_hidden_by_a_dose_before(
        self, rig: Rig
    ) -> None:
        """The keeper knows that the dose was given; the pump gave as much again."""
        doser, state = await slow(rig)
        doser.lifetime[HEAD] = 70_000
        tell(doser, 70_000)
        await lost(rig, doser, state, 2)
        doser.lifetime[HEAD] = 0
        await rig.advance(60)
        tell(doser, 0)
        await rig.settle()
        rig.engine.ledger.settled(rig.engine.gate.unknown[0], DoseState.GIVEN)
        tell(doser, 2000)
        await rig.settle()
        assert await known(rig) == [("given", 2000)] * 2

    @pytest.mark.parametrize("told", ["by the pump", "before", "after"])
    async def test_a_dose_before_which_the_pump_did_not_answer_is_booked_once(
        self, rig: Rig, told: str
    ) -> None:
        """The next reading shows it, whoever has told its end, before or after that."""
        doser, state = await slow(rig)
        tell(doser, 0)
        doser.counts = False
        command = await dose(rig, state, 2)
        doser.under_way[-1].give(2000 if told == "by the pump" else None)
        await rig.done(command)
        unknown = rig.engine.gate.unknown
        if told == "before":
            rig.engine.ledger.settled(unknown[0], DoseState.GIVEN)
        await rig.advance(60)
        tell(doser, 2000)
        if told == "after":
            rig.engine.ledger.settled(unknown[0], DoseState.GIVEN)
        tell(doser, 2000)
        await rig.settle()
        assert await known(rig) == [("given", 2000)]

    async def test_a_counter_that_sticks_at_its_end_counts_by_todays_total(
        self, rig: Rig, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Open doses too."""
        caplog.set_level(logging.INFO)
        doser, state = await slow(rig)
        doser.lifetime[HEAD] = COUNTER_END - 1000
        tell(doser, COUNTER_END - 1000, 1000)
        await lost(rig, doser, state, 3)
        doser.counts = False
        await rig.advance(30)
        tell(doser, COUNTER_END, 4000)
        await rig.settle()
        assert await known(rig) == [("given", 3000)]
        tell(doser, COUNTER_END, 6000)
        await rig.settle()
        assert await known(rig) == [("given", 3000), ("given", 2000)]
        assert caplog.text.count("is at its end") == 1

    async def test_a_counter_that_wraps_counts_on(self, rig: Rig) -> None:
        """Today's total tells across the end."""
        doser, _ = await slow(rig)
        tell(doser, COUNTER_END - 1000, 1000)
        tell(doser, 900, 3000)
        await rig.settle()
        assert await known(rig) == [("given", 2000)]

    async def test_a_dose_that_the_lifetime_has_told_is_not_told_again(
        self, rig: Rig
    ) -> None:
        """Today's total was not heard of before the counter was set to zero, nor the life ended."""
        doser, state = await slow(rig)
        doser.lifetime[HEAD] = 70_000
        tell(doser, 70_000, 1000)
        await lost(rig, doser, state, 2)
        doser.lifetime[HEAD] = 72_000
        await rig.advance(60)
        assert await known(rig) == [("given", 2000)]
        await rig.reboot(doser)
        tell(doser, 0, 3000)
        await rig.settle()
        assert await known(rig) == [("given", 2000)]

    async def test_a_restart_forgets_neither_the_day_nor_that_today_is_waited_for(
        self, rig: Rig
    ) -> None:
        """A dose over a reset is no dose that was not given, whenever the life ends."""
        doser, state = await slow(rig)
        doser.lifetime[HEAD] = 70_000
        tell(doser, 70_000, 1000)
        await lost(rig, doser, state, 2)
        doser.lifetime[HEAD] = 0
        tell(doser, 0)
        await rig.settle()
        await rig.reboot(doser)
        tell(doser, None, 3000)
        await rig.advance(60)
        assert await known(rig) == [("given", 2000)]

    async def test_a_total_of_yesterday_tells_nothing_after_a_restart(
        self, rig: Rig
    ) -> None:
        """However fresh the lifetime is."""
        doser, _ = await slow(rig)
        tell(doser, 70_000, 1000)
        await rig.advance(24 * 3600)
        tell(doser, 70_000)
        await rig.settle()
        await rig.reboot(doser)
        tell(doser, 0, 4000)
        await rig.settle()
        assert await known(rig) == []

    async def test_what_a_pump_counted_is_told_when_it_is_on_disk(
        self, rig: Rig
    ) -> None:
        """All heads in one unit, and nothing of it before (law 2)."""
        doser, _ = await slow(rig)
        await rig.settle()
        rig.changes.clear()
        doser._tell_counters({0: 7000, 1: 8000}, {})
        assert rig.changes == []
        assert rig.engine.counters == {}
        await rig.settle()
        assert rig.changes == [DeviceChanged(device=1)]
        assert [one.lifetime for one in rig.engine.counters.values()] == [7000, 8000]
