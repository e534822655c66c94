"""The ways out of repair issues."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, override

from homeassistant.components.repairs import (
    ConfirmRepairFlow,
    RepairsFlow,
    RepairsFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir

from . import programme_issues, stored_issues
from .const import DOMAIN
from .data import DATA_ENGINE
from .dosing_issues import (
    CONTAINER_LOW,
    DOSE_UNKNOWN,
    DOSES_MISSED,
    PROGRAMME_DRIFT,
    RECALIBRATION,
    SETTINGS_DRIFT,
)
from .dosing_repairs import (
    DoseFlow,
    DriftFlow,
    MissedFlow,
    ProgrammeFlow,
    RecalibrationFlow,
    refill,
)
from .errors import translating
from .issue_watch import RESTORE_FAILED
from .issues import EMERGENCY_STOP, STORE_CORRUPT
from .removal import AQUARIUM_REMOVED, delete_modes
from .startup import begin_new_store

STORE_RESTART = "store_restart"

type Fix = Callable[[HomeAssistant, Mapping[str, Any]], Awaitable[None]]


def flow_for(issue_id: str) -> RepairsFlow:
    """Return the way out of an issue."""
    for begins, make in FLOWS.items():
        if issue_id.startswith(begins):
            return make()
    return FixFlow(_delete_schedule)


class FixFlow(ConfirmRepairFlow):
    """Does something once the keeper has confirmed it."""

    def __init__(self, fix: Fix) -> None:
        """Take what is to be done."""
        self._fix = fix

    @override
    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask, then do it; the issue stays when that fails."""
        if user_input is None:
            return await super().async_step_confirm()
        try:
            with translating():
                await self._fix(self.hass, self.data or {})
        except HomeAssistantError as error:
            return _aborted(self, error)
        return self.async_create_entry(data={})


async def _begin_new_store(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """Make it, and say that it takes a restart: the next start finds it and begins anew."""
    await begin_new_store(hass)
    ir.async_create_issue(
        hass,
        DOMAIN,
        STORE_RESTART,
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key="store_restart",
    )


async def _release(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """End the emergency stop of an aquarium, or of the devices that have none."""
    engine = hass.data[DATA_ENGINE]
    engine.emergency.let_go(
        device
        for device in engine.devices.values()
        if device.row.aquarium == data.get("aquarium")
    )
    await engine.journal.written()


async def _delete_schedule(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """Delete a schedule that cannot run."""
    await hass.data[DATA_ENGINE].delete_schedule(int(data["schedule"]), user=None)


FLOWS: Mapping[str, Callable[[], RepairsFlow]] = {
    DOSE_UNKNOWN: DoseFlow,
    DOSES_MISSED: MissedFlow,
    CONTAINER_LOW: lambda: FixFlow(refill),
    PROGRAMME_DRIFT: DriftFlow,
    SETTINGS_DRIFT: DriftFlow,
    programme_issues.PROGRAMME_OVER_LIMIT: ProgrammeFlow,
    programme_issues.PROGRAMME_UNGUARDED: ProgrammeFlow,
    RECALIBRATION: RecalibrationFlow,
    STORE_CORRUPT: lambda: FixFlow(_begin_new_store),
    EMERGENCY_STOP: lambda: FixFlow(_release),
    RESTORE_FAILED: ConfirmRepairFlow,
    stored_issues.CONFIGURATION_INVALID: lambda: FixFlow(
        stored_issues.remove_configuration
    ),
    stored_issues.MACRO_INVALID: lambda: FixFlow(stored_issues.delete_macro),
    stored_issues.MODE_DEVICE_RETIRED: lambda: FixFlow(stored_issues.delete_mode),
    stored_issues.MODE_INVALID: lambda: FixFlow(stored_issues.delete_mode),
    AQUARIUM_REMOVED: lambda: FixFlow(delete_modes),
    stored_issues.SETTINGS_INVALID: lambda: FixFlow(stored_issues.use_defaults),
}
"""The way out of an issue by how its id begins."""


def _aborted(flow: RepairsFlow, error: HomeAssistantError) -> RepairsFlowResult:
    """Return the end of a flow that could not do what was confirmed."""
    return flow.async_abort(
        reason="not_done", description_placeholders={"reason": str(error)}
    )
