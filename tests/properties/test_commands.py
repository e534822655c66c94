"""Law 8: whatever is tried, a command only moves forward, and ends once."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from custom_components.aquarist.commands.backoff import command_pause, window_pause
from custom_components.aquarist.commands.command import (
    Command,
    IllegalTransitionError,
    Source,
    advance,
)
from custom_components.aquarist.commands.phases import FINAL, TRANSITIONS, Kind, Phase

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
ORDER = (Phase.PLANNED, Phase.APPLYING, Phase.IN_FORCE, Phase.RESTORING)


def rank(phase: Phase) -> int:
    """Return how far a phase is along the way."""
    return ORDER.index(phase) if phase in ORDER else len(ORDER)


@given(st.lists(st.sampled_from(Phase), max_size=12))
def test_any_tries_make_a_life_that_moves_forward(wanted: list[Phase]) -> None:
    """Illegal steps change nothing; times follow the phases."""
    command = Command(
        id="one",
        device=1,
        kind=Kind.WINDOW,
        action="write_action",
        source=Source.SERVICE,
        created_at=NOON,
    )
    ends = 0
    for number, phase in enumerate(wanted):
        before = command
        at = NOON + timedelta(seconds=number)
        try:
            command = advance(command, phase, at)
        except IllegalTransitionError:
            assert phase not in TRANSITIONS[before.phase]
            assert command is before
            continue
        assert phase in TRANSITIONS[before.phase]
        assert rank(command.phase) > rank(before.phase)
        ends += command.final
        assert command.final == (command.completed_at == at)
        assert command.fingerprint == before.fingerprint
        begun = command.phase in {Phase.APPLYING, Phase.IN_FORCE}
        assert not begun or command.started_at is not None
    assert ends == (command.phase in FINAL)


@given(st.integers(1, 10**6))
def test_pauses_never_shrink_and_never_exceed_a_minute(tries: int) -> None:
    """RES-74."""
    assert 2 <= window_pause(tries) <= window_pause(tries + 1) <= 60
    pause = command_pause(tries)
    assert pause is None or pause == 2.0 ** (tries - 1)
