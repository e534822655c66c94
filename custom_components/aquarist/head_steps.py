"""The steps that the forms for dosing heads share: calibrate a head, fill its hose."""

from abc import abstractmethod
from typing import Any, override

from homeassistant.data_entry_flow import FlowContext, FlowResult

from .calibration_steps import CalibrationSteps
from .data import DATA_ENGINE
from .engine.state import DeviceState
from .head_options import known_device
from .priming_steps import PrimingSteps


class HeadSteps[
    ContextT: FlowContext,
    ResultT: FlowResult[Any, Any],
    HandlerT,
](
    CalibrationSteps[ContextT, ResultT, HandlerT],
    PrimingSteps[ContextT, ResultT, HandlerT],
):
    """Does both with one head of a device; what it finds is kept beside what the form asks."""

    _head = 0

    @property
    @abstractmethod
    def _uuid(self) -> str:
        """Return the id of the device."""

    @property
    def _loaded(self) -> bool:
        """Return whether the pump can be asked to run."""
        device = known_device(self.hass, self._uuid)
        return device is not None and device.device is not None

    @property
    @override
    def primed(self) -> tuple[DeviceState, int]:
        """Return the pump and the chosen head."""
        return self.calibrated

    @property
    @override
    def calibrated(self) -> tuple[DeviceState, int]:
        """Return the pump and the chosen head."""
        return self.hass.data[DATA_ENGINE].device(self._uuid), self._head

    @override
    def calibration_done(self) -> ResultT:
        """End without a change of what the form asks: the calibration is kept elsewhere."""
        return self.async_abort(reason="calibrated")
