"""Keeps the repair issues in step with what the engine's state shows.

What that shows (`issues`) comes and goes by itself. Three issues outlive a restart and end
only by the keeper: a damaged store, a value that could not be put back, and what an
aquarium has left behind.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigSubentry,
)
from homeassistant.const import CONF_ENTITY_ID
from homeassistant.core import HassJob, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_call_later, async_track_time_interval

from . import programme_issues, stored_issues
from .commands.command import Command
from .commands.phases import Phase
from .const import CONF_CHANNELS, CONF_FIELDS, DOMAIN
from .devices.beside import readable
from .devices.dosing_fields import DOSING_ALLOWED
from .devices.errors import DeviceError
from .dosing_issues import present as present_dosing
from .engine.changes import Change, CommandChanged, FieldChanged, RunChanged
from .engine.emergency import ACTION
from .engine.engine import Engine
from .errors import failed, translated
from .hardware import device_uuid
from .issues import STORE_CORRUPT, Issue, present
from .layers.setting import same
from .missing_entities import MissingEntities
from .startup import STORE_FILE
from .store.errors import StoreCorruptError

DEVICE_PROBLEM = "device_problem"
RESTORE_FAILED = "restore_failed"

LOOK_EVERY = timedelta(hours=1)
LOOK_FOR_MISSING = timedelta(minutes=1)


def watch_engine(hass: HomeAssistant, engine: Engine) -> None:
    """Keep the issues of the engine up to date for as long as Home Assistant runs."""
    Watch(hass, engine).begin()


class Watch:
    """Compares what needs the keeper now with what was reported."""

    def __init__(self, hass: HomeAssistant, engine: Engine) -> None:
        """Know nothing to be reported yet."""
        self._hass = hass
        self._engine = engine
        self._reported: dict[str, Issue] = {}
        self._missing = MissingEntities(engine)
        self._looking = False
        self._awaiting = False

    def begin(self) -> None:
        """Report what there is, then follow every change."""
        self._report_damaged_store()
        self._look()
        self._engine.listen(self._changed)
        async_dispatcher_connect(
            self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._entry_changed
        )
        async_track_time_interval(
            self._hass, self._time_passed, LOOK_EVERY, cancel_on_shutdown=True
        )

    @callback
    def _time_passed(self, _: datetime) -> None:
        """Look again: a container lasts for fewer days, a calibration grows old."""
        self._look_soon()

    @callback
    def _entry_changed(
        self, change: ConfigEntryChange, entry: ConfigEntry[Any]
    ) -> None:
        """Look again when one of our entries came, changed or went."""
        if entry.domain == DOMAIN:
            self._look_soon()

    def _changed(self, change: Change) -> None:
        """Look again after a change that may begin or end an issue."""
        match change:
            case CommandChanged(command=command):
                if command.action == ACTION:
                    self._look_soon()
                elif command.phase is Phase.FAILED:
                    self._report_failed_restore(command)
            case FieldChanged():
                if change.field.startswith(DOSING_ALLOWED):
                    self._look_soon()
                # What was seen becomes the resting value only after it was announced.
                self._hass.loop.call_soon(self._end_failed_restore, change)
            case RunChanged():
                pass
            case _:
                self._look_soon()

    def _look_soon(self) -> None:
        """Look once the change is complete, and once for many."""
        if not self._looking:
            self._looking = True
            self._hass.loop.call_soon(self._look)

    def _look(self) -> None:
        """Report what is new and end what is over."""
        self._looking = False
        registry = ir.async_get(self._hass)
        path = self._hass.config.path(STORE_FILE)
        found = {
            issue.id: issue
            for issue in (
                *present(self._engine, path, self._name_of),
                *present_dosing(self._engine),
                *programme_issues.present(self._engine),
                *stored_issues.present(self._engine),
                *self._missing.present(),
            )
        }
        # What a device that is just being attached anew would say is not known: it stays.
        found |= {
            issue.id: issue
            for issue in self._reported.values()
            if issue.id not in found and self._is_away(issue.device)
        }
        for issue in found.values():
            known = registry.async_get_issue(DOMAIN, issue.id)
            if known is None or self._reported.get(issue.id) != issue:
                _report(self._hass, issue)
        for issue_id in self._reported.keys() - found.keys():
            ir.async_delete_issue(self._hass, DOMAIN, issue_id)
        self._reported = found
        self._end_device_problems(registry)
        self._await_missing()

    def _await_missing(self) -> None:
        """Look again soon as long as an entity is gone: that is told of after a while."""
        if self._missing.awaited and not self._awaiting:
            self._awaiting = True
            job = HassJob(self._missed, "aquarist issues", cancel_on_shutdown=True)
            async_call_later(self._hass, LOOK_FOR_MISSING, job)

    @callback
    def _missed(self, _: datetime) -> None:
        """Look again."""
        self._awaiting = False
        self._look()

    def _is_away(self, number: int | None) -> bool:
        """Return whether a device is in use, but not attached now."""
        device = None if number is None else self._engine.devices.get(number)
        return (
            device is not None
            and device.device is None
            and device.row.retired_at is None
        )

    def _name_of(self, aquarium: str) -> str:
        """Return the name of an aquarium."""
        entry = self._hass.config_entries.async_get_entry(aquarium)
        return entry.title if entry is not None else aquarium

    def _report_damaged_store(self) -> None:
        """Ask how to go on without the records; answered by a sound store, too."""
        fault = self._engine.store_fault
        known = ir.async_get(self._hass).async_get_issue(DOMAIN, STORE_CORRUPT)
        if self._engine.database is not None:
            ir.async_delete_issue(self._hass, DOMAIN, STORE_CORRUPT)
        elif isinstance(fault, StoreCorruptError) and known is None:
            ir.async_create_issue(
                self._hass,
                DOMAIN,
                STORE_CORRUPT,
                is_fixable=True,
                is_persistent=True,
                severity=ir.IssueSeverity.CRITICAL,
                translation_key="store_corrupt",
                translation_placeholders={"path": str(fault.set_aside or fault.path)},
            )

    def _report_failed_restore(self, command: Command) -> None:
        """Tell which value the keeper must put back by hand."""
        restoring = (command.error_details or {}).get("restoring")
        if not restoring or command.field is None:
            return
        device = self._engine.devices[command.device]
        state = device.field_state(command.field)
        resting = state.resting or {}
        shown = device.device.observed(command.field) if device.device else None
        if shown is not None and same(resting, device.captured(state, shown)):
            return
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            _restore_issue(command.device, command.field),
            is_fixable=True,
            is_persistent=True,
            severity=ir.IssueSeverity.ERROR,
            translation_key="restore_failed",
            translation_placeholders={
                "name": device.row.name,
                "field": command.field,
                "value": readable(resting),
                "reason": str(failed(command)),
            },
        )

    def _end_failed_restore(self, change: FieldChanged) -> None:
        """End the issue of a field that shows the right value after all."""
        issue_id = _restore_issue(change.device, change.field)
        if ir.async_get(self._hass).async_get_issue(DOMAIN, issue_id) is None:
            return
        device = self._engine.devices[change.device]
        state = device.field_state(change.field)
        if not state.resting or not change.setting:
            return
        if same(state.resting, device.captured(state, change.setting)):
            ir.async_delete_issue(self._hass, DOMAIN, issue_id)

    def _end_device_problems(self, registry: ir.IssueRegistry) -> None:
        """End the issues of subentries that work now, or are gone."""
        attached = {
            device.row.uuid
            for device in self._engine.devices.values()
            if device.device is not None
        }
        for domain, issue_id in tuple(registry.issues):
            issue = registry.issues[domain, issue_id]
            if domain != DOMAIN or issue.translation_key != DEVICE_PROBLEM:
                continue
            data = issue.data or {}
            subentry = str(data.get("subentry"))
            entry = self._hass.config_entries.async_get_entry(str(data.get("entry")))
            if (
                entry is None
                or subentry not in entry.subentries
                or device_uuid(subentry) in attached
            ):
                ir.async_delete_issue(self._hass, DOMAIN, issue_id)


def report_device_problem(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    subentry: ConfigSubentry,
    error: DeviceError,
) -> None:
    """Tell that what a subentry names cannot be used; ends when it can."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{DEVICE_PROBLEM}_{subentry.subentry_id}",
        data={"entry": entry.entry_id, "subentry": subentry.subentry_id},
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key="device_problem",
        translation_placeholders={
            "name": subentry.title,
            "entity": ", ".join(_entities(subentry.data)) or "-",
            "reason": str(translated(error)),
        },
    )


def _report(hass: HomeAssistant, issue: Issue) -> None:
    """Make or change an issue."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue.id,
        data=dict(issue.data),
        is_fixable=issue.fixable,
        severity=issue.severity,
        translation_key=issue.key,
        translation_placeholders=dict(issue.placeholders),
    )


def _restore_issue(device: int, field: str) -> str:
    """Return the id of the issue of a field that could not be put back."""
    return f"{RESTORE_FAILED}_{device}_{field}"


def _entities(data: Mapping[str, Any]) -> list[str]:
    """Return the entities that a subentry names."""
    parts = [data, *data.get(CONF_CHANNELS, ()), *data.get(CONF_FIELDS, ())]
    return [part[CONF_ENTITY_ID] for part in parts if CONF_ENTITY_ID in part]
