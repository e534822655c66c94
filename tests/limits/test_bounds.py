"""Levels stay within their bounds, and off stays off."""

import pytest

from custom_components.aquarist.limits import Bounds, bounded


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, 0), (0.0, 0), (0.1, 20), (20, 20), (50, 50), (80, 80), (99, 80), (-5, 20)],
)
def test_a_level_is_brought_into_its_bounds(value: float, expected: float) -> None:
    """Both ends are allowed; zero is off, not a level."""
    assert bounded(value, Bounds(minimum=20, maximum=80)) == expected


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        (Bounds(), [5, 95]),
        (Bounds(minimum=20), [20, 95]),
        (Bounds(maximum=80), [5, 80]),
        (Bounds(minimum=50, maximum=50), [50, 50]),
    ],
)
def test_an_end_may_be_open(bounds: Bounds, expected: list[float]) -> None:
    """What is not bounded stays as it is."""
    assert [bounded(5, bounds), bounded(95, bounds)] == expected


def test_bounds_without_any_value_between_them_are_refused() -> None:
    """The error names the field."""
    with pytest.raises(ValueError, match="^minimum:"):
        Bounds(minimum=50, maximum=49)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_level_that_is_no_number_is_refused(value: float) -> None:
    """Nothing that could pass every comparison gets through."""
    with pytest.raises(ValueError, match="^value:"):
        bounded(value, Bounds(minimum=0, maximum=100))
