"""A dosing pump made from a switch whose flow has been measured."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import cast, override

from homeassistant.core import Context, HomeAssistant, callback

from ..layers.setting import Setting
from .backed_device import BackedDevice
from .backing_entity import CONFIRM_TIME, BackingEntity, domain_of
from .device import DeviceKind, DeviceListener, Head, StopReport
from .dosing_fields import LONGEST_RUN, allowed_fields, head_at
from .errors import DeviceError
from .fields import LEVEL, DataType, Field, checked_arguments
from .level import FULL
from .level_adapters import OnOffLevel
from .observable import only_fields
from .switch_dose import SwitchDose
from .switch_off import SwitchOff
from .switch_watch import SwitchWatch

STOP_TIME = 4.0
_DOMAINS = ("switch", "input_boolean")
_TENTH = 100
_RUNS = ("prime_head", "calibrate_head")


class Doser(BackedDevice):
    """One head. A dose switches on, waits volume / flow and switches off until that is verified.

    It has no counter: what it gave is known from the time that it ran. Whoever switches it
    on, it is never on for longer than ``longest_run``.
    """

    ACTIONS = {"request_status": (), **dict.fromkeys(_RUNS, ("head_index", "seconds"))}

    def __init__(
        self,
        hass: HomeAssistant,
        *,
        uuid: str,
        name: str,
        entity: str,
        head: Head,
        maximum_on: float = LONGEST_RUN,
        automatic_off: float | None = None,
        confirm_time: float = CONFIRM_TIME,
    ) -> None:
        """Take a switch, and look at it from the first listener on.

        ``maximum_on`` are the seconds that it may be on for; after ``automatic_off`` seconds
        it goes off by itself, None when it does not. Raises DeviceError `unsupported` for
        another domain.
        """
        super().__init__(uuid=uuid, kind=DeviceKind.DOSER, name=name)
        domain = domain_of(hass, entity)
        if domain not in _DOMAINS:
            raise DeviceError("unsupported", transient=False, domain=domain)
        self.automatic_off = automatic_off
        self.longest_run = min(maximum_on, automatic_off or maximum_on)
        self._largest = head.maximum
        self.heads: tuple[Head, ...] = (head,)
        self.set_flow(head.flow)
        self._hass = hass
        self._run: SwitchDose | None = None
        self._watched = False
        self._entity = BackingEntity(
            hass,
            entity,
            OnOffLevel(name=LEVEL, domain=domain),
            self._entity_changed,
            confirm_time=confirm_time,
        )
        self._off = SwitchOff(hass, self._entity)
        self._watch = SwitchWatch(
            self._entity,
            self._off,
            maximum_on=maximum_on,
            automatic_off=automatic_off,
            ran=self._was_on,
        )
        self._attach([self._entity])
        self._known.update({name: {name: True} for name in self._fields})

    @property
    def has_automatic_off(self) -> bool:
        """Return whether the switch goes off by itself when nobody switches it off."""
        return self.automatic_off is not None

    @property
    def may_run(self) -> bool:
        """Return whether the switch is on, or may be."""
        return (
            self._dosing or self._off.running or self._entity.reading == {LEVEL: FULL}
        )

    def set_flow(self, flow: float) -> None:
        """Dose from now on by another flow, in microlitres a second. Raises ValueError."""
        if flow <= 0:
            raise ValueError(f"flow: {flow} is not above 0")
        within_longest = int(self.longest_run * flow) // _TENTH * _TENTH
        self.heads = (
            replace(
                self.heads[0], flow=flow, maximum=min(self._largest, within_longest)
            ),
        )

    def cut_off(
        self, volume: int, at: datetime, seconds_ago: float, *, counted: bool = True
    ) -> None:
        """Know of a dose or run whose end nobody saw: it may still be running."""
        self._watch.cut_off(
            volume / self.heads[0].flow, at, seconds_ago, counted=counted
        )

    @override
    def listen(self, listener: DeviceListener) -> Callable[[], None]:
        """Tell a listener of all changes; what is on at the start goes off at once."""
        leave = super().listen(listener)
        self._watched = True
        self._look()
        return leave

    @override
    def behind(self, field: str) -> BackingEntity | None:
        """Return none: whether the head may dose is the keeper's word, not the switch's."""
        return None

    async def prepare(self, head: int) -> SwitchDose:
        """Make ready for a dose. Raises DeviceError, `already_running` while the switch is on."""
        wanted = head_at(self.heads, head)
        self._entity.require()
        if self.may_run:
            raise DeviceError(
                "already_running", transient=True, entity_id=self._entity.entity_id
            )
        self._run = SwitchDose(
            self._hass,
            self._entity,
            self._off,
            wanted,
            longest_run=self.longest_run,
            automatic_off=self.automatic_off,
            ran=lambda volume, at: self._tell_ran(wanted.index, volume, at),
            ended=self._run_ended,
        )
        return self._run

    @override
    async def apply(self, settings: Mapping[str, Setting]) -> None:
        """Take note of who may dose; nothing is sent."""
        only_fields(settings, *self.fields)
        for name, setting in settings.items():
            self._know(name, setting)

    async def stop(self) -> StopReport:
        """Switch off, and tell what a dose under way had given by then.

        The report comes after the first failure; trying goes on until it is off.
        """
        run = self._run if self._dosing else None
        if run is not None:
            run.end()
        error = await self._off.attempted(STOP_TIME)
        if error is not None:
            return StopReport(confirmed=False, detail=error)
        given = await run.ended_within(1.0) if run is not None else None
        return StopReport(
            confirmed=True,
            detail="stopped",
            given=None if run is None or given is None else {run.head.index: given},
        )

    @override
    def check_action(self, action: str, args: Mapping[str, object]) -> None:
        """Raise InvalidValue for an action or argument that the pump does not take."""
        super().check_action(action, args)
        if action in _RUNS:
            self._asked_run(action, args)

    @override
    async def perform(
        self, action: str, args: Mapping[str, object]
    ) -> Mapping[str, object] | None:
        """Do `request_status`, or `run` with nobody to ask."""
        if action in _RUNS:
            return await self.run(action, args, lambda: None)
        return await super().perform(action, args)

    async def run(
        self, action: str, args: Mapping[str, object], last_word: Callable[[], None]
    ) -> Mapping[str, object] | None:
        """Do `prime_head` or `calibrate_head` {head_index, seconds}.

        They return once the pump is on; it goes off by itself as after a dose, and what it
        gave is told as run by itself. Not to be repeated (law 3).
        """
        self.check_action(action, args)
        head, seconds = self._asked_run(action, args)
        dose = await self.prepare(head)
        last_word()
        await dose.run(seconds)
        return {"head_index": head, "seconds": seconds}

    @override
    async def close(self) -> None:
        """Switch off what may be on, then follow the switch no more."""
        if self.may_run:
            await self.stop()
        if self._run is not None:
            await self._run.cancel()
        await self._off.cancel()
        self._watch.close()
        await super().close()

    @property
    def _dosing(self) -> bool:
        """Return whether a dose is under way."""
        return self._run is not None and self._run.running

    @override
    def _describe(self) -> tuple[Field, ...]:
        """Return the fields that layers own."""
        return allowed_fields(self.heads)

    @override
    def _read(self, field: str) -> Setting | None:
        """Return nothing: no field is shown by the switch."""
        return None

    @override
    @callback
    def _entity_changed(self, context: Context | None) -> None:
        """Take in a change of the switch."""
        super()._entity_changed(context)
        self._look()

    def _look(self) -> None:
        """Have the switch looked at, by the dose under way or by the watch."""
        if self._run is not None and self._run.running:
            self._run.look()
        elif self._watched:
            followed = self._watch.follows
            self._watch.look()
            if followed and not self._watch.follows:
                self._tell_off()

    def _run_ended(self, clean: bool) -> None:
        """Go on to watch the switch after a dose."""
        if not clean:
            self._watch.distrust()
        if not self.may_run:
            self._tell_off()
        self._look()

    def _was_on(self, seconds: float, at: datetime) -> None:
        """Tell what was given in a time on outside of a dose."""
        if volume := round(seconds * self.heads[0].flow):
            self._tell_ran(0, volume, at)

    def _asked_run(self, action: str, args: Mapping[str, object]) -> tuple[int, float]:
        """Return head and seconds of a run. Raises InvalidValue."""
        asked = checked_arguments(
            action,
            args,
            required=[
                Field(name="head_index", data_type=DataType.NUMBER),
                Field(
                    name="seconds",
                    data_type=DataType.NUMBER,
                    minimum=0.1,
                    maximum=self.longest_run,
                ),
            ],
        )
        head = head_at(self.heads, cast(int, args["head_index"]))
        return head.index, float(asked["seconds"])
