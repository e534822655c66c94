"""The life of a command (law 8)."""

import pytest

from custom_components.aquarist.commands.phases import (
    FINAL,
    HOLDING,
    TRANSITIONS,
    Phase,
)


def test_every_phase_has_its_row() -> None:
    """None is forgotten in the table."""
    assert set(TRANSITIONS) == set(Phase)


def test_what_is_final() -> None:
    """Six ways to end."""
    assert {
        Phase.COMPLETED,
        Phase.FAILED,
        Phase.TIMED_OUT,
        Phase.WITHDRAWN,
        Phase.STOPPED,
        Phase.MISSED,
    } == FINAL


def test_no_phase_is_reached_twice() -> None:
    """Phases only move forward: the table has no way round."""

    def reachable(phase: Phase) -> set[Phase]:
        return set(TRANSITIONS[phase]).union(
            *(reachable(following) for following in TRANSITIONS[phase])
        )

    for phase in Phase:
        assert phase not in reachable(phase)


@pytest.mark.parametrize("phase", [one for one in Phase if one not in FINAL])
def test_every_open_phase_can_end(phase: Phase) -> None:
    """Nothing gets stuck."""
    assert TRANSITIONS[phase] & FINAL


def test_only_what_has_not_begun_can_be_withdrawn_or_missed() -> None:
    """What has begun is stopped."""
    before = {
        phase
        for phase, exits in TRANSITIONS.items()
        if exits & {Phase.WITHDRAWN, Phase.MISSED}
    }
    assert before == {Phase.PLANNED}


def test_a_claim_is_held_while_it_is_written_and_in_force() -> None:
    """Not while it is being given back."""
    assert {Phase.APPLYING, Phase.IN_FORCE} == HOLDING
