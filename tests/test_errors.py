"""Every error that the code can make has a text that people can read, naming the field."""

import ast
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path
import re
import sqlite3
from zoneinfo import ZoneInfo

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.setup import async_setup_component
import pytest

from custom_components.aquarist.ble.errors import Reason
from custom_components.aquarist.commands.command import Command, ErrorCode, Source
from custom_components.aquarist.commands.phases import Kind, Phase
from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import (
    DataType,
    Field,
    InvalidValue,
    checked,
    wrong_type as wrong_value,
)
from custom_components.aquarist.dosing.volume import VolumeError
from custom_components.aquarist.engine.budgets import (
    BUDGET,
    BUDGET_ADDITIVE,
    BUDGET_AQUARIUM,
)
from custom_components.aquarist.engine.errors import EngineError, SafetyRefusedError
from custom_components.aquarist.errors import (
    CALL_WORDS,
    COMMAND_WORDS,
    DEVICE_WORDS,
    MEMORY_WORDS,
    RUN_WORDS,
    STORE_WORDS,
    RefusedError,
    details_of,
    failed,
    translated,
    translating,
)
from custom_components.aquarist.limits.refusal import Refusal
from custom_components.aquarist.schedules.errors import (
    ErrorCode as ScheduleCode,
    Expected,
    ScheduleError,
    wrong_type,
)
from custom_components.aquarist.store import errors as store_errors
from custom_components.aquarist.store.errors import StoreError, StoreFullError

from .package_source import calls, english, keyword, package_modules

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXTS: dict[str, str] = {
    key: text["message"] for key, text in english()["exceptions"].items()
}


def raised(name: str, place: int) -> Iterator[tuple[str, ast.Call]]:
    """Yield the machine words that errors of a class are made with in the code."""
    for module in package_modules():
        for call in calls(module.tree, name):
            if len(call.args) > place:
                match call.args[place]:
                    case ast.Constant(value=str(word)):
                        yield word, call


def keywords(call: ast.Call) -> set[str]:
    """Return the names of a call's keyword arguments."""
    return {one.arg for one in call.keywords if one.arg is not None}


def wanted(key: str) -> set[str]:
    """Return the placeholders of a text."""
    return set(re.findall(r"\{(\w+)\}", TEXTS[key]))


def ended(
    error: str | None = None,
    code: str | None = ErrorCode.COMMAND_FAILED,
    **more: object,
) -> Command:
    """Return a command that failed."""
    return Command(
        id="one",
        device=1,
        kind=Kind.SET,
        action="turn_on",
        source=Source.SERVICE,
        created_at=NOW,
        phase=Phase.FAILED,
        error=error,
        error_code=code,
        error_details=more or None,
    )


ENGINE = sorted({word for word, _ in raised("EngineError", 0)})
VALUES = sorted({word for word, _ in raised("InvalidValue", 1)})
DEVICES = sorted({word for word, _ in raised("DeviceError", 0)} | set(Reason))
VOLUMES = sorted({word for word, _ in raised("VolumeError", 0)})
STORES = sorted(
    {
        one.code
        for one in vars(store_errors).values()
        if isinstance(one, type) and issubclass(one, StoreError)
    }
)
LIMITS = sorted(
    {BUDGET, BUDGET_ADDITIVE, BUDGET_AQUARIUM}
    | {
        word
        for module in package_modules()
        for call in calls(module.tree, "Refusal")
        if isinstance(limit := keyword(call, "limit"), ast.Constant)
        and isinstance(word := limit.value, str)
    }
)
OUTCOMES = sorted(
    {
        node.value.value
        for module in package_modules()
        if module.name.startswith("engine.")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.keyword) and node.arg == "error"
        for node.value in (
            [node.value.body, node.value.orelse]
            if isinstance(node.value, ast.IfExp)
            else [node.value]
        )
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }
)


def test_the_code_was_read() -> None:
    """The lists that the tests below go through hold what they are known to hold."""
    assert "device_not_found" in ENGINE
    assert "wrong_type" in VALUES
    assert {"no_free_slot", "entity_missing"} <= set(DEVICES)
    assert "too_fine" in VOLUMES
    assert "store_full" in STORES
    assert {"minimum_interval", "not_allowed"} <= set(LIMITS)
    assert {"dose_unknown", "dose_stopped", "expired"} <= set(OUTCOMES)


@pytest.mark.parametrize("code", ENGINE)
def test_each_refusal_of_the_engine_has_a_text(code: str) -> None:
    """Each call gives what the text needs; a field that is wrong is named."""
    assert code in TEXTS
    for word, call in raised("EngineError", 0):
        if word == code:
            assert wanted(code) <= keywords(call), ast.unparse(call)
            assert ("field" in keywords(call)) <= ("field" in wanted(code))


@pytest.mark.parametrize("code", sorted({*VALUES} - {"wrong_type"}))
def test_each_refused_value_has_a_text(code: str) -> None:
    """The text names the field, and needs nothing that is not always given."""
    assert "field" in wanted(code)
    for word, call in raised("InvalidValue", 1):
        if word == code:
            given = {"field", *keywords(call)}
            if given & {"values", "minimum", "maximum", "step"}:
                given.add("allowed")
            assert wanted(code) <= given, ast.unparse(call)


@pytest.mark.parametrize("code", sorted({*ScheduleCode} - {ScheduleCode.WRONG_TYPE}))
def test_each_error_of_a_schedule_has_a_text(code: ScheduleCode) -> None:
    """The text names the field."""
    error = translated(ScheduleError("cron_expression", code))

    assert error.translation_key in TEXTS
    assert "field" in wanted(str(error.translation_key))


@pytest.mark.parametrize("expected", sorted(Expected))
def test_a_value_of_another_type_is_told_what_is_expected(expected: Expected) -> None:
    """Each in a text of its own, which can be translated."""
    error = translated(wrong_type("level", expected))

    assert error.translation_key == f"wrong_type_{expected}"
    assert error.translation_placeholders == {"field": "level"}
    assert wanted(error.translation_key) == {"field"}


@pytest.mark.parametrize("expected", sorted(Expected))
def test_a_field_or_argument_is_told_what_it_takes(expected: Expected) -> None:
    """Each in a text of its own; the word in the error is no text of a language."""
    error = translated(wrong_value("level", "x", expected))

    assert error.translation_key == f"wrong_type_{expected}"
    assert error.translation_placeholders == {"field": "level", "value": "x"}


@pytest.mark.parametrize(
    ("data_type", "expected"),
    [
        (DataType.BOOLEAN, Expected.BOOLEAN),
        (DataType.NUMBER, Expected.NUMBER),
        (DataType.STRING, Expected.TEXT),
    ],
)
def test_a_field_is_told_its_data_type(data_type: DataType, expected: Expected) -> None:
    """A value that no field takes is refused by what this one does."""
    with pytest.raises(InvalidValue) as refused:
        checked(Field(name="level", data_type=data_type), None)

    assert translated(refused.value).translation_key == f"wrong_type_{expected}"


@pytest.mark.parametrize("code", VOLUMES)
def test_each_refused_volume_has_a_text(code: str) -> None:
    """Alone, and as the engine passes it on."""
    assert translated(VolumeError(code)).translation_key in TEXTS
    error = EngineError(f"volume_{code}", field="volume_ml")
    assert translated(error).translation_key in TEXTS


@pytest.mark.parametrize("code", DEVICES)
def test_each_fault_of_a_device_has_a_text(code: str) -> None:
    """It needs no placeholder, so that a record tells as much as the error did."""
    assert code in DEVICE_WORDS
    error = translated(DeviceError(code, transient=True))
    assert error.translation_key in TEXTS
    assert wanted(str(error.translation_key)) == set()
    assert failed(ended(code)).translation_key == error.translation_key


@pytest.mark.parametrize("code", STORES)
def test_each_fault_of_the_store_has_a_text(code: str) -> None:
    """It needs no placeholder."""
    assert code in STORE_WORDS
    assert wanted(code) == set()
    assert failed(ended(code)).translation_key == code


@pytest.mark.parametrize("limit", [BUDGET, BUDGET_ADDITIVE, BUDGET_AQUARIUM])
def test_what_does_not_fit_beside_a_programme_says_so(limit: str) -> None:
    """Waiting does not help: the programme gives it again every day."""
    refusal = Refusal(
        limit=limit,
        asked=5.0,
        allowed=10.0,
        left=1.0,
        details={"programme": "9", "additive": "iron"},
    )
    error = translated(SafetyRefusedError(refusal))
    assert error.translation_key == f"refused_{limit}_beside"
    key = str(error.translation_key)
    assert wanted(key) <= (error.translation_placeholders or {}).keys()
    assert "programme" in wanted(key)


@pytest.mark.parametrize("limit", LIMITS)
def test_each_limit_has_a_text(limit: str) -> None:
    """It is told early and late in the same words (RES-57)."""
    details: dict[str, int | str] = {
        "head": 2,
        "by": "keeper",
        "minutes": "60",
        "additive": "iron",
        "schedule": "Iron",
        "other": "phosphate",
    }
    refusal = Refusal(
        limit=limit, asked=5.0, allowed=10.0, left=1.0, frees_at=NOW, details=details
    )
    early = translated(SafetyRefusedError(refusal))
    late = failed(
        ended(
            f"refused_{limit}",
            ErrorCode.SAFETY_REFUSED,
            asked="5",
            allowed="10",
            left="1",
            frees_at=NOW.isoformat(),
            **details,
        )
    )

    assert early.translation_key == late.translation_key
    assert (
        wanted(str(early.translation_key))
        <= (early.translation_placeholders or {}).keys()
        & (late.translation_placeholders or {}).keys()
    )


@pytest.mark.parametrize("word", sorted(MEMORY_WORDS))
def test_what_a_memory_cannot_take_is_told_early_and_late(word: str) -> None:
    """As it is asked for, and when its turn has come."""
    details = {"field": "sunrise", "other": "08:00 – 12:00", "maximum": "24"}
    error = failed(ended(word, ErrorCode.COMMAND_INVALID, **details))

    assert isinstance(error, ServiceValidationError)
    assert error.translation_key == word
    assert wanted(word) <= (error.translation_placeholders or {}).keys()


@pytest.mark.parametrize("word", sorted(CALL_WORDS))
def test_each_end_of_a_call_of_a_service_has_a_text(word: str) -> None:
    """It names the service, and what was said of it."""
    details = {"service": "notify.phone", "reason": "no network"}
    error = failed(ended(word, ErrorCode.COMMAND_FAILED, **details))

    assert error.translation_key == word
    assert wanted(word) <= (error.translation_placeholders or {}).keys()
    assert (error.translation_placeholders or {})["reason"] == "no network"


@pytest.mark.parametrize("word", OUTCOMES)
def test_each_end_of_a_command_has_a_text(word: str) -> None:
    """No reason is hidden behind `it failed`."""
    error = failed(ended(word))

    assert error.translation_key in TEXTS
    assert error.translation_key != "command_failed"
    of_rules = {"name"} if word == "dose_cut_off" else set()
    assert wanted(str(error.translation_key)) <= {"action", "reason"} | of_rules


def test_what_a_rule_has_cut_off_names_it() -> None:
    """The details of the record fill the text."""
    error = failed(ended("dose_cut_off", ErrorCode.SAFETY_REFUSED, name="Flow"))

    assert error.translation_key == "command_dose_cut_off"
    assert (error.translation_placeholders or {})["name"] == "Flow"


def test_the_words_are_those_of_the_texts() -> None:
    """Each list of words has its texts."""
    assert {f"device_{word}" for word in DEVICE_WORDS} <= TEXTS.keys()
    assert {f"command_{word}" for word in COMMAND_WORDS} <= TEXTS.keys()
    assert {f"run_{word}" for word in RUN_WORDS} <= TEXTS.keys()
    assert TEXTS.keys() >= CALL_WORDS
    assert TEXTS.keys() >= STORE_WORDS


@pytest.mark.parametrize("code", sorted(ErrorCode))
def test_a_command_without_a_reason_tells_its_code(code: ErrorCode) -> None:
    """A code read from the store is plain text."""
    for given in (code, code.value):
        assert failed(ended(None, given)).translation_key in TEXTS


def test_a_command_that_nobody_explains_failed() -> None:
    """The last resort names the action and what is known."""
    error = failed(ended("KeyError", ErrorCode.INTERNAL_ERROR))

    assert error.translation_key == "command_failed"
    assert error.translation_placeholders == {"action": "turn_on", "reason": "KeyError"}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (EngineError("store_locked"), HomeAssistantError),
        (
            EngineError("device_not_found", field="device_id", id=9),
            ServiceValidationError,
        ),
        (InvalidValue("level", "field_not_found"), ServiceValidationError),
        (ScheduleError("name", ScheduleCode.EMPTY), ServiceValidationError),
        (SafetyRefusedError(Refusal(limit="budget_24h")), RefusedError),
        (DeviceError("no_answer", transient=True), HomeAssistantError),
        (StoreFullError("full"), HomeAssistantError),
        (TimeoutError(), HomeAssistantError),
        (sqlite3.OperationalError(), HomeAssistantError),
    ],
)
def test_wrong_input_and_failures_are_told_apart(
    error: Exception, kind: type[HomeAssistantError]
) -> None:
    """Only what was asked wrongly is a validation error."""
    assert type(translated(error)) is kind


def test_an_error_of_home_assistant_stays_what_it_is() -> None:
    """It is translated already."""
    error = HomeAssistantError(translation_domain="light", translation_key="any")

    assert translated(error) is error


@pytest.mark.parametrize(
    ("bounds", "allowed"),
    [
        ({"minimum": "0.0", "maximum": "100.0"}, "0 … 100"),
        ({"minimum": "0.05", "maximum": "10.05"}, "0.05 … 10.05"),
        ({"values": "0.0, 100.0"}, "0, 100"),
        ({"minimum": "1", "maximum": "None"}, "≥ 1"),
        ({"minimum": "None", "maximum": "9"}, "≤ 9"),
        ({"values": "low, high"}, "low, high"),
        ({"step": "100"}, "n × 100"),
    ],
)
def test_bounds_are_told_as_people_write_them(
    bounds: dict[str, str], allowed: str
) -> None:
    """A list, a range, a half-open range, multiples of a step."""
    error = translated(
        InvalidValue("level", "value_out_of_bounds", value="7", **bounds)
    )

    assert (error.translation_placeholders or {})["allowed"] == allowed


def test_whole_numbers_have_no_decimals() -> None:
    """Nor in a range that is told in words, nor has what was asked."""
    bounds = {"minimum": "0.1", "maximum": "1440.0", "value": "2000.0"}
    error = translated(ScheduleError("minutes", ScheduleCode.OUT_OF_RANGE, bounds))

    shown = error.translation_placeholders or {}
    assert {key: shown[key] for key in bounds} == {
        "minimum": "0.1",
        "maximum": "1440",
        "value": "2000",
    }


async def test_texts_name_the_field_and_local_times(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """What Home Assistant shows is complete, in English and in the house's time."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    hass.config.config_dir = str(tmp_path)
    assert await async_setup_component(hass, DOMAIN, {})
    refusal = Refusal(
        limit="budget_24h", asked=5.0, allowed=10.0, left=1.5, frees_at=NOW
    )

    assert str(translated(wrong_value("level", "x", Expected.NUMBER))) == (
        "level must be a number"
    )
    assert str(translated(SafetyRefusedError(refusal))) == (
        "Refused: 5 mL would be more than this head may give in 24 hours. Of 10 mL, "
        "1.5 mL are left. The dose fits again from 2026-03-01 13:00 on"
    )
    alone = Refusal(limit="budget_24h", asked=50.0, allowed=10.0, left=1.5)
    assert str(translated(SafetyRefusedError(alone))) == (
        "Refused: 50 mL is more than this head may give in 24 hours, which is 10 mL"
    )


async def test_who_comes_at_the_minute_told_is_not_too_early(
    hass: HomeAssistant,
) -> None:
    """It is rounded up; programs are told the instant itself."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    frees_at = NOW.replace(minute=59, microsecond=1)
    error = translated(
        SafetyRefusedError(Refusal(limit="budget_24h", asked=5.0, frees_at=frees_at))
    )

    shown = error.translation_placeholders or {}
    assert shown["frees_at"] == f"2026-03-01 {NOW.hour + 2}:00"
    assert details_of(error)["frees_at"] == frees_at.isoformat()


@pytest.mark.parametrize("zone", [UTC, ZoneInfo("Europe/Berlin")])
def test_programs_are_told_instants_in_utc(zone: tzinfo) -> None:
    """The values of the message have the time of the house; others are as they are."""
    refusal = Refusal(limit="budget_24h", asked=5.0, frees_at=NOW.astimezone(zone))
    error = translated(SafetyRefusedError(refusal))
    shown = error.translation_placeholders or {}

    assert details_of(error) == {
        "limit": "budget_24h",
        "asked": "5",
        "frees_at": NOW.isoformat(),
    }
    assert shown["frees_at"] != NOW.isoformat()
    plain = translated(EngineError("device_not_found", field="device_id", id=9))
    assert details_of(plain) == {"field": "device_id", "id": "9"}
    assert details_of(HomeAssistantError("x")) == {}


def test_what_nobody_knows_is_a_dash_for_people_and_nothing_for_programs() -> None:
    """Early and late; records of before have the dash."""
    for limit in ("interlock", BUDGET):
        early = translated(SafetyRefusedError(Refusal(limit=limit)))
        late = failed(ended(f"refused_{limit}", ErrorCode.SAFETY_REFUSED))
        before = failed(
            ended(f"refused_{limit}", ErrorCode.SAFETY_REFUSED, left="-", frees_at="-")
        )
        for error in (early, late, before):
            shown = error.translation_placeholders or {}
            assert (shown["left"], shown["frees_at"]) == ("-", "-")
            assert {"left", "frees_at"}.isdisjoint(details_of(error))
            assert error.translation_key == early.translation_key


def test_only_our_errors_are_translated_on_the_way() -> None:
    """What nobody foresaw stays what it is, with its traceback."""
    with pytest.raises(ServiceValidationError) as caught, translating():
        raise EngineError("device_not_found", field="device_id", id=9)
    assert isinstance(caught.value.__cause__, EngineError)

    with pytest.raises(ZeroDivisionError), translating():
        _ = 1 / 0
