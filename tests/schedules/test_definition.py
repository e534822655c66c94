"""Definitions: reading them, refusing them, writing them back."""

from datetime import UTC, datetime
from typing import Any

import pytest

from custom_components.aquarist.schedules import (
    ActionType,
    ErrorCode,
    OnMiss,
    ScheduleDefinition,
    ScheduleError,
    as_json,
    parse_definition,
)

DAWN: dict[str, Any] = {
    "name": "Morning Light Ramp",
    "schedule_type": "cron",
    "cron_expression": "0 6 * * *",
    "device_ids": [1, 2],
    "action_type": "ramp",
    "action_params": {
        "start_level": 0,
        "end_level": 100,
        "duration": 1800,
        "description": "Sunrise light ramp",
    },
    "timezone": "US/Pacific",
}
DOSE: dict[str, Any] = {
    "name": "Alkalinity",
    "schedule_type": "one_off",
    "start_time": "2026-05-01T12:00:00+02:00",
    "device_ids": [7],
    "action_type": "dose",
    "action_params": {"head_index": 0, "volume_ml": 4.5},
}


def refused(data: dict[str, Any]) -> ScheduleError:
    """Give the error of a definition that must not pass."""
    with pytest.raises(ScheduleError) as error:
        parse_definition(data, default_zone="Europe/Berlin")
    return error.value


def test_the_light_schedule_of_the_document_is_accepted() -> None:
    """A diurnal ramp as people write it (R-B25)."""
    assert parse_definition(DAWN, default_zone="UTC") == ScheduleDefinition(
        name="Morning Light Ramp",
        device_ids=(1, 2),
        schedule_type="cron",
        cron_expression="0 6 * * *",
        timezone="US/Pacific",
        action_type=ActionType.RAMP,
        action_params=DAWN["action_params"],
        on_miss=OnMiss.CONVERGE,
    )


def test_a_dose_gets_the_default_zone_and_is_skipped_when_missed() -> None:
    """Its instant is kept in UTC."""
    definition = parse_definition(DOSE, default_zone="Europe/Berlin")
    assert definition.start_time == datetime(2026, 5, 1, 10, tzinfo=UTC)
    assert definition.start_time.tzinfo is UTC
    assert definition.timezone == "Europe/Berlin"
    assert definition.on_miss is OnMiss.SKIP
    assert definition.is_enabled is True


def test_a_time_in_the_past_is_accepted() -> None:
    """Whether it is still due is not the parser's to say."""
    past = DOSE | {"start_time": "1999-12-31T23:59:59Z"}
    definition = parse_definition(past, default_zone="UTC")
    assert definition.start_time == datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_null_stands_for_a_field_that_is_not_given() -> None:
    """A schedule that was read can be sent back with all its keys (R-B1)."""
    nulls = dict.fromkeys(
        ("interval_seconds", "start_time", "end_time", "timezone", "on_miss")
    )
    pump = DAWN | nulls | {"action_type": "off", "action_params": None}
    definition = parse_definition(pump, default_zone="Asia/Kolkata")
    assert definition.timezone == "Asia/Kolkata"
    assert definition.action_params == {}
    assert definition.on_miss is OnMiss.SKIP


@pytest.mark.parametrize(
    "data",
    [
        DAWN,
        DOSE,
        DAWN
        | {
            "start_time": datetime(2026, 1, 1, tzinfo=UTC),
            "end_time": "2027-01-01T00:00:00.123456-08:00",
            "is_enabled": False,
            "on_miss": "skip",
        },
        DAWN
        | {
            "name": 'x\'"<b>{{ states("a") }}</b> ',
            "action_params": {"end_level": 5, "duration": 9, "curve": "linear"},
        },
    ],
)
def test_a_definition_round_trips_through_json(data: dict[str, Any]) -> None:
    """What is written is plain JSON and reads back the same; text is kept (R-B71)."""
    definition = parse_definition(data, default_zone="Europe/Berlin")
    written = as_json(definition)
    assert written["name"] == data["name"]
    assert written["action_params"] == data["action_params"]
    assert type(written["action_type"]) is str
    assert type(written["on_miss"]) is str
    assert parse_definition(written, default_zone="UTC") == definition


def test_written_instants_carry_an_offset() -> None:
    """RES-47."""
    written = as_json(parse_definition(DOSE, default_zone="UTC"))
    assert written["start_time"] == "2026-05-01T10:00:00+00:00"
    assert written["end_time"] is None


@pytest.mark.parametrize(
    "field",
    ["name", "device_ids", "schedule_type", "action_type", "cron_expression"],
)
def test_a_missing_field_is_named(field: str) -> None:
    """Those of every schedule, and those of its type (R-B65)."""
    error = refused({key: value for key, value in DAWN.items() if key != field})
    assert (error.field, error.code) == (field, ErrorCode.MISSING)


def test_a_one_off_needs_its_start() -> None:
    """R-B65."""
    error = refused(DOSE | {"start_time": None})
    assert (error.field, error.code) == ("start_time", ErrorCode.MISSING)


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"colour": "red"}, "colour", ErrorCode.UNKNOWN_FIELD),
        ({"id": 5}, "id", ErrorCode.UNKNOWN_FIELD),
        ({"interval_seconds": 60}, "interval_seconds", ErrorCode.NOT_FOR_TYPE),
        ({"interval_seconds": 0}, "interval_seconds", ErrorCode.OUT_OF_RANGE),
        ({"name": ""}, "name", ErrorCode.EMPTY),
        ({"name": "x" * 101}, "name", ErrorCode.TOO_LONG),
        ({"name": None}, "name", ErrorCode.WRONG_TYPE),
        ({"device_ids": []}, "device_ids", ErrorCode.EMPTY),
        ({"device_ids": [1, 1]}, "device_ids", ErrorCode.DUPLICATE),
        ({"device_ids": [0]}, "device_ids", ErrorCode.OUT_OF_RANGE),
        ({"device_ids": ["light"]}, "device_ids", ErrorCode.WRONG_TYPE),
        ({"schedule_type": "lunar"}, "schedule_type", ErrorCode.UNKNOWN_WORD),
        ({"schedule_type": 1}, "schedule_type", ErrorCode.WRONG_TYPE),
        (
            {"cron_expression": "61 * * * *"},
            "cron_expression",
            ErrorCode.MALFORMED_CRON,
        ),
        ({"cron_expression": "0 0 30 2 *"}, "cron_expression", ErrorCode.NEVER_MATCHES),
        ({"cron_expression": "@reboot"}, "cron_expression", ErrorCode.CRON_ALIAS),
        ({"cron_expression": "0 6 * *"}, "cron_expression", ErrorCode.CRON_COLUMNS),
        ({"cron_expression": ""}, "cron_expression", ErrorCode.EMPTY),
        (
            {"cron_expression": "1," * 50 + "1 * * * *"},
            "cron_expression",
            ErrorCode.TOO_LONG,
        ),
        ({"cron_expression": 6}, "cron_expression", ErrorCode.WRONG_TYPE),
        ({"timezone": "Mars/Phobos"}, "timezone", ErrorCode.UNKNOWN_ZONE),
        ({"timezone": ""}, "timezone", ErrorCode.UNKNOWN_ZONE),
        ({"start_time": "2026-05-01T06:00:00"}, "start_time", ErrorCode.NAIVE_TIME),
        (
            {"start_time": datetime.fromisoformat("2026-05-01")},
            "start_time",
            ErrorCode.NAIVE_TIME,
        ),
        ({"end_time": "tomorrow"}, "end_time", ErrorCode.MALFORMED_TIME),
        ({"action_type": "explode"}, "action_type", ErrorCode.UNKNOWN_WORD),
        ({"action_params": {}}, "action_params.end_level", ErrorCode.MISSING),
        ({"action_params": None}, "action_params.end_level", ErrorCode.MISSING),
        ({"action_params": []}, "action_params", ErrorCode.WRONG_TYPE),
        ({"is_enabled": "yes"}, "is_enabled", ErrorCode.WRONG_TYPE),
        ({"is_enabled": None}, "is_enabled", ErrorCode.WRONG_TYPE),
        ({"on_miss": "burst"}, "on_miss", ErrorCode.UNKNOWN_WORD),
    ],
)
def test_a_wrong_field_is_named(
    change: dict[str, Any], field: str, code: ErrorCode
) -> None:
    """One wrong field, one error that names it."""
    error = refused(DAWN | change)
    assert (error.field, error.code) == (field, code)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cron_expression": "0 6 * * *"}, "cron_expression"),
        ({"end_time": "2026-06-01T00:00:00Z"}, "end_time"),
    ],
)
def test_a_one_off_refuses_what_only_others_use(
    change: dict[str, Any], field: str
) -> None:
    """A single run has no expression and no end."""
    error = refused(DOSE | change)
    assert (error.field, error.code) == (field, ErrorCode.NOT_FOR_TYPE)


@pytest.mark.parametrize("end", ["2026-05-01T06:00:00Z", "2026-05-01T07:59:00+02:00"])
def test_the_end_is_after_the_start(end: str) -> None:
    """The same instant is not after it (R-B69)."""
    error = refused(DAWN | {"start_time": "2026-05-01T06:00:00Z", "end_time": end})
    assert (error.field, error.code) == ("end_time", ErrorCode.NOT_AFTER_START)
    assert error.placeholders == {"start_time": "2026-05-01T06:00:00+00:00"}


def test_a_missed_dose_may_ask_its_keeper() -> None:
    """And nothing else may (RES-67)."""
    asking = parse_definition(DOSE | {"on_miss": "ask"}, default_zone="UTC")
    assert asking.on_miss is OnMiss.ASK
    error = refused(DAWN | {"on_miss": "ask"})
    assert (error.field, error.code) == ("on_miss", ErrorCode.NOT_FOR_ACTION)


@pytest.mark.parametrize("on_miss", ["converge", "ask"])
def test_a_missed_command_is_left_out(on_miss: str) -> None:
    """Whether it may come late nobody knows (R-C61)."""
    command = DAWN | {
        "action_type": "command",
        "action_params": {"action": "sync_clock", "args": {}, "confirm": True},
    }
    assert parse_definition(command, default_zone="UTC").on_miss is OnMiss.SKIP
    error = refused(command | {"on_miss": on_miss})
    assert (error.field, error.code) == ("on_miss", ErrorCode.NOT_FOR_ACTION)


@pytest.mark.parametrize(
    ("params", "field", "code"),
    [
        ({}, "action", ErrorCode.MISSING),
        ({"action": ""}, "action", ErrorCode.EMPTY),
        ({"action": "x", "args": [1]}, "args", ErrorCode.WRONG_TYPE),
        ({"action": "x", "args": {"a": {1}}}, "args", ErrorCode.WRONG_TYPE),
        ({"action": "x", "args": {"a": "x" * 70_000}}, "args", ErrorCode.TOO_LONG),
        ({"action": "x", "confirm": 1}, "confirm", ErrorCode.WRONG_TYPE),
    ],
)
def test_the_parameters_of_a_command(
    params: dict[str, Any], field: str, code: ErrorCode
) -> None:
    """Its frame; the rest is for the devices to say (RES-58)."""
    error = refused(DAWN | {"action_type": "command", "action_params": params})
    assert (error.field, error.code) == (f"action_params.{field}", code)


MACRO = {name: value for name, value in DAWN.items() if name != "device_ids"} | {
    "action_type": "macro",
    "action_params": {"macro": "Evening"},
}


@pytest.mark.parametrize("device_ids", [{}, {"device_ids": []}, {"device_ids": None}])
@pytest.mark.parametrize("macro", ["Evening", 3])
def test_a_macro_names_its_devices_itself(
    device_ids: dict[str, Any], macro: str | int
) -> None:
    """It is read back as it was written (RES-58); what was missed is left out."""
    params = {"action_params": {"macro": macro, "description": "Guests"}}
    found = parse_definition(MACRO | device_ids | params, default_zone="UTC")
    assert (found.device_ids, found.on_miss) == ((), OnMiss.SKIP)
    assert parse_definition(as_json(found), default_zone="UTC") == found


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"device_ids": [1]}, "device_ids", ErrorCode.NOT_TOGETHER),
        ({"on_miss": "converge"}, "on_miss", ErrorCode.NOT_FOR_ACTION),
        ({"on_miss": "ask"}, "on_miss", ErrorCode.NOT_FOR_ACTION),
        ({"action_params": {}}, "action_params.macro", ErrorCode.MISSING),
        ({"action_params": {"macro": ""}}, "action_params.macro", ErrorCode.EMPTY),
        (
            {"action_params": {"macro": "x" * 101}},
            "action_params.macro",
            ErrorCode.TOO_LONG,
        ),
        (
            {"action_params": {"macro": 0}},
            "action_params.macro",
            ErrorCode.OUT_OF_RANGE,
        ),
        (
            {"action_params": {"macro": True}},
            "action_params.macro",
            ErrorCode.WRONG_TYPE,
        ),
        (
            {"action_params": {"macro": 1, "args": {}}},
            "action_params.args",
            ErrorCode.UNKNOWN_FIELD,
        ),
    ],
)
def test_a_macro_that_is_asked_for_wrongly(
    changes: dict[str, Any], field: str, code: ErrorCode
) -> None:
    """Law 10: the field is named."""
    error = refused(MACRO | changes)
    assert (error.field, error.code) == (field, code)


def test_a_missed_dose_is_never_made_up_by_itself() -> None:
    """Doses are skipped, or the keeper is asked (RES-67)."""
    error = refused(DOSE | {"on_miss": "converge"})
    assert (error.field, error.code) == ("on_miss", ErrorCode.NOT_FOR_ACTION)
    assert error.placeholders == {"action_type": "dose"}


def test_other_actions_may_choose_what_becomes_of_missed_moments() -> None:
    """A level that should hold now can be applied late (RES-37)."""
    level = {"action_type": "set_level", "action_params": {"level": 40}}
    chosen = parse_definition(
        DAWN | level | {"on_miss": "converge"}, default_zone="UTC"
    )
    assert chosen.on_miss is OnMiss.CONVERGE
