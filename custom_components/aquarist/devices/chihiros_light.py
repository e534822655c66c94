"""A Chihiros light. It cannot be read back: its state is what it last acknowledged."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import override

from ..ble.link import Lease, Link
from ..chihiros.auto_setting import AutoSetting, auto_setting_from
from ..chihiros.command_frame import set_time
from ..chihiros.custom_curve import CustomCurve, custom_curve_from
from ..chihiros.lights import (
    MAX_RAMP_MINUTES,
    CurveFamily,
    auto_on,
    manual_on,
    reset_schedules,
    set_channel,
)
from ..chihiros.notifications import LightSnapshot, Snapshot
from ..layers.setting import Setting
from .chihiros_device import ChihirosDevice, checked_action
from .device import DeviceKind, LightPoint, MemoryReport, Observation, StopReport
from .errors import DeviceError
from .fields import LEVEL, InvalidValue, wrong_count
from .lamp import LIGHT, Lamp
from .observable import only_fields

ADD_SETTING = "add_auto_setting"
SET_CURVE = "set_custom_curve"


class ChihirosLight(ChihirosDevice):
    """One composite field `light`: its level and the mix of its channels. Stopped means dark."""

    ACTIONS = {
        **ChihirosDevice.ACTIONS,
        "enable_auto_mode": (),
        "set_manual_mode": (),
        "reset_auto_settings": (),
        "factory_reset": (),
    }

    def __init__(
        self,
        link: Link,
        *,
        uuid: str,
        name: str,
        address: str,
        channels: Mapping[str, int],
        local_time: Callable[[], datetime],
        curve: CurveFamily | None = None,
    ) -> None:
        """Take the channel numbers on the wire by the channels' names.

        ``curve`` is how the light takes custom curves, None when nobody knows.
        """
        self.lamp = Lamp(channels=tuple(channels))
        super().__init__(
            link,
            uuid=uuid,
            kind=DeviceKind.CHIHIROS_LIGHT,
            name=name,
            address=address,
            fields={LIGHT: self.lamp.field},
            local_time=local_time,
            aliases=self.lamp.aliases,
        )
        self.auto = False
        self._numbers = tuple(channels.values())
        self._curve = curve
        self._manual = False
        self._acknowledged: dict[int, int] = {}
        self._leave.append(link.on_dropped(self._forget))

    @override
    def setting_for(
        self, action: str, args: Mapping[str, object], resting: Setting | None
    ) -> tuple[str, Setting]:
        """Translate the level actions, `set_brightness` and `set_channels` included."""
        return LIGHT, self.lamp.setting_for(
            action, args, resting, self.observed(LIGHT), self._last_level
        )

    def assume(self, setting: Setting) -> None:
        """Take over what was last acknowledged before a restart; nobody is told."""
        self._know(LIGHT, self.lamp.whole(setting, None))

    async def apply(self, settings: Mapping[str, Setting]) -> None:
        """Write all channels under one lease, in manual mode. Raises DeviceError."""
        only_fields(settings, LIGHT)
        for setting in settings.values():
            whole = self.lamp.whole(setting, self.observed(LIGHT))
            await self._leased(partial(self._write, levels=self._levels(whole)))
            self._acknowledge(whole)

    async def stop(self) -> StopReport:
        """Go dark; the mix is remembered."""
        dark = self.lamp.whole({LEVEL: 0.0}, self.observed(LIGHT))

        async def write(lease: Lease) -> None:
            """Write level 0 to all channels, whatever was acknowledged before."""
            self._acknowledged.clear()
            await self._write(lease, self._levels(dark))

        try:
            await self._stopped(write)
        except DeviceError as error:
            return StopReport(confirmed=False, detail=error.code)
        self._acknowledge(dark)
        return StopReport(confirmed=True, detail="stopped")

    @override
    async def perform(
        self, action: str, args: Mapping[str, object]
    ) -> Mapping[str, object] | None:
        """Do what concerns mode and memory besides the common actions."""
        if action == ADD_SETTING:
            setting = self.auto_setting(args)
            return await self._leased(partial(self._add, setting=setting))
        if action == SET_CURVE:
            curve, family = self.custom_curve(args)
            return await self._leased(partial(self._upload, curve=curve, family=family))
        self.check_action(action, args)
        match action:
            case "reset_auto_settings" | "factory_reset":
                return await self._leased(self._erase)
            case "enable_auto_mode":
                return await self._leased(self._run_schedules)
            case "set_manual_mode":
                return await self._leased(self._hold_levels)
            case _:
                return await super().perform(action, args)

    @override
    def check_action(self, action: str, args: Mapping[str, object]) -> None:
        """Raise InvalidValue also for a setting or curve that the light cannot keep."""
        if action == ADD_SETTING:
            self.auto_setting(args)
        elif action == SET_CURVE:
            self.custom_curve(args)
        else:
            super().check_action(action, args)

    def auto_setting(self, args: Mapping[str, object]) -> AutoSetting:
        """Return the window that `add_auto_setting` writes. Raises InvalidValue (R-C46)."""
        count = len(self._numbers)
        setting = auto_setting_from(checked_action(ADD_SETTING, args), count)
        if len(setting.levels) != count:
            raise wrong_count("channels", len(setting.levels), count)
        if setting.ramp_minutes > MAX_RAMP_MINUTES:
            raise _out_of_bounds(
                "ramp_up_minutes", setting.ramp_minutes, 0, MAX_RAMP_MINUTES
            )
        return setting

    def custom_curve(
        self, args: Mapping[str, object]
    ) -> tuple[CustomCurve, CurveFamily]:
        """Return the curve that `set_custom_curve` writes, and how the light takes it.

        Raises InvalidValue; `curve_unknown` where nobody knows how (protocol 3.4).
        """
        count, family = len(self._numbers), self._curve
        curve = custom_curve_from(checked_action(SET_CURVE, args))
        if family is None:
            raise InvalidValue("channels", "curve_unknown")
        if len(curve.channels) != count:
            raise wrong_count("channels", len(curve.channels), count)
        if (collision := curve.first_collision(family)) is not None:
            channel, place, point = collision
            raise InvalidValue(
                f"channels.{channel}.{place}.time",
                "curve_half_hours",
                value=point.at.isoformat("minutes"),
            )
        return curve, family

    @override
    def _memory(self, snapshot: Snapshot) -> MemoryReport:
        """Return the points of the course that the light shows."""
        if not isinstance(snapshot, LightSnapshot):
            return MemoryReport()
        return MemoryReport(
            points=tuple(
                LightPoint(hour=point.hour, minute=point.minute, level=point.level)
                for point in snapshot.points_sorted
            )
        )

    @override
    def _shown(self, report: MemoryReport) -> list[dict[str, object]]:
        """Return the points that are shown, in the order of their times."""
        return [
            {"at": f"{point.hour:02d}:{point.minute:02d}", "level": point.level}
            for point in report.points or ()
        ]

    async def _write(self, lease: Lease, levels: Mapping[int, int]) -> None:
        """Write the levels that this connection has not acknowledged yet.

        Nobody else changes a light while we are connected to it: it takes one central, and in
        manual mode it follows no schedule of its own.
        """
        if not self._manual:
            self._acknowledged.clear()
            await lease.write(manual_on())
            self._manual = True
            self._follow_memory(auto=False)
        for channel, level in levels.items():
            if self._acknowledged.get(channel) == level:
                continue
            self._acknowledged.pop(channel, None)
            await lease.write(set_channel(channel, level))
            self._acknowledged[channel] = level

    async def _run_schedules(self, lease: Lease) -> None:
        """Let the light run its stored schedules; the time makes it evaluate them at once."""
        self._forget()
        await lease.write(auto_on(), set_time(self._local_time().replace(tzinfo=None)))
        self._follow_memory(auto=True)

    async def _add(self, lease: Lease, setting: AutoSetting) -> dict[str, object]:
        """Write a window into the light's memory."""
        await lease.write(setting.frame)
        return {"setting": setting.as_json()}

    async def _upload(
        self, lease: Lease, curve: CustomCurve, family: CurveFamily
    ) -> dict[str, object]:
        """Write a curve in place of all that the light keeps, and have the light run it."""
        self._forget()
        await lease.write(*curve.frames(self._numbers, family))
        self._follow_memory(auto=True)
        return {"curve": curve.as_json()}

    async def _erase(self, lease: Lease) -> None:
        """Erase all windows; what a light without any shows is not known."""
        self._forget()
        await lease.write(reset_schedules())

    def _follow_memory(self, *, auto: bool) -> None:
        """Take note of who decides the levels, and tell it."""
        self.auto = auto
        self._tell_memory(MemoryReport(auto=auto))

    async def _hold_levels(self, lease: Lease) -> None:
        """Switch to manual and show the last acknowledged levels again."""
        self._forget()
        known = self.observed(LIGHT)
        await self._write(lease, self._levels(known) if known is not None else {})

    def _levels(self, setting: Setting) -> dict[int, int]:
        """Return whole per cents by channel number."""
        outputs = self.lamp.outputs(setting)
        return {
            number: int(output + 0.5)
            for number, output in zip(self._numbers, outputs, strict=True)
        }

    def _acknowledge(self, setting: Setting) -> None:
        """Assume a setting from now on."""
        if self._know(LIGHT, setting):
            self._tell_observed(Observation(field=LIGHT, setting=setting))

    def _forget(self) -> None:
        """Take nothing for granted on the next connection."""
        self._manual = False
        self._acknowledged.clear()


def _out_of_bounds(name: str, value: int, minimum: int, maximum: int) -> InvalidValue:
    """Return the error of what this light cannot take."""
    return InvalidValue(
        name,
        "value_out_of_bounds",
        value=str(value),
        minimum=str(minimum),
        maximum=str(maximum),
    )
