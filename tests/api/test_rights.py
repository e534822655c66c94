"""Who may do what, alike over services, WebSocket and REST (design 7, R-C32).

Four callers: an administrator, a user, a user without rights on that device, nobody.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from homeassistant.auth.const import GROUP_ID_ADMIN, GROUP_ID_USER
from homeassistant.auth.models import Group, User
from homeassistant.const import Platform
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.aquarist.const import DOMAIN
from tests.aquarium import aquarium, device_named, engine_of

PUMP, SKIMMER = "Return pump", "Skimmer"
ALLOWED, FORBIDDEN, NOT_SIGNED_IN = "allowed", "forbidden", "not signed in"
CALLERS = ("administrator", "user", "stranger to the device", "nobody")
type Ask = Callable[..., Awaitable[str]]


@pytest.fixture(autouse=True)
async def demo(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[None]:
    """Set the demo aquarium up, with a finished command at the pump."""
    platforms = (Platform.NUMBER, Platform.SWITCH, Platform.LIGHT)
    async with aquarium(hass, tmp_path, *platforms, demo=True):
        await hass.services.async_call(
            DOMAIN,
            "send_command",
            {
                "device_id": device_named(hass, PUMP).row.uuid,
                "action": "request_status",
                "id": "done",
                "execution": "sync",
            },
            blocking=True,
        )
        yield


@pytest.fixture(params=CALLERS)
async def caller(
    hass: HomeAssistant, request: pytest.FixtureRequest
) -> tuple[str, User | None]:
    """Give each caller in turn."""
    if request.param == "nobody":
        return request.param, None
    # The first user of all is the owner, who may do everything.
    await hass.auth.async_create_user("Owner", group_ids=[GROUP_ID_ADMIN])
    group = GROUP_ID_ADMIN if request.param == "administrator" else GROUP_ID_USER
    user = await hass.auth.async_create_user("Caller", group_ids=[group])
    if request.param == "stranger to the device":
        theirs = device_named(hass, SKIMMER).row.uuid
        entities = {
            entry.entity_id: True
            for entry in er.async_get(hass).entities.values()
            if entry.unique_id.startswith(theirs)
        }
        assert entities
        user.groups = [Group(name="One", policy={"entities": {"entity_ids": entities}})]
    return request.param, user


async def by_service(
    hass: HomeAssistant, user: User | None, service: str, data: dict[str, Any]
) -> str:
    """Call a service. Without a user it is Home Assistant itself that calls."""
    assert user is not None
    try:
        await hass.services.async_call(
            DOMAIN,
            service,
            data,
            blocking=True,
            return_response=True,
            context=Context(user_id=user.id),
        )
    except Unauthorized:
        return FORBIDDEN
    return ALLOWED


@pytest.fixture
async def token(hass: HomeAssistant, caller: tuple[str, User | None]) -> str | None:
    """Return the caller's token."""
    user = caller[1]
    if user is None:
        return None
    refresh = await hass.auth.async_create_refresh_token(user, "https://client")
    return hass.auth.async_create_access_token(refresh)


@pytest.fixture
async def over_rest(
    token: str | None,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> Ask:
    """Return what makes a request and tells whether it was allowed."""
    client = await (hass_client(token) if token else hass_client_no_auth())

    async def ask(method: str, path: str, body: object = None) -> str:
        answer = await client.request(method, f"/api/aquarist{path}", json=body)
        words = {200: ALLOWED, 403: FORBIDDEN, 401: NOT_SIGNED_IN}
        return words[answer.status]

    return ask


@pytest.fixture
async def over_websocket(
    hass: HomeAssistant, token: str | None, hass_ws_client: WebSocketGenerator
) -> Ask:
    """Return what sends a message and tells whether it was allowed."""
    client = await hass_ws_client(hass, token) if token else None

    async def ask(kind: str, **message: Any) -> str:
        if client is None:
            return NOT_SIGNED_IN
        await client.send_json_auto_id({"type": f"aquarist/{kind}", **message})
        answer = await client.receive_json()
        if answer["success"]:
            return ALLOWED
        assert answer["error"]["code"] == "unauthorized", answer
        return FORBIDDEN

    return ask


CONTROL = {
    "administrator": ALLOWED,
    "user": ALLOWED,
    "stranger to the device": FORBIDDEN,
    "nobody": NOT_SIGNED_IN,
}
CONFIGURE = CONTROL | {"user": FORBIDDEN}


async def test_whoever_may_control_a_device_sends_to_it(
    hass: HomeAssistant,
    caller: tuple[str, User | None],
    over_rest: Ask,
    over_websocket: Ask,
) -> None:
    """Sending, repeating and cancelling need the right to control its entities."""
    name, user = caller
    device = device_named(hass, PUMP).row
    wanted = CONTROL[name]
    content = {"action": "request_status"}
    path = f"/devices/{device.uuid}/commands"
    before = len(await engine_of(hass).history.recent(None, 50))

    assert await over_rest("POST", path, content) == wanted
    assert await over_rest("POST", f"{path}/done/rerun") == wanted
    known = {"device_id": device.uuid}
    assert await over_websocket("commands/create", **known, **content) == wanted
    repeat = await over_websocket("commands/rerun", **known, command_id="done")
    assert repeat == wanted
    if user is not None:
        assert await by_service(hass, user, "send_command", known | content) == wanted
        again = known | {"id": "done"}
        assert await by_service(hass, user, "rerun_command", again) == wanted

    made = len(await engine_of(hass).history.recent(None, 50)) - before
    assert made == (6 if wanted is ALLOWED else 0)


async def test_whoever_may_not_control_a_device_cancels_nothing(
    hass: HomeAssistant,
    caller: tuple[str, User | None],
    over_rest: Ask,
    over_websocket: Ask,
) -> None:
    """What waits for later goes on waiting, unless its sender's device is the caller's."""
    name, user = caller
    device = device_named(hass, PUMP)
    later = engine_of(hass).clock.now().timestamp() + 3600
    for command_id in ("by rest", "by websocket", "by service"):
        await hass.services.async_call(
            DOMAIN,
            "send_command",
            {
                "device_id": device.row.uuid,
                "action": "turn_off",
                "id": command_id,
                "scheduled_at": later,
            },
            blocking=True,
        )
    wanted = CONTROL[name]
    known = {"device_id": device.row.uuid}

    path = f"/devices/{device.row.uuid}/commands"
    assert await over_rest("DELETE", f"{path}/by%20rest") == wanted
    sent = await over_websocket("commands/cancel", **known, command_id="by websocket")
    assert sent == wanted
    if user is not None:
        data = known | {"id": "by service"}
        assert await by_service(hass, user, "cancel_command", data) == wanted

    waiting = {one.id for one in engine_of(hass).records.open}
    assert len(waiting) == (0 if wanted is ALLOWED else 3)


async def test_whoever_may_see_a_device_reads_its_commands(
    hass: HomeAssistant,
    caller: tuple[str, User | None],
    over_rest: Ask,
    over_websocket: Ask,
) -> None:
    """Lists of all devices leave out what the caller may not see."""
    name, user = caller
    uuid = device_named(hass, PUMP).row.uuid
    wanted = CONTROL[name]
    own = NOT_SIGNED_IN if name == "nobody" else ALLOWED

    assert await over_rest("GET", f"/devices/{uuid}/commands") == wanted
    assert await over_rest("GET", f"/devices/{uuid}/commands/done") == wanted
    assert await over_rest("GET", f"/doses?device_id={uuid}&head_index=0") == wanted
    assert await over_rest("GET", "/commands") == own
    assert await over_rest("GET", "/commands/export") == own
    known = {"device_id": uuid}
    assert await over_websocket("commands/list", **known) == wanted
    assert await over_websocket("commands/get", **known, command_id="done") == wanted
    assert await over_websocket("commands/list") == own
    if user is not None:
        answer = await hass.services.async_call(
            DOMAIN,
            "export_audit",
            {},
            blocking=True,
            return_response=True,
            context=Context(user_id=user.id),
        )
        assert answer is not None
        assert isinstance(answer["commands"], list)
        assert len(answer["commands"]) == (1 if wanted is ALLOWED else 0)


async def test_whoever_administers_changes_settings(
    hass: HomeAssistant,
    caller: tuple[str, User | None],
    over_rest: Ask,
    over_websocket: Ask,
) -> None:
    """Control of devices is not enough."""
    name, user = caller
    wanted = CONFIGURE[name]

    assert await over_rest("PATCH", "/v1/settings", {"rate_limit": 11}) == wanted
    assert await over_rest("GET", "/v1/settings") == wanted
    change = {"settings": {"rate_limit": 12}}
    assert await over_websocket("settings/update", **change) == wanted
    assert await over_websocket("settings/get") == wanted
    if user is not None:
        data = {"rate_limit": 13}
        assert await by_service(hass, user, "set_settings", data) == wanted

    changed = engine_of(hass).live_settings.current.rate_limit
    assert changed == (13 if wanted is ALLOWED else 10)


async def test_home_assistant_itself_may_do_all(hass: HomeAssistant) -> None:
    """An automation has no user: who made it had to be an administrator."""
    data = {"device_id": device_named(hass, PUMP).row.uuid, "id": "done"}
    for service, content in (
        ("rerun_command", data),
        ("export_audit", {}),
        ("set_settings", {"rate_limit": 11}),
    ):
        answer = await hass.services.async_call(
            DOMAIN, service, content, blocking=True, return_response=True
        )
        assert answer
