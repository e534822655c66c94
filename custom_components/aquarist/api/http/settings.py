"""The settings of the whole domain over REST (RES-66)."""

from aiohttp import web
import probatio as vol

from ...engine.settings import CHANGES, REQUEST
from ...schedules.validation import integer
from .call import Call
from .operations import Right, operation
from .view import View, success

SETTINGS = vol.Schema(
    {
        **{vol.Required(str(name)): taken for name, taken in CHANGES.schema.items()},
        vol.Required("revision"): integer(0),
    }
)
CONFLICT = frozenset({409})
EXAMPLES = {"slower": {"rate_limit": 5, "queue_expiry_seconds": None}}


class SettingsView(View):
    """What holds for all aquariums."""

    url = "/api/aquarist/v1/settings"

    @operation("All settings", right=Right.CONFIGURE, answers={200: SETTINGS})
    async def get(self, call: Call) -> web.StreamResponse:
        """Answer with all settings."""
        return success(call.engine.live_settings.record())

    @operation(
        "Change some settings; null goes back to the default",
        right=Right.CONFIGURE,
        body=REQUEST,
        answers={200: SETTINGS},
        errors=CONFLICT,
        examples=EXAMPLES,
    )
    async def patch(self, call: Call) -> web.StreamResponse:
        """Answer with all settings as they are from now on."""
        settings = call.engine.live_settings
        return success(await settings.request(call.body, call.user.id))

    @operation(
        "Change some settings, as PATCH does",
        right=Right.CONFIGURE,
        body=REQUEST,
        answers={200: SETTINGS},
        errors=CONFLICT,
        examples=EXAMPLES,
    )
    async def put(self, call: Call) -> web.StreamResponse:
        """Answer with all settings as they are from now on."""
        return await self.patch(call)
