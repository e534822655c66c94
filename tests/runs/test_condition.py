"""What a wait waits for."""

from typing import Any

import pytest

from custom_components.aquarist.runs import Condition


@pytest.mark.parametrize(
    ("given", "value", "holds"),
    [
        ({"above": 20}, 20.1, True),
        ({"above": 20}, 20, False),
        ({"below": 20}, 19, True),
        ({"below": 20}, 20, False),
        ({"above": 10, "below": 20}, 15, True),
        ({"above": 10, "below": 20}, 5, False),
        ({"above": 10, "below": 20}, 25, False),
        ({"above": 0}, True, False),
        ({"above": 0}, "5", False),
        ({"above": 0}, None, False),
        ({"above": 0}, float("nan"), False),
        ({"equals": 5}, 5.0, True),
        ({"equals": 5}, 6, False),
        ({"equals": "heat"}, "heat", True),
        ({"equals": "heat"}, "cool", False),
        ({"equals": True}, True, True),
        ({"equals": True}, 1, False),
        ({"equals": 1}, True, False),
        ({"equals": False}, False, True),
        ({"equals": 0}, 0, True),
        ({"equals": False}, None, False),
    ],
)
def test_condition(given: dict[str, Any], value: object, holds: bool) -> None:
    """Bounds are left out, a switch is no number, and what is unknown never holds."""
    assert Condition(**given).holds(value) is holds


def test_only_what_is_given_is_written() -> None:
    """None stands for a bound that there is not; zero and false are values."""
    assert Condition(above=0).as_json() == {"above": 0}
    assert Condition(equals=False).as_json() == {"equals": False}
