"""What a view can be asked for: who may ask, what is taken, what is answered.

The same declaration validates requests and is the source of the OpenAPI document.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from aiohttp import web
import probatio as vol

from ...frozen import frozen
from .call import Call

type Handler[V] = Callable[[V, Call], Awaitable[web.StreamResponse]]
"""A method of a view."""
type Answer = vol.Schema | Mapping[str, Any]
"""A schema of ours, or JSON Schema as it is."""

_ATTRIBUTE = "operation"
NO_FIELDS = vol.Schema({})


class Right(StrEnum):
    """What a caller needs (design 7); READ and CONTROL are looked up device by device."""

    READ = "read"
    CONTROL = "control"
    CONFIGURE = "configure"


@frozen
class Operation:
    """One method of a view.

    ``answers`` has what is answered by its status, errors left out; ``errors`` has the
    statuses that an error object may come with, besides those of every operation.
    """

    id: str
    summary: str
    right: Right
    answers: Mapping[int, Answer]
    query: vol.Schema
    body: vol.Schema | None = None
    errors: frozenset[int] = frozenset()
    examples: Mapping[str, Any] = field(default_factory=dict)
    media_types: tuple[str, ...] = ("application/json",)


def operation[V](
    summary: str,
    *,
    right: Right,
    answers: Mapping[int, Answer],
    query: vol.Schema = NO_FIELDS,
    body: vol.Schema | None = None,
    errors: frozenset[int] = frozenset(),
    examples: Mapping[str, Any] | None = None,
    media_types: tuple[str, ...] = ("application/json",),
) -> Callable[[Handler[V]], Handler[V]]:
    """Declare what a method of a view takes and answers."""

    def declare(handler: Handler[V]) -> Handler[V]:
        declared = Operation(
            id=_id_of(handler),
            summary=summary,
            right=right,
            answers=answers,
            query=query,
            body=body,
            errors=errors,
            examples=examples or {},
            media_types=media_types,
        )
        setattr(handler, _ATTRIBUTE, declared)
        return handler

    return declare


def operation_of(handler: Callable[..., object]) -> Operation:
    """Return what was declared for a method of a view."""
    declared: Operation = getattr(handler, _ATTRIBUTE)
    return declared


def _id_of(handler: Callable[..., object]) -> str:
    """Return the id of an operation: the names of its view and of its HTTP method."""
    view, _, method = str(getattr(handler, "__qualname__", "")).rpartition(".")
    return f"{view[:1].lower()}{view[1:]}_{method}"
