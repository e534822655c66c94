"""The clock of a Home Assistant process (law 6)."""

from datetime import timedelta
from pathlib import Path

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.aquarist.engine import clock as clock_room
from custom_components.aquarist.engine.clock import (
    Anchor,
    HomeAssistantClock,
    anchor,
    later,
    read_boot_id,
)
from tests.fakes.manual_clock import START, ManualEngineClock


class TestAnchor:
    """A moment in both times."""

    def test_within_one_run_of_the_machine_elapsed_time_counts(self) -> None:
        """The wall clock may be set as one likes."""
        clock = ManualEngineClock()
        since = anchor(clock)
        clock.advance(100)
        clock.jump(-7200)
        assert since.seconds_since(clock) == 100

    def test_after_a_restart_of_the_machine_the_wall_clock_counts(self) -> None:
        """Never below zero."""
        clock = ManualEngineClock(boot="boot-2")
        since = Anchor(wall=START - timedelta(hours=1), elapsed=9e9, boot="boot-1")
        assert since.seconds_since(clock) == 3600
        clock.jump(-7200)
        assert since.seconds_since(clock) == 0

    def test_an_elapsed_reading_of_the_future_is_now(self) -> None:
        """A store that was copied from another machine."""
        clock = ManualEngineClock()
        since = Anchor(wall=START, elapsed=clock.elapsed() + 50, boot=clock.boot)
        assert since.seconds_since(clock) == 0


class TestBoot:
    """Which run of the machine it is."""

    def test_it_is_the_same_for_a_whole_run(self) -> None:
        """As the system tells it."""
        assert read_boot_id() == read_boot_id()

    def test_where_the_system_tells_nothing_each_run_of_ours_is_one(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Then the wall clock counts after every restart."""
        monkeypatch.setattr(clock_room, "_BOOT_ID", tmp_path / "missing")
        assert read_boot_id() != read_boot_id()


class TestHomeAssistant:
    """Time and waking come from Home Assistant."""

    async def test_what_time_it_is(
        self, hass: HomeAssistant, freezer: FrozenDateTimeFactory
    ) -> None:
        """Aware; the house has a clock of its own."""
        await hass.config.async_set_time_zone("Asia/Tokyo")
        freezer.move_to(START)
        clock = HomeAssistantClock(hass, "boot-1")
        assert clock.boot == "boot-1"
        assert clock.now() == clock.local_now() == START
        assert clock.now().utcoffset() == timedelta(0)
        assert clock.local_now().utcoffset() == timedelta(hours=9)
        assert later(clock, 60) == START + timedelta(minutes=1)

    async def test_elapsed_time_passes(self, hass: HomeAssistant) -> None:
        """Evenly, and never back."""
        clock = HomeAssistantClock(hass, "boot-1")
        before = clock.elapsed()
        assert clock.elapsed() >= before

    async def test_waking_at_an_instant(
        self, hass: HomeAssistant, freezer: FrozenDateTimeFactory
    ) -> None:
        """Once, in the event loop, unless it was called off."""
        clock = HomeAssistantClock(hass, "boot-1")
        woken: list[str] = []
        at = clock.now() + timedelta(minutes=5)
        clock.call_at(at, lambda: woken.append("kept"))
        clock.call_at(at, lambda: woken.append("called off"))()
        freezer.move_to(at - timedelta(seconds=2))
        async_fire_time_changed(hass)
        assert woken == []
        for _ in range(2):
            freezer.move_to(at + timedelta(seconds=1))
            async_fire_time_changed(hass)
        assert woken == ["kept"]

    async def test_waking_after_a_while(
        self, hass: HomeAssistant, freezer: FrozenDateTimeFactory
    ) -> None:
        """Once, unless it was called off."""
        clock = HomeAssistantClock(hass, "boot-1")
        woken: list[str] = []
        clock.call_later(30, lambda: woken.append("kept"))
        clock.call_later(30, lambda: woken.append("called off"))()
        freezer.tick(10)
        async_fire_time_changed(hass, dt_util.utcnow())
        assert woken == []
        for _ in range(2):
            freezer.tick(30)
            async_fire_time_changed(hass, dt_util.utcnow())
        assert woken == ["kept"]
