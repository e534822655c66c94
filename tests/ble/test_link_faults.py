"""The link: what every fault of a device looks like from here."""

import asyncio
import logging

import pytest

from custom_components.aquarist.ble.errors import LinkError, Reason
from custom_components.aquarist.ble.session import LinkSettings
from custom_components.aquarist.chihiros import dosers, lights
from custom_components.aquarist.chihiros.command_frame import query_status
from custom_components.aquarist.chihiros.models import DeviceFamily
from custom_components.aquarist.chihiros.notifications import (
    Lifetime,
    LightSnapshot,
    Status,
    Today,
)
from custom_components.aquarist.simulator.faults import FaultName
from custom_components.aquarist.simulator.light import LightModel
from tests.fakes.virtual_time import virtual_time

from .rig import Rig, rig, until

CONNECT_FAULTS = {
    FaultName.REFUSE: (Reason.HELD_BY_APP, 0.0),
    FaultName.OUT_OF_SLOTS: (Reason.NO_FREE_SLOT, 0.0),
    FaultName.OUT_OF_RANGE: (Reason.OUT_OF_RANGE, 0.0),
    FaultName.APP_HOLDS_LINK: (Reason.HELD_BY_APP, 0.0),
    FaultName.MUTE_CONNECT: (Reason.NO_ANSWER, 15.0),
}


@pytest.mark.parametrize("fault", CONNECT_FAULTS)
@virtual_time
async def test_each_failed_connect_has_its_reason(fault: FaultName) -> None:
    """The reasons are told apart, and a device that never answers costs our own time limit only."""
    expected, seconds = CONNECT_FAULTS[fault]
    async with rig() as light:
        light.device.faults.set(fault)
        assert await light.reason() is expected
        assert light.elapsed() == pytest.approx(seconds)
        assert light.link.next_try is not None
        assert light.events in ([], ["unavailable"])


@virtual_time
async def test_a_device_without_power_is_out_of_range() -> None:
    """From afar both look the same."""
    async with rig() as light:
        light.device.power_cut()
        assert await light.reason() is Reason.OUT_OF_RANGE


@virtual_time
async def test_failed_connects_are_backed_off_from() -> None:
    """The pauses double from 1 s to 60 s; meanwhile leases fail at once with the last reason."""
    async with rig() as light:
        light.device.faults.set("refuse", times=None)
        pauses = []
        for _ in range(8):
            assert await light.reason() is Reason.HELD_BY_APP
            assert light.link.next_try is not None
            pauses.append(light.link.next_try - light.loop.time())
            light.device.faults.set("out_of_slots", times=None)
            assert await light.reason() is Reason.HELD_BY_APP
            light.device.faults.clear("out_of_slots")
            await asyncio.sleep(pauses[-1])
        assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


@virtual_time
async def test_an_urgent_lease_does_not_wait_for_the_back_off() -> None:
    """A stop tries at once, and a success ends the back-off."""
    async with rig() as light:
        light.device.faults.set("refuse")
        await light.reason()
        async with light.link.lease(urgent=True):
            assert light.link.next_try is None


@virtual_time
async def test_a_device_that_is_heard_again_is_not_made_to_wait() -> None:
    """The back-off ends when the device comes back."""
    async with rig() as light:
        light.device.faults.set("out_of_range", times=None)
        await until(lambda: not light.link.available)
        for _ in range(5):
            await light.reason(urgent=True)
        light.device.faults.clear()
        await until(lambda: light.link.available)
        assert light.link.next_try is None
        await light.connect()


@virtual_time
async def test_a_write_error_leaves_the_link_up() -> None:
    """The write fails, the next one works on the same connection."""
    async with rig() as light:
        async with light.link.lease() as lease:
            light.device.faults.set("write_error")
            with pytest.raises(LinkError) as raised:
                await lease.write(lights.set_channel(0, 10), lights.set_channel(1, 10))
            assert raised.value.reason is Reason.WRITE_FAILED
            await lease.write(lights.set_channel(2, 10))
        assert isinstance(light.device, LightModel)
        assert light.device.channels == (0.0, 0.0, 10.0, 0.0)
        assert light.events == ["connected"]


@virtual_time
async def test_a_write_that_took_effect_may_fail_all_the_same() -> None:
    """An error does not tell that nothing happened."""
    async with rig() as light, light.link.lease() as lease:
        light.device.faults.set("write_error_after")
        with pytest.raises(LinkError) as raised:
            await lease.write(lights.set_channel(0, 10))
        assert raised.value.reason is Reason.WRITE_FAILED
        assert isinstance(light.device, LightModel)
        assert light.device.channels[0] == 10


@virtual_time
async def test_a_write_without_its_response_ends_the_connection() -> None:
    """A device that owes a response takes no further request: the next lease connects anew."""
    async with rig(settings=LinkSettings(write_timeout=5)) as light:
        async with light.link.lease() as lease:
            light.device.faults.set("mute_write")
            begun = light.elapsed()
            with pytest.raises(LinkError) as raised:
                await lease.write(lights.set_channel(0, 10))
            assert raised.value.reason is Reason.NO_ANSWER
            assert light.elapsed() - begun == pytest.approx(5, abs=0.1)
            with pytest.raises(LinkError):
                await lease.write(lights.set_channel(0, 11))
        await until(lambda: not light.device.connected)
        await light.connect()
        assert light.events == ["connected", "dropped", "connected"]


@pytest.mark.parametrize(
    ("fault", "value"),
    [("drop_at_byte", 3), ("drop_before_write", 1), ("drop_after_write", 1)],
)
@virtual_time
async def test_a_link_that_drops_in_a_write_is_lost(fault: str, value: int) -> None:
    """Wherever it drops the writer hears link_lost, the listeners hear it once, the next lease connects."""
    async with rig() as light:
        async with light.link.lease() as lease:
            light.device.faults.set(fault, value=value)
            with pytest.raises(LinkError) as raised:
                await lease.write(lights.set_channel(0, 10), lights.set_channel(1, 10))
            assert raised.value.reason is Reason.LINK_LOST
        await light.connect()
        assert light.events == ["connected", "dropped", "connected"]


@pytest.mark.parametrize("value", [1, 2, 3])
@virtual_time
async def test_a_link_that_drops_in_the_prelude_is_a_failed_connect(value: int) -> None:
    """Nobody is told of a connection that never was ready; it is backed off from."""
    async with rig() as light:
        light.device.faults.set("drop_before_write", value=value)
        assert await light.reason() is Reason.LINK_LOST
        assert light.events == []
        assert light.link.next_try is not None
        await asyncio.sleep(1)
        await light.connect()


@virtual_time
async def test_every_byte_is_a_place_to_drop() -> None:
    """At whichever byte of prelude and command the link drops, the link recovers and nothing hangs."""
    async with rig() as light:
        await light.connect()
        await light.link.drop()
        total = sum(len(written.data) for written in light.device.write_log) + 9
        for place in range(total):
            light.device.faults.set("drop_at_byte", value=place)
            with pytest.raises(LinkError) as raised:
                await _write_a_level(light)
            assert raised.value.reason is Reason.LINK_LOST
            light.device.faults.clear()
            async with asyncio.timeout(10):
                await _write_a_level(light)
            await light.link.drop()


async def _write_a_level(light: Rig) -> None:
    """Use the link once, without waiting for a back-off."""
    async with light.link.lease(urgent=True) as lease:
        await lease.write(lights.set_channel(0, 10))


@virtual_time
async def test_a_dose_goes_on_when_its_link_drops() -> None:
    """The keeper hears of the loss; the pump's counter tells later what was given."""
    async with rig(DeviceFamily.DOSER) as doser:
        let_go = doser.link.keep()
        doser.device.faults.set("drop_in_dose", value=0.5)
        async with doser.link.lease() as lease:
            await lease.write(dosers.dose_now(0, 10_000))
        await until(lambda: doser.events == ["connected", "dropped"])
        assert not doser.link.connected
        await asyncio.sleep(10)
        async with doser.link.lease() as lease:
            answer = await lease.ask(dosers.query_lifetime(), Lifetime)
        assert answer is not None
        assert answer.microlitres[0] == 10_000
        let_go()


@virtual_time
async def test_the_end_of_a_dose_is_heard_while_the_link_is_kept() -> None:
    """The `22` that the pump sends by itself reaches the listeners."""
    async with rig(DeviceFamily.DOSER, settings=LinkSettings(idle_hold=1)) as doser:
        let_go = doser.link.keep()
        async with doser.link.lease() as lease:
            await asyncio.sleep(1)
            doser.heard.clear()
            await lease.write(dosers.dose_now(1, 60_000))
        await until(lambda: bool(doser.heard), 65)
        (today,) = doser.heard
        assert isinstance(today, Today)
        assert today.microlitres == (0, 60_000, 0, 0)
        let_go()


@virtual_time
async def test_silence_is_no_answer_and_no_lost_link() -> None:
    """A query returns None in its time; a connected device is not called unavailable for being silent."""
    async with rig() as light:
        async with light.link.lease() as lease:
            light.device.faults.set("mute", times=None)
            begun = light.elapsed()
            assert await lease.ask(query_status(), Status) is None
            assert light.elapsed() - begun == pytest.approx(2, abs=0.1)
            assert await lease.ask(query_status(), Status, timeout=0.5) is None
            await asyncio.sleep(3600)
            assert light.link.available
        assert light.events == ["connected"]


@virtual_time
async def test_one_lost_notification_does_not_hide_the_other() -> None:
    """The status may be lost while the snapshot comes."""
    async with rig() as light, light.link.lease() as lease:
        await asyncio.sleep(1)
        light.device.faults.set("lose_notification", value=0x0A)
        assert await lease.ask(query_status(), LightSnapshot) is not None
        assert await lease.ask(query_status(), Status) is not None


@virtual_time
async def test_a_query_ends_when_the_link_does() -> None:
    """Whoever waits for an answer hears link_lost at once."""
    async with rig() as light, light.link.lease() as lease:
        light.device.faults.set("mute", times=None)
        query = asyncio.create_task(lease.ask(query_status(), Status, timeout=60))
        await asyncio.sleep(1)
        light.device.drop_link("link_lost")
        with pytest.raises(LinkError) as raised:
            await query
        assert raised.value.reason is Reason.LINK_LOST


@virtual_time
async def test_garbage_is_ignored() -> None:
    """Bytes that mean nothing change nothing; the answer behind them counts."""
    async with rig() as light, light.link.lease() as lease:
        light.device.faults.set("garbage", times=None, value=7)
        for _ in range(20):
            assert await lease.ask(query_status(), Status) is not None


@virtual_time
async def test_a_cut_off_snapshot_is_no_snapshot() -> None:
    """Sixteen bytes of fifty are ignored."""
    async with rig() as light, light.link.lease() as lease:
        await asyncio.sleep(1)
        light.device.faults.set("truncated_snapshot")
        assert await lease.ask(query_status(), LightSnapshot) is None
        assert await lease.ask(query_status(), LightSnapshot) is not None


@virtual_time
async def test_a_power_cut_drops_the_link_and_the_next_connect_sets_the_clock() -> None:
    """The device has lost its clock; the prelude gives it the time."""
    async with rig() as light:
        await light.connect()
        light.device.faults.set("power_cut", value=30)
        await until(lambda: light.events[-1] == "unavailable")
        await asyncio.sleep(40)
        assert light.events == ["connected", "dropped", "unavailable", "available"]
        await light.connect()
        clock = light.device.state()["clock"]
        assert isinstance(clock, dict)
        assert (clock["is_set"], clock["hour"]) == (True, 12)


@virtual_time
async def test_a_clock_moved_far_away_is_put_right() -> None:
    """Half a week off is noticed, too."""
    async with rig() as light:
        async with light.link.lease() as lease:
            await asyncio.sleep(10)
            light.device.faults.set("wrong_clock", value=-5000)
            await lease.ask(query_status(), LightSnapshot)
        await asyncio.sleep(1)
        clock = light.device.state()["clock"]
        assert isinstance(clock, dict)
        assert clock["weekday"] == 3


@virtual_time
async def test_coming_and_going_is_logged_once_each(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One line when the device goes, one when it is back, however often it is tried between."""
    caplog.set_level(logging.INFO, "custom_components.aquarist.ble")
    async with rig() as light:
        for _ in range(2):
            light.device.faults.set("out_of_range", times=None)
            for _ in range(5):
                await asyncio.sleep(30)
                await light.reason(urgent=True)
            light.device.faults.clear()
            await asyncio.sleep(30)
            await light.connect()
            await light.link.drop()
            await asyncio.sleep(30)
    lines = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.aquarist")
    ]
    assert (
        lines
        == [
            "tank light is unavailable",
            "tank light is available again",
        ]
        * 2
    )


@virtual_time
async def test_an_open_link_stays_available_while_the_app_wants_it() -> None:
    """A device that somebody else waits for does not advertise, yet our link works."""
    async with rig() as light:
        async with light.link.lease() as lease:
            light.device.faults.set("app_holds_link", times=None)
            await asyncio.sleep(600)
            assert light.link.available
            await lease.write(lights.set_channel(0, 10))
        await asyncio.sleep(60)
        assert light.events == ["connected", "dropped", "unavailable"]


@virtual_time
async def test_a_loss_that_is_told_late_is_not_told_twice() -> None:
    """A stop that comes between a lost link and the news of it ends the connection once."""
    async with rig() as light:
        await light.connect()
        light.device.drop_link("link_lost")
        await light.link.drop()
        await asyncio.sleep(1)
        assert light.events == ["connected", "dropped"]


@virtual_time
async def test_a_disconnect_that_hangs_is_bounded() -> None:
    """A stack that cannot disconnect does not hold up the link."""
    async with rig(settings=LinkSettings(disconnect_timeout=5)) as light:
        await light.connect()
        transport = light.transport
        disconnect = transport.disconnect

        async def hang() -> None:
            transport.disconnect = disconnect  # type: ignore[method-assign]
            await disconnect()
            await asyncio.get_running_loop().create_future()

        transport.disconnect = hang  # type: ignore[method-assign]
        begun = light.elapsed()
        await light.link.drop()
        assert light.elapsed() - begun == pytest.approx(5)
        await light.connect()


@virtual_time
async def test_a_clock_that_cannot_be_set_is_tried_again() -> None:
    """A failed clock frame disturbs nobody, and the next snapshot has the clock set."""
    async with rig() as light:
        async with light.link.lease() as lease:
            await asyncio.sleep(10)
            light.device.faults.set("wrong_clock", value=60)
            await lease.ask(query_status(), LightSnapshot)
            light.device.faults.set("write_error")
        await asyncio.sleep(1)
        assert _hour(light) == 13
        async with light.link.lease() as lease:
            await lease.ask(query_status(), LightSnapshot)
        await asyncio.sleep(1)
        assert _hour(light) == 12


def _hour(light: Rig) -> object:
    """Return the hour that the device shows."""
    clock = light.device.state()["clock"]
    assert isinstance(clock, dict)
    return clock["hour"]


@virtual_time
async def test_who_gives_up_a_write_leaves_the_link_usable() -> None:
    """A cancelled write is broken off; the next lease works."""
    async with rig() as light:

        async def write() -> None:
            async with light.link.lease() as lease:
                await lease.write(lights.set_channel(0, 10))

        await light.connect()
        light.device.faults.set("mute_write")
        task = asyncio.create_task(write())
        await until(lambda: len(light.device.write_log) == 4)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await write()


@virtual_time
async def test_listeners_can_leave() -> None:
    """Who listens no more hears nothing."""
    async with rig() as light:
        heard: list[str] = []
        leave = [
            light.link.on_connected(lambda: heard.append("connected")),
            light.link.on_dropped(lambda: heard.append("dropped")),
            light.link.on_notification(lambda _: heard.append("notification")),
            light.link.on_availability(lambda _: heard.append("availability")),
        ]
        for step in leave:
            step()
        await light.connect()
        light.device.power_cut()
        await asyncio.sleep(60)
        assert heard == []
