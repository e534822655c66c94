"""What a device keeps, on disk: rows in the unit of whatever changed them, and back."""

from collections.abc import Mapping
from datetime import datetime
import sqlite3
from typing import Any

from ..chihiros.auto_setting import auto_setting_from
from ..chihiros.custom_curve import custom_curve_from
from ..commands.actions import ACTIONS
from ..devices.doser_actions import programme_of
from ..store import programmes
from ..store.errors import of_the_store
from ..store.programmes import ProgrammeRow
from .memory_content import AUTO, MODE, AutoMode, AutoSettings, Kept, slot_head

type Changes = Mapping[str, Kept | None]


def save(
    connection: sqlite3.Connection, number: int, changes: Changes, at: datetime
) -> str | None:
    """Store what slots of a device hold from now on, all of it or nothing.

    Returns why that failed, None when it did not; what fails the store as a whole is raised.
    """
    connection.execute("SAVEPOINT memory")
    try:
        for slot, kept in changes.items():
            if kept is None:
                programmes.remove(connection, number, slot)
            else:
                row = ProgrammeRow(
                    device=number, slot=slot, definition=kept.as_json(), written_at=at
                )
                programmes.put(connection, row)
    except sqlite3.Error as error:
        if of_the_store(error):
            raise
        connection.execute("ROLLBACK TO memory")
        connection.execute("RELEASE memory")
        return str(error)
    connection.execute("RELEASE memory")
    return None


def kept_from(slot: str, definition: Mapping[str, Any]) -> Kept:
    """Return what a stored slot holds.

    Raises ValueError, LookupError or TypeError for what is not valid.
    """
    if slot == MODE:
        return AutoMode()
    if slot == AUTO and "channels" in definition:
        return custom_curve_from(ACTIONS["set_custom_curve"].checked(definition))
    if slot == AUTO:
        return AutoSettings(
            settings=tuple(
                auto_setting_from(ACTIONS["add_auto_setting"].checked(one), 1)
                for one in definition["settings"]
            )
        )
    given = {**definition, "head_index": slot_head(slot)}
    return programme_of(
        "set_doser_schedule", ACTIONS["set_doser_schedule"].checked(given)
    )
