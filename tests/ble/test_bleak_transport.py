"""The transport over Home Assistant's real Bluetooth stack, with a virtual adapter below it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
import logging

from bleak.exc import BleakError
import bleak_retry_connector
from bluetooth_data_tools import monotonic_time_coarse
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.aquarist.ble import bleak_transport
from custom_components.aquarist.ble.bleak_transport import BleakTransport
from custom_components.aquarist.ble.errors import LinkError, Reason
from custom_components.aquarist.ble.link import Link
from custom_components.aquarist.chihiros import gatt, lights
from custom_components.aquarist.chihiros.command_frame import query_status
from custom_components.aquarist.chihiros.frames import FIRST_MESSAGE_ID
from custom_components.aquarist.chihiros.notifications import Status
from custom_components.aquarist.simulator.errors import Refused
from custom_components.aquarist.simulator.light import LightModel
from tests.fakes import gatt_table
from tests.fakes.gatt_table import Property, Service
from tests.fakes.virtual_adapter import VirtualAdapter, VirtualClient

from .rig import LIGHT_ADDRESS

FRAME = lights.set_channel(0, 10).encode(FIRST_MESSAGE_ID)


class Ears:
    """What a transport tells whoever connects."""

    def __init__(self) -> None:
        """Have heard nothing."""
        self.notifications: list[bytes] = []
        self.drops = 0

    def dropped(self) -> None:
        """Count a lost connection."""
        self.drops += 1


async def connect(transport: BleakTransport) -> Ears:
    """Connect and listen."""
    ears = Ears()
    await transport.connect(ears.notifications.append, ears.dropped)
    return ears


async def failure(transport: BleakTransport) -> Reason:
    """Return why a connect fails."""
    with pytest.raises(LinkError) as raised:
        await transport.connect(lambda _: None, lambda: None)
    return raised.value.reason


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens on the event loop by itself."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.002)


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Move the clock with which advertisements are judged."""
    monkeypatch.setattr(
        bleak_transport,
        "monotonic_time_coarse",
        lambda: monotonic_time_coarse() + seconds,
    )


async def test_bytes_go_there_and_back(
    adapter: VirtualAdapter, light: LightModel, transport: BleakTransport
) -> None:
    """A frame arrives with a response asked for, and the answer comes back."""
    adapter.add(light)
    ears = await connect(transport)
    assert light.connected
    await transport.write(query_status().encode(FIRST_MESSAGE_ID))
    await until(lambda: len(ears.notifications) == 2)
    assert light.write_log[0].response
    await transport.disconnect()
    assert not transport.connected
    assert not light.connected


async def test_our_own_disconnect_is_no_drop(
    adapter: VirtualAdapter, light: LightModel, transport: BleakTransport
) -> None:
    """Clients call back for any end of a connection; only a lost one is told."""
    adapter.add(light)
    ears = await connect(transport)
    await transport.disconnect()
    await transport.disconnect()
    ears_again = await connect(transport)
    light.drop_link("link_lost")
    await until(lambda: ears_again.drops == 1)
    assert ears.drops == 0
    assert not transport.connected


async def test_the_firmware_update_is_never_touched(
    adapter: VirtualAdapter, light: LightModel, link: Link
) -> None:
    """Its characteristic stands first and indicates, and still nobody subscribes to it or writes to it."""
    adapter.add(light)
    async with link.lease() as lease:
        await lease.write(lights.manual_on(), lights.set_channel(0, 5))
        assert await lease.ask(query_status(), Status) is not None
    assert adapter.touched == []


async def test_the_oldest_lights_are_reached_by_their_own_service(
    adapter: VirtualAdapter, light: LightModel, link: Link
) -> None:
    """FFE1 takes frames and notifies."""
    adapter.add(light, gatt_table.legacy())
    async with link.lease() as lease:
        assert await lease.ask(query_status(), Status) is not None


async def test_a_light_that_cannot_notify_is_written_to_without_answers(
    adapter: VirtualAdapter, light: LightModel, transport: BleakTransport
) -> None:
    """Some FFE1 modules only take writes, without response (#109)."""
    adapter.add(light, gatt_table.legacy(Property.WRITE_WITHOUT_RESPONSE))
    await connect(transport)
    await transport.write(FRAME)
    assert [written.response for written in light.write_log] == [False]
    assert adapter.touched == []


async def test_a_device_without_a_service_of_ours_is_let_go(
    adapter: VirtualAdapter, light: LightModel, transport: BleakTransport
) -> None:
    """It is told apart from one that does not answer, and nothing is held."""
    adapter.add(light, (gatt_table.DFU,))
    assert await failure(transport) is Reason.UNSUPPORTED
    assert not light.connected
    assert adapter.touched == []


async def test_a_device_never_heard_is_out_of_range_at_once(
    adapter: VirtualAdapter, transport: BleakTransport
) -> None:
    """No connect is tried that could only time out."""
    async with asyncio.timeout(1):
        assert await failure(transport) is Reason.OUT_OF_RANGE
    assert adapter.connects == 0
    assert not transport.present


async def test_nothing_is_connected_while_home_assistant_stops(
    hass: HomeAssistant,
    adapter: VirtualAdapter,
    light: LightModel,
    transport: BleakTransport,
) -> None:
    """Home Assistant has taken its Bluetooth client away by then."""
    adapter.add(light)
    hass.set_state(CoreState.stopping)
    assert await failure(transport) is Reason.STOPPING
    assert adapter.connects == 0
    hass.set_state(CoreState.running)


async def test_no_slot_free_is_told_at_once(
    adapter: VirtualAdapter, light: LightModel, transport: BleakTransport
) -> None:
    """All connections of the proxy are in use."""
    adapter.add(light)
    adapter.fill()
    async with asyncio.timeout(1):
        assert await failure(transport) is Reason.NO_FREE_SLOT
    assert transport.silence_reason() is Reason.NO_FREE_SLOT
    assert adapter.connects == 0


@pytest.mark.usefixtures("no_pauses")
async def test_a_slot_that_is_gone_meanwhile_is_told_too(
    adapter: VirtualAdapter, light: LightModel, transport: BleakTransport
) -> None:
    """The retry connector's own word for it is understood."""
    adapter.add(light)
    light.faults.set("out_of_slots", times=None)
    assert await failure(transport) is Reason.NO_FREE_SLOT
    assert adapter.connects == bleak_retry_connector.MAX_TRANSIENT_ERRORS


@pytest.mark.usefixtures("no_pauses")
async def test_a_refused_connect_means_that_somebody_else_holds_the_device(
    adapter: VirtualAdapter, light: LightModel, transport: BleakTransport
) -> None:
    """It was heard, and takes no connection."""
    adapter.add(light)
    light.faults.set("app_holds_link", times=None)
    assert await failure(transport) is Reason.HELD_BY_APP


@pytest.mark.usefixtures("no_pauses")
async def test_one_refusal_is_tried_again(
    adapter: VirtualAdapter, light: LightModel, transport: BleakTransport
) -> None:
    """A radio is allowed a failure."""
    adapter.add(light)
    light.faults.set("refuse")
    await connect(transport)
    assert adapter.connects == 2


async def test_a_device_that_was_heard_well_and_vanished_is_held_by_an_app(
    adapter: VirtualAdapter,
    light: LightModel,
    link: Link,
    transport: BleakTransport,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A device does not advertise while somebody is connected to it; after a while nobody can tell."""
    adapter.add(light)
    light.faults.set("app_holds_link", times=None)
    adapter.forget(LIGHT_ADDRESS)
    later(monkeypatch, 200)
    assert await failure(transport) is Reason.HELD_BY_APP
    later(monkeypatch, bleak_transport.RECENTLY + 1)
    assert await failure(transport) is Reason.OUT_OF_RANGE


@pytest.mark.usefixtures("no_pauses")
async def test_a_device_that_was_lost_without_another_word_is_out_of_range(
    adapter: VirtualAdapter,
    light: LightModel,
    transport: BleakTransport,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While we were connected no app could be; it has not advertised since, so none has come: no power."""
    adapter.add(light)
    ears = await connect(transport)
    light.power_cut()
    await until(lambda: ears.drops == 1)
    assert await failure(transport) is Reason.OUT_OF_RANGE
    later(monkeypatch, bleak_transport.SILENT_AFTER + 1)
    assert transport.silence_reason() is Reason.OUT_OF_RANGE


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        ("silence", Reason.OUT_OF_RANGE),
        ("answer", Reason.HELD_BY_APP),
        ("refusal", Reason.HELD_BY_APP),
    ],
)
async def test_a_device_that_left_the_last_write_unanswered_is_not_held_by_an_app(
    adapter: VirtualAdapter,
    light: LightModel,
    transport: BleakTransport,
    monkeypatch: pytest.MonkeyPatch,
    last: str,
    reason: Reason,
) -> None:
    """We gave it up ourselves before the radio noticed, but it was gone by then: no power."""
    adapter.add(light)
    await connect(transport)
    light.faults.set("mute_write")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await transport.write(FRAME)
    if last == "answer":
        await transport.write(FRAME)
    elif last == "refusal":
        light.faults.set("write_error")
        with pytest.raises(LinkError):
            await transport.write(FRAME)
    await transport.disconnect()
    light.power_cut()
    adapter.forget(LIGHT_ADDRESS)
    later(monkeypatch, 200)
    assert await failure(transport) is reason


@pytest.mark.usefixtures("no_pauses")
async def test_a_device_that_was_lost_and_heard_again_may_be_held(
    adapter: VirtualAdapter, light: LightModel, transport: BleakTransport
) -> None:
    """It advertised: whoever heard that may have connected to it."""
    adapter.add(light)
    ears = await connect(transport)
    light.drop_link("link_lost")
    await until(lambda: ears.drops == 1)
    lost = monotonic_time_coarse()
    await until(lambda: monotonic_time_coarse() > lost)
    adapter.advertise()
    light.faults.set("app_holds_link", times=None)
    assert await failure(transport) is Reason.HELD_BY_APP


async def test_a_device_that_was_heard_badly_and_vanished_is_out_of_range(
    adapter: VirtualAdapter,
    link: Link,
    light: LightModel,
    transport: BleakTransport,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At the edge of the range silence says nothing."""
    light.rssi = -90
    adapter.add(light)
    adapter.forget(LIGHT_ADDRESS)
    later(monkeypatch, 200)
    assert await failure(transport) is Reason.OUT_OF_RANGE


async def test_a_device_whose_scanner_has_just_gone_is_out_of_range(
    adapter: VirtualAdapter, light: LightModel, transport: BleakTransport
) -> None:
    """It was heard a moment ago, so nobody holds it."""
    adapter.add(light)
    adapter.forget(LIGHT_ADDRESS)
    assert await failure(transport) is Reason.OUT_OF_RANGE


async def test_a_connect_that_hangs_is_bounded_by_the_link(
    hass: HomeAssistant, adapter: VirtualAdapter, light: LightModel, link: Link
) -> None:
    """The retry connector would take 81 s; we take our own 15, and the device is free afterwards."""
    adapter.add(light)
    light.faults.set("mute_connect", times=None)

    async def reason() -> Reason:
        with pytest.raises(LinkError) as raised:
            async with link.lease():
                pytest.fail("a lease was given")
        return raised.value.reason

    begun = dt_util.utcnow()
    task = asyncio.create_task(reason())
    await until(lambda: adapter.connects == 1)
    async_fire_time_changed(hass, begun + timedelta(seconds=16))
    assert await task is Reason.NO_ANSWER
    light.faults.clear()
    async with link.lease(urgent=True):
        assert light.connected


async def test_a_device_that_fell_silent_while_it_was_connected_to_may_be_held(
    adapter: VirtualAdapter,
    light: LightModel,
    transport: BleakTransport,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Still listed, but not heard for half a minute: it does not advertise any more."""
    adapter.add(light)
    assert transport.silence_reason() is Reason.NO_ANSWER
    later(monkeypatch, bleak_transport.SILENT_AFTER + 1)
    assert transport.silence_reason() is Reason.HELD_BY_APP


async def test_a_write_error_leaves_the_link_up(
    adapter: VirtualAdapter, light: LightModel, transport: BleakTransport
) -> None:
    """The next write works."""
    adapter.add(light)
    await connect(transport)
    light.faults.set("write_error")
    with pytest.raises(LinkError) as raised:
        await transport.write(FRAME)
    assert raised.value.reason is Reason.WRITE_FAILED
    await transport.write(FRAME)
    assert light.channels[0] == 10


async def test_a_drop_in_a_write_is_a_lost_link(
    adapter: VirtualAdapter, light: LightModel, transport: BleakTransport
) -> None:
    """The writer hears it, and so does whoever connected; later writes fail the same way."""
    adapter.add(light)
    ears = await connect(transport)
    light.faults.set("drop_at_byte", value=4)
    for _ in range(2):
        with pytest.raises(LinkError) as raised:
            await transport.write(FRAME)
        assert raised.value.reason is Reason.LINK_LOST
    await until(lambda: ears.drops == 1)


async def test_a_drop_while_subscribing_is_undone(
    adapter: VirtualAdapter,
    light: LightModel,
    transport: BleakTransport,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A connection that was never ready is not announced as lost."""
    adapter.add(light)
    taken = light.connect

    def drop_soon(*args: object) -> object:
        connection = taken(*args)  # type: ignore[arg-type]
        asyncio.get_running_loop().call_soon(light.drop_link, "link_lost")
        return connection

    monkeypatch.setattr(light, "connect", drop_soon)
    assert await failure(transport) is Reason.LINK_LOST
    assert not transport.connected


async def test_a_second_scanner_takes_over_when_the_first_is_full(
    hass: HomeAssistant,
    adapter: VirtualAdapter,
    light: LightModel,
    transport: BleakTransport,
) -> None:
    """A fresh device is looked up for each connect, so that proxies extend the range."""
    far = VirtualAdapter(hass, source="A0:00:00:00:00:02")
    far.add(light)
    adapter.add(light)
    far.advertise(rssi=-80)
    adapter.fill()
    await connect(transport)
    assert (adapter.connects, far.connects) == (0, 1)
    await transport.disconnect()
    far.leave()


async def test_a_scanner_that_goes_takes_its_connections_along(
    hass: HomeAssistant, adapter: VirtualAdapter, light: LightModel, link: Link
) -> None:
    """A proxy that restarts is a lost link; the other scanner is used next."""
    far = VirtualAdapter(hass, source="A0:00:00:00:00:02")
    far.add(light)
    async with link.lease():
        far.leave()
        await until(lambda: not link.connected)
    adapter.add(light)
    async with link.lease(urgent=True):
        assert adapter.connects == 1


async def test_a_connected_device_is_available_however_long_it_is_silent(
    adapter: VirtualAdapter,
    light: LightModel,
    link: Link,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Home Assistant calls it unavailable after a while, for it does not advertise; we know better."""
    caplog.set_level(logging.INFO, "custom_components.aquarist.ble")
    adapter.add(light)
    async with link.lease() as lease:
        adapter.forget(LIGHT_ADDRESS)
        assert link.available
        assert await lease.ask(query_status(), Status) is not None
    assert "unavailable" not in caplog.text


async def test_a_device_let_go_after_a_long_connection_is_waited_for(
    adapter: VirtualAdapter, light: LightModel, link: Link
) -> None:
    """No scanner lists it any more, but it advertises again in a moment."""
    adapter.add(light)
    async with link.lease():
        adapter.forget(LIGHT_ADDRESS)
    await link.drop()
    assert link.available

    async def again() -> None:
        async with link.lease():
            pass

    task = asyncio.create_task(again())
    for _ in range(10):
        await asyncio.sleep(0)
    assert adapter.connects == 1
    adapter.advertise()
    await task
    assert adapter.connects == 2


async def test_a_device_let_go_that_stays_silent_is_given_up(
    hass: HomeAssistant,
    adapter: VirtualAdapter,
    light: LightModel,
    transport: BleakTransport,
) -> None:
    """The wait for its next advertisement ends by itself."""
    adapter.add(light)
    await connect(transport)
    adapter.forget(LIGHT_ADDRESS)
    await transport.disconnect()
    assert transport.silence_reason() is Reason.OUT_OF_RANGE
    task = asyncio.create_task(failure(transport))
    for _ in range(10):
        await asyncio.sleep(0)
    async_fire_time_changed(
        hass, dt_util.utcnow() + timedelta(seconds=bleak_transport.COMES_BACK + 1)
    )
    assert await task is Reason.OUT_OF_RANGE


async def test_a_device_that_does_not_come_back_is_unavailable_after_its_time(
    hass: HomeAssistant,
    adapter: VirtualAdapter,
    light: LightModel,
    link: Link,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has 30 s to advertise again."""
    adapter.add(light)
    async with link.lease():
        adapter.forget(LIGHT_ADDRESS)
        light.power_cut()
        await until(lambda: not adapter.open)
    assert link.available
    later(monkeypatch, bleak_transport.COMES_BACK + 2)
    async_fire_time_changed(
        hass, dt_util.utcnow() + timedelta(seconds=bleak_transport.COMES_BACK + 2)
    )
    await hass.async_block_till_done()
    assert not link.available


async def test_coming_and_going_is_logged_once_each(
    adapter: VirtualAdapter,
    light: LightModel,
    link: Link,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One line when it goes, one when it is back."""
    caplog.set_level(logging.INFO, "custom_components.aquarist.ble")
    told: list[bool] = []
    adapter.add(light)
    link.on_availability(told.append)
    light.power_cut()
    for _ in range(3):
        adapter.forget(LIGHT_ADDRESS)
    light.power_on()
    for _ in range(3):
        adapter.advertise()
    assert told == [False, True]
    lines = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.aquarist.ble")
    ]
    assert lines == ["tank light is unavailable", "tank light is available again"]


async def test_a_link_that_is_closed_follows_no_more(
    adapter: VirtualAdapter, light: LightModel, transport: BleakTransport
) -> None:
    """Nobody is told after the watch has ended."""
    told: list[bool] = []
    unwatch = transport.watch_presence(told.append)
    adapter.add(light)
    assert told == [True]
    unwatch()
    adapter.forget(LIGHT_ADDRESS)
    assert told == [True]


async def test_a_device_that_never_answers_the_stack_itself(
    adapter: VirtualAdapter,
    light: LightModel,
    transport: BleakTransport,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When the stack gives up before we do, the reason is the same."""
    monkeypatch.setattr(bleak_retry_connector, "BLEAK_TIMEOUT", 0.001)
    monkeypatch.setattr(
        bleak_retry_connector, "calculate_backoff_time", lambda error: 0.0
    )
    adapter.add(light)
    light.faults.set("mute_connect", times=None)
    assert await failure(transport) is Reason.NO_ANSWER


@pytest.mark.usefixtures("no_pauses")
async def test_a_connect_that_home_assistant_stops_in_is_told_so(
    hass: HomeAssistant,
    adapter: VirtualAdapter,
    light: LightModel,
    transport: BleakTransport,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the stack says then, we are stopping."""
    adapter.add(light)

    def refuse(*_: object) -> None:
        hass.set_state(CoreState.stopping)
        raise Refused

    monkeypatch.setattr(light, "connect", refuse)
    assert await failure(transport) is Reason.STOPPING
    hass.set_state(CoreState.running)


async def test_a_client_that_cannot_disconnect_is_left_alone(
    adapter: VirtualAdapter,
    light: LightModel,
    transport: BleakTransport,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The link is given up all the same."""
    adapter.add(light)
    await connect(transport)

    async def fail(_: VirtualClient) -> None:
        raise BleakError("no")

    with monkeypatch.context() as patch:
        patch.setattr(VirtualClient, "disconnect", fail)
        await transport.disconnect()
    assert not transport.connected


async def test_a_service_without_its_characteristics_is_no_service(
    adapter: VirtualAdapter, light: LightModel, transport: BleakTransport
) -> None:
    """A half-discovered device is not written to."""
    half = Service(uuid=gatt.UART_SERVICE, handle=20, characteristics=())
    adapter.add(light, (half,))
    assert await failure(transport) is Reason.UNSUPPORTED


async def test_a_silent_device_on_no_list_is_judged_by_when_it_was_heard(
    adapter: VirtualAdapter, transport: BleakTransport
) -> None:
    """Never heard is out of range."""
    assert transport.silence_reason() is Reason.OUT_OF_RANGE


async def test_how_strong_a_device_is_heard(
    adapter: VirtualAdapter, light: LightModel, link: Link
) -> None:
    """As any scanner heard it last; nobody knows before."""
    assert link.signal is None
    adapter.add(light)
    assert link.signal == -60
