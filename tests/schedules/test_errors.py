"""The error of the room."""

from custom_components.aquarist.schedules import ErrorCode, ScheduleError


def test_an_error_reads_well_without_placeholders() -> None:
    """Field and code are enough for a log line."""
    error = ScheduleError("name", ErrorCode.EMPTY)
    assert str(error) == "name: empty"
    assert error.placeholders == {}


def test_an_error_shows_its_placeholders() -> None:
    """A log line says what was asked."""
    error = ScheduleError("name", ErrorCode.TOO_LONG, {"maximum": "100"})
    assert str(error) == "name: too_long (maximum: 100)"
