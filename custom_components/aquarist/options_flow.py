"""What a keeper may change about a Bluetooth device at any time, and what it starts with."""

from collections.abc import Mapping, Sequence
from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.const import CONF_NAME
from homeassistant.data_entry_flow import SectionConfig, section
from homeassistant.helpers.selector import BooleanSelector, TextSelector
import probatio as vol

from .chihiros.models import DeviceFamily
from .const import (
    CONF_AQUARIUM,
    CONF_BUDGET_ML,
    CONF_ENABLED,
    CONF_FAMILY,
    CONF_HEADS,
    CONF_IDLE_HOLD,
    CONF_MAXIMUM_LEVEL,
    CONF_SLEW,
    DEFAULT_BUDGET_ML,
    DEFAULT_IDLE_HOLD,
)
from .form_fields import (
    BUDGET,
    IDLE_HOLD,
    MAXIMUM_LEVEL,
    SLEW,
    aquarium_field,
    emptiable,
    is_exact,
)

type Heads = Sequence[Mapping[str, Any]]


def new_options(
    family: DeviceFamily, heads: int, aquarium: str | None
) -> dict[str, Any]:
    """Return the options that a device starts with; lights have no heads."""
    options: dict[str, Any] = {
        CONF_AQUARIUM: aquarium,
        CONF_IDLE_HOLD: DEFAULT_IDLE_HOLD,
    }
    if family is DeviceFamily.DOSER:
        return {**options, CONF_HEADS: heads_of((), heads)}
    return {**options, CONF_MAXIMUM_LEVEL: None, CONF_SLEW: None}


def heads_of(known: Heads, count: int) -> list[dict[str, Any]]:
    """Return the options of as many heads: those that are known, then new ones."""
    kept = [dict(head) for head in known[:count]]
    new = [
        {
            CONF_NAME: f"Head {number}",
            CONF_ENABLED: True,
            CONF_BUDGET_ML: DEFAULT_BUDGET_ML,
        }
        for number in range(len(kept) + 1, count + 1)
    ]
    return kept + new


class DeviceOptionsFlow(OptionsFlowWithReload):
    """Asks for the aquarium, how long the link is held, and the limits of a light or of each head."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for everything at once, as far as the device has it."""
        if self.config_entry.data[CONF_FAMILY] == DeviceFamily.DOSER:
            return await self.async_step_doser(user_input)
        return await self.async_step_light(user_input)

    async def async_step_light(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the options of a light."""
        if user_input is not None:
            limits = {
                key: user_input.get(key) for key in (CONF_MAXIMUM_LEVEL, CONF_SLEW)
            }
            return self.async_create_entry(data=_common(user_input) | limits)
        known = self.config_entry.options
        fields = self._common_fields(known) | {
            emptiable(CONF_MAXIMUM_LEVEL, known): MAXIMUM_LEVEL,
            emptiable(CONF_SLEW, known): SLEW,
        }
        return self.async_show_form(step_id="light", data_schema=vol.Schema(fields))

    async def async_step_doser(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the options of a doser, each head in a section of its own."""
        known = {**self.config_entry.options, **(user_input or {})}
        count = self.config_entry.data[CONF_HEADS]
        heads = heads_of(known.get(CONF_HEADS, ()), count)
        errors: dict[str, str] = {}
        wrong_head = ""
        if user_input is not None:
            heads = _entered_heads(user_input, count)
            problem = _problem(heads)
            if problem is None:
                return self.async_create_entry(
                    data=_common(user_input) | {CONF_HEADS: heads}
                )
            errors["base"], wrong_head = problem
        fields = self._common_fields(known) | {
            vol.Required(f"head_{number}"): _head_section(head)
            for number, head in enumerate(heads, start=1)
        }
        return self.async_show_form(
            step_id="doser",
            data_schema=vol.Schema(fields),
            errors=errors,
            description_placeholders={"head": wrong_head},
        )

    def _common_fields(self, known: Mapping[str, Any]) -> dict[Any, Any]:
        """Return the fields that every device has."""
        hold = known.get(CONF_IDLE_HOLD, DEFAULT_IDLE_HOLD)
        return {
            **aquarium_field(self.hass, known.get(CONF_AQUARIUM)),
            vol.Required(CONF_IDLE_HOLD, default=hold): IDLE_HOLD,
        }


def _common(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that every device has."""
    return {
        CONF_AQUARIUM: user_input.get(CONF_AQUARIUM),
        CONF_IDLE_HOLD: int(user_input[CONF_IDLE_HOLD]),
    }


def _head_section(head: Mapping[str, Any]) -> section:
    """Return the part of the form for one head."""
    schema = vol.Schema(
        {
            vol.Required(CONF_NAME, default=head[CONF_NAME]): TextSelector(),
            vol.Required(CONF_ENABLED, default=head[CONF_ENABLED]): BooleanSelector(),
            emptiable(CONF_BUDGET_ML, head): BUDGET,
        }
    )
    return section(schema, SectionConfig(collapsed=False))


def _entered_heads(user_input: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
    """Return what was entered for each head; an empty limit is none."""
    entered = [user_input[f"head_{number}"] for number in range(1, count + 1)]
    return [
        {
            CONF_NAME: head[CONF_NAME].strip(),
            CONF_ENABLED: head[CONF_ENABLED],
            CONF_BUDGET_ML: head.get(CONF_BUDGET_ML),
        }
        for head in entered
    ]


def _problem(heads: Heads) -> tuple[str, str] | None:
    """Return the first thing that is wrong and the number of the head, None when nothing is."""
    taken: set[str] = set()
    for number, head in enumerate(heads, start=1):
        name = head[CONF_NAME].casefold()
        if not name:
            return "head_name_missing", str(number)
        if name in taken:
            return "head_name_taken", str(number)
        taken.add(name)
        if not is_exact(head[CONF_BUDGET_ML]):
            return "head_budget_too_fine", str(number)
    return None
