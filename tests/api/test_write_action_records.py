"""How write actions are told: the keys of a record, and of every error."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aquarist.api.serializers import WORDS, WRITE_ACTION
from custom_components.aquarist.api.write_action_errors import ERROR_KEYS
from custom_components.aquarist.api.write_action_records import (
    STATUSES,
    phases_of,
    refused_record,
    synchronous_record,
    write_action_record,
)
from custom_components.aquarist.commands.command import Command, ErrorCode, Source
from custom_components.aquarist.commands.phases import Kind, Phase
from custom_components.aquarist.devices.fields import wrong_type
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.schedules.errors import Expected

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
UUID = "7f3b1c1e-7e5d-4b5a-9a0e-2f1d3c4b5a69"
DEVICE = "51428aa6-50a0-5b89-841c-9db6a088dad1"


def window(**more: Any) -> Command:
    """Return a write action."""
    command = Command(
        id=UUID,
        device=3,
        kind=Kind.WINDOW,
        action=WRITE_ACTION,
        source=Source.SERVICE,
        created_at=NOW,
        args={"field_name": "level", "value": 40},
        starts_at=NOW,
        ends_at=NOW + timedelta(hours=1),
    )
    return replace(command, **more)


def test_there_are_four_states() -> None:
    """R-T1: whatever phase a command is in."""
    assert STATUSES == ("PLANNED", "NEW_VALUE_SET", "OLD_VALUE_RESTORED", "FAILED")
    assert {phase for status in STATUSES for phase in phases_of(status)} == set(WORDS)


def test_a_record_repeats_the_request() -> None:
    """R-T28, RES-47: ISO times with an offset."""
    assert write_action_record(window(), DEVICE) == {
        "action_id": UUID,
        "device_id": DEVICE,
        "field_name": "level",
        "value": 40,
        "start_timestamp": "2026-03-01T12:00:00+00:00",
        "end_timestamp": "2026-03-01T13:00:00+00:00",
        "status": "PLANNED",
    }


def test_what_else_there_is_to_tell() -> None:
    """RES-28, RES-50, RES-53, RES-56, RES-57: tries, what is repeated, and what shows instead."""
    told = window(
        phase=Phase.COMPLETED,
        attempts=3,
        retry_of="first",
        result={
            "manual_change": {"level": 55},
            "restore_attempts": 2,
            "shadowed_by": "another",
            "limited_to": {"level": 60},
            "withheld_by": {"limit": "interlock"},
            "start": {},
        },
    )
    record = write_action_record(told, DEVICE)

    assert record["status"] == "OLD_VALUE_RESTORED"
    assert record["details"] == {
        "attempts": 3,
        "retry_of": "first",
        "manual_change": {"level": 55},
        "restore_attempts": 2,
        "shadowed_by": "another",
        "limited_to": {"level": 60},
    }


def test_a_limit_is_told_while_it_withholds_the_value() -> None:
    """RES-57: as long as it is not set; a failed one has it in its error."""
    why = {"limit": "interlock", "asked": "40", "allowed": "0"}
    waiting = window(phase=Phase.APPLYING, result={"withheld_by": why})
    assert write_action_record(waiting, DEVICE)["status"] == "PLANNED"
    assert write_action_record(waiting, DEVICE)["details"] == {"withheld_by": why}


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"phase": Phase.TIMED_OUT, "error": "no_answer"}, "timeout"),
        ({"phase": Phase.WITHDRAWN}, "canceled"),
        ({"phase": Phase.STOPPED}, "canceled"),
        ({"phase": Phase.MISSED, "error": "missed_window"}, "missed_window"),
        (
            {
                "phase": Phase.FAILED,
                "error_code": ErrorCode.SAFETY_REFUSED,
                "error": "refused_budget_24h",
            },
            "refused_by_safety",
        ),
        ({"phase": Phase.FAILED, "error": "entity_missing"}, "entity_missing"),
        ({"phase": Phase.FAILED, "error": "device_unavailable"}, "device_unavailable"),
        (
            {
                "phase": Phase.FAILED,
                "error": "ZeroDivisionError",
                "error_code": "internal_error",
            },
            "internal_error",
        ),
        ({"phase": Phase.FAILED}, "command_failed"),
    ],
)
async def test_a_failed_one_says_why(
    hass: HomeAssistant, changes: dict[str, Any], key: str
) -> None:
    """R-T23, RES-26, RES-30, RES-57, R-T61: a published key, a sentence, and details."""
    error = write_action_record(window(**changes), None)["error"]

    assert error["error_key"] == key
    assert key in ERROR_KEYS
    assert error["error_message"]
    assert error["error_details"] == {}


async def test_a_refusal_by_a_limit_tells_which_one(hass: HomeAssistant) -> None:
    """RES-57: by how much, and when it frees."""
    details = {"limit": "interlock", "asked": "1", "left": "0"}
    refused = window(
        phase=Phase.FAILED,
        error_code=ErrorCode.SAFETY_REFUSED,
        error="refused_interlock",
        error_details=details,
    )
    assert write_action_record(refused, None)["error"]["error_details"] == details


async def test_a_write_that_was_waited_for(hass: HomeAssistant) -> None:
    """R-T32, RES-56: set, owned by something higher, or too late; it has no times."""
    done = synchronous_record(window(phase=Phase.COMPLETED), DEVICE, 5000)
    assert done == {
        "action_id": UUID,
        "device_id": DEVICE,
        "field_name": "level",
        "value": 40,
        "status": "NEW_VALUE_SET",
    }
    owned = window(
        phase=Phase.FAILED, error="field_owned", error_details={"layer": "mode"}
    )
    error = synchronous_record(owned, DEVICE, 5000)["error"]
    assert (error["error_key"], error["error_details"]) == (
        "field_owned",
        {"layer": "mode"},
    )
    late = window(
        phase=Phase.FAILED, error="no_answer", error_code=ErrorCode.COMMAND_TIMEOUT
    )
    error = synchronous_record(late, DEVICE, 5000)["error"]
    assert (error["error_key"], error["error_details"]) == (
        "timeout",
        {"timeout_ms": 5000},
    )


async def test_a_value_of_a_field_that_is_gone(hass: HomeAssistant) -> None:
    """What it would have taken nobody knows any more."""
    asked = {"field_name": "level", "value": "25"}
    wrong = wrong_type("level", "25", Expected.NUMBER)
    error = refused_record(asked, wrong, None)["error"]

    assert error["error_details"] == {"field_name": "level", "provided_value": "25"}


async def test_what_was_not_taken_is_told_as_it_came(hass: HomeAssistant) -> None:
    """R-T3: any value, but only text for what is text."""
    asked = {"action_id": 7, "device_id": "nobody", "value": [1], "more": 1}
    error = EngineError("device_not_found", field="device_id", id="nobody")
    record = refused_record(asked, error, None)

    assert record | {"error": None} == {
        "action_id": None,
        "device_id": "nobody",
        "field_name": None,
        "value": [1],
        "start_timestamp": None,
        "end_timestamp": None,
        "status": "FAILED",
        "error": None,
    }
    assert record["error"]["error_details"] == {"device_id": "nobody"}
    assert "start_timestamp" not in refused_record(asked, error, None, synchronous=True)
    assert refused_record(7, error, None)["status"] == "FAILED"
