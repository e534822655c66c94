"""Device configurations as services (R-C59)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.engine.intake import Origin
from tests.aquarium import aquarium, device_named, engine_of

LIGHT, DOSER = "Demo light", "Demo doser"


@pytest.fixture(autouse=True)
async def demo(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Set the demo aquarium up, with the entities that rights are checked on."""
    async with aquarium(hass, tmp_path, Platform.LIGHT, Platform.SWITCH, demo=True):
        yield


async def call(
    hass: HomeAssistant,
    service: str,
    thing: str = LIGHT,
    /,
    *,
    context: Context | None = None,
    **data: Any,
) -> dict[str, Any]:
    """Call a service for a device and return the answer."""
    answer = await hass.services.async_call(
        DOMAIN,
        f"{service}_configuration",
        {"device_id": device_named(hass, thing).row.uuid, **data},
        blocking=True,
        return_response=True,
        context=context,
    )
    assert answer is not None
    return dict(answer)


def doser(tenths: int | None = None) -> dict[str, Any]:
    """Return an export of a pump; its last head, which no schedule doses with, has a plan."""
    programme = {"mode": "single", "volume_tenths_ml": tenths, "hour": 8, "minute": 0}
    programmes = [None, None, None, None if tenths is None else programme]
    heads = [
        {"name": f"Head {index + 1}", "programme": one}
        for index, one in enumerate(programmes)
    ]
    return {"format": 1, "kind": "chihiros_doser", "heads": heads}


async def test_save_export_and_bring_in(hass: HomeAssistant) -> None:
    """What is exported is what was saved, and can be brought in."""
    saved = await call(hass, "save", name="Summer")
    assert saved["configuration"]["profile"]["mode"] == "manual"
    exported = await call(hass, "export", name="Summer")
    assert exported == saved
    again = await call(hass, "save", configuration=exported["configuration"])
    assert (again["name"], again["revision"]) == ("Summer", 2)
    assert await call(hass, "export", name="Summer", revision=1) == saved


async def test_apply_waits_for_the_end(hass: HomeAssistant) -> None:
    """Each command of the run knows who asked (R-C63)."""
    await call(hass, "save", DOSER, configuration=doser(20), name="Summer")
    context = Context()
    run = await call(
        hass,
        "apply",
        DOSER,
        name="Summer",
        confirm=True,
        execution="sync",
        context=context,
    )
    assert (run["state"], run["source"]) == ("completed", "service")
    assert run["context_id"] == context.id
    assert [step["state"] for step in run["steps"]] == ["completed"]
    device = device_named(hass, DOSER)
    kept = engine_of(hass).device_memory.content.programmes(device.row.number)
    assert {head: one.volume for head, one in kept.items()} == {3: 2000}


async def test_what_could_not_be_applied_is_an_error(hass: HomeAssistant) -> None:
    """With the reason of the command that failed, when it was waited for."""
    await call(hass, "save", DOSER, configuration=doser(65000), name="Summer")
    queued = await call(hass, "apply", DOSER, name="Summer", confirm=True)
    await engine_of(hass).runs.finished(queued["id"])
    with pytest.raises(ServiceValidationError) as error:
        await call(hass, "apply", DOSER, name="Summer", confirm=True, execution="sync")
    assert error.value.translation_key == "refused_budget_24h_alone"


@pytest.mark.parametrize(
    ("service", "data", "key", "field"),
    [
        ("save", {}, "missing_argument", "name"),
        ("save", {"name": " "}, "schedule_empty", "name"),
        (
            "save",
            {"configuration": "x"},
            "wrong_type_mapping",
            "configuration",
        ),
        ("save", {"configuration": {"format": 2}}, "value_out_of_bounds", "format"),
        ("apply", {"confirm": True}, "schedule_missing", "name"),
        ("apply", {"name": "Summer"}, "confirmation_needed", "confirm"),
        (
            "apply",
            {"name": "Gone", "confirm": True},
            "configuration_not_found",
            "name",
        ),
        ("export", {"name": "Gone"}, "configuration_not_found", "name"),
        (
            "export",
            {"name": "a", "revision": "1"},
            "wrong_type_whole_number",
            "revision",
        ),
    ],
)
async def test_what_is_wrong_is_refused(
    hass: HomeAssistant, service: str, data: dict[str, Any], key: str, field: str
) -> None:
    """The error names the field (law 10)."""
    with pytest.raises(ServiceValidationError) as error:
        await call(hass, service, **data)
    assert error.value.translation_key == key
    assert (error.value.translation_placeholders or {})["field"] == field


async def test_the_curve_of_a_light_is_saved(
    hass: HomeAssistant,
) -> None:
    """While the light runs it."""
    curve = [[{"time": "08:00", "level": 10}]] * 4
    light = device_named(hass, LIGHT)
    command = await engine_of(hass).send(
        light,
        "set_custom_curve",
        {"channels": curve},
        Origin(source=Source.SERVICE),
        confirm=True,
    )
    await engine_of(hass).finished(command)
    saved = await call(hass, "save", name="Summer")
    assert saved["configuration"]["profile"] == {"mode": "custom", "channels": curve}


@pytest.mark.parametrize(
    ("service", "data", "reads", "controls"),
    [
        ("export", {"name": "Summer"}, True, True),
        ("save", {"name": "Summer"}, False, True),
        ("apply", {"name": "Summer", "confirm": True}, False, True),
        ("save", {"configuration": doser()}, False, False),
    ],
)
async def test_rights(
    hass: HomeAssistant,
    hass_read_only_user: MockUser,
    service: str,
    data: dict[str, Any],
    reads: bool,
    controls: bool,
) -> None:
    """Who sees exports, who controls saves and applies, administrators bring in."""
    await call(hass, "save", DOSER, name="Summer")
    who = Context(user_id=hass_read_only_user.id)
    for policy, allowed in (
        ({}, False),
        ({"entities": {"all": {"read": True}}}, reads),
        ({"entities": True}, controls),
    ):
        hass_read_only_user.mock_policy(policy)
        if allowed:
            await call(hass, service, DOSER, context=who, **data)
            continue
        with pytest.raises(Unauthorized):
            await call(hass, service, DOSER, context=who, **data)
