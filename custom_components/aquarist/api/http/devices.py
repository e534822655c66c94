"""Devices over REST, as the write-action API lists them (R-T46)."""

from aiohttp import web
import probatio as vol

from ..device_lists import (
    DeviceStatus,
    device_record,
    rows,
    site_id,
    status_of,
    type_of,
)
from ..write_action_lists import several
from .call import Call
from .operations import Right, operation
from .tilt import NEXT, PAGE, TiltView, paged, part

QUERY = vol.Schema(
    PAGE
    | {
        vol.Optional("device_type", default=None): vol.Maybe(several()),
        vol.Optional("status", default=None): vol.Maybe(
            several([one.value for one in DeviceStatus])
        ),
    }
)
DEVICES = vol.Schema(
    {
        vol.Required("count"): int,
        vol.Required("next"): NEXT,
        vol.Required("results"): [
            {
                vol.Required("device_id"): str,
                vol.Required("site_id"): str,
                vol.Required("device_type"): str,
                vol.Required("name"): str,
                vol.Required("status"): vol.In([one.value for one in DeviceStatus]),
                vol.Required("tags"): [str],
            }
        ],
    }
)


class Devices(TiltView):
    """Every device that there is or was."""

    url = "/api/aquarist/devices"

    @operation(
        "All devices, those out of use included",
        right=Right.READ,
        query=QUERY,
        answers={200: DEVICES},
    )
    async def get(self, call: Call) -> web.StreamResponse:
        """Answer with a page; a type may be meant by its kind alone."""
        types, statuses = call.query["device_type"], call.query["status"]
        found = [
            row
            for row in await rows(call.hass, call.sees)
            if types is None or row.kind in types or type_of(row) in types
            if statuses is None or status_of(call.hass, row) in statuses
        ]
        site = await site_id(call.hass)
        records = [device_record(call.hass, row, site) for row in part(call, found)]
        return paged(call, len(found), records)
