"""The link: when it connects, what it sends first, and how long it holds the connection."""

import asyncio
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from custom_components.aquarist.ble.errors import LinkError, Reason
from custom_components.aquarist.ble.session import LinkSettings
from custom_components.aquarist.chihiros import dosers, lights
from custom_components.aquarist.chihiros.command_frame import query_status
from custom_components.aquarist.chihiros.frames import MessageId
from custom_components.aquarist.chihiros.models import DeviceFamily
from custom_components.aquarist.chihiros.notifications import (
    Lifetime,
    LightSnapshot,
    Status,
    Today,
)
from custom_components.aquarist.simulator.light import LightModel
from tests.fakes.virtual_time import virtual_time

from .rig import BERLIN, rig, until

LIGHT_PRELUDE = [(0x5A, 0x04), (0x5A, 0x09), (0x5A, 0x09)]
DOSER_PRELUDE = [*LIGHT_PRELUDE, (0xA5, 0x04), (0xA5, 0x04)]


@virtual_time
async def test_nothing_is_connected_before_it_is_needed() -> None:
    """A link that nobody leases leaves the device alone."""
    async with rig() as light:
        await asyncio.sleep(3600)
        assert not light.device.connected
        assert light.device.write_log == []


@virtual_time
async def test_a_lease_connects_and_sends_the_prelude() -> None:
    """The first frames on a connection are the vendor app's."""
    async with rig() as light:
        async with light.link.lease():
            assert light.link.connected
            assert light.modes == LIGHT_PRELUDE
        assert light.events == ["connected"]


@virtual_time
async def test_a_doser_is_asked_for_its_totals_on_every_connection() -> None:
    """A doser's prelude has two queries more, and their answers reach the listeners."""
    async with rig(DeviceFamily.DOSER) as doser:
        await doser.connect()
        assert doser.modes == DOSER_PRELUDE
        await asyncio.sleep(1)
        kinds = {type(notification) for notification in doser.heard}
        assert {Lifetime, Today, Status} <= kinds


@virtual_time
async def test_the_prelude_sets_the_clock() -> None:
    """The device shows local wall-clock time after a connect."""
    async with rig() as light:
        await light.connect()
        shown = light.device.state()["clock"]
        assert shown == {"is_set": True, "weekday": 3, "hour": 12, "minute": 0}


@virtual_time
async def test_message_ids_start_anew_with_each_connection() -> None:
    """Ids count up within a connection and begin at (0, 1) on the next."""
    async with rig() as light:
        async with light.link.lease() as lease:
            await lease.write(lights.set_channel(0, 10), lights.set_channel(1, 20))
        first = [frame.message_id for frame in light.frames]
        assert first == [MessageId(0, number) for number in range(1, 6)]
        await light.link.drop()
        await light.connect()
        assert light.frames[5].message_id == MessageId(0, 1)


@virtual_time
async def test_a_skipped_id_is_not_used_again() -> None:
    """The encoder skips the byte 0x5A, and counting goes on from what it used."""
    async with rig() as light:
        async with light.link.lease() as lease:
            for level in range(100):
                await lease.write(lights.set_channel(0, level))
        ids = [frame.message_id for frame in light.frames]
        assert len(set(ids)) == len(ids)
        assert all(0x5A not in message_id for message_id in ids)
        assert ids == sorted(ids)


@virtual_time
async def test_frames_keep_their_distance() -> None:
    """No two frames are closer than the write pause."""
    async with rig(settings=LinkSettings(write_pause=0.1)) as light:
        async with light.link.lease() as lease:
            await lease.write(*[lights.set_channel(0, level) for level in range(5)])
        times = [written.at_elapsed for written in light.device.write_log]
        assert min(b - a for a, b in pairwise(times)) >= 0.0999


@virtual_time
async def test_every_write_wants_its_response() -> None:
    """The response is the only delivery confirmation there is for lights."""
    async with rig() as light:
        await light.connect()
        assert all(written.response for written in light.device.write_log)


@virtual_time
async def test_levels_arrive() -> None:
    """What is written under a lease takes effect."""
    async with rig() as light:
        assert isinstance(light.device, LightModel)
        async with light.link.lease() as lease:
            await lease.write(lights.manual_on(), lights.set_channel(2, 42))
        assert light.device.channels == (0.0, 0.0, 42.0, 0.0)


@virtual_time
async def test_an_answer_can_be_waited_for() -> None:
    """A query returns the notification it asked for."""
    async with rig(DeviceFamily.DOSER) as doser, doser.link.lease() as lease:
        await asyncio.sleep(1)
        answer = await lease.ask(dosers.query_lifetime(), Lifetime)
        assert answer is not None
        assert answer.microlitres == (0, 0, 0, 0)


@virtual_time
async def test_an_idle_connection_is_given_back() -> None:
    """After the idle time the device is free for others."""
    async with rig(settings=LinkSettings(idle_hold=30)) as light:
        await light.connect()
        await asyncio.sleep(29)
        assert light.link.connected
        await asyncio.sleep(2)
        assert not light.device.connected
        assert light.events == ["connected", "dropped"]


@virtual_time
async def test_each_lease_starts_the_idle_time_anew() -> None:
    """A device in use stays connected."""
    async with rig(settings=LinkSettings(idle_hold=30)) as light:
        for _ in range(5):
            await light.connect()
            await asyncio.sleep(20)
        assert light.events == ["connected"]


@virtual_time
async def test_a_long_lease_is_not_cut_short() -> None:
    """The idle time does not run while somebody holds the lease."""
    async with rig(settings=LinkSettings(idle_hold=1)) as light:
        await light.connect()
        async with light.link.lease() as lease:
            await asyncio.sleep(60)
            await lease.write(lights.set_channel(0, 1))
        assert light.events == ["connected"]


@virtual_time
async def test_a_kept_connection_is_held_beyond_the_lease() -> None:
    """A dose that delivers keeps the link, however long it takes."""
    async with rig(settings=LinkSettings(idle_hold=5)) as light:
        let_go = light.link.keep()
        also_let_go = light.link.keep()
        await light.connect()
        await asyncio.sleep(600)
        let_go()
        let_go()
        await asyncio.sleep(600)
        assert light.link.connected
        also_let_go()
        await asyncio.sleep(6)
        assert not light.link.connected


@virtual_time
async def test_leases_are_given_one_at_a_time_in_the_order_of_asking() -> None:
    """Nobody writes between the frames of another."""
    async with rig() as light:
        order: list[str] = []

        async def use(name: str) -> None:
            async with light.link.lease():
                order.append(f"{name} begins")
                await asyncio.sleep(1)
                order.append(f"{name} ends")

        await asyncio.gather(use("a"), use("b"), use("c"))
        expected = [f"{name} {what}" for name in "abc" for what in ("begins", "ends")]
        assert order == expected


@virtual_time
async def test_an_urgent_lease_is_next() -> None:
    """A stop does not wait behind those that wait already."""
    async with rig() as light:
        order: list[str] = []

        async def use(name: str, *, urgent: bool = False) -> None:
            async with light.link.lease(urgent=urgent):
                order.append(name)
                await asyncio.sleep(1)

        tasks = [asyncio.create_task(use(name)) for name in "abc"]
        await asyncio.sleep(0.5)
        tasks.append(asyncio.create_task(use("stop", urgent=True)))
        await asyncio.gather(*tasks)
        assert order == ["a", "stop", "b", "c"]


@virtual_time
async def test_who_gives_up_waiting_does_not_block_the_others() -> None:
    """A cancelled waiter leaves the queue, also when its turn has just come."""
    async with rig() as light:
        async with light.link.lease():
            waiting = asyncio.create_task(light.connect())
            await asyncio.sleep(1)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            late = asyncio.create_task(light.connect())
            await asyncio.sleep(1)
        late.cancel()
        with pytest.raises(asyncio.CancelledError):
            await late
        async with asyncio.timeout(1):
            await light.connect()


@virtual_time
async def test_who_gives_up_as_the_turn_comes_does_not_hold_the_connection() -> None:
    """The connection is as idle as after anybody else's lease: the app may have the device."""
    async with rig() as light:
        async with light.link.lease():
            waiting = asyncio.create_task(light.connect())
            await asyncio.sleep(1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.sleep(31)
        assert not light.device.connected


@virtual_time
async def test_a_cancelled_connect_leaves_the_device_free() -> None:
    """Whoever gives up in the prelude holds nothing."""
    async with rig() as light:
        task = asyncio.create_task(light.connect())
        await until(lambda: len(light.device.write_log) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not light.device.connected
        assert light.link.next_try is None
        await light.connect()


@virtual_time
async def test_the_app_gets_the_device_for_as_long_as_was_asked() -> None:
    """A release disconnects, and leases are refused until it is over."""
    async with rig() as light:
        await light.connect()
        await light.link.release_for_app(120)
        assert not light.device.connected
        assert await light.reason() is Reason.HELD_BY_APP
        await asyncio.sleep(119)
        assert await light.reason() is Reason.HELD_BY_APP
        await asyncio.sleep(2)
        await light.connect()


@virtual_time
async def test_a_stop_ends_a_release() -> None:
    """An urgent lease connects, and the next ones do, too."""
    async with rig() as light:
        await light.link.release_for_app(120)
        async with light.link.lease(urgent=True):
            pass
        await light.connect()
        assert light.events == ["connected"]


@virtual_time
async def test_a_release_waits_for_the_dose() -> None:
    """What is kept is not taken away."""
    async with rig(DeviceFamily.DOSER) as doser:
        let_go = doser.link.keep()
        await doser.connect()
        release = asyncio.create_task(doser.link.release_for_app(60))
        await asyncio.sleep(10)
        assert doser.link.connected
        let_go()
        await release
        assert not doser.device.connected
        await asyncio.sleep(59)
        assert await doser.reason() is Reason.HELD_BY_APP


@virtual_time
async def test_a_release_that_is_called_off_refuses_nobody() -> None:
    """Who asked for the app has gone before the device was free: the link goes on as before."""
    async with rig(DeviceFamily.DOSER) as doser:
        let_go = doser.link.keep()
        await doser.connect()
        release = asyncio.create_task(doser.link.release_for_app(3600))
        await asyncio.sleep(1)
        release.cancel()
        with pytest.raises(asyncio.CancelledError):
            await release
        let_go()
        await asyncio.sleep(60)
        assert not doser.device.connected
        await doser.connect()


@virtual_time
async def test_a_drop_disconnects_and_the_next_lease_connects_again() -> None:
    """A stop may use the link at once."""
    async with rig() as light:
        await light.connect()
        await light.link.drop()
        assert not light.device.connected
        assert light.link.next_try is None
        await light.connect()
        assert light.events == ["connected", "dropped", "connected"]


@virtual_time
async def test_a_drop_gives_the_write_in_flight_two_seconds() -> None:
    """A write that is not confirmed by then is broken off; its writer gets link_lost."""
    async with rig() as light:
        async with light.link.lease() as lease:
            light.device.faults.set("mute_write")
            write = asyncio.create_task(lease.write(lights.set_channel(0, 1)))
            await asyncio.sleep(0.1)
            begun = light.elapsed()
            await light.link.drop()
            assert light.elapsed() - begun == pytest.approx(2.0)
            with pytest.raises(LinkError) as raised:
                await write
            assert raised.value.reason is Reason.LINK_LOST
            with pytest.raises(LinkError):
                await lease.write(lights.set_channel(0, 2))
        await light.connect()
        assert light.link.connected


@virtual_time
async def test_a_drop_lets_a_write_that_ends_in_time_end() -> None:
    """The frame in flight is confirmed, those behind it are not written."""
    async with rig(settings=LinkSettings(write_pause=0.5)) as light:
        async with light.link.lease() as lease:
            before = len(light.device.write_log)
            write = asyncio.create_task(
                lease.write(lights.set_channel(0, 1), lights.set_channel(1, 1))
            )
            await until(lambda: len(light.device.write_log) == before + 1)
            await light.link.drop()
            with pytest.raises(LinkError):
                await write
        assert len(light.device.write_log) == before + 1


@virtual_time
async def test_a_drop_breaks_off_a_connect_at_once() -> None:
    """A connect that hangs does not hold up a stop, and is no failure to back off from."""
    async with rig() as light:
        light.device.faults.set("mute_connect")
        connect = asyncio.create_task(light.reason())
        await asyncio.sleep(1)
        begun = light.elapsed()
        await light.link.drop()
        assert await connect is Reason.LINK_LOST
        assert light.elapsed() == begun
        assert light.link.next_try is None


@virtual_time
async def test_closing_refuses_leases_for_good() -> None:
    """Whoever waits, or comes later, hears that we are stopping."""
    async with rig() as light:
        async with light.link.lease():
            waiting = asyncio.create_task(light.reason())
            await asyncio.sleep(0)
            await light.link.close()
        assert await waiting is Reason.STOPPING
        assert await light.reason(urgent=True) is Reason.STOPPING
        assert not light.device.connected


@virtual_time
async def test_a_clock_that_is_off_is_set_again() -> None:
    """A snapshot that is more than two minutes off is reason enough."""
    async with rig() as light:
        async with light.link.lease() as lease:
            await asyncio.sleep(10)
            light.device.faults.set("wrong_clock", value=3)
            await lease.ask(query_status(), LightSnapshot)
        await until(lambda: light.modes[-1] == (0x5A, 0x09))
        assert light.device.state()["clock"] == {
            "is_set": True,
            "weekday": 3,
            "hour": 12,
            "minute": 0,
        }


@virtual_time
async def test_a_clock_that_is_nearly_right_is_left_alone() -> None:
    """Two minutes are within tolerance."""
    async with rig() as light:
        async with light.link.lease() as lease:
            await asyncio.sleep(10)
            light.device.faults.set("wrong_clock", value=2)
            await lease.ask(query_status(), LightSnapshot)
        await asyncio.sleep(5)
        assert light.modes[-1] == (0x5A, 0x04)


@virtual_time
async def test_the_prelude_is_not_followed_by_another_clock_frame() -> None:
    """A snapshot that was taken before the prelude set the clock is not held against the device."""
    async with rig() as light:
        async with light.link.lease():
            await asyncio.sleep(5)
        assert light.modes == LIGHT_PRELUDE


@pytest.mark.parametrize(
    ("change", "hour_after"),
    [
        (datetime(2026, 3, 29, 2, 0, tzinfo=BERLIN), 3),
        (datetime(2026, 10, 25, 2, 0, tzinfo=BERLIN, fold=0), 2),
    ],
    ids=["begin", "end"],
)
@virtual_time
async def test_the_clock_follows_daylight_saving_time(
    change: datetime, hour_after: int
) -> None:
    """A connected device gets the new time within a minute of the change."""
    at = datetime.fromtimestamp(change.timestamp() - 300, BERLIN)
    if hour_after == 2:
        # In autumn clocks go back at 3:00.
        at += timedelta(hours=1)
    async with rig(begin=at) as light:
        light.link.keep()
        await light.connect()
        await asyncio.sleep(300 + 61)
        clock = light.device.state()["clock"]
        assert isinstance(clock, dict)
        assert (clock["hour"], clock["minute"]) == (hour_after, 1)


@virtual_time
async def test_a_device_out_of_range_at_the_change_gets_the_time_when_it_is_back() -> (
    None
):
    """The clock is set once the device is heard again."""
    change = datetime(2026, 3, 29, 3, 0, tzinfo=BERLIN)
    at = datetime.fromtimestamp(change.timestamp() - 300, BERLIN)
    async with rig(begin=at, settings=LinkSettings(idle_hold=1)) as light:
        await light.connect()
        await asyncio.sleep(10)
        light.device.faults.set("out_of_range", times=None)
        await asyncio.sleep(600)
        assert len(light.device.write_log) == 3
        light.device.faults.clear()
        await asyncio.sleep(120)
        clock = light.device.state()["clock"]
        assert isinstance(clock, dict)
        assert clock["hour"] == 3
