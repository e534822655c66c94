"""What is handed to the writer, and what it tells of it afterwards."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
import sqlite3
from typing import Any

type Unit[T] = Callable[[sqlite3.Connection], T]
type Teller = asyncio.Future[Any] | Unattended
type Committed = Callable[[Any], None] | None
type Waiting = tuple[Unit[Any], Committed, Teller]
type Acting = Callable[[], AbstractContextManager[None]]
type Outcome = tuple[Teller, Committed, Any, BaseException | None]

_item = attrgetter("item")

TOGETHER = 8
"""How many rows of one kind go into one statement: more of them would gain little."""


class Alike[I, T]:
    """A unit of work that is done together with its likes: an item for a function of many.

    The function does the items as if one after the other and returns a result for each. What
    is wrong with a single item it raises as any unit does; when several cannot be done in
    one go, for whatever reason, it raises, and each is done by itself.
    """

    __slots__ = ("do", "item")

    def __init__(
        self, do: Callable[[sqlite3.Connection, Sequence[I]], Sequence[T]], item: I
    ) -> None:
        """Keep the function and the item."""
        self.do = do
        self.item = item

    def __call__(self, connection: sqlite3.Connection) -> T:
        """Do the one item."""
        return self.do(connection, (self.item,))[0]


class NotTogetherError(Exception):
    """Of several items not all could be done in one go."""


class HeldBackError(Exception):
    """A unit that nobody waits for was not tried: one before it was refused by the store."""


class Unattended:
    """Stands where a future would, for a unit of work that nobody waits for."""

    __slots__ = ("_failed",)

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        """Keep whom to tell."""
        self._failed = failed

    def cancelled(self) -> bool:
        """Return that nobody can call it off."""
        return False

    def set_result(self, result: object) -> None:
        """Tell nobody: what follows has happened."""

    def set_exception(self, error: BaseException) -> None:
        """Tell of the fault."""
        self._failed(error)


@dataclass(slots=True)
class Upkeep:
    """Work between two transactions: checkpoints and the end."""

    work: Callable[[], None]
    done: asyncio.Future[None]
    last: bool = False


def is_unattended(waiting: Waiting) -> bool:
    """Return whether nobody waits for a unit of work."""
    return isinstance(waiting[2], Unattended)


def perform(connection: sqlite3.Connection, units: Iterable[Unit[Any]]) -> list[Any]:
    """Do units of work in their order, neighbours that are alike together; return the results."""
    results: list[Any] = []
    for do, neighbours in groupby(units, _done_by):
        if do is None:
            results += [unit(connection) for unit in neighbours]
        else:
            results += do(connection, [*map(_item, neighbours)])
    return results


def _done_by(unit: Unit[Any]) -> Callable[..., Sequence[Any]] | None:
    """Return the function of many that does a unit; None for a unit without likes."""
    return unit.do if isinstance(unit, Alike) else None
