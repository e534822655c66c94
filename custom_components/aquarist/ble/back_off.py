"""How long a link leaves a device alone after a failed connect."""

FIRST = 1.0
LONGEST = 60.0


class BackOff:
    """Pauses of 1, 2, 4 … 60 s between tries. Instants are readings of an elapsed clock, in seconds."""

    def __init__(self) -> None:
        """Start without a pause."""
        self._pause = 0.0
        self.next_try: float | None = None

    def failed(self, now: float) -> None:
        """Note a failed try: the next one is due after a pause twice as long as the last."""
        self._pause = min(self._pause * 2 or FIRST, LONGEST)
        self.next_try = now + self._pause

    def reset(self) -> None:
        """Forget the failures: after a success, or when the device is heard again."""
        self._pause = 0.0
        self.next_try = None

    def waiting(self, now: float) -> bool:
        """Return whether the next try is not due yet."""
        return self.next_try is not None and now < self.next_try
