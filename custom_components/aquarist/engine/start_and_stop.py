"""Safe values for the start and the stop of Home Assistant (issue 4, design 6).

While nobody rules a device it is where its keeper wants it then: before the plan has taken
over, and while Home Assistant is not there. Both are claims of the highest rank that pass:
what a device rests on is not touched, and comes back once the plan has taken over.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
import logging
from typing import Any

from ..commands.command import Command, ErrorCode
from ..commands.phases import HOLDING, Phase
from ..devices.device import DeviceKind
from ..devices.errors import DeviceError
from ..layers.claims import Layer
from ..layers.setting import Setting
from ..store.errors import StoreError
from .arbiter import Arbiter
from .changes import Change, DeviceChanged
from .claims import AT_SHUTDOWN, AT_START, is_passing, lasting
from .errors import EngineError
from .ground import Ground
from .levels import Levels
from .state import DeviceState, FieldState

_LOGGER = logging.getLogger(__name__)

KIND = "plan_takes_over"
CATCH_UP = 5.0
"""Seconds from the start in which what was missed is caught up with."""
WRITE_WITHIN = 10.0
RECORDED_WITHIN = 2.0
START_LASTS = 15 * 60.0
SHUTDOWN_LASTS = 24 * 60 * 60.0


class StartAndStop:
    """Brings devices to their levels for the start and for the stop."""

    def __init__(
        self,
        ground: Ground,
        arbiter: Arbiter,
        levels: Levels,
        *,
        end_dose: Callable[[DeviceState], Awaitable[object]],
        background: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        """Hear of devices that come before the start."""
        self._clock = ground.clock
        self._agenda = ground.agenda
        self._journal = ground.journal
        self._records = ground.records
        self._devices = ground.devices
        self._memory = ground.memory
        self._arbiter = arbiter
        self._levels = levels
        self._end_dose = end_dose
        self._background = background
        self._started = False
        ground.agenda.on(KIND, self._plan_takes_over)
        ground.announcer.listen(self._heard, DeviceChanged)

    def start(self) -> None:
        """Let everything go once the plan has had its time to catch up."""
        self._started = True
        self._agenda.put_elapsed(KIND, None, CATCH_UP)

    async def shut_down(self) -> None:
        """Leave behind what is safe without us, within a bounded time (design 6).

        Dosing switches go off first: a pump with a mind of its own ends its dose by itself,
        a switch would stay on.
        """
        switched = [
            device
            for device in self._devices.values()
            if device.row.kind == DeviceKind.DOSER
        ]
        running = [one for one in switched if one.busy_heads or one.may_run]
        # What is due from now on is for the next engine: nobody would switch it off again.
        await asyncio.gather(*(device.queue.close() for device in switched))
        await asyncio.gather(*map(self._end_dose, running))
        held = [
            (device, fields)
            for device in self._devices.values()
            if (fields := self._hold_at_shutdown(device))
        ]
        if held:
            await self._recorded()
        await asyncio.gather(*(self._write(*one) for one in held))

    def _heard(self, change: Change) -> None:
        """Bring a device that came before the start to its level for it.

        With a locked store nothing would bring it back: it is left as it is.
        """
        if self._started or self._journal.locked:
            return
        assert isinstance(change, DeviceChanged)
        device = self._devices.get(change.device)
        if device is None or device.device is None:
            return
        self._hold_at_start(device)
        held = [state for state in device.fields.values() if self._passing(state)]
        if held and device.available:
            self._background(self._write(device, held))

    def _plan_takes_over(self, key: Hashable, now: datetime) -> None:
        """Let go of everything: each field goes to what should hold now."""
        for command in self._records.open:
            if is_passing(command) and command.phase in HOLDING:
                self._arbiter.release(command)

    def _hold_at_start(self, device: DeviceState) -> None:
        """Claim the fields that have a level for the start, where nothing else holds them."""
        for state, setting in self._chosen(device, device.limits.at_start):
            passing = self._passing(state)
            begun = any(older.action == AT_START for older in passing)
            if begun or len(passing) < len(state.claims) or state.waiting:
                continue
            self._claim(device, state, setting, AT_START, START_LASTS)
            for older in passing:
                self._arbiter.withdraw(
                    older,
                    Phase.STOPPED,
                    ErrorCode.SUPERSEDED,
                    "superseded",
                    bring_back=False,
                )

    def _hold_at_shutdown(self, device: DeviceState) -> list[FieldState]:
        """Claim the fields that have a level for the stop; return them.

        What safety holds already is where it should be.
        """
        chosen = self._chosen(device, device.limits.at_shutdown)
        if device.device is None or not chosen:
            return []
        # Nothing else begins there any more, nor the level before its claim is on disk.
        device.queue.hold()
        held = []
        for state, setting in chosen:
            passing = {command.key for command in self._passing(state)}
            if not any(
                claim.layer is Layer.SAFETY and key not in passing
                for key, claim in state.claims.items()
            ):
                self._claim(device, state, setting, AT_SHUTDOWN, SHUTDOWN_LASTS)
                held.append(state)
        return held

    def _chosen(
        self, device: DeviceState, settings: Mapping[str, Setting]
    ) -> list[tuple[FieldState, Setting]]:
        """Return the fields of a device that a level was chosen for.

        None while a lamp follows its own memory: it looks after itself.
        """
        if self._memory.follows(device.row.number):
            return []
        return [
            (state, setting)
            for name, setting in settings.items()
            if (state := device.fields.get(name)) is not None
        ]

    def _claim(
        self,
        device: DeviceState,
        state: FieldState,
        setting: Setting,
        action: str,
        seconds: float,
    ) -> None:
        """Hold a field for so long at most."""
        self._arbiter.impose(
            device,
            state,
            setting,
            Layer.SAFETY,
            action=action,
            ends_at=self._clock.now() + timedelta(seconds=seconds),
            args=lasting(self._clock, seconds),
        )

    def _passing(self, state: FieldState) -> list[Command]:
        """Return the commands of this room that hold a field."""
        known = map(self._records.current, state.claims)
        return [command for command in known if is_passing(command)]

    async def _recorded(self) -> None:
        """Wait until it is on disk what comes back after the start (law 2).

        A store that refuses does not keep a device from its level: that is the safe side.
        """
        with suppress(StoreError, EngineError, TimeoutError):
            async with asyncio.timeout(RECORDED_WITHIN):
                await self._journal.commit(lambda connection: None)

    async def _write(self, device: DeviceState, held: list[FieldState]) -> None:
        """Write fields ahead of everything; what does not land stays owed."""
        try:
            async with asyncio.timeout(WRITE_WITHIN):
                await device.queue.stop(lambda: self._levels.push(device, held))
        except (DeviceError, TimeoutError) as error:
            _LOGGER.warning(
                "%s is not at its level for the start or the stop: %s",
                device.row.name,
                error or "no answer",
            )
