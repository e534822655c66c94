"""The types of devices over REST: what can be read and written (R-T47, R-T62)."""

from aiohttp import web
import probatio as vol

from ...devices.fields import DataType
from ...schedules.validation import takes
from ..device_lists import rows, texts_of, type_record
from .call import Call
from .operations import Right, operation
from .tilt import NEXT, PAGE, TiltView, paged, part


@takes(type=["boolean", "number", "string"])
def value(value: object) -> object:
    """Accept a value of a field."""
    return value


TYPES = vol.Schema(
    {
        vol.Required("count"): int,
        vol.Required("next"): NEXT,
        vol.Required("results"): [
            {
                vol.Required("name"): str,
                vol.Required("description"): str,
                vol.Required("fields"): [
                    {
                        vol.Required("name"): str,
                        vol.Required("description"): str,
                        vol.Required("data_type"): vol.In(
                            [one.value for one in DataType]
                        ),
                        vol.Required("writable"): bool,
                        vol.Required("unit"): vol.Maybe(str),
                        vol.Required("min"): vol.Maybe(float),
                        vol.Required("max"): vol.Maybe(float),
                        vol.Required("values"): [value],
                    }
                ],
            }
        ],
    }
)


class DeviceTypes(TiltView):
    """What each device takes, in the units that it takes it in."""

    url = "/api/aquarist/device_types"

    @operation(
        "The types of all devices, with their fields",
        right=Right.READ,
        query=vol.Schema(PAGE),
        answers={200: TYPES},
    )
    async def get(self, call: Call) -> web.StreamResponse:
        """Answer with a page."""
        found = await rows(call.hass, call.sees)
        texts = await texts_of(call.hass)
        records = [type_record(call.hass, row, texts) for row in part(call, found)]
        return paged(call, len(found), records)
