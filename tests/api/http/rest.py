"""A client that tells what the views answer."""

from dataclasses import dataclass, field
from typing import Any

from aiohttp.test_utils import TestClient
from homeassistant.core import HomeAssistant

from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.devices.simulated import SimulatedPump
from tests.aquarium import device_named, engine_of

PUMP, SKIMMER, DOSER = "Return pump", "Skimmer", "Demo doser"
LEVEL = {"action": "set_level", "args": {"level": 30}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came back."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def error(self) -> tuple[int, str, str | None]:
        """Return status, machine word and field of an error."""
        assert set(self.body) == {"error_key", "error_message", "error_details"}
        assert self.body["error_message"] != self.body["error_key"]
        return (
            self.status,
            self.body["error_key"],
            self.body["error_details"].get("field"),
        )


class Rest:
    """Requests below `/api/aquarist`; every answer is JSON."""

    def __init__(self, client: TestClient[Any, Any]) -> None:
        """Take a client of the test server."""
        self.client = client

    async def ask(self, method: str, path: str, **how: Any) -> Answered:
        """Make a request."""
        async with self.client.request(
            method, f"/api/aquarist{path}", allow_redirects=False, **how
        ) as response:
            assert response.content_type == "application/json", await response.text()
            return Answered(
                status=response.status,
                body=await response.json(),
                headers=dict(response.headers),
            )

    async def get(self, path: str, **query: Any) -> Answered:
        """GET with a query."""
        return await self.ask("GET", path, params=query)

    async def post(self, path: str, body: Any) -> Answered:
        """POST a JSON body."""
        return await self.ask("POST", path, json=body)


def commands_of(hass: HomeAssistant, name: str, *more: str) -> str:
    """Return the path of a device's commands, or of something below."""
    uuid = device_named(hass, name).row.uuid
    return "/".join([f"/devices/{uuid}/commands", *more])


async def retired(hass: HomeAssistant, name: str) -> None:
    """Take a device out of use, as when its keeper removes it."""
    number = device_named(hass, name).row.number
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    devices = entry.runtime_data.devices
    for key in [key for key, one in devices.items() if one.row.number == number]:
        del devices[key]
    await engine_of(hass).equipment.retire(number)


def pump(hass: HomeAssistant) -> SimulatedPump:
    """Return the return pump as it really is."""
    found = device_named(hass, PUMP).device
    assert isinstance(found, SimulatedPump)
    return found


def level(hass: HomeAssistant) -> Any:
    """Return what the return pump really does."""
    return (pump(hass).observed("level") or {})["level"]
