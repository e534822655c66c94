"""What the engine refuses, with a machine word and the values a message needs.

The words are keys below ``exceptions`` in the translations; surfaces translate them once.
"""

from collections.abc import Mapping
from typing import Any

from ..limits.refusal import Refusal


class EngineError(Exception):
    """A request that was not accepted: nothing is stored and no device was touched."""

    def __init__(
        self, code: str, *, field: str | None = None, **placeholders: object
    ) -> None:
        """Keep the word, the field that is wrong, and the values for the message."""
        shown = {name: str(value) for name, value in placeholders.items()}
        if field is not None:
            shown.setdefault("field", field)
        super().__init__(f"{code} {shown}" if shown else code)
        self.code = code
        self.field = field
        self.placeholders: Mapping[str, str] = shown


class SafetyRefusedError(EngineError):
    """A limit stands in the way (law 5): which one, by how much, and when it frees."""

    def __init__(self, refusal: Refusal) -> None:
        """Take the message's values from the refusal."""
        super().__init__(f"refused_{refusal.limit}", **describe(refusal))
        self.refusal = refusal


def describe(refusal: Refusal) -> dict[str, Any]:
    """Return a refusal as plain values for messages and records (RES-57).

    What nobody knows is left out; numbers have no needless digits.
    """
    told: dict[str, Any] = {"limit": refusal.limit}
    for name in ("asked", "allowed", "left"):
        if (value := getattr(refusal, name)) is not None:
            told[name] = f"{value:g}"
    if refusal.frees_at is not None:
        told["frees_at"] = refusal.frees_at.isoformat()
    return {**told, **refusal.details}
