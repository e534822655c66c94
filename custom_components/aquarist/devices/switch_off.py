"""Switches a dosing switch off, again and again until it is seen to be off."""

import asyncio
from functools import partial
from typing import Any

from homeassistant.core import HomeAssistant

from .backing_entity import BackingEntity
from .errors import DeviceError
from .fields import LEVEL
from .level import OFF

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
OFF_TIME = 10.0
_OFF = {LEVEL: OFF}


class SwitchOff:
    """One off at a time, which whoever wants it joins; it never gives up by itself."""

    def __init__(self, hass: HomeAssistant, entity: BackingEntity) -> None:
        """Do nothing yet."""
        self._hass = hass
        self._entity = entity
        self._task: asyncio.Task[int] | None = None
        self._failed: asyncio.Future[str] | None = None

    @property
    def running(self) -> bool:
        """Return whether off is wanted and was not seen yet."""
        return self._task is not None and not self._task.done()

    def start(self) -> asyncio.Task[int]:
        """Begin, or join what has begun; the task returns how many tries it took."""
        if self._task is None or self._task.done():
            self._failed = asyncio.get_running_loop().create_future()
            self._task = self._hass.async_create_background_task(
                self._until_off(self._failed), f"{self._entity.entity_id} off"
            )
        return self._task

    async def done(self) -> int:
        """Wait until it is seen to be off, and return how many tries that took."""
        return await asyncio.shield(self.start())

    async def attempted(self, within: float) -> str | None:
        """Return None once it is off, or why it is not yet; trying goes on all the same."""
        task = self.start()
        assert self._failed is not None
        either: list[asyncio.Future[Any]] = [task, self._failed]
        await asyncio.wait(either, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return None
        return self._failed.result() if self._failed.done() else "no_answer"

    async def cancel(self) -> None:
        """Give up; for a device that is taken away."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _until_off(self, failed: asyncio.Future[str]) -> int:
        """Switch off until off is seen; an entity that comes back is tried at once."""
        pause = FIRST_PAUSE
        tries = 1
        while (error := await self._try()) is not None:
            if not failed.done():
                failed.set_result(error)
            missing = self._entity.state is None
            await self._entity.comes_to(partial(self._back_or_off, missing), pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            tries += 1
        return tries

    async def _try(self) -> str | None:
        """Switch off once; return the error's code."""
        try:
            async with asyncio.timeout(OFF_TIME):
                await self._entity.insist(_OFF)
        except DeviceError as error:
            return error.code
        except TimeoutError:
            return "no_answer"
        return None

    def _back_or_off(self, missing: bool) -> bool:
        """Return whether there is a reason to try again before the pause is over."""
        back = missing and self._entity.state is not None
        return back or self._entity.shows(_OFF)
