"""A Chihiros doser over a simulated link: counters, stop, actions."""

import asyncio

import pytest

from custom_components.aquarist.devices.device import DeviceKind, StopReport
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import InvalidValue
from tests.fakes.virtual_time import virtual_time

from .chihiros import DoserOnAir, commands


@virtual_time
async def test_heads_have_names_flow_and_bounds() -> None:
    """0-based indexes, 1 mL a second, 0.2 to 999.9 mL (protocol 4.1)."""
    air = DoserOnAir(heads=2)
    assert air.device.kind is DeviceKind.CHIHIROS_DOSER
    assert [(head.index, head.name) for head in air.device.heads] == [
        (0, "Head 1"),
        (1, "Head 2"),
    ]
    head = air.device.heads[1]
    assert (head.flow, head.minimum, head.maximum) == (1000, 200, 999_900)
    await air.device.close()


@virtual_time
async def test_head_count_is_one_that_pumps_have() -> None:
    """There is no pump with three heads."""
    with pytest.raises(ValueError, match="head_names"):
        DoserOnAir(heads=8).device.__class__(
            DoserOnAir().link,
            uuid="u",
            name="x",
            address="x",
            head_names=["a", "b", "c"],
            local_time=DoserOnAir().clock,
        )


@virtual_time
async def test_dosing_allowed_is_owned_by_layers() -> None:
    """It is remembered and never sent."""
    air = DoserOnAir()
    assert air.device.fields["dosing_allowed_3"].virtual
    assert air.device.observed("dosing_allowed_3") == {"dosing_allowed_3": True}
    await air.device.apply({"dosing_allowed_3": {"dosing_allowed_3": False}})
    assert air.device.observed("dosing_allowed_3") == {"dosing_allowed_3": False}
    assert air.device.check("dosing_allowed_3", True) == {"dosing_allowed_3": True}
    with pytest.raises(DeviceError, match="unsupported"):
        await air.device.apply({"level": {"level": 1.0}})
    with pytest.raises(InvalidValue, match="unknown_action"):
        air.device.setting_for("turn_on", {}, None)
    assert air.model.write_log == []
    await air.device.close()


@virtual_time
async def test_counters_are_told_as_they_are_read() -> None:
    """Each report carries only what was read: old totals never pass for new ones."""
    air = DoserOnAir(lifetime=(10_000, 20_000, 0, 500))
    await air.device.perform("request_status", {})
    assert air.recorder.lifetime[-1] == {0: 10_000, 1: 20_000, 2: 0, 3: 500}
    assert air.recorder.today[-1] == {0: 0, 1: 0, 2: 0, 3: 0}
    await air.device.close()


@virtual_time
async def test_a_connection_is_told_when_it_is_opened() -> None:
    """Once, however much is asked over it."""
    air = DoserOnAir()
    assert air.recorder.connections == 0
    for _ in range(2):
        await air.device.perform("request_status", {})
        assert air.recorder.connections == 1
    await air.link.drop()
    await air.device.perform("sync_clock", {})
    assert air.recorder.connections == 2
    await air.device.close()


@virtual_time
async def test_status_tells_memory_and_totals_in_millilitres() -> None:
    """Of the heads that the pump has."""
    air = DoserOnAir(heads=2, lifetime=(12_300, 0))
    off = {"mode": "off", "times": [], "today_ml": 0.0, "target_ml": 0}
    assert await air.device.perform("request_status", {}) == {
        "firmware": 6,
        "uptime_minutes": 0,
        "uptime_saturated": False,
        "clock_drift_minutes": 0,
        "memory": [{"head_index": 0, **off}, {"head_index": 1, **off}],
        "lifetime_ml": [12.3, 0.0],
        "today_ml": [0.0, 0.0],
    }
    await air.device.close()


@virtual_time
async def test_totals_that_are_not_answered_are_none() -> None:
    """The rest of the status is there."""
    air = DoserOnAir()
    await air.device.perform("sync_clock", {})
    await asyncio.sleep(1)
    air.model.faults.set("lose_notification", times=None, value=0x1E)
    status = await air.device.perform("request_status", {})
    assert status is not None
    assert status["lifetime_ml"] is None
    assert status["today_ml"] == [0.0, 0.0, 0.0, 0.0]
    await air.device.close()


@virtual_time
async def test_stop_ends_a_dose_and_tells_what_was_given() -> None:
    """All heads are stopped, the counters say how far it got."""
    air = DoserOnAir(lifetime=(5000, 0, 0, 0))
    dose = await air.device.prepare(0)
    await dose.send(20_000)
    await asyncio.sleep(4)
    report = await air.device.stop()
    assert (report.confirmed, report.detail) == (True, "stopped")
    assert report.given is not None
    assert report.given == {0: pytest.approx(4000, abs=200)}
    assert await dose.finished() == report.given[0]
    await asyncio.sleep(30)
    assert air.model.delivered[0] == pytest.approx(4000, abs=200)
    await dose.release()
    await air.device.close()


@virtual_time
async def test_stop_of_an_idle_doser() -> None:
    """The frame goes out all the same."""
    air = DoserOnAir()
    assert await air.device.stop() == StopReport(confirmed=True, detail="stopped")
    stops = [frame.data for frame in air.model.write_log if frame.data[5] == 0x14]
    assert [data[6:-1] for data in stops] == [bytes([255, 255, *[0] * 4, *[255] * 4])]
    await air.device.close()


@virtual_time
async def test_stop_before_the_dose_is_sent_prevents_it() -> None:
    """The prepared dose loses its lease and is refused."""
    air = DoserOnAir()
    dose = await air.device.prepare(0)
    report = await air.device.stop()
    assert report == StopReport(confirmed=True, detail="stopped")
    with pytest.raises(DeviceError, match="stopping"):
        await dose.send(1000)
    assert air.doses() == []
    await dose.release()
    await air.device.close()


@virtual_time
async def test_dose_that_is_sent_while_the_pump_is_being_stopped_is_refused() -> None:
    """What was only prepared when the stop began never reaches the pump."""
    air = DoserOnAir()
    dose = await air.device.prepare(0)
    stop = asyncio.create_task(air.device.stop())
    async with asyncio.timeout(5):
        while all(mode != 0x14 for _, mode, _ in commands(air.model)):
            await asyncio.sleep(0.001)
    assert not stop.done()
    with pytest.raises(DeviceError, match="stopping"):
        await dose.send(1000)
    assert (await stop).confirmed
    assert air.doses() == []
    await dose.release()
    await air.device.close()


@virtual_time
async def test_dose_that_was_prepared_before_a_failed_stop_is_refused() -> None:
    """Nobody knows whether the heads stand still, so nothing more is begun."""
    air = DoserOnAir()
    dose = await air.device.prepare(0)
    air.model.faults.set("write_error", times=3)
    assert not (await air.device.stop()).confirmed
    with pytest.raises(DeviceError, match="stopping"):
        await dose.send(1000)
    assert air.doses() == []
    await dose.release()
    await air.device.close()


@virtual_time
async def test_stop_does_not_wait_for_a_dose_whose_write_hangs() -> None:
    """The write in flight has its two seconds, then the connection is dropped (design section 5)."""
    air = DoserOnAir()
    dose = await air.device.prepare(0)
    air.model.faults.set("mute_write")
    sending = asyncio.create_task(dose.send(20_000))
    await asyncio.sleep(0.1)
    begun = asyncio.get_running_loop().time()
    assert (await air.device.stop()).confirmed
    assert asyncio.get_running_loop().time() - begun < 3
    with pytest.raises(DeviceError, match="link_lost"):
        await sending
    assert len(air.doses()) == 1
    await dose.release()
    await air.device.close()


@virtual_time
async def test_stop_out_of_reach_is_not_confirmed() -> None:
    """What was given is not known."""
    air = DoserOnAir()
    dose = await air.device.prepare(0)
    await dose.send(20_000)
    air.model.faults.set("out_of_range", times=None)
    assert await air.device.stop() == StopReport(confirmed=False, detail="out_of_range")
    assert await dose.finished() is None
    await dose.release()
    await air.device.close()


@virtual_time
async def test_stops_that_come_together_do_not_break_each_other_off() -> None:
    """Whoever asked hears that the heads stand still, and it takes one connection."""
    air = DoserOnAir()
    stops = [asyncio.create_task(air.device.stop())]
    for _ in range(3):
        await asyncio.sleep(0.04)
        stops.append(asyncio.create_task(air.device.stop()))
    reports = await asyncio.gather(*stops)
    assert [report.detail for report in reports] == ["stopped"] * 4
    clocks = [mode for _, mode, _ in commands(air.model) if mode == 0x09]
    assert len(clocks) == 2
    await air.device.close()


@virtual_time
async def test_stop_without_an_answer_of_the_counters() -> None:
    """The heads stand still, how much was given stays open."""
    air = DoserOnAir()
    dose = await air.device.prepare(0)
    await dose.send(20_000)
    air.model.faults.set("mute", times=None)
    assert await air.device.stop() == StopReport(confirmed=True, detail="stopped")
    assert await dose.finished() is None
    await dose.release()
    await air.device.close()


@virtual_time
async def test_closing_releases_what_is_prepared() -> None:
    """Nobody holds the link any more."""
    air = DoserOnAir()
    dose = await air.device.prepare(0)
    await air.device.close()
    assert not air.model.connected
    assert not dose.sent
