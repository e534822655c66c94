"""The modes that an aquarium has without any set-up: feeding and maintenance (issue 4).

What stands in the way of nothing when it is off comes back last: a skimmer would foam over
while the water is still settling.
"""

from collections.abc import Iterable, Sequence

from .mode import MINUTE, ModeDefinition
from .mode_definition import FEED, MAINTENANCE
from .steps import DelayStep, HoldStep, ModeStep, ReleaseStep

FEED_MINUTES = 10.0
FEED_LATEST_END = 60.0
MAINTENANCE_MINUTES = 30.0
MAINTENANCE_LATEST_END = 4 * 60.0
STAGE_SECONDS = 5 * MINUTE
"""How much later the last stage comes back than the first."""

_OFF = 0.0
_LEVEL = "level"


def feed(first: Sequence[str], last: Sequence[str]) -> ModeDefinition | None:
    """Return the mode in which pumps stand still; None for an aquarium without any.

    ``first`` and ``last`` are the UUIDs of the pumps by the stage in which they come back.
    """
    return _preset(
        FEED, FEED_MINUTES, FEED_LATEST_END, _off(first), _off(last), dosing=()
    )


def maintenance(
    first: Sequence[str], last: Sequence[str], dosing: Iterable[tuple[str, str]]
) -> ModeDefinition | None:
    """Return the mode in which nothing pumps or doses; None where nothing does anyway.

    ``dosing`` are the UUIDs of dosers with the fields that say whether they may dose.
    """
    forbidden = tuple(
        HoldStep(device_id=device, field_name=field, value=False)
        for device, field in dosing
    )
    return _preset(
        MAINTENANCE,
        MAINTENANCE_MINUTES,
        MAINTENANCE_LATEST_END,
        _off(first),
        _off(last),
        dosing=forbidden,
    )


def _preset(
    name: str,
    minutes: float,
    latest_end: float,
    first: Sequence[HoldStep],
    last: Sequence[HoldStep],
    *,
    dosing: Sequence[HoldStep],
) -> ModeDefinition | None:
    """Return a mode that holds everything and gives it back in two stages."""
    second = (*last, *dosing)
    if not (first or second):
        return None
    steps: list[ModeStep] = [*first, *second]
    steps.append(DelayStep(seconds=minutes * MINUTE, countdown=True))
    steps += _released(first)
    if first and second:
        steps.append(DelayStep(seconds=STAGE_SECONDS))
    steps += _released(second)
    return ModeDefinition(name=name, steps=tuple(steps), latest_end_minutes=latest_end)


def _off(devices: Iterable[str]) -> tuple[HoldStep, ...]:
    """Return the steps that hold pumps off."""
    return tuple(
        HoldStep(device_id=device, field_name=_LEVEL, value=_OFF) for device in devices
    )


def _released(holds: Iterable[HoldStep]) -> list[ModeStep]:
    """Return the steps that let go of what was held, each device once."""
    devices = dict.fromkeys(hold.device_id for hold in holds)
    return [ReleaseStep(device_id=device) for device in devices]
