"""The command record: identity, content, and the one road from phase to phase."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from custom_components.aquarist.commands.command import (
    Command,
    ErrorCode,
    IllegalTransitionError,
    Source,
    advance,
    changed,
    made,
    new_id,
)
from custom_components.aquarist.commands.phases import Kind, Phase

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def command(**values: Any) -> Command:
    """Return a command that sets a level."""
    given: dict[str, Any] = {
        "id": "one",
        "device": 7,
        "kind": Kind.SET,
        "action": "set_level",
        "args": {"level": 40},
        "source": Source.SERVICE,
        "created_at": NOON,
    }
    return Command(**given | values)


@pytest.mark.parametrize(
    ("values", "off"),
    [
        ({"action": "turn_off"}, True),
        ({"value": {"level": 0}}, True),
        ({"value": {"level": 0.0, "mix_red": 100}}, True),
        ({"value": {"level": 1}}, False),
        ({"value": {"level": False}}, False),
        ({"value": {"heater": 0}}, False),
        ({}, False),
    ],
)
def test_what_switches_off(values: dict[str, Any], off: bool) -> None:
    """A level of nothing, or the word; a field of its own name may mean anything."""
    assert command(**values).is_off is off


def test_ids_are_given_where_none_came() -> None:
    """Each is another one (R-C15)."""
    assert len({new_id() for _ in range(1000)}) == 1000
    assert UUID(new_id()).version == 4


def test_the_same_id_at_another_device_is_another_command() -> None:
    """RES-44."""
    assert command().key == "7/one"
    assert command(device=8).key != command().key


def test_what_was_asked_is_the_content() -> None:
    """Not when, by whom, how far it got, or what followed from it."""
    asked = command().fingerprint
    assert command(created_at=NOON + timedelta(hours=1)).fingerprint == asked
    assert command(user="keeper", context="c", order=9).fingerprint == asked
    assert command(phase=Phase.COMPLETED, attempts=3).fingerprint == asked
    assert command(field="level", value={"level": 40}).fingerprint == asked


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"level": 40}, {"level": 40.0}),
        ({"level": 0}, {"level": -0.0}),
        ({"levels": [40, 0.5]}, {"levels": [40.0, 0.5]}),
        ({"value": {"level": 40}}, {"value": {"level": 40.0}}),
    ],
)
def test_a_whole_number_is_the_same_with_and_without_decimals(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    """RES-44: JSON has one number for both; a boolean is none."""
    assert command(args=one).fingerprint == command(args=other).fingerprint
    assert command(args={"on": True}).fingerprint != command(args={"on": 1}).fingerprint


@pytest.mark.parametrize(
    "values",
    [
        {"device": 8},
        {"kind": Kind.WINDOW},
        {"action": "turn_on"},
        {"args": {"level": 41}},
        {"ends_at": NOON},
        {"starts_at": NOON + timedelta(seconds=1)},
        {"timeout": 11.0},
    ],
)
def test_other_content_has_another_fingerprint(values: dict[str, Any]) -> None:
    """RES-44."""
    assert command(**values).fingerprint != command().fingerprint


def test_a_start_at_once_was_not_asked_for() -> None:
    """The moment of acceptance is no content: a replay comes later."""
    at_once = command(starts_at=NOON)
    assert not at_once.scheduled
    assert at_once.fingerprint == command().fingerprint
    assert command(starts_at=NOON + timedelta(hours=1)).scheduled


def test_what_lasts_is_the_same_whenever_it_began_at_once() -> None:
    """Two requests with one id at the same time do not come at the same microsecond."""

    def hour(begins: datetime, **values: Any) -> Command:
        given = {"kind": Kind.WINDOW, "created_at": begins, "starts_at": begins}
        return command(**{**given, "ends_at": begins + timedelta(hours=1), **values})

    later = NOON + timedelta(microseconds=1)
    assert hour(NOON).fingerprint == hour(later).fingerprint
    longer = hour(NOON, ends_at=NOON + timedelta(hours=2))
    assert longer.fingerprint != hour(NOON).fingerprint
    asked_for = hour(NOON, created_at=NOON - timedelta(hours=1))
    assert asked_for.fingerprint != hour(NOON).fingerprint


def test_what_was_found_out_about_a_ramp_was_not_asked_for() -> None:
    """The setting of its start level is kept beside its arguments."""
    args = {"start_level": 5, "end_level": 50, "duration": 60, "curve": "linear"}
    asked = command(kind=Kind.RAMP, action="ramp", args=args)
    known = command(kind=Kind.RAMP, action="ramp", args=args | {"start": {"level": 5}})
    assert known.fingerprint == asked.fingerprint
    other = command(kind=Kind.SET, args={"level": 40, "start": 1})
    assert other.fingerprint != command().fingerprint


def test_the_start_is_the_first_moment_at_the_device() -> None:
    """A later phase does not move it."""
    begun = advance(command(), Phase.APPLYING, NOON)
    held = advance(begun, Phase.IN_FORCE, NOON + timedelta(seconds=5))
    assert begun.started_at == held.started_at == NOON
    assert held.completed_at is None
    assert begun.attempts == held.attempts == 1


def test_what_holds_at_once_was_tried_once() -> None:
    """A ramp is in force with its first level."""
    held = advance(command(), Phase.IN_FORCE, NOON)
    assert (held.attempts, held.started_at) == (1, NOON)


def test_the_end_says_when_and_why() -> None:
    """The outcome goes with the phase."""
    ended = advance(
        command(),
        Phase.FAILED,
        NOON,
        error_code="device_busy",
        error="held_by_app",
        error_details={"tries": 3},
    )
    assert ended.final
    assert ended.completed_at == NOON
    assert ended.started_at is None
    assert (ended.error_code, ended.error) == ("device_busy", "held_by_app")
    assert ended.error_details == {"tries": 3}


def test_what_is_known_stays_known() -> None:
    """A phase without an outcome of its own keeps the last one."""
    held = advance(command(), Phase.IN_FORCE, NOON, result={"start": {"level": 1}})
    assert advance(held, Phase.RESTORING, NOON).result == {"start": {"level": 1}}


def test_final_is_final() -> None:
    """Law 8; the error names both phases."""
    done = changed(command(), phase=Phase.COMPLETED)
    with pytest.raises(IllegalTransitionError, match="completed -> failed") as refused:
        advance(done, Phase.FAILED, NOON)
    assert (refused.value.phase, refused.value.wanted) == (
        Phase.COMPLETED,
        Phase.FAILED,
    )


def test_a_changed_command_is_another_one_with_all_else_the_same() -> None:
    """The first one stays as it was."""
    first = command(user="keeper")
    second = changed(first, order=12)
    assert (first.order, second.order) == (0, 12)
    assert changed(second, order=0) == first


def test_a_command_that_is_made_is_the_one_that_the_class_makes() -> None:
    """What is not given has its default; what is given is not held on to."""
    given = vars(command(user="keeper")).copy()
    names = ("id", "device", "kind", "action", "args", "source", "created_at", "user")
    values = {name: given[name] for name in names}
    first = made(values)
    assert first == command(user="keeper")
    assert vars(first) == given
    values["id"] = "two"
    assert (first.id, made(values).id) == ("one", "two")


@pytest.mark.parametrize(
    ("code", "phase"),
    [
        (None, Phase.COMPLETED),
        (ErrorCode.COMMAND_CANCELLED, Phase.STOPPED),
        (ErrorCode.DEVICE_TIMEOUT, Phase.FAILED),
    ],
)
def test_how_it_ends_is_known_while_it_gives_back(
    code: ErrorCode | None, phase: Phase
) -> None:
    """Its time was over, it was called off, or its value was never reached."""
    assert command(phase=Phase.RESTORING, error_code=code).ends_as is phase


@pytest.mark.parametrize(
    ("phase", "code", "shown"),
    [
        (Phase.IN_FORCE, None, Phase.IN_FORCE),
        (Phase.RESTORING, None, Phase.RESTORING),
        (Phase.RESTORING, ErrorCode.COMMAND_CANCELLED, Phase.STOPPED),
        (Phase.RESTORING, ErrorCode.DEVICE_TIMEOUT, Phase.FAILED),
        (Phase.FAILED, ErrorCode.DEVICE_TIMEOUT, Phase.FAILED),
    ],
)
def test_what_failed_has_ended_for_whoever_asked(
    phase: Phase, code: ErrorCode | None, shown: Phase
) -> None:
    """Also while what it may have done is still being brought back (R-T11, RES-26)."""
    assert command(phase=phase, error_code=code).shown_phase is shown
