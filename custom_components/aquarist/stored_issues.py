"""What is stored and no longer validates: it stays on disk, is skipped, and is told of (law 10)."""

from collections.abc import Iterator, Mapping
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.issue_registry import IssueSeverity

from .data import DATA_ENGINE
from .engine.engine import Engine
from .errors import translated
from .issues import Issue

CONFIGURATION_INVALID = "configuration_invalid"
MACRO_INVALID = "macro_invalid"
MEMORY_INVALID = "memory_invalid"
MODE_DEVICE_RETIRED = "mode_device_retired"
MODE_INVALID = "mode_invalid"
SETTINGS_INVALID = "settings_invalid"


def present(engine: Engine) -> Iterator[Issue]:
    """Yield every stored item that is skipped."""
    if skipped := engine.live_settings.skipped:
        yield _issue(SETTINGS_INVALID, SETTINGS_INVALID, names=", ".join(skipped))
    for macro in engine.macros.all:
        if macro.error is not None:
            yield _issue(
                MACRO_INVALID,
                f"{MACRO_INVALID}_{macro.row.id}",
                {"macro": macro.row.id},
                name=macro.row.name,
                reason=macro.error,
            )
    yield from _modes(engine)
    for (number, name), error in engine.configurations.problems.items():
        yield _issue(
            CONFIGURATION_INVALID,
            f"{CONFIGURATION_INVALID}_{number}_{name}",
            {"device": number, "configuration": name},
            device=number,
            name=name,
            device_name=engine.devices[number].row.name,
            reason=str(translated(error)),
        )
    for number, slots in _unreadable(engine).items():
        yield _issue(
            MEMORY_INVALID,
            f"{MEMORY_INVALID}_{number}",
            fixable=False,
            name=engine.devices[number].row.name,
            slots=", ".join(slots),
        )


def _modes(engine: Engine) -> Iterator[Issue]:
    """Yield the modes that cannot be started, and those that have lost a device."""
    there = {
        device.row.uuid
        for device in engine.devices.values()
        if device.row.retired_at is None
    }
    for mode in engine.modes.definitions.stored:
        if mode.row is None:
            continue
        data = {"aquarium": mode.aquarium, "mode": mode.name}
        if mode.error is not None:
            yield _issue(
                MODE_INVALID,
                f"{MODE_INVALID}_{mode.row.id}",
                data,
                name=mode.name,
                reason=mode.error,
            )
            continue
        definition = mode.definition if mode.row.enabled else None
        if definition is not None and not definition.devices <= there:
            yield _issue(
                MODE_DEVICE_RETIRED,
                f"{MODE_DEVICE_RETIRED}_{mode.row.id}",
                data,
                name=mode.name,
            )


def _unreadable(engine: Engine) -> dict[int, list[str]]:
    """Return what is stored of the memories of devices and cannot be read, by device."""
    found: dict[int, list[str]] = {}
    for number, slot in sorted(engine.device_memory.content.unreadable):
        if number in engine.devices:
            found.setdefault(number, []).append(slot)
    return found


def _issue(
    key: str,
    id: str,
    data: Mapping[str, str | int | None] | None = None,
    *,
    fixable: bool = True,
    device: int | None = None,
    **placeholders: str,
) -> Issue:
    """Return an issue."""
    return Issue(
        id=id,
        key=key,
        placeholders=placeholders,
        data=data or {},
        severity=IssueSeverity.WARNING,
        fixable=fixable,
        device=device,
    )


async def use_defaults(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """Go back to the defaults for the settings that cannot be used."""
    await hass.data[DATA_ENGINE].live_settings.forget_skipped()


async def delete_macro(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """Delete a macro that cannot be run."""
    await hass.data[DATA_ENGINE].macros.delete(int(data["macro"]), user=None)


async def delete_mode(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """Delete a mode that cannot be started."""
    definitions = hass.data[DATA_ENGINE].modes.definitions
    await definitions.delete(data["aquarium"], data["mode"], user=None)


async def remove_configuration(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """Remove a configuration that cannot be applied."""
    engine = hass.data[DATA_ENGINE]
    await engine.configurations.remove(
        engine.device(int(data["device"])), data["configuration"]
    )
