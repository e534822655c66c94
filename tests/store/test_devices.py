"""The table of devices: a number each, for ever."""

import sqlite3
from typing import Any

import pytest

from custom_components.aquarist.store import devices
from custom_components.aquarist.store.devices import DeviceRow
from custom_components.aquarist.store.errors import NotStored

from .samples import AT


def ensure(connection: sqlite3.Connection, **changes: Any) -> DeviceRow:
    """Ensure a doser."""
    asked: dict[str, Any] = {
        "uuid": "doser",
        "kind": "doser",
        "name": "Doser",
        "address": "AA:BB:CC:DD:EE:FF",
        "aquarium": "tank",
        "at": AT,
    }
    return devices.ensure(connection, **asked | changes)


def test_a_device_is_stored(connection: sqlite3.Connection) -> None:
    """With the next number."""
    row = ensure(connection)
    assert row == DeviceRow(
        number=4,
        uuid="doser",
        kind="doser",
        name="Doser",
        address="AA:BB:CC:DD:EE:FF",
        aquarium="tank",
        retired_at=None,
    )
    assert devices.load_all(connection)[-1] == row


def test_the_same_device_keeps_its_number(connection: sqlite3.Connection) -> None:
    """What changed about it is brought up to date."""
    first = ensure(connection)
    second = ensure(connection, name="Big doser", aquarium=None)
    assert second.number == first.number
    assert (second.name, second.aquarium) == ("Big doser", None)
    assert len(devices.load_all(connection)) == 4


def test_a_retired_device_stays_and_may_come_back(
    connection: sqlite3.Connection,
) -> None:
    """It belongs to no aquarium meanwhile, and has its old number again afterwards."""
    first = ensure(connection)
    devices.retire(connection, first.number, AT)
    retired = devices.load_all(connection)[-1]
    assert (retired.retired_at, retired.aquarium) == (AT, None)
    again = ensure(connection)
    assert again == first


def test_a_number_is_never_given_again(connection: sqlite3.Connection) -> None:
    """Not even when a row should ever be lost."""
    first = ensure(connection)
    connection.execute("DELETE FROM device WHERE number = ?", (first.number,))
    assert ensure(connection).number == first.number + 1


def test_a_device_that_is_not_there(connection: sqlite3.Connection) -> None:
    """It cannot be retired."""
    with pytest.raises(NotStored):
        devices.retire(connection, 99, AT)
