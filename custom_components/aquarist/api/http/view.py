"""The ground of every REST view: rights, limits, and errors as the documents have them.

Home Assistant answers in plain text and redirects slashes; we do neither (RES-65, R-T51).
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
import logging
from typing import Any, ClassVar, override

from aiohttp import hdrs, web
from homeassistant.auth.models import User
from homeassistant.components.http.const import KEY_HASS_USER
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.http import (
    KEY_ALLOW_CONFIGURED_CORS,
    KEY_AUTHENTICATED,
    HomeAssistantView,
)
from homeassistant.helpers.json import json_bytes
import probatio as vol

from .call import Call
from .errors import RequestError, as_answered, error_headers, error_object, status_of
from .operations import Operation, Right, operation_of
from .reading import read_body, read_query

_LOGGER = logging.getLogger(__name__)

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
type Bound = Callable[[Call], Awaitable[web.StreamResponse]]
type Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]


class View(HomeAssistantView):
    """A path with its operations; each is a method by the name of its HTTP method.

    Every path is there with and without a slash at its end. What a path does not know is
    answered with an error object, too.
    """

    # Checked here, for the answer is to be an error object.
    requires_auth = False
    name = "api:aquarist"
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

    @override
    def register(
        self, hass: HomeAssistant, app: web.Application, router: web.UrlDispatcher
    ) -> None:
        """Register both forms of the path for every method."""
        allow_cors = app[KEY_ALLOW_CONFIGURED_CORS]
        for url in (self.url, f"{self.url}/"):
            resource = router.add_resource(url)
            for method in METHODS:
                handler = getattr(self, method.lower(), None)
                route = resource.add_route(method, self._serve(hass, handler))
                allow_cors(route)
            # Where other origins are allowed, it asks what they may do.
            if not any(route.method == hdrs.METH_OPTIONS for route in resource):
                resource.add_route(hdrs.METH_OPTIONS, self._serve(hass, None))

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

    def _serve(self, hass: HomeAssistant, handler: Bound | None) -> Serve:
        """Return what the router calls for one method."""

        async def serve(request: web.Request) -> web.StreamResponse:
            try:
                user = _user(hass, request)
                if handler is None:
                    return self.unknown(request)
                declared = operation_of(handler)
                require(declared.right, user)
                call = Call(
                    hass=hass,
                    request=request,
                    user=user,
                    context=self.context(request),
                    path=request.match_info,
                    query=read_query(request, declared.query),
                    body=await self.read(request, declared.body),
                )
                return await handler(call)
            except web.HTTPException:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it has an answer
                return self.refused(logged(request, as_answered(error), error))

        return serve


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
