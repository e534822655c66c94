"""The table of containers: the newest of each head is in force."""

import sqlite3

import pytest

from custom_components.aquarist.dosing.ledger import DoseState
from custom_components.aquarist.store import containers, doses
from custom_components.aquarist.store.containers import Container, ContainerChange

from .samples import AT, MINUTE, dose


def container(**changes: int) -> Container:
    """Return a container of half a litre, full."""
    asked = {"device": 1, "head": 0, "capacity": 500_000, "filled": 500_000}
    minutes = changes.pop("minutes", 0)
    return Container(**asked | changes, at=AT + minutes * MINUTE)


def test_the_newest_of_each_head_is_in_force(connection: sqlite3.Connection) -> None:
    """Even when the clock went back; what was before stays on disk."""
    first, second = container(), container(minutes=-5, filled=300_000)
    other = container(head=1, capacity=250_000, filled=0)
    containers.add(connection, first, ContainerChange.REFILL, "keeper")
    containers.add(connection, second, ContainerChange.CORRECTION, None)
    containers.add(connection, other, ContainerChange.CAPACITY, None)
    assert containers.load_all(connection) == [second, other]
    told = connection.execute("SELECT change, user FROM container ORDER BY number")
    assert told.fetchall() == [
        ("refill", "keeper"),
        ("correction", None),
        ("capacity", None),
    ]


def test_what_was_used(connection: sqlite3.Connection) -> None:
    """As the ledger counts: all of a dose as long as nobody knows better (law 3)."""
    for number, (state, given) in enumerate(
        (
            (DoseState.GIVEN, 2000),
            (DoseState.PARTLY, 500),
            (DoseState.NOT_GIVEN, 0),
            (DoseState.UNKNOWN, None),
            (DoseState.INTENDED, None),
        )
    ):
        meant = dose(str(number), state=state, given=given, at=AT + number * MINUTE)
        doses.intend(connection, meant, 1, "service")
    doses.intend(connection, dose("other head", head=1), 1, "service")
    doses.intend(connection, dose("other device", device=2), 1, "service")
    assert containers.used_since(connection, 1, 0, AT) == 6500
    assert containers.used_since(connection, 1, 0, AT + MINUTE) == 4500
    assert containers.used_since(connection, 1, 0, AT + 9 * MINUTE) == 0


def test_a_device_that_does_not_exist(connection: sqlite3.Connection) -> None:
    """The store refuses its containers."""
    with pytest.raises(sqlite3.IntegrityError):
        containers.add(connection, container(device=9), ContainerChange.REFILL, None)
