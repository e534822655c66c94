"""What is seen at a device: an echo of ours, a hand, or a device that came back (design 5)."""

from collections.abc import Hashable
from datetime import datetime
from typing import cast

from ..devices.device import Observation
from ..layers.claims import Layer
from ..layers.setting import same
from .arbiter import Arbiter
from .changes import DeviceChanged, FieldChanged
from .ground import Ground
from .levels import ECHO_SECONDS, Levels
from .on_time import OnTimes
from .overrides import Overrides
from .state import DeviceState, FieldState

_SEEN = 1.0
# So that a timer that is due never finds its time not quite over.
_A_MOMENT = 0.001


class Observations:
    """Judges every value that is seen; nobody else does (design 5)."""

    def __init__(
        self,
        ground: Ground,
        levels: Levels,
        arbiter: Arbiter,
        overrides: Overrides,
        on_times: OnTimes,
    ) -> None:
        """Answer the agenda when an echo has had its time."""
        self._clock = ground.clock
        self._agenda = ground.agenda
        self._announcer = ground.announcer
        self._devices = ground.devices
        self._levels = levels
        self._arbiter = arbiter
        self._overrides = overrides
        self._on_times = on_times
        ground.agenda.on("echo", self._echo_over)

    def observe(self, device: DeviceState, observation: Observation) -> None:
        """Judge a value that was seen at a device: echo, hand, or nothing new."""
        state = device.fields.get(observation.field)
        if state is None:
            return
        self._judge(device, state, observation)
        self._announcer.announce(
            FieldChanged(
                device=device.row.number,
                field=state.name,
                setting=observation.setting,
            )
        )

    def availability_changed(self, device: DeviceState, available: bool) -> None:
        """Re-assert what should be on a device that came back (R-B113).

        Of a field that nothing holds only what was known of it before it went: what was
        changed while nobody was there is not undone by a start.
        """
        self._announcer.announce(DeviceChanged(device=device.row.number))
        if not available:
            return
        self._arbiter.awaken(device)
        self.reassert(device)

    def field_came(self, device: DeviceState, field: str) -> None:
        """Re-assert what should be on a field that came back before the rest of its device."""
        self._announcer.announce(DeviceChanged(device=device.row.number))
        self._arbiter.awaken(device)
        self._reassert(device, device.fields[field])

    def reassert(self, device: DeviceState) -> None:
        """Write again what is held on a device, or was last sent to it."""
        for state in device.fields.values():
            self._reassert(device, state)

    def handed_over(self, device: DeviceState) -> None:
        """Take note that a device decides by itself from now on what it shows.

        Nothing that was sent before is there any more, so nothing of it is written again,
        nor what was still to be written: the later command wins.
        """
        for state in device.fields.values():
            state.sent = None
            if not state.claims:
                self._levels.let_go(device, state)

    def attached(self, device: DeviceState) -> None:
        """Have what is held on a device written, because it was just attached.

        A slow move that a restart has interrupted goes on (R-B109).
        """
        self._arbiter.awaken(device)
        for state in device.fields.values():
            self._levels.note_on_time(device, state)
            self._on_times.watch(device, state)
            if state.owed or _was_moving(device, state):
                state.returned = True
                self._levels.touch(device, state)

    def _reassert(self, device: DeviceState, state: FieldState) -> None:
        """Write a field again if something of ours is, or was, on it.

        Until that is done it is no hand that shows something else (design 5).
        """
        if state.owed or state.sent is not None:
            state.sent = None
            state.tries = 0
            state.returned = True
            self._levels.touch(device, state)

    def _judge(
        self, device: DeviceState, state: FieldState, observation: Observation
    ) -> None:
        """Take a value for what it is; what follows from it is in memory afterwards."""
        setting, elapsed = observation.setting, self._clock.elapsed()
        by_user = observation.user_id is not None and observation.parent_id is None
        if state.is_echo(setting, elapsed):
            return
        if not by_user and state.awaits_echo(elapsed):
            # What passes by on the way is no hand; what is still there afterwards may be.
            key = (device.row.number, state.name)
            left = min(state.expected_until - elapsed, ECHO_SECONDS)
            self._agenda.put_elapsed("echo", key, left + _A_MOMENT)
            return
        if state.sent is not None and same(setting, state.sent, tolerance=_SEEN):
            return
        self._levels.noticed(device, state, setting)
        resolution = state.resolve(self._clock.now())
        if resolution is not None and same(
            resolution.setting, setting, tolerance=_SEEN
        ):
            return
        owner = resolution.owner if resolution is not None else None
        owed = state.waiting or state.withdrawn or state.returned
        if owed and not by_user:
            # It is still being brought where it should be.
            self._levels.touch(device, state)
        elif owner is None:
            self._levels.rest(device, state, setting)
        elif owner.layer > Layer.OVERRIDE or not self._overrides.seen(
            device, state, observation
        ):
            self._levels.touch(device, state)

    def _echo_over(self, key: Hashable, now: datetime) -> None:
        """Judge what a field shows when the time for its echo is over."""
        number, name = cast(tuple[int, str], key)
        device = self._devices.get(number)
        state = device.fields.get(name) if device is not None else None
        if device is None or device.device is None or state is None:
            return
        shown = device.device.observed(name)
        if shown is not None and device.reaches(name):
            self._judge(device, state, Observation(field=name, setting=shown))


def _was_moving(device: DeviceState, state: FieldState) -> bool:
    """Return whether a field of limited speed is not where it rests."""
    if device.device is None or state.name not in device.limits.slew:
        return False
    shown = device.device.observed(state.name) or state.remembered
    resting = state.resting
    return not (
        shown is None or resting is None or same(shown, resting, tolerance=_SEEN)
    )
