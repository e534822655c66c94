"""What a device configuration may hold: every part is checked, every error names its place.

A pump has a programme or none for each head; a light has a profile (R-C59).
"""

from collections.abc import Mapping, Sized
from typing import Any, Final

import probatio as vol

from ..chihiros.auto_setting import AutoSetting, first_overlap
from ..chihiros.light_profile import LightProfile, ProfileMode, profile_from
from ..commands.actions import ACTIONS
from ..commands.arguments import ArgumentError, checked, several, text, whole, word
from ..commands.schemas import LIGHT_PROFILE
from ..devices.chihiros_doser import ChihirosDoser
from ..devices.chihiros_light import ChihirosLight
from ..devices.device import DeviceKind
from ..devices.doser_actions import programme_of
from ..devices.fields import InvalidValue, wrong_count
from .errors import EngineError
from .intake import attached, id_for
from .state import DeviceState

FORMAT: Final = 1
LONGEST_NAME: Final = 100
MOST_PARTS: Final = 8

_NAME: Final = {vol.Optional("name"): text(LONGEST_NAME)}
_COMMON: Final = {
    vol.Required("format"): whole(FORMAT, FORMAT),
    vol.Optional("revision"): whole(1, 2**31),
} | _NAME
_HEAD: Final = vol.Schema(
    {
        vol.Required("name"): text(LONGEST_NAME),
        vol.Required("programme"): vol.Maybe(vol.Schema({}, extra=vol.ALLOW_EXTRA)),
    }
)
_SCHEMAS: Final[Mapping[str, vol.Schema]] = {
    DeviceKind.CHIHIROS_DOSER: vol.Schema(
        _COMMON
        | {
            vol.Required("kind"): word([DeviceKind.CHIHIROS_DOSER.value]),
            vol.Required("heads"): several(_HEAD, 1, MOST_PARTS),
        }
    ),
    DeviceKind.CHIHIROS_LIGHT: vol.Schema(
        _COMMON
        | {
            vol.Required("kind"): word([DeviceKind.CHIHIROS_LIGHT.value]),
            vol.Required("channels"): several(text(LONGEST_NAME), 1, MOST_PARTS),
            vol.Required("profile"): LIGHT_PROFILE,
        }
    ),
}


def valid_configuration(device: DeviceState, data: object) -> dict[str, Any]:
    """Return a valid configuration for a device. Raises InvalidValue or EngineError."""
    port = attached(device)
    schema = _SCHEMAS.get(port.kind)
    if schema is None:
        raise no_memory(device)
    valid = _checked(schema, data, "configuration")
    if isinstance(port, ChihirosDoser):
        _same_number("heads", valid["heads"], len(port.heads))
        valid["heads"] = [
            {**head, "programme": _programme(index, head["programme"])}
            for index, head in enumerate(valid["heads"])
        ]
    if isinstance(port, ChihirosLight):
        _same_number("channels", valid["channels"], len(port.lamp.channels))
        valid["profile"] = _valid_profile(port, valid["profile"]).as_json()
    return valid


def check_name(name: str) -> None:
    """Raise InvalidValue or EngineError for a name that no configuration can have."""
    _checked(vol.Schema(_NAME), {"name": name}, "name")
    id_for(name, field="name")


def _checked(schema: vol.Schema, data: object, within: str) -> dict[str, Any]:
    """Validate data. Raises InvalidValue."""
    try:
        return checked(schema, data, within=within)
    except ArgumentError as error:
        raise InvalidValue(error.field, error.code, **error.placeholders) from error


def _programme(
    index: int, programme: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """Return a valid programme of a head, without the head."""
    if programme is None:
        return None
    within = f"heads.{index}.programme"
    if "head_index" in programme:
        raise InvalidValue(f"{within}.head_index", "unknown_argument")
    action = "set_doser_schedule"
    try:
        given = ACTIONS[action].checked({**programme, "head_index": index})
        return programme_of(action, given).as_json()
    except (ArgumentError, InvalidValue) as error:
        raise _within(within, error) from error


def _valid_profile(light: ChihirosLight, data: Mapping[str, Any]) -> LightProfile:
    """Return a profile that a light can have. Raises InvalidValue or EngineError."""
    profile = profile_from(data, len(light.lamp.channels))
    if profile.mode is ProfileMode.MANUAL:
        _same_number("profile.levels", profile.levels, len(light.lamp.channels))
    if profile.curve is not None:
        try:
            light.custom_curve(profile.curve.as_json())
        except InvalidValue as error:
            raise _within("profile", error) from error
    valid: list[AutoSetting] = []
    for index, program in enumerate(profile.programs):
        within = f"profile.programs.{index}"
        try:
            light.auto_setting(program.as_json())
        except InvalidValue as error:
            raise _within(within, error) from error
        other = first_overlap(valid, program)
        if other is not None or program.key in [one.key for one in valid]:
            raise EngineError(
                "auto_setting_overlaps",
                field=f"{within}.sunrise",
                other=(other or program).span,
            )
        valid.append(program)
    return profile


def _within(place: str, error: ArgumentError | InvalidValue) -> InvalidValue:
    """Return an error of what lies at a place of the configuration."""
    placeholders = {
        name: shown for name, shown in error.placeholders.items() if name != "field"
    }
    return InvalidValue(f"{place}.{error.field}", error.code, **placeholders)


def _same_number(name: str, given: Sized, wanted: int) -> None:
    """Raise InvalidValue for a device with another number of heads or channels."""
    if len(given) != wanted:
        raise wrong_count(name, len(given), wanted)


def no_memory(device: DeviceState) -> EngineError:
    """Return the error of a device that keeps nothing by itself."""
    return EngineError("no_memory", field="device_id", name=device.row.name)
