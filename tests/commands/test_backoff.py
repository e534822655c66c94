"""When the next try is due (RES-74)."""

import pytest

from custom_components.aquarist.commands.backoff import (
    COMMAND_TRIES,
    WINDOW_LONGEST,
    command_pause,
    window_pause,
)


def test_a_command_is_tried_three_times() -> None:
    """After 1 s, after 2 s, then no more."""
    assert [command_pause(tries) for tries in (1, 2, 3, 4)] == [1.0, 2.0, None, None]
    assert COMMAND_TRIES == 3


@pytest.mark.parametrize(
    ("tries", "seconds"),
    [(1, 2.0), (2, 4.0), (3, 8.0), (5, 32.0), (6, 60.0), (10_000, WINDOW_LONGEST)],
)
def test_a_window_is_tried_ever_more_rarely(tries: int, seconds: float) -> None:
    """Doubling from 2 s to a minute, however long it takes."""
    assert window_pause(tries) == seconds


def test_the_settings_may_ask_for_other_pauses() -> None:
    """More tries, a longer first pause, a shorter longest one."""
    pauses = [command_pause(tries, most=4, first=0.5) for tries in (1, 2, 3, 4)]
    assert pauses == [0.5, 1.0, 2.0, None]
    assert [window_pause(tries, first=1, longest=3) for tries in (1, 2, 3)] == [1, 2, 3]
