"""What may only be on while something else is proven (law 5)."""

import pytest

from custom_components.aquarist.limits.interlock import (
    Proof,
    Requirement,
    lapses_at,
    noted,
    satisfied,
)

RETURN_PUMP_RUNS = Requirement(above=0)
FLOW_WITHIN_5_MINUTES = Requirement(above=0, reach=300)


@pytest.mark.parametrize(
    ("requirement", "value", "met"),
    [
        (RETURN_PUMP_RUNS, 35.0, True),
        (RETURN_PUMP_RUNS, 0, False),
        (RETURN_PUMP_RUNS, True, False),
        (RETURN_PUMP_RUNS, "on", False),
        (RETURN_PUMP_RUNS, None, False),
        (Requirement(below=30), 29.9, True),
        (Requirement(below=30), 30, False),
        (Requirement(above=20, below=30), 25, True),
        (Requirement(values=frozenset({"on", True})), "on", True),
        (Requirement(values=frozenset({"on", True})), True, True),
        (Requirement(values=frozenset({"on"})), "off", False),
        (Requirement(values=frozenset({True})), 1, False),
    ],
)
def test_a_value_meets_a_requirement_or_not(
    requirement: Requirement, value: float | str | None, *, met: bool
) -> None:
    """Bounds are for numbers, exact values know their type, unknown is never met."""
    assert requirement.met_by(value) is met


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({}, "values"),
        ({"above": 1, "values": frozenset({"on"})}, "values"),
        ({"above": 5, "below": 5}, "above"),
        ({"above": 5, "reach": -1}, "reach"),
    ],
)
def test_a_requirement_that_can_tell_nothing_is_refused(
    wrong: dict[str, object], name: str
) -> None:
    """The error names the field."""
    with pytest.raises(ValueError, match=f"^{name}:"):
        Requirement(**wrong)  # type: ignore[arg-type]


def test_without_reach_only_the_present_counts() -> None:
    """The skimmer goes off with the return pump."""
    proof = noted(RETURN_PUMP_RUNS, Proof(), 40, 10)
    assert satisfied(RETURN_PUMP_RUNS, proof, 1000)
    proof = noted(RETURN_PUMP_RUNS, proof, 0, 1001)
    assert not satisfied(RETURN_PUMP_RUNS, proof, 1001)
    assert lapses_at(RETURN_PUMP_RUNS, proof) is None


def test_with_reach_it_counts_for_a_while_after_it_was_seen_last() -> None:
    """Flow that was there until 100 s counts until 400 s."""
    proof = noted(FLOW_WITHIN_5_MINUTES, Proof(), 3.2, 0)
    proof = noted(FLOW_WITHIN_5_MINUTES, proof, None, 100)
    assert lapses_at(FLOW_WITHIN_5_MINUTES, proof) == 400
    assert satisfied(FLOW_WITHIN_5_MINUTES, proof, 399.9)
    assert not satisfied(FLOW_WITHIN_5_MINUTES, proof, 400)


def test_what_was_not_seen_again_keeps_the_instant_of_the_last_proof() -> None:
    """Many readings of zero do not renew it."""
    proof = noted(FLOW_WITHIN_5_MINUTES, Proof(), 3.2, 0)
    for at in (50, 100, 150):
        proof = noted(FLOW_WITHIN_5_MINUTES, proof, 0, at)
    assert proof == Proof(met=False, last_met=50)


def test_what_was_never_seen_is_not_proven() -> None:
    """Doubt goes to the safe side: nothing lapses, nothing is satisfied."""
    assert not satisfied(FLOW_WITHIN_5_MINUTES, Proof(), 5)
    assert lapses_at(FLOW_WITHIN_5_MINUTES, Proof()) is None
    assert lapses_at(FLOW_WITHIN_5_MINUTES, Proof(met=True, last_met=5)) is None
