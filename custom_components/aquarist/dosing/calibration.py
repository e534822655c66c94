"""How true a head is: its flow as measured, and what it gives of what it is asked for."""

from collections.abc import Iterable
from datetime import datetime

from ..frozen import frozen
from .ledger import BY_ITSELF, Dose, DoseState

# A hose that is this old has changed: measure again, unless the keeper says otherwise.
REMINDER_DAYS = 180
# A measurement further off than this is a slip of the hand.
FURTHEST_OFF = 5
# The counters show tenths: a dose must be large enough for one of them not to matter.
ENOUGH_OF_A_DOSE = 1000
ENOUGH_TOGETHER = 10_000
LAST_DOSES = 20
# Below this share of its volume a dose was broken off, which says nothing about the flow.
BROKEN_OFF = 0.8
DRIFT_PERCENT = 10.0
# What went out of a container must be enough for a look at its scale to tell.
ENOUGH_SEEN = 20_000


@frozen
class Seen:
    """What a keeper saw in a container at an instant, nothing having been filled in.

    `counted` µL should have gone out of it since it was known last, `taken` µL have.
    """

    at: datetime
    counted: int
    taken: int

    @property
    def tells(self) -> bool:
        """Return whether it says something about the flow, and can be."""
        possible = self.counted <= self.taken * FURTHEST_OFF
        return (
            self.counted >= ENOUGH_SEEN
            and possible
            and self.taken <= self.counted * FURTHEST_OFF
        )


@frozen
class Delivery:
    """What a head was asked for and gave, µL, and the drift in percent of what was asked.

    `doses` are the last doses that were compared, none where the keeper looked into the
    container. `drift` is None as long as too little was given to tell.
    """

    doses: int
    asked: int
    given: int
    drift: float | None
    recalibration_suggested: bool


def measured_flow(asked: int, measured: int, flow: float) -> float:
    """Return the true flow, µL a second, of a head that gave `measured` instead of `asked`.

    `flow` is what it was taken for. Raises ValueError, naming the measurement, for one that
    cannot be.
    """
    if asked <= 0:
        raise ValueError("asked: nothing was asked for")
    if not asked <= measured * FURTHEST_OFF or measured > asked * FURTHEST_OFF:
        raise ValueError("measured: too far from what was asked for")
    return flow * measured / asked


def delivery(doses: Iterable[Dose], seen: Seen | None = None) -> Delivery:
    """Compare what was asked for with what was given, newest doses last.

    What the keeper has `seen` since the last calibration says more than any counter.
    """
    if seen is not None and seen.tells:
        return _compared(0, seen.counted, seen.taken)
    telling = [dose for dose in doses if _tells(dose)][-LAST_DOSES:]
    asked = sum(dose.volume for dose in telling)
    given = sum(dose.counted for dose in telling)
    return _compared(len(telling), asked, given)


def _compared(doses: int, asked: int, given: int) -> Delivery:
    """Compare two volumes, if they are large enough."""
    drift = (given - asked) * 100 / asked if asked >= ENOUGH_TOGETHER else None
    return Delivery(
        doses=doses,
        asked=asked,
        given=given,
        drift=drift,
        recalibration_suggested=drift is not None and abs(drift) >= DRIFT_PERCENT,
    )


def _tells(dose: Dose) -> bool:
    """Tell whether a dose says something about the flow."""
    whole = dose.state is DoseState.GIVEN or (
        dose.state is DoseState.PARTLY and dose.counted >= dose.volume * BROKEN_OFF
    )
    return whole and dose.volume >= ENOUGH_OF_A_DOSE and dose.source not in BY_ITSELF
