"""Device configurations: programmes of a pump, the profile of a light, by name (R-C59).

Each saving is a revision, from 1 on. An export is JSON that every device of the same set-up
can import. Applying one is a run of the commands that it takes (law 1), which tells who
applied what (R-C63).
"""

from collections.abc import Callable, Iterable, Mapping
from sqlite3 import Connection
from typing import Any, Final

from ..chihiros.light_profile import LightProfile, ProfileMode
from ..devices.chihiros_doser import ChihirosDoser
from ..devices.chihiros_light import ChihirosLight
from ..devices.fields import InvalidValue
from ..devices.lamp import LIGHT
from ..runs.definition import parse_sequence, step_json
from ..runs.sequence import Sequence
from ..runs.steps import CommandStep
from ..store import configurations as rows
from ..store.configurations import Configuration
from ..store.errors import Conflict, NotStored
from ..store.runs import RunRow
from .changes import ConfigurationChanged
from .configuration_content import FORMAT, check_name, no_memory, valid_configuration
from .errors import EngineError
from .ground import Ground
from .intake import Origin, attached
from .runs import RunRequest, Runs
from .state import DeviceState

CONFIGURATION: Final = "configuration"
"""The kind of the runs that apply one."""
UPLOAD_SECONDS: Final = 30.0
"""How long the many frames of a curve may take."""


class Configurations:
    """Saves, lists, exports, imports and applies them."""

    def __init__(self, ground: Ground, runs: Runs) -> None:
        """Look into what the devices keep; a run is the way to change it."""
        self._clock = ground.clock
        self._journal = ground.journal
        self._database = ground.database
        self._memory = ground.memory
        self._announcer = ground.announcer
        self._devices = ground.devices
        self._runs = runs
        self._newest: dict[tuple[int, str], Configuration] = {}
        self._problems: dict[tuple[int, str], EngineError | InvalidValue] = {}
        runs.register(CONFIGURATION, _program)

    @property
    def problems(self) -> Mapping[tuple[int, str], EngineError | InvalidValue]:
        """Return why what is stored cannot be applied, by device and name (law 10).

        Only of devices that are attached: what fits them is not known of others.
        """
        return {
            (number, name): error
            for (number, name), error in self._problems.items()
            if (device := self._devices.get(number)) is not None
            and device.device is not None
        }

    def newest(self, number: int, name: str) -> Configuration | None:
        """Return the newest revision of a configuration of a device, None when it is gone."""
        return self._newest.get((number, name))

    def load_newest(self, found: Iterable[Configuration]) -> None:
        """Take in what is stored; whether it is valid is seen when its device is there."""
        for one in found:
            self._newest[one.device, one.name] = one

    def attached(self, device: DeviceState) -> None:
        """See which configurations of a device are valid."""
        for one in self._newest.values():
            if one.device == device.row.number:
                self._judge(device, one)

    def _judge(self, device: DeviceState, configuration: Configuration) -> None:
        """Keep why a configuration cannot be applied, if so."""
        key = configuration.device, configuration.name
        self._problems.pop(key, None)
        try:
            valid_configuration(device, configuration.definition)
        except (EngineError, InvalidValue) as error:
            self._problems[key] = error

    async def save(
        self,
        device: DeviceState,
        name: str,
        user: str | None,
        *,
        expected_revision: int | None = None,
    ) -> Configuration:
        """Store what a device does by itself now as the next revision of a name.

        With ``expected_revision`` only as the one that follows it, 0 for a new name. Raises
        EngineError, `revision_conflict` for another one, InvalidValue or StoreError.
        """
        valid = valid_configuration(device, self.snapshot(device))
        return await self._put(device, name, valid, user, expected_revision)

    def snapshot(self, device: DeviceState) -> dict[str, Any]:
        """Return what a device does by itself, and its set-up, as JSON values.

        Raises EngineError.
        """
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
                    "profile": self._profile(device, light).as_json(),
                }
        raise no_memory(device)

    def _profile(self, device: DeviceState, light: ChihirosLight) -> LightProfile:
        """Return what a light does: what it keeps, or the levels that it rests on."""
        number = device.row.number
        if self._memory.follows(number):
            curve = self._memory.custom_curve(number)
            if curve is not None:
                return LightProfile.custom(curve)
            return LightProfile.auto(*self._memory.auto_settings(number).settings)
        rests_on = device.baseline(device.fields[LIGHT])
        if rests_on is None:
            raise EngineError("levels_unknown", field="device_id", name=device.row.name)
        return LightProfile.manual(
            *(round(output, 1) for output in light.lamp.outputs(rests_on))
        )

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
        expected_revision: int | None = None,
    ) -> Configuration:
        """Store an export as the next revision of its own name, or of another.

        Nothing is sent to the device. Raises InvalidValue or EngineError naming the field,
        as `save` does; StoreError.
        """
        valid = valid_configuration(device, data)
        name = valid.pop("name", None) if name is None else name
        valid.pop("name", None)
        valid.pop("revision", None)
        if name is None:
            raise InvalidValue("name", "missing_argument")
        return await self._put(device, name, valid, user, expected_revision)

    async def remove(self, device: DeviceState, name: str) -> None:
        """Remove a configuration with all its revisions. Raises EngineError, StoreError."""
        number = device.row.number
        try:
            await self._journal.commit(
                lambda connection: rows.remove(connection, number, name),
                lambda _: self._changed(device, name, None),
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
        confirm: bool = False,
    ) -> RunRow:
        """Begin the run that brings a device to a configuration; it is on disk by then.

        What the device keeps is overwritten: it has to be confirmed. The first command
        that fails ends the run. Raises EngineError naming the field, `run_under_way` while
        another one is applied; InvalidValue, StoreError.
        """
        if not confirm:
            raise EngineError(
                "confirmation_needed", field="confirm", action="apply_configuration"
            )
        found = await self.get(device, name, revision)
        valid = valid_configuration(device, found.definition)
        return await self._runs.start(
            RunRequest(
                kind=CONFIGURATION,
                name=found.name,
                definition={
                    "device_id": device.row.uuid,
                    "revision": found.revision,
                    "sequence": [step_json(one) for one in self._steps(device, valid)],
                },
                origin=origin,
                subject=str(device.row.number),
            )
        )

    def _steps(
        self, device: DeviceState, valid: Mapping[str, Any]
    ) -> list[CommandStep]:
        """Return the commands that a valid configuration takes."""
        if "heads" in valid:
            return self._head_steps(device, valid["heads"])
        profile, uuid = valid["profile"], device.row.uuid
        match ProfileMode(profile["mode"]):
            case ProfileMode.MANUAL:
                args = {"levels": profile["levels"]}
                return [CommandStep(device_id=uuid, action="set_channels", args=args)]
            case ProfileMode.CUSTOM:
                return [
                    CommandStep(
                        device_id=uuid,
                        action="set_custom_curve",
                        args={"channels": profile["channels"]},
                        confirm=True,
                        timeout=UPLOAD_SECONDS,
                    )
                ]
        return [
            CommandStep(device_id=uuid, action="reset_auto_settings", confirm=True),
            *(
                CommandStep(device_id=uuid, action="add_auto_setting", args=one)
                for one in profile["programs"]
            ),
            CommandStep(device_id=uuid, action="enable_auto_mode"),
        ]

    def _head_steps(
        self, device: DeviceState, heads: list[Mapping[str, Any]]
    ) -> list[CommandStep]:
        """Return a programme for each head that has one, and clear the others.

        What is cleared makes room in the budgets, so it comes first.
        """
        kept = self._memory.programmes(device.row.number)
        removed = [
            CommandStep(
                device_id=device.row.uuid,
                action="remove_schedule",
                args={"head_index": index},
                confirm=True,
            )
            for index, head in enumerate(heads)
            if head["programme"] is None and index in kept
        ]
        written = [
            CommandStep(
                device_id=device.row.uuid,
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
        expected_revision: int | None,
    ) -> Configuration:
        """Store the next revision of a configuration."""
        check_name(name)
        number, at = device.row.number, self._clock.now()
        try:
            return await self._journal.commit(
                lambda connection: rows.put(
                    connection,
                    number,
                    name,
                    definition,
                    user=user,
                    at=at,
                    expected_revision=expected_revision,
                ),
                lambda stored: self._changed(device, name, stored),
            )
        except Conflict as error:
            raise EngineError(
                "revision_conflict", field="expected_revision", revision=error.present
            ) from error

    def _changed(
        self, device: DeviceState, name: str, newest: Configuration | None
    ) -> None:
        """Take note of another revision of a configuration, or that it is gone (None)."""
        key = device.row.number, name
        self._newest.pop(key, None)
        self._problems.pop(key, None)
        if newest is not None:
            self._newest[key] = newest
        self._announcer.announce(ConfigurationChanged(device=key[0], name=name))

    async def _read[T](self, query: Callable[[Connection], T]) -> T:
        """Ask the store. Raises EngineError when it is locked."""
        if self._database is None:
            raise EngineError("store_locked")
        return await self._database.read(query)


def _program(definition: Mapping[str, Any]) -> Sequence:
    """Read the program of a run that applies a configuration. Raises ScheduleError."""
    steps = definition.get("sequence")
    # A pump without programmes that had none before takes no commands.
    if steps == []:
        return Sequence(steps=())
    return Sequence(steps=parse_sequence(steps, within="sequence"))


def _not_found(name: str) -> EngineError:
    """Return the error of a name that no configuration has."""
    return EngineError("configuration_not_found", field="name", name=name)
