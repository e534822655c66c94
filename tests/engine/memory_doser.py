"""A doser in memory: it gives what the test lets it give, and fails when it is told to."""

import asyncio
from collections.abc import Callable, Mapping
from typing import override

from custom_components.aquarist.devices.device import DeviceKind, Head, StopReport
from custom_components.aquarist.devices.dosing_fields import allowed_fields
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.observable import ObservableDevice
from custom_components.aquarist.layers.setting import Setting


class MemoryDose:
    """A prepared dose."""

    def __init__(self, doser: MemoryDoser, head: int) -> None:
        """Read the counter."""
        self.lifetime: int | None = doser.lifetime[head] if doser.counts else None
        self._doser = doser
        self._head = head
        self.ended: asyncio.Future[int | None] = (
            asyncio.get_running_loop().create_future()
        )

    async def send(self, volume: int) -> None:
        """Let the pump hear it, and deliver at once unless the doser is slow."""
        if self._doser.sending is not None:
            await self._doser.sending.wait()
        if self._doser.send_errors:
            raise self._doser.send_errors.pop(0)
        self._doser.sent.append((self._head, volume))
        self._doser.under_way.append(self)
        if not self._doser.slow:
            self.give(volume)

    def give(self, volume: int | None) -> None:
        """Bring the dose to its end with what was given, None when nobody can tell."""
        if volume is not None:
            self._doser.lifetime[self._head] += volume
        if not self.ended.done():
            self.ended.set_result(volume)

    async def finished(self) -> int | None:
        """Wait for the end."""
        return await self.ended

    async def release(self) -> None:
        """Let go."""
        if not self.ended.done():
            self.ended.set_result(None)


class MemoryDoser(ObservableDevice):
    """Two heads of 1 mL a second; ``slow`` doses end only by `MemoryDose.give`."""

    ACTIONS = {"request_status": ()}

    def __init__(self, name: str = "Doser") -> None:
        """Start idle."""
        self.heads = tuple(
            Head(index=index, name=f"{index}", flow=1000, minimum=100, maximum=50_000)
            for index in range(2)
        )
        fields = {field.name: field for field in allowed_fields(self.heads)}
        super().__init__(
            uuid=f"uuid-{name}",
            kind=DeviceKind.CHIHIROS_DOSER,
            name=name,
            fields=fields,
        )
        for field in fields:
            self._know(field, {field: True})
        self.available = True
        self.slow = False
        self.counts = True
        self.stops = True
        self.lifetime = [0, 0]
        self.sent: list[tuple[int, int]] = []
        self.under_way: list[MemoryDose] = []
        self.sending: asyncio.Event | None = None
        self.connecting: asyncio.Event | None = None
        self.preparing: asyncio.Event | None = None
        self.send_errors: list[Exception] = []
        self.prepare_errors: list[Exception] = []
        self.asked = 0
        self.stopped = 0

    @property
    def may_run(self) -> bool:
        """Return whether a switch would be on."""
        return bool(self.under_way)

    async def prepare(self, head: int) -> MemoryDose:
        """Make ready for a dose."""
        if self.prepare_errors:
            raise self.prepare_errors.pop(0)
        if self.preparing is not None:
            await self.preparing.wait()
        return MemoryDose(self, head)

    async def run(
        self, action: str, args: Mapping[str, object], last_word: Callable[[], None]
    ) -> Mapping[str, object] | None:
        """Connect, which may take its time, and run as `perform` does."""
        if self.connecting is not None:
            await self.connecting.wait()
        last_word()
        return await self.perform(action, args)

    async def apply(self, settings: Mapping[str, Setting]) -> None:
        """Have nothing to send."""

    async def stop(self) -> StopReport:
        """End what is under way; a pump that does not stop says so."""
        if not self.stops:
            return StopReport(confirmed=False, detail="out_of_range")
        for dose in self.under_way:
            dose.give(500)
        self.under_way.clear()
        self.stopped += 1
        return StopReport(confirmed=True, detail="stopped")

    @override
    async def perform(
        self, action: str, args: Mapping[str, object]
    ) -> Mapping[str, object] | None:
        """Tell the counters."""
        self.check_action(action, args)
        self.asked += 1
        if not self.counts:
            raise DeviceError("no_answer", transient=False)
        self.tell()
        return {}

    def tell(self) -> None:
        """Report the lifetime counters."""
        self._tell_counters(dict(enumerate(self.lifetime)), {})
