"""What all flows for devices made from entities have in common: names, entities, saving."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
import re
from typing import Any, Final

from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import EntitySelector, EntitySelectorConfig
import probatio as vol

from ..const import (
    CONF_CHANNELS,
    CONF_FIELDS,
    CONF_REGISTRY_ID,
    CONF_UNIT,
    SUBENTRY_MODE,
    SUBENTRY_NO_DEVICE,
)
from ..devices.references import brought_up_to_date, stored_reference
from ..form_fields import name_problem
from .backing import entity_problem

type Errors = dict[str, str]

_WORD: Final = re.compile(r"[a-z][a-z0-9_]*")


def entity_field(domains: Collection[str]) -> EntitySelector:
    """Return the field that asks for an entity, listing those that a device can be made of."""
    return EntitySelector(EntitySelectorConfig(filter={"domain": list(domains)}))


def several(value: Any) -> list[dict[str, str]]:
    """Return the items of a field that takes several; it lets a single one through as it is."""
    return list(value) if isinstance(value, list) else [value]


def _as_asked(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a form knows of a channel or field: not what was noted beside it."""
    noted = (CONF_REGISTRY_ID, CONF_UNIT)
    return {key: value for key, value in part.items() if key not in noted}


class DeviceFlow(ConfigSubentryFlow, ABC):
    """Adds or changes one device of an aquarium; both ask the same in the step `device`."""

    def __init__(self) -> None:
        """Start with nothing wrong."""
        self._placeholders = {"entity": "", "word": ""}

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Add a device."""
        return await self.async_step_device()

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change a device."""
        return await self.async_step_device()

    @abstractmethod
    async def async_step_device(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the name and the entities."""

    @property
    def _known(self) -> Mapping[str, Any]:
        """Return the device as it is before the change; nothing for a new one."""
        if self.source == SOURCE_USER:
            return {}
        subentry = self._get_reconfigure_subentry()
        present = brought_up_to_date(self.hass, subentry.data)
        for key in (CONF_CHANNELS, CONF_FIELDS):
            if key in present:
                present[key] = [_as_asked(part) for part in present[key]]
        return {CONF_NAME: subentry.title, **present}

    def _name_errors(self, user_input: Mapping[str, Any]) -> Errors:
        """Return what is wrong with the device's name: none has that of another one."""
        name = user_input[CONF_NAME].strip()
        problem = name_problem(name)
        if problem is None and name.casefold() in self._others:
            problem = "device_name_taken"
        return {} if problem is None else {CONF_NAME: problem}

    @property
    def _others(self) -> set[str]:
        """Return the names of the other devices, or rules, of the aquarium, without case."""
        own = None if self.source == SOURCE_USER else self._reconfigure_subentry_id
        no_device = self._subentry_type in SUBENTRY_NO_DEVICE
        return {
            other.title.casefold()
            for other in self._get_entry().subentries.values()
            if other.subentry_id != own
            and (other.subentry_type in SUBENTRY_NO_DEVICE) == no_device
            and other.subentry_type != SUBENTRY_MODE
        }

    def _entity_id(self, reference: str) -> str:
        """Return the entity id for what the entity field gave, which may be the id of a registry entry."""
        registry = er.async_get(self.hass)
        return er.async_resolve_entity_id(registry, reference) or reference

    def _stored(self, entity_id: str) -> dict[str, str]:
        """Return how an entity is stored."""
        return stored_reference(self.hass, entity_id)

    def _entity_errors(
        self, key: str, entity_ids: Collection[str], domains: Collection[str]
    ) -> Errors:
        """Return what is wrong with the first entity that cannot back the device, for the field `key`."""
        own = None if self.source == SOURCE_USER else self._reconfigure_subentry_id
        taken: set[str] = set()
        for entity_id in entity_ids:
            problem = entity_problem(self.hass, entity_id, domains, own)
            if problem is None and entity_id in taken:
                problem = "entity_twice"
            if problem is not None:
                self._placeholders["entity"] = entity_id
                return {key: problem}
            taken.add(entity_id)
        return {}

    def _word_errors(self, key: str, words: Collection[str]) -> Errors:
        """Return what is wrong with the first word that is none, or comes twice, for the field `key`."""
        taken: set[str] = set()
        for word in words:
            if not _WORD.fullmatch(word) or word in taken:
                self._placeholders["word"] = word
                return {key: "word_twice" if word in taken else "word_invalid"}
            taken.add(word)
        return {}

    def _ask(
        self,
        schema: vol.Schema,
        known: Mapping[str, Any],
        errors: Errors,
        *,
        last_step: bool | None = None,
    ) -> SubentryFlowResult:
        """Show the form of the step `device` with what is known, or was entered."""
        return self.async_show_form(
            step_id="device",
            data_schema=self.add_suggested_values_to_schema(schema, known),
            errors=errors,
            description_placeholders=self._placeholders,
            last_step=last_step,
        )

    def _save(self, name: str, data: Mapping[str, Any]) -> SubentryFlowResult:
        """Add the device, or put it in the place of the one that was changed."""
        title = name.strip()
        if self.source == SOURCE_USER:
            return self.async_create_entry(title=title, data=data)
        return self.async_update_and_abort(
            self._get_entry(),
            self._get_reconfigure_subentry(),
            title=title,
            data=data,
        )
