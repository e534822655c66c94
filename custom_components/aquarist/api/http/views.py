"""The REST views by their paths; one module a resource."""

from aiohttp import hdrs, web

from .all_commands import AllCommands
from .commands import DeviceCommand, DeviceCommands, Rerun
from .configurations import (
    ConfigurationApplication,
    ConfigurationRevisions,
    Configurations,
    ConfigurationView,
)
from .device_types import DeviceTypes
from .devices import Devices
from .doses import Doses
from .export import Export
from .openapi import OpenApi
from .paths import Unknown
from .settings import SettingsView
from .sites import Sites
from .synchronous_write_actions import SynchronousWriteActions
from .values import History, LatestValues
from .view import KEY_PATH, View
from .write_actions import CancelWriteActions, WriteActions

VIEWS: tuple[type[View], ...] = (
    DeviceCommands,
    DeviceCommand,
    Rerun,
    Configurations,
    ConfigurationView,
    ConfigurationRevisions,
    ConfigurationApplication,
    AllCommands,
    Export,
    Doses,
    WriteActions,
    CancelWriteActions,
    SynchronousWriteActions,
    Devices,
    DeviceTypes,
    Sites,
    LatestValues,
    History,
    SettingsView,
    OpenApi,
)
"""Every view; a path without parameters comes before those that would match it, too."""

OpenApi.views = VIEWS


def _router() -> web.UrlDispatcher:
    """Return every path with and without a slash at its end; what none has comes last."""
    router = web.UrlDispatcher()
    views: tuple[type[View], ...] = (*VIEWS, Unknown)
    for view in views:
        for url in (view.url, f"{view.url}/"):
            router.add_resource(url).add_route(hdrs.METH_ANY, view().serve)
    return router


ROUTER = _router()


async def serve(request: web.Request) -> web.StreamResponse:
    """Answer a request by the view of its path."""
    found = await ROUTER.resolve(request)
    request[KEY_PATH] = found
    return await found.handler(request)
