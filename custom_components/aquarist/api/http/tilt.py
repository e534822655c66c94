"""What the views of the write-action API have in common (RES-25, R-T42, R-T44).

What is asked wrongly is 400, a body may be longer, and a number that JSON does not have is a
wrong value of one action, not a malformed body (R-T26).
"""

from collections.abc import Collection, Mapping
from http import HTTPStatus
import json
from typing import Any, ClassVar, override

from aiohttp import web
from homeassistant.components.http.auth import SIGN_QUERY_PARAM
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.http import HomeAssistantView
from homeassistant.helpers.json import json_bytes
from homeassistant.util.json import json_loads
import probatio as vol

from ..write_action_errors import key_of
from ..write_action_lists import LARGEST_PAGE, LAST_PAGE, PAGE_SIZE
from .call import Call
from .errors import error_headers, error_object, status_of
from .reading import read_body, whole_number
from .view import View, success

LARGEST_BODY = 1024 * 1024
PAGE: dict[str | vol.Marker, Any] = {
    vol.Optional("page", default=1): whole_number(1, LAST_PAGE),
    vol.Optional("page_size", default=PAGE_SIZE): whole_number(1, LARGEST_PAGE),
}
NEXT = vol.Maybe(str)


class TiltView(View):
    """A view of the write-action API."""

    wrong: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST

    @override
    async def read(
        self, request: web.Request, schema: vol.Schema | None
    ) -> dict[str, Any]:
        """Return the body of a request, which may hold a thousand actions."""
        return await read_body(request, schema, largest=LARGEST_BODY, loads=loaded)

    @override
    def refused(self, error: HomeAssistantError) -> web.Response:
        """Answer what could not be done, in the words of this API."""
        status = status_of(error)
        if status is View.wrong:
            status = self.wrong
        return HomeAssistantView.json(
            error_object(error) | {"error_key": key_of(error)},
            status,
            headers=error_headers(error),
        )


def loaded(text: bytes) -> object:
    """Return what JSON says; also NaN and the infinities, which other programs write.

    Raises ValueError for what is none, or could not be answered.
    """
    try:
        return json_loads(text)
    except ValueError:
        if b"NaN" not in text and b"Infinity" not in text:
            raise
    try:
        data = json.loads(text)
        json_bytes(data)
    except (RecursionError, TypeError) as error:
        raise ValueError("not JSON") from error
    return data


def paged(
    call: Call, count: int, results: Collection[Mapping[str, Any]], **pinned: str
) -> web.Response:
    """Answer with a page: how many there are in all, where the next page is, and this one.

    ``pinned`` is what the next page must be asked with, although this one was not.
    """
    following_page = following(call, count, **pinned)
    return success({"count": count, "next": following_page, "results": results})


def part(call: Call, items: list[Any]) -> list[Any]:
    """Return the page of a list that was asked for."""
    size = call.query["page_size"]
    start = (call.query["page"] - 1) * size
    return items[start : start + size]


def following(call: Call, count: int, **pinned: str) -> str | None:
    """Return the address of the next page, with everything else that was asked; None after the last."""
    page, size = call.query["page"], call.query["page_size"]
    if page * size >= count:
        return None
    url = call.request.url.without_query_params(SIGN_QUERY_PARAM)
    return str(url.update_query(page=page + 1, **pinned))
