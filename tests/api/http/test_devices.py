"""Devices and the site (R-T46, R-T48)."""

from uuid import UUID

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, label_registry as lr
import pytest

from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.hardware import device_uuid
from tests.aquarium import ENTRY, device_named, engine_of

from .rest import PUMP, SKIMMER, Rest, pump, retired

KEYS = {"device_id", "site_id", "device_type", "name", "status", "tags"}


async def statuses(rest: Rest, **query: str) -> dict[str, str]:
    """Return the status of each device that is listed, by its name."""
    answer = await rest.get("/devices", **query)
    assert answer.status == 200
    assert answer.body["count"] == len(answer.body["results"])
    return {one["name"]: one["status"] for one in answer.body["results"]}


async def test_every_device_is_listed(hass: HomeAssistant, rest: Rest) -> None:
    """With its type, the site, and no tags."""
    answer = await rest.get("/devices")
    (site,) = (await rest.get("/sites")).body["results"]

    assert answer.body["count"] == 4 and answer.body["next"] is None
    for one in answer.body["results"]:
        assert set(one) == KEYS
        assert one["site_id"] == site["id"]
        assert one["device_id"] == device_named(hass, one["name"]).row.uuid
        number = device_named(hass, one["name"]).row.number
        assert one["device_type"].endswith(f"_{number}")
        assert one["tags"] == []


async def test_how_devices_can_be_reached(hass: HomeAssistant, rest: Rest) -> None:
    """CONNECTED, DISCONNECTED, NOT_AVAILABLE, RETIRED."""
    pump(hass).available = False
    await engine_of(hass).equipment.detach(device_named(hass, SKIMMER).row.number)
    await retired(hass, "Demo doser")
    expected = {
        "Demo light": "CONNECTED",
        "Demo doser": "RETIRED",
        PUMP: "DISCONNECTED",
        SKIMMER: "NOT_AVAILABLE",
    }
    assert await statuses(rest) == expected
    for name, status in expected.items():
        assert await statuses(rest, status=status) == {name: status}
    both = await statuses(rest, status="RETIRED,DISCONNECTED")
    assert set(both) == {"Demo doser", PUMP}
    pump(hass).available = True


async def test_devices_by_type(hass: HomeAssistant, rest: Rest) -> None:
    """By the name of a type, or by the kind that begins it."""
    number = device_named(hass, PUMP).row.number

    assert set(await statuses(rest, device_type=f"pump_{number}")) == {PUMP}
    assert set(await statuses(rest, device_type="pump")) == {PUMP, SKIMMER}
    assert set(await statuses(rest, device_type="pump,chihiros_light")) == {
        PUMP,
        SKIMMER,
        "Demo light",
    }
    assert await statuses(rest, device_type="fridge") == {}
    assert await statuses(rest, device_type="pump", status="RETIRED") == {}


async def test_labels_are_tags(hass: HomeAssistant, rest: Rest) -> None:
    """By their names; one that was deleted is none."""
    labels = lr.async_get(hass)
    ids = {labels.async_create(name).label_id for name in ("Reef", "Night")}
    registry = dr.async_get(hass)
    uuid = device_named(hass, PUMP).row.uuid
    device = registry.async_get_device_by_identifier((DOMAIN, uuid), ENTRY)
    assert device is not None
    registry.async_update_device(device.id, labels={*ids, "gone"})

    results = (await rest.get("/devices", device_type="pump")).body["results"]
    assert {one["name"]: one["tags"] for one in results} == {
        PUMP: ["Night", "Reef"],
        SKIMMER: [],
    }


async def test_pages_of_devices(rest: Rest) -> None:
    """R-T46: like all lists."""
    first = (await rest.get("/devices", page_size="3")).body
    assert (first["count"], len(first["results"])) == (4, 3)
    second = (await rest.get("/devices", page_size="3", page="2")).body
    assert (second["next"], len(second["results"])) == (None, 1)


@pytest.mark.parametrize(
    ("query", "key", "field"),
    [
        ({"status": "ASLEEP"}, "unknown_word", "status"),
        ({"page": "0"}, "out_of_range", "page"),
        ({"colour": "red"}, "unknown_field", "colour"),
    ],
)
async def test_a_wrong_question_is_400(
    rest: Rest, query: dict[str, str], key: str, field: str
) -> None:
    """The field is named."""
    assert (await rest.get("/devices", **query)).error == (400, key, field)


async def test_the_site_is_the_house(hass: HomeAssistant, rest: Rest) -> None:
    """R-T48: Home Assistant's own words, and the same id for ever."""
    hass.config.location_name, hass.config.country = "Home", "DE"
    answer = (await rest.get("/sites")).body
    (site,) = answer["results"]

    assert (answer["count"], answer["next"]) == (1, None)
    assert str(UUID(site.pop("id")))
    assert site == {
        "name": "Home",
        "address": None,
        "country": "DE",
        "time_zone": hass.config.time_zone,
        "pdl_identifier": None,
    }
    assert (await rest.get("/sites", page="2")).body["results"] == []
    assert device_uuid("site/x") != device_uuid("site/y")


async def test_the_settings_say_more_of_the_site(
    hass: HomeAssistant, rest: Rest
) -> None:
    """R-T48: name, address and the number of the supply point."""
    chosen = {
        "site_name": "Reef house",
        "site_address": "1 Harbour Street",
        "pdl_identifier": "12345678901234",
    }
    await engine_of(hass).live_settings.update(chosen, None)
    (site,) = (await rest.get("/sites")).body["results"]

    assert (site["name"], site["address"], site["pdl_identifier"]) == tuple(
        chosen.values()
    )
