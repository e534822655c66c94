"""Definitions of modes: reading them, refusing them, writing them back."""

from typing import Any

import pytest

from custom_components.aquarist.runs import Condition, DelayStep, OnTimeout, WaitStep
from custom_components.aquarist.runs.mode import ModeDefinition
from custom_components.aquarist.runs.mode_definition import mode_json, parse_mode
from custom_components.aquarist.runs.steps import HoldStep, ReleaseStep
from custom_components.aquarist.schedules.errors import ErrorCode, ScheduleError

HOLD: dict[str, Any] = {"hold": {"device_id": "pump", "level": 0}}
LIGHT: dict[str, Any] = {
    "hold": {"device_id": "doser", "field_name": "dosing_allowed_0", "value": False}
}
COUNTDOWN: dict[str, Any] = {"countdown": True}
BACK: dict[str, Any] = {"release": {"device_id": "pump"}}
WAIT: dict[str, Any] = {
    "wait": {"device_id": "sump", "field_name": "level", "above": 20, "timeout": 300}
}
STEPS: list[dict[str, Any]] = [HOLD, LIGHT, COUNTDOWN, BACK, {"delay": 120}, WAIT]
MODE: dict[str, Any] = {"name": "Night feed", "duration_minutes": 10, "steps": STEPS}


def refused(data: Any) -> ScheduleError:
    """Return the error of a definition that must not pass."""
    with pytest.raises(ScheduleError) as error:
        parse_mode(data)
    return error.value


def with_step(step: Any) -> dict[str, Any]:
    """Return a mode whose fourth step is this."""
    return MODE | {"steps": [*STEPS[:3], step, *STEPS[3:]]}


def test_a_mode_is_read() -> None:
    """With its latest end filled in: half an hour after all that it waits for."""
    assert parse_mode(MODE) == ModeDefinition(
        name="Night feed",
        icon_name=None,
        latest_end_minutes=47.0,
        steps=(
            HoldStep(device_id="pump", field_name="level", value=0.0),
            HoldStep(device_id="doser", field_name="dosing_allowed_0", value=False),
            DelayStep(seconds=600, countdown=True),
            ReleaseStep(device_id="pump"),
            DelayStep(seconds=120),
            WaitStep(
                device_id="sump",
                field_name="level",
                condition=Condition(above=20),
                seconds=300,
                on_timeout=OnTimeout.STOP,
            ),
        ),
    )


def test_a_mode_is_written_back_as_it_was() -> None:
    """Everything that it says."""
    one_field = {"release": {"device_id": "doser", "field_name": "dosing_allowed_0"}}
    whole = with_step(one_field) | {
        "icon": "mdi:weather-night",
        "latest_end_minutes": 90,
    }
    mode = parse_mode(whole)
    assert parse_mode(mode_json(mode)) == mode
    assert mode_json(mode)["duration_minutes"] == 10


def test_the_latest_end_is_a_day_at_most() -> None:
    """Law 4: nothing is held off for longer."""
    assert parse_mode(with_step({"delay": 23.5 * 3600})).latest_end_minutes == 24 * 60


@pytest.mark.parametrize("name", ["Feed", "MAINTENANCE", "normal"])
def test_the_words_of_modes_without_set_up_stay_words(name: str) -> None:
    """However they are written: the mode takes the place of that one."""
    assert parse_mode(MODE | {"name": name}).name == name.lower()


@pytest.mark.parametrize(
    ("data", "field", "code"),
    [
        ([], "schedule", ErrorCode.WRONG_TYPE),
        (MODE | {"name": " "}, "name", ErrorCode.EMPTY),
        (MODE | {"colour": "red"}, "colour", ErrorCode.UNKNOWN_FIELD),
        (MODE | {"icon": 1}, "icon", ErrorCode.WRONG_TYPE),
        (MODE | {"duration_minutes": 0}, "duration_minutes", ErrorCode.OUT_OF_RANGE),
        (MODE | {"duration_minutes": 1441}, "duration_minutes", ErrorCode.OUT_OF_RANGE),
        (
            MODE | {"latest_end_minutes": 12},
            "latest_end_minutes",
            ErrorCode.OUT_OF_RANGE,
        ),
        (MODE | {"steps": HOLD}, "steps", ErrorCode.WRONG_TYPE),
        (MODE | {"steps": []}, "steps", ErrorCode.EMPTY),
        (MODE | {"steps": [HOLD] * 101}, "steps", ErrorCode.TOO_MANY),
        (MODE | {"steps": [HOLD]}, "steps", ErrorCode.NONE_OF),
        (MODE | {"steps": [COUNTDOWN]}, "steps", ErrorCode.NONE_OF),
        (with_step(COUNTDOWN), "steps.3.countdown", ErrorCode.DUPLICATE),
        (with_step({"countdown": False}), "steps.3.countdown", ErrorCode.WRONG_TYPE),
        (with_step("hold"), "steps.3", ErrorCode.WRONG_TYPE),
        (with_step({}), "steps.3", ErrorCode.NONE_OF),
        (with_step(HOLD | BACK), "steps.3.release", ErrorCode.NOT_TOGETHER),
        (with_step({"dance": 1}), "steps.3.dance", ErrorCode.UNKNOWN_FIELD),
        (with_step({"delay": -1}), "steps.3.delay", ErrorCode.OUT_OF_RANGE),
        (
            with_step({"hold": {"level": 1}}),
            "steps.3.hold.device_id",
            ErrorCode.MISSING,
        ),
        (with_step({"hold": {"device_id": "pump"}}), "steps.3.hold", ErrorCode.NONE_OF),
        (
            with_step({"hold": HOLD["hold"] | {"level": 101}}),
            "steps.3.hold.level",
            ErrorCode.OUT_OF_RANGE,
        ),
        (
            with_step({"hold": HOLD["hold"] | {"field_name": "level"}}),
            "steps.3.hold.field_name",
            ErrorCode.NOT_TOGETHER,
        ),
        (
            with_step({"hold": HOLD["hold"] | {"value": 3}}),
            "steps.3.hold.value",
            ErrorCode.NOT_TOGETHER,
        ),
        (
            with_step({"hold": {"device_id": "pump", "field_name": "level"}}),
            "steps.3.hold.value",
            ErrorCode.MISSING,
        ),
        (
            with_step({"hold": {"device_id": "pump", "value": 3}}),
            "steps.3.hold.field_name",
            ErrorCode.MISSING,
        ),
        (
            with_step({"hold": LIGHT["hold"] | {"value": []}}),
            "steps.3.hold.value",
            ErrorCode.WRONG_TYPE,
        ),
        (with_step({"release": {}}), "steps.3.release.device_id", ErrorCode.MISSING),
        (
            with_step({"wait": WAIT["wait"] | {"timeout": 0}}),
            "steps.3.wait.timeout",
            ErrorCode.OUT_OF_RANGE,
        ),
    ],
)
def test_bad_input_names_its_field(data: Any, field: str, code: ErrorCode) -> None:
    """Law 10: dotted inside the steps, and counted from 0."""
    error = refused(data)
    assert (error.field, error.code) == (field, code)


def test_what_is_missing_among_the_steps_is_named() -> None:
    """A countdown, and something to hold."""
    assert refused(MODE | {"steps": [HOLD]}).placeholders == {"known": "countdown"}
    assert refused(MODE | {"steps": [COUNTDOWN]}).placeholders == {"known": "hold"}
