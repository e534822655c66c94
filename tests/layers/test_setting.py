"""The value of a field is a mapping of named parts."""

import pytest

from custom_components.aquarist.layers.setting import (
    BESIDE,
    Scalar,
    Setting,
    is_number,
    merged,
    plain,
    same,
)


def test_the_parts_above_win_and_the_rest_shows_through() -> None:
    """Merging takes each part from above, where it is named there."""
    below = {"level": 40, "mix_red": 10}
    assert merged(below, {"level": 80, "mix_blue": 5}) == {
        "level": 80,
        "mix_red": 10,
        "mix_blue": 5,
    }


def test_merging_leaves_both_sides_as_they_are() -> None:
    """A setting is a value: nobody changes it."""
    below: dict[str, Scalar] = {"level": 40}
    above: dict[str, Scalar] = {"level": 80}
    merged(below, above)
    assert (below, above) == ({"level": 40}, {"level": 80})


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        pytest.param(40, 40, True, id="equal numbers"),
        pytest.param(40, 40.5, True, id="at the tolerance"),
        pytest.param(40, 40.51, False, id="beyond the tolerance"),
        pytest.param(1, True, False, id="a bool is not a number"),
        pytest.param(0.0, False, False, id="nor is false zero"),
        pytest.param(True, True, True, id="equal bools"),
        pytest.param(True, False, False, id="different bools"),
        pytest.param("auto", "auto", True, id="equal texts"),
        pytest.param("auto", "manual", False, id="different texts"),
        pytest.param("40", 40, False, id="a text is not a number"),
        pytest.param(float("nan"), float("nan"), False, id="nan is nothing known"),
    ],
)
def test_two_values_of_a_part_agree(
    left: Scalar, right: Scalar, expected: bool
) -> None:
    """Numbers agree within the tolerance, everything else when equal, both ways round."""
    assert same({"part": left}, {"part": right}) is expected
    assert same({"part": right}, {"part": left}) is expected


def test_the_tolerance_is_the_callers() -> None:
    """A caller who knows the device's steps says how far apart equal values may be."""
    assert same({"level": 40}, {"level": 42}, tolerance=2)
    assert not same({"level": 40}, {"level": 40.1}, tolerance=0)


def test_only_parts_that_both_name_are_compared() -> None:
    """A part that one side does not know says nothing."""
    assert same({"level": 40, "mix_red": 1}, {"level": 40, "mix_blue": 99})
    assert not same({"level": 40, "mix_red": 1}, {"level": 50})
    assert same({"level": 40}, {"mode": "auto"})


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, True), (1.5, True), (True, False), (False, False), ("1", False)],
)
def test_what_a_number_is(value: Scalar, expected: bool) -> None:
    """Quantities can move; switches and words cannot."""
    assert is_number(value) is expected


def test_what_goes_along_belongs_to_what_is_covered() -> None:
    """A level that is laid over another one has nothing of it (R-T60)."""
    below: Setting = {"level": 50, BESIDE: "storm"}
    assert merged(below, {"level": 80}) == {"level": 80}
    assert merged(below, {"mix_red": 5}) == {"level": 50, "mix_red": 5}
    assert merged({"level": 80}, below) == below
    assert merged(below, {}) == below
    assert plain(below) == {"level": 50}
    assert plain({"level": 50}) == {"level": 50}
