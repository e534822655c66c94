"""A small client of Home Assistant's REST and WebSocket interfaces."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import aiohttp

from .seed import User

type Json = dict[str, Any]
FORBIDDEN = 403


class FlowError(Exception):
    """A flow asked something else, or ended otherwise, than its answers foresee."""


class ApiError(Exception):
    """Home Assistant refused a command; `code` is its machine word."""

    def __init__(self, code: str, message: str) -> None:
        """Keep both words."""
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a sign-in gives; a browser's `hassTokens` needs both."""

    access_token: str
    refresh_token: str
    expires_in: int


class Client:
    """Requests to one Home Assistant, as its owner once signed in."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        """Take the session, which the caller closes, and the address without a slash."""
        self.session = session
        self.address = address
        self.client_id = f"{address}/"
        self.tokens: Tokens | None = None

    async def sign_in(self, user: User) -> Tokens:
        """Make the owner on the first start, else sign in with the password."""
        try:
            answer = await self._post_open(
                "/api/onboarding/users",
                {
                    "name": user.name,
                    "username": user.username,
                    "password": user.password,
                    "client_id": self.client_id,
                    "language": "en",
                },
            )
            code = answer["auth_code"]
        except aiohttp.ClientResponseError as error:
            # Once onboarding is done, its views are gone or refuse.
            if error.status not in (FORBIDDEN, 404):
                raise
            code = await self._code_by_password(user)
        self.tokens = await self._tokens(code)
        return self.tokens

    async def get(self, path: str) -> Any:
        """Return the answer of GET /api/`path`."""
        return await self._request("GET", path)

    async def post(self, path: str, data: Any = None) -> Any:
        """Return the answer of POST /api/`path` with a JSON body."""
        return await self._request("POST", path, data)

    async def delete(self, path: str) -> Any:
        """Return the answer of DELETE /api/`path`."""
        return await self._request("DELETE", path)

    async def state(self, entity_id: str) -> Json:
        """Return state and attributes of an entity."""
        state: Json = await self.get(f"states/{entity_id}")
        return state

    async def call(
        self, domain: str, service: str, data: Mapping[str, Any] | None = None
    ) -> Any:
        """Call a service and wait for its end."""
        return await self.post(f"services/{domain}/{service}", dict(data or {}))

    async def ask(self, domain: str, service: str, data: Mapping[str, Any]) -> Json:
        """Call a service that answers; return its response."""
        path = f"services/{domain}/{service}?return_response"
        answer: Json = await self.post(path, dict(data))
        response: Json = answer["service_response"]
        return response

    async def entries(self, domain: str) -> list[Json]:
        """Return the config entries of a domain."""
        path = f"config/config_entries/entry?domain={domain}"
        entries: list[Json] = await self.get(path)
        return entries

    async def flow(self, handler: str, answers: Mapping[str, Json]) -> Json:
        """Start a config flow and answer each step by its id; return the result."""
        first = await self.post("config/config_entries/flow", {"handler": handler})
        return await self._walk("config/config_entries/flow", first, answers)

    async def go_on(self, flow_id: str, answers: Mapping[str, Json]) -> Json:
        """Answer the steps of a config flow that waits, such as a discovery."""
        first = await self.get(f"config/config_entries/flow/{flow_id}")
        return await self._walk("config/config_entries/flow", first, answers)

    async def options(self, entry_id: str, answers: Mapping[str, Json]) -> Json:
        """Walk through the options of an entry."""
        path = "config/config_entries/options/flow"
        first = await self.post(path, {"handler": entry_id})
        return await self._walk(path, first, answers)

    async def subentry(
        self, entry_id: str, kind: str, answers: Mapping[str, Json]
    ) -> Json:
        """Add a subentry to an entry."""
        path = "config/config_entries/subentries/flow"
        first = await self.post(path, {"handler": [entry_id, kind]})
        return await self._walk(path, first, answers)

    async def discoveries(self, domain: str) -> list[Json]:
        """Return the flows of a domain that wait for the keeper."""
        async with self.websocket() as websocket:
            flows = await websocket.command("config_entries/flow/progress")
        return [flow for flow in flows if flow["handler"] == domain]

    @asynccontextmanager
    async def websocket(self) -> AsyncIterator[WebSocket]:
        """Open an authenticated WebSocket."""
        assert self.tokens is not None
        async with self.session.ws_connect(
            f"{self.address}/api/websocket", max_msg_size=0
        ) as connection:
            await connection.receive_json()
            await connection.send_json(
                {"type": "auth", "access_token": self.tokens.access_token}
            )
            answer = await connection.receive_json()
            if answer["type"] != "auth_ok":
                raise ApiError(answer["type"], answer.get("message", ""))
            websocket = WebSocket(connection)
            reader = asyncio.create_task(websocket.read())
            try:
                yield websocket
            finally:
                reader.cancel()
                with suppress(asyncio.CancelledError):
                    await reader

    async def _walk(self, path: str, step: Json, answers: Mapping[str, Json]) -> Json:
        """Answer step by step until the flow ends; raises FlowError when it cannot."""
        while step["type"] in ("form", "menu"):
            if step.get("errors") or step["step_id"] not in answers:
                raise FlowError(f"no answer for {step}")
            answer = answers[step["step_id"]]
            step = await self.post(f"{path}/{step['flow_id']}", answer)
        if step["type"] != "create_entry":
            raise FlowError(f"ended otherwise: {step}")
        return step

    async def _request(self, method: str, path: str, data: Any = None) -> Any:
        """Make an authenticated request; raises ClientResponseError on refusal."""
        assert self.tokens is not None
        async with self.session.request(
            method,
            f"{self.address}/api/{path}",
            json=data,
            headers={"Authorization": f"Bearer {self.tokens.access_token}"},
        ) as response:
            if not response.ok:
                raise aiohttp.ClientResponseError(
                    response.request_info,
                    response.history,
                    status=response.status,
                    message=await response.text(),
                )
            return await response.json()

    async def _post_open(self, path: str, data: Json) -> Json:
        """POST without a token."""
        async with self.session.post(self.address + path, json=data) as response:
            response.raise_for_status()
            answer: Json = await response.json()
            return answer

    async def _code_by_password(self, user: User) -> str:
        """Return an authorisation code for name and password."""
        flow = await self._post_open(
            "/auth/login_flow",
            {
                "client_id": self.client_id,
                "handler": ["homeassistant", None],
                "redirect_uri": self.client_id,
            },
        )
        answer = await self._post_open(
            f"/auth/login_flow/{flow['flow_id']}",
            {
                "client_id": self.client_id,
                "username": user.username,
                "password": user.password,
            },
        )
        code: str = answer["result"]
        return code

    async def _tokens(self, code: str) -> Tokens:
        """Trade an authorisation code for tokens."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": self.client_id,
        }
        async with self.session.post(
            f"{self.address}/auth/token", data=form
        ) as response:
            response.raise_for_status()
            answer: Json = await response.json()
        return Tokens(
            access_token=answer["access_token"],
            refresh_token=answer["refresh_token"],
            expires_in=answer["expires_in"],
        )


class WebSocket:
    """Commands and subscriptions on one authenticated connection."""

    def __init__(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        """Take a connection that has been authenticated."""
        self._connection = connection
        self._last_id = 0
        self._results: dict[int, asyncio.Future[Any]] = {}
        self._events: dict[int, asyncio.Queue[Any]] = {}

    async def command(self, kind: str, **fields: Any) -> Any:
        """Send a command; return its result or raise ApiError."""
        _, result = await self._send(kind, fields, events=None)
        return result

    async def subscribe(self, kind: str, **fields: Any) -> asyncio.Queue[Any]:
        """Send a subscribing command; return the queue that its events fill."""
        events: asyncio.Queue[Any] = asyncio.Queue()
        await self._send(kind, fields, events=events)
        return events

    async def read(self) -> None:
        """Hand out what arrives, until the connection ends; then nobody waits on."""
        async for message in self._connection:
            self._hand_out(message.json())
        for result in self._results.values():
            if not result.done():
                result.set_exception(ApiError("closed", "the connection ended"))

    async def _send(
        self, kind: str, fields: Json, *, events: asyncio.Queue[Any] | None
    ) -> tuple[int, Any]:
        """Send one message and wait for its result."""
        self._last_id += 1
        number = self._last_id
        result = asyncio.get_running_loop().create_future()
        self._results[number] = result
        if events is not None:
            self._events[number] = events
        await self._connection.send_json({"id": number, "type": kind, **fields})
        return number, await result

    def _hand_out(self, message: Json) -> None:
        """Give a result or an event to the one who waits for it."""
        number = message["id"]
        if message["type"] == "event":
            if number in self._events:
                self._events[number].put_nowait(message["event"])
            return
        result = self._results.pop(number, None)
        if result is None or result.done():
            return
        if message.get("success", True):
            result.set_result(message.get("result"))
        else:
            error = message["error"]
            result.set_exception(ApiError(error["code"], error["message"]))
