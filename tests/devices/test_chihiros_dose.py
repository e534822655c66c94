"""One dose of a Chihiros doser: sent once, followed to its end."""

import asyncio
from datetime import UTC, datetime

import pytest

from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import InvalidValue
from tests.fakes.virtual_time import virtual_time

from .chihiros import DoserOnAir


@virtual_time
async def test_dose_is_written_once_and_its_end_is_reported() -> None:
    """The lifetime is read before, the push of today's total ends it."""
    air = DoserOnAir(lifetime=(0, 7000, 0, 0))
    loop = asyncio.get_running_loop()
    dose = await air.device.prepare(1)
    assert dose.lifetime == 7000
    await dose.send(9000)
    sent = loop.time()
    assert await dose.finished() == 9000
    assert loop.time() - sent == pytest.approx(9, abs=0.5)
    # 9.0 mL is 90 tenths, the byte that other encoders escape to 89.
    assert air.doses() == [bytes([1, 0, 0, 0, 90])]
    assert air.model.delivered == (0, 9000, 0, 0)
    assert air.recorder.today[-1][1] == 9000
    await dose.release()
    await air.device.close()


@virtual_time
async def test_lease_is_given_back_while_the_dose_delivers() -> None:
    """Others may use the link; the connection stays until the dose is released."""
    air = DoserOnAir()
    dose = await air.device.prepare(0)
    waiting = asyncio.ensure_future(air.device.perform("sync_clock", {}))
    await asyncio.sleep(1)
    assert not waiting.done()
    await dose.send(60_000)
    await waiting
    await asyncio.sleep(45)
    assert air.model.state()["connected"]
    assert await dose.finished() == 60_000
    await dose.release()
    await dose.release()
    await asyncio.sleep(60)
    assert not air.model.state()["connected"]
    await air.device.close()


@virtual_time
async def test_two_heads_deliver_together() -> None:
    """The end of one is not the end of the other, although its counter has risen."""
    air = DoserOnAir()
    first = await air.device.prepare(0)
    await first.send(10_000)
    second = await air.device.prepare(1)
    await second.send(3000)
    assert await second.finished() == 3000
    assert air.model.delivered[0] < 10_000
    assert await first.finished() == 10_000
    await first.release()
    await second.release()
    await air.device.close()


@virtual_time
async def test_lost_report_is_asked_for() -> None:
    """Once the dose has had its time the totals are read."""
    air = DoserOnAir()
    dose = await air.device.prepare(0)
    await dose.send(5000)
    await asyncio.sleep(1)
    air.model.faults.set("lose_notification", value=0x22)
    began = asyncio.get_running_loop().time()
    assert await dose.finished() == 5000
    assert asyncio.get_running_loop().time() - began > 5
    assert len(air.doses()) == 1
    await dose.release()
    await air.device.close()


@virtual_time
async def test_dose_that_came_to_less_is_told_as_less() -> None:
    """Somebody stopped the pump; after its time the rise is what was given."""
    air = DoserOnAir()
    dose = await air.device.prepare(0)
    await dose.send(10_000)
    await asyncio.sleep(3)
    air.model._stop(0, air.model.clock.elapsed())
    assert await dose.finished() == pytest.approx(3000, abs=150)
    await dose.release()
    await air.device.close()


@virtual_time
async def test_dose_that_begins_late_is_waited_for() -> None:
    """Heads may be staggered: a total that still rises is not the end."""
    air = DoserOnAir()
    dose = await air.device.prepare(0)
    air.model.heads[0].believed_flow = 500
    await dose.send(10_000)
    await asyncio.sleep(15)
    air.model.faults.set("lose_notification", value=0x22)
    assert await dose.finished() == 10_000
    await dose.release()
    await air.device.close()


@virtual_time
async def test_dose_that_was_never_begun_waits_for_the_callers_deadline() -> None:
    """Without a rise there is nothing to tell; nothing is sent again."""
    air = DoserOnAir()
    dose = await air.device.prepare(0)
    air.model.faults.set("write_error")
    with pytest.raises(DeviceError) as error:
        await dose.send(5000)
    assert (error.value.code, error.value.transient) == ("write_failed", False)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(20):
            await dose.finished()
    assert len(air.doses()) == 1
    assert air.model.delivered == (0, 0, 0, 0)
    await dose.release()
    await air.device.close()


@virtual_time
async def test_link_lost_in_the_dose_leaves_it_open() -> None:
    """The pump goes on; its counters will tell."""
    air = DoserOnAir()
    air.model.faults.set("drop_in_dose", value=0.5)
    dose = await air.device.prepare(0)
    await dose.send(10_000)
    assert await dose.finished() is None
    await dose.release()
    await asyncio.sleep(10)
    again = await air.device.prepare(0)
    assert again.lifetime == 10_000
    await again.release()
    await air.device.close()


@virtual_time
async def test_link_lost_in_the_write_is_final() -> None:
    """The frame may have arrived: it is never sent again (law 3)."""
    air = DoserOnAir()
    dose = await air.device.prepare(0)
    air.model.faults.set("drop_after_write", value=1)
    with pytest.raises(DeviceError) as error:
        await dose.send(5000)
    assert (error.value.code, error.value.transient) == ("link_lost", False)
    assert await dose.finished() is None
    await dose.release()
    await asyncio.sleep(10)
    assert air.model.delivered[0] == 5000
    assert len(air.doses()) == 1
    await air.device.close()


@virtual_time
async def test_link_that_fails_when_asking_leaves_it_open() -> None:
    """The report was lost, and the connection hangs when the totals are asked for."""
    air = DoserOnAir()
    dose = await air.device.prepare(0)
    await dose.send(5000)
    await asyncio.sleep(1)
    air.model.faults.set("lose_notification", value=0x22)
    air.model.faults.set("write_error", times=None)
    assert await dose.finished() is None
    await dose.release()
    await air.device.close()


@virtual_time
async def test_midnight_in_the_dose_is_seen_by_the_lifetime() -> None:
    """Today starts again from 0, the lifetime does not."""
    air = DoserOnAir(start=datetime(2026, 6, 1, 23, 59, 50, tzinfo=UTC))
    before = await air.device.prepare(0)
    await before.send(3000)
    assert await before.finished() == 3000
    await before.release()
    dose = await air.device.prepare(0)
    await dose.send(20_000)
    assert await dose.finished() == 20_000
    assert air.recorder.today[-1][0] < 20_000
    assert len(air.model.write_log) < 25
    await dose.release()
    await air.device.close()


@virtual_time
async def test_report_of_another_head_after_midnight_tells_nothing() -> None:
    """Today went back: the dose goes on until the lifetime shows its end."""
    air = DoserOnAir(start=datetime(2026, 6, 1, 23, 59, 40, tzinfo=UTC))
    past = await air.device.prepare(0)
    await past.send(15_000)
    assert await past.finished() == 15_000
    await past.release()
    dose = await air.device.prepare(0)
    await dose.send(14_000)
    other = await air.device.prepare(1)
    await other.send(5000)
    assert await other.finished() == 5000
    assert await dose.finished() == 14_000
    assert air.model.delivered[0] == 29_000
    await dose.release()
    await other.release()
    await air.device.close()


@virtual_time
async def test_lifetime_that_has_reached_its_end_is_not_asked() -> None:
    """Past 6553.5 mL the counter stands still; today's total tells."""
    air = DoserOnAir(lifetime=(6_553_500, 0, 0, 0))
    dose = await air.device.prepare(0)
    await dose.send(2000)
    await asyncio.sleep(1)
    air.model.faults.set("lose_notification", value=0x22)
    assert await dose.finished() == 2000
    await dose.release()
    await air.device.close()


@virtual_time
async def test_dose_without_any_total_cannot_be_told() -> None:
    """A pump that never answers leaves the dose to the caller's deadline."""
    air = DoserOnAir()
    air.model.faults.set("mute", times=None)
    dose = await air.device.prepare(0)
    assert dose.lifetime is None
    await dose.send(1000)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30):
            await dose.finished()
    await dose.release()
    await air.device.close()


@virtual_time
async def test_report_without_a_total_before_cannot_be_told() -> None:
    """The pump answers again, but from where the total rose is not known."""
    air = DoserOnAir()
    air.model.faults.set("mute", times=None)
    dose = await air.device.prepare(0)
    await dose.send(1000)
    air.model.faults.clear()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30):
            await dose.finished()
    assert air.recorder.today[-1][0] == 1000
    await dose.release()
    await air.device.close()


@virtual_time
async def test_head_whose_totals_are_not_reported() -> None:
    """The layout of eight heads is not known; a missing total is none."""
    air = DoserOnAir(heads=8)
    dose = await air.device.prepare(7)
    await dose.send(1000)
    given: int | None = None
    try:
        async with asyncio.timeout(30):
            given = await dose.finished()
    except TimeoutError:
        assert dose.lifetime is None
    else:
        assert given == 1000
    assert air.model.delivered[7] == 1000
    await dose.release()
    await air.device.close()


@pytest.mark.parametrize("volume", [0, 100, 250, 999_901, 1_000_000])
def test_volume_that_the_head_cannot_give_is_refused(volume: int) -> None:
    """0.2 to 999.9 mL in steps of 0.1; nothing is written."""

    @virtual_time
    async def scenario() -> None:
        """Ask for the volume."""
        air = DoserOnAir()
        dose = await air.device.prepare(0)
        with pytest.raises(InvalidValue) as refusal:
            await dose.send(volume)
        assert refusal.value.field == "volume"
        assert air.doses() == []
        await dose.release()
        await air.device.close()

    scenario()


@pytest.mark.parametrize("head", [4, -1, True])
def test_head_that_it_has_not_is_refused(head: int) -> None:
    """Before anything is connected (RES-60)."""

    @virtual_time
    async def scenario() -> None:
        """Ask for the head."""
        air = DoserOnAir()
        with pytest.raises(InvalidValue) as refusal:
            await air.device.prepare(head)
        assert refusal.value.field == "head_index"
        assert air.model.write_log == []
        await air.device.close()

    scenario()


@virtual_time
async def test_dose_is_sent_once() -> None:
    """And finished only after it was sent."""
    air = DoserOnAir()
    dose = await air.device.prepare(0)
    with pytest.raises(RuntimeError):
        await dose.finished()
    await dose.send(1000)
    with pytest.raises(RuntimeError):
        await dose.send(1000)
    assert await dose.finished() == 1000
    await dose.release()
    await air.device.close()


@virtual_time
async def test_failed_preparation_holds_nothing() -> None:
    """The link is free for the next one."""
    air = DoserOnAir()
    air.model.faults.set("out_of_slots")
    with pytest.raises(DeviceError) as error:
        await air.device.prepare(0)
    assert (error.value.code, error.value.transient) == ("no_free_slot", True)
    await asyncio.sleep(2)
    dose = await air.device.prepare(0)
    await dose.release()
    await air.device.close()


@virtual_time
async def test_cancelled_preparation_holds_nothing() -> None:
    """A caller that gives up leaves the link free."""
    air = DoserOnAir()
    air.model.faults.set("mute", times=None)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await air.device.prepare(0)
    air.model.faults.clear()
    await air.device.perform("sync_clock", {})
    await air.device.close()


@virtual_time
async def test_released_dose_that_was_not_sent_frees_the_link() -> None:
    """Refused by the gate in the last moment."""
    air = DoserOnAir()
    dose = await air.device.prepare(0)
    await dose.release()
    await air.device.perform("sync_clock", {})
    await asyncio.sleep(60)
    assert not air.model.state()["connected"]
    await air.device.close()
