"""What a central meets when a peripheral does not play along.

Each error carries a machine word in `reason`, so that a transport can translate it into
what its own stack reports.
"""

from typing import ClassVar, override


class SimulatorError(Exception):
    """A radio event that a central has to cope with."""

    reason: ClassVar[str]

    @override
    def __str__(self) -> str:
        """Say what happened."""
        return self.reason.replace("_", " ")


class ConnectError(SimulatorError):
    """An attempt to connect that made no link."""

    reason = "connect_failed"


class Refused(ConnectError):
    """The device refused the connection."""

    reason = "refused"


class OutOfSlots(ConnectError):
    """The adapter or proxy has no connection slot left."""

    reason = "out_of_slots"


class OutOfRange(ConnectError):
    """Nothing is heard of the device."""

    reason = "out_of_range"


class PoweredOff(OutOfRange):
    """The device has no power, which from afar looks like being out of range."""

    reason = "powered_off"


class InUse(ConnectError):
    """Another central holds the only connection (protocol section 1.3)."""

    reason = "in_use"


class HeldByApp(InUse):
    """The vendor's app holds the only connection."""

    reason = "held_by_app"


class ConnectUnanswered(ConnectError):
    """The attempt gets no answer at all: a transport lets it hang until the central gives up."""

    reason = "connect_unanswered"


class LinkLost(SimulatorError):
    """The link is down, or went down during the write."""

    reason = "link_lost"


class WriteFailed(SimulatorError):
    """The write was answered with an error; the link is still up."""

    reason = "write_failed"


class WriteUnanswered(WriteFailed):
    """The write was taken but its response never comes: a transport lets it hang."""

    reason = "write_unanswered"
