"""Fields of one device that are written side by side, so that none waits for another.

To the queue of the device it is one step: nothing else begins before all of them have ended.
A field that becomes dirty meanwhile is taken along. Once a command waits for its turn that
goes for fields that are not being written, and as long as a write from before is under way.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
import logging
from typing import Any

from .queue import DeviceQueue
from .state import FieldState

_LOGGER = logging.getLogger(__name__)
_REST = ""

type WriteFields = Callable[[Sequence[FieldState]], Coroutine[Any, Any, None]]


class SideBySide:
    """One round of writes: ``apart`` are the fields that may be written by themselves.

    The others go together.
    """

    def __init__(
        self,
        fields: Iterable[FieldState],
        apart: Collection[str],
        queue: DeviceQueue,
        write: WriteFields,
    ) -> None:
        """Write with `write`: the dirty ones, and it takes note of what landed."""
        self._groups: dict[str, list[FieldState]] = {}
        for state in fields:
            key = state.name if state.name in apart else _REST
            self._groups.setdefault(key, []).append(state)
        self._queue = queue
        self._write = write
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        # Begun while a command waited: nothing else is begun beside these alone.
        self._late: set[str] = set()
        self._open = True

    async def written(self) -> None:
        """Write what is dirty, and return when that and what was taken along has ended."""
        for key, states in self._groups.items():
            if any(state.dirty for state in states):
                self._begin(key)
        try:
            while self._under_way:
                await asyncio.wait(self._under_way.values())
        finally:
            self._open = False
            if left := tuple(self._under_way.values()):
                # A stop came between: what was to be written still is.
                self._queue.touch()
                for task in left:
                    task.cancel()
                await asyncio.gather(*left, return_exceptions=True)

    def takes(self, state: FieldState) -> bool:
        """Take a field along, after the write of it that is under way if there is one.

        False when it has to wait for the queue.
        """
        key = state.name if state.name in self._groups else _REST
        if not self._open or state not in self._groups.get(key, ()):
            return False
        if key in self._under_way:
            if not self._goes_on:
                return False
            self._again.add(key)
            return True
        if not self._under_way.keys() - self._late:
            return False
        if self._queue.waiting:
            self._late.add(key)
        self._begin(key)
        return True

    @property
    def _goes_on(self) -> bool:
        """Return whether what is being written may be written again."""
        return bool(self._open and self._under_way and not self._queue.waiting)

    def _begin(self, key: str) -> None:
        """Begin to write what goes out in one call."""
        self._under_way[key] = asyncio.get_running_loop().create_task(
            self._written_one(key)
        )

    async def _written_one(self, key: str) -> None:
        """Write a group, and again if some of it was taken along meanwhile."""
        try:
            await self._write(self._groups[key])
            while key in self._again and self._goes_on:
                self._again.discard(key)
                await self._write(self._groups[key])
        except Exception:
            _LOGGER.exception("A write of a device met an unexpected error")
        finally:
            del self._under_way[key]
            self._late.discard(key)
            if key in self._again:
                self._queue.touch()
