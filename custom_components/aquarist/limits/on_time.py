"""How long something may stay on."""


def off_due(on_since_elapsed: float | None, maximum: float | None) -> float | None:
    """Give the reading of the elapsed clock at which something must go off.

    All values are in seconds. `on_since_elapsed` is the reading when it went on, None while
    it is off; `maximum` is the longest on-time, None without a limit. None when nothing is due.
    """
    if on_since_elapsed is None or maximum is None:
        return None
    return on_since_elapsed + maximum
