"""Keeping what is stored and told of a record within bounds (R-C56)."""

from collections.abc import Mapping
import json
from typing import Any


def bounded(record: Mapping[str, Any], *, limit: int) -> dict[str, Any]:
    """Return a record of at most so many bytes of JSON, with its keys.

    Where values had to be left out to get there, the largest first, they are null and
    ``truncated`` is true; else the record is as it was.
    """
    whole = dict(record)
    if size(whole) <= limit:
        return whole
    sizes = {name: size(whole[name]) for name in whole.keys() - {"truncated"}}
    whole["truncated"] = True
    for name in sorted(sizes, key=lambda one: sizes[one], reverse=True):
        if size(whole) <= limit:
            break
        whole[name] = None
    return whole


def size(value: object) -> int:
    """Return the bytes of a value as JSON."""
    return len(json.dumps(value, default=str).encode())
