"""What devices keep, on disk: all of it or nothing, and what fails whom."""

from datetime import UTC, datetime
from pathlib import Path
import sqlite3
from typing import Any

import pytest

from custom_components.aquarist.engine.memory_content import AutoSettings
from custom_components.aquarist.engine.memory_saving import kept_from, save
from custom_components.aquarist.store import devices, programmes
from custom_components.aquarist.store.database import Database

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAILY = {
    "mode": "single",
    "volume_tenths_ml": 50,
    "hour": 8,
    "minute": 30,
    "weekdays": ["everyday"],
    "catch_up": False,
}


@pytest.fixture
async def connection(tmp_path: Path) -> Any:
    """Give a connection to a store with one device."""
    database = await Database.open(tmp_path / "aquarist.db", at=NOW)
    await database.close()
    connection = sqlite3.connect(tmp_path / "aquarist.db", autocommit=True)
    devices.ensure(
        connection,
        uuid="u",
        kind="chihiros_doser",
        name="Doser",
        address=None,
        aquarium=None,
        at=NOW,
    )
    connection.execute("BEGIN")
    yield connection
    connection.close()


def slots(connection: sqlite3.Connection) -> dict[str, Any]:
    """Return what is stored."""
    return {row.slot: row.definition for row in programmes.load_all(connection)}


def test_slots_are_put_and_removed(connection: sqlite3.Connection) -> None:
    """In the transaction of whoever asks."""
    programme = kept_from("head_0", DAILY)
    auto = AutoSettings()
    assert save(connection, 1, {"head_0": programme, "auto": auto}, NOW) is None
    assert slots(connection) == {
        "head_0": DAILY,
        "auto": {"settings": []},
    }
    assert save(connection, 1, {"head_0": None}, NOW) is None
    assert {*slots(connection)} == {"auto"}
    assert connection.in_transaction


def test_what_is_refused_leaves_nothing(connection: sqlite3.Connection) -> None:
    """The transaction goes on without it, and the reason is told."""
    connection.execute(
        "CREATE TEMP TRIGGER refuse BEFORE INSERT ON programme WHEN NEW.slot = 'auto' "
        "BEGIN SELECT RAISE(ABORT, 'not this one'); END"
    )
    kept = {"head_0": kept_from("head_0", DAILY), "auto": AutoSettings()}
    assert save(connection, 1, kept, NOW) == "not this one"
    assert slots(connection) == {}
    assert connection.in_transaction


def test_a_store_that_fails_is_raised(connection: sqlite3.Connection) -> None:
    """It fails whoever asked, the end of a command most of all."""
    connection.execute("PRAGMA query_only=ON")
    with pytest.raises(sqlite3.OperationalError):
        save(connection, 1, {"auto": AutoSettings()}, NOW)


@pytest.mark.parametrize(
    ("slot", "definition"),
    [
        ("head_0", {}),
        ("head_0", {**DAILY, "volume_tenths_ml": 65_535}),
        ("head_9", DAILY),
        ("lid", DAILY),
        ("auto", {}),
        ("auto", {"settings": [{}]}),
    ],
)
def test_what_does_not_validate_is_refused(
    slot: str, definition: dict[str, Any]
) -> None:
    """Whatever is wrong with it (law 10)."""
    with pytest.raises((ValueError, LookupError)):
        kept_from(slot, definition)
