"""Guided calibration as a service: one call for each step of the keeper."""

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

DOSER = "Demo doser"


@pytest.fixture(autouse=True)
async def demo(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Set the demo aquarium up."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        yield


async def step(
    hass: HomeAssistant, what: str, *, context: Context | None = None, **more: Any
) -> dict[str, Any]:
    """Do a step at the first head and return the answer."""
    data = {
        "device_id": device_named(hass, DOSER).row.uuid,
        "head_index": 0,
        "step": what,
        **more,
    }
    answer = await hass.services.async_call(
        DOMAIN,
        "calibrate_head",
        data,
        blocking=True,
        return_response=True,
        context=context,
    )
    assert answer is not None
    return dict(answer)


async def test_the_whole_way(hass: HomeAssistant) -> None:
    """The answer tells where the run is and what may come next."""
    answer = await step(hass, "start")
    assert (answer["state"], answer["stage"]) == ("running", "measure")
    assert answer["answers"] == ["measured", "start"]
    answer = await step(hass, "measured", measured_ml=4.85)
    assert answer["stage"] == "stored"
    number = device_named(hass, DOSER).row.number
    assert engine_of(hass).calibrations[number, 0].measured == 4850
    answer = await step(hass, "test")
    assert answer["stage"] == "confirm"
    answer = await step(hass, "finish", ok=False)
    assert (answer["stage"], answer["answers"]) == ("ready", ["start"])
    await step(hass, "start")
    answer = await step(hass, "cancel")
    assert (answer["state"], answer["answers"]) == ("cancelled", [])


async def test_it_may_end_without_a_test_dose(hass: HomeAssistant) -> None:
    """A keeper who trusts the measurement is done."""
    await step(hass, "start")
    await step(hass, "measured", measured_ml=4.85)
    answer = await step(hass, "finish")
    assert (answer["state"], answer["stage"]) == ("completed", "done")


@pytest.mark.parametrize(
    ("what", "more", "key", "field"),
    [
        ("measured", {}, "schedule_missing", "measured_ml"),
        ("start", {"measured_ml": 5}, "schedule_unknown_field", "measured_ml"),
        ("measured", {"measured_ml": 0}, "schedule_out_of_range", "measured_ml"),
        ("dance", {}, "schedule_unknown_word", "step"),
        ("start", {"head_index": 8}, "schedule_out_of_range", "head_index"),
        ("start", {"head_index": 7}, "out_of_range", "head_index"),
        ("test", {}, "calibration_not_started", "step"),
        ("start", {"ok": 1}, "wrong_type_boolean", "ok"),
    ],
)
async def test_a_wrong_step_is_refused(
    hass: HomeAssistant, what: str, more: dict[str, Any], key: str, field: str
) -> None:
    """Law 10: the error names the field."""
    with pytest.raises(ServiceValidationError) as error:
        await step(hass, what, **more)
    assert error.value.translation_key == key
    assert (error.value.translation_placeholders or {})["field"] == field


async def test_a_step_out_of_turn_is_refused(hass: HomeAssistant) -> None:
    """And says which ones may come."""
    await step(hass, "start")
    with pytest.raises(ServiceValidationError) as error:
        await step(hass, "test")
    assert error.value.translation_key == "run_expects_other"
    assert error.value.translation_placeholders == {
        "field": "step",
        "value": "test",
        "known": "measured, start",
    }
    with pytest.raises(ServiceValidationError) as error:
        await step(hass, "finish")
    assert str(error.value) == (
        "step: finish is not what comes next. These steps can: measured, start"
    )


async def test_what_a_limit_refuses_is_an_error(hass: HomeAssistant) -> None:
    """With its reason; the run waits on."""
    await step(hass, "start")
    await step(hass, "measured", measured_ml=5)
    doser = device_named(hass, DOSER)
    await engine_of(hass).acceptance.set_field(
        doser, "dosing_allowed_0", False, Origin(source=Source.SERVICE)
    )
    await hass.async_block_till_done()
    with pytest.raises(ServiceValidationError) as error:
        await step(hass, "test")
    assert error.value.translation_key == "refused_not_allowed"


async def test_calibrating_needs_control_of_the_device(
    hass: HomeAssistant, hass_read_only_user: MockUser
) -> None:
    """As everything that lets a pump run."""
    with pytest.raises(Unauthorized):
        await step(hass, "start", context=Context(user_id=hass_read_only_user.id))
