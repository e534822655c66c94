"""A dosing pump made from a switch whose flow has been measured."""

import asyncio
from collections.abc import Mapping
from typing import override

from homeassistant.core import HomeAssistant

from ..layers.setting import Setting
from .backed_device import BackedDevice
from .backing_entity import CONFIRM_TIME, BackingEntity, domain_of
from .device import DeviceKind, Head, StopReport
from .dosing_fields import allowed_fields, head_at
from .errors import DeviceError
from .fields import LEVEL, Field
from .level_adapters import FULL, OFF, OnOffLevel
from .observable import only_fields
from .switch_dose import SwitchDose

LONGEST_RUN = 600.0
STOP_TIME = 15.0
_DOMAINS = ("switch", "input_boolean")


class Doser(BackedDevice):
    """One head. A dose switches on, waits volume / flow and switches off until that is verified.

    It has no counter: what it gave is known from the time that it ran.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        *,
        uuid: str,
        name: str,
        entity: str,
        head: Head,
        longest_run: float = LONGEST_RUN,
        confirm_time: float = CONFIRM_TIME,
    ) -> None:
        """Take a switch. ``longest_run``, in seconds, no dose may exceed.

        Raises DeviceError `unsupported` for another domain.
        """
        super().__init__(uuid=uuid, kind=DeviceKind.DOSER, name=name)
        domain = domain_of(hass, entity)
        if domain not in _DOMAINS:
            raise DeviceError("unsupported", transient=False, domain=domain)
        self.heads: tuple[Head, ...] = (head,)
        self._hass = hass
        self._longest_run = longest_run
        self._run: SwitchDose | None = None
        self._entity = BackingEntity(
            hass,
            entity,
            OnOffLevel(name=LEVEL, domain=domain),
            self._entity_changed,
            confirm_time=confirm_time,
        )
        self._attach([self._entity])
        self._known.update({name: {name: True} for name in self._fields})

    async def prepare(self, head: int) -> SwitchDose:
        """Make ready for a dose. Raises DeviceError, `already_running` while the switch is on."""
        wanted = head_at(self.heads, head)
        self._entity.require()
        running = self._run is not None and self._run.running
        if running or self._entity.reading == {LEVEL: FULL}:
            raise DeviceError(
                "already_running", transient=True, entity_id=self._entity.entity_id
            )
        self._run = SwitchDose(self._hass, self._entity, wanted, self._longest_run)
        return self._run

    @override
    async def apply(self, settings: Mapping[str, Setting]) -> None:
        """Take note of who may dose; nothing is sent."""
        only_fields(settings, *self.fields)
        for name, setting in settings.items():
            self._know(name, setting)

    async def stop(self) -> StopReport:
        """Switch off, and tell what a dose under way had given by then."""
        confirmed, detail = True, "stopped"
        try:
            async with asyncio.timeout(STOP_TIME):
                await self._entity.set({LEVEL: OFF})
        except DeviceError as error:
            confirmed, detail = False, error.code
        except TimeoutError:
            confirmed, detail = False, "no_answer"
        run = self._run
        if run is None or not run.running:
            return StopReport(confirmed=confirmed, detail=detail)
        given = await run.ended_within(1.0) if confirmed else None
        return StopReport(
            confirmed=confirmed,
            detail=detail,
            given=None if given is None else {run.head.index: given},
        )

    @override
    async def close(self) -> None:
        """Switch off if a dose is under way, then follow the switch no more."""
        if self._run is not None and self._run.running:
            await self.stop()
            await self._run.cancel()
        await super().close()

    @override
    def _describe(self) -> tuple[Field, ...]:
        """Return the fields that layers own."""
        return allowed_fields(self.heads)

    @override
    def _read(self, field: str) -> Setting | None:
        """Return nothing: no field is shown by the switch."""
        return None
