"""From errors to statuses, objects and headers."""

from http import HTTPStatus

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, Unauthorized
import pytest

from custom_components.aquarist.api.http.errors import (
    RequestError,
    as_answered,
    error_headers,
    error_object,
    status_of,
)
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.schedules.errors import ErrorCode, ScheduleError
from custom_components.aquarist.store.errors import StoreFullError


@pytest.mark.parametrize(
    ("error", "key", "status"),
    [
        (
            EngineError("device_not_found", field="address", id="x"),
            "device_not_found",
            404,
        ),
        (EngineError("id_conflict", field="id", id="x"), "id_conflict", 409),
        (EngineError("store_locked"), "store_locked", 503),
        (ScheduleError("limit", ErrorCode.MISSING), "schedule_missing", 422),
        (StoreFullError("full", path=None), "store_full", 503),
        (Unauthorized(), "not_allowed", 403),
        (RequestError("malformed_body"), "malformed_body", 400),
        (KeyError("x"), "unexpected", 500),
        (HomeAssistantError("anything"), "unexpected", 500),
    ],
)
async def test_each_error_has_its_key_and_status(
    hass: HomeAssistant, error: Exception, key: str, status: int
) -> None:
    """R-T23, R-T51: the same object for all of them."""
    answered = as_answered(error)

    assert status_of(answered) == HTTPStatus(status)
    assert error_object(answered)["error_key"] == key
    assert error_headers(answered) == {}


@pytest.mark.parametrize(
    ("seconds", "header"), [("1", "1"), ("0.2", "1"), ("7.5", "8")]
)
def test_waiting_is_told_in_whole_seconds(seconds: str, header: str) -> None:
    """R-C55: never less than has to be waited."""
    error = RequestError("rate_limited", retry_after=seconds)

    assert error_headers(error) == {"Retry-After": header}
