"""One piece of work at the radio at a time, bounded in time, that somebody else may break off."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from .errors import LinkError, Reason


@dataclass(slots=True)
class _Work:
    """What runs, and the error for its caller once it has been broken off."""

    task: asyncio.Task[None]
    broken_off: LinkError | None = None


class Attempt:
    """Runs what may hang: a connect or a write."""

    def __init__(self) -> None:
        """Start with nothing running."""
        self._work: _Work | None = None

    async def run(
        self,
        coroutine: Coroutine[Any, Any, None],
        limit: float,
        late: Callable[[], Reason],
    ) -> None:
        """Wait until the coroutine is done, for at most ``limit`` seconds.

        Raises LinkError: the coroutine's own, with the reason that ``late`` gives when the time is over,
        or the one given to `break_off`. Cancelling the caller cancels the coroutine.
        """
        work = self._work = _Work(asyncio.create_task(coroutine))
        try:
            async with asyncio.timeout(limit):
                await work.task
        except TimeoutError as error:
            raise LinkError(late(), f"not done after {limit:g} s") from error
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if (
                work.broken_off is not None
                and current is not None
                and not current.cancelling()
            ):
                raise work.broken_off from None
            raise
        finally:
            self._work = None

    def break_off(self, error: LinkError) -> None:
        """End what runs at once, if anything does: its caller gets the error."""
        if self._work is not None:
            self._work.broken_off = error
            self._work.task.cancel()

    async def finish(self, grace: float, error: LinkError) -> None:
        """Give what runs ``grace`` seconds to end by itself, then break it off."""
        if self._work is not None:
            await asyncio.wait({self._work.task}, timeout=grace)
            self.break_off(error)
