"""R-C31: definitions of sequences: reading them, refusing them, writing them back."""

from typing import Any

import pytest

from custom_components.aquarist.runs import (
    AskStep,
    CalibrateStep,
    CommandStep,
    Condition,
    DelayStep,
    Mode,
    OnTimeout,
    RunDefinition,
    Sequence,
    ServiceStep,
    WaitStep,
    as_json,
    parse_definition,
)
from custom_components.aquarist.runs.definition import step_json
from custom_components.aquarist.schedules.errors import ErrorCode, ScheduleError

DIM: dict[str, Any] = {
    "command": {"device_id": "lamp", "action": "set_level", "args": {"level": 20}}
}
PAUSE: dict[str, Any] = {"delay": 30}
WARM: dict[str, Any] = {
    "wait": {"device_id": "heater", "field_name": "level", "above": 24, "timeout": 600}
}
MACRO: dict[str, Any] = {"name": "Evening", "sequence": [DIM, PAUSE, WARM]}


def refused(data: dict[str, Any]) -> ScheduleError:
    """Return the error of a definition that must not pass."""
    with pytest.raises(ScheduleError) as error:
        parse_definition(data)
    return error.value


def with_step(step: Any) -> dict[str, Any]:
    """Return a macro whose second step is this."""
    return MACRO | {"sequence": [PAUSE, step]}


def command(**changes: Any) -> dict[str, Any]:
    """Return a step whose command is changed."""
    return {"command": DIM["command"] | changes}


def wait(**changes: Any) -> dict[str, Any]:
    """Return a step whose wait is changed."""
    return {"wait": WARM["wait"] | changes}


def service(**changes: Any) -> dict[str, Any]:
    """Return a step that calls a service."""
    return {"service": {"service": "notify.phone"} | changes}


def test_a_macro_is_read() -> None:
    """With what is left out filled in."""
    assert parse_definition(MACRO) == RunDefinition(
        name="Evening",
        sequence=(
            CommandStep(device_id="lamp", action="set_level", args={"level": 20}),
            DelayStep(seconds=30),
            WaitStep(
                device_id="heater",
                field_name="level",
                condition=Condition(above=24),
                seconds=600,
            ),
        ),
        mode=Mode.SINGLE,
        maximum=10,
        continue_on_error=False,
    )


def test_everything_can_be_said() -> None:
    """And is written back as it was."""
    definition = parse_definition(
        {
            "name": "All",
            "sequence": [
                command(args=None, timeout=5, confirm=True)
                | {"continue_on_error": True},
                {"delay": 0.5, "continue_on_error": True},
                wait(below=30, on_timeout="continue") | {"continue_on_error": True},
                {
                    "wait": {
                        "device_id": "pump",
                        "field_name": "on",
                        "equals": False,
                        "timeout": 1,
                    }
                },
                service(),
                service(
                    target={"entity_id": "light.room", "area_id": ["kitchen", "hall"]},
                    data={"brightness": 20},
                    timeout=600,
                )
                | {"continue_on_error": True},
            ],
            "mode": "queued",
            "max": 3,
            "continue_on_error": True,
        }
    )

    first, _, third, last, plain, full = definition.sequence
    assert first == CommandStep(
        device_id="lamp",
        action="set_level",
        timeout=5,
        confirm=True,
        continue_on_error=True,
    )
    assert isinstance(third, WaitStep)
    assert third.condition == Condition(above=24, below=30)
    assert third.on_timeout is OnTimeout.CONTINUE
    assert isinstance(last, WaitStep)
    assert last.condition == Condition(equals=False)
    assert plain == ServiceStep(service="notify.phone")
    assert full == ServiceStep(
        service="notify.phone",
        target={"entity_id": ("light.room",), "area_id": ("kitchen", "hall")},
        data={"brightness": 20},
        timeout=600,
        continue_on_error=True,
    )
    assert plain.seconds is None
    assert (definition.mode, definition.maximum) == (Mode.QUEUED, 3)
    assert parse_definition(as_json(definition)) == definition


def test_the_program_of_a_macro_is_its_sequence() -> None:
    """Its devices are those that it changes, not those that it looks at."""
    definition = parse_definition(MACRO | {"continue_on_error": True})

    assert definition.program == Sequence(
        steps=definition.sequence, continue_on_error=True
    )
    assert definition.devices == {"lamp"}


def test_steps_of_our_own_can_be_shown() -> None:
    """They have no place in what keepers write, but in the record of a run."""
    ask = AskStep(answers=frozenset({"test", "start"}), seconds=60)
    keep = CalibrateStep(device_id="doser", head_index=1, ran_for=5, measured=4900)

    assert step_json(ask) == {
        "ask": {"answers": ["start", "test"], "timeout": 60},
        "continue_on_error": False,
    }
    assert step_json(keep)["calibrate"] == {
        "device_id": "doser",
        "head_index": 1,
        "ran_for": 5,
        "measured": 4900,
    }
    assert (ask.seconds, keep.seconds) == (60, None)
    assert CommandStep(device_id="lamp", action="turn_on").seconds is None


@pytest.mark.parametrize(
    ("data", "field", "code"),
    [
        ({"sequence": [PAUSE]}, "name", ErrorCode.MISSING),
        ({"name": "x"}, "sequence", ErrorCode.MISSING),
        (MACRO | {"name": " "}, "name", ErrorCode.EMPTY),
        (MACRO | {"colour": 1}, "colour", ErrorCode.UNKNOWN_FIELD),
        (MACRO | {"mode": "twice"}, "mode", ErrorCode.UNKNOWN_WORD),
        (MACRO | {"max": 0}, "max", ErrorCode.OUT_OF_RANGE),
        (MACRO | {"max": 101}, "max", ErrorCode.OUT_OF_RANGE),
        (MACRO | {"max": 1.5}, "max", ErrorCode.WRONG_TYPE),
        (MACRO | {"continue_on_error": 1}, "continue_on_error", ErrorCode.WRONG_TYPE),
        (MACRO | {"sequence": {}}, "sequence", ErrorCode.WRONG_TYPE),
        (MACRO | {"sequence": []}, "sequence", ErrorCode.EMPTY),
        (MACRO | {"sequence": [PAUSE] * 101}, "sequence", ErrorCode.TOO_MANY),
        (with_step("wait"), "sequence.1", ErrorCode.WRONG_TYPE),
        (with_step({}), "sequence.1", ErrorCode.NONE_OF),
        (with_step(DIM | PAUSE), "sequence.1.delay", ErrorCode.NOT_TOGETHER),
        (
            with_step({"service": {}}),
            "sequence.1.service.service",
            ErrorCode.MISSING,
        ),
        (
            with_step(service(service="notify")),
            "sequence.1.service.service",
            ErrorCode.UNKNOWN_WORD,
        ),
        (
            with_step(service(service=3)),
            "sequence.1.service.service",
            ErrorCode.WRONG_TYPE,
        ),
        (
            with_step(service(target={"room": "x"})),
            "sequence.1.service.target.room",
            ErrorCode.UNKNOWN_FIELD,
        ),
        (
            with_step(service(target={"entity_id": []})),
            "sequence.1.service.target.entity_id",
            ErrorCode.EMPTY,
        ),
        (
            with_step(service(target={"entity_id": [1]})),
            "sequence.1.service.target.entity_id",
            ErrorCode.WRONG_TYPE,
        ),
        (
            with_step(service(target={"entity_id": "all"})),
            "sequence.1.service.target.entity_id",
            ErrorCode.UNKNOWN_WORD,
        ),
        (
            with_step(service(data={"entity_id": "light.room"})),
            "sequence.1.service.data",
            ErrorCode.NOT_TOGETHER,
        ),
        (
            with_step(service(data=["x"])),
            "sequence.1.service.data",
            ErrorCode.WRONG_TYPE,
        ),
        (
            with_step(service(timeout=601)),
            "sequence.1.service.timeout",
            ErrorCode.OUT_OF_RANGE,
        ),
        (with_step({"ask": {}}), "sequence.1.ask", ErrorCode.UNKNOWN_FIELD),
        (
            with_step(PAUSE | {"continue_on_error": "yes"}),
            "sequence.1.continue_on_error",
            ErrorCode.WRONG_TYPE,
        ),
        (with_step({"delay": -1}), "sequence.1.delay", ErrorCode.OUT_OF_RANGE),
        (with_step({"delay": 604801}), "sequence.1.delay", ErrorCode.OUT_OF_RANGE),
        (with_step({"delay": "1"}), "sequence.1.delay", ErrorCode.WRONG_TYPE),
        (with_step({"command": []}), "sequence.1.command", ErrorCode.WRONG_TYPE),
        (
            with_step(command(device_id=4)),
            "sequence.1.command.device_id",
            ErrorCode.WRONG_TYPE,
        ),
        (with_step(command(action="")), "sequence.1.command.action", ErrorCode.EMPTY),
        (with_step(command(args=[])), "sequence.1.command.args", ErrorCode.WRONG_TYPE),
        (
            with_step(command(args={1: 2})),
            "sequence.1.command.args",
            ErrorCode.WRONG_TYPE,
        ),
        (
            with_step(command(args={"level": float("nan")})),
            "sequence.1.command.args",
            ErrorCode.WRONG_TYPE,
        ),
        (
            with_step(command(args={"text": "x" * 70_000})),
            "sequence.1.command.args",
            ErrorCode.TOO_LONG,
        ),
        (
            with_step(command(timeout=31)),
            "sequence.1.command.timeout",
            ErrorCode.OUT_OF_RANGE,
        ),
        (
            with_step(command(confirm="yes")),
            "sequence.1.command.confirm",
            ErrorCode.WRONG_TYPE,
        ),
        (
            with_step(command(id="mine")),
            "sequence.1.command.id",
            ErrorCode.UNKNOWN_FIELD,
        ),
        (with_step(wait(timeout=0)), "sequence.1.wait.timeout", ErrorCode.OUT_OF_RANGE),
        (
            with_step(wait(on_timeout="panic")),
            "sequence.1.wait.on_timeout",
            ErrorCode.UNKNOWN_WORD,
        ),
        (with_step(wait(above=None)), "sequence.1.wait", ErrorCode.NONE_OF),
        (with_step(wait(above="5")), "sequence.1.wait.above", ErrorCode.WRONG_TYPE),
        (with_step(wait(below=24)), "sequence.1.wait.below", ErrorCode.OUT_OF_RANGE),
        (with_step(wait(equals=5)), "sequence.1.wait.equals", ErrorCode.NOT_TOGETHER),
        (
            with_step(wait(above=None, below=5, equals=5)),
            "sequence.1.wait.equals",
            ErrorCode.NOT_TOGETHER,
        ),
        (with_step(wait(equals=[])), "sequence.1.wait.equals", ErrorCode.WRONG_TYPE),
    ],
)
def test_what_is_wrong_is_named(
    data: dict[str, Any], field: str, code: ErrorCode
) -> None:
    """Law 10: the field, and what is wrong with it; steps are counted from 0."""
    error = refused(data)

    assert (error.field, error.code) == (field, code)


def test_a_value_may_be_a_word_or_a_number() -> None:
    """As the field has it."""
    for value in ("heat", 5, 5.5, True):
        data = with_step(wait(above=None, equals=value))
        step = parse_definition(data).sequence[1]
        assert isinstance(step, WaitStep)
        assert step.condition == Condition(equals=value)
