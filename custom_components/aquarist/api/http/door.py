"""The one address of ours that Home Assistant's server knows; the views are behind it.

They are read in at the first request, so that no start waits for what nobody may ask.
"""

from typing import override

from aiohttp import hdrs, web
from homeassistant.core import HomeAssistant
from homeassistant.helpers.http import KEY_ALLOW_CONFIGURED_CORS, HomeAssistantView
from homeassistant.helpers.importlib import async_import_module

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
VIEWS = f"{__package__}.views"


class Door(HomeAssistantView):
    """Everything below `/api/aquarist`."""

    # The views check it, for the answer is to be an error object.
    requires_auth = False
    name = "api:aquarist"
    url = "/api/aquarist{path:(/.*)?}"

    @override
    def register(
        self, hass: HomeAssistant, app: web.Application, router: web.UrlDispatcher
    ) -> None:
        """Register every method, once: a set-up that failed is tried again."""
        if any(resource.raw_match(self.url) for resource in router.resources()):
            return

        async def serve(request: web.Request) -> web.StreamResponse:
            views = await async_import_module(hass, VIEWS)
            answer: web.StreamResponse = await views.serve(request)
            return answer

        allow_cors = app[KEY_ALLOW_CONFIGURED_CORS]
        resource = router.add_resource(self.url)
        for method in METHODS:
            allow_cors(resource.add_route(method, serve))
        # Where other origins are allowed, it asks what they may do.
        if not any(route.method == hdrs.METH_OPTIONS for route in resource):
            resource.add_route(hdrs.METH_OPTIONS, serve)
