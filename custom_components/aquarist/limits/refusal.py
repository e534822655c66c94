"""What the gate answers when it does not let something through."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from ..frozen import frozen
from ..layers.setting import Scalar


@frozen
class Refusal:
    """A limit that forbids what was asked.

    `limit` is a machine word such as `budget_24h`, `not_allowed` or `level_bounds`. `asked`,
    `allowed` and `left` are in the unit that people see (mL for volumes, percent for levels);
    `frees_at` is the aware UTC instant from which the same request would pass, None when
    waiting does not help or nobody knows. `details` are further facts for the message.
    """

    limit: str
    asked: float | None = None
    allowed: float | None = None
    left: float | None = None
    frees_at: datetime | None = None
    details: Mapping[str, Scalar] = field(default_factory=dict)
