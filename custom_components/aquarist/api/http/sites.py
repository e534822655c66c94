"""The site over REST: this house (R-T48)."""

from aiohttp import web
import probatio as vol

from ..device_lists import site_record
from .call import Call
from .operations import Right, operation
from .tilt import NEXT, PAGE, TiltView, paged, part

TEXT = vol.Maybe(str)
SITES = vol.Schema(
    {
        vol.Required("count"): int,
        vol.Required("next"): NEXT,
        vol.Required("results"): [
            {
                vol.Required("id"): str,
                vol.Required("name"): str,
                vol.Required("address"): TEXT,
                vol.Required("country"): TEXT,
                vol.Required("time_zone"): str,
                vol.Required("pdl_identifier"): TEXT,
            }
        ],
    }
)


class Sites(TiltView):
    """One site: what this Home Assistant looks after."""

    url = "/api/aquarist/sites"

    @operation(
        "The sites",
        right=Right.READ,
        query=vol.Schema(PAGE),
        answers={200: SITES},
    )
    async def get(self, call: Call) -> web.StreamResponse:
        """Answer with the only one."""
        sites = [await site_record(call.hass)]
        return paged(call, len(sites), part(call, sites))
