"""The life of a dose, and what counts as given (law 3, RES-52)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from .volume import VolumeError

# The lifetime counter has 16 bits of tenths of a millilitre; at its end it wraps or sticks.
_COUNTER_END = 0xFFFF * 100


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """One dose of one head. Volumes are µL, `at` is aware UTC.

    `device` is the device's small number, `head` counts from 0. `given` is known once the
    dose is settled. `lifetime_before` is the head's lifetime counter before the dose.
    """

    key: str
    device: int
    head: int
    volume: int
    state: DoseState
    at: datetime
    given: int | None = None
    lifetime_before: int | None = None

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


def settle(
    dose: Dose,
    lifetime_now: int,
    others_open: bool,  # noqa: FBT001
    *,
    tolerance: int = 100,
) -> Dose | None:
    """Decide an open dose from the rise of the lifetime counter, in µL (RES-52).

    Ask only when the pump has had the time to deliver. A rise within `tolerance` of the
    volume is a dose given; a smaller one, partly; none, not given. None when the rise does
    not have this one explanation, and for a settled dose: other doses of the head are open,
    the counter was not read before, went back, rose further than the dose or is at its end.
    """
    if dose.is_settled or others_open or dose.lifetime_before is None:
        return None
    rise = lifetime_now - dose.lifetime_before
    if rise < 0 or rise > dose.volume + tolerance or lifetime_now == _COUNTER_END:
        return None
    if rise == 0:
        return advance(dose, DoseState.NOT_GIVEN)
    if rise < dose.volume - tolerance:
        return advance(dose, DoseState.PARTLY, given=rise)
    return advance(dose, DoseState.GIVEN, given=max(rise, dose.volume))


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
