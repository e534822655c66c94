"""Lists of commands: the newest by any filter, and all of a time, page by page (R-C33).

A page is in the order of acceptance by the clock; commands of one instant are in their
own order. Every index of a filter ends with that instant, so that a page costs a page,
however many records there are and however rare is what is asked for. Of a device those
that are filed are read off their table, and the few newest are read through.
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
from . import filing
from .commands import CALLED_OFF, COLUMNS, command_of
from .database import Database
from .instants import to_store

PAGE = 500
_BY_TIME = "command INDEXED BY command_created_at"
_BY_ACTION = "command INDEXED BY command_action"
_BY_USER = "command INDEXED BY command_user"
_BY_PHASE = "command INDEXED BY command_phase"
_FILED = "command_by_device AS filed"
_BY_DEVICE = f"{_FILED} CROSS JOIN command USING (ordinal)"
_NOT_FILED = "command NOT INDEXED"
_PLACE = "SELECT created_at, ordinal FROM command WHERE ordinal = ?"
_NEWEST = "SELECT COALESCE(max(ordinal), 0) FROM command"
# As far as two indexes are read to find out which of them has less to read.
_WEIGHED = 2_000


@frozen
class CommandFilter:
    """Which commands are asked for; None leaves a side open.

    ``since`` is the first instant of acceptance, ``until`` the first one left out. ``phases`` is
    what a surface's status stands for: those that are shown.
    """

    device: int | None = None
    phases: frozenset[Phase] | None = None
    action: str | None = None
    user: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Term:
    """One condition, the values in it, and what finds the commands that meet it.

    The condition names the table of device and instant as `{of}`.
    """

    condition: str
    values: tuple[Any, ...]
    source: str | None = None


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
        terms.append(_Term("({of}.created_at, ordinal) < (?, ?)", place))
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
            place = (_Term("({of}.created_at, ordinal) > (?, ?)", (at, last.order)),)
        page_is_full = len(page) == size


def _newest(connection: sqlite3.Connection) -> int:
    """Return the order of the last command, 0 when there is none."""
    newest: int = connection.execute(_NEWEST).fetchone()[0]
    return newest


def _terms(wanted: CommandFilter) -> list[_Term]:
    """Return the conditions of a filter, but for its phases."""
    terms = []
    if wanted.device is not None:
        terms.append(_Term("{of}.device = ?", (wanted.device,), _BY_DEVICE))
    if wanted.action is not None:
        terms.append(_Term("action = ?", (wanted.action,), _BY_ACTION))
    if wanted.user is not None:
        terms.append(_Term("user = ?", (wanted.user,), _BY_USER))
    if wanted.since is not None:
        terms.append(_Term("{of}.created_at >= ?", (to_store(wanted.since),)))
    if wanted.until is not None:
        terms.append(_Term("{of}.created_at < ?", (to_store(wanted.until),)))
    return terms


def _page(
    connection: sqlite3.Connection,
    phases: frozenset[Phase] | None,
    terms: Sequence[_Term],
    order: str,
    limit: int,
) -> list[Command]:
    """Return one page of the commands that meet all terms and are in one of the phases.

    Each phase is a search of its own, as only so its index gives them in order; so are
    those of a device that are filed, and those that are not.
    """
    searches = [terms]
    if phases is not None:
        searches = [
            (*terms, one) for phase in sorted(phases) for one in _in_phase(phase)
        ]
    found, values = [], list[Any]()
    for search in searches:
        for source, of, asked in _sources(connection, search):
            found.append(
                f"SELECT * FROM (SELECT ordinal FROM {source} WHERE {_all(asked, of)} "
                f"ORDER BY {of}.created_at {order}, ordinal {order} LIMIT ?)"
            )
            values += [*_values(asked), limit]
    if not found:
        return []
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM command WHERE ordinal IN ({' UNION ALL '.join(found)}) "
        f"ORDER BY created_at {order}, ordinal {order} LIMIT ?",
        (*values, limit),
    )
    return [command_of(row) for row in rows]


def _in_phase(phase: Phase) -> Sequence[_Term]:
    """Return the conditions of which a shown phase meets one.

    Most have completed, and no index is needed then. What failed or was called off is shown
    as ended while it is still given back.
    """
    match phase:
        case Phase.COMPLETED:
            return (_Term("phase = 'completed'", ()),)
        case Phase.RESTORING:
            return (_by_phase(Phase.RESTORING, " AND error_code IS NULL"),)
        case Phase.STOPPED:
            giving_back = _by_phase(Phase.RESTORING, f" AND {CALLED_OFF}")
        case Phase.FAILED:
            giving_back = _by_phase(Phase.RESTORING, f" AND NOT {CALLED_OFF}")
        case _:
            return (_by_phase(phase),)
    return _by_phase(phase), giving_back


def _by_phase(phase: Phase, more: str = "") -> _Term:
    """Return the condition of a stored phase, and what more there is to it."""
    condition = f"phase = ? AND phase <> 'completed'{more}"
    return _Term(condition, (phase.value,), _BY_PHASE)


def _sources(
    connection: sqlite3.Connection, terms: Sequence[_Term]
) -> list[tuple[str, str, Sequence[_Term]]]:
    """Return where to search, the table of device and instant there, and for what."""
    best = _best_source(connection, terms)
    if best != _BY_DEVICE:
        return [(best, "command", terms)]
    newest = _Term("ordinal > ?", (filing.mark(connection),))
    return [(best, "filed", terms), (_NOT_FILED, "command", (*terms, newest))]


def _best_source(connection: sqlite3.Connection, terms: Sequence[_Term]) -> str:
    """Return what has the least to read: of two values, the rarer one's."""
    sources = [term for term in terms if term.source is not None]
    if len(sources) < 2:
        return sources[0].source or _BY_TIME if sources else _BY_TIME
    times = [term for term in terms if term.condition.startswith("{of}.created_at")]

    def entries(term: _Term) -> int:
        search = (term, *times)
        source, of = term.source, "command"
        if source == _BY_DEVICE:
            source, of = _FILED, "filed"
        counted = connection.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM {source} "
            f"WHERE {_all(search, of)} LIMIT {_WEIGHED})",
            _values(search),
        )
        count: int = counted.fetchone()[0]
        return count

    return min(sources, key=entries).source or _BY_TIME


def _all(terms: Sequence[_Term], of: str) -> str:
    """Return the condition that all terms are met."""
    return " AND ".join(term.condition.format(of=of) for term in terms) or "TRUE"


def _values(terms: Sequence[_Term]) -> list[Any]:
    """Return the values of terms, in their order."""
    return [value for term in terms for value in term.values]
