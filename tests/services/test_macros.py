"""Running a macro as a service (R-C31)."""

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
from custom_components.aquarist.services import macros
from tests.aquarium import aquarium, device_named, engine_of


@pytest.fixture(autouse=True)
async def demo(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Set the demo aquarium up."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        yield


async def save(hass: HomeAssistant, *steps: dict[str, Any], **more: Any) -> int:
    """Save a macro and return its number."""
    definition = {"name": "Water change", "sequence": list(steps), **more}
    macro = await engine_of(hass).macros.create(definition, user=None)
    return macro.row.id


async def run(
    hass: HomeAssistant,
    macro: Any,
    *,
    execution: str = "sync",
    context: Context | None = None,
) -> dict[str, Any]:
    """Run a macro and return the answer."""
    answer = await hass.services.async_call(
        DOMAIN,
        "run_macro",
        {"macro": macro, "execution": execution},
        blocking=True,
        return_response=True,
        context=context,
    )
    assert answer is not None
    return dict(answer)


def pump_level(hass: HomeAssistant, level: float) -> dict[str, Any]:
    """Return a step that sets the pump's level."""
    device = device_named(hass, "Return pump").row.uuid
    args = {"level": level}
    return {"command": {"device_id": device, "action": "set_level", "args": args}}


async def test_a_macro_runs_by_name_or_number(hass: HomeAssistant) -> None:
    """And answers with the run and its steps."""
    number = await save(hass, pump_level(hass, 10))
    for wanted in ("Water change", number):
        record = await run(hass, wanted)
        assert (record["state"], record["macro_id"]) == ("completed", number)
        assert [step["state"] for step in record["steps"]] == ["completed"]


async def test_queued_answers_at_once(hass: HomeAssistant) -> None:
    """The run goes on by itself."""
    await save(hass, {"delay": 60})
    record = await run(hass, "Water change", execution="queued")
    assert record["state"] == "running"


async def test_a_long_run_is_answered_as_it_is_by_then(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for it for ever."""
    monkeypatch.setattr(macros, "LONGEST_WAIT", 0.05)
    await save(hass, {"delay": 60})
    record = await run(hass, "Water change")
    assert (record["state"], len(record["steps"])) == ("running", 1)


async def test_what_failed_is_an_error(hass: HomeAssistant) -> None:
    """With the reason of the step that failed."""
    doser = device_named(hass, "Demo doser")
    await engine_of(hass).acceptance.set_field(
        doser, "dosing_allowed_0", False, Origin(source=Source.SERVICE)
    )
    await hass.async_block_till_done()
    args = {"head_index": 0, "volume_ml": 1}
    command = {"device_id": doser.row.uuid, "action": "dose", "args": args}
    await save(hass, {"command": command})
    with pytest.raises(ServiceValidationError) as error:
        await run(hass, "Water change")
    assert error.value.translation_key == "refused_not_allowed"
    assert (error.value.translation_placeholders or {})["head"] == "1"


async def test_a_step_that_could_not_be_done_says_what_was_done(
    hass: HomeAssistant,
) -> None:
    """With `continue_on_error` the run is complete, and is no error."""
    doser = device_named(hass, "Demo doser")
    command = {"device_id": doser.row.uuid, "action": "dose"}
    await save(
        hass,
        {"command": command | {"args": {"head_index": 0, "volume_ml": 999.9}}},
        pump_level(hass, 10),
        continue_on_error=True,
    )
    record = await run(hass, "Water change")
    assert (record["state"], record["error"]) == ("completed", "steps_failed")
    assert [step["state"] for step in record["steps"]] == ["failed", "completed"]
    assert record["steps"][0]["error"] == "refused_budget_24h"


@pytest.mark.parametrize(
    ("macro", "key"),
    [("Nothing", "macro_not_found"), (99, "macro_not_found"), ("", "schedule_empty")],
)
async def test_an_unknown_macro_is_refused(
    hass: HomeAssistant, macro: Any, key: str
) -> None:
    """By its name or number."""
    with pytest.raises(ServiceValidationError) as error:
        await run(hass, macro)
    assert error.value.translation_key == key
    assert (error.value.translation_placeholders or {})["field"] == "macro"


async def test_a_macro_that_runs_is_not_run_twice(hass: HomeAssistant) -> None:
    """As its mode says (R-A14)."""
    await save(hass, {"delay": 60})
    await run(hass, "Water change", execution="queued")
    with pytest.raises(ServiceValidationError) as error:
        await run(hass, "Water change")
    assert error.value.translation_key == "run_under_way"


async def test_running_needs_control_of_all_devices(
    hass: HomeAssistant, hass_read_only_user: MockUser
) -> None:
    """Checked before anything is begun."""
    await save(hass, pump_level(hass, 10))
    with pytest.raises(Unauthorized):
        await run(hass, "Water change", context=Context(user_id=hass_read_only_user.id))
    assert await engine_of(hass).runs.recent(None, 5) == []
