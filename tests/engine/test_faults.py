"""Why a try failed: codes, words, and which field it was."""

import pytest

from custom_components.aquarist.commands.command import ErrorCode
from custom_components.aquarist.devices.errors import DeviceError, FieldErrors
from custom_components.aquarist.engine.faults import (
    by_field,
    describe_error,
    is_untouched,
)

LOST = DeviceError("link_lost", transient=True)
AWAY = DeviceError("entity_unavailable", transient=True, entity_id="switch.heater")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (TimeoutError(), (ErrorCode.DEVICE_TIMEOUT, "no_answer")),
        (LOST, (ErrorCode.DEVICE_DISCONNECTED, "link_lost")),
        (AWAY, (ErrorCode.DEVICE_NOT_FOUND, "entity_unavailable")),
        (
            DeviceError("write_failed", transient=False),
            (ErrorCode.COMMAND_FAILED, "write_failed"),
        ),
        (ZeroDivisionError(), (ErrorCode.INTERNAL_ERROR, "ZeroDivisionError")),
    ],
)
def test_each_error_has_a_code_and_a_word(
    error: Exception, told: tuple[str, str]
) -> None:
    """R-C41."""
    assert describe_error(error) == told


def test_what_failed_as_a_whole_failed_for_each_field() -> None:
    """One frame for all of them, or none."""
    assert by_field(LOST, ("heat", "lamp")) == {"heat": LOST, "lamp": LOST}


def test_what_failed_for_some_fields_failed_for_these() -> None:
    """As a whole it is the first of the errors."""
    errors = FieldErrors({"heat": AWAY})
    assert by_field(errors, ("heat", "lamp")) == {"heat": AWAY}
    assert (errors.code, errors.transient) == ("entity_unavailable", True)
    assert errors.placeholders == {"entity_id": "switch.heater"}


@pytest.mark.parametrize(
    ("error", "untouched"),
    [(AWAY, True), (LOST, False), (TimeoutError(), False), (None, False)],
)
def test_what_was_not_reached_is_as_it_was(
    error: Exception | None, untouched: bool
) -> None:
    """Anything else may have taken effect."""
    assert is_untouched(error) is untouched
