"""Changes: everybody hears of them, in order, and nobody's error is another's."""

import pytest

from custom_components.aquarist.engine.changes import (
    Announcer,
    Change,
    DeviceChanged,
    StoreChanged,
)

FIRST, SECOND = DeviceChanged(device=1), StoreChanged(code=None)


def test_every_listener_hears_every_change_in_order() -> None:
    """Until it does not want to any more."""
    announcer = Announcer()
    assert announcer.hearing(DeviceChanged) == ()
    one: list[Change] = []
    other: list[Change] = []
    stop = announcer.listen(one.append)
    announcer.listen(other.append)
    announcer.announce(FIRST)
    stop()
    stop()
    announcer.announce(SECOND)
    assert one == [FIRST]
    assert other == [FIRST, SECOND]


def test_a_listener_hears_only_of_the_kinds_that_it_asked_for() -> None:
    """Others do not cost it a call."""
    announcer = Announcer()
    heard: list[Change] = []
    stop = announcer.listen(heard.append, StoreChanged)
    announcer.announce(FIRST)
    announcer.announce(SECOND)
    assert heard == [SECOND]
    assert announcer.hearing(DeviceChanged) == ()
    stop()
    announcer.announce(SECOND)
    assert heard == [SECOND]


def test_a_listener_that_fails_is_alone_with_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged with what it failed on."""
    announcer = Announcer()
    heard: list[Change] = []

    def broken(change: Change) -> None:
        raise RuntimeError("broken")

    announcer.listen(broken)
    announcer.listen(heard.append)
    announcer.announce(FIRST)
    assert heard == [FIRST]
    assert "A listener failed on DeviceChanged" in caplog.text


def test_a_listener_may_leave_while_it_listens() -> None:
    """The others hear all the same."""
    announcer = Announcer()
    heard: list[Change] = []
    stops = [announcer.listen(lambda change: stops[0]())]
    announcer.listen(heard.append)
    announcer.announce(FIRST)
    announcer.announce(SECOND)
    assert heard == [FIRST, SECOND]


def test_who_looks_at_one_device_hears_of_that_one() -> None:
    """And of what is about all of them, or about none."""
    announcer = Announcer()
    heard: list[Change] = []
    announcer.listen(heard.append, device=2)
    theirs = (
        DeviceChanged(device=2),
        DeviceChanged(device=0),
        StoreChanged(code=None),
    )

    for change in (DeviceChanged(device=1), *theirs, DeviceChanged(device=3)):
        announcer.announce(change)

    assert heard == list(theirs)


def test_what_is_announced_while_something_acts_is_told_afterwards_in_order() -> None:
    """Also what a listener announces in its turn; then everything is told at once again."""
    announcer = Announcer()
    heard: list[Change] = []
    third = DeviceChanged(device=3)

    def answer(change: Change) -> None:
        heard.append(change)
        if change == FIRST:
            announcer.announce(third)

    announcer.listen(answer)
    with announcer.acting():
        announcer.announce(FIRST)
        announcer.announce(SECOND)
        assert heard == []
    assert heard == [FIRST, SECOND, third]
    announcer.announce(SECOND)
    assert heard == [FIRST, SECOND, third, SECOND]


def test_what_was_announced_is_told_although_the_act_failed() -> None:
    """It is on disk; the fault is that of whoever acted."""
    announcer = Announcer()
    heard: list[Change] = []
    announcer.listen(heard.append)

    def act() -> None:
        with announcer.acting():
            announcer.announce(FIRST)
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        act()
    assert heard == [FIRST]
    announcer.announce(SECOND)
    assert heard == [FIRST, SECOND]


def test_a_listener_that_ends_everything_silences_nobody() -> None:
    """What is no ordinary error gets through; what comes after it is told as ever."""
    announcer = Announcer()
    heard: list[Change] = []

    def interrupted(change: Change) -> None:
        if not heard:
            heard.append(change)
            raise KeyboardInterrupt

    def act() -> None:
        with announcer.acting():
            announcer.announce(FIRST)

    stop = announcer.listen(interrupted)
    with pytest.raises(KeyboardInterrupt):
        act()
    stop()
    announcer.listen(heard.append)
    announcer.announce(SECOND)
    assert heard == [FIRST, SECOND]
