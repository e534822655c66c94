"""An event loop whose time jumps: a test that waits an hour takes no time at all."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from selectors import BaseSelector, DefaultSelector, SelectorKey
from typing import Any, override


class _JumpingSelector(DefaultSelector):
    """Moves the loop's time on instead of waiting."""

    def __init__(self) -> None:
        """Start at 1000 s: no test may count on a clock that begins at zero."""
        super().__init__()
        self.now = 1000.0

    @override
    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """Return what is ready; when nothing is, jump to the next timer."""
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise RuntimeError("everybody waits and nothing will ever happen")
        self.now += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop in which the time passes only while nothing else is to be done."""

    def __init__(self) -> None:
        """Make the loop."""
        self._jumping = _JumpingSelector()
        selector: BaseSelector = self._jumping
        super().__init__(selector)

    @override
    def time(self) -> float:
        """Return the loop's own seconds."""
        return self._jumping.now


def virtual_time[**P](
    test: Callable[P, Coroutine[Any, Any, None]],
) -> Callable[P, None]:
    """Run a coroutine test in a loop of its own whose time jumps."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run
