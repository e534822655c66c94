"""What belongs to a device: calibrations, programmes, configurations."""

from dataclasses import replace
import sqlite3

import pytest

from custom_components.aquarist.store import calibrations, configurations, programmes
from custom_components.aquarist.store.calibrations import Calibration
from custom_components.aquarist.store.configurations import Configuration
from custom_components.aquarist.store.errors import Conflict, NotStored
from custom_components.aquarist.store.programmes import ProgrammeRow

from .samples import AT, MINUTE


def test_the_newest_calibration_of_each_head(connection: sqlite3.Connection) -> None:
    """With the flow where it is known; earlier ones stay on disk."""
    first = Calibration(device=1, head=0, at=AT, asked=4000, measured=3900)
    second = replace(first, at=AT + MINUTE, measured=4100, flow=12.5)
    other = replace(first, head=3)
    for one in (first, other, second):
        calibrations.add(connection, one, "keeper")
    assert calibrations.load_all(connection) == [second, other]
    count = connection.execute("SELECT count(*) FROM calibration").fetchone()
    assert count == (3,)


def test_what_a_slot_holds(connection: sqlite3.Connection) -> None:
    """The last that was written; nothing once it was cleared."""
    first = ProgrammeRow(
        device=1, slot="head_0", definition={"mode": "daily"}, written_at=AT
    )
    second = replace(first, definition={"mode": "timer"}, written_at=AT + MINUTE)
    auto = replace(first, slot="auto")
    for one in (first, auto, second):
        programmes.put(connection, one)
    assert programmes.load_all(connection) == [auto, second]
    for _ in range(2):
        programmes.remove(connection, 1, "auto")
    assert programmes.load_all(connection) == [second]


def put(
    connection: sqlite3.Connection,
    level: int,
    name: str = "summer",
    expected_revision: int | None = None,
) -> Configuration:
    """Store a configuration of the first device."""
    return configurations.put(
        connection,
        1,
        name,
        {"level": level},
        user="keeper",
        at=AT,
        expected_revision=expected_revision,
    )


def test_revisions_of_a_configuration(connection: sqlite3.Connection) -> None:
    """Counted from 1, all of them kept; the newest is the configuration."""
    first, second, winter = (
        put(connection, 1),
        put(connection, 2),
        put(connection, 3, "winter"),
    )
    assert second == Configuration(
        device=1,
        name="summer",
        revision=2,
        definition={"level": 2},
        user="keeper",
        at=AT,
    )
    assert configurations.get(connection, 1, "summer") == second
    assert configurations.get(connection, 2, "summer") is None
    assert configurations.of_device(connection, 1) == [second, winter]
    assert configurations.load_all(connection) == [second, winter]
    assert configurations.revisions(connection, 1, "summer") == [first, second]


def test_a_change_made_from_an_older_revision(connection: sqlite3.Connection) -> None:
    """It is refused with the present one, and nothing is stored."""
    put(connection, 1, expected_revision=0)
    put(connection, 2, expected_revision=1)
    for expected in (0, 1, 3):
        with pytest.raises(Conflict) as refused:
            put(connection, 9, expected_revision=expected)
        assert (refused.value.table, refused.value.key) == ("configuration", "summer")
        assert refused.value.present == 2
    assert len(configurations.revisions(connection, 1, "summer")) == 2


def test_a_configuration_is_removed_as_a_whole(connection: sqlite3.Connection) -> None:
    """Others stay; a second time there is nothing to remove."""
    put(connection, 1)
    put(connection, 2)
    winter = put(connection, 3, "winter")
    configurations.remove(connection, 1, "summer")
    assert configurations.of_device(connection, 1) == [winter]
    assert configurations.revisions(connection, 1, "summer") == []
    with pytest.raises(NotStored):
        configurations.remove(connection, 1, "summer")
    assert put(connection, 4).revision == 1
