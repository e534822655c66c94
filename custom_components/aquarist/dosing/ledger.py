"""The life of a dose, and what counts as given (law 3, RES-52)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from ..frozen import frozen
from .volume import VolumeError

# The sources of what the pump gave by itself, booked when it is found: by the programme in
# its memory, or otherwise.
PROGRAMME = "programme"
PUMP = "pump"
BY_ITSELF = frozenset({PROGRAMME, PUMP})
# A run that primes or calibrates, until it is known what it gave. It has no row of its own.
RUN = "run"


class DoseState(StrEnum):
    """What is known about a dose."""

    INTENDED = "intended"
    SENT = "sent"
    GIVEN = "given"
    PARTLY = "partly"
    NOT_GIVEN = "not_given"
    UNKNOWN = "unknown"


_SETTLED = frozenset({DoseState.GIVEN, DoseState.PARTLY, DoseState.NOT_GIVEN})

TRANSITIONS: Mapping[DoseState, frozenset[DoseState]] = {
    DoseState.INTENDED: _SETTLED | {DoseState.SENT, DoseState.UNKNOWN},
    DoseState.SENT: _SETTLED | {DoseState.UNKNOWN},
    DoseState.UNKNOWN: _SETTLED,
    DoseState.GIVEN: frozenset(),
    DoseState.PARTLY: frozenset(),
    DoseState.NOT_GIVEN: frozenset(),
}


class IllegalTransition(ValueError):
    """A dose cannot go from its state to the one asked for."""

    def __init__(self, key: str, before: DoseState, after: DoseState) -> None:
        """Keep the dose's key and both states."""
        super().__init__(f"state: dose {key} cannot go from {before} to {after}")
        self.key = key
        self.before = before
        self.after = after


@frozen
class Dose:
    """One dose of one head. Volumes are µL, `at` is aware UTC.

    `device` is the device's small number, `head` counts from 0. `given` is known once the
    dose is settled. `lifetime_before` is the head's lifetime counter before the dose.
    `additive` and `aquarium` (an entry id) are what the head pumped and where, at that time;
    `source` says who asked and comes from the store.
    """

    key: str
    device: int
    head: int
    volume: int
    state: DoseState
    at: datetime
    given: int | None = None
    lifetime_before: int | None = None
    additive: str | None = None
    aquarium: str | None = None
    source: str = ""

    @property
    def is_settled(self) -> bool:
        """Tell whether the state is final."""
        return self.state in _SETTLED

    @property
    def counted(self) -> int:
        """What counts against a budget: what was given, or all of it as long as nobody knows."""
        if self.state is DoseState.NOT_GIVEN:
            return 0
        return self.volume if self.given is None else self.given


def advance(dose: Dose, state: DoseState, *, given: int | None = None) -> Dose:
    """Take a dose to its next state.

    `given` goes with GIVEN (the whole volume when left out) and PARTLY (needed: more than
    nothing, less than the volume). Raises IllegalTransition for a step that the table does
    not have, VolumeError `given_out_of_range` for a `given` that the state cannot have.
    """
    if state not in TRANSITIONS[dose.state]:
        raise IllegalTransition(dose.key, dose.state, state)
    return replace(dose, state=state, given=_given(dose, state, given))


def _given(dose: Dose, state: DoseState, given: int | None) -> int | None:
    """Give the volume that belongs to a state, or refuse the one asked for."""
    volume: int | None
    match state:
        case DoseState.GIVEN:
            volume = dose.volume if given is None else given
            possible = volume > 0
        case DoseState.PARTLY:
            volume = given
            possible = given is not None and 0 < given < dose.volume
        case DoseState.NOT_GIVEN:
            volume = 0
            possible = not given
        case _:
            volume = None
            possible = given is None
    if not possible:
        raise VolumeError("given_out_of_range")
    return volume
