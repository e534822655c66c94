"""The audit over REST: every record of a time, as JSON or as a table (R-C33, R-C63)."""

from collections.abc import AsyncIterator, Mapping
import csv
from enum import StrEnum
import io
import json
import logging
from typing import Any

from aiohttp import web
from homeassistant.helpers.json import json_bytes
import probatio as vol

from ...commands.command import Command
from ...schedules.validation import word
from ...store.errors import StoreError
from ..command_lists import FILTERS, filter_of
from ..serializers import command_record
from .all_commands import OF_DEVICE
from .call import Call
from .operations import Right, operation
from .records import COMMAND, EXPORTED
from .view import View

_LOGGER = logging.getLogger(__name__)

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet may take for a formula."""


class Format(StrEnum):
    """What an export can be."""

    JSON = "json"
    CSV = "csv"


MEDIA_TYPES = {Format.JSON: "application/json", Format.CSV: "text/csv"}
COLUMNS = tuple(str(key) for key in COMMAND.schema)
QUERY = vol.Schema(
    FILTERS
    | OF_DEVICE
    | {vol.Optional("format", default=Format.JSON.value): word(Format)}
)


class Export(View):
    """The audit."""

    url = "/api/aquarist/commands/export"

    @operation(
        "All command records of a time, the oldest first",
        right=Right.READ,
        query=QUERY,
        answers={200: EXPORTED},
        errors=frozenset({404}),
        media_types=tuple(MEDIA_TYPES.values()),
    )
    async def get(self, call: Call) -> web.StreamResponse:
        """Answer page by page, so that its size costs no memory."""
        reference = call.query["device_id"]
        device = None if reference is None else call.readable_device(reference)
        chosen = call.query["format"]
        pages = call.engine.history.export(filter_of(device, call.query))
        # What goes wrong at once is still answered as an error.
        first: list[Command] = await anext(pages, [])
        response = web.StreamResponse(
            headers={
                "Content-Type": MEDIA_TYPES[chosen],
                "Content-Disposition": f'attachment; filename="commands.{chosen}"',
            }
        )
        await response.prepare(call.request)
        write = _as_json if chosen is Format.JSON else _as_csv
        try:
            async for part in write(_records(call, first, pages)):
                await response.write(part)
            await response.write_eof()
        except StoreError as error:
            _LOGGER.error("An export ended early: %s", error)
            # So that whoever reads it does not take it for complete.
            call.request.protocol.force_close()
        except ConnectionError:
            _LOGGER.debug("The reader of an export has gone")
        return response


async def _records(
    call: Call, first: list[Command], pages: AsyncIterator[list[Command]]
) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield the records that the caller may see, page by page."""
    devices = call.engine.devices
    page: list[Command] | None = first
    while page:
        yield [
            command_record(command, devices.get(command.device))
            for command in page
            if call.sees(command.device)
        ]
        page = await anext(pages, None)


async def _as_json(
    pages: AsyncIterator[list[dict[str, Any]]],
) -> AsyncIterator[bytes]:
    """Yield one list of all records."""
    yield b"["
    separator = b""
    async for page in pages:
        for record in page:
            yield separator + json_bytes(record)
            separator = b",\n"
    yield b"]\n"


async def _as_csv(pages: AsyncIterator[list[dict[str, Any]]]) -> AsyncIterator[bytes]:
    """Yield a table with a heading."""
    yield _lines([list(COLUMNS)])
    async for page in pages:
        yield _lines([[_cell(record[name]) for name in COLUMNS] for record in page])


def _lines(rows: list[list[str]]) -> bytes:
    """Return rows as lines of a table."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(value: object) -> str:
    """Return the text of a cell; none of them is a formula."""
    match value:
        case None:
            return ""
        case Mapping():
            return json.dumps(value, sort_keys=True)
        case str():
            return f"'{value}" if value.startswith(FORMULA) else value
    return str(value)
