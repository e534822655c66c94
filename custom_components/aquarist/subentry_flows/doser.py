"""A dosing pump: a switch whose flow the keeper has measured."""

from collections.abc import Mapping
from typing import Any, Final, cast, override

from homeassistant.config_entries import SubentryFlowContext, SubentryFlowResult
from homeassistant.const import CONF_ENTITY_ID, CONF_NAME, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import TextSelector
import probatio as vol

from ..const import (
    CONF_AUTOMATIC_OFF_SECONDS,
    CONF_BUDGET_ML,
    CONF_CONTAINER_ML,
    CONF_FLOW_ENTERED_AT,
    CONF_FLOW_ML_PER_MINUTE,
    CONF_MAXIMUM_DOSE_ML,
    CONF_MAXIMUM_ON_SECONDS,
    DEFAULT_BUDGET_ML,
)
from ..data import DATA_ENGINE
from ..devices.device import DoserDevice
from ..devices.dosing_fields import LONGEST_RUN
from ..form_fields import number_field
from ..hardware import MICROLITRES, device_uuid
from ..head_options import (
    MAXIMUM_DOSE,
    container_errors,
    container_ml,
    entered_head,
    head_errors,
    head_fields,
    known_device,
)
from ..head_steps import HeadSteps
from .device_flow import DeviceFlow, Errors, entity_field

DOMAINS: Final = ("switch", "input_boolean")
"""What can be on for an exact time."""

DEFAULT_MAXIMUM_DOSE_ML: Final = 10.0
_USUAL: Final = {CONF_MAXIMUM_ON_SECONDS: LONGEST_RUN}
NEW: Final = {
    CONF_MAXIMUM_DOSE_ML: DEFAULT_MAXIMUM_DOSE_ML,
    CONF_BUDGET_ML: DEFAULT_BUDGET_ML,
    **_USUAL,
}
"""What is suggested for a doser that is added."""


def schema(hass: HomeAssistant) -> vol.Schema:
    """Return the form."""
    return vol.Schema(
        {
            vol.Required(CONF_NAME): TextSelector(),
            vol.Required(CONF_ENTITY_ID): entity_field(DOMAINS),
            # Where a number must be, pages put the smallest one: that must not be taken for it.
            vol.Optional(CONF_FLOW_ML_PER_MINUTE): number_field("mL/min", 0.1, 10000),
            vol.Required(CONF_MAXIMUM_DOSE_ML): MAXIMUM_DOSE,
            **head_fields(hass),
            vol.Optional(CONF_MAXIMUM_ON_SECONDS): number_field(
                UnitOfTime.SECONDS, 1, 3600, 1
            ),
            vol.Optional(CONF_AUTOMATIC_OFF_SECONDS): number_field(
                UnitOfTime.SECONDS, 1, 86400, 1
            ),
        }
    )


class DoserFlow(
    HeadSteps[SubentryFlowContext, SubentryFlowResult, tuple[str, str]],
    DeviceFlow,
):
    """Asks for the switch, its flow and the limits of its doses; calibrates it later."""

    @override
    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change the doser, measure its flow anew, or fill its hose."""
        return self.async_show_menu(
            step_id="reconfigure",
            menu_options=["device", "calibrate_head", "prime_head"],
            description_placeholders={"name": self._get_reconfigure_subentry().title},
        )

    async def async_step_calibrate_head(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Calibrate it, if it is there."""
        if not self._loaded:
            return self.async_abort(reason="not_loaded")
        return await self.async_step_calibrate()

    async def async_step_prime_head(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Fill its hose, if it is there."""
        if not self._loaded:
            return self.async_abort(reason="not_loaded")
        return await self.async_step_prime()

    @override
    async def async_step_device(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for everything at once."""
        known = {**_USUAL, **self._known} if self._known else NEW
        container = self._container
        errors: Errors = {}
        if user_input is not None:
            head = entered_head(user_input)
            entity_id = self._entity_id(user_input[CONF_ENTITY_ID])
            errors = {
                **self._name_errors(user_input),
                **self._entity_errors(CONF_ENTITY_ID, [entity_id], DOMAINS),
                **_run_errors(user_input),
                **head_errors(head),
            }
            if self._known and not errors:
                errors = await container_errors(self.hass, self._uuid, 0, head)
            if not errors:
                return self._save(
                    user_input[CONF_NAME],
                    {
                        **self._stored(entity_id),
                        **_run(user_input),
                        **self._kept_flow(user_input),
                        **head,
                    },
                )
        longest = _longest_run(user_input or known)
        shown = {**known, CONF_CONTAINER_ML: container}
        if self._known:
            shown[CONF_FLOW_ML_PER_MINUTE] = self._flow
        self._placeholders["seconds"] = f"{longest:g}"
        return self._ask(schema(self.hass), user_input or shown, errors)

    @property
    @override
    def _uuid(self) -> str:
        """Return the id of the doser that is changed."""
        return device_uuid(self._reconfigure_subentry_id)

    @property
    def _flow(self) -> float:
        """Return the flow that a known doser doses by in mL a minute: entered, or measured."""
        device = known_device(self.hass, self._uuid)
        if device is None or device.device is None:
            entered: float = self._known[CONF_FLOW_ML_PER_MINUTE]
            return entered
        flow = cast(DoserDevice, device.device).heads[0].flow
        return round(flow * 60 / MICROLITRES, 3)

    def _kept_flow(self, user_input: Mapping[str, Any]) -> dict[str, Any]:
        """Return since when an entered flow counts, or what was stored of one left as it is."""
        if not self._known:
            return {}
        if user_input[CONF_FLOW_ML_PER_MINUTE] != self._flow:
            now = self.hass.data[DATA_ENGINE].clock.now()
            return {CONF_FLOW_ENTERED_AT: now.isoformat()}
        keys = (CONF_FLOW_ML_PER_MINUTE, CONF_FLOW_ENTERED_AT)
        return {key: self._known[key] for key in keys if key in self._known}

    @property
    def _container(self) -> float | None:
        """Return the size of the container in mL; a new doser has none."""
        if not self._known:
            return None
        known: float | None = self._known.get(CONF_CONTAINER_ML)
        return container_ml(self.hass, self._uuid, 0) or known


def _run(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was entered for the switch."""
    return {
        CONF_FLOW_ML_PER_MINUTE: user_input[CONF_FLOW_ML_PER_MINUTE],
        CONF_MAXIMUM_ON_SECONDS: user_input.get(CONF_MAXIMUM_ON_SECONDS, LONGEST_RUN),
        CONF_AUTOMATIC_OFF_SECONDS: user_input.get(CONF_AUTOMATIC_OFF_SECONDS),
    }


def _longest_run(user_input: Mapping[str, Any]) -> float:
    """Return the seconds that a dose may take: the switch must not cut it off."""
    maximum_on: float = user_input.get(CONF_MAXIMUM_ON_SECONDS, LONGEST_RUN)
    return min(maximum_on, user_input.get(CONF_AUTOMATIC_OFF_SECONDS) or maximum_on)


def _run_errors(user_input: Mapping[str, Any]) -> Errors:
    """Return that the flow is missing, or too small for the largest dose in the longest run."""
    if (flow := user_input.get(CONF_FLOW_ML_PER_MINUTE)) is None:
        return {CONF_FLOW_ML_PER_MINUTE: "flow_missing"}
    largest = user_input[CONF_MAXIMUM_DOSE_ML]
    if largest > flow * _longest_run(user_input) / 60:
        return {CONF_MAXIMUM_DOSE_ML: "dose_too_long"}
    return {}
