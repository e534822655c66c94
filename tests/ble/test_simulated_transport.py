"""The transport to a device in this process."""

import asyncio

import pytest

from custom_components.aquarist.ble.errors import LinkError, Reason
from custom_components.aquarist.chihiros import lights
from custom_components.aquarist.chihiros.frames import FIRST_MESSAGE_ID
from tests.fakes.virtual_time import virtual_time

from .rig import rig

FRAME = lights.set_channel(0, 10).encode(FIRST_MESSAGE_ID)


@virtual_time
async def test_a_write_without_a_connection_is_a_lost_link() -> None:
    """Nothing arrives."""
    async with rig() as light:
        with pytest.raises(LinkError) as raised:
            await light.transport.write(FRAME)
        assert raised.value.reason is Reason.LINK_LOST
        assert light.device.write_log == []


@virtual_time
async def test_a_link_that_drops_while_a_response_is_owed_ends_the_wait() -> None:
    """The write hangs no longer than the link lives, and the loss is told once."""
    async with rig() as light:
        drops: list[int] = []
        await light.transport.connect(lambda _: None, lambda: drops.append(1))
        light.device.faults.set("mute_write")
        write = asyncio.create_task(light.transport.write(FRAME))
        await asyncio.sleep(1)
        light.device.drop_link("link_lost")
        with pytest.raises(LinkError) as raised:
            await write
        assert raised.value.reason is Reason.LINK_LOST
        assert drops == [1]


@virtual_time
async def test_our_own_disconnect_is_no_drop() -> None:
    """Nobody is told, and twice does no harm."""
    async with rig() as light:
        drops: list[int] = []
        await light.transport.connect(lambda _: None, lambda: drops.append(1))
        await light.transport.disconnect()
        await light.transport.disconnect()
        await asyncio.sleep(1)
        assert drops == []
        assert not light.device.connected


@virtual_time
async def test_a_silent_device_is_out_of_range() -> None:
    """Only one that advertises could have answered."""
    async with rig() as light:
        assert light.transport.silence_reason() is Reason.NO_ANSWER
        light.device.power_cut()
        assert light.transport.silence_reason() is Reason.OUT_OF_RANGE
