"""Action types and their parameters."""

from typing import Any

import pytest

from custom_components.aquarist.schedules.actions import (
    LONGEST_HOLD,
    LONGEST_RAMP,
    ActionType,
    OnMiss,
    default_on_miss,
    parameters,
)
from custom_components.aquarist.schedules.errors import ErrorCode, ScheduleError


@pytest.mark.parametrize(
    ("action_type", "params"),
    [
        (ActionType.ON, {}),
        (ActionType.ON, {"duration": 300}),
        (ActionType.OFF, {"duration": LONGEST_HOLD}),
        (ActionType.OFF, {"description": "Feeding"}),
        (ActionType.SET_LEVEL, {"level": 0}),
        (ActionType.SET_LEVEL, {"level": 62.5, "duration": 1}),
        (ActionType.RAMP, {"end_level": 100, "duration": LONGEST_RAMP}),
        (
            ActionType.RAMP,
            {"start_level": 0, "end_level": 100, "duration": 1.5},
        ),
        (ActionType.RAMP, {"end_level": 9, "duration": 60, "curve": "exponential"}),
        (ActionType.DOSE, {"head_index": 0, "volume_ml": 0.1}),
        (ActionType.DOSE, {"head_index": 3, "volume_ml": 999.9}),
        (ActionType.DOSE, {"head_index": 3, "volume_ml": 5}),
    ],
)
def test_good_parameters_come_back_as_they_are(
    action_type: ActionType, params: dict[str, Any]
) -> None:
    """Nothing is filled in (RES-31, RES-71)."""
    assert parameters(action_type, params) == params


@pytest.mark.parametrize(
    ("action_type", "params", "field", "code"),
    [
        (ActionType.ON, {"level": 5}, "level", ErrorCode.UNKNOWN_FIELD),
        (ActionType.ON, {"duration": 0}, "duration", ErrorCode.OUT_OF_RANGE),
        (
            ActionType.OFF,
            {"duration": LONGEST_HOLD + 1},
            "duration",
            ErrorCode.OUT_OF_RANGE,
        ),
        (ActionType.OFF, {"duration": "300"}, "duration", ErrorCode.WRONG_TYPE),
        (ActionType.ON, {"description": ""}, "description", ErrorCode.EMPTY),
        (ActionType.SET_LEVEL, {}, "level", ErrorCode.MISSING),
        (ActionType.SET_LEVEL, {"level": 101}, "level", ErrorCode.OUT_OF_RANGE),
        (ActionType.SET_LEVEL, {"level": -1}, "level", ErrorCode.OUT_OF_RANGE),
        (ActionType.SET_LEVEL, {"level": True}, "level", ErrorCode.WRONG_TYPE),
        (ActionType.SET_LEVEL, {"level": None}, "level", ErrorCode.WRONG_TYPE),
        (ActionType.RAMP, {"end_level": 5}, "duration", ErrorCode.MISSING),
        (ActionType.RAMP, {"duration": 60}, "end_level", ErrorCode.MISSING),
        (
            ActionType.RAMP,
            {"end_level": 5, "duration": LONGEST_RAMP + 1},
            "duration",
            ErrorCode.OUT_OF_RANGE,
        ),
        (
            ActionType.RAMP,
            {"start_level": 100.1, "end_level": 5, "duration": 60},
            "start_level",
            ErrorCode.OUT_OF_RANGE,
        ),
        (
            ActionType.RAMP,
            {"end_level": 5, "duration": 60, "curve": "sine"},
            "curve",
            ErrorCode.UNKNOWN_WORD,
        ),
        (ActionType.DOSE, {"volume_ml": 1}, "head_index", ErrorCode.MISSING),
        (ActionType.DOSE, {"head_index": 0}, "volume_ml", ErrorCode.MISSING),
        (
            ActionType.DOSE,
            {"head_index": -1, "volume_ml": 1},
            "head_index",
            ErrorCode.OUT_OF_RANGE,
        ),
        (
            ActionType.DOSE,
            {"head_index": 0, "volume_ml": 0},
            "volume_ml",
            ErrorCode.OUT_OF_RANGE,
        ),
        (
            ActionType.DOSE,
            {"head_index": 0, "volume_ml": 1000},
            "volume_ml",
            ErrorCode.OUT_OF_RANGE,
        ),
        (
            ActionType.DOSE,
            {"head_index": 0, "volume_ml": 0.15},
            "volume_ml",
            ErrorCode.TOO_FINE,
        ),
        (
            ActionType.DOSE,
            {"head_index": 0, "volume_ml": "1"},
            "volume_ml",
            ErrorCode.WRONG_TYPE,
        ),
        (
            ActionType.DOSE,
            {"head_index": 0, "volume_ml": 1, "duration": 9},
            "duration",
            ErrorCode.UNKNOWN_FIELD,
        ),
    ],
)
def test_bad_parameters_name_the_field(
    action_type: ActionType, params: dict[str, Any], field: str, code: ErrorCode
) -> None:
    """Each action has its own strict set."""
    with pytest.raises(ScheduleError) as refused:
        parameters(action_type, params)
    assert refused.value.field == f"action_params.{field}"
    assert refused.value.code is code


def test_parameters_are_a_mapping() -> None:
    """Anything else is refused as a whole."""
    with pytest.raises(ScheduleError) as refused:
        parameters(ActionType.ON, [])
    assert refused.value.field == "action_params"
    assert refused.value.code is ErrorCode.WRONG_TYPE


def test_what_holds_for_a_time_converges_and_a_point_is_skipped() -> None:
    """The default for missed moments (RES-37, RES-67)."""
    assert default_on_miss({"level": 5}) is OnMiss.SKIP
    assert default_on_miss({"head_index": 0, "volume_ml": 5}) is OnMiss.SKIP
    assert default_on_miss({"duration": 60}) is OnMiss.CONVERGE
