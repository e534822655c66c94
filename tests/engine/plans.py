"""Schedules as the tests of the planner write them, and what became of their moments."""

from collections.abc import Sequence
from sqlite3 import Connection
from typing import Any

from custom_components.aquarist.engine.changes import OccurrenceChanged
from custom_components.aquarist.engine.planner import Planned
from custom_components.aquarist.store import occurrences, schedules
from custom_components.aquarist.store.occurrences import OccurrenceRow
from custom_components.aquarist.store.schedules import ScheduleRow
from tests.engine.rig import Rig


def daily(
    time: str,
    action: str,
    params: dict[str, Any] | None = None,
    *,
    name: str | None = None,
    devices: Sequence[int] = (1,),
    **more: Any,
) -> dict[str, Any]:
    """Return a schedule that is due every day at a time in UTC."""
    hour, minute = (int(part) for part in time.split(":"))
    return {
        "name": name or f"{action} at {time}",
        "device_ids": list(devices),
        "schedule_type": "cron",
        "cron_expression": f"{minute} {hour} * * *",
        "timezone": "UTC",
        "action_type": action,
        "action_params": params or {},
    } | more


def ramp(end: float, seconds: float, **more: Any) -> dict[str, Any]:
    """Return the parameters of a ramp."""
    return {"end_level": end, "duration": seconds} | more


async def create(rig: Rig, data: dict[str, Any]) -> Planned:
    """Store a schedule."""
    return await rig.engine.create_schedule(data, user="keeper")


async def verdicts(rig: Rig, schedule: int | None = None) -> list[OccurrenceRow]:
    """Return the occurrences on disk, oldest moment first."""
    assert rig.engine.database is not None

    def query(connection: Connection) -> list[OccurrenceRow]:
        return occurrences.recent(connection, schedule, 1000)[::-1]

    return await rig.engine.database.read(query)


async def words(rig: Rig, schedule: int | None = None) -> list[tuple[Any, Any]]:
    """Return verdict and reason of the occurrences on disk, oldest moment first."""
    return [(one.verdict, one.reason) for one in await verdicts(rig, schedule)]


async def on_disk(rig: Rig, schedule: int) -> ScheduleRow | None:
    """Return a schedule as it is stored."""
    assert rig.engine.database is not None
    return await rig.engine.database.read(
        lambda connection: schedules.get(connection, schedule)
    )


def announced(rig: Rig) -> list[tuple[str | None, str | None]]:
    """Return verdict and reason of every occurrence that was announced, in order."""
    return [
        (change.verdict, change.reason)
        for change in rig.changes
        if isinstance(change, OccurrenceChanged)
    ]
