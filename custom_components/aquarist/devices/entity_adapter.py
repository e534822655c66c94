"""How a Home Assistant entity is read and set: the port that each domain implements."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from math import isfinite
from typing import Any, Protocol, override

from homeassistant.core import State

from ..frozen import frozen
from ..layers.setting import Scalar, Setting, is_number
from .fields import Field


@frozen
class ServiceCall:
    """A service of Home Assistant and its data, the entity left out."""

    domain: str
    service: str
    data: Mapping[str, Any] = field(default_factory=dict)

    @override
    def __str__(self) -> str:
        """Return the name of the service."""
        return f"{self.domain}.{self.service}"


class Switching(StrEnum):
    """What a service that gives no value asks of an entity."""

    ON = "turn_on"
    OFF = "turn_off"
    TOGGLE = "toggle"


type RestsAt = Callable[[str], Setting | None]
"""Gives what a field rests on by its name."""
type Meaning = Setting | Switching | None
"""What a call asks of an entity, None when that is nothing that a field can hold."""


class EntityAdapter(Protocol):
    """Translates between the state of one entity and the setting of one field.

    States handed in are never `unavailable`; `read` gets no `unknown` either.
    ``settle_time`` are the seconds that a setting takes, beyond those for its report.
    """

    @property
    def settle_time(self) -> float:
        """Return how long the thing itself takes to get to a setting."""

    def field(self, state: State | None) -> Field:
        """Describe the field, as far as it is known while there is no state."""

    def read(self, state: State) -> Setting | None:
        """Return what the entity shows, None when it shows nothing that can be understood."""

    def beside(self, state: State) -> str | None:
        """Return what goes along with what the entity shows, and setting it would lose."""

    def calls(self, state: State, wanted: Setting) -> Sequence[ServiceCall]:
        """Return the calls that bring the entity to a setting. Raises DeviceError.

        With something beside it, what cannot be done before the rest shows may be left out:
        it is asked again then.
        """

    def shows(self, state: State, wanted: Setting) -> bool:
        """Return whether the entity shows the setting, within its own resolution."""

    def meant(self, state: State, call: ServiceCall) -> Meaning:
        """Return what somebody's call of a service asks of the entity (law 1)."""


def number_attribute(state: State | None, name: str) -> float | None:
    """Return a numeric attribute, None when it is absent or no number."""
    value = state.attributes.get(name) if state is not None else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return None


def state_number(state: State) -> float | None:
    """Return the state as a number, None when it is none, or not a finite one."""
    try:
        number = float(state.state)
    except ValueError:
        return None
    return number if isfinite(number) else None


def switching(call: ServiceCall, domain: str) -> Switching | None:
    """Return whether a call switches entities of a domain, and does nothing else."""
    if call.domain not in (domain, "homeassistant") or call.data:
        return None
    return Switching(call.service) if call.service in Switching else None


def only_number(
    call: ServiceCall, domain: str, service: str, name: str
) -> float | None:
    """Return the number that a call of a service brings, if it brings nothing else."""
    value = call.data.get(name, "")
    alike = (call.domain, call.service, {*call.data}) == (domain, service, {name})
    return float(value) if alike and is_number(value) else None


def choices(state: State | None, name: str) -> tuple[Scalar, ...]:
    """Return a list attribute of allowed words, empty when it is not known."""
    values = state.attributes.get(name) if state is not None else None
    return (
        tuple(str(value) for value in values)
        if isinstance(values, list | tuple)
        else ()
    )
