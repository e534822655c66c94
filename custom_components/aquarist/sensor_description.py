"""What describes a sensor of ours; apart, so that a table of them may stand anywhere."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from homeassistant.components.sensor import SensorEntityDescription

from .entity import Hears
from .subjects import Subject


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class AquaristSensorDescription[S: Subject](SensorEntityDescription):
    """A sensor of a kind of subject.

    ``expires`` tells the instant, aware UTC, at which the value becomes another one although
    nothing happens.
    """

    value: Callable[[S], float | str | datetime | None]
    hears: Hears
    exists: Callable[[S], bool] = lambda _: True
    attributes: Callable[[S], Mapping[str, Any]] | None = None
    expires: Callable[[S], datetime | None] | None = None
