"""How devices and aquariums are added and changed: Bluetooth discovery, the user's menu, reconfiguration."""

from typing import Any, Final, override

from homeassistant.components.bluetooth import BluetoothServiceInfoBleak
from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.const import CONF_ADDRESS, CONF_NAME
from homeassistant.core import callback
from homeassistant.helpers.importlib import async_import_module
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
)
from homeassistant.util import slugify
import probatio as vol

from .chihiros.models import DeviceFamily, model_for
from .const import (
    CONF_AQUARIUM,
    CONF_CHANNELS,
    CONF_DEMO,
    CONF_FAMILY,
    CONF_HEADS,
    CONF_KIND,
    CONF_LOCAL_NAME,
    DOMAIN,
    KIND_AQUARIUM,
    KIND_CHIHIROS,
)
from .device_options import heads_of, new_options
from .discovery import (
    LAYOUTS,
    NOT_SUPPORTED,
    Candidate,
    candidate,
    candidates,
    colors_of,
    layout_of,
    refusal,
)
from .form_fields import (
    DEVICE_TYPE,
    HEADS,
    USUAL_HEADS,
    aquarium_field,
    aquariums,
    layout_field,
    name_problem,
)

CONF_DEVICE_TYPE: Final = "device_type"
CONF_LAYOUT: Final = "layout"
CONF_SKIP_TEST: Final = "skip_test"
DEMO_NAME: Final = "Demo aquarium"

NAME_SCHEMA: Final = vol.Schema({vol.Required(CONF_NAME): TextSelector()})


class AquaristConfigFlow(ConfigFlow, domain=DOMAIN):
    """Adds one Bluetooth device or one aquarium."""

    VERSION = 1
    MINOR_VERSION = 1

    def __init__(self) -> None:
        """Start with nothing chosen."""
        self._chosen: Candidate
        self._layout: str | None = None
        self._failed = False

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the options of an aquarium or of a Bluetooth device."""
        if config_entry.data.get(CONF_KIND) == KIND_AQUARIUM:
            # The flows behind this one wait for the keeper who opens them.
            from .aquarium_options import AquariumOptionsFlow  # noqa: PLC0415

            return AquariumOptionsFlow()
        from .options_flow import DeviceOptionsFlow  # noqa: PLC0415

        return DeviceOptionsFlow()

    @classmethod
    @callback
    @override
    def async_supports_options_flow(cls, config_entry: ConfigEntry) -> bool:
        """Say that what is ignored has no options."""
        return CONF_KIND in config_entry.data

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what can be listed by hand: devices of an aquarium, and safety rules for them."""
        if config_entry.data.get(CONF_KIND) != KIND_AQUARIUM:
            return {}
        from .subentry_flows.kinds import SUBENTRY_KINDS  # noqa: PLC0415

        return dict(SUBENTRY_KINDS)

    @override
    async def async_step_bluetooth(
        self, discovery_info: BluetoothServiceInfoBleak
    ) -> ConfigFlowResult:
        """Take a device that Home Assistant has heard."""
        found = candidate(discovery_info)
        if found is None:
            model = model_for(discovery_info.name)
            return self.async_abort(
                reason=refusal(discovery_info) or NOT_SUPPORTED,
                description_placeholders={"model": model.name if model else ""},
            )
        await self.async_set_unique_id(found.address)
        self._abort_if_unique_id_configured()
        return await self._ask_about(found)

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what to add."""
        return self.async_show_menu(
            step_id="user", menu_options=["pick_device", "aquarium", "demo"]
        )

    async def async_step_pick_device(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which of the devices that are heard to add."""
        known = self._async_current_ids(include_ignore=False)
        found = {each.address: each for each in candidates(self.hass, known)}
        if not found:
            return self.async_abort(reason="no_devices_found")
        errors: dict[str, str] = {}
        if user_input is not None:
            chosen = found.get(user_input[CONF_ADDRESS])
            if chosen is not None:
                await self.async_set_unique_id(chosen.address, raise_on_progress=False)
                self._abort_if_unique_id_configured()
                return await self._ask_about(chosen)
            errors[CONF_ADDRESS] = "device_gone"
        options = [
            SelectOptionDict(value=address, label=each.label)
            for address, each in found.items()
        ]
        selector = SelectSelector(SelectSelectorConfig(options=options))
        return self.async_show_form(
            step_id="pick_device",
            data_schema=vol.Schema({vol.Required(CONF_ADDRESS): selector}),
            errors=errors,
            last_step=False,
        )

    async def async_step_unknown_device(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what a device is whose name nobody knows."""
        if user_input is None:
            return self.async_show_form(
                step_id="unknown_device",
                data_schema=vol.Schema({vol.Required(CONF_DEVICE_TYPE): DEVICE_TYPE}),
                description_placeholders=self._about(self._chosen.model.name),
                last_step=False,
            )
        if user_input[CONF_DEVICE_TYPE] == DeviceFamily.DOSER:
            return await self.async_step_doser()
        self._layout = user_input[CONF_DEVICE_TYPE]
        return await self.async_step_light()

    async def async_step_light(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a light's channels, unless they are known, and add it."""
        fields: dict[Any, Any] = {}
        if self._layout is None and self._chosen.layouts:
            fields[vol.Required(CONF_LAYOUT)] = layout_field(self._chosen.layouts)
        if user_input is None:
            return self._show_device(DeviceFamily.LIGHT, fields)
        layout = user_input.get(CONF_LAYOUT, self._layout)
        channels = LAYOUTS[layout] if layout else self._chosen.model.channels
        details = {CONF_CHANNELS: colors_of(channels)}
        return await self._add_device(DeviceFamily.LIGHT, details, fields, user_input)

    async def async_step_doser(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a doser's number of heads, and add it."""
        fields: dict[Any, Any] = {vol.Required(CONF_HEADS, default=USUAL_HEADS): HEADS}
        if user_input is None:
            return self._show_device(DeviceFamily.DOSER, fields)
        details = {CONF_HEADS: int(user_input[CONF_HEADS])}
        return await self._add_device(DeviceFamily.DOSER, details, fields, user_input)

    async def async_step_aquarium(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the name of a new aquarium."""
        errors: dict[str, str] = {}
        if user_input is not None:
            name, errors = self._checked_name(user_input)
            if not errors:
                await self.async_set_unique_id(slugify(name), raise_on_progress=False)
                return self._create_aquarium(name, demo=False)
        return self.async_show_form(
            step_id="aquarium",
            data_schema=self.add_suggested_values_to_schema(NAME_SCHEMA, user_input),
            errors=errors,
        )

    async def async_step_demo(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Add the demo aquarium, of which there is one."""
        await self.async_set_unique_id(slugify(DEMO_NAME), raise_on_progress=False)
        self._abort_if_unique_id_configured()
        self._async_abort_entries_match({CONF_DEMO: True})
        return self._create_aquarium(DEMO_NAME, demo=True)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Change what an entry is made of, by its kind."""
        entry = self._get_reconfigure_entry()
        if entry.data[CONF_KIND] == KIND_AQUARIUM:
            return await self.async_step_rename_aquarium()
        if entry.data[CONF_FAMILY] == DeviceFamily.DOSER:
            return await self.async_step_change_heads()
        return await self.async_step_change_channels()

    async def async_step_rename_aquarium(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Give an aquarium another name."""
        entry = self._get_reconfigure_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            name, errors = self._checked_name(user_input, entry)
            if not errors:
                return self.async_update_and_abort(
                    entry, title=name, unique_id=slugify(name)
                )
        known = user_input or {CONF_NAME: entry.title}
        return self.async_show_form(
            step_id="rename_aquarium",
            data_schema=self.add_suggested_values_to_schema(NAME_SCHEMA, known),
            errors=errors,
        )

    async def async_step_change_channels(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Correct the channels of a light."""
        entry = self._get_reconfigure_entry()
        if user_input is not None:
            channels = colors_of(LAYOUTS[user_input[CONF_LAYOUT]])
            return self.async_update_reload_and_abort(
                entry, data_updates={CONF_CHANNELS: channels}
            )
        schema = vol.Schema({vol.Required(CONF_LAYOUT): layout_field(LAYOUTS)})
        known = {CONF_LAYOUT: layout_of(entry.data[CONF_CHANNELS])}
        return self.async_show_form(
            step_id="change_channels",
            data_schema=self.add_suggested_values_to_schema(schema, known),
            description_placeholders={"name": entry.title},
        )

    async def async_step_change_heads(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Correct the number of a doser's heads; the ones that stay keep their options."""
        entry = self._get_reconfigure_entry()
        if user_input is not None:
            count = int(user_input[CONF_HEADS])
            heads = heads_of(entry.options.get(CONF_HEADS, ()), count)
            return self.async_update_reload_and_abort(
                entry,
                data_updates={CONF_HEADS: count},
                options={**entry.options, CONF_HEADS: heads},
            )
        schema = vol.Schema({vol.Required(CONF_HEADS): HEADS})
        known = {CONF_HEADS: str(entry.data[CONF_HEADS])}
        return self.async_show_form(
            step_id="change_heads",
            data_schema=self.add_suggested_values_to_schema(schema, known),
            description_placeholders={"name": entry.title},
        )

    async def _ask_about(self, chosen: Candidate) -> ConfigFlowResult:
        """Ask what has to be known about a device before it can be added."""
        self._chosen = chosen
        family = chosen.model.family
        self.context["title_placeholders"] = {"name": chosen.title(family)}
        if family is DeviceFamily.UNKNOWN:
            return await self.async_step_unknown_device()
        if family is DeviceFamily.DOSER:
            return await self.async_step_doser()
        return await self.async_step_light()

    def _about(self, name: str) -> dict[str, str]:
        """Return what the texts say about the chosen device."""
        return {"name": name, "address": self._chosen.address}

    def _show_device(
        self,
        family: DeviceFamily,
        fields: dict[Any, Any],
        user_input: dict[str, Any] | None = None,
        error: str | None = None,
    ) -> ConfigFlowResult:
        """Show the form of a device; once a connection has failed, it may be added without one."""
        names = aquariums(self.hass)
        aquarium = next(iter(names)) if len(names) == 1 else None
        if user_input is not None:
            aquarium = user_input.get(CONF_AQUARIUM)
        fields = {**fields, **aquarium_field(self.hass, aquarium)}
        if self._failed:
            fields[vol.Optional(CONF_SKIP_TEST, default=False)] = BooleanSelector()
        if not fields:
            self._set_confirm_only()
        return self.async_show_form(
            step_id=family.value,
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema(fields), user_input
            ),
            errors={} if error is None else {"base": error},
            description_placeholders=self._about(self._chosen.title(family)),
        )

    async def _add_device(
        self,
        family: DeviceFamily,
        details: dict[str, Any],
        fields: dict[Any, Any],
        user_input: dict[str, Any],
    ) -> ConfigFlowResult:
        """Add the device when it can be reached, or when that is not to be tried."""
        chosen = self._chosen
        title = chosen.title(family)
        if not user_input.get(CONF_SKIP_TEST):
            trial = await async_import_module(
                self.hass, f"{__package__}.connection_trial"
            )
            error = await trial.connection_error(
                self.hass, chosen.address, title, family
            )
            if error is not None:
                self._failed = True
                return self._show_device(family, fields, user_input, error)
        return self.async_create_entry(
            title=title,
            data={
                CONF_KIND: KIND_CHIHIROS,
                CONF_ADDRESS: chosen.address,
                CONF_LOCAL_NAME: chosen.local_name,
                CONF_FAMILY: family.value,
                **details,
            },
            options=new_options(
                family, details.get(CONF_HEADS, 0), user_input.get(CONF_AQUARIUM)
            ),
        )

    def _checked_name(
        self, user_input: dict[str, Any], own: ConfigEntry | None = None
    ) -> tuple[str, dict[str, str]]:
        """Return the name entered for an aquarium and what is wrong with it."""
        name: str = user_input[CONF_NAME].strip()
        if (problem := name_problem(name)) is not None:
            return name, {CONF_NAME: problem}
        taken = self.hass.config_entries.async_entry_for_domain_unique_id(
            DOMAIN, slugify(name)
        )
        if taken is not None and taken is not own:
            return name, {CONF_NAME: "name_taken"}
        return name, {}

    def _create_aquarium(self, name: str, *, demo: bool) -> ConfigFlowResult:
        """Add an aquarium."""
        return self.async_create_entry(
            title=name, data={CONF_KIND: KIND_AQUARIUM, CONF_DEMO: demo}, options={}
        )
