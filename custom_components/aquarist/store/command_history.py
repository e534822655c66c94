"""Lists of commands: the newest by any filter, and all of a time, page by page (R-C33).

A page is in the order of acceptance by the clock; commands of one instant are in their
own order. Every index of a filter ends with that instant, so that a page costs a page,
however many records there are and however rare is what is asked for.
"""

# ruff: noqa: S608 - statements are put together from constants, never from input

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
import sqlite3
from typing import Any

from ..commands.command import Command
from ..commands.phases import Phase
from ..frozen import frozen
from .commands import COLUMNS, command_of
from .database import Database
from .instants import to_store

PAGE = 500
_BY_TIME = "command_created_at"
_PLACE = "SELECT created_at, ordinal FROM command WHERE ordinal = ?"
_NEWEST = "SELECT COALESCE(max(ordinal), 0) FROM command"
# As far as two indexes are read to find out which of them has less to read.
_WEIGHED = 2_000


@frozen
class CommandFilter:
    """Which commands are asked for; None leaves a side open.

    ``since`` is the first instant of acceptance, ``until`` the first one left out. ``phases`` is
    what a surface's status stands for.
    """

    device: int | None = None
    phases: frozenset[Phase] | None = None
    action: str | None = None
    user: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Term:
    """One condition, the values in it, and the index that finds what meets it."""

    condition: str
    values: tuple[Any, ...]
    index: str | None = None


def find(
    connection: sqlite3.Connection,
    wanted: CommandFilter,
    limit: int,
    before: int | None = None,
) -> list[Command]:
    """Return the newest commands first.

    ``before`` is the order of the last command of the page before; a page after one that
    is no longer stored is empty.
    """
    terms = _terms(wanted)
    if before is not None:
        place = connection.execute(_PLACE, (before,)).fetchone()
        if place is None:
            return []
        terms.append(_Term("(created_at, ordinal) < (?, ?)", place))
    return _page(connection, wanted.phases, terms, "DESC", limit)


async def export(
    database: Database, wanted: CommandFilter, *, size: int = PAGE
) -> AsyncIterator[list[Command]]:
    """Give every command in order, page by page; those accepted meanwhile are left out.

    No view of the store stays open between two pages. Raises StoreError.
    """
    terms = [*_terms(wanted), _Term("ordinal <= ?", (await database.read(_newest),))]
    place: tuple[_Term, ...] = ()
    page_is_full = True
    while page_is_full:
        asked = (*terms, *place)
        page = await database.read(
            partial(_page, phases=wanted.phases, terms=asked, order="ASC", limit=size)
        )
        if page:
            yield page
            last = page[-1]
            at = to_store(last.created_at)
            place = (_Term("(created_at, ordinal) > (?, ?)", (at, last.order)),)
        page_is_full = len(page) == size


def _newest(connection: sqlite3.Connection) -> int:
    """Return the order of the last command, 0 when there is none."""
    newest: int = connection.execute(_NEWEST).fetchone()[0]
    return newest


def _terms(wanted: CommandFilter) -> list[_Term]:
    """Return the conditions of a filter, but for its phases."""
    terms = []
    if wanted.device is not None:
        terms.append(_Term("device = ?", (wanted.device,), "command_device"))
    if wanted.action is not None:
        terms.append(_Term("action = ?", (wanted.action,), "command_action"))
    if wanted.user is not None:
        terms.append(_Term("user = ?", (wanted.user,), "command_user"))
    if wanted.since is not None:
        terms.append(_Term("created_at >= ?", (to_store(wanted.since),)))
    if wanted.until is not None:
        terms.append(_Term("created_at < ?", (to_store(wanted.until),)))
    return terms


def _page(
    connection: sqlite3.Connection,
    phases: frozenset[Phase] | None,
    terms: Sequence[_Term],
    order: str,
    limit: int,
) -> list[Command]:
    """Return one page of the commands that meet all terms and are in one of the phases.

    Each phase is a search of its own, as only so its index gives them in order.
    """
    searches = [terms]
    if phases is not None:
        searches = [(*terms, _in_phase(phase)) for phase in sorted(phases)]
    found, values = [], list[Any]()
    for search in searches:
        index = _best_index(connection, search)
        found.append(
            f"SELECT * FROM (SELECT ordinal FROM command INDEXED BY {index} "
            f"WHERE {_all(search)} ORDER BY created_at {order}, ordinal {order} LIMIT ?)"
        )
        values += [*_values(search), limit]
    if not found:
        return []
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM command WHERE ordinal IN ({' UNION ALL '.join(found)}) "
        f"ORDER BY created_at {order}, ordinal {order} LIMIT ?",
        (*values, limit),
    )
    return [command_of(row) for row in rows]


def _in_phase(phase: Phase) -> _Term:
    """Return the condition of a phase; most have completed, and no index is needed then."""
    if phase is Phase.COMPLETED:
        return _Term("phase = 'completed'", ())
    return _Term("phase = ? AND phase <> 'completed'", (phase.value,), "command_phase")


def _best_index(connection: sqlite3.Connection, terms: Sequence[_Term]) -> str:
    """Return the index with the least to read: of two values, the rarer one's."""
    indexed = [term for term in terms if term.index is not None]
    if len(indexed) < 2:
        return indexed[0].index or _BY_TIME if indexed else _BY_TIME
    times = [term for term in terms if term.condition.startswith("created_at")]

    def entries(term: _Term) -> int:
        search = (term, *times)
        counted = connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM command "
            f"INDEXED BY {term.index} WHERE {_all(search)} LIMIT {_WEIGHED})",
            _values(search),
        )
        count: int = counted.fetchone()[0]
        return count

    return min(indexed, key=entries).index or _BY_TIME


def _all(terms: Sequence[_Term]) -> str:
    """Return the condition that all terms are met."""
    return " AND ".join(term.condition for term in terms) or "TRUE"


def _values(terms: Sequence[_Term]) -> list[Any]:
    """Return the values of terms, in their order."""
    return [value for term in terms for value in term.values]
