"""Reading what a request brings: bounded, well-formed, and each field checked (R-C56)."""

from collections.abc import Callable
from typing import Any

from aiohttp import web
from homeassistant.components.http.auth import SIGN_QUERY_PARAM
from homeassistant.util.json import json_loads
import probatio as vol

from ...schedules.errors import ErrorCode, Expected, ScheduleError, wrong_type
from ...schedules.validation import (
    LARGEST_INTEGER,
    Validator,
    not_a,
    rejected,
    takes,
    validated,
)
from .errors import RequestError

LARGEST_BODY = 64 * 1024
LONGEST_NUMBER = 20


def read_query(request: web.Request, schema: vol.Schema) -> dict[str, Any]:
    """Return the query as its schema has it; a signature of Home Assistant is not part of it.

    Raises ScheduleError for the first field that is wrong or there twice.
    """
    found: dict[str, str] = {}
    for name, value in request.query.items():
        if name in found:
            raise ScheduleError(name, ErrorCode.DUPLICATE)
        if name != SIGN_QUERY_PARAM:
            found[name] = value
    return validated(schema, found, within="")


async def read_body(
    request: web.Request,
    schema: vol.Schema | None,
    *,
    largest: int = LARGEST_BODY,
    loads: Callable[[bytes], object] = json_loads,
) -> dict[str, Any]:
    """Return the body as its schema has it; without a schema it is not looked at.

    Raises RequestError, or ScheduleError for the first field that is wrong.
    """
    if schema is None:
        return {}
    if (request.content_length or 0) > largest:
        raise RequestError("body_too_large", maximum=largest)
    text = bytearray()
    try:
        async for chunk in request.content.iter_any():
            text += chunk
            if len(text) > largest:
                raise RequestError("body_too_large", maximum=largest)
    except web.RequestPayloadError as error:
        # It is not packed as its Content-Encoding says.
        raise RequestError("malformed_body") from error
    try:
        data = loads(bytes(text)) if text.strip() else {}
    except ValueError as error:
        raise RequestError("malformed_body") from error
    return checked(schema, data, whole="body")


def checked(schema: vol.Schema, data: object, *, whole: str) -> dict[str, Any]:
    """Return an object as its schema has it.

    Raises ScheduleError for the first field that is wrong; ``whole`` is the name of all.
    """
    if not isinstance(data, dict):
        raise wrong_type(whole, Expected.MAPPING)
    return validated(schema, data, within="")


def whole_number(minimum: int, maximum: int = LARGEST_INTEGER) -> Validator:
    """Accept the digits of a whole number between two bounds, both included."""

    @takes(type="integer", minimum=minimum, maximum=maximum)
    def validate(value: object) -> int:
        """Validate one number of a query."""
        digits = str(value)
        plain = digits.isascii() and digits.removeprefix("-").isdecimal()
        if not plain:
            raise not_a(Expected.WHOLE_NUMBER)
        if len(digits) > LONGEST_NUMBER or not minimum <= int(digits) <= maximum:
            raise rejected(ErrorCode.OUT_OF_RANGE, minimum=minimum, maximum=maximum)
        return int(digits)

    return validate
