"""A mode of the keeper's own: a name, a countdown, and steps that are added one by one.

The subentry is only a handle: the mode itself, with its revisions, is in the store.
"""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import TextSelector
import probatio as vol

from ..api.device_fields import SingleField
from ..const import CONF_ABOVE, CONF_BELOW, CONF_DEVICE, CONF_MODE
from ..data import DATA_ENGINE
from ..engine.mode_definitions import Mode, ModeDefinitions
from ..engine.state import DeviceState
from ..errors import translating
from ..form_fields import number_field
from ..runs.mode_definition import mode_json
from .field_names import Words, name_of, words_of
from .mode_steps import (
    CONF_EQUALS,
    CONF_MINUTES,
    CONF_VALUE,
    COUNTDOWN,
    DELAY_SCHEMA,
    MINUTES,
    Step,
    choice,
    delay_step,
    field_choice,
    fields_in,
    held_in,
    hold_step,
    release_step,
    texts,
    value_schema,
    wait_schema,
    wait_step,
)

CONF_DURATION: Final = "duration_minutes"
CONF_FIELD: Final = "field"
CONF_LATEST_END: Final = "latest_end_minutes"
CONF_PLACE: Final = "place"
CONF_STEP: Final = "step"

MODE_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_DURATION, default=10): MINUTES,
        vol.Optional(CONF_LATEST_END): MINUTES,
    }
)
# Where an error of the definition is shown; all others are the whole form's.
_FIELDS: Final = (CONF_NAME, CONF_DURATION, CONF_LATEST_END)
_IN_WORDS_OF_THE_FORM: Final = {
    "mode_name_taken": "mode_name_taken",
    "schedule_empty": "name_missing",
    "schedule_out_of_range": "latest_end_early",
    "schedule_too_long": "name_too_long",
}
"""What is told at a field, which needs not be named there."""


class ModeFlow(ConfigSubentryFlow):
    """Asks for a mode as a whole, then for its steps, as many as are wanted."""

    def __init__(self) -> None:
        """Start without any step."""
        self._stored: Mode | None = None
        self._icon: str | None = None
        self._about: dict[str, Any] = {}
        self._steps: list[Step] = []
        self._field = ""
        self._words: Words = {}
        self._chosen: tuple[DeviceState, SingleField]

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Add a mode; without devices there is nothing to hold."""
        if not fields_in(self.hass, self._get_entry().entry_id, writable=True):
            return self.async_abort(reason="no_devices")
        return await self.async_step_mode()

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change a mode as it is stored now."""
        number = self._get_reconfigure_subentry().data[CONF_MODE]
        self._stored = self._modes.by_number(number)
        if self._stored is None:
            return self.async_abort(reason="mode_gone")
        self._about = {CONF_NAME: self._stored.name}
        if (definition := self._stored.definition) is not None:
            known = mode_json(definition)
            self._about |= {key: known[key] for key in _FIELDS}
            self._icon, self._steps = known["icon"], known["steps"]
        return await self.async_step_mode()

    async def async_step_mode(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the name and the countdown."""
        if not self._words:
            self._words = await words_of(self.hass)
        if user_input is not None:
            self._about = user_input
            return await self.async_step_steps()
        return self._ask_about()

    async def async_step_steps(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show the steps, and ask what comes next."""
        listed = self._texts
        counts = COUNTDOWN not in self._steps
        held = bool(held_in(self._steps))
        offered = {
            "hold": True,
            "countdown": counts,
            "delay": True,
            "wait": True,
            "release": held,
            "move": len(listed) > 1,
            "take_out": bool(listed),
            "save": held,
        }
        return self.async_show_menu(
            step_id="steps",
            menu_options=[step for step, shown in offered.items() if shown],
            description_placeholders={
                "name": self._about[CONF_NAME],
                "steps": "\n".join(listed) or "–",
            },
        )

    async def async_step_hold(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask what is held."""
        return await self._ask_for_field("hold", user_input)

    async def async_step_hold_value(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask at which value it is held."""
        device, field = self._chosen
        errors: dict[str, str] = {}
        reason = ""
        if user_input is not None:
            value = user_input[CONF_VALUE]
            try:
                with translating():
                    if device.device is not None:
                        device.device.check(field.name, value)
            except HomeAssistantError as error:
                errors, reason = {CONF_VALUE: "not_possible"}, str(error)
            else:
                step = hold_step(self._field, field.description, value)
                return await self._added(step)
        return self.async_show_form(
            step_id="hold_value",
            data_schema=self.add_suggested_values_to_schema(
                value_schema(field.description), user_input
            ),
            errors=errors,
            description_placeholders={
                "device": device.row.name,
                "field": name_of(device, field, self._words),
                "reason": reason,
            },
            last_step=False,
        )

    async def async_step_wait(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask whose value is waited for."""
        return await self._ask_for_field("wait", user_input)

    async def async_step_wait_value(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask which value is waited for, and how long."""
        device, field = self._chosen
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = _wait_errors(user_input)
            if not errors:
                return await self._added(wait_step(self._field, user_input))
        return self.async_show_form(
            step_id="wait_value",
            data_schema=self.add_suggested_values_to_schema(
                wait_schema(field.description), user_input
            ),
            errors=errors,
            description_placeholders={
                "device": device.row.name,
                "field": name_of(device, field, self._words),
            },
            last_step=False,
        )

    async def async_step_countdown(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Let the countdown begin here."""
        return await self._added(COUNTDOWN)

    async def async_step_delay(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask how long to wait."""
        if user_input is not None:
            return await self._added(delay_step(user_input[CONF_MINUTES]))
        return self.async_show_form(
            step_id="delay", data_schema=DELAY_SCHEMA, last_step=False
        )

    async def async_step_release(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask which device comes back."""
        if user_input is not None:
            return await self._added(release_step(user_input[CONF_DEVICE]))
        names = self._names
        held = {uuid: names.get(uuid, uuid) for uuid in held_in(self._steps)}
        return self.async_show_form(
            step_id="release",
            data_schema=vol.Schema({vol.Required(CONF_DEVICE): choice(held)}),
            last_step=False,
        )

    async def async_step_move(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask which step belongs to another place."""
        if user_input is not None:
            step = self._steps.pop(int(user_input[CONF_STEP]))
            self._steps.insert(int(user_input[CONF_PLACE]) - 1, step)
            return await self.async_step_steps()
        place = number_field(None, 1, len(self._steps), 1)
        return self.async_show_form(
            step_id="move",
            data_schema=vol.Schema(
                {
                    vol.Required(CONF_STEP): self._step_choice,
                    vol.Required(CONF_PLACE): place,
                }
            ),
            last_step=False,
        )

    async def async_step_take_out(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask which step is not wanted any more."""
        if user_input is not None:
            del self._steps[int(user_input[CONF_STEP])]
            return await self.async_step_steps()
        return self.async_show_form(
            step_id="take_out",
            data_schema=vol.Schema({vol.Required(CONF_STEP): self._step_choice}),
            last_step=False,
        )

    async def async_step_save(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Store the mode; what is wrong with it is told where it can be mended."""
        try:
            with translating():
                mode = await self._store()
        except HomeAssistantError as error:
            told = dict(error.translation_placeholders or {}) | {"reason": str(error)}
            errors = {"base": "not_possible"}
            if (field := told.get("field")) in _FIELDS:
                key = error.translation_key or ""
                errors = {field: _IN_WORDS_OF_THE_FORM.get(key, "not_possible")}
            return self._ask_about(errors, told)
        assert mode.row is not None
        data = {CONF_MODE: mode.row.id}
        if self.source == SOURCE_USER:
            return self.async_create_entry(
                title=mode.name, data=data, unique_id=f"{CONF_MODE}_{mode.row.id}"
            )
        return self.async_update_and_abort(
            self._get_entry(),
            self._get_reconfigure_subentry(),
            title=mode.name,
            data=data,
        )

    async def _store(self) -> Mode:
        """Store the mode. Without a countdown of its own it begins after the last step."""
        counted = COUNTDOWN in self._steps
        definition = {
            **self._about,
            "icon": self._icon,
            "steps": [*self._steps, *([] if counted else [COUNTDOWN])],
        }
        aquarium = self._get_entry().entry_id
        if self._stored is None or self._stored.row is None:
            return await self._modes.create(aquarium, definition, user=None)
        return await self._modes.update(
            aquarium,
            self._stored.name,
            definition,
            user=None,
            expected_revision=self._stored.row.revision,
        )

    def _ask_about(
        self,
        errors: dict[str, str] | None = None,
        told: Mapping[str, str] | None = None,
    ) -> SubentryFlowResult:
        """Ask for what a mode is as a whole."""
        return self.async_show_form(
            step_id="mode",
            data_schema=self.add_suggested_values_to_schema(MODE_SCHEMA, self._about),
            errors=errors,
            description_placeholders=told,
            last_step=False,
        )

    async def _ask_for_field(
        self, step: str, user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        """Ask for a field of a device, then go on to the step that asks for its value."""
        aquarium = self._get_entry().entry_id
        fields = fields_in(self.hass, aquarium, writable=step == "hold")
        errors: dict[str, str] = {}
        if user_input is not None:
            self._field = user_input[CONF_FIELD]
            if (chosen := fields.get(self._field)) is not None:
                self._chosen = chosen
                if step == "hold":
                    return await self.async_step_hold_value()
                return await self.async_step_wait_value()
            errors = {CONF_FIELD: "device_gone"}
        return self.async_show_form(
            step_id=step,
            data_schema=vol.Schema(
                {vol.Required(CONF_FIELD): field_choice(fields, self._words)}
            ),
            errors=errors,
            last_step=False,
        )

    async def _added(self, step: Step) -> SubentryFlowResult:
        """Add a step at the end, and ask for the next one."""
        self._steps.append(step)
        return await self.async_step_steps()

    @property
    def _modes(self) -> ModeDefinitions:
        """Return the modes of all aquariums."""
        return self.hass.data[DATA_ENGINE].modes.definitions

    @property
    def _names(self) -> dict[str, str]:
        """Return the names of all devices, also of those that are gone."""
        devices = self.hass.data[DATA_ENGINE].devices.values()
        return {device.row.uuid: device.row.name for device in devices}

    @property
    def _texts(self) -> list[str]:
        """Return the steps as they are listed."""
        fields = fields_in(self.hass, self._get_entry().entry_id, writable=False)
        names = self._names | {
            key: name_of(device, field, self._words)
            for key, (device, field) in fields.items()
        }
        return texts(self._steps, names, self._about[CONF_DURATION])

    @property
    def _step_choice(self) -> Any:
        """Return the field that asks for one of the steps."""
        return choice({str(place): text for place, text in enumerate(self._texts)})


def _wait_errors(entered: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with a wait: it needs a value or a bound, and room between two."""
    above, below = entered.get(CONF_ABOVE), entered.get(CONF_BELOW)
    if CONF_EQUALS not in entered and above is None and below is None:
        return {"base": "condition_missing"}
    if above is not None and below is not None and above >= below:
        return {CONF_BELOW: "range_empty"}
    return {}
