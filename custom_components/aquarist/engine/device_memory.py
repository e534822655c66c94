"""Programmes and auto settings: written, kept, compared with what the device shows.

Kept in the same unit as the end of the command that wrote them (R-C59). Home Assistant and
the pump never both dose one plan, and a limit holds for a programme, too (law 5).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
import logging
import sqlite3
from typing import Any

from ..chihiros.auto_setting import (
    MOST_SETTINGS,
    auto_setting_from,
    first_overlap,
    with_setting,
)
from ..chihiros.custom_curve import custom_curve_from
from ..commands.command import Command, ErrorCode, changed
from ..commands.phases import Kind, Phase
from ..devices.device import MemoryReport
from ..devices.doser_actions import programme_of
from ..dosing.programme import Programme, programme_from
from ..limits.refusal import Refusal
from ..store.errors import StoreError
from ..store.programmes import ProgrammeRow
from .changes import MemoryChanged
from .errors import EngineError, SafetyRefusedError, describe
from .execution import Execution
from .ground import Ground
from .intake import attached
from .memory_content import (
    AUTO,
    MODE,
    AutoMode,
    AutoSettings,
    Drift,
    MemoryContent,
    head_slot,
)
from .memory_drift import head_drift, light_drift
from .memory_saving import Changes, kept_from, save
from .state import DeviceState

_LOGGER = logging.getLogger(__name__)

_AUTO_ACTIONS = frozenset(
    {"add_auto_setting", "reset_auto_settings", "set_custom_curve"}
)
_HEAD_ACTIONS = frozenset({"set_schedule", "set_doser_schedule", "remove_schedule"})

type ProgrammeCheck = Callable[[DeviceState, int, Programme, datetime], Refusal | None]


class DeviceMemory:
    """Carries out what writes into a device's memory, and knows what is there."""

    def __init__(
        self,
        ground: Ground,
        execution: Execution,
        *,
        check: ProgrammeCheck,
        dosing_schedule: Callable[[DeviceState, int], str | None],
    ) -> None:
        """Take over commands that programme.

        ``check`` is the gate's answer to a programme, ``dosing_schedule`` gives the name of
        a schedule that doses with a head.
        """
        self._clock = ground.clock
        self._journal = ground.journal
        self._records = ground.records
        self._announcer = ground.announcer
        self._execution = execution
        self._check = check
        self._dosing_schedule = dosing_schedule
        self.content: MemoryContent = ground.memory
        execution.register(Kind.PROGRAMME, self.execute)

    def load(self, rows: Iterable[ProgrammeRow]) -> None:
        """Take in what is stored; what no longer validates stays there and is skipped (law 10)."""
        for row in rows:
            try:
                kept = kept_from(row.slot, row.definition)
            except (ValueError, LookupError, TypeError) as error:
                _LOGGER.error(
                    "What is kept of slot %s of device %s is not valid: %s",
                    row.slot,
                    row.device,
                    error,
                )
                self.content.unreadable.add((row.device, row.slot))
            else:
                self.content.keep(row.device, row.slot, kept)

    def refuse(self, device: DeviceState, action: str, args: Mapping[str, Any]) -> None:
        """Raise EngineError for what must not be written; the binding answer at execution."""
        if action in {"set_schedule", "set_doser_schedule"}:
            self._refuse_programme(device, action, args)
        elif action == "add_auto_setting":
            self._refuse_setting(device, args)

    async def execute(self, device: DeviceState, command: Command) -> None:
        """Write into the memory of a device, and keep what was written."""
        number = device.row.number
        slots = {(number, slot) for slot in self._slots(device, command)}
        self.content.writing |= slots
        try:
            command = await self._begun(command)
            self.refuse(device, command.action, command.args)
            port = attached(device)
            command, result = await self._execution.tried(
                command, lambda: port.perform(command.action, command.args)
            )
        except (EngineError, StoreError) as error:
            self.content.writing -= slots
            self._refused(command, error)
        except BaseException:
            self.content.writing -= slots
            raise
        else:
            changes = self._changes(device, command, result or {})
            self._written(command, result or {}, changes, slots)

    async def _begun(self, command: Command) -> Command:
        """Wait until it is on disk that the command runs.

        A schedule that was accepted before is in memory then, one that comes later finds
        the slot being written: one of both is refused.
        """
        if command.phase is Phase.PLANNED:
            return await self._records.advance_first(command, Phase.APPLYING)
        await self._journal.commit(_nothing)
        return command

    def _refuse_programme(
        self, device: DeviceState, action: str, args: Mapping[str, Any]
    ) -> None:
        """Refuse a programme beside a schedule of ours, or above a limit."""
        programme = programme_of(action, args)
        head = int(args["head_index"])
        if not programme.volume:
            return
        schedule = self._dosing_schedule(device, head)
        if schedule is not None:
            raise SafetyRefusedError(
                Refusal(
                    limit="schedule_doses",
                    details={"head": head + 1, "schedule": schedule},
                )
            )
        refusal = self._check(device, head, programme, self._clock.now())
        if refusal is not None:
            raise SafetyRefusedError(refusal)

    def _refuse_setting(self, device: DeviceState, args: Mapping[str, Any]) -> None:
        """Refuse a window that overlaps another one, or one too many (R-C46)."""
        written = self.content.auto_settings(device.row.number).settings
        new = auto_setting_from(args, 1)
        if len(with_setting(written, new)) > MOST_SETTINGS:
            raise EngineError(
                "auto_settings_full", field="sunrise", maximum=MOST_SETTINGS
            )
        other = first_overlap(written, new)
        if other is not None:
            raise EngineError(
                "auto_setting_overlaps",
                field="sunrise",
                other=other.span,
            )

    def _refused(self, command: Command, error: EngineError | StoreError) -> None:
        """End a command that must not be carried out, or that the store did not take."""
        if isinstance(error, StoreError):
            self._records.advance(
                command,
                Phase.FAILED,
                error_code=ErrorCode.INTERNAL_ERROR,
                error=error.code,
            )
            return
        if isinstance(error, SafetyRefusedError):
            self._records.advance(
                command,
                Phase.FAILED,
                error_code=ErrorCode.SAFETY_REFUSED,
                error=error.code,
                error_details=describe(error.refusal),
            )
            return
        self._records.advance(
            command,
            Phase.FAILED,
            error_code=ErrorCode.COMMAND_INVALID,
            error=error.code,
            error_details=dict(error.placeholders),
        )

    def _slots(self, device: DeviceState, command: Command) -> list[str]:
        """Return the slots that a command changes."""
        if command.action in _HEAD_ACTIONS:
            return [head_slot(int(command.args["head_index"]))]
        if command.action in _AUTO_ACTIONS:
            return [AUTO]
        if command.action == "factory_reset":
            number = device.row.number
            unreadable = [
                slot for one, slot in self.content.unreadable if one == number
            ]
            return [*self.content.slots(number), *unreadable]
        return []

    def _changes(
        self, device: DeviceState, command: Command, result: Mapping[str, Any]
    ) -> Changes:
        """Return what the slots hold after a command."""
        slots = self._slots(device, command)
        match command.action:
            case "set_schedule" | "set_doser_schedule":
                return {slots[0]: programme_from(result["programme"])}
            case "add_auto_setting":
                before = self.content.auto_settings(device.row.number).settings
                new = auto_setting_from(result["setting"], 1)
                return {AUTO: AutoSettings(settings=with_setting(before, new))}
            case "set_custom_curve":
                return {AUTO: custom_curve_from(result["curve"])}
            case _:
                return dict.fromkeys(slots)

    def _written(
        self,
        command: Command,
        result: Mapping[str, Any],
        changes: Changes,
        slots: set[tuple[int, str]],
    ) -> None:
        """End a command; what it wrote is kept in the same unit, and in memory afterwards."""
        number, at = command.device, self._clock.now()

        def amend(connection: sqlite3.Connection, ended: Command) -> Command:
            problem = save(connection, number, changes, at)
            if problem is None:
                return ended
            note = {**(ended.result or {}), "config_save_error": problem}
            return changed(ended, result=note)

        def then(_: Command) -> None:
            self.content.writing -= slots
            for slot, kept in changes.items():
                self.content.keep(number, slot, kept)
                self.content.unreadable.discard((number, slot))
                self.content.note_drift(number, slot, None)
                self._announce(number, slot)

        self._records.advance(
            command, Phase.COMPLETED, result=dict(result), amend=amend, then=then
        )

    def owed(self, number: int, settings: AutoSettings, drift: Drift) -> None:
        """Keep what a light should hold although it was not all written again.

        It stays the difference that it was, until it is written or shown.
        """
        at = self._clock.now()
        self.content.keep(number, AUTO, settings)
        self.content.note_drift(number, AUTO, drift)
        self._journal.record(
            lambda connection: save(connection, number, {AUTO: settings}, at),
            lambda _: self._announce(number, AUTO),
        )

    # What devices tell

    def memory_read(self, device: DeviceState, report: MemoryReport) -> None:
        """Compare what a device shows with what was written into it."""
        number = device.row.number
        if report.auto is not None:
            self._follows(number, report.auto)
        for head, shown in report.heads.items():
            if (number, head_slot(head)) not in self.content.writing:
                written = self.content.programme(number, head)
                drift = head_drift(head, written, shown)
                self._note(number, head_slot(head), drift)
        if report.points is not None and (number, AUTO) not in self.content.writing:
            written_settings = self.content.auto_settings(number)
            drift = light_drift(
                written_settings, report.points, follows=self.content.follows(number)
            )
            self._note(number, AUTO, drift)

    def _note(self, number: int, slot: str, drift: Any) -> None:
        """Keep a drift, or its end, and announce what is news."""
        if self.content.note_drift(number, slot, drift):
            self._announce(number, slot)

    def _follows(self, number: int, auto: bool) -> None:
        """Keep whether a light was told to follow its memory."""
        if self.content.follows(number) == auto:
            return
        kept, at = AutoMode() if auto else None, self._clock.now()
        self.content.keep(number, MODE, kept)
        self._journal.record(
            lambda connection: save(connection, number, {MODE: kept}, at),
            lambda _: self._announce(number, MODE),
        )

    def _announce(self, number: int, slot: str) -> None:
        """Tell that a slot holds or shows something else."""
        self._announcer.announce(MemoryChanged(device=number, slot=slot))


def _nothing(connection: sqlite3.Connection) -> None:
    """Store nothing: everything handed over before is on disk when this is."""
