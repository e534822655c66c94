"""Adding and changing devices and aquariums, from what the keeper sees to the entry that is made."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import AsyncMock, patch

import bleak_retry_connector
from homeassistant.components import bluetooth
from homeassistant.config_entries import (
    SOURCE_BLUETOOTH,
    SOURCE_IGNORE,
    SOURCE_USER,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.aquarist.chihiros.frames import parse
from custom_components.aquarist.chihiros.models import PREFIXES, DeviceFamily
from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.simulator.doser import DoserModel
from custom_components.aquarist.simulator.faults import FaultName
from custom_components.aquarist.simulator.light import LightModel
from custom_components.aquarist.simulator.peripheral import Peripheral

from .bluetooth import inject, service_info
from .fakes.gatt_table import DFU
from .fakes.tracked_clock import TrackedClock
from .fakes.virtual_adapter import VirtualAdapter
from .flow_forms import (
    ADDRESS,
    aquarium,
    choices,
    doser_entry,
    fields,
    heads,
    light_entry,
    suggested,
)

OTHER_ADDRESS = "E4:3A:D5:3A:D8:03"
DRIVEN = (DeviceFamily.LIGHT, DeviceFamily.DOSER)
STATUS_AND_CLOCK_TWICE = [(0x5A, 0x04), (0x5A, 0x09), (0x5A, 0x09)]


@pytest.fixture(autouse=True)
def setup_entry() -> Iterator[AsyncMock]:
    """Leave what entries do once they are there to other tests."""
    with (
        patch("custom_components.aquarist.async_setup", return_value=True),
        patch("custom_components.aquarist.async_unload_entry", return_value=True),
        patch(
            "custom_components.aquarist.async_setup_entry", return_value=True
        ) as setup,
    ):
        yield setup


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let bleak-retry-connector try again at once; it would wait 36 s for a slot."""
    monkeypatch.setattr(
        bleak_retry_connector, "calculate_backoff_time", lambda error: 0.0
    )


@pytest.fixture(autouse=True)
async def adapter(hass: HomeAssistant) -> AsyncIterator[VirtualAdapter]:
    """Give a virtual adapter below Home Assistant's Bluetooth that hears nothing yet."""
    assert await async_setup_component(hass, "bluetooth", {})
    adapter = VirtualAdapter(hass)
    yield adapter
    adapter.leave()


@pytest.fixture
def clock(hass: HomeAssistant) -> Iterator[TrackedClock]:
    """Give simulated devices their time."""
    clock = TrackedClock(hass.loop)
    yield clock
    clock.stop()


@pytest.fixture
def light(clock: TrackedClock) -> LightModel:
    """Give a light that no adapter hears yet."""
    return LightModel(clock, address=ADDRESS, name="DYWPRO60E43AD53AD802")


@pytest.fixture
def doser(clock: TrackedClock) -> DoserModel:
    """Give a dosing pump that no adapter hears yet."""
    return DoserModel(clock, address=ADDRESS, name="DYDOSEE43AD53AD802")


async def hear(
    hass: HomeAssistant, name: str, address: str = ADDRESS, **info: Any
) -> ConfigFlowResult:
    """Start the flow of a device that was discovered."""
    return await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_BLUETOOTH},
        data=service_info(name, address, **info),
    )


async def discover(
    hass: HomeAssistant, adapter: VirtualAdapter, device: Peripheral
) -> ConfigFlowResult:
    """Let the adapter hear a device, and open the flow that Home Assistant starts for it."""
    adapter.add(device)
    await hass.async_block_till_done(wait_background_tasks=True)
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    return await hass.config_entries.flow.async_configure(flow["flow_id"])


async def choose(hass: HomeAssistant, option: str) -> ConfigFlowResult:
    """Start the user's flow and choose from its menu."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    return await submit(hass, result, {"next_step_id": option})


async def submit(
    hass: HomeAssistant, result: ConfigFlowResult, user_input: dict[str, Any]
) -> ConfigFlowResult:
    """Fill in the form and send it."""
    return await hass.config_entries.flow.async_configure(result["flow_id"], user_input)


def written(device: Peripheral) -> list[tuple[int, int]]:
    """Return group and mode of each frame that arrived at a device."""
    return [
        (frame.group, frame.mode)
        for frame in (parse(each.data) for each in device.write_log)
    ]


# Discovery


async def test_each_known_light_and_doser_is_offered(hass: HomeAssistant) -> None:
    """Home Assistant starts a flow for every prefix, and the form fits the family."""
    expected = {}
    for number, (prefix, model) in enumerate(PREFIXES.items()):
        if model.family in DRIVEN:
            address = f"E4:3A:D5:00:00:{number:02X}"
            expected[address] = model.family.value
            inject(
                hass,
                service_info(
                    f"{prefix}{address.replace(':', '')}", address, service_uuids=()
                ),
            )
    await hass.async_block_till_done(wait_background_tasks=True)

    flows = hass.config_entries.flow.async_progress_by_handler(DOMAIN)

    assert {flow["context"]["unique_id"]: flow["step_id"] for flow in flows} == expected


async def test_a_discovered_device_has_a_name_that_tells_it_from_others(
    hass: HomeAssistant,
) -> None:
    """Model and the end of the address, in the list of discoveries."""
    await hear(hass, "DYWPRO60E43AD53AD802")

    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)

    assert flow["context"]["title_placeholders"] == {"name": "WRGB II Pro D802"}


@pytest.mark.parametrize(
    ("prefix", "model"),
    [
        (prefix, model.name)
        for prefix, model in PREFIXES.items()
        if model.family not in DRIVEN
    ],
)
async def test_other_chihiros_devices_are_refused_by_name(
    hass: HomeAssistant, prefix: str, model: str
) -> None:
    """Heaters, fans, stirrers and CO2 controllers come through the UART service."""
    result = await hear(hass, f"{prefix}E43AD53AD802")

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "family_not_supported"
    assert result["description_placeholders"] == {"model": model}


@pytest.mark.parametrize(
    ("name", "service_uuids"),
    [
        ("Nordic_UART", ("6e400001-b5a3-f393-e0a9-e50e24dcca9e",)),
        (ADDRESS, ("6e400001-b5a3-f393-e0a9-e50e24dcca9e",)),
        ("DYQQQE43AD53AD802", ()),
    ],
    ids=["other maker", "no name yet", "unknown name without the service"],
)
async def test_other_bluetooth_devices_are_refused(
    hass: HomeAssistant, name: str, service_uuids: tuple[str, ...]
) -> None:
    """The matcher for the UART service brings in more than Chihiros devices."""
    result = await hear(hass, name, service_uuids=service_uuids)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "not_supported"


async def test_a_configured_device_is_not_offered_again(hass: HomeAssistant) -> None:
    """Its address is its identity."""
    light_entry().add_to_hass(hass)

    result = await hear(hass, "DYWPRO60E43AD53AD802")

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_a_device_is_offered_once(hass: HomeAssistant) -> None:
    """Two discoveries of one device are one flow."""
    await hear(hass, "DYWPRO60E43AD53AD802")

    result = await hear(hass, "DYWPRO60E43AD53AD802")

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_in_progress"


# Adding a device


async def test_a_light_with_known_channels_only_wants_a_yes(
    hass: HomeAssistant,
    adapter: VirtualAdapter,
    light: LightModel,
    setup_entry: AsyncMock,
) -> None:
    """One connection proves that it answers; then the entry is made and the light is free again."""
    result = await discover(hass, adapter, light)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "light"
    assert fields(result) == []
    assert result["description_placeholders"] == {
        "name": "WRGB II Pro D802",
        "address": ADDRESS,
    }

    result = await submit(hass, result, {})

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "WRGB II Pro D802"
    assert result["result"].unique_id == ADDRESS
    assert result["data"] == {
        "kind": "chihiros",
        "address": ADDRESS,
        "local_name": "DYWPRO60E43AD53AD802",
        "family": "light",
        "channels": ["red", "green", "blue", "white"],
    }
    assert result["options"] == {
        "aquarium": None,
        "idle_hold": 30,
        "maximum_level": None,
        "slew": None,
    }
    assert written(light) == STATUS_AND_CLOCK_TWICE
    assert adapter.connects == 1
    assert not light.connected
    setup_entry.assert_awaited_once()


@pytest.mark.parametrize("number", ["2", "4", "8"])
async def test_a_doser_is_asked_for_its_heads(
    hass: HomeAssistant, adapter: VirtualAdapter, doser: DoserModel, number: str
) -> None:
    """The name does not tell them; each starts in use and with a limit. Nothing is dosed."""
    result = await discover(hass, adapter, doser)
    assert result["step_id"] == "doser"
    assert fields(result) == ["heads"]

    result = await submit(hass, result, {"heads": number})

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Dosing Pump D802"
    assert result["data"] == {
        "kind": "chihiros",
        "address": ADDRESS,
        "local_name": "DYDOSEE43AD53AD802",
        "family": "doser",
        "heads": int(number),
    }
    assert result["options"] == {
        "aquarium": None,
        "idle_hold": 30,
        "heads": heads(*(f"Head {head}" for head in range(1, int(number) + 1))),
    }
    assert written(doser) == [*STATUS_AND_CLOCK_TWICE, (0xA5, 0x04), (0xA5, 0x04)]


async def test_a_doser_with_three_heads_does_not_exist(hass: HomeAssistant) -> None:
    """Only what is sold can be chosen."""
    result = await hear(hass, "DYDOSEE43AD53AD802")

    with pytest.raises(InvalidData, match="heads"):
        await submit(hass, result, {"heads": "3"})


@pytest.mark.parametrize(
    ("name", "layouts", "layout", "channels"),
    [
        ("DYCOME43AD53AD802", ["white", "rgb", "wrgb"], "white", ["white"]),
        (
            "DYCOME43AD53AD802",
            ["white", "rgb", "wrgb"],
            "wrgb",
            ["red", "green", "blue", "white"],
        ),
        (
            "MDTMDE43AD53AD802",
            ["red_green", "white", "rgb", "wrgb"],
            "red_green",
            ["red", "green"],
        ),
    ],
)
async def test_a_light_whose_name_does_not_tell_its_channels_is_asked(
    hass: HomeAssistant,
    adapter: VirtualAdapter,
    clock: TrackedClock,
    name: str,
    layouts: list[str],
    layout: str,
    channels: list[str],
) -> None:
    """A Commander 1 drives any light; the Magnetic Light comes in two editions."""
    device = LightModel(clock, address=ADDRESS, name=name)
    result = await discover(hass, adapter, device)
    assert choices(result, "layout") == layouts

    result = await submit(hass, result, {"layout": layout})

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["channels"] == channels


@pytest.mark.parametrize(
    ("kind", "channels"),
    [
        ("white", ["white"]),
        ("rgb", ["red", "green", "blue"]),
        ("wrgb", ["red", "green", "blue", "white"]),
    ],
)
async def test_a_light_with_an_unknown_name_is_described_by_its_keeper(
    hass: HomeAssistant,
    adapter: VirtualAdapter,
    clock: TrackedClock,
    kind: str,
    channels: list[str],
) -> None:
    """A new model is found by the UART service; its channels are asked once."""
    device = LightModel(clock, address=ADDRESS, name="DYQQQE43AD53AD802")
    result = await discover(hass, adapter, device)
    assert result["step_id"] == "unknown_device"
    assert choices(result, "device_type") == ["white", "rgb", "wrgb", "doser"]
    result = await submit(hass, result, {"device_type": kind})
    assert result["step_id"] == "light"
    assert fields(result) == []

    result = await submit(hass, result, {})

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Chihiros light D802"
    assert result["data"]["family"] == "light"
    assert result["data"]["channels"] == channels


async def test_a_doser_with_an_unknown_name_is_described_by_its_keeper(
    hass: HomeAssistant, adapter: VirtualAdapter, clock: TrackedClock
) -> None:
    """What is asked next is what a doser is asked."""
    device = DoserModel(clock, address=ADDRESS, name="DYQQQE43AD53AD802")
    result = await discover(hass, adapter, device)
    result = await submit(hass, result, {"device_type": "doser"})
    assert result["step_id"] == "doser"

    result = await submit(hass, result, {"heads": "4"})

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Chihiros dosing pump D802"
    assert result["data"]["family"] == "doser"
    assert result["data"]["heads"] == 4


async def test_the_only_aquarium_is_suggested(
    hass: HomeAssistant, adapter: VirtualAdapter, light: LightModel
) -> None:
    """Most keepers have one tank."""
    reef = aquarium()
    reef.add_to_hass(hass)
    result = await discover(hass, adapter, light)
    assert choices(result, "aquarium") == [{"value": reef.entry_id, "label": "Reef"}]
    assert suggested(result) == {"aquarium": reef.entry_id}

    result = await submit(hass, result, {"aquarium": reef.entry_id})

    assert result["options"]["aquarium"] == reef.entry_id


async def test_with_several_aquariums_none_is_suggested(
    hass: HomeAssistant, adapter: VirtualAdapter, light: LightModel
) -> None:
    """A device may also go without."""
    aquarium("Reef").add_to_hass(hass)
    aquarium("Nano").add_to_hass(hass)
    result = await discover(hass, adapter, light)
    assert [each["label"] for each in choices(result, "aquarium")] == ["Reef", "Nano"]
    assert suggested(result) == {}

    result = await submit(hass, result, {})

    assert result["options"]["aquarium"] is None


# What can be wrong with the connection, and how it is overcome


def vanish(adapter: VirtualAdapter, light: LightModel) -> None:
    """Take the device out of range."""
    light.power_cut()
    adapter.forget(ADDRESS)


def come_back(adapter: VirtualAdapter, light: LightModel) -> None:
    """Bring the device back."""
    light.power_on()
    adapter.advertise()


def fill(adapter: VirtualAdapter, light: LightModel) -> None:
    """Use up all connections of the adapter."""
    adapter.fill()


def empty(adapter: VirtualAdapter, light: LightModel) -> None:
    """Give the adapter connections again."""
    adapter.slots = 3
    adapter.allocations_changed()


def open_app(adapter: VirtualAdapter, light: LightModel) -> None:
    """Let the phone app take the device's one connection."""
    light.faults.set(FaultName.APP_HOLDS_LINK, times=None)


def drop(adapter: VirtualAdapter, light: LightModel) -> None:
    """Lose the connection at the first write."""
    light.faults.set(FaultName.DROP_BEFORE_WRITE, times=1, value=1)


def refuse_writes(adapter: VirtualAdapter, light: LightModel) -> None:
    """Refuse every write."""
    light.faults.set(FaultName.WRITE_ERROR)


def be_something_else(adapter: VirtualAdapter, light: LightModel) -> None:
    """Offer other services."""
    adapter.add(light, (DFU,))


def be_a_light(adapter: VirtualAdapter, light: LightModel) -> None:
    """Offer a light's services."""
    adapter.add(light)


def clear(adapter: VirtualAdapter, light: LightModel) -> None:
    """Take all faults away."""
    light.faults.clear()


type Change = Callable[[VirtualAdapter, LightModel], None]


@pytest.mark.parametrize(
    ("error", "fault", "repair"),
    [
        ("out_of_range", vanish, come_back),
        ("no_free_slot", fill, empty),
        ("held_by_app", open_app, clear),
        ("link_lost", drop, clear),
        ("unsupported", be_something_else, be_a_light),
        ("unknown", refuse_writes, clear),
    ],
)
async def test_a_failed_connection_is_explained_and_can_be_tried_again(
    hass: HomeAssistant,
    adapter: VirtualAdapter,
    light: LightModel,
    error: str,
    fault: Change,
    repair: Change,
) -> None:
    """Each reason has its text; sending the form again after the cause is gone adds the device."""
    result = await discover(hass, adapter, light)
    fault(adapter, light)
    result = await submit(hass, result, {})
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "light"
    assert result["errors"] == {"base": error}
    assert fields(result) == ["skip_test"]

    repair(adapter, light)
    result = await submit(hass, result, {"skip_test": False})

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert not light.connected


async def test_a_device_that_never_answers_is_given_up_in_time(
    hass: HomeAssistant, adapter: VirtualAdapter, light: LightModel
) -> None:
    """The flow waits 15 s, then says that there is no answer."""
    result = await discover(hass, adapter, light)
    light.faults.set(FaultName.MUTE_CONNECT)
    begun = dt_util.utcnow()
    trial = asyncio.create_task(submit(hass, result, {}))
    async with asyncio.timeout(5):
        while not adapter.connects:
            await asyncio.sleep(0)

    async_fire_time_changed(hass, begun + timedelta(seconds=16))
    result = await trial

    assert result["errors"] == {"base": "no_answer"}
    light.faults.clear()
    result = await submit(hass, result, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_device_may_be_added_although_it_cannot_be_reached(
    hass: HomeAssistant, adapter: VirtualAdapter, doser: DoserModel
) -> None:
    """The keeper may be away from the tank; what was entered is kept in the form."""
    reef = aquarium()
    reef.add_to_hass(hass)
    result = await discover(hass, adapter, doser)
    doser.faults.set(FaultName.APP_HOLDS_LINK, times=None)
    result = await submit(hass, result, {"heads": "8"})
    assert result["errors"] == {"base": "held_by_app"}
    assert suggested(result) == {"heads": "8"}
    tried = adapter.connects

    result = await submit(hass, result, {"heads": "8", "skip_test": True})

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["heads"] == 8
    assert result["options"]["aquarium"] is None
    assert adapter.connects == tried


# The user's menu


async def test_the_menu_offers_a_device_an_aquarium_and_the_demo(
    hass: HomeAssistant,
) -> None:
    """Nothing is typed that can be chosen."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )

    assert result["type"] is FlowResultType.MENU
    assert result["menu_options"] == ["pick_device", "aquarium", "demo"]


async def test_only_candidates_are_listed_the_strongest_first(
    hass: HomeAssistant,
) -> None:
    """Chihiros lights and dosers that can be connected to and are not configured."""
    light_entry().add_to_hass(hass)
    for name, address, info in (
        ("DYWPRO60E43AD53AD802", ADDRESS, {}),
        ("DYDOSEE43AD53AD803", OTHER_ADDRESS, {"rssi": -71}),
        ("DYQQQE43AD53AD804", "E4:3A:D5:3A:D8:04", {"rssi": -48}),
        ("DYQQRE43AD53AD805", "E4:3A:D5:3A:D8:05", {"service_uuids": ()}),
        ("DYHETE43AD53AD806", "E4:3A:D5:3A:D8:06", {}),
        ("Nordic_UART", "E4:3A:D5:3A:D8:07", {}),
        ("DYNA2E43AD53AD808", "E4:3A:D5:3A:D8:08", {"connectable": False}),
    ):
        inject(hass, service_info(name, address, **info))
    await hass.async_block_till_done(wait_background_tasks=True)

    result = await choose(hass, "pick_device")

    assert result["step_id"] == "pick_device"
    assert choices(result, "address") == [
        {
            "value": "E4:3A:D5:3A:D8:04",
            "label": "Unknown Chihiros device (E4:3A:D5:3A:D8:04, -48 dBm)",
        },
        {
            "value": OTHER_ADDRESS,
            "label": "Dosing Pump (E4:3A:D5:3A:D8:03, -71 dBm)",
        },
    ]


async def test_a_picked_device_is_added_and_its_discovery_ends(
    hass: HomeAssistant, adapter: VirtualAdapter, light: LightModel
) -> None:
    """The discovery of the same device does not stand in the way."""
    adapter.add(light)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(hass.config_entries.flow.async_progress_by_handler(DOMAIN)) == 1
    result = await choose(hass, "pick_device")
    result = await submit(hass, result, {"address": ADDRESS})
    assert result["step_id"] == "light"

    result = await submit(hass, result, {})

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].unique_id == ADDRESS
    assert hass.config_entries.flow.async_progress_by_handler(DOMAIN) == []


async def test_a_device_that_was_ignored_can_be_picked(
    hass: HomeAssistant, adapter: VirtualAdapter, light: LightModel
) -> None:
    """Whoever picks it wants it."""
    light_entry(source=SOURCE_IGNORE, data={}, options={}).add_to_hass(hass)
    adapter.add(light)
    result = await choose(hass, "pick_device")
    result = await submit(hass, result, {"address": ADDRESS})

    result = await submit(hass, result, {})

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert hass.config_entries.async_entries(DOMAIN) == [result["result"]]


async def test_without_candidates_the_way_to_get_some_is_told(
    hass: HomeAssistant,
) -> None:
    """The flow ends with a text about power, range, proxies and the phone app."""
    result = await choose(hass, "pick_device")

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "no_devices_found"


async def test_another_device_can_be_picked_when_the_first_is_gone(
    hass: HomeAssistant, adapter: VirtualAdapter, light: LightModel, clock: TrackedClock
) -> None:
    """It went out of range while the list was open."""
    other = LightModel(clock, address=OTHER_ADDRESS, name="DYNA2E43AD53AD803")
    adapter.add(light)
    adapter.add(other)
    result = await choose(hass, "pick_device")
    vanish(adapter, light)
    result = await submit(hass, result, {"address": ADDRESS})
    assert result["step_id"] == "pick_device"
    assert result["errors"] == {"address": "device_gone"}
    assert [each["value"] for each in choices(result, "address")] == [OTHER_ADDRESS]

    result = await submit(hass, result, {"address": OTHER_ADDRESS})

    assert result["step_id"] == "light"
    result = await submit(hass, result, {})
    assert result["title"] == "A II D803"


# Aquariums


async def test_an_aquarium_is_its_name(hass: HomeAssistant) -> None:
    """Its devices are listed afterwards."""
    result = await choose(hass, "aquarium")
    assert result["step_id"] == "aquarium"

    result = await submit(hass, result, {"name": " Living room "})

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Living room"
    assert result["result"].unique_id == "living_room"
    assert result["data"] == {"kind": "aquarium", "demo": False}
    assert result["options"] == {}


@pytest.mark.parametrize(
    ("name", "error"),
    [("  ", "name_missing"), ("x" * 101, "name_too_long"), ("reef", "name_taken")],
)
async def test_an_aquarium_needs_a_name_of_its_own(
    hass: HomeAssistant, name: str, error: str
) -> None:
    """With another name it is added."""
    aquarium("Reef").add_to_hass(hass)
    result = await choose(hass, "aquarium")
    result = await submit(hass, result, {"name": name})
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"name": error}
    assert suggested(result) == {"name": name}

    result = await submit(hass, result, {"name": "Nano"})

    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_the_demo_aquarium_is_one_click(hass: HomeAssistant) -> None:
    """Nothing is asked."""
    result = await choose(hass, "demo")

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Demo aquarium"
    assert result["result"].unique_id == "demo_aquarium"
    assert result["data"] == {"kind": "aquarium", "demo": True}


@pytest.mark.parametrize("name", ["Demo aquarium", "Renamed"])
async def test_there_is_one_demo_aquarium(hass: HomeAssistant, name: str) -> None:
    """Also after it got another name."""
    aquarium(name, demo=True).add_to_hass(hass)

    result = await choose(hass, "demo")

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


# What an entry offers


@pytest.mark.parametrize(
    ("entry", "options", "subentries"),
    [
        (light_entry(), True, []),
        (doser_entry(), True, []),
        (
            aquarium(),
            True,
            [
                "pump",
                "light",
                "doser",
                "entity",
                "interlock",
                "sensor_guard",
                "mode",
            ],
        ),
        (light_entry(source=SOURCE_IGNORE, data={}), False, []),
    ],
    ids=["light", "doser", "aquarium", "ignored"],
)
async def test_entries_offer_what_makes_sense_for_them(
    hass: HomeAssistant, entry: MockConfigEntry, options: bool, subentries: list[str]
) -> None:
    """Bluetooth devices have options; aquariums have them, too, and lists of devices and rules."""
    entry.add_to_hass(hass)
    await async_setup_component(hass, DOMAIN, {})
    await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})

    assert entry.supports_options is options
    assert list(entry.supported_subentry_types) == subentries


async def test_a_forgotten_device_can_be_discovered_again(
    hass: HomeAssistant, adapter: VirtualAdapter, light: LightModel
) -> None:
    """The flow leaves nothing behind that keeps Bluetooth from offering the device."""
    result = await discover(hass, adapter, light)
    result = await submit(hass, result, {})
    await hass.config_entries.async_remove(result["result"].entry_id)

    bluetooth.async_rediscover_address(hass, ADDRESS)
    adapter.advertise(rssi=-61)
    await hass.async_block_till_done(wait_background_tasks=True)

    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["unique_id"] == ADDRESS
