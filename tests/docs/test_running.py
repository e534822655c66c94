"""The comparison of documented and real answers sees what differs."""

from typing import Any

import pytest

from .running import same_shape

DOCUMENTED = {"a": 1, "b": [{"c": "text"}], "d": None}


def test_values_may_differ() -> None:
    """Other values, more items and a value instead of null are the same shape."""
    same_shape(DOCUMENTED, {"a": 2.5, "b": [{"c": "other"}, {}], "d": "now"})


@pytest.mark.parametrize(
    "real",
    [
        {"a": 1, "b": [{"c": "text"}]},
        {"a": "1", "b": [{"c": "text"}], "d": None},
        {"a": 1, "b": [], "d": None},
        {"a": 1, "b": [{"x": "text"}], "d": None},
        {"a": 1, "b": {"c": "text"}, "d": None},
    ],
)
def test_differences_are_seen(real: Any) -> None:
    """A missing key, another type, an empty list, another key below."""
    with pytest.raises(AssertionError):
        same_shape(DOCUMENTED, real)
