"""Interlocks and guarded sensors: what must be off or safe, and until when (law 5).

The rules come with the aquarium that the keeper made them for. What they look at is told
from outside by the name of its source; here nobody knows what a source is. A rule holds
its devices by claims of the highest rank. Each has an end of its own on disk and is
renewed while its reason lasts, so that nothing stays off for ever once the rule is gone.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import inf

from ..commands.command import Command, ErrorCode
from ..commands.phases import HOLDING, Phase
from ..devices.fields import LEVEL, DataType, Field
from ..frozen import frozen
from ..layers.claims import Layer
from ..layers.setting import Scalar, Setting, is_number
from ..limits.guard import Guard, Watched, compared, read, stale_at, waited
from ..limits.interlock import Proof, Requirement, lapses_at, noted, satisfied
from ..limits.refusal import Refusal
from .arbiter import Arbiter
from .changes import LimitsChanged, SafetyChanged
from .claims import lasting, seconds_left
from .ground import Ground
from .intake import DOSERS
from .state import DeviceState, FieldState

INTERLOCK = "interlock"
SENSOR_DOUBT = "sensor_doubt"
NOT_PROVEN = "not_proven"

SOURCE_WAIT = 60.0
HELD_FOR = 6 * 60 * 60.0
RENEWED_BEFORE = 60 * 60.0

HVAC_MODE = "hvac_mode"

_SAME_MOMENT = 1.0


@frozen
class Interlock:
    """A device that is off, or a doser that does not dose, unless something is proven.

    ``device`` is a UUID, ``source`` the name under which values are told.
    """

    id: str
    name: str
    device: str
    source: str
    requirement: Requirement


@frozen
class SensorGuard:
    """A sensor that is watched, and the UUIDs of the devices that go safe when it is in doubt.

    ``other`` is the source of a second sensor that must agree.
    """

    id: str
    name: str
    source: str
    guard: Guard
    devices: tuple[str, ...]
    other: str | None = None


type Rule = Interlock | SensorGuard


class Safety:
    """Keeps the rules of all aquariums and what they hold."""

    def __init__(self, ground: Ground, arbiter: Arbiter) -> None:
        """Answer the agenda when a proof lapses, a sensor is silent, or a hold must be renewed."""
        self._clock = ground.clock
        self._agenda = ground.agenda
        self._records = ground.records
        self._announcer = ground.announcer
        self._devices = ground.devices
        self._arbiter = arbiter
        self._rules: dict[str, dict[str, Rule]] = {}
        self._proofs: dict[str, Proof] = {}
        self._watched: dict[str, Watched] = {}
        self._values: dict[str, Scalar | None] = {}
        self._read_at: dict[str, float] = {}
        self._told: dict[str, tuple[str | None, tuple[int, ...]]] = {}
        self._judging_from: float | None = None
        ground.agenda.on("safety", self._due)

    def start(self) -> None:
        """Begin to judge; what has not been heard of gets a little time first (R-X5)."""
        self._judging_from = self._clock.elapsed() + SOURCE_WAIT
        for rule in self.rules:
            self._judge(rule)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Return every rule of every aquarium."""
        return tuple(rule for one in self._rules.values() for rule in one.values())

    def set_rules(self, aquarium: str, rules: Iterable[Rule]) -> None:
        """Take the rules of an aquarium in place of those before; what they held is let go.

        A rule that stays keeps what is known of its source.
        """
        before = self._rules.pop(aquarium, {})
        after = self._rules[aquarium] = {rule.id: rule for rule in rules}
        for gone in before.keys() - after.keys():
            self._forget(before[gone])
        for rule in after.values():
            if before.get(rule.id) != rule:
                self._begin(rule)
                self._let_go(rule, but=devices_of(rule))
            self._judge(rule)
        if before != after:
            self._announcer.announce(LimitsChanged(aquarium=aquarium))

    def seen(self, source: str, value: Scalar | None, *, ago: float = 0.0) -> None:
        """Take in what a source shows; None while it cannot tell.

        ``ago`` is how many seconds it has said so already: what was taken in before is no
        new reading.
        """
        at = self._clock.elapsed() - ago
        if ago and at <= self._read_at.get(source, -inf) + _SAME_MOMENT:
            return
        self._values[source], self._read_at[source] = value, at
        for rule in self.rules:
            if source in (rule.source, _other(rule)):
                self._take_in(rule, source)
                self._judge(rule)

    def attached(self, device: DeviceState) -> None:
        """Hold what came back while a rule wants it safe."""
        for rule in self.rules:
            if device.row.uuid in devices_of(rule):
                self._judge(rule)

    def refusal(self, device: DeviceState) -> Refusal | None:
        """Return why a doser must not dose now, None when nothing is against it."""
        for rule in self.rules:
            reason = self._reason(rule)
            if reason is not None and device.row.uuid in devices_of(rule):
                return Refusal(
                    limit=INTERLOCK,
                    details={"name": rule.name, "reason": reason},
                )
        return None

    def undecided(self, device: DeviceState) -> float:
        """Return for how many seconds after a start no rule can tell of a doser yet (R-X5)."""
        if self._judging_from is None or not any(
            isinstance(rule, Interlock)
            and device.row.uuid == rule.device
            and self._values.get(rule.source) is None
            for rule in self.rules
        ):
            return 0.0
        return max(self._judging_from - self._clock.elapsed(), 0.0)

    def doubts(self, aquarium: str | None = None) -> list[tuple[SensorGuard, str]]:
        """Return the sensors that are not trusted now, of an aquarium or of all, and why."""
        return [
            (rule, reason)
            for owner, rules in self._rules.items()
            for rule in rules.values()
            if aquarium in (None, owner)
            and isinstance(rule, SensorGuard)
            and (reason := self._reason(rule)) is not None
        ]

    def reason(self, rule: str) -> str | None:
        """Return why a rule holds its devices now: a machine word, None when it does not."""
        return next((self._reason(one) for one in self.rules if one.id == rule), None)

    def _begin(self, rule: Rule) -> None:
        """Start to follow a rule; a doubt from before a restart goes on until it is cleared."""
        if isinstance(rule, Interlock):
            self._proofs[rule.id] = Proof()
        else:
            held = next(iter(self._holding(rule)), None)
            self._watched[rule.id] = Watched(
                since=self._clock.elapsed(),
                doubt=None if held is None else (held.result or {}).get("reason"),
            )
        if rule.source in self._values:
            self._take_in(rule, rule.source)

    def _take_in(self, rule: Rule, source: str) -> None:
        """Note what one of the sources of a rule shows."""
        value = self._values[source]
        if isinstance(rule, Interlock):
            now = self._clock.elapsed()
            proof = self._proofs[rule.id]
            self._proofs[rule.id] = noted(rule.requirement, proof, value, now)
            return
        watched = self._watched[rule.id]
        other = _number(self._values.get(rule.other)) if rule.other else None
        if source == rule.other:
            watched = compared(rule.guard, watched, other)
        else:
            at = self._read_at[source]
            watched = read(rule.guard, watched, _number(value), at, other)
        self._watched[rule.id] = watched

    def _forget(self, rule: Rule) -> None:
        """Let go of everything that a rule held and of what is known for it."""
        self._agenda.remove("safety", rule.id)
        self._proofs.pop(rule.id, None)
        self._watched.pop(rule.id, None)
        self._let_go(rule)
        if self._told.pop(rule.id, (None, ()))[0] is not None:
            self._announcer.announce(
                SafetyChanged(rule=rule.id, name=rule.name, reason=None)
            )

    def _due(self, key: Hashable, now: datetime) -> None:
        """Judge a rule again because time has passed."""
        for rule in self.rules:
            if rule.id == key:
                self._judge(rule)

    def _reason(self, rule: Rule) -> str | None:
        """Return why the devices of a rule must be safe now."""
        now = self._clock.elapsed()
        if self._judging_from is None:
            return None
        if isinstance(rule, Interlock):
            known = self._values.get(rule.source) is not None
            if not known and now < self._judging_from:
                # What it held before a restart it holds until its source has had its time.
                return NOT_PROVEN if self._holding(rule) else None
            ok = satisfied(rule.requirement, self._proofs[rule.id], now)
            return None if ok else NOT_PROVEN
        doubt = waited(rule.guard, self._watched[rule.id], now).doubt
        return None if doubt is None else str(doubt)

    def _judge(self, rule: Rule) -> None:
        """Hold or let go, note when to look again, and tell what is news."""
        if self._judging_from is None:
            return
        now = self._clock.elapsed()
        if isinstance(rule, SensorGuard):
            self._watched[rule.id] = waited(rule.guard, self._watched[rule.id], now)
        reason = self._reason(rule)
        unprotected: tuple[int, ...] = ()
        if reason is None:
            self._let_go(rule)
        else:
            unprotected = self._hold(rule, reason)
        self._look_again(rule, reason, now)
        if self._told.get(rule.id, (None, ())) != (reason, unprotected):
            self._told[rule.id] = (reason, unprotected)
            self._announcer.announce(
                SafetyChanged(
                    rule=rule.id,
                    name=rule.name,
                    reason=reason,
                    unprotected=unprotected,
                )
            )

    def _look_again(self, rule: Rule, reason: str | None, now: float) -> None:
        """Put the next moment on the agenda at which the rule may change by itself."""
        if isinstance(rule, Interlock):
            at = lapses_at(rule.requirement, self._proofs[rule.id])
            if self._values.get(rule.source) is None and self._judging_from is not None:
                at = max(self._judging_from, at or 0.0)
        else:
            at = stale_at(rule.guard, self._watched[rule.id])
        due = [at - now] if at is not None and at > now else []
        if reason is not None:
            due.append(HELD_FOR - RENEWED_BEFORE)
        if due:
            self._agenda.put_elapsed("safety", rule.id, min(due))
        else:
            self._agenda.remove("safety", rule.id)

    def _hold(self, rule: Rule, reason: str) -> tuple[int, ...]:
        """Claim what the rule protects; return the devices for which no safe value is known."""
        unprotected: list[int] = []
        for device in self._devices.values():
            if device.row.uuid not in devices_of(rule):
                continue
            wanted = self._wanted(rule, device)
            if not wanted and device.row.kind not in DOSERS:
                unprotected.append(device.row.number)
            for state, setting in wanted:
                self._claim(rule, device, state, setting, reason)
        return tuple(unprotected)

    def _wanted(
        self, rule: Rule, device: DeviceState
    ) -> list[tuple[FieldState, Setting]]:
        """Return what the fields of a device should be while a rule holds it.

        An interlock switches off; a sensor in doubt asks for what the keeper calls safe.
        Doses are refused at the gate.
        """
        if device.row.kind in DOSERS:
            return []
        safe: Mapping[str, Setting] = device.limits.safe
        if isinstance(rule, Interlock):
            safe = {
                name: off
                for name, state in device.fields.items()
                if (off := _off(state.description)) is not None
            } or safe
        return [
            (device.fields[name], setting)
            for name, setting in safe.items()
            if name in device.fields
        ]

    def _claim(
        self,
        rule: Rule,
        device: DeviceState,
        state: FieldState,
        setting: Setting,
        reason: str,
    ) -> None:
        """Hold a field, or hold it anew when the present hold ends soon or has another value."""
        held = [
            one
            for one in self._holding(rule)
            if one.device == device.row.number and one.field == state.name
        ]
        # It ends by elapsed time, wherever the wall clock was set to (law 6).
        alike = [one for one in held if dict(one.value or {}) == dict(setting)]
        left = (seconds_left(one, self._clock) or 0.0 for one in alike)
        if any(seconds > RENEWED_BEFORE for seconds in left):
            return
        self._arbiter.impose(
            device,
            state,
            setting,
            Layer.SAFETY,
            action=_action(rule),
            ends_at=self._clock.now() + timedelta(seconds=HELD_FOR),
            args=lasting(self._clock, HELD_FOR),
            result={"rule": rule.id, "name": rule.name, "reason": reason},
        )
        for older in held:
            self._arbiter.withdraw(
                older, Phase.STOPPED, ErrorCode.SUPERSEDED, "superseded"
            )

    def _let_go(self, rule: Rule, *, but: Sequence[str] = ()) -> None:
        """End the claims of a rule, but of some devices: the others return to what should hold now."""
        for command in self._holding(rule):
            if self._devices[command.device].row.uuid not in but:
                self._arbiter.release(command)

    def _holding(self, rule: Rule) -> list[Command]:
        """Return the commands by which a rule holds fields."""
        return [
            one
            for one in self._records.open
            if one.action == _action(rule)
            and one.phase in HOLDING
            and (one.result or {}).get("rule") == rule.id
        ]


def _action(rule: Rule) -> str:
    """Return the action by which the commands of a rule are known."""
    return INTERLOCK if isinstance(rule, Interlock) else SENSOR_DOUBT


def _off(field: Field) -> Setting | None:
    """Return what a field is when it is off; None for one that is neither on nor off."""
    if not field.writable:
        return None
    parts = field.parts or (field.name,)
    if LEVEL in parts:
        return {LEVEL: 0.0}
    if HVAC_MODE in parts:
        return {HVAC_MODE: "off"}
    return {field.name: False} if field.data_type is DataType.BOOLEAN else None


def devices_of(rule: Rule) -> tuple[str, ...]:
    """Return the UUIDs of the devices that a rule protects."""
    return (rule.device,) if isinstance(rule, Interlock) else rule.devices


def _other(rule: Rule) -> str | None:
    """Return the second source that a rule looks at."""
    return rule.other if isinstance(rule, SensorGuard) else None


def _number(value: Scalar | None) -> float | None:
    """Return a value as a number, None when it is none."""
    return float(value) if value is not None and is_number(value) else None
