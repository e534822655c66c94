"""From our errors to the answers of the REST views: status and error object (R-T23, R-T51)."""

from collections.abc import Mapping
from http import HTTPStatus
import math
from typing import Any

from homeassistant.exceptions import HomeAssistantError, Unauthorized

from ...const import DOMAIN
from ...errors import STORE_WORDS, details_of, translated

TABLE: Mapping[HTTPStatus, frozenset[str]] = {
    HTTPStatus.BAD_REQUEST: frozenset({"malformed_body"}),
    HTTPStatus.UNAUTHORIZED: frozenset({"not_signed_in"}),
    HTTPStatus.FORBIDDEN: frozenset({"not_allowed"}),
    HTTPStatus.NOT_FOUND: frozenset(
        {
            "action_not_found",
            "aquarium_not_found",
            "command_not_found",
            "configuration_not_found",
            "device_not_found",
            "device_not_loaded",
            "path_not_found",
            "revision_not_found",
            "schedule_not_found",
        }
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: frozenset({"method_not_allowed"}),
    HTTPStatus.CONFLICT: frozenset(
        {
            "action_already_executed",
            "command_is_final",
            "command_is_running",
            "device_busy",
            "id_conflict",
            "revision_conflict",
            "run_under_way",
        }
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: frozenset({"body_too_large"}),
    HTTPStatus.TOO_MANY_REQUESTS: frozenset({"rate_limited"}),
    HTTPStatus.INTERNAL_SERVER_ERROR: frozenset({"unexpected"}),
    HTTPStatus.SERVICE_UNAVAILABLE: STORE_WORDS
    | {"history_unavailable", "shutting_down"},
}
"""Which errors have a status of their own; every other one is 422: asked wrongly."""

STATUS = {key: status for status, keys in TABLE.items() for key in keys}
RETRY_AFTER = "Retry-After"


class RequestError(HomeAssistantError):
    """A request that does not get as far as what it asks for."""

    def __init__(self, key: str, **placeholders: object) -> None:
        """Take the key below ``exceptions`` in the translations."""
        super().__init__(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders={
                name: str(value) for name, value in placeholders.items()
            },
        )


def as_answered(error: Exception) -> HomeAssistantError:
    """Return the error that a caller is told of."""
    if isinstance(error, Unauthorized):
        return RequestError("not_allowed")
    return translated(error)


def status_of(error: HomeAssistantError) -> HTTPStatus:
    """Return the HTTP status of an error."""
    key = error.translation_key or "unexpected"
    return STATUS.get(key, HTTPStatus.UNPROCESSABLE_ENTITY)


def error_object(error: HomeAssistantError) -> dict[str, Any]:
    """Return the error object: a machine word, a sentence, and the values in it."""
    return {
        "error_key": error.translation_key or "unexpected",
        "error_message": str(error),
        "error_details": details_of(error),
    }


def error_headers(error: HomeAssistantError) -> dict[str, str]:
    """Return when to try again, in whole seconds, where waiting helps (R-C55)."""
    seconds = (error.translation_placeholders or {}).get("retry_after")
    return {} if seconds is None else {RETRY_AFTER: str(math.ceil(float(seconds)))}
