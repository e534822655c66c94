"""From a write action that is asked for to its window: validated, or refused by the field.

As for other requests, what was asked is one step, and what it means for the device the
other. Nothing here is stored (law 10).
"""

from datetime import UTC, datetime

from ..commands.command import Command, changed
from ..commands.phases import Kind
from ..layers.claims import Layer
from ..layers.setting import Scalar, Setting
from ..store.commands import WRITE_ACTION
from .errors import EngineError
from .intake import Origin, attached, id_for
from .state import DeviceState


def window_asked(
    number: int,
    field_name: str,
    value: Scalar | Setting,
    origin: Origin,
    now: datetime,
    *,
    start: datetime,
    end: datetime,
    id: str | None = None,
) -> Command:
    """Return the window of a write action, whatever the device makes of it (R-T20 to R-T27).

    Raises EngineError for the first thing that is wrong.
    """
    for name, instant in (("start_timestamp", start), ("end_timestamp", end)):
        if instant.tzinfo is None:
            raise EngineError("naive_time", field=name)
    if end <= start:
        raise EngineError("end_not_after_start", field="end_timestamp")
    if end <= now:
        raise EngineError("end_in_past", field="end_timestamp")
    return Command(
        id=id_for(id),
        device=number,
        kind=Kind.WINDOW,
        action=WRITE_ACTION,
        args={"field_name": field_name, "value": value},
        source=origin.source,
        created_at=now,
        layer=Layer.WINDOW,
        starts_at=start.astimezone(UTC),
        ends_at=end.astimezone(UTC),
        user=origin.user,
        context=origin.context,
        depth=origin.depth,
    )


def window_complete(device: DeviceState, command: Command) -> Command:
    """Return a window with its field and setting. Raises EngineError or InvalidValue."""
    port = attached(device)
    name, value = command.args["field_name"], command.args["value"]
    setting = dict(port.check(name, value))
    return changed(command, field=port.field_of(name), value=setting)
