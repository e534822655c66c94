"""Entities that devices are made of and that nothing provides: told of after a while.

One that is unavailable comes back by itself, and is shown as a problem of its device. One
that was removed or disabled, or that its integration never brings, needs the keeper.
"""

from collections.abc import Iterator

from .engine.engine import Engine
from .issues import Issue

ENTITY_MISSING = "entity_missing"
GRACE = 600.0
"""Seconds that an entity may be gone: others start later than we do, or are loaded anew."""


class MissingEntities:
    """Knows since when which entities are gone."""

    def __init__(self, engine: Engine) -> None:
        """Know of none yet."""
        self._engine = engine
        self._since: dict[tuple[int, str], float] = {}

    @property
    def awaited(self) -> bool:
        """Return whether any entity is gone, told of or not: time changes what is told."""
        return bool(self._since)

    def present(self) -> Iterator[Issue]:
        """Yield the devices with entities that have been gone for long."""
        now = self._engine.clock.elapsed()
        self._since = {
            (number, entity_id): self._since.get((number, entity_id), now)
            for number, gone in self._gone().items()
            for entity_id in gone
        }
        lost: dict[int, list[str]] = {}
        for (number, entity_id), since in self._since.items():
            if now - since >= GRACE:
                lost.setdefault(number, []).append(entity_id)
        for number, entity_ids in lost.items():
            yield Issue(
                id=f"{ENTITY_MISSING}_{number}",
                key=ENTITY_MISSING,
                placeholders={
                    "name": self._engine.devices[number].row.name,
                    "entity": ", ".join(entity_ids),
                },
                fixable=False,
                device=number,
            )

    def _gone(self) -> dict[int, tuple[str, ...]]:
        """Return what is gone, by device; of one that is just made anew what was."""
        gone = {}
        for number, state in self._engine.devices.items():
            if state.device is not None:
                gone[number] = state.device.missing
            elif state.row.retired_at is None:
                gone[number] = tuple(one for at, one in self._since if at == number)
        return gone
