"""The REST views: one module a resource.

Home Assistant's own HTTP server with its tokens; what the views add is in `view.py`.
"""

from homeassistant.core import HomeAssistant, callback

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
from .view import View
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


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register every view, once; what none of them knows is answered last."""
    for view in (*VIEWS, Unknown):
        hass.http.register_view(view())
