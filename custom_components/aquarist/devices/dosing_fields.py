"""What dosers have in common: their heads' fields and the checks of a dose. Pure."""

from collections.abc import Sequence

from .device import Head
from .fields import DataType, Field, InvalidValue, whole_number

LONGEST_RUN = 600.0
"""The seconds that a switch of a doser may be on for, unless its keeper says otherwise."""
DOSING_ALLOWED = "dosing_allowed_"
"""What the names of the fields begin with that say whether a head may dose."""
_TENTH = 100


def allowed_field(head: int) -> str:
    """Return the name of the field that says whether a head may dose."""
    return f"{DOSING_ALLOWED}{head}"


def allowed_fields(heads: Sequence[Head]) -> tuple[Field, ...]:
    """Return the virtual fields of the heads."""
    return tuple(
        Field(name=allowed_field(head.index), data_type=DataType.BOOLEAN, virtual=True)
        for head in heads
    )


def head_at(heads: Sequence[Head], index: int) -> Head:
    """Return a head by its 0-based index (RES-60). Raises InvalidValue."""
    return heads[whole_number("head_index", index, 0, len(heads) - 1)]


def check_volume(head: Head, volume: int) -> None:
    """Raise InvalidValue unless the head can give a dose of so many microlitres."""
    whole_number("volume", volume, head.minimum, head.maximum)
    if volume % _TENTH:
        raise InvalidValue(
            "volume", "value_out_of_bounds", value=str(volume), step=str(_TENTH)
        )
