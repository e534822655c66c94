"""The clocks: elapsed seconds and actions that fall due."""

import asyncio

import pytest

from custom_components.aquarist.simulator.clock import LoopClock, ManualClock


def test_it_stands_still_until_it_is_advanced(clock: ManualClock) -> None:
    """Time passes only by advance."""
    assert clock.elapsed() == 0
    clock.advance(1.5)
    assert clock.elapsed() == 1.5


def test_actions_fire_in_order_each_at_its_own_time(clock: ManualClock) -> None:
    """The earliest comes first, and sees the time it asked for."""
    fired: list[tuple[str, float]] = []
    clock.call_at(3, lambda: fired.append(("late", clock.elapsed())))
    clock.call_at(1, lambda: fired.append(("early", clock.elapsed())))
    clock.call_at(1, lambda: fired.append(("second", clock.elapsed())))
    clock.advance(2)
    assert fired == [("early", 1), ("second", 1)]
    clock.advance(1)
    assert fired[2:] == [("late", 3)]


def test_an_action_given_meanwhile_fires_in_the_same_advance(
    clock: ManualClock,
) -> None:
    """A chain of actions runs through."""
    fired: list[float] = []

    def chain() -> None:
        clock.call_at(2, lambda: fired.append(clock.elapsed()))

    clock.call_at(1, chain)
    clock.advance(5)
    assert fired == [2]


def test_an_action_in_the_past_fires_with_the_next_advance(clock: ManualClock) -> None:
    """Time never goes back for it."""
    clock.advance(10)
    fired: list[float] = []
    clock.call_at(4, lambda: fired.append(clock.elapsed()))
    clock.advance(0)
    assert fired == [10]


def test_a_cancelled_action_does_not_fire(clock: ManualClock) -> None:
    """Cancelling twice, or after the fact, does no harm."""
    fired: list[str] = []
    cancel = clock.call_at(1, lambda: fired.append("no"))
    cancel()
    cancel()
    clock.advance(2)
    assert fired == []


def test_it_never_goes_back(clock: ManualClock) -> None:
    """Negative seconds are refused."""
    with pytest.raises(ValueError, match="seconds"):
        clock.advance(-1)


async def test_the_loop_clock_follows_its_loop() -> None:
    """Elapsed is the loop's time, actions are the loop's timers and can be called off."""
    loop = asyncio.get_running_loop()
    clock = LoopClock(loop)
    before = loop.time()
    assert before <= clock.elapsed() <= loop.time()
    fired = asyncio.Event()
    called_off: list[str] = []
    clock.call_at(clock.elapsed(), lambda: called_off.append("no"))()
    clock.call_at(clock.elapsed(), fired.set)
    async with asyncio.timeout(5):
        await fired.wait()
    assert called_off == []
