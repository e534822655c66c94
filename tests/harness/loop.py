"""An event loop whose time jumps, with threads whose results come in a fixed order.

Time moves only while nobody has anything to do. What the store's threads have to say is
heard only then too, and all of it at once: two runs of the same scenario make the same
calls in the same order, however quick the threads are.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextvars import Context
from selectors import DefaultSelector, SelectorKey
import threading
from typing import Any, override

_END_OF_THE_WORLD = 10 * 24 * 3600.0


class _Mailbox:
    """What threads have to say to the loop, and how much of it is still to come."""

    def __init__(self) -> None:
        """Expect nothing."""
        self._news = threading.Condition()
        self._letters: list[tuple[Callable[..., object], tuple[Any, ...]]] = []
        self._expected = 0

    def expect(self) -> None:
        """Count something that a thread will be done with."""
        with self._news:
            self._expected += 1

    def put(self, callback: Callable[..., object], arguments: tuple[Any, ...]) -> None:
        """Take in what a thread says; the store's writer tells of a whole batch at once."""
        batch = arguments[0] if arguments and isinstance(arguments[0], list) else None
        with self._news:
            self._letters.append((callback, arguments))
            self._expected -= len(batch) if batch is not None else 1
            self._news.notify()

    def collect(self) -> list[tuple[Callable[..., object], tuple[Any, ...]]]:
        """Return everything that was expected; wait for it."""
        with self._news:
            self._news.wait_for(lambda: self._expected <= 0)
            letters, self._letters = self._letters, []
            return letters


class _JumpingSelector(DefaultSelector):
    """Moves the loop's time on instead of waiting."""

    def __init__(self, idle: Callable[[], bool]) -> None:
        """Start at zero; `idle` says whether there was news before time may move."""
        super().__init__()
        self.now = 0.0
        self._idle = idle

    @override
    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """Return nothing at once; jump to the next timer when nobody has anything to do."""
        if timeout == 0 or self._idle():
            return []
        if timeout is None or self.now > _END_OF_THE_WORLD:
            raise RuntimeError("somebody waits for what will never happen")
        self.now += timeout
        return []


class WorldLoop(asyncio.SelectorEventLoop):
    """The loop of one life; it begins at second zero of the world."""

    def __init__(self) -> None:
        """Make the loop, with one thread for blocking work."""
        self._mailbox = _Mailbox()
        self._jumping = _JumpingSelector(self._hear_threads)
        super().__init__(self._jumping)
        self._threads = ThreadPoolExecutor(max_workers=1)
        self.set_default_executor(self._threads)

    @override
    def time(self) -> float:
        """Return the seconds since the world began."""
        return self._jumping.now

    def expect(self) -> None:
        """Let time stand still until a thread has called back once more."""
        self._mailbox.expect()

    @override
    def call_soon_threadsafe(  # type: ignore[override]
        self,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Keep what a thread says until nobody has anything to do."""
        self._mailbox.put(callback, args)
        return asyncio.Handle(callback, args, self, context)

    @override
    def run_in_executor[*Ts, T](
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Let time stand still while a thread works."""
        future = super().run_in_executor(executor, func, *args)
        # A thread that was done at once has set the future and calls back no more.
        if not future.done():
            self.expect()
        return future

    @override
    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """End the thread for blocking work."""
        self._threads.shutdown()

    def _hear_threads(self) -> bool:
        """Pass on what threads have said; return whether that was anything."""
        letters = self._mailbox.collect()
        for callback, arguments in letters:
            self.call_soon(callback, *arguments)
        return bool(letters)
