"""One request, as its handler sees it: who asks, for which device, and with what."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import CAT_ENTITIES, POLICY_READ
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized

from ...commands.command import Source
from ...data import DATA_ENGINE
from ...engine.engine import Engine
from ...engine.intake import Origin
from ...engine.state import DeviceState
from ...frozen import frozen
from ..rights import may_read, require_control, sees
from ..targets import target


@frozen
class Call:
    """A request whose caller is known and whose query and body are valid."""

    hass: HomeAssistant
    request: web.Request
    user: User
    context: Context
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Mapping[str, Any]

    @property
    def engine(self) -> Engine:
        """Return the engine."""
        return self.hass.data[DATA_ENGINE]

    @property
    def origin(self) -> Origin:
        """Return on whose behalf something is asked for (R-C63)."""
        return Origin(source=Source.REST, user=self.user.id, context=self.context.id)

    def readable_device(
        self, reference: str | int, *, field: str = "device_id"
    ) -> DeviceState:
        """Return a device that the caller may see. Raises EngineError, Unauthorized."""
        device = target(self.hass, reference, field=field)
        if not may_read(self.hass, self.user, device):
            raise Unauthorized(
                context=self.context,
                permission=POLICY_READ,
                user_id=self.user.id,
                perm_category=CAT_ENTITIES,
            )
        return device

    async def controllable_device(
        self, reference: str | int, *, field: str = "device_id"
    ) -> DeviceState:
        """Return a device that the caller may change. Raises EngineError, Unauthorized."""
        device = target(self.hass, reference, field=field)
        await require_control(self.hass, self.context, [device])
        return device

    def sees(self, number: int) -> bool:
        """Return whether the caller may see a device by its number."""
        return sees(self.hass, self.user, number)
