"""The words and keys of each surface: RES-1 as a table, and the shapes of records."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
import json
from typing import Any

import pytest

from custom_components.aquarist.api.serializers import (
    EVENT_LIMIT,
    WORDS,
    WRITE_ACTION,
    bounded,
    command_record,
    container_record,
    dose_record,
    occurrence_record,
)
from custom_components.aquarist.commands.command import Command, ErrorCode, Source
from custom_components.aquarist.commands.phases import Kind, Phase
from custom_components.aquarist.dosing.container import ContainerStatus
from custom_components.aquarist.dosing.ledger import Dose, DoseState
from custom_components.aquarist.engine.changes import OccurrenceChanged
from custom_components.aquarist.engine.state import DeviceState
from custom_components.aquarist.store.devices import DeviceRow

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
UUID = "7f3b1c1e-7e5d-4b5a-9a0e-2f1d3c4b5a69"


async def nothing(*_: Any) -> None:
    """Do nothing: no queue runs here."""


@pytest.fixture
async def device() -> DeviceState:
    """Give a device with an address."""
    row = DeviceRow(
        number=3, uuid=UUID, kind="chihiros_light", name="Lamp", address="AA:BB"
    )
    return DeviceState(row, nothing, nothing)


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


def test_the_table_is_complete() -> None:
    """Every phase has its words, and each surface only those of its document (RES-1)."""
    assert set(WORDS) == set(Phase)
    assert {words.write_action for words in WORDS.values()} == {
        "PLANNED",
        "NEW_VALUE_SET",
        "OLD_VALUE_RESTORED",
        "FAILED",
    }
    assert {words.device_action for words in WORDS.values()} == {
        "pending",
        "in_progress",
        "success",
        "failed",
        None,
    }
    assert {words.occurrence for words in WORDS.values()} == {
        "WONT_START",
        "STARTED",
        "WONT_FINISH",
        "FINISHED",
        "FAILED",
        None,
    }
    assert {words.command for words in WORDS.values()} == {
        "pending",
        "running",
        "success",
        "failed",
        "timed_out",
        "cancelled",
    }


@pytest.mark.parametrize(
    ("phase", "write_action", "device_action", "occurrence", "command"),
    [
        (Phase.PLANNED, "PLANNED", "pending", None, "pending"),
        (Phase.APPLYING, "PLANNED", "in_progress", "STARTED", "running"),
        (Phase.IN_FORCE, "NEW_VALUE_SET", "in_progress", "STARTED", "running"),
        (Phase.RESTORING, "NEW_VALUE_SET", "in_progress", "STARTED", "running"),
        (Phase.COMPLETED, "OLD_VALUE_RESTORED", "success", "FINISHED", "success"),
        (Phase.FAILED, "FAILED", "failed", "FAILED", "failed"),
        (Phase.TIMED_OUT, "FAILED", "failed", "FAILED", "timed_out"),
        (Phase.WITHDRAWN, "FAILED", "failed", "WONT_START", "cancelled"),
        (Phase.STOPPED, "FAILED", "failed", "WONT_FINISH", "cancelled"),
        (Phase.MISSED, "FAILED", None, "WONT_START", "failed"),
    ],
)
def test_a_phase_has_the_words_of_the_status_map(
    phase: Phase,
    write_action: str,
    device_action: str | None,
    occurrence: str | None,
    command: str,
) -> None:
    """Section 2 of the requirements, line by line."""
    words = WORDS[phase]

    assert words.write_action == write_action
    assert words.device_action == device_action
    assert words.occurrence == occurrence
    assert words.command == command


def test_a_command_record_has_the_documented_keys(device: DeviceState) -> None:
    """R-C5, R-C40, R-C41, RES-47: epoch seconds, null for what is not yet."""
    later = NOW + timedelta(minutes=5)
    record = command_record(window(order=7, starts_at=later, started_at=later), device)

    assert record == {
        "id": UUID,
        "address": "AA:BB",
        "device_id": UUID,
        "action": "write_action",
        "args": {"field_name": "level", "value": 40},
        "timeout": 10.0,
        "status": "pending",
        "attempts": 0,
        "created_at": NOW.timestamp(),
        "started_at": later.timestamp(),
        "completed_at": None,
        "result": None,
        "error": None,
        "error_code": None,
        "error_details": None,
        "scheduled_at": later.timestamp(),
        "source": "service",
        "user": None,
        "context": None,
        "run": None,
        "step": None,
        "retry_of": None,
        "order": 7,
    }


def test_what_begins_at_once_was_not_planned(device: DeviceState) -> None:
    """A ramp knows when it began; its record says null all the same."""
    assert command_record(window(starts_at=NOW), device)["scheduled_at"] is None


def test_a_command_record_tells_its_error() -> None:
    """Plain text, whether from the engine or from the store; a device may be gone."""
    command = window(
        phase=Phase.FAILED,
        error_code=ErrorCode.SAFETY_REFUSED,
        error="refused_budget_24h",
        error_details={"left": "1"},
        result={"given_ml": 1.0},
    )
    record = command_record(command, None)

    assert record["address"] is None and record["device_id"] is None
    assert type(record["error_code"]) is str
    assert record["error"] == "refused_budget_24h"
    assert record["error_details"] == {"left": "1"}
    assert record["result"] == {"given_ml": 1.0}


def test_a_missed_command_is_expired() -> None:
    """RES-1: whatever it was that it missed."""
    missed = window(phase=Phase.MISSED, error="missed_window")

    assert command_record(missed, None)["error"] == "expired"


def test_a_command_without_a_reason_tells_its_code() -> None:
    """What was withdrawn has no error word of its own."""
    command = window(phase=Phase.WITHDRAWN, error_code=ErrorCode.COMMAND_CANCELLED)

    assert command_record(command, None)["error"] == "command_cancelled"


def test_a_dose_is_told_in_millilitres(device: DeviceState) -> None:
    """Heads count from 0; an offset is always there."""
    dose = Dose(
        key="3/iron/1",
        device=3,
        head=0,
        volume=2500,
        state=DoseState.PARTLY,
        at=NOW.astimezone(timezone(timedelta(hours=1))),
        given=1200,
        additive="iron",
        source="schedule",
    )

    assert dose_record(dose, device) == {
        "command_id": "iron/1",
        "device_id": UUID,
        "address": "AA:BB",
        "head_index": 0,
        "volume_ml": 2.5,
        "given_ml": 1.2,
        "state": "partly",
        "additive": "iron",
        "source": "schedule",
        "at": "2026-03-01T13:00:00+01:00",
    }
    unknown = replace(dose, state=DoseState.UNKNOWN, given=None)
    assert dose_record(unknown, None)["given_ml"] is None
    assert dose_record(unknown, None)["device_id"] is None


def test_an_occurrence_of_a_schedule_that_is_gone() -> None:
    """Its verdict is told without a name."""
    change = OccurrenceChanged(
        occurrence=1, schedule=2, at=NOW.isoformat(), verdict="ran", reason=None
    )

    assert occurrence_record(change, None) == {
        "occurrence_id": 1,
        "schedule_id": 2,
        "name": None,
        "at": NOW.isoformat(),
        "verdict": "ran",
        "reason": None,
    }


def test_a_small_record_stays_whole() -> None:
    """The flag is there in any case."""
    assert bounded({"a": 1}) == {"a": 1, "truncated": False}


def test_a_large_record_loses_its_largest_values_first() -> None:
    """R-C56: 100 kB become less than the recorder takes; what is small stays."""
    record = {"id": "one", "args": "x" * 30_000, "result": "é" * 100_000}
    short = bounded(record)

    assert short == {"id": "one", "args": None, "result": None, "truncated": True}
    assert bounded(record | {"args": "x"})["args"] == "x"
    assert len(json.dumps(bounded(record)).encode()) <= EVENT_LIMIT < 32_768


def test_a_record_of_large_parts_alone_loses_all_of_them() -> None:
    """There is always something that can be sent."""
    assert bounded({"a": "x" * 50, "b": "y" * 50}, limit=10) == {
        "a": None,
        "b": None,
        "truncated": True,
    }


async def test_the_days_of_a_container_have_one_decimal(device: DeviceState) -> None:
    """Nobody knows them better; null while nothing is planned."""
    status = ContainerStatus(
        capacity=500_000, remaining=499_800, days_left=199.2794, low=False
    )

    record = container_record(device, 0, status)

    assert (record["remaining_ml"], record["days_left"]) == (499.8, 199.3)
    unplanned = replace(status, days_left=None)
    assert container_record(device, 0, unplanned)["days_left"] is None
