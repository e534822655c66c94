"""Why a link to a device cannot be used."""

from enum import StrEnum


class Reason(StrEnum):
    """The machine word of a link's failure; each has a translation."""

    OUT_OF_RANGE = "out_of_range"
    NO_FREE_SLOT = "no_free_slot"
    HELD_BY_APP = "held_by_app"
    LINK_LOST = "link_lost"
    NO_ANSWER = "no_answer"
    WRITE_FAILED = "write_failed"
    UNSUPPORTED = "unsupported"
    STOPPING = "stopping"


class LinkError(Exception):
    """A link could not be opened, or was lost, or refused a write.

    ``reason`` is for programs and translations, ``detail`` for the log.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        """Keep the reason and what was found out about it."""
        super().__init__(f"{reason}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail


class BrokenOffError(LinkError):
    """A stop broke off what was under way: nothing is wrong with the device."""

    def __init__(self) -> None:
        """The connection is gone, by our own will."""
        super().__init__(Reason.LINK_LOST, "broken off")
