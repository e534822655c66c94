"""Version 2: runs, definitions, what the heads pump from, and lists by every filter.

A command lists by the columns that it can be asked for: each index ends with the
instant of acceptance, so that a page of the newest is read off its end. What a command
belongs to has an index only where it is known; most commands have completed, so that
one small index finds all that have not, the open ones among them.
"""

import sqlite3

_STATEMENTS = (
    "ALTER TABLE command ADD COLUMN run INTEGER",
    "ALTER TABLE command ADD COLUMN step INTEGER",
    "ALTER TABLE command ADD COLUMN retry_of TEXT",
    "DROP INDEX command_device",
    "DROP INDEX command_open",
    "DROP INDEX command_schedule",
    "CREATE INDEX command_device ON command (device, created_at)",
    "CREATE INDEX command_action ON command (action, created_at)",
    """
    CREATE INDEX command_phase ON command (phase, created_at)
    WHERE phase <> 'completed'
    """,
    """
    CREATE INDEX command_user ON command (user, created_at)
    WHERE user IS NOT NULL
    """,
    "CREATE INDEX command_run ON command (run) WHERE run IS NOT NULL",
    "ALTER TABLE dose ADD COLUMN additive TEXT",
    "ALTER TABLE dose ADD COLUMN aquarium TEXT",
    "DROP INDEX dose_state",
    """
    CREATE INDEX dose_open ON dose (number)
    WHERE state IN ('intended', 'sent', 'unknown')
    """,
    "ALTER TABLE counter ADD COLUMN booked INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE counter ADD COLUMN total INTEGER",
    "ALTER TABLE counter ADD COLUMN day TEXT",
    "ALTER TABLE counter ADD COLUMN blind INTEGER",
    """
    UPDATE counter SET booked = coalesce((
        SELECT open.lifetime_before + (
            SELECT coalesce(sum(coalesce(later.given, later.volume)), 0)
            FROM dose AS later
            WHERE later.device = open.device AND later.head = open.head
            AND later.number > open.number AND later.lifetime_before IS NOT NULL
            AND later.state IN ('given', 'partly')
        )
        FROM dose AS open
        WHERE open.device = counter.device AND open.head = counter.head
        AND open.state IN ('intended', 'sent', 'unknown')
        AND open.lifetime_before IS NOT NULL
        ORDER BY open.number LIMIT 1
    ), lifetime)
    """,
    """
    CREATE TABLE container (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        device INTEGER NOT NULL REFERENCES device (number),
        head INTEGER NOT NULL,
        change TEXT NOT NULL,
        capacity INTEGER NOT NULL,
        filled INTEGER NOT NULL,
        at INTEGER NOT NULL,
        user TEXT,
        counted INTEGER,
        taken INTEGER
    ) STRICT
    """,
    "CREATE INDEX container_head ON container (device, head)",
    """
    CREATE TABLE calibration (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        device INTEGER NOT NULL REFERENCES device (number),
        head INTEGER NOT NULL,
        at INTEGER NOT NULL,
        asked INTEGER NOT NULL,
        measured INTEGER NOT NULL,
        flow REAL,
        user TEXT
    ) STRICT
    """,
    "CREATE INDEX calibration_head ON calibration (device, head)",
    """
    CREATE TABLE programme (
        device INTEGER NOT NULL REFERENCES device (number),
        slot TEXT NOT NULL,
        definition TEXT NOT NULL,
        written_at INTEGER NOT NULL,
        PRIMARY KEY (device, slot)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE configuration (
        device INTEGER NOT NULL REFERENCES device (number),
        name TEXT NOT NULL,
        revision INTEGER NOT NULL,
        definition TEXT NOT NULL,
        user TEXT,
        at INTEGER NOT NULL,
        PRIMARY KEY (device, name, revision)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE definition (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        definition TEXT NOT NULL,
        revision INTEGER NOT NULL,
        enabled INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        removed_at INTEGER
    ) STRICT
    """,
    """
    CREATE UNIQUE INDEX definition_name ON definition (kind, name)
    WHERE removed_at IS NULL
    """,
    """
    CREATE TABLE definition_revision (
        definition INTEGER NOT NULL REFERENCES definition (id),
        revision INTEGER NOT NULL,
        change TEXT NOT NULL,
        name TEXT NOT NULL,
        content TEXT NOT NULL,
        user TEXT,
        at INTEGER NOT NULL,
        PRIMARY KEY (definition, revision)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE run (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        definition_id INTEGER,
        name TEXT NOT NULL,
        definition TEXT NOT NULL,
        subject TEXT,
        state TEXT NOT NULL,
        step INTEGER NOT NULL,
        data TEXT NOT NULL,
        source TEXT NOT NULL,
        user TEXT,
        context TEXT,
        started_at INTEGER NOT NULL,
        ended_at INTEGER,
        error_code TEXT,
        error TEXT
    ) STRICT
    """,
    "CREATE INDEX run_kind ON run (kind)",
    "CREATE INDEX run_open ON run (id) WHERE ended_at IS NULL",
    "CREATE INDEX run_ended ON run (ended_at) WHERE ended_at IS NOT NULL",
    """
    CREATE TABLE run_step (
        run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
        step INTEGER NOT NULL,
        state TEXT NOT NULL,
        started_at INTEGER,
        ended_at INTEGER,
        deadline TEXT,
        result TEXT,
        error_code TEXT,
        error TEXT,
        PRIMARY KEY (run, step)
    ) STRICT, WITHOUT ROWID
    """,
)


def apply(connection: sqlite3.Connection) -> None:
    """Turn version 1 into version 2; no row is lost or changed."""
    for statement in _STATEMENTS:
        connection.execute(statement)
