"""Volumes are whole microlitres; what cannot be dosed exactly is refused."""

from decimal import Decimal
from typing import Any

import pytest

from custom_components.aquarist.dosing import VolumeError, microlitres, millilitres


@pytest.mark.parametrize(
    ("ml", "expected"),
    [
        (0, 0),
        (-0.0, 0),
        (0.1, 100),
        (0.3, 300),
        (1, 1000),
        (25.6, 25_600),
        (999.9, 999_900),
        ("2.5", 2500),
        ("2.50", 2500),
        ("+7", 7000),
        (Decimal("0.2"), 200),
        (Decimal("1E+2"), 100_000),
        (1_000_000, 1_000_000_000),
    ],
)
def test_millilitres_become_microlitres_without_rounding(
    ml: Any, expected: int
) -> None:
    """A float means what it is written as."""
    volume = microlitres(ml)
    assert volume == expected
    assert type(volume) is int


@pytest.mark.parametrize(
    ("ml", "reason"),
    [
        (0.25, "too_fine"),
        (0.1 + 0.2, "too_fine"),
        ("0.01", "too_fine"),
        (Decimal("1." + "0" * 60 + "1"), "too_fine"),
        (-0.1, "negative"),
        ("-3", "negative"),
        (float("nan"), "not_finite"),
        (float("inf"), "not_finite"),
        (Decimal("sNaN"), "not_finite"),
        (1_000_000.1, "too_large"),
        pytest.param(10**6000, "too_large", id="6001 digits"),
        (Decimal("1E+999999"), "too_large"),
        ("", "not_a_number"),
        ("1.2.3", "not_a_number"),
        ("nan", "not_a_number"),
        (" 1", "not_a_number"),
        ("1_0", "not_a_number"),
        ("1e3", "not_a_number"),
        ("٣", "not_a_number"),
        (True, "not_a_number"),
        (None, "not_a_number"),
        ([1], "not_a_number"),
        (b"1", "not_a_number"),
    ],
)
def test_what_is_no_dose_is_refused_with_its_reason(ml: Any, reason: str) -> None:
    """Nothing is rounded, guessed or cut off."""
    with pytest.raises(VolumeError, match=f"^volume: {reason}$") as caught:
        microlitres(ml)
    assert caught.value.reason == reason


def test_microlitres_become_millilitres() -> None:
    """For people and APIs."""
    assert [millilitres(ul) for ul in (0, 100, 2500, 999_900)] == [0, 0.1, 2.5, 999.9]
