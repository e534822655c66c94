"""Moments: when a plan is due."""

from datetime import datetime

from ..frozen import frozen


@frozen
class Moment:
    """One due moment of a plan; with the schedule it identifies an occurrence (RES-51).

    `at` is aware UTC. `nominal` is the wall-clock time that was meant, as local ISO
    text without an offset; None for plans on the real clock and for single instants.
    """

    at: datetime
    nominal: str | None = None
