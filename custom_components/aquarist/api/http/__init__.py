"""The REST views: one module a resource.

Home Assistant's own HTTP server with its tokens; what the views add is in `view.py`.
"""

from homeassistant.core import HomeAssistant, callback

from .all_commands import AllCommands
from .commands import DeviceCommand, DeviceCommands, Rerun
from .doses import Doses
from .export import Export
from .openapi import OpenApi
from .paths import Unknown
from .settings import SettingsView
from .view import View

VIEWS: tuple[type[View], ...] = (
    DeviceCommands,
    DeviceCommand,
    Rerun,
    AllCommands,
    Export,
    Doses,
    SettingsView,
    OpenApi,
)
"""Every view; a path without parameters comes before those that would match it, too."""

OpenApi.views = VIEWS


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register every view, once; what none of them knows is answered last."""
    for view in (*VIEWS, Unknown):
        hass.http.register_view(view())
