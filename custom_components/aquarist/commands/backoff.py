"""How long to wait before the next try (RES-74)."""

COMMAND_TRIES = 3
WINDOW_FIRST = 2.0
WINDOW_LONGEST = 60.0
RESTORE_TRIES = 10


def command_pause(tries: int) -> float | None:
    """Return the seconds before the next try of a command, or None when there is none.

    ``tries`` counts the tries already made: 1 s after the first, 2 s after the second.
    """
    return None if tries >= COMMAND_TRIES else float(2 ** (tries - 1))


def window_pause(tries: int) -> float:
    """Return the seconds before a window's value is tried again: doubling from 2 s to 60 s."""
    return min(WINDOW_FIRST * 2.0 ** min(tries - 1, 10), WINDOW_LONGEST)
