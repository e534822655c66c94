"""Version 1: the first tables.

Instants are microseconds since the epoch, volumes microlitres, JSON is text. Rows
that are history name schedules and occurrences by number without a foreign key: the
numbers are never used again, and history outlives what it tells about. The identity
of a command begins with its id: ids that follow time go to one place of the index,
which makes a batch of commands from many devices a third cheaper.
"""

import sqlite3

_STATEMENTS = (
    """
    CREATE TABLE device (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        uuid TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        address TEXT,
        aquarium TEXT,
        created_at INTEGER NOT NULL,
        retired_at INTEGER
    ) STRICT
    """,
    """
    CREATE TABLE command (
        ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL,
        device INTEGER NOT NULL REFERENCES device (number),
        kind TEXT NOT NULL,
        action TEXT NOT NULL,
        source TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        args TEXT NOT NULL,
        field TEXT,
        value TEXT,
        layer INTEGER,
        phase TEXT NOT NULL,
        starts_at INTEGER,
        ends_at INTEGER,
        expires_at INTEGER,
        timeout REAL NOT NULL,
        repeatable INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        started_at INTEGER,
        completed_at INTEGER,
        result TEXT,
        error_code TEXT,
        error TEXT,
        error_details TEXT,
        schedule INTEGER,
        occurrence INTEGER,
        depth INTEGER NOT NULL,
        user TEXT,
        context TEXT,
        UNIQUE (id, device)
    ) STRICT
    """,
    "CREATE INDEX command_device ON command (device)",
    # Most commands have ended: the index of those that have not stays small.
    """
    CREATE INDEX command_open ON command (ordinal)
    WHERE phase IN ('applying', 'in_force', 'planned', 'restoring')
    """,
    "CREATE INDEX command_created_at ON command (created_at)",
    """
    CREATE INDEX command_schedule ON command (schedule)
    WHERE schedule IS NOT NULL
    """,
    """
    CREATE INDEX command_occurrence ON command (occurrence)
    WHERE occurrence IS NOT NULL
    """,
    """
    CREATE TABLE resting (
        device INTEGER NOT NULL REFERENCES device (number),
        field TEXT NOT NULL,
        setting TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (device, field)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE dose (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL UNIQUE,
        device INTEGER NOT NULL REFERENCES device (number),
        head INTEGER NOT NULL,
        volume INTEGER NOT NULL,
        state TEXT NOT NULL,
        at INTEGER NOT NULL,
        given INTEGER,
        lifetime_before INTEGER,
        command INTEGER,
        source TEXT NOT NULL,
        changed_at INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX dose_head ON dose (device, head, at)",
    "CREATE INDEX dose_at ON dose (at)",
    "CREATE INDEX dose_state ON dose (state)",
    """
    CREATE TABLE counter (
        device INTEGER NOT NULL REFERENCES device (number),
        head INTEGER NOT NULL,
        lifetime INTEGER NOT NULL,
        today INTEGER,
        at INTEGER NOT NULL,
        PRIMARY KEY (device, head)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE schedule (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        definition TEXT NOT NULL,
        revision INTEGER NOT NULL,
        enabled INTEGER NOT NULL,
        next_run INTEGER,
        last_run INTEGER,
        last_run_status TEXT,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE schedule_revision (
        schedule INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        change TEXT NOT NULL,
        definition TEXT NOT NULL,
        user TEXT,
        at INTEGER NOT NULL,
        PRIMARY KEY (schedule, revision)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE occurrence (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        schedule INTEGER NOT NULL,
        at INTEGER NOT NULL,
        last_at INTEGER NOT NULL,
        count INTEGER NOT NULL,
        nominal TEXT,
        depth INTEGER NOT NULL,
        verdict TEXT,
        reason TEXT,
        claimed_at INTEGER NOT NULL,
        decided_at INTEGER,
        UNIQUE (schedule, at),
        UNIQUE (schedule, nominal)
    ) STRICT
    """,
    "CREATE INDEX occurrence_at ON occurrence (at)",
    "CREATE INDEX occurrence_undecided ON occurrence (id) WHERE verdict IS NULL",
    """
    CREATE TABLE setting (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE on_time (
        device INTEGER NOT NULL REFERENCES device (number),
        field TEXT NOT NULL,
        wall INTEGER NOT NULL,
        elapsed REAL NOT NULL,
        boot TEXT NOT NULL,
        PRIMARY KEY (device, field)
    ) STRICT, WITHOUT ROWID
    """,
)


def apply(connection: sqlite3.Connection) -> None:
    """Create the tables of version 1."""
    for statement in _STATEMENTS:
        connection.execute(statement)
