"""Device configurations: what Aquarist wrote into a device's memory, by name (R-C59).

Each saving is a revision, from 1 on. An export is JSON that every device of the same set-up
can import; applying one sends the commands that it takes (law 1).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from sqlite3 import Connection
from typing import Any, Final

import probatio as vol

from ..chihiros.auto_setting import MOST_SETTINGS, AutoSetting, first_overlap
from ..commands.actions import ACTIONS
from ..commands.arguments import (
    ArgumentError,
    checked,
    flag,
    several,
    text,
    whole,
    word,
)
from ..commands.command import Command, Source
from ..commands.schemas import AUTO_SETTING
from ..devices.chihiros_doser import ChihirosDoser
from ..devices.chihiros_light import ChihirosLight
from ..devices.device import DeviceKind
from ..devices.doser_actions import programme_of
from ..devices.fields import InvalidValue
from ..store import configurations as rows
from ..store.configurations import Configuration
from ..store.errors import NotStored
from .errors import EngineError
from .ground import Ground
from .intake import Origin, attached
from .memory_power import Send
from .state import DeviceState

FORMAT: Final = 1
LONGEST_NAME: Final = 100
MOST_PARTS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One of the commands that apply a configuration."""

    action: str
    args: Mapping[str, Any]
    confirm: bool = False


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
            vol.Required("settings"): several(AUTO_SETTING, 0, MOST_SETTINGS),
            vol.Required("active"): flag,
        }
    ),
}


class Configurations:
    """Saves, lists, exports, imports and applies them."""

    def __init__(self, ground: Ground, send: Send) -> None:
        """Look into what the devices keep; ``send`` is the way to change it."""
        self._clock = ground.clock
        self._journal = ground.journal
        self._database = ground.database
        self._memory = ground.memory
        self._send = send

    async def save(
        self, device: DeviceState, name: str, user: str | None
    ) -> Configuration:
        """Store what a device keeps now as the next revision of a name.

        Raises EngineError, InvalidValue or StoreError.
        """
        return await self._put(device, name, self.snapshot(device), user)

    def snapshot(self, device: DeviceState) -> dict[str, Any]:
        """Return what a device keeps, and its set-up, as JSON values. Raises EngineError."""
        number = device.row.number
        match attached(device):
            case ChihirosDoser() as doser:
                kept = self._memory.programmes(number)
                heads = [
                    {
                        "name": head.name,
                        "programme": kept[head.index].as_json()
                        if head.index in kept
                        else None,
                    }
                    for head in doser.heads
                ]
                return {"format": FORMAT, "kind": doser.kind.value, "heads": heads}
            case ChihirosLight() as light:
                return {
                    "format": FORMAT,
                    "kind": light.kind.value,
                    "channels": list(light.lamp.channels),
                    **self._memory.auto_settings(number).as_json(),
                    "active": self._memory.follows(number),
                }
        raise _no_memory(device)

    async def all_of(self, device: DeviceState) -> list[Configuration]:
        """Return the newest revision of each configuration of a device, by name."""
        number = device.row.number
        return await self._read(lambda connection: rows.of_device(connection, number))

    async def revisions(self, device: DeviceState, name: str) -> list[Configuration]:
        """Return every revision of a configuration, oldest first. Raises EngineError."""
        number = device.row.number
        found = await self._read(
            lambda connection: rows.revisions(connection, number, name)
        )
        if not found:
            raise _not_found(name)
        return found

    async def get(
        self, device: DeviceState, name: str, revision: int | None = None
    ) -> Configuration:
        """Return a revision of a configuration, the newest by default. Raises EngineError."""
        found = await self.revisions(device, name)
        if revision is None:
            return found[-1]
        for configuration in found:
            if configuration.revision == revision:
                return configuration
        raise EngineError(
            "revision_not_found", field="revision", name=name, revision=revision
        )

    async def export(
        self, device: DeviceState, name: str, revision: int | None = None
    ) -> dict[str, Any]:
        """Return a configuration as JSON that `load` takes. Raises EngineError."""
        found = await self.get(device, name, revision)
        return {"name": found.name, "revision": found.revision, **found.definition}

    async def load(
        self,
        device: DeviceState,
        data: object,
        user: str | None,
        *,
        name: str | None = None,
    ) -> Configuration:
        """Store an export as the next revision of its own name, or of another.

        Nothing is sent to the device. Raises InvalidValue or EngineError naming the field,
        StoreError.
        """
        valid = self.check(device, data)
        name = valid.pop("name", None) if name is None else name
        valid.pop("name", None)
        valid.pop("revision", None)
        if name is None:
            raise InvalidValue("name", "missing_argument")
        return await self._put(device, name, valid, user)

    def check(self, device: DeviceState, data: object) -> dict[str, Any]:
        """Return a valid configuration for a device. Raises InvalidValue or EngineError."""
        port = attached(device)
        schema = _SCHEMAS.get(port.kind)
        if schema is None:
            raise _no_memory(device)
        valid = _checked(schema, data, "configuration")
        if isinstance(port, ChihirosDoser):
            _same_number("heads", valid["heads"], len(port.heads))
            valid["heads"] = [
                {**head, "programme": _programme(index, head["programme"])}
                for index, head in enumerate(valid["heads"])
            ]
        if isinstance(port, ChihirosLight):
            _same_number("channels", valid["channels"], len(port.lamp.channels))
            valid["settings"] = _settings(port, valid["settings"])
        return valid

    async def remove(self, device: DeviceState, name: str) -> None:
        """Remove a configuration with all its revisions. Raises EngineError, StoreError."""
        number = device.row.number
        try:
            await self._journal.commit(
                lambda connection: rows.remove(connection, number, name)
            )
        except NotStored as error:
            raise _not_found(name) from error

    async def apply(
        self,
        device: DeviceState,
        name: str,
        origin: Origin,
        *,
        revision: int | None = None,
    ) -> list[Command]:
        """Accept the commands that write a configuration into a device.

        It is one request, however many commands it takes. Raises EngineError, InvalidValue
        or StoreError; what was accepted before goes on.
        """
        found = await self.get(device, name, revision)
        valid = self.check(device, found.definition)
        ours = replace(origin, source=Source.ENGINE, by_hand=False)
        return [
            await self._send(device, step.action, step.args, ours, confirm=step.confirm)
            for step in self._steps(device, valid)
        ]

    def _steps(self, device: DeviceState, valid: Mapping[str, Any]) -> list[Step]:
        """Return the commands that write a valid configuration."""
        if "heads" in valid:
            return self._head_steps(device.row.number, valid["heads"])
        steps = [Step(action="reset_auto_settings", args={}, confirm=True)]
        steps += [
            Step(action="add_auto_setting", args=one) for one in valid["settings"]
        ]
        if valid["active"]:
            steps.append(Step(action="enable_auto_mode", args={}))
        return steps

    def _head_steps(self, number: int, heads: list[Mapping[str, Any]]) -> list[Step]:
        """Return a programme for each head that has one, and clear the others.

        What is cleared makes room in the budgets, so it comes first.
        """
        kept = self._memory.programmes(number)
        removed = [
            Step(action="remove_schedule", args={"head_index": index}, confirm=True)
            for index, head in enumerate(heads)
            if head["programme"] is None and index in kept
        ]
        written = [
            Step(
                action="set_doser_schedule",
                args={"head_index": index, **head["programme"]},
            )
            for index, head in enumerate(heads)
            if head["programme"] is not None
        ]
        return removed + written

    async def _put(
        self,
        device: DeviceState,
        name: str,
        definition: Mapping[str, Any],
        user: str | None,
    ) -> Configuration:
        """Store the next revision of a configuration."""
        _checked(vol.Schema(_NAME), {"name": name}, "name")
        number, at = device.row.number, self._clock.now()
        return await self._journal.commit(
            lambda connection: rows.put(
                connection, number, name, definition, user=user, at=at
            )
        )

    async def _read[T](self, query: Callable[[Connection], T]) -> T:
        """Ask the store. Raises EngineError when it is locked."""
        if self._database is None:
            raise EngineError("store_locked")
        return await self._database.read(query)


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


def _settings(light: ChihirosLight, settings: list[Any]) -> list[dict[str, Any]]:
    """Return valid auto settings that do not overlap one another."""
    valid: list[AutoSetting] = []
    for index, args in enumerate(settings):
        within = f"settings.{index}"
        try:
            setting = light.auto_setting(args)
        except InvalidValue as error:
            raise _within(within, error) from error
        other = first_overlap(valid, setting)
        if other is not None or setting.key in [one.key for one in valid]:
            raise EngineError(
                "auto_setting_overlaps",
                field=f"{within}.sunrise",
                other=(other or setting).span,
            )
        valid.append(setting)
    return [one.as_json() for one in valid]


def _within(place: str, error: ArgumentError | InvalidValue) -> InvalidValue:
    """Return an error of what lies at a place of the configuration."""
    placeholders = {
        name: shown for name, shown in error.placeholders.items() if name != "field"
    }
    return InvalidValue(f"{place}.{error.field}", error.code, **placeholders)


def _same_number(name: str, given: list[Any], wanted: int) -> None:
    """Raise InvalidValue for a device with another number of heads or channels."""
    if len(given) != wanted:
        raise InvalidValue(
            name,
            "value_out_of_bounds",
            value=str(len(given)),
            minimum=str(wanted),
            maximum=str(wanted),
        )


def _no_memory(device: DeviceState) -> EngineError:
    """Return the error of a device that keeps nothing by itself."""
    return EngineError("no_memory", field="device_id", name=device.row.name)


def _not_found(name: str) -> EngineError:
    """Return the error of a name that no configuration has."""
    return EngineError("configuration_not_found", field="name", name=name)
