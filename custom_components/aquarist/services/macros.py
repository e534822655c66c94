"""Macros as a service (R-C31)."""

import asyncio
from contextlib import suppress

from homeassistant.core import ServiceCall, ServiceResponse
import probatio as vol

from ..api.command_requests import EXECUTION, LONGEST_WAIT, Execution
from ..api.fields import reference
from ..api.runs import failure, require_all, run_record
from ..commands.command import Source
from ..data import DATA_ENGINE
from ..engine.intake import Origin
from ..errors import translating
from ..schedules.validation import validated

RUN_MACRO = "run_macro"

_RUN_MACRO = vol.Schema({vol.Required("macro"): reference} | EXECUTION)


async def _run_macro(call: ServiceCall) -> ServiceResponse:
    """Run a macro, by its number or name, for whoever controls all its devices."""
    with translating():
        asked = validated(_RUN_MACRO, dict(call.data), within="")
        engine = call.hass.data[DATA_ENGINE]
        wanted = asked["macro"]
        macro = (
            engine.macros.named(wanted, field="macro")
            if isinstance(wanted, str)
            else engine.macros.get(wanted, field="macro")
        )
        await require_all(call.hass, call.context, macro.row.definition)
        origin = Origin(
            source=Source.MACRO, user=call.context.user_id, context=call.context.id
        )
        run = await engine.macros.run(macro.row.id, origin)
        waits = asked["execution"] is Execution.SYNC
        if waits:
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_WAIT):
                    await engine.runs.finished(run.id)
        row, steps = await engine.runs.get(run.id)
    if waits and (error := failure(row, steps)) is not None:
        raise error
    return run_record(row, steps)


SERVICES = {
    RUN_MACRO: _run_macro,
}
