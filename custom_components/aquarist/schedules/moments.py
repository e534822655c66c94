"""Moments: when a plan is due."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One due moment of a plan; with the schedule it identifies an occurrence (RES-51).

    `at` is aware UTC. `nominal` is the wall-clock time that was meant, as local ISO
    text without an offset; None for plans on the real clock and for single instants.
    """

    at: datetime
    nominal: str | None = None
