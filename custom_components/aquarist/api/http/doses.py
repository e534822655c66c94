"""The dose ledger over REST."""

from datetime import datetime

from aiohttp import web
import probatio as vol

from ...engine.errors import EngineError
from ...engine.history import DEVICE_PAGE, LARGEST_DEVICE_PAGE
from ...store import doses as dose_rows
from ..fields import moment_text, reference
from ..serializers import dose_record
from .call import Call
from .operations import Right, operation
from .reading import whole_number
from .records import DOSES
from .view import View, success

MOST_HEADS = 8
QUERY = vol.Schema(
    {
        vol.Required("device_id"): reference,
        vol.Required("head_index"): whole_number(0, MOST_HEADS - 1),
        vol.Optional("limit", default=DEVICE_PAGE): whole_number(
            1, LARGEST_DEVICE_PAGE
        ),
        vol.Optional("before", default=None): vol.Maybe(moment_text),
    }
)


class Doses(View):
    """What a head gave, and what it should have given."""

    url = "/api/aquarist/doses"

    @operation(
        "The newest doses of a head first",
        right=Right.READ,
        query=QUERY,
        answers={200: DOSES},
        errors=frozenset({404}),
    )
    async def get(self, call: Call) -> web.StreamResponse:
        """Answer with a page of the ledger."""
        device = call.readable_device(call.query["device_id"])
        database = call.engine.database
        if database is None:
            raise EngineError("store_locked")
        head, limit = call.query["head_index"], call.query["limit"]
        before: datetime | None = call.query["before"]
        found = await database.read(
            lambda connection: dose_rows.of_head(
                connection, device.row.number, head, limit, before
            )
        )
        return success(
            {
                "doses": [dose_record(dose, device) for dose in found],
                "next_before": found[-1].at if len(found) == limit else None,
            }
        )
