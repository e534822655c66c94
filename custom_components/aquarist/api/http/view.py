"""The ground of every REST view: rights, limits, and errors as the documents have them.

Home Assistant answers in plain text and redirects slashes; we do neither (RES-65, R-T51).
"""

from collections.abc import Mapping
from http import HTTPStatus
import logging
from typing import Any, ClassVar

from aiohttp import web
from homeassistant.auth.models import User
from homeassistant.components.http.const import KEY_HASS_USER
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.http import KEY_AUTHENTICATED, KEY_HASS, HomeAssistantView
from homeassistant.helpers.json import json_bytes
import probatio as vol

from .call import Call
from .door import METHODS
from .errors import RequestError, as_answered, error_headers, error_object, status_of
from .operations import Operation, Right, operation_of
from .reading import read_body, read_query

_LOGGER = logging.getLogger(__name__)

KEY_PATH = web.RequestKey("aquarist_path", Mapping[str, str])
"""The parameters of the path."""


class View:
    """A path with its operations; each is a method by the name of its HTTP method.

    What a path does not know is answered with an error object, too.
    """

    url: str
    wrong: ClassVar[HTTPStatus] = HTTPStatus.UNPROCESSABLE_ENTITY
    """The status of what is asked wrongly and has no status of its own."""

    @classmethod
    def operations(cls) -> dict[str, Operation]:
        """Return what the view can be asked for, by HTTP method."""
        return {
            method: operation_of(handler)
            for method in METHODS
            if (handler := getattr(cls, method.lower(), None)) is not None
        }

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer a request, whatever becomes of it."""
        hass = request.app[KEY_HASS]
        try:
            user = _user(hass, request)
            handler = getattr(self, request.method.lower(), None)
            if request.method not in METHODS or handler is None:
                return self.unknown(request)
            declared = operation_of(handler)
            require(declared.right, user)
            call = Call(
                hass=hass,
                request=request,
                user=user,
                context=HomeAssistantView.context(request),
                path=request[KEY_PATH],
                query=read_query(request, declared.query),
                body=await self.read(request, declared.body),
            )
            answer: web.StreamResponse = await handler(call)
        except web.HTTPException:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it has an answer
            return self.refused(logged(request, as_answered(error), error))
        return answer

    async def read(
        self, request: web.Request, schema: vol.Schema | None
    ) -> dict[str, Any]:
        """Return the body of a request. Raises RequestError, ScheduleError."""
        return await read_body(request, schema)

    def refused(self, error: HomeAssistantError) -> web.Response:
        """Answer what could not be done."""
        return failure(error)

    def unknown(self, request: web.Request) -> web.Response:
        """Answer a method that the path does not have."""
        allowed = ", ".join(self.operations())
        error = RequestError(
            "method_not_allowed", method=request.method, allowed=allowed
        )
        return failure(error, headers={"Allow": allowed})


def require(right: Right, user: User) -> None:
    """Raise RequestError where only an administrator may go on."""
    if right is Right.CONFIGURE and not user.is_admin:
        raise RequestError("not_allowed")


def success(result: Any, status: int = HTTPStatus.OK) -> web.Response:
    """Return an answer in JSON."""
    return HomeAssistantView.json(result, status)


def failure(
    error: HomeAssistantError, *, headers: dict[str, str] | None = None
) -> web.Response:
    """Return an error as an answer."""
    return HomeAssistantView.json(
        error_object(error),
        status_of(error),
        headers=error_headers(error) | (headers or {}),
    )


def _user(hass: HomeAssistant, request: web.Request) -> User:
    """Return who asks. Raises HTTPUnauthorized, which Home Assistant counts as a failed login."""
    if hass.is_stopping:
        raise RequestError("shutting_down")
    if not request.get(KEY_AUTHENTICATED, False):
        raise web.HTTPUnauthorized(
            body=json_bytes(error_object(RequestError("not_signed_in"))),
            content_type="application/json",
            headers={"WWW-Authenticate": "Bearer"},
        )
    user: User = request[KEY_HASS_USER]
    return user


def logged(
    request: web.Request, error: HomeAssistantError, cause: Exception
) -> HomeAssistantError:
    """Return an error; one that should not be is written into the log."""
    if status_of(error) is HTTPStatus.INTERNAL_SERVER_ERROR:
        _LOGGER.error("%s %s failed", request.method, request.path, exc_info=cause)
    return error
