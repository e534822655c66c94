"""The format of protocol test vectors: a JSON file with a list of objects.

A vector has `command`, `direction` (encode, decode or reject), `args`, `message_id`,
`profile` and `hex`.
"""

from collections.abc import Mapping
import json
from pathlib import Path
from typing import Any

type Args = dict[str, Any]
type Vector = Mapping[str, Any]

MICROLITRES = 1000


class BadVector(LookupError):
    """A vector that does not follow the format."""


def load(path: Path) -> list[Vector]:
    """Read a file of vectors; raises BadVector when it holds no list of objects."""
    try:
        vectors = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadVector(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise BadVector(f"{path}: not JSON: {error}") from error
    if not isinstance(vectors, list) or not all(isinstance(v, dict) for v in vectors):
        raise BadVector(f"{path}: not a list of vectors")
    return vectors
