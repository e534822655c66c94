"""The small tables: resting values, counters, on-time anchors, settings."""

from dataclasses import replace
import sqlite3

import pytest

from custom_components.aquarist.store import counters, on_times, resting, settings
from custom_components.aquarist.store.counters import Counter
from custom_components.aquarist.store.on_times import OnTime

from .samples import AT, MINUTE


def test_resting_values(connection: sqlite3.Connection) -> None:
    """One a field, the newest; parts of any kind (law 4)."""
    resting.upsert(connection, 1, "level", {"level": 10}, AT)
    resting.upsert(connection, 1, "level", {"level": 20.5, "mix_red": 1}, AT)
    resting.upsert(connection, 2, "mode", {"mode": "auto", "on": True}, AT)
    resting.upsert(connection, 3, "level", {}, AT)
    resting.remove(connection, 3, "level")
    resting.remove(connection, 3, "level")
    assert resting.load_all(connection) == {
        (1, "level"): {"level": 20.5, "mix_red": 1},
        (2, "mode"): {"mode": "auto", "on": True},
    }


def test_many_resting_values(connection: sqlite3.Connection) -> None:
    """They are stored as one after the other: of a field that is there twice the last one."""
    many = [(1, f"channel_{number}", {"level": number}, AT) for number in range(20)]
    results = resting.upsert_all(connection, [*many, (1, "channel_3", {}, AT)])
    assert len(results) == 21
    assert resting.load_all(connection) == {
        (device, field): {} if field == "channel_3" else setting
        for device, field, setting, _ in many
    }


def test_counters(connection: sqlite3.Connection) -> None:
    """One a head, the newest; the doser may not have said what it gave today."""
    first = Counter(device=1, head=0, lifetime=300, booked=200, today=None, at=AT)
    older = Counter(device=1, head=1, lifetime=100, booked=100, today=10, at=AT)
    newer = replace(
        older,
        lifetime=200,
        booked=150,
        today=20,
        at=AT + MINUTE,
        total=15,
        day=AT.date(),
        blind=True,
    )
    for counter in (older, first, newer):
        counters.upsert(connection, counter)
    assert counters.load_all(connection) == [first, newer]


def test_on_time_anchors(connection: sqlite3.Connection) -> None:
    """Both times and the boot that the elapsed one belongs to (law 6)."""
    on_times.put(connection, 1, "level", AT, 10.5, "a")
    on_times.put(connection, 1, "level", AT + MINUTE, 70.5, "b")
    on_times.put(connection, 2, "level", AT, 1, "a")
    on_times.clear(connection, 2, "level")
    on_times.clear(connection, 2, "level")
    assert on_times.load_all(connection) == [
        OnTime(device=1, field="level", wall=AT + MINUTE, elapsed=70.5, boot="b")
    ]


def test_settings(connection: sqlite3.Connection) -> None:
    """JSON by key; what was never put is None."""
    settings.put(connection, "sweep", 30)
    settings.put(connection, "sweep", {"seconds": [30]})
    settings.put(connection, "allowed", [])
    assert settings.get(connection, "sweep") == {"seconds": [30]}
    assert settings.get(connection, "nothing") is None
    assert settings.load_all(connection) == {"allowed": [], "sweep": {"seconds": [30]}}
    with pytest.raises(TypeError):
        settings.put(connection, "bad", {1, 2})


def test_a_device_that_does_not_exist_has_no_state(
    connection: sqlite3.Connection,
) -> None:
    """The store refuses its rows."""
    with pytest.raises(sqlite3.IntegrityError):
        resting.upsert(connection, 9, "level", {}, AT)
    with pytest.raises(sqlite3.IntegrityError):
        counters.upsert(
            connection,
            Counter(device=9, head=0, lifetime=1, booked=1, today=1, at=AT),
        )
    with pytest.raises(sqlite3.IntegrityError):
        on_times.put(connection, 9, "level", AT, 1, "a")
