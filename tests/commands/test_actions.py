"""Actions: what each takes, to the last bound, and how it is told to other programs."""

import json
from typing import Any

from probatio.codecs import UNSUPPORTED, to_json_schema
import pytest

from custom_components.aquarist.commands.actions import ACTIONS
from custom_components.aquarist.commands.arguments import ArgumentError
from custom_components.aquarist.commands.phases import Kind
from custom_components.aquarist.devices.device import DeviceKind
from custom_components.aquarist.schedules.validation import DESCRIPTION

NAMES = [
    "turn_on",
    "turn_off",
    "set_level",
    "set_brightness",
    "set_channels",
    "ramp",
    "toggle",
    "enable_auto_mode",
    "set_manual_mode",
    "reset_auto_settings",
    "add_auto_setting",
    "set_custom_curve",
    "dose",
    "set_schedule",
    "set_doser_schedule",
    "remove_schedule",
    "calibrate_head",
    "prime_head",
    "reset_head",
    "factory_reset",
    "request_status",
    "sync_clock",
    "release_for_app",
]
NO_ARGUMENTS = [
    "turn_on",
    "turn_off",
    "toggle",
    "enable_auto_mode",
    "set_manual_mode",
    "reset_auto_settings",
    "factory_reset",
    "request_status",
    "sync_clock",
]

SCHEDULE = {"head_index": 0, "volume_tenths_ml": 10, "hour": 8, "minute": 30}
SUN = {"sunrise": "08:00", "sunset": "20:00", "brightness": 80}
PERIOD = {"start": "08:00", "end": "12:00", "doses": 12}
POINT = {"time": "08:00", "level": 100}
LATER = {"time": "08:01", "level": 0}
TIMER = {"time": "08:00", "volume_tenths_ml": 5}


def doser(mode: str, **fields: Any) -> dict[str, Any]:
    """Return a programme of a mode."""
    return {"head_index": 1, "mode": mode} | fields


def refusal(action: str, args: object) -> ArgumentError:
    """Return why arguments are refused."""
    with pytest.raises(ArgumentError) as refused:
        ACTIONS[action].checked(args)
    return refused.value


def test_the_table_is_complete() -> None:
    """Each action is there once, under its name."""
    assert set(ACTIONS) == set(NAMES)
    assert all(name == spec.name and spec.summary for name, spec in ACTIONS.items())


def test_families_are_kinds_of_devices() -> None:
    """Every action is for some of them, and asking for the status is for all."""
    kinds = {kind.value for kind in DeviceKind}
    assert all(spec.families and spec.families <= kinds for spec in ACTIONS.values())
    assert ACTIONS["request_status"].families == kinds


def test_what_must_not_be_repeated() -> None:
    """Law 3: what a second time would make another thing of."""
    once = {name for name, spec in ACTIONS.items() if not spec.repeatable}
    assert once == {"toggle", "dose", "calibrate_head", "prime_head"}


def test_what_erases_needs_to_be_confirmed() -> None:
    """RES-70."""
    assert {name for name, spec in ACTIONS.items() if spec.destructive} == {
        "reset_auto_settings",
        "set_custom_curve",
        "reset_head",
        "remove_schedule",
        "factory_reset",
    }


def test_only_levels_that_are_known_beforehand_can_be_held() -> None:
    """RES-31."""
    holdable = {name for name, spec in ACTIONS.items() if spec.holdable}
    assert holdable == {
        "turn_on",
        "turn_off",
        "set_level",
        "set_brightness",
        "set_channels",
    }
    assert all(ACTIONS[name].kind is Kind.SET for name in holdable)


@pytest.mark.parametrize("action", NO_ARGUMENTS)
def test_actions_without_arguments(action: str) -> None:
    """R-C42: null and {} are fine, anything else is not."""
    assert ACTIONS[action].checked(None) == {}
    assert ACTIONS[action].checked({}) == {}
    refused = refusal(action, {"duration": 60})
    assert (refused.field, refused.code) == ("duration", "unknown_argument")


@pytest.mark.parametrize("action", NAMES)
def test_arguments_are_a_mapping(action: str) -> None:
    """A list is none."""
    refused = refusal(action, [1])
    assert (refused.field, refused.code) == ("args", "wrong_type")
    assert refused.placeholders == {"value": "[1]", "expected": "mapping"}


GOOD = [
    ("set_level", {"level": 0}),
    ("set_level", {"level": 99.5}),
    ("set_brightness", {"brightness": 100}),
    ("set_brightness", {"brightness": 0, "color": 3}),
    ("set_channels", {"levels": [0]}),
    ("set_channels", {"levels": [0, 12.5, 100, 50]}),
    ("ramp", {"end_level": 0, "duration": 1, "curve": "exponential"}),
    (
        "ramp",
        {"start_level": None, "end_level": 9, "duration": 86400, "curve": "linear"},
    ),
    ("dose", {"head_index": 3, "volume_ml": 0.3}),
    ("dose", {"head_index": 0, "volume_ml": 999.9}),
    ("calibrate_head", {"head_index": 0, "seconds": 254}),
    ("calibrate_head", {"head_index": 0, "measured_ml": 255.99}),
    ("prime_head", {"head_index": 7, "seconds": 1}),
    ("remove_schedule", {"head_index": 0}),
    ("reset_head", {"head_index": 0}),
    ("set_custom_curve", {"channels": [[POINT]]}),
    ("set_custom_curve", {"channels": [[POINT, LATER], [LATER]]}),
    (
        "set_custom_curve",
        {"channels": [[{"time": f"{hour:02d}:00", "level": 1} for hour in range(24)]]},
    ),
    ("release_for_app", {}),
    ("release_for_app", {"seconds": 3600}),
]


@pytest.mark.parametrize(("action", "args"), GOOD)
def test_good_arguments_stay_as_they_are(action: str, args: dict[str, Any]) -> None:
    """At the bounds, too."""
    assert ACTIONS[action].checked(args) == args


def test_what_may_be_left_out_is_filled_in() -> None:
    """So that a record tells all of it, and equal requests are equal."""
    assert ACTIONS["ramp"].checked({"end_level": 1, "duration": 2})["curve"] == "linear"
    assert ACTIONS["set_schedule"].checked(SCHEDULE) == {
        **SCHEDULE,
        "weekdays": ["everyday"],
        "confirm": False,
        "wait_seconds": 2.0,
    }
    assert ACTIONS["add_auto_setting"].checked(SUN) == {
        **SUN,
        "ramp_up_minutes": 0,
        "weekdays": ["everyday"],
    }
    programme = ACTIONS["set_doser_schedule"].checked(
        doser("every_hour", volume_tenths_ml=240)
    )
    assert (programme["weekdays"], programme["catch_up"]) == (["everyday"], False)


@pytest.mark.parametrize(
    ("action", "args", "field", "code"),
    [
        ("set_level", {}, "level", "missing_argument"),
        ("set_level", {"level": 100.1}, "level", "value_out_of_bounds"),
        ("set_level", {"level": float("nan")}, "level", "value_out_of_bounds"),
        ("set_level", {"level": True}, "level", "wrong_type"),
        ("set_level", {"level": "40"}, "level", "wrong_type"),
        ("set_brightness", {"color": 0}, "brightness", "missing_argument"),
        ("set_brightness", {"brightness": 40.5}, "brightness", "wrong_type"),
        ("set_brightness", {"brightness": 101}, "brightness", "value_out_of_bounds"),
        (
            "set_brightness",
            {"brightness": 1, "color": -1},
            "color",
            "value_out_of_bounds",
        ),
        ("set_channels", {"levels": []}, "levels", "schedule_empty"),
        ("set_channels", {"levels": [1] * 5}, "levels", "schedule_too_many"),
        ("set_channels", {"levels": 5}, "levels", "wrong_type"),
        ("set_channels", {"levels": [1, 200]}, "levels.1", "value_out_of_bounds"),
        ("ramp", {"end_level": 1}, "duration", "missing_argument"),
        ("ramp", {"end_level": 1, "duration": 0.5}, "duration", "value_out_of_bounds"),
        (
            "ramp",
            {"end_level": 1, "duration": 86401},
            "duration",
            "value_out_of_bounds",
        ),
        (
            "ramp",
            {"end_level": 1, "duration": 1, "curve": "s"},
            "curve",
            "value_out_of_bounds",
        ),
        ("ramp", {"end_level": 1, "duration": 1, "curve": 1}, "curve", "wrong_type"),
        (
            "dose",
            {"head_index": 8, "volume_ml": 1},
            "head_index",
            "value_out_of_bounds",
        ),
        ("dose", {"head_index": 0, "volume_ml": 0.25}, "volume_ml", "volume_too_fine"),
        ("dose", {"head_index": 0, "volume_ml": "1"}, "volume_ml", "wrong_type"),
        ("dose", {"head_index": 0, "volume_ml": 0}, "volume_ml", "value_out_of_bounds"),
        ("calibrate_head", {"head_index": 0}, "args", "schedule_none_of"),
        (
            "calibrate_head",
            {"head_index": 0, "seconds": 1, "measured_ml": 1},
            "measured_ml",
            "schedule_not_together",
        ),
        ("prime_head", {"head_index": 0}, "seconds", "missing_argument"),
        ("set_schedule", SCHEDULE | {"hour": 24}, "hour", "value_out_of_bounds"),
        ("set_schedule", SCHEDULE | {"minute": 60}, "minute", "value_out_of_bounds"),
        (
            "set_schedule",
            SCHEDULE | {"volume_tenths_ml": 65536},
            "volume_tenths_ml",
            "value_out_of_bounds",
        ),
        ("set_schedule", SCHEDULE | {"confirm": 1}, "confirm", "wrong_type"),
        (
            "set_schedule",
            SCHEDULE | {"wait_seconds": 0.4},
            "wait_seconds",
            "value_out_of_bounds",
        ),
        (
            "set_schedule",
            SCHEDULE | {"wait_seconds": 10.1},
            "wait_seconds",
            "value_out_of_bounds",
        ),
        (
            "add_auto_setting",
            SUN | {"sunrise": "8:00"},
            "sunrise",
            "value_out_of_bounds",
        ),
        (
            "add_auto_setting",
            SUN | {"sunset": "24:00"},
            "sunset",
            "value_out_of_bounds",
        ),
        ("add_auto_setting", SUN | {"sunset": 20}, "sunset", "wrong_type"),
        (
            "add_auto_setting",
            SUN | {"sunset": "07:59"},
            "sunset",
            "value_out_of_bounds",
        ),
        (
            "add_auto_setting",
            SUN | {"channels": [1]},
            "channels",
            "schedule_not_together",
        ),
        (
            "add_auto_setting",
            {"sunrise": "08:00", "sunset": "20:00"},
            "args",
            "schedule_none_of",
        ),
        (
            "add_auto_setting",
            SUN | {"ramp_up_minutes": 721},
            "ramp_up_minutes",
            "value_out_of_bounds",
        ),
        (
            "add_auto_setting",
            SUN | {"label": "x" * 101},
            "label",
            "schedule_too_long",
        ),
        ("add_auto_setting", SUN | {"label": " "}, "label", "schedule_empty"),
        ("add_auto_setting", SUN | {"label": 1}, "label", "wrong_type"),
        ("set_custom_curve", {}, "channels", "missing_argument"),
        ("set_custom_curve", {"channels": []}, "channels", "schedule_empty"),
        (
            "set_custom_curve",
            {"channels": [[POINT]] * 5},
            "channels",
            "schedule_too_many",
        ),
        ("set_custom_curve", {"channels": [[]]}, "channels.0", "schedule_empty"),
        (
            "set_custom_curve",
            {
                "channels": [
                    [{"time": f"08:{minute:02d}", "level": 1} for minute in range(25)]
                ]
            },
            "channels.0",
            "schedule_too_many",
        ),
        (
            "set_custom_curve",
            {"channels": [[POINT], [LATER, POINT]]},
            "channels.1.1.time",
            "value_out_of_bounds",
        ),
        (
            "set_custom_curve",
            {"channels": [[POINT, POINT]]},
            "channels.0.1.time",
            "value_out_of_bounds",
        ),
        (
            "set_custom_curve",
            {"channels": [[POINT | {"level": 101}]]},
            "channels.0.0.level",
            "value_out_of_bounds",
        ),
        (
            "set_custom_curve",
            {"channels": [[{"time": "08:00"}]]},
            "channels.0.0.level",
            "missing_argument",
        ),
        ("release_for_app", {"seconds": 3601}, "seconds", "value_out_of_bounds"),
    ],
)
def test_bad_arguments_are_named(
    action: str, args: dict[str, Any], field: str, code: str
) -> None:
    """R-C11, R-C43 to R-C47: the field, and what it may be."""
    refused = refusal(action, args)
    assert (refused.field, refused.code) == (field, code)


def test_a_setting_may_have_a_label() -> None:
    """Up to a hundred characters, kept as they are."""
    label = " Midday " + "x" * 92
    assert ACTIONS["add_auto_setting"].checked(SUN | {"label": label})["label"] == label


def test_a_sunset_at_sunrise_is_not_before_it() -> None:
    """R-C46: the ramp has no room then."""
    args = SUN | {"sunset": "08:00"}
    assert ACTIONS["add_auto_setting"].checked(args)["sunset"] == "08:00"
    refused = refusal("add_auto_setting", args | {"ramp_up_minutes": 1})
    assert refused.placeholders == {"value": "1", "minimum": "0", "maximum": "0"}


class TestWeekdays:
    """R-C47."""

    @pytest.mark.parametrize(
        ("days", "kept"),
        [
            (["monday", "friday"], ["monday", "friday"]),
            (["MONDAY", "Sunday"], ["monday", "sunday"]),
            (["Everyday"], ["everyday"]),
        ],
    )
    def test_good_ones(self, days: list[str], kept: list[str]) -> None:
        """However they are written; small letters are kept."""
        assert (
            ACTIONS["set_schedule"].checked(SCHEDULE | {"weekdays": days})["weekdays"]
            == kept
        )

    @pytest.mark.parametrize(
        ("days", "code"),
        [
            ([], "schedule_empty"),
            (["everyday", "monday"], "value_out_of_bounds"),
            (["monday", "Monday"], "schedule_duplicate"),
            (["monday", "someday"], "value_out_of_bounds"),
            ([1], "wrong_type"),
            ("monday", "wrong_type"),
            (None, "wrong_type"),
        ],
    )
    def test_bad_ones(self, days: object, code: str) -> None:
        """Empty, everyday with another, twice, unknown, no text, no list."""
        refused = refusal("set_schedule", SCHEDULE | {"weekdays": days})
        assert (refused.field, refused.code) == ("weekdays", code)

    @pytest.mark.parametrize(
        ("days", "value", "values"),
        [
            (["monday", "someday"], "someday", "monday, tuesday"),
            (["Everyday", "monday"], "Everyday, monday", "everyday"),
        ],
    )
    def test_what_is_wrong_is_shown(
        self, days: list[str], value: str, values: str
    ) -> None:
        """The day that nobody knows, or what does not go together."""
        shown = refusal("set_schedule", SCHEDULE | {"weekdays": days}).placeholders
        assert shown["value"] == value
        assert shown["values"].startswith(values)


class TestProgrammes:
    """RES-63: the four modes of `set_doser_schedule`."""

    @pytest.mark.parametrize(
        "programme",
        [
            doser("single", volume_tenths_ml=10, hour=8, minute=30),
            doser("every_hour", volume_tenths_ml=240),
            doser("custom_periods", volume_tenths_ml=24, periods=[PERIOD, PERIOD]),
            doser("timer", timers=[TIMER] * 24),
        ],
        ids=lambda one: one["mode"],
    )
    def test_good_ones(self, programme: dict[str, Any]) -> None:
        """What the mode needs, and nothing else."""
        kept = ACTIONS["set_doser_schedule"].checked(programme)
        assert kept == programme | {"weekdays": ["everyday"], "catch_up": False}

    @pytest.mark.parametrize(
        ("programme", "field", "code"),
        [
            ({"head_index": 0}, "mode", "missing_argument"),
            (doser("sometimes"), "mode", "value_out_of_bounds"),
            ({"head_index": 0, "mode": 1}, "mode", "wrong_type"),
            (doser("every_hour"), "volume_tenths_ml", "missing_argument"),
            (
                doser("every_hour", volume_tenths_ml=1, hour=1),
                "hour",
                "unknown_argument",
            ),
            (doser("timer", timers=[]), "timers", "schedule_empty"),
            (doser("timer", timers=[TIMER] * 25), "timers", "schedule_too_many"),
            (doser("timer", timers=[1]), "timers.0", "wrong_type"),
            (
                doser("timer", timers=[TIMER, {"time": "08:00"}]),
                "timers.1.volume_tenths_ml",
                "missing_argument",
            ),
            (
                doser("custom_periods", volume_tenths_ml=1, periods=[PERIOD] * 3),
                "periods",
                "value_out_of_bounds",
            ),
        ],
    )
    def test_bad_ones(self, programme: dict[str, Any], field: str, code: str) -> None:
        """Named to the place in the list; periods have 24 doses in all at most."""
        refused = refusal("set_doser_schedule", programme)
        assert (refused.field, refused.code) == (field, code)


def test_wrong_values_are_told_shortly() -> None:
    """However long they were."""
    refused = refusal("set_level", {"level": "x" * 5000})
    assert refused.placeholders["value"] == "x" * 100


@pytest.mark.parametrize("action", NAMES)
def test_other_programs_can_be_told_what_an_action_takes(action: str) -> None:
    """Nothing of the schema is lost on the way to JSON Schema (strict), and it is JSON."""
    schema = to_json_schema(
        ACTIONS[action].schema,
        strict=True,
        custom_serializer=lambda node: getattr(node, DESCRIPTION, UNSUPPORTED),
    )
    assert schema["type"] == "object"
    assert json.loads(json.dumps(schema)) == schema


def test_the_schema_of_an_auto_setting_tells_all() -> None:
    """R-C46: one of two, the pattern of a time, and what is filled in."""
    schema = to_json_schema(
        ACTIONS["add_auto_setting"].schema,
        strict=True,
        custom_serializer=lambda node: getattr(node, DESCRIPTION, UNSUPPORTED),
    )
    assert schema["required"] == ["sunrise", "sunset"]
    assert schema["additionalProperties"] is False
    assert schema["oneOf"] == [{"required": ["brightness"]}, {"required": ["channels"]}]
    assert schema["properties"]["weekdays"]["default"] == ["everyday"]
    assert schema["properties"]["channels"] == {
        "type": "array",
        "minItems": 1,
        "maxItems": 4,
        "items": {"type": "integer", "minimum": 0, "maximum": 100},
    }
