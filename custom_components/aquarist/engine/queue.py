"""One queue for each device, with three lanes: stop, commands, dirty fields (design 5)."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
import logging
from typing import Any

from ..commands.command import Command

_LOGGER = logging.getLogger(__name__)

STOP_GRACE = 2.0


class DeviceQueue:
    """What a device still has to do; one thing at a time, and a stop never waits."""

    def __init__(
        self,
        execute: Callable[[Command], Coroutine[Any, Any, None]],
        flush: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        """Run commands with `execute`; write the newest levels with `flush`."""
        self._execute = execute
        self._flush = flush
        self._commands: deque[Command] = deque()
        self._dirty = False
        self._worker: asyncio.Task[None] | None = None
        self._working = False
        self._generation = 0
        self._stops = 0
        self._held = False
        self._closed = False
        self._reservations: set[object] = set()
        self.running: Command | None = None

    @property
    def idle(self) -> bool:
        """Return whether a command put in now would run at once."""
        return not (
            self._commands
            or self._reservations
            or self._stops
            or self._held
            or self._closed
            or self._working
        )

    @property
    def waiting(self) -> tuple[Command, ...]:
        """Return the commands that have not begun, in their order."""
        return tuple(self._commands)

    def reserve(self) -> Callable[[], None]:
        """Count a command that is on its way to the store, so that order is kept.

        Returns what lets the reservation go: the command is in, or was refused.
        """
        reservation = object()
        self._reservations.add(reservation)
        return lambda: self._reservations.discard(reservation)

    def put(self, command: Command) -> None:
        """Let a command wait for its turn."""
        self._commands.append(command)
        self._wake()

    def withdraw(self, key: str) -> Command | None:
        """Take a command out that has not begun; None when it is not waiting."""
        for command in self._commands:
            if command.key == key:
                self._commands.remove(command)
                return command
        return None

    def touch(self) -> None:
        """Have the newest levels written, at the latest after the next command."""
        self._dirty = True
        self._wake()

    def hold(self) -> None:
        """Let nothing begin: the device is not attached."""
        self._held = True

    def release(self) -> None:
        """Let the queue go on."""
        self._held = False
        self._wake()

    async def stop[T](self, action: Callable[[], Awaitable[T]]) -> T:
        """Run an urgent action ahead of everything; what runs is cancelled first.

        What does not let go within two seconds is left behind: the action itself drops
        the link under it.
        """
        self._stops += 1
        try:
            await self._end_worker()
            return await action()
        finally:
            self._stops -= 1
            self._wake()

    async def close(self) -> None:
        """Begin nothing any more and end what runs; its record stays open for recovery."""
        self._closed = True
        await self._end_worker()

    async def _end_worker(self) -> None:
        """Cancel what runs and give it a moment to let go."""
        worker = self._worker
        if worker is not None and not worker.done():
            worker.cancel()
            await asyncio.wait({worker}, timeout=STOP_GRACE)
        self._worker = self.running = None
        self._generation += 1
        self._working = False

    def _wake(self) -> None:
        """Begin to work unless that is already going on."""
        if self._working or not self._ready:
            return
        self._working = True
        task = asyncio.Task(
            self._work(self._generation),
            loop=asyncio.get_running_loop(),
            eager_start=True,
        )
        if not task.done():
            self._worker = task

    @property
    def _ready(self) -> bool:
        """Return whether there is something that may begin."""
        return bool(
            (self._commands or self._dirty)
            and not (self._held or self._stops or self._closed)
        )

    async def _work(self, generation: int) -> None:
        """Run the commands in their order, and the levels after each.

        A worker that was left behind by a stop ends as soon as it lets go.
        """
        try:
            while generation == self._generation and self._ready:
                if self._commands:
                    self.running = self._commands.popleft()
                    await self._guarded(self._execute(self.running))
                    if generation != self._generation:
                        return
                    self.running = None
                if self._dirty:
                    self._dirty = False
                    await self._guarded(self._flush())
        finally:
            if generation == self._generation:
                self._working = False
                self.running = None

    async def _guarded(self, step: Coroutine[Any, Any, None]) -> None:
        """Run one step; an error that nobody foresaw ends that step alone."""
        try:
            await step
        except Exception:
            _LOGGER.exception("A device's queue met an unexpected error")
