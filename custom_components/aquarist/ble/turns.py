"""Whose turn it is: a lock that is given in the order of asking, urgent ones first."""

import asyncio
from collections import deque


class Turns:
    """One holder at a time. Waiting and leaving are safe under cancellation."""

    def __init__(self) -> None:
        """Start free."""
        self._held = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def idle(self) -> bool:
        """Return whether nobody holds the turn or waits for it."""
        return not self._held and not self._waiting

    async def take(self, *, urgent: bool = False) -> None:
        """Wait for the turn; an urgent one is next, before all who wait."""
        if not self._held:
            self._held = True
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if urgent:
            self._waiting.appendleft(turn)
        else:
            self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give()
            elif turn in self._waiting:
                self._waiting.remove(turn)
            raise

    def give(self) -> None:
        """Hand the turn to the next who waits, and has not just been cancelled."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._held = False
