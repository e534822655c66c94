"""Faults on demand, by name, so that a test or a control port can set them.

Every fault is set with `times` (how often it strikes; None = until cleared) and, where the table
says so, with one number `value`. The table `MEANINGS` is the documentation of all of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ..frozen import frozen

type Number = int | float


class FaultName(StrEnum):
    """What can go wrong."""

    REFUSE = "refuse"
    OUT_OF_SLOTS = "out_of_slots"
    OUT_OF_RANGE = "out_of_range"
    APP_HOLDS_LINK = "app_holds_link"
    MUTE_CONNECT = "mute_connect"
    WRITE_ERROR = "write_error"
    WRITE_ERROR_AFTER = "write_error_after"
    MUTE_WRITE = "mute_write"
    DROP_AT_BYTE = "drop_at_byte"
    DROP_BEFORE_WRITE = "drop_before_write"
    DROP_AFTER_WRITE = "drop_after_write"
    DROP_IN_DOSE = "drop_in_dose"
    MUTE = "mute"
    LOSE_NOTIFICATION = "lose_notification"
    GARBAGE = "garbage"
    TRUNCATED_SNAPSHOT = "truncated_snapshot"
    POWER_CUT = "power_cut"
    WRONG_CLOCK = "wrong_clock"


class FaultError(ValueError):
    """A fault that cannot be set; `field` names what is wrong."""

    def __init__(self, field: str, problem: str) -> None:
        """Keep the field and say what is wrong with it."""
        super().__init__(f"{field}: {problem}")
        self.field = field


@frozen
class Meaning:
    """What a fault does, and the range of its value when it takes one (`needed` or optional)."""

    text: str
    lowest: Number | None = None
    highest: Number = 0
    whole: bool = True
    needed: bool = True


MEANINGS: Final[Mapping[FaultName, Meaning]] = {
    FaultName.REFUSE: Meaning(text="connect is refused"),
    FaultName.OUT_OF_SLOTS: Meaning(text="connect finds no free connection slot"),
    FaultName.OUT_OF_RANGE: Meaning(
        text="no advertisement, an open link drops, connect finds nothing; times counts attempts"
    ),
    FaultName.APP_HOLDS_LINK: Meaning(
        text="no advertisement, connect is refused, an open link stays; times counts attempts"
    ),
    FaultName.MUTE_CONNECT: Meaning(text="connect is never answered"),
    FaultName.WRITE_ERROR: Meaning(
        text="a write has no effect; with response it fails, the link stays"
    ),
    FaultName.WRITE_ERROR_AFTER: Meaning(
        text="a write takes effect; with response it fails all the same, the link stays"
    ),
    FaultName.MUTE_WRITE: Meaning(
        text="a write takes effect; with response it is never answered, the link stays"
    ),
    FaultName.DROP_AT_BYTE: Meaning(
        text="the link drops when value more bytes have arrived; an incomplete frame has no effect",
        lowest=0,
        highest=1_000_000,
    ),
    FaultName.DROP_BEFORE_WRITE: Meaning(
        text="the link drops at the value-th write from now, which never arrives",
        lowest=1,
        highest=1_000_000,
    ),
    FaultName.DROP_AFTER_WRITE: Meaning(
        text="the link drops at the value-th write from now, right after it took effect",
        lowest=1,
        highest=1_000_000,
    ),
    FaultName.DROP_IN_DOSE: Meaning(
        text="the link drops when the share value of the next dose is out; the pump goes on",
        lowest=0,
        highest=1,
        whole=False,
    ),
    FaultName.MUTE: Meaning(text="writes are taken, a notification is not sent"),
    FaultName.LOSE_NOTIFICATION: Meaning(
        text="a notification with the mode byte value is not sent",
        lowest=0,
        highest=255,
    ),
    FaultName.GARBAGE: Meaning(
        text="random bytes (seed value) are notified before a notification",
        lowest=0,
        highest=2**32,
        needed=False,
    ),
    FaultName.TRUNCATED_SNAPSHOT: Meaning(
        text="a snapshot FE is cut to its first 16 bytes"
    ),
    FaultName.POWER_CUT: Meaning(
        text="the power is cut at once, and comes back after value seconds when given",
        lowest=0,
        highest=10**9,
        whole=False,
        needed=False,
    ),
    FaultName.WRONG_CLOCK: Meaning(
        text="the device's own clock is moved at once by value minutes",
        lowest=-10_080,
        highest=10_080,
        whole=False,
    ),
}


@dataclass(slots=True, kw_only=True)
class Fault:
    """A fault that is set: how often it still strikes, its value, and how far it has counted."""

    name: FaultName
    times: int | None
    value: Number | None
    progress: int = 0


class Faults:
    """The faults of one peripheral."""

    def __init__(
        self,
        *,
        at_once: Mapping[FaultName, Callable[[Number | None], None]],
        on_set: Mapping[FaultName, Callable[[], None]],
    ) -> None:
        """Take what acts at once instead of being kept, and what happens when one is set."""
        self._at_once = at_once
        self._on_set = on_set
        self._set: dict[FaultName, Fault] = {}

    def set(
        self, name: str, *, times: int | None = 1, value: Number | None = None
    ) -> None:
        """Set one fault by name; a fault that is already set is replaced.

        Raises FaultError for an unknown name, times below 1, and a value that is missing,
        unwanted, out of range or not whole where it counts something.
        """
        if name not in FaultName:
            raise FaultError("name", f"no fault is called {name}")
        known = FaultName(name)
        if times is not None and (type(times) is not int or times < 1):
            raise FaultError(
                "times", "a whole number from 1, or null for until cleared"
            )
        _check_value(MEANINGS[known], value)
        if (act := self._at_once.get(known)) is not None:
            act(value)
            return
        self._set[known] = Fault(name=known, times=times, value=value)
        if (react := self._on_set.get(known)) is not None:
            react()

    def clear(self, name: str | None = None) -> None:
        """Take one fault back, or all of them; one that is not set is no error."""
        if name is None:
            self._set.clear()
        elif name in FaultName:
            self._set.pop(FaultName(name), None)
        else:
            raise FaultError("name", f"no fault is called {name}")

    def find(self, name: FaultName) -> Fault | None:
        """Return the fault while it is set, without using it up."""
        return self._set.get(name)

    def take(self, name: FaultName) -> Fault | None:
        """Let the fault strike once, when it is set."""
        fault = self._set.get(name)
        if fault is not None and fault.times is not None:
            fault.times -= 1
            if fault.times == 0:
                del self._set[name]
        return fault

    def reach(self, name: FaultName, amount: int) -> int | None:
        """Count `amount` more writes or bytes toward the value of a counting fault.

        Returns how much of the amount fits before the fault strikes, None while it does not.
        """
        fault = self._set.get(name)
        if fault is None or fault.value is None:
            return None
        left = int(fault.value) - fault.progress
        if amount < left:
            fault.progress += amount
            return None
        fault.progress = 0
        self.take(name)
        return left

    def as_json(self) -> dict[str, dict[str, Number | None]]:
        """Return what is set now as `{name: {times, value}}`."""
        return {
            fault.name.value: {"times": fault.times, "value": fault.value}
            for fault in self._set.values()
        }


def _check_value(meaning: Meaning, value: Number | None) -> None:
    """Refuse a value that the fault cannot have."""
    if meaning.lowest is None:
        if value is not None:
            raise FaultError("value", "this fault takes none")
        return
    if value is None:
        if meaning.needed:
            raise FaultError("value", "this fault needs one")
        return
    kinds = (int,) if meaning.whole else (int, float)
    if type(value) not in kinds or not meaning.lowest <= value <= meaning.highest:
        kind = "whole number" if meaning.whole else "number"
        raise FaultError(
            "value", f"a {kind} from {meaning.lowest} to {meaning.highest}"
        )
