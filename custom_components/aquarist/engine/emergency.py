"""The emergency stop: latched, at once, and honest about what it could not confirm.

It is the one claim without an end of its own (law 4): it holds until somebody lets go.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from ..commands.command import Command
from ..commands.phases import HOLDING
from ..devices.device import StopReport
from ..devices.dosing_fields import DOSING_ALLOWED
from ..devices.errors import DeviceError
from ..frozen import frozen
from ..layers.claims import Layer
from ..layers.setting import Setting
from ..limits.refusal import Refusal
from ..store import settings
from .arbiter import Arbiter
from .changes import DeviceChanged
from .ground import Ground
from .intake import DOSERS
from .levels import Levels
from .pulses import Pulses
from .state import DeviceState, FieldState

ACTION = "emergency_stop"
CONFIRM_SECONDS = 5.0
NO_SAFE_VALUE = "no_safe_value"
AWAITED = "emergency_stop_awaited"


@frozen
class DeviceStopped:
    """What an emergency stop came to at one device."""

    device: int
    confirmed: bool
    detail: str


class Emergency:
    """Stops devices and keeps them stopped."""

    def __init__(
        self, ground: Ground, arbiter: Arbiter, levels: Levels, pulses: Pulses
    ) -> None:
        """Act through the arbiter's claims and the queues' stop lane."""
        self._arbiter = arbiter
        self._levels = levels
        self._pulses = pulses
        self._records = ground.records
        self._journal = ground.journal
        self._announcer = ground.announcer
        self._devices = ground.devices
        self._awaited: frozenset[int] = frozenset()

    def load(self, numbers: Iterable[int]) -> None:
        """Take up which devices are to be stopped as soon as they come."""
        self._awaited = frozenset(numbers) & self._devices.keys()

    @property
    def stopped(self) -> frozenset[int]:
        """Return the numbers of the devices that are held, or will be once they come."""
        return self._awaited | {command.device for command in self._holding()}

    def latched(self, device: DeviceState) -> bool:
        """Return whether a device is held by an emergency stop."""
        return device.row.number in self.stopped

    async def attached(self, device: DeviceState) -> None:
        """Stop a device whose fields nobody knew when everything was stopped."""
        if device.row.number in self._awaited:
            # Killed between the two it is awaited still.
            self._latch(device, None, None)
            self._await(self._awaited - {device.row.number})
            await self._stop(device)

    async def stop(
        self,
        aquarium: str | None,
        *,
        user: str | None = None,
        context: str | None = None,
    ) -> list[DeviceStopped]:
        """Stop the devices of an aquarium, or all, at the same time and keep them stopped."""
        chosen = self._of_aquarium(aquarium)
        unknown = {one.row.number for one in chosen if not one.fields}
        self._await(self._awaited | unknown)
        for device in chosen:
            self._latch(device, user, context)
        return list(await asyncio.gather(*(self._stop(one) for one in chosen)))

    def release(self, aquarium: str | None) -> int:
        """Let the devices of an aquarium go, or all; returns how many holds that were."""
        return self.let_go(self._of_aquarium(aquarium))

    def let_go(self, devices: Iterable[DeviceState]) -> int:
        """Give every field back to what should hold now; returns how many were held."""
        numbers = {device.row.number for device in devices}
        held = [one for one in self._holding() if one.device in numbers]
        for command in held:
            self._arbiter.release(command)
        awaited = self._awaited & numbers
        self._await(self._awaited - awaited)
        return len(held) + len(awaited)

    async def end_dose(
        self, device: DeviceState, because: Refusal | None = None
    ) -> DeviceStopped:
        """End the dose that a device gives, without holding it afterwards.

        ``because`` of a rule that forbids it, if that is so.
        """
        self._pulses.stop_deliveries(device, because)
        return await self._in_time(device, lambda: _stopped(device))

    def _of_aquarium(self, aquarium: str | None) -> list[DeviceState]:
        """Return the devices of an aquarium, or all."""
        return [
            device
            for device in self._devices.values()
            if aquarium is None or device.row.aquarium == aquarium
        ]

    def _await(self, numbers: frozenset[int]) -> None:
        """Keep which devices are to be stopped as soon as they come, also on disk."""
        changed = numbers ^ self._awaited
        if not changed:
            return
        self._awaited = numbers
        self._journal.record(
            lambda connection: settings.put(connection, AWAITED, sorted(numbers))
        )
        for number in changed:
            self._announcer.announce(DeviceChanged(device=number))

    def _holding(self) -> list[Command]:
        """Return the commands by which a stop holds a field, not those being let go."""
        holding = (
            command
            for command in self._records.unsettled
            if command.action == ACTION and command.phase in HOLDING
        )
        return sorted(holding, key=lambda command: command.order)

    def _latch(
        self, device: DeviceState, user: str | None, context: str | None
    ) -> None:
        """Claim what must not go on: dosing always, levels where a safe one is known."""
        for state in device.fields.values():
            setting = _safe(device, state)
            if setting is None or any(
                claim.layer is Layer.SAFETY and self._is_stop(claim.id)
                for claim in state.claims.values()
            ):
                continue
            self._arbiter.impose(
                device,
                state,
                setting,
                Layer.SAFETY,
                action=ACTION,
                ends_at=None,
                user=user,
                context=context,
            )

    def _is_stop(self, key: str) -> bool:
        """Return whether a claim is that of an emergency stop."""
        command = self._records.current(key)
        return command is not None and command.action == ACTION

    async def _stop(self, device: DeviceState) -> DeviceStopped:
        """Run the stop lane of one device."""
        self._pulses.stop_deliveries(device)

        async def act() -> StopReport:
            port = device.device
            if port is None:
                return StopReport(confirmed=False, detail="device_not_loaded")
            held = [
                state
                for state in device.fields.values()
                if _safe(device, state) is not None
            ]
            if not held:
                # Nobody knows what is safe here: an alarm, and no change (design 1.4).
                return StopReport(confirmed=False, detail=NO_SAFE_VALUE)
            report = StopReport(confirmed=True, detail="stopped")
            if port.kind in DOSERS:
                report = await port.stop()
            try:
                await self._levels.push(device, held)
            except DeviceError as error:
                return StopReport(confirmed=False, detail=error.code)
            return report

        return await self._in_time(device, act)

    async def _in_time(
        self, device: DeviceState, act: Callable[[], Awaitable[StopReport]]
    ) -> DeviceStopped:
        """Run the stop lane of a device and report; it answers within a bounded time."""
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                report = await device.queue.stop(act)
        except TimeoutError:
            report = StopReport(confirmed=False, detail="no_answer")
        return DeviceStopped(
            device=device.row.number,
            confirmed=report.confirmed,
            detail=report.detail,
        )


async def _stopped(device: DeviceState) -> StopReport:
    """Have the hardware stop, if there is any."""
    if device.device is None:
        return StopReport(confirmed=False, detail="device_not_loaded")
    return await device.device.stop()


def _safe(device: DeviceState, state: FieldState) -> Setting | None:
    """Return the safe setting of a field; None means that only an alarm is raised."""
    if state.name.startswith(DOSING_ALLOWED):
        return {state.name: False}
    return device.limits.safe.get(state.name)
