"""Version 3: commands are filed by their device in a table of its own, not in an index.

An index writes a page for each device of a batch at once; the table is filled now and then.
"""

import sqlite3

_STATEMENTS = (
    "DROP INDEX command_device",
    """
    CREATE TABLE command_by_device (
        device INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        ordinal INTEGER NOT NULL,
        PRIMARY KEY (device, created_at, ordinal)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TRIGGER command_gone AFTER DELETE ON command BEGIN
        DELETE FROM command_by_device
        WHERE device = old.device AND created_at = old.created_at
        AND ordinal = old.ordinal;
    END
    """,
    """
    INSERT INTO command_by_device (device, created_at, ordinal)
    SELECT device, created_at, ordinal FROM command
    ORDER BY device, created_at, ordinal
    """,
    """
    INSERT INTO setting (key, value)
    SELECT 'filed', max(ordinal) FROM command HAVING count(*) > 0
    """,
)


def apply(connection: sqlite3.Connection) -> None:
    """Turn version 2 into version 3; what is there is filed."""
    for statement in _STATEMENTS:
        connection.execute(statement)
