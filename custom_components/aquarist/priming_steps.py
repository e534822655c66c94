"""The steps of a form that fills the hose of a head: run it for some seconds, and again."""

from abc import abstractmethod
import asyncio
from typing import Any, Final

from homeassistant.const import UnitOfTime
from homeassistant.data_entry_flow import FlowContext, FlowHandler, FlowResult
from homeassistant.exceptions import HomeAssistantError
import probatio as vol

from .commands.command import Source
from .commands.phases import Phase
from .commands.schemas import LONGEST_RUN
from .data import DATA_ENGINE
from .engine.intake import Origin
from .engine.state import DeviceState
from .errors import failed, translating
from .form_fields import number_field

CONF_SECONDS: Final = "seconds"
USUAL_SECONDS: Final = 5
PATIENCE: Final = 60.0
"""How many seconds the form waits for the pump to begin."""
PRIMING: Final = vol.Schema(
    {
        vol.Required(CONF_SECONDS, default=USUAL_SECONDS): number_field(
            UnitOfTime.SECONDS, 1, LONGEST_RUN, 1
        )
    }
)


class PrimingSteps[
    ContextT: FlowContext,
    ResultT: FlowResult[Any, Any],
    HandlerT,
](FlowHandler[ContextT, ResultT, HandlerT]):
    """Ask for how long, run the head, and offer to run it again."""

    @property
    @abstractmethod
    def primed(self) -> tuple[DeviceState, int]:
        """Return the doser and the head whose hose is filled."""

    async def async_step_prime(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Ask for how long, and run the head: what comes out counts as dosed."""
        if user_input is None:
            return self.async_show_form(
                step_id="prime",
                data_schema=PRIMING,
                description_placeholders=self._about,
            )
        try:
            async with asyncio.timeout(PATIENCE):
                await self._run_for(int(user_input[CONF_SECONDS]))
        except TimeoutError:
            return self.async_abort(reason="still_running")
        except HomeAssistantError as error:
            return self.async_abort(
                reason="not_done", description_placeholders={"reason": str(error)}
            )
        return await self.async_step_primed()

    async def async_step_primed(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Ask whether the hose is filled, or the head is to run again."""
        return self.async_show_menu(
            step_id="primed",
            menu_options=["prime", "filled"],
            description_placeholders=self._about,
        )

    async def async_step_filled(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """End: the hose is filled."""
        return self.async_abort(reason="filled")

    async def _run_for(self, seconds: int) -> None:
        """Run the head. Raises HomeAssistantError that says why it does not."""
        engine = self.hass.data[DATA_ENGINE]
        device, head = self.primed
        args = {"head_index": head, "seconds": seconds}
        with translating():
            command = await engine.send(
                device, "prime_head", args, Origin(source=Source.SERVICE)
            )
        ended = await engine.finished(command)
        if ended.phase is not Phase.COMPLETED:
            raise failed(ended)

    @property
    def _about(self) -> dict[str, str]:
        """Return what the texts say about the head."""
        device, head = self.primed
        return {"name": device.row.name, "head": str(head + 1)}
