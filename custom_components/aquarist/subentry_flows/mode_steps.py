"""The steps of a mode as its form asks for them and shows them; stored they are JSON values."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from homeassistant.const import UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    Selector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
import probatio as vol

from ..api.device_fields import SingleField, single_fields
from ..const import CONF_ABOVE, CONF_BELOW
from ..data import DATA_ENGINE
from ..devices.fields import LEVEL, DataType, Field
from ..engine.state import DeviceState
from ..form_fields import number_field
from ..layers.setting import Scalar
from ..runs.mode import MINUTE
from ..runs.mode_definition import LONGEST_MINUTES
from ..runs.steps import OnTimeout
from .field_names import Words, name_of

CONF_EQUALS: Final = "equals"
CONF_GO_ON: Final = "go_on"
CONF_MINUTES: Final = "minutes"
CONF_VALUE: Final = "value"

type Step = Mapping[str, Any]

COUNTDOWN: Final[Step] = {"countdown": True}
MINUTES: Final = number_field(UnitOfTime.MINUTES, 0.1, LONGEST_MINUTES)
DELAY_SCHEMA: Final = vol.Schema({vol.Required(CONF_MINUTES, default=5): MINUTES})


def devices_in(hass: HomeAssistant, aquarium: str) -> dict[str, DeviceState]:
    """Return the devices of an aquarium by UUID, in the order in which they were added."""
    return {
        device.row.uuid: device
        for _, device in sorted(hass.data[DATA_ENGINE].devices.items())
        if device.row.aquarium == aquarium
    }


def fields_in(
    hass: HomeAssistant, aquarium: str, *, writable: bool
) -> dict[str, tuple[DeviceState, SingleField]]:
    """Return the fields of all devices of an aquarium; the key tells device and field."""
    return {
        f"{uuid}/{name}": (device, field)
        for uuid, device in devices_in(hass, aquarium).items()
        for name, field in single_fields(device).items()
        if field.description.writable or not writable
    }


def choice(labels: Mapping[str, str]) -> SelectSelector:
    """Return a field with these choices."""
    options = [SelectOptionDict(value=key, label=text) for key, text in labels.items()]
    return SelectSelector(
        SelectSelectorConfig(options=options, mode=SelectSelectorMode.DROPDOWN)
    )


def field_choice(
    fields: Mapping[str, tuple[DeviceState, SingleField]], words: Words
) -> SelectSelector:
    """Return the field that asks for a field of a device."""
    return choice(
        {
            key: f"{device.row.name}: {name_of(device, field, words)}"
            for key, (device, field) in fields.items()
        }
    )


def value_schema(field: Field) -> vol.Schema:
    """Return the form for the value that is held: off is suggested."""
    suggested: Scalar | None = None
    if field.data_type is DataType.BOOLEAN:
        suggested = False
    elif field.name == LEVEL:
        suggested = 0
    key = vol.Required(CONF_VALUE, description={"suggested_value": suggested})
    return vol.Schema({key: _value_field(field)})


def wait_schema(field: Field) -> vol.Schema:
    """Return the form for what a wait waits for."""
    asked: dict[Any, Any] = {vol.Required(CONF_EQUALS): _value_field(field)}
    if field.data_type is DataType.NUMBER:
        number = number_field(field.unit)
        asked = {vol.Optional(CONF_ABOVE): number, vol.Optional(CONF_BELOW): number}
    return vol.Schema(
        {
            **asked,
            vol.Required(CONF_MINUTES, default=30): MINUTES,
            vol.Required(CONF_GO_ON, default=False): BooleanSelector(),
        }
    )


def hold_step(key: str, field: Field, value: Any) -> Step:
    """Return the step that holds a field."""
    uuid, name = key.split("/", 1)
    number = field.data_type is DataType.NUMBER and not isinstance(value, bool)
    return {
        "hold": {
            "device_id": uuid,
            "field_name": name,
            "value": float(value) if number else value,
        }
    }


def wait_step(key: str, entered: Mapping[str, Any]) -> Step:
    """Return the step that waits for a field."""
    uuid, name = key.split("/", 1)
    condition = {
        word: entered[word]
        for word in (CONF_ABOVE, CONF_BELOW, CONF_EQUALS)
        if entered.get(word) is not None
    }
    goes_on = OnTimeout.CONTINUE if entered[CONF_GO_ON] else OnTimeout.STOP
    return {
        "wait": {
            "device_id": uuid,
            "field_name": name,
            **condition,
            "timeout": entered[CONF_MINUTES] * MINUTE,
            "on_timeout": goes_on.value,
        }
    }


def delay_step(minutes: float) -> Step:
    """Return the step that lets time pass."""
    return {"delay": minutes * MINUTE}


def release_step(uuid: str) -> Step:
    """Return the step that gives a device back."""
    return {"release": {"device_id": uuid, "field_name": None}}


def held_in(steps: Sequence[Step]) -> tuple[str, ...]:
    """Return the UUIDs of the devices that the steps hold, each once."""
    return tuple(
        dict.fromkeys(step["hold"]["device_id"] for step in steps if "hold" in step)
    )


def texts(
    steps: Sequence[Step], names: Mapping[str, str], duration: float
) -> list[str]:
    """Return the steps as they are listed; their signs are in no language.

    ``names`` are those of devices by UUID, and of fields by UUID and field.
    """
    return [
        f"{number}. {text}"
        for number, text in enumerate(_texts(steps, names, duration), 1)
    ]


def _texts(
    steps: Sequence[Step], names: Mapping[str, str], duration: float
) -> Iterator[str]:
    """Yield the text of each step."""
    for step in steps:
        ((kind, what),) = step.items()
        if kind == "countdown":
            yield f"⏳ {duration:g} min"
            continue
        if kind == "delay":
            yield f"⏸ {what / MINUTE:g} min"
            continue
        uuid, field = what["device_id"], what["field_name"]
        name = names.get(uuid, uuid)
        field = names.get(f"{uuid}/{field}", field)
        if kind == "hold":
            yield f"{name}: {field} → {_shown(what['value'])}"
        elif kind == "release":
            yield f"↩ {name}" if field is None else f"↩ {name}: {field}"
        else:
            yield f"⏱ {name}: {field} {_condition(what)}"


def _condition(wait: Mapping[str, Any]) -> str:
    """Return what a wait waits for, and how long."""
    signs = ((CONF_ABOVE, ">"), (CONF_BELOW, "<"), (CONF_EQUALS, "="))
    wanted = " ".join(
        f"{sign} {_shown(wait[word])}" for word, sign in signs if word in wait
    )
    goes_on = wait["on_timeout"] == OnTimeout.CONTINUE
    return f"{wanted} (≤ {wait['timeout'] / MINUTE:g} min{' ▸' if goes_on else ''})"


def _shown(value: Scalar) -> str:
    """Return a value without decimals that say nothing."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, int | float) else value


def _value_field(field: Field) -> Selector[Any]:
    """Return the field of a form for a value of a device's field."""
    if field.data_type is DataType.BOOLEAN:
        return BooleanSelector()
    if field.data_type is DataType.NUMBER:
        return number_field(field.unit, field.minimum, field.maximum)
    if field.values:
        return choice({str(value): str(value) for value in field.values})
    return TextSelector()
