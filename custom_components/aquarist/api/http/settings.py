"""The settings of the whole domain over REST (RES-66)."""

from aiohttp import web
import probatio as vol

from ...engine.settings import CHANGES
from .call import Call
from .operations import Right, operation
from .view import View, success

SETTINGS = vol.Schema(
    {vol.Required(str(name)): taken for name, taken in CHANGES.schema.items()}
)
EXAMPLES = {"slower": {"rate_limit": 5, "queue_expiry_seconds": None}}


class SettingsView(View):
    """What holds for all aquariums."""

    url = "/api/aquarist/v1/settings"

    @operation("All settings", right=Right.CONFIGURE, answers={200: SETTINGS})
    async def get(self, call: Call) -> web.StreamResponse:
        """Answer with all settings."""
        return success(call.engine.live_settings.current.as_json())

    @operation(
        "Change some settings; null goes back to the default",
        right=Right.CONFIGURE,
        body=CHANGES,
        answers={200: SETTINGS},
        examples=EXAMPLES,
    )
    async def patch(self, call: Call) -> web.StreamResponse:
        """Answer with all settings as they are from now on."""
        settings = await call.engine.live_settings.update(call.body, call.user.id)
        return success(settings.as_json())

    @operation(
        "Change some settings, as PATCH does",
        right=Right.CONFIGURE,
        body=CHANGES,
        answers={200: SETTINGS},
        examples=EXAMPLES,
    )
    async def put(self, call: Call) -> web.StreamResponse:
        """Answer with all settings as they are from now on."""
        return await self.patch(call)
