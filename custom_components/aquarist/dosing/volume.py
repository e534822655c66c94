"""Volumes: whole microlitres inside, millilitres outside. 0.1 mL = 100 µL."""

from decimal import Decimal, InvalidOperation

_MICROLITRES = 1000
_LARGEST_MILLILITRES = 1_000_000
_WRITTEN = frozenset("+-.0123456789")


class VolumeError(ValueError):
    """A volume that cannot be used.

    `reason` is a machine word: `not_a_number`, `not_finite`, `negative`, `too_large` (above
    1000 L), `too_fine` (more than one decimal) or `given_out_of_range`.
    """

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(f"volume: {reason}")
        self.reason = reason


def microlitres(ml: float | str | Decimal) -> int:
    """Convert a dose in mL, with at most one decimal, to µL without rounding.

    A float means its shortest decimal notation: 0.3 is three tenths. Raises VolumeError.
    """
    volume = _decimal(ml)
    if not volume.is_finite():
        raise VolumeError("not_finite")
    if volume < 0:
        raise VolumeError("negative")
    if volume > _LARGEST_MILLILITRES:
        raise VolumeError("too_large")
    tenths = round(volume, 1)
    if tenths != volume:
        raise VolumeError("too_fine")
    return int(tenths * _MICROLITRES)


def millilitres(ul: int) -> float:
    """Convert µL to mL."""
    return ul / _MICROLITRES


def _decimal(value: object) -> Decimal:
    """Read a number as it is written, text only in plain digits."""
    match value:
        case bool():
            raise VolumeError("not_a_number")
        case float():
            return Decimal(repr(value))
        case int() | Decimal():
            return Decimal(value)
        case str() if _WRITTEN.issuperset(value):
            try:
                return Decimal(value)
            except InvalidOperation as error:
                raise VolumeError("not_a_number") from error
        case _:
            raise VolumeError("not_a_number")
