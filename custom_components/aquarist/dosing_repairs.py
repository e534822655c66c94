"""The ways out of the issues of dosing."""

from collections.abc import Awaitable, Mapping
from typing import Any, Final, override

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.components.repairs.models import RepairsFlowContext
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir

from .calibration_steps import CalibrationSteps
from .commands.command import Source
from .commands.phases import Phase
from .const import DOMAIN
from .data import DATA_ENGINE
from .dosing.ledger import DoseState
from .dosing_issues import NOTHING
from .engine.intake import Origin
from .engine.memory_content import AUTO, slot_head
from .engine.memory_power import memory_commands
from .engine.state import DeviceState
from .errors import failed, translating

type Order = tuple[str, Mapping[str, Any]]

_OURS: Final = frozenset({"add_auto_setting", "enable_auto_mode"})


class ChoiceFlow(RepairsFlow):
    """Asks the keeper for one of several ways out."""

    choices: tuple[str, ...]

    async def async_step_init(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask for the way out."""
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        return self.async_show_menu(
            step_id="init",
            menu_options=list(self.choices),
            description_placeholders=issue.translation_placeholders if issue else None,
        )

    def about(self, key: str) -> Any:
        """Return what the issue says that it is about."""
        return (self.data or {})[key]

    async def done(self, *, by: Awaitable[object]) -> RepairsFlowResult:
        """End the issue once something is done; it stays when that fails."""
        try:
            with translating():
                await by
        except HomeAssistantError as error:
            return self.async_abort(
                reason="not_done", description_placeholders={"reason": str(error)}
            )
        return self.async_create_entry(data={})


class DoseFlow(ChoiceFlow):
    """Lets the keeper say what became of a dose (RES-52)."""

    choices = ("given", "not_given")

    async def async_step_given(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Settle the dose as given."""
        return await self._settled(DoseState.GIVEN)

    async def async_step_not_given(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Settle the dose as not given."""
        return await self._settled(DoseState.NOT_GIVEN)

    async def _settled(self, state: DoseState) -> RepairsFlowResult:
        """Settle the dose, unless the counter has settled it meanwhile; on disk when it ends."""
        engine = self.hass.data[DATA_ENGINE]
        unknown = {dose.key: dose for dose in engine.gate.unknown}
        if (dose := unknown.get(str(self.about("dose")))) is not None:
            engine.ledger.settled(dose, state)
        return await self.done(by=engine.journal.written())


class MissedFlow(ChoiceFlow):
    """Lets the keeper give one dose for what was missed, or none (RES-67)."""

    choices = ("give", "leave_out")

    async def async_step_give(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Give one dose now."""
        return await self._decided(give=True)

    async def async_step_leave_out(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Give nothing."""
        return await self._decided(give=False)

    async def _decided(self, *, give: bool) -> RepairsFlowResult:
        """Write the decision down, with the dose if there is one."""
        engine = self.hass.data[DATA_ENGINE]
        occurrence = int(self.about("occurrence"))
        return await self.done(
            by=engine.missed.decide(occurrence, give=give, user=None)
        )


class DriftFlow(ChoiceFlow):
    """Lets the keeper write a memory again, or leave it as it is."""

    choices = ("write_again", "accept")

    async def async_step_write_again(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Write what Aquarist wrote, nothing where it wrote nothing."""
        engine = self.hass.data[DATA_ENGINE]
        device = engine.devices[int(self.about("device"))]
        return await self.done(by=self._written_again(device))

    async def _written_again(self, device: DeviceState) -> None:
        """Write a slot again; a light whose memory was erased for it is still owed the rest."""
        memory, number = self.hass.data[DATA_ENGINE].device_memory, device.row.number
        settings = memory.content.auto_settings(number)
        drift = memory.content.drift(number, AUTO)
        try:
            await _carried_out(self.hass, device, self._orders(device))
        except BaseException:
            if str(self.about("slot")) == AUTO and drift is not None:
                memory.owed(number, settings, drift)
            raise

    async def async_step_accept(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Say no more about this difference; another one is another issue."""
        ir.async_ignore_issue(self.hass, DOMAIN, self.issue_id, True)
        return self.async_abort(reason="accepted")

    def _orders(self, device: DeviceState) -> list[Order]:
        """Return the commands that bring a slot back to what was written into it."""
        number, slot = device.row.number, str(self.about("slot"))
        content = self.hass.data[DATA_ENGINE].device_memory.content
        known = memory_commands(content, number)
        if slot == AUTO:
            settings = [order for order in known if order[0] in _OURS]
            return [("reset_auto_settings", {}), *settings]
        head = slot_head(slot)
        programmes = [order for order in known if order[1].get("head_index") == head]
        return list(programmes) or [("remove_schedule", {"head_index": head})]


class ProgrammeFlow(ChoiceFlow):
    """Lets the keeper take programmes out of a pump's memory, or leave them there."""

    choices = ("remove", "accept")

    async def async_step_remove(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Have the pump forget them; it doses by itself no more."""
        device = self.hass.data[DATA_ENGINE].devices[int(self.about("device"))]
        orders: list[Order] = [
            ("remove_schedule", {"head_index": int(head)})
            for head in str(self.about("heads")).split(",")
        ]
        return await self.done(by=_carried_out(self.hass, device, orders))

    async def async_step_accept(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Say no more about it; another limit or rule is another issue."""
        ir.async_ignore_issue(self.hass, DOMAIN, self.issue_id, True)
        return self.async_abort(reason="accepted")


class RecalibrationFlow(
    CalibrationSteps[RepairsFlowContext, RepairsFlowResult, str], RepairsFlow
):
    """Leads through the calibration of a head."""

    async def async_step_init(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Begin."""
        return await self.async_step_calibrate()

    @property
    @override
    def calibrated(self) -> tuple[DeviceState, int]:
        """Return the head of the issue."""
        data: Mapping[str, Any] = self.data or {}
        engine = self.hass.data[DATA_ENGINE]
        return engine.devices[int(data["device"])], int(data["head"])

    @property
    @override
    def about_head(self) -> dict[str, str]:
        """Return what the issue says of the head besides."""
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        told = issue.translation_placeholders if issue is not None else None
        return {"at": NOTHING, "percent": NOTHING, **(told or {}), **super().about_head}

    @override
    def calibration_done(self) -> RepairsFlowResult:
        """End the issue."""
        return self.async_create_entry(data={})


async def refill(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """Note that a container is full again."""
    engine = hass.data[DATA_ENGINE]
    device = engine.devices[int(data["device"])]
    await engine.containers.refill(device, int(data["head"]), user=None)


async def _carried_out(
    hass: HomeAssistant, device: DeviceState, orders: list[Order]
) -> None:
    """Have a device do something in order. Raises the error of the first that fails.

    It is one wish of the keeper's, however many commands a user may send in a while.
    """
    engine = hass.data[DATA_ENGINE]
    origin = Origin(source=Source.ENGINE)
    for action, args in orders:
        command = await engine.send(device, action, args, origin, confirm=True)
        ended = await engine.finished(command)
        if ended.phase is not Phase.COMPLETED:
            raise failed(ended)
