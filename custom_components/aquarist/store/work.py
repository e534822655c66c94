"""What is handed to the writer, and what it tells of it afterwards."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import sqlite3
from typing import Any

type Unit[T] = Callable[[sqlite3.Connection], T]
type Teller = asyncio.Future[Any] | Unattended
type Committed = Callable[[Any], None] | None
type Waiting = tuple[Unit[Any], Committed, Teller]
type Outcome = tuple[Teller, Committed, Any, BaseException | None]


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
