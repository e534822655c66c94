"""Whose turn it is."""

import asyncio

import pytest

from custom_components.aquarist.ble.turns import Turns
from tests.fakes.virtual_time import virtual_time


@virtual_time
async def test_a_turn_that_comes_as_its_taker_gives_up_goes_on_to_the_next() -> None:
    """No turn is lost to a cancelled task."""
    turns = Turns()
    await turns.take()
    first = asyncio.create_task(turns.take())
    second = asyncio.create_task(turns.take())
    await asyncio.sleep(0)
    turns.give()
    first.cancel()
    await second
    with pytest.raises(asyncio.CancelledError):
        await first
    turns.give()
    assert turns.idle


@virtual_time
async def test_a_turn_passes_over_who_has_just_given_up() -> None:
    """Who was cancelled has not noticed yet; the next one is not kept waiting for ever."""
    turns = Turns()
    await turns.take()
    first = asyncio.create_task(turns.take())
    second = asyncio.create_task(turns.take())
    await asyncio.sleep(0)
    first.cancel()
    turns.give()
    await second
    with pytest.raises(asyncio.CancelledError):
        await first
    turns.give()
    assert turns.idle
