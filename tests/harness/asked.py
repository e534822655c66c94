"""One request as a scenario: what comes before it, and what must be true after it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, override

from custom_components.aquarist.commands.phases import Phase

from .life import Life
from .scenario import Scenario
from .world import DOSER, World

type Truth = Callable[[World], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One action at one device.

    ``truth`` reads from the world what the action is about: it is ``after`` once the action
    was completed, else what it was before; None when nothing there tells. What is written
    into a memory may be left half done by an action that failed: not ``undone``.
    ``first`` are the actions that bring about what was before, ``by_itself`` the microlitres
    that the pump may give because of it while the scenario lasts.
    """

    device: str
    action: str
    args: Mapping[str, Any] = field(default_factory=dict)
    first: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    truth: Truth | None = None
    after: Any = None
    undone: bool = True
    seconds: float = 30.0
    by_itself: int = 0


class Asked(Scenario):
    """One request, after what comes before it."""

    outages = (2.0, 90.0)

    def __init__(self, request: Request, title: str) -> None:
        """Keep the request; ``title`` tells it from others of the same action."""
        self.request = request
        self.title = title
        self.devices = (request.device,)
        self.horizon = 6.0 + request.seconds

    @override
    def __str__(self) -> str:
        """Return which request it is."""
        return self.title

    @override
    async def act(self, life: Life) -> None:
        """Ask for what comes first, let it end, and ask."""
        await life.until(1)
        ready = True
        for action, args in self.request.first:
            command = await self._send(life, action, args)
            if command is not None:
                command = await life.engine.finished(command)
            ready &= command is not None and command.phase is Phase.COMPLETED
        await life.until(6)
        if ready:
            life.chronicle.note("before", truth=self._truth(life))
        await self._send(life, self.request.action, self.request.args)

    @override
    def given_by_itself(self, life: Life, name: str, head: int) -> int:
        """Return what a programme may give."""
        return self.request.by_itself if head == 1 else 0

    @override
    async def finish(self, life: Life) -> None:
        """Have the pump's counters read once more: what it gave by itself is known then."""
        if self.request.device == DOSER:
            await life.send(DOSER, "request_status")

    @override
    def judge(self, life: Life) -> None:
        """What was completed is true; what failed has changed nothing that can be undone."""
        request = self.request
        if request.truth is None or not life.chronicle.read("before"):
            return
        (line,) = life.chronicle.read("before")
        earlier = [action for action, _ in request.first].count(request.action)
        own = [one for one in life.records if one.action == request.action][earlier:]
        truth = self._truth(life)
        if own and own[0].phase is Phase.COMPLETED:
            assert truth == request.after
        elif not own or request.undone:
            assert truth == line["truth"]

    async def _send(self, life: Life, action: str, args: Mapping[str, Any]) -> Any:
        """Ask for an action of the device."""
        return await life.send(self.request.device, action, **args)

    def _truth(self, life: Life) -> Any:
        """Return what the action is about, as it comes back from the chronicle."""
        return self.request.truth(life.world) if self.request.truth else None
