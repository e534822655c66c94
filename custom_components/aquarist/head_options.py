"""What a keeper says about a head of a dosing pump: the fields of the forms, and what cannot be.

A pump with heads of its own and a pump on a switch ask the same.
"""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.const import UnitOfTime, UnitOfVolume
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import probatio as vol

from .const import (
    CONF_ADDITIVE,
    CONF_BUDGET_ML,
    CONF_CALIBRATION_DAYS,
    CONF_CONTAINER_ML,
    CONF_LOW_DAYS,
    CONF_MAXIMUM_DOSE_ML,
    CONF_MINIMUM_INTERVAL_MINUTES,
    CONF_ONLY_CALIBRATED,
    CONF_ONLY_IF_FITS,
)
from .container_sizes import LARGEST_CONTAINER_ML
from .data import DATA_ENGINE
from .dosing.calibration import REMINDER_DAYS
from .dosing.volume import millilitres
from .engine.errors import EngineError
from .engine.state import DeviceState
from .form_fields import BUDGET, is_exact, number_field
from .store.errors import StoreError

MAXIMUM_DOSE: Final = number_field(UnitOfVolume.MILLILITERS, 0.1, 6553, 0.1)
CONTAINER: Final = number_field(UnitOfVolume.MILLILITERS, 1, LARGEST_CONTAINER_ML, 0.1)
_INTERVAL: Final = number_field(UnitOfTime.MINUTES, 1, 10080, 1)
_CALIBRATION_DAYS: Final = number_field(UnitOfTime.DAYS, 0, 3650, 1)
_LOW_DAYS: Final = number_field(UnitOfTime.DAYS, 1, 365, 1)
_VOLUMES: Final = (CONF_BUDGET_ML, CONF_MAXIMUM_DOSE_ML)
_NEED_A_CONTAINER: Final = (CONF_ONLY_IF_FITS, CONF_LOW_DAYS)

type Errors = dict[str, str]


def additive_field(hass: HomeAssistant) -> SelectSelector:
    """Return the field that asks for an additive: one that is known, or a new name."""
    return SelectSelector(
        SelectSelectorConfig(
            options=additives(hass),
            custom_value=True,
            mode=SelectSelectorMode.DROPDOWN,
        )
    )


def additives(hass: HomeAssistant) -> list[str]:
    """Return the names of all additives that heads give, in order."""
    engine = hass.data.get(DATA_ENGINE)
    return sorted(
        {
            head.additive
            for device in (engine.devices.values() if engine is not None else ())
            for head in device.limits.heads.values()
            if head.additive
        }
    )


def head_fields(hass: HomeAssistant) -> dict[Any, Any]:
    """Return the fields of a head besides its largest dose, which a switch has to have."""
    return {
        vol.Optional(CONF_ADDITIVE): additive_field(hass),
        vol.Optional(CONF_BUDGET_ML): BUDGET,
        vol.Optional(CONF_MINIMUM_INTERVAL_MINUTES): _INTERVAL,
        vol.Required(CONF_ONLY_CALIBRATED, default=False): BooleanSelector(),
        vol.Required(CONF_CALIBRATION_DAYS, default=REMINDER_DAYS): _CALIBRATION_DAYS,
        vol.Optional(CONF_CONTAINER_ML): CONTAINER,
        vol.Required(CONF_ONLY_IF_FITS, default=False): BooleanSelector(),
        vol.Optional(CONF_LOW_DAYS): _LOW_DAYS,
    }


def entered_head(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was entered for a head; what is empty is no limit, or not there."""
    days = user_input.get(CONF_LOW_DAYS)
    return {
        CONF_ADDITIVE: user_input.get(CONF_ADDITIVE, "").strip() or None,
        CONF_BUDGET_ML: user_input.get(CONF_BUDGET_ML),
        CONF_MAXIMUM_DOSE_ML: user_input.get(CONF_MAXIMUM_DOSE_ML),
        CONF_MINIMUM_INTERVAL_MINUTES: user_input.get(CONF_MINIMUM_INTERVAL_MINUTES),
        CONF_ONLY_CALIBRATED: user_input[CONF_ONLY_CALIBRATED],
        CONF_CALIBRATION_DAYS: int(user_input[CONF_CALIBRATION_DAYS]),
        CONF_CONTAINER_ML: user_input.get(CONF_CONTAINER_ML),
        CONF_ONLY_IF_FITS: user_input[CONF_ONLY_IF_FITS],
        CONF_LOW_DAYS: None if days is None else int(days),
    }


def head_errors(head: Mapping[str, Any]) -> Errors:
    """Return what is wrong with a head, by field."""
    errors = {key: "too_fine" for key in _VOLUMES if not is_exact(head[key])}
    if head[CONF_CONTAINER_ML] is None and any(map(head.get, _NEED_A_CONTAINER)):
        errors[CONF_CONTAINER_ML] = "container_missing"
    return errors


def container_ml(hass: HomeAssistant, uuid: str, head: int) -> float | None:
    """Return the size of a head's container as it is known now, None without one."""
    device = known_device(hass, uuid)
    if device is None:
        return None
    capacity = hass.data[DATA_ENGINE].containers.capacity(device.row.number, head)
    return None if capacity is None else millilitres(capacity)


async def container_errors(
    hass: HomeAssistant, uuid: str, head: int, entered: Mapping[str, Any]
) -> Errors:
    """Have a container removed whose size was taken out of a form; return what went wrong."""
    if entered[CONF_CONTAINER_ML] is not None or not container_ml(hass, uuid, head):
        return {}
    engine = hass.data[DATA_ENGINE]
    try:
        await engine.containers.remove(engine.device(uuid), head, user=None)
    except EngineError, StoreError:
        return {CONF_CONTAINER_ML: "container_kept"}
    return {}


def known_device(hass: HomeAssistant, uuid: str) -> DeviceState | None:
    """Return a device by its id, None as long as there is none."""
    engine = hass.data.get(DATA_ENGINE)
    devices = engine.devices.values() if engine is not None else ()
    return next((device for device in devices if device.row.uuid == uuid), None)
