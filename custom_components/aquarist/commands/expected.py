"""What a value should have been that is of another type."""

from enum import StrEnum


class Expected(StrEnum):
    """What a field or argument takes. Each word ends the key of a translation."""

    BOOLEAN = "boolean"
    CLOCK = "clock"
    LIST = "list"
    MAPPING = "mapping"
    NUMBER = "number"
    PARTS = "parts"
    TEXT = "text"
    TEXTS = "texts"
    WHOLE_NUMBER = "whole_number"
