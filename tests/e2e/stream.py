"""A stream of mixed commands from several clients at once, until nobody answers any more."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import aiohttp

from .instance import ApiError, Client
from .instance.client import Json, WebSocket

OK = 200
NOT_LOADED = "device_not_loaded"
HEADS = 3
PROGRAMMED = 3
"""The head that has a programme, which begins half a day from now."""
HALF_A_DAY = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What the stream goes to: ids of devices, and the resting level of the one held."""

    doser: str
    ramped: str
    held: str
    pump: str


@dataclass(slots=True, kw_only=True)
class Told:
    """What was acknowledged, by id: doses, other commands, write actions.

    What is to be done tomorrow is cancelled right away, unless a kill comes first.
    """

    doses: set[str] = field(default_factory=set)
    commands: set[str] = field(default_factory=set)
    windows: set[str] = field(default_factory=set)
    tomorrow: set[str] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)

    @property
    def ids(self) -> set[str]:
        """Return the ids of everything that is due by now."""
        return self.doses | self.commands | self.windows


class _NotYet(Exception):
    """Home Assistant has begun to answer, and not yet loaded the device."""


class Stream:
    """Several clients that go on asking until the server is gone."""

    def __init__(
        self, client: Client, targets: Targets, told: Told, chance: Random
    ) -> None:
        """Send to one Home Assistant; what it acknowledges goes to ``told``."""
        self._client = client
        self._targets = targets
        self._told = told
        self._chance = chance

    async def run(self, clients: int) -> None:
        """Go on until the server is gone."""
        async with self._client.websocket() as websocket:
            await asyncio.gather(
                *(self._ask(websocket, number) for number in range(clients))
            )

    async def _ask(self, websocket: WebSocket, number: int) -> None:
        """Be one client."""
        kinds: tuple[Callable[[WebSocket], Awaitable[None]], ...] = (
            self._dose_twice,
            self._level,
            self._level,
            self._programme,
            self._cancelled,
            self._window,
        )
        with suppress(aiohttp.ClientError, ApiError, ConnectionError):
            while True:
                # Each client begins with something else.
                with suppress(_NotYet):
                    await kinds[number % len(kinds)](websocket)
                number = self._chance.randrange(len(kinds))
                await asyncio.sleep(self._chance.uniform(0, 0.3))

    async def _dose_twice(self, websocket: WebSocket) -> None:
        """Ask for a dose over REST and over the WebSocket at once, with one id."""
        key = self._key()
        args = {
            "head_index": self._chance.randrange(HEADS),
            "volume_ml": self._chance.randint(2, 5) / 10,
        }
        answers = await asyncio.gather(
            self._rest(self._targets.doser, key, "dose", args),
            self._over(websocket, self._targets.doser, key, "dose", args),
            return_exceptions=True,
        )
        if any(isinstance(answer, dict) for answer in answers):
            self._told.doses.add(key)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer

    async def _level(self, websocket: WebSocket) -> None:
        """Set a level of the lamp or the pump."""
        device = self._chance.choice((self._targets.ramped, self._targets.pump))
        args = {"level": self._chance.randint(1, 100)}
        key = self._key()
        if self._chance.random() < 0.5:
            await self._rest(device, key, "set_level", args)
        else:
            await self._over(websocket, device, key, "set_level", args)
        self._told.commands.add(key)

    async def _programme(self, websocket: WebSocket) -> None:
        """Write a programme into the pump's memory."""
        key = self._key()
        args = {
            "head_index": PROGRAMMED,
            "volume_tenths_ml": self._chance.randint(1, 9),
            "hour": (datetime.now(UTC).hour + HALF_A_DAY) % 24,
            "minute": 0,
        }
        await self._over(websocket, self._targets.doser, key, "set_schedule", args)
        self._told.commands.add(key)

    async def _cancelled(self, websocket: WebSocket) -> None:
        """Ask for a dose tomorrow, and cancel it."""
        key = self._key()
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        await self._rest(
            self._targets.doser,
            key,
            "dose",
            {"head_index": 0, "volume_ml": 9.9},
            scheduled_at=tomorrow.isoformat(),
        )
        self._told.tomorrow.add(key)
        await self._request("DELETE", f"devices/{self._targets.doser}/commands/{key}")
        self._told.cancelled.add(key)

    async def _window(self, websocket: WebSocket) -> None:
        """Hold a level for a moment that begins in a moment."""
        key = self._key()
        start = datetime.now(UTC) + timedelta(seconds=self._chance.uniform(0.1, 1))
        end = start + timedelta(seconds=self._chance.uniform(0.5, 3))
        answer = await self._request(
            "PUT",
            "write_actions",
            {
                "action_id": key,
                "device_id": self._targets.held,
                "field_name": "level",
                "value": self._chance.randint(30, 100),
                "start_timestamp": start.isoformat(),
                "end_timestamp": end.isoformat(),
            },
        )
        assert "error" not in answer, answer
        self._told.windows.add(key)

    async def _rest(
        self, device: str, key: str, action: str, args: Mapping[str, Any], **more: Any
    ) -> Json:
        """Send a command over REST."""
        body = {"action": action, "args": args, "id": key, **more}
        return await self._request("POST", f"devices/{device}/commands", body)

    async def _over(
        self,
        websocket: WebSocket,
        device: str,
        key: str,
        action: str,
        args: Mapping[str, Any],
    ) -> Json:
        """Send a command over the WebSocket."""
        try:
            record: Json = await websocket.command(
                "aquarist/commands/create",
                device_id=device,
                action=action,
                args=args,
                command_id=key,
            )
        except ApiError as error:
            if error.code == NOT_LOADED:
                raise _NotYet from error
            raise
        return record

    async def _request(self, method: str, path: str, body: Json | None = None) -> Json:
        """Make a request that is answered well, or not at all any more."""
        status, answer = await requested(self._client, method, path, body)
        if status != OK and answer["error_key"] == NOT_LOADED:
            raise _NotYet
        assert status == OK, answer
        return answer

    def _key(self) -> str:
        """Return a new id."""
        return str(UUID(int=self._chance.getrandbits(128), version=4))


async def requested(
    client: Client, method: str, path: str, body: Json | None = None
) -> tuple[int, Any]:
    """Make a request to the REST interface; return status and body, whatever it is."""
    assert client.tokens is not None
    async with client.session.request(
        method,
        f"{client.address}/api/aquarist/{path}",
        json=body,
        headers={"Authorization": f"Bearer {client.tokens.access_token}"},
    ) as response:
        return response.status, await response.json()
