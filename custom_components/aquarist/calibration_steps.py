"""The steps of a form that leads through the calibration of a head.

The form only asks: the run is the engine's, waits for its keeper when the form is closed, and
begins anew when it is opened again.
"""

from abc import abstractmethod
from collections.abc import Awaitable
from typing import Any, Final

from homeassistant.const import UnitOfVolume
from homeassistant.data_entry_flow import FlowContext, FlowHandler, FlowResult
from homeassistant.exceptions import HomeAssistantError
import probatio as vol

from .api.runs import failure
from .commands.command import Source
from .commands.schemas import LARGEST_MEASURED, SMALLEST_MEASURED
from .data import DATA_ENGINE
from .engine.guided import Guide, Guided
from .engine.intake import Origin
from .engine.state import DeviceState
from .errors import translating
from .form_fields import number_field
from .runs.calibration import RUN_SECONDS, TEST_ML, Stage

CONF_MEASURED_ML: Final = "measured_ml"
MEASURED: Final = vol.Schema(
    {
        # Where a number must be, pages put the smallest one: that must not be taken for it.
        vol.Optional(CONF_MEASURED_ML): number_field(
            UnitOfVolume.MILLILITERS, SMALLEST_MEASURED, LARGEST_MEASURED
        )
    }
)
_IMPOSSIBLE: Final = "out_of_range"


class CalibrationSteps[
    ContextT: FlowContext,
    ResultT: FlowResult[Any, Any],
    HandlerT,
](FlowHandler[ContextT, ResultT, HandlerT]):
    """Run the head, enter what came out, give a test dose, keep it."""

    _run = 0

    @property
    @abstractmethod
    def calibrated(self) -> tuple[DeviceState, int]:
        """Return the doser and the head that is calibrated."""

    @abstractmethod
    def calibration_done(self) -> ResultT:
        """Return the end of a form whose calibration is kept."""

    async def async_step_calibrate(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Say what to prepare, then run the head."""
        if user_input is None:
            return self.async_show_form(
                step_id="calibrate",
                data_schema=vol.Schema({}),
                description_placeholders=self.about_head,
            )
        device, head = self.calibrated
        origin = Origin(source=Source.SERVICE)
        return await self._after(self._guided.start(device, head, origin))

    async def async_step_measured(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Ask what came out, and keep it."""
        errors: dict[str, str] = {}
        about = self.about_head
        measured = (user_input or {}).get(CONF_MEASURED_ML)
        if measured is not None:
            try:
                with translating():
                    guide = await self._guided.measured(self._run, measured)
            except HomeAssistantError as error:
                if error.translation_key != _IMPOSSIBLE:
                    return self._not_done(error)
                errors[CONF_MEASURED_ML] = "measured_impossible"
                about |= error.translation_placeholders or {}
            else:
                return await self._shown(guide)
        elif user_input is not None:
            errors[CONF_MEASURED_ML] = "measured_missing"
        return self.async_show_form(
            step_id="measured",
            data_schema=self.add_suggested_values_to_schema(MEASURED, user_input),
            errors=errors,
            description_placeholders=about,
        )

    async def async_step_kept(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Ask whether the measurement is to be tried, is right, or is to be done again."""
        return self.async_show_menu(
            step_id="kept",
            menu_options=["test_dose", "keep", "calibrate"],
            description_placeholders=self.about_head,
        )

    async def async_step_tested(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Ask whether the test dose was right."""
        return self.async_show_menu(
            step_id="tested",
            menu_options=["keep", "calibrate", "test_dose"],
            description_placeholders=self.about_head,
        )

    async def async_step_test_dose(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Give the test dose."""
        return await self._after(self._guided.test_dose(self._run))

    async def async_step_keep(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """End the run: the calibration is right."""
        return await self._after(self._guided.finish(self._run, ok=True))

    @property
    def _guided(self) -> Guided:
        """Return the guided runs."""
        return self.hass.data[DATA_ENGINE].guided

    @property
    def about_head(self) -> dict[str, str]:
        """Return what the texts say about the head."""
        device, head = self.calibrated
        return {
            "name": device.row.name,
            "head": str(head + 1),
            "seconds": str(RUN_SECONDS),
            "volume": f"{TEST_ML:g}",
        }

    async def _after(self, asked: Awaitable[Guide]) -> ResultT:
        """Wait for a step, and show what may come next."""
        try:
            with translating():
                guide = await asked
        except HomeAssistantError as error:
            return self._not_done(error)
        return await self._shown(guide)

    async def _shown(self, guide: Guide) -> ResultT:
        """Show what a guided run waits for; end where its last step failed."""
        self._run = guide.run.id
        runs = self.hass.data[DATA_ENGINE].runs
        if (error := failure(*await runs.get(self._run))) is not None:
            return self._not_done(error)
        if guide.stage is Stage.DONE:
            return self.calibration_done()
        if guide.stage is Stage.MEASURE:
            return await self.async_step_measured()
        if guide.stage is Stage.STORED:
            return await self.async_step_kept()
        if guide.stage is Stage.CONFIRM:
            return await self.async_step_tested()
        return self.async_abort(reason="still_running")

    def _not_done(self, error: HomeAssistantError) -> ResultT:
        """End, and say why."""
        return self.async_abort(
            reason="not_done", description_placeholders={"reason": str(error)}
        )
