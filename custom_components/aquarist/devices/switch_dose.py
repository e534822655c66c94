"""One dose through a switch: on, volume / flow seconds, off, and off again until it is."""

import asyncio

from homeassistant.core import HomeAssistant

from .backing_entity import BackingEntity
from .device import Head
from .dosing_fields import check_volume
from .errors import DeviceError
from .fields import LEVEL, InvalidValue
from .level_adapters import FULL, OFF

_ON = {LEVEL: FULL}
_OFF = {LEVEL: OFF}
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
START_TIME = 5.0
OFF_TIME = 10.0


class SwitchDose:
    """A prepared dose. Once sent, it ends by itself whatever becomes of the caller."""

    lifetime: int | None = None

    def __init__(
        self, hass: HomeAssistant, entity: BackingEntity, head: Head, longest_run: float
    ) -> None:
        """Make ready; nothing is switched yet."""
        self.head = head
        self._hass = hass
        self._entity = entity
        self._longest_run = longest_run
        self._began = 0.0
        self._run: asyncio.Task[int | None] | None = None

    @property
    def running(self) -> bool:
        """Return whether the switch may be on because of this dose."""
        return self._run is not None and not self._run.done()

    async def send(self, volume: int) -> None:
        """Switch on; the way back to off is secured before that. Raises DeviceError, InvalidValue."""
        if self._run is not None:
            raise RuntimeError("a dose is sent once")
        check_volume(self.head, volume)
        seconds = volume / self.head.flow
        if seconds > self._longest_run:
            raise InvalidValue(
                "volume",
                "value_out_of_bounds",
                value=str(volume),
                maximum=str(int(self._longest_run * self.head.flow)),
            )
        loop = asyncio.get_running_loop()
        started: asyncio.Future[None] = loop.create_future()
        self._run = self._hass.async_create_background_task(
            self._deliver(volume, seconds, started), f"dose by {self._entity.entity_id}"
        )
        await asyncio.shield(started)

    async def finished(self) -> int | None:
        """Wait until the switch is off again and return the microlitres given."""
        if self._run is None:
            raise RuntimeError("the dose was not sent")
        return await asyncio.shield(self._run)

    async def ended_within(self, seconds: float) -> int | None:
        """Return what was given if the dose comes to its end in time, else None."""
        try:
            async with asyncio.timeout(seconds):
                return await self.finished()
        except TimeoutError:
            return None

    async def release(self) -> None:
        """Do nothing: a dose that was sent ends by itself."""

    async def cancel(self) -> None:
        """Give up waiting for off; for a device that is taken away."""
        if self._run is not None:
            self._run.cancel()
            await asyncio.gather(self._run, return_exceptions=True)

    async def _deliver(
        self, volume: int, seconds: float, started: asyncio.Future[None]
    ) -> int | None:
        """Switch on for so many seconds; None when it was never seen to be on."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(START_TIME):
                await self._entity.ask(_ON)
            self._began = loop.time()
            if not await self._entity.comes_to_show(_ON, min(seconds, START_TIME)):
                raise self._entity.not_confirmed(_ON)
        except (DeviceError, TimeoutError) as error:
            started.set_exception(_final(error))
            # Nobody may be waiting any more.
            started.exception()
            await self._switch_off()
            return None
        except asyncio.CancelledError:
            started.cancel()
            raise
        started.set_result(None)
        due = self._began + seconds
        early = await self._entity.comes_to_show(_OFF, due - loop.time())
        ran = loop.time() - self._began
        if await self._switch_off() and not early:
            return volume
        ran = ran if early else loop.time() - self._began
        return round(ran * self.head.flow)

    async def _switch_off(self) -> bool:
        """Switch off until off is seen; return whether the first try did it."""
        pause = FIRST_PAUSE
        tries = 1
        while True:
            try:
                async with asyncio.timeout(OFF_TIME):
                    await self._entity.set(_OFF)
            except DeviceError, TimeoutError:
                await self._entity.comes_to_show(_OFF, pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                tries += 1
            else:
                return tries == 1


def _final(error: DeviceError | TimeoutError) -> DeviceError:
    """Return the error of a start: it may yet take effect, so it is not tried again (law 3)."""
    if isinstance(error, DeviceError):
        return DeviceError(error.code, transient=False, **error.placeholders)
    return DeviceError("no_answer", transient=False)
