"""Why a device could not do what it was asked."""

from collections.abc import Mapping


class DeviceError(Exception):
    """A device did not do what it was asked.

    ``code`` is a machine word with a translation: `out_of_range`, `no_free_slot`,
    `held_by_app`, `link_lost`, `no_answer`, `write_failed`, `not_confirmed`,
    `entity_missing`, `entity_unavailable`, `service_failed`, `already_running`,
    `stopping`, `unsupported`. A transient error may pass by itself and is worth
    another try, any other is final (RES-73).
    """

    def __init__(self, code: str, *, transient: bool, **placeholders: str) -> None:
        """Keep the code, whether it may pass, and what fills the message."""
        super().__init__(f"{code} {placeholders}" if placeholders else code)
        self.code = code
        self.transient = transient
        self.placeholders = placeholders


class FieldErrors(DeviceError):
    """Some fields were not set, each for a reason of its own; the others were."""

    def __init__(self, by_field: Mapping[str, DeviceError]) -> None:
        """Keep the errors by field; as a whole it is the first of them."""
        first = next(iter(by_field.values()))
        super().__init__(first.code, transient=first.transient, **first.placeholders)
        self.by_field = by_field
