"""Commands as services: cancel, repeat, dose, the audit, and the settings."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, UnknownUser
import pytest

from custom_components.aquarist.commands.command import ErrorCode
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.const import DOMAIN

from .aquarium import aquarium, device_named, engine_of

PUMP, SKIMMER, DOSER = "Return pump", "Skimmer", "Demo doser"


@pytest.fixture(autouse=True)
async def demo(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Set the demo aquarium up."""
    async with aquarium(hass, tmp_path, demo=True):
        yield


def uuid_of(hass: HomeAssistant, name: str) -> str:
    """Return the id of a device."""
    return device_named(hass, name).row.uuid


async def called(hass: HomeAssistant, service: str, **data: Any) -> dict[str, Any]:
    """Return the answer of a service."""
    answer = await hass.services.async_call(
        DOMAIN, service, data, blocking=True, return_response=True
    )
    assert answer is not None
    return dict(answer)


async def refused(
    hass: HomeAssistant, service: str, **data: Any
) -> tuple[str | None, str | None]:
    """Return the key of a refusal and the field that it names."""
    with pytest.raises(ServiceValidationError) as caught:
        await called(hass, service, **data)
    error = caught.value
    return error.translation_key, (error.translation_placeholders or {}).get("field")


async def test_what_waits_is_cancelled(hass: HomeAssistant) -> None:
    """R-C54, and only once; the record says so."""
    known = {"device_id": uuid_of(hass, PUMP), "id": "later"}
    later = engine_of(hass).clock.now().timestamp() + 600
    await called(hass, "send_command", **known, action="turn_off", scheduled_at=later)

    assert (await called(hass, "cancel_command", **known))["status"] == "cancelled"
    assert await refused(hass, "cancel_command", **known) == ("command_is_final", None)


@pytest.mark.parametrize("service", ["cancel_command", "rerun_command"])
@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"id": "none"}, ("command_not_found", "id")),
        ({}, ("schedule_missing", "id")),
        ({"id": 7}, ("wrong_type_text", "id")),
        ({"id": "none", "why": 1}, ("schedule_unknown_field", "why")),
        ({"id": "none", "device_id": "no"}, ("device_not_found", "device_id")),
    ],
)
async def test_what_is_not_there_is_named(
    hass: HomeAssistant, service: str, data: dict[str, Any], error: tuple[str, str]
) -> None:
    """Law 10: the field is named."""
    known = {"device_id": uuid_of(hass, PUMP)} | data

    assert await refused(hass, service, **known) == error


async def test_a_command_is_repeated_with_a_new_id(hass: HomeAssistant) -> None:
    """R-C35: the same content."""
    known = {"device_id": uuid_of(hass, PUMP), "id": "one"}
    first = await called(
        hass,
        "send_command",
        **known,
        action="set_level",
        args={"level": 30},
        execution="sync",
    )
    again = await called(hass, "rerun_command", **known)

    assert again["id"] != first["id"]
    assert (again["action"], again["args"]) == ("set_level", {"level": 30})


async def test_what_destroys_is_repeated_when_that_is_confirmed(
    hass: HomeAssistant,
) -> None:
    """R-C13, R-C35: each time anew."""
    known = {"device_id": uuid_of(hass, DOSER), "id": "one"}
    erase = {"action": "reset_head", "args": {"head_index": 0}, "confirm": True}
    await called(hass, "send_command", **known, **erase)
    with pytest.raises(ServiceValidationError) as refused:
        await called(hass, "rerun_command", **known)
    assert refused.value.translation_key == "confirmation_needed"

    again = await called(hass, "rerun_command", **known, confirm=True)
    assert (again["action"], again["retry_of"]) == ("reset_head", "one")


async def test_a_dose_is_a_command_in_fewer_words(hass: HomeAssistant) -> None:
    """The same id is the same dose, however it is asked for."""
    known = {"device_id": uuid_of(hass, DOSER), "id": "iron", "execution": "sync"}
    dose = await called(hass, "dose", **known, head_index=0, volume_ml=1.5)
    assert dose["status"] == "success"
    assert dose["args"] == {"head_index": 0, "volume_ml": 1.5}

    same = await called(
        hass, "send_command", **known, action="dose", args=dict(dose["args"])
    )
    assert same == dose
    assert len(await engine_of(hass).history.recent(None, 10)) == 1


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"head_index": 0}, ("schedule_missing", "volume_ml")),
        ({"volume_ml": 1}, ("schedule_missing", "head_index")),
        ({"head_index": 0, "volume_ml": 0.25}, ("volume_too_fine", "volume_ml")),
        (
            {"head_index": "0", "volume_ml": 1},
            ("wrong_type_whole_number", "head_index"),
        ),
        (
            {"head_index": 0, "volume_ml": 1, "action": "dose"},
            ("schedule_unknown_field", "action"),
        ),
    ],
)
async def test_a_wrong_dose_is_refused(
    hass: HomeAssistant, data: dict[str, Any], error: tuple[str, str | None]
) -> None:
    """By the same checks as any other."""
    wanted = {"device_id": uuid_of(hass, DOSER)} | data

    assert await refused(hass, "dose", **wanted) == error
    engine = engine_of(hass)
    await engine.journal.written()
    assert await engine.history.recent(None, 10) == []


async def test_a_dose_that_a_limit_refuses_is_in_the_history(
    hass: HomeAssistant,
) -> None:
    """Unlike one that makes no sense."""
    wanted = {"device_id": uuid_of(hass, DOSER), "head_index": 0, "volume_ml": 101}

    assert await refused(hass, "dose", **wanted) == ("refused_budget_24h_alone", None)
    engine = engine_of(hass)
    await engine.journal.written()
    (record,) = await engine.history.recent(None, 10)
    assert (record.action, record.phase) == ("dose", Phase.FAILED)
    assert record.error_code == ErrorCode.SAFETY_REFUSED


async def test_what_begins_later_is_not_waited_for(hass: HomeAssistant) -> None:
    """It would block the script for hours."""
    error = await refused(
        hass,
        "send_command",
        device_id=uuid_of(hass, PUMP),
        action="turn_off",
        scheduled_at=engine_of(hass).clock.now(),
        execution="sync",
    )
    assert error == ("not_synchronous", "execution")


async def test_the_audit_is_answered_page_by_page(hass: HomeAssistant) -> None:
    """R-C33: the newest first, by device and status."""
    for number, name in enumerate((PUMP, SKIMMER, PUMP)):
        await called(
            hass,
            "send_command",
            device_id=uuid_of(hass, name),
            action="request_status",
            id=f"{number}",
            execution="sync",
        )

    page = await called(hass, "export_audit", limit=2)
    assert [one["id"] for one in page["commands"]] == ["2", "1"]
    rest = await called(hass, "export_audit", limit=2, before=page["next_before"])
    assert [one["id"] for one in rest["commands"]] == ["0"]
    assert rest["next_before"] is None
    skimmer = await called(hass, "export_audit", device_id=uuid_of(hass, SKIMMER))
    assert [one["id"] for one in skimmer["commands"]] == ["1"]
    failed = await called(hass, "export_audit", status="failed")
    assert failed["commands"] == []
    early = {"from": "2020-01-01T00:00:00Z", "to": 1_600_000_000}
    assert (await called(hass, "export_audit", **early))["commands"] == []


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"limit": 101}, ("schedule_out_of_range", "limit")),
        ({"limit": "5"}, ("wrong_type_whole_number", "limit")),
        ({"status": "fine"}, ("schedule_unknown_word", "status")),
        ({"status": 1}, ("wrong_type_text", "status")),
        ({"from": "soon"}, ("schedule_malformed_time", "from")),
        ({"from": 1_600_000_000, "to": 1_500_000_000}, ("end_not_after_start", "to")),
        ({"device_id": "no"}, ("device_not_found", "device_id")),
    ],
)
async def test_a_wrong_question_is_refused(
    hass: HomeAssistant, data: dict[str, Any], error: tuple[str, str]
) -> None:
    """The field is named."""
    assert await refused(hass, "export_audit", **data) == error


async def test_settings_are_changed(hass: HomeAssistant) -> None:
    """RES-66: what is left out stays; a wrong one changes nothing."""
    answer = await called(hass, "set_settings", rate_limit=5)
    assert (answer["rate_limit"], answer["revision"]) == (5, 1)
    assert engine_of(hass).live_settings.current.rate_limit == 5

    error = await refused(hass, "set_settings", rate_limit=6, expected_revision=0)
    assert error == ("revision_conflict", "expected_revision")
    assert engine_of(hass).live_settings.current.rate_limit == 5

    error = await refused(hass, "set_settings", rate_limit=0, sweep_seconds=60)
    assert error == ("schedule_out_of_range", "rate_limit")
    assert engine_of(hass).live_settings.current.sweep_seconds == 30


@pytest.mark.parametrize(
    ("service", "data"),
    [
        ("send_command", {"action": "turn_off"}),
        ("cancel_command", {"id": "one"}),
        ("rerun_command", {"id": "one"}),
        ("dose", {"head_index": 0, "volume_ml": 1}),
        ("export_audit", {}),
        ("set_settings", {"rate_limit": 5}),
    ],
)
async def test_a_user_who_is_gone_changes_nothing(
    hass: HomeAssistant, service: str, data: dict[str, Any]
) -> None:
    """A context may outlive its user."""
    if service not in ("export_audit", "set_settings"):
        data = data | {"device_id": uuid_of(hass, PUMP)}
    with pytest.raises(UnknownUser):
        await hass.services.async_call(
            DOMAIN,
            service,
            data,
            blocking=True,
            return_response=True,
            context=Context(user_id="gone"),
        )
    assert await engine_of(hass).history.recent(None, 10) == []
