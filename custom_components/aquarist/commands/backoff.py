"""How long to wait before the next try (RES-74)."""

COMMAND_TRIES = 3
COMMAND_FIRST = 1.0
WINDOW_FIRST = 2.0
WINDOW_LONGEST = 60.0
RESTORE_TRIES = 10


def command_pause(
    tries: int, *, most: int = COMMAND_TRIES, first: float = COMMAND_FIRST
) -> float | None:
    """Return the seconds before the next try of a command, or None when there is none.

    ``tries`` counts the tries already made: 1 s after the first, 2 s after the second.
    """
    return None if tries >= most else first * 2.0 ** (tries - 1)


def window_pause(
    tries: int, *, first: float = WINDOW_FIRST, longest: float = WINDOW_LONGEST
) -> float:
    """Return the seconds before a window's value is tried again: doubling from 2 s to 60 s."""
    return min(first * 2.0 ** min(tries - 1, 10), longest)
