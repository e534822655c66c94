"""Law 4 at the real engine: every value has the owner of a naive model, and always comes back.

The machine lets claims of every rank begin, cross and end, has hands, faults, restarts and
steps of the clock come between, and asks after each step what the pump shows. The model is
a plain table that is asked anew for the present moment; it shares no code with the engine.

`AQUARIST_LONG` in the environment makes it many times longer.
"""

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
import os
from pathlib import Path
import tempfile
from typing import Any, override

from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
import pytest

from custom_components.aquarist.commands.command import Command, Source
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.engine.intake import Origin
from custom_components.aquarist.engine.settings import Settings
from custom_components.aquarist.layers.claims import Layer
from tests.engine.rig import SERVICE, Pump, Rig

RANKS = {
    "schedule": 1,
    "window": 2,
    "override": 3,
    "enforced": 4,
    "mode": 5,
    "safety": 6,
}
OVERRIDE = 3
REFUSABLE = (RANKS["window"], RANKS["enforced"])
DAY = 24 * 3600.0
ECHO = 11.0
SWEEP = 31.0
BY_HAND = Origin(source=Source.ENTITY, user="keeper", by_hand=True)
LONG = bool(os.environ.get("AQUARIST_LONG"))

levels = st.integers(0, 20).map(lambda step: step * 5.0)
spans = st.integers(1, 40).map(lambda step: step * 15.0)
starts = st.sampled_from([-60.0, 0.0, 0.0, 15.0, 45.0, 120.0])

type Row = dict[str, Any]


class Model:
    """Who owns the level of one pump, written down naively; times are seconds."""

    def __init__(self) -> None:
        """Begin with nothing but a resting value."""
        self.wall = 0.0
        self.elapsed = 0.0
        self.resting = 80.0
        self.rows: list[Row] = []
        self.accepted = 0

    def add(self, rank: str, value: float, start: float, **more: Any) -> Row:
        """Write down a claim; `end` is by the wall, `lasts` by elapsed time."""
        self.accepted += 1
        row = {
            "rank": RANKS[rank],
            "value": value,
            "start": start,
            "blocking": False,
            "number": self.accepted,
            "begun": False,
            "end": None,
            "lapses": None,
            "from": None,
            "free": False,
            "withheld": False,
            "spoilt": False,
            **more,
        }
        for other in list(self.rows):
            both_ramps = row["from"] is not None and other["from"] is not None
            both_overrides = row["rank"] == OVERRIDE == other["rank"]
            if start <= self.wall and other["begun"] and (both_ramps or both_overrides):
                self.rows.remove(other)
        self.rows.append(row)
        self.look()
        return row

    def look(self) -> None:
        """Begin what is due and end what is over; note what safety left free for a moment."""
        self._change()
        for row in self.rows:
            if row["begun"] and not self.is_withheld(row):
                row["free"] = True

    def is_withheld(self, row: Row) -> bool:
        """Return whether safety holds the pump at another level than a claim's."""
        owner = self.owner
        if owner is None or owner["rank"] != RANKS["safety"]:
            return False
        return bool(abs(owner["value"] - row["value"]) > 0.01)

    def _change(self) -> None:
        """Begin what is due and end what is over."""
        for row in list(self.rows):
            if not row["begun"] and row["start"] <= self.wall:
                row["begun"] = True
            by_wall = row["end"] is not None and self.wall >= row["end"]
            by_time = row["lapses"] is not None and self.elapsed >= row["lapses"]
            if row["begun"] and (by_wall or by_time):
                self.rows.remove(row)
                if row["from"] is not None:
                    self.resting = row["value"]

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self.wall += seconds
        self.elapsed += seconds
        self.look()

    def next_moment(self, within: float) -> float:
        """Return the seconds to the next start or end, at most so many."""
        found = [within]
        for row in self.rows:
            if not row["begun"]:
                found.append(row["start"] - self.wall)
            elif row["end"] is not None:
                found.append(row["end"] - self.wall)
            if row["lapses"] is not None:
                found.append(row["lapses"] - self.elapsed)
        return max(min(found), 0.0)

    @property
    def in_force(self) -> list[Row]:
        """Return the claims that have begun, the owner last."""
        begun = [row for row in self.rows if row["begun"]]
        return sorted(
            begun,
            key=lambda row: (row["rank"], row["start"], row["blocking"], row["number"]),
        )

    @property
    def owner(self) -> Row | None:
        """Return the claim that owns the level."""
        return self.in_force[-1] if self.in_force else None

    @property
    def shown(self) -> float:
        """Return the level that the pump must show now."""
        if self.owner is None:
            return self.resting
        first, last = self.owner["from"], self.owner["value"]
        if first is None:
            return float(last)
        whole = self.owner["end"] - self.owner["start"]
        gone = min(max((self.wall - self.owner["start"]) / whole, 0.0), 1.0)
        return float(first + (last - first) * gone)

    @property
    def moving(self) -> bool:
        """Return whether a ramp is there, above or beneath."""
        return any(row["from"] is not None for row in self.rows)

    def hand(self, value: float) -> None:
        """A hand changes the level: it wins, or it is undone, or the pump rests there."""
        if self.owner is None:
            self.resting = value
        elif self.owner["rank"] <= OVERRIDE:
            windows = [row for row in self.in_force if row["rank"] == RANKS["window"]]
            plans = [row for row in self.in_force if row["rank"] < OVERRIDE]
            end = max((row["end"] for row in windows or plans), default=None)
            lapses = None if end is not None else self.elapsed + DAY
            self.add("override", value, self.wall, end=end, lapses=lapses)


class Ownership(RuleBasedStateMachine):
    """The engine and the model, step by step."""

    def __init__(self) -> None:
        """Boot an engine with one pump."""
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.rig = Rig(Path(self.folder.name))
        self.began = self.rig.clock.now()
        self.model = Model()
        self.pump = Pump(level=80.0)
        self.commands: dict[int, Command] = {}
        self.rows: dict[int, Row] = {}
        self.wanted: list[float] = []
        self.ever_away = False
        self.run(self._begin())
        self.a_point_action_of(80.0)

    def run[T](self, work: Coroutine[Any, Any, T], *, calm: bool = True) -> T:
        """Run something on the machine's own loop.

        The pump is told nothing but what its owners wanted meanwhile: nothing flickers.
        """
        told = len(self.pump.told)
        self.wanted = [self.model.shown]
        moving = self.model.moving
        outcome = self.loop.run_until_complete(work)
        self.wanted.append(self.model.shown)
        if calm and not (moving or self.model.moving):
            assert set(self.pump.told[told:]) <= set(self.wanted)
        return outcome

    async def _begin(self) -> None:
        """Boot, attach, start."""
        await self.rig.boot(start=False)
        await self._attach()
        await self.rig.engine.live_settings.update({"rate_limit": 10_000}, None)
        self.rig.engine.start()
        await self.rig.settle()

    async def _attach(self) -> None:
        """Attach the pump."""
        safe = {"level": {"level": 0.0}}
        self.state = await self.rig.attach(self.pump, safe=safe)

    def at(self, wall: float) -> datetime:
        """Return the instant of a moment of the model."""
        return self.began + timedelta(seconds=wall)

    async def pass_by(self, seconds: float) -> None:
        """Let time pass for both, from one moment of the model to the next."""
        while seconds > 0:
            step = self.model.next_moment(seconds)
            step = min(max(step, 0.5), seconds)
            await self.rig.advance(step)
            self.model.pass_by(step)
            self.wanted.append(self.model.shown)
            seconds -= step

    async def claim(
        self, rank: str, value: float, begin: float, length: float, *, blocking: bool
    ) -> Command:
        """Ask for a claim, and write it down."""
        start = self.model.wall + begin
        end = max(start + length, self.model.wall + 15.0)
        if rank == "window" and not blocking:
            command = await self.rig.engine.acceptance.create_window(
                self.state,
                "level",
                value,
                SERVICE,
                start=self.at(start),
                end=self.at(end),
            )
        else:
            command = await self.rig.engine.windows.claim(
                self.state,
                "level",
                value,
                SERVICE,
                layer=Layer[rank.upper()],
                action=rank,
                start=self.at(start),
                end=self.at(end),
                blocking=blocking,
            )
        row = self.model.add(rank, value, start, end=end, blocking=blocking)
        self.commands[row["number"]] = command
        self.rows[row["number"]] = row
        await self.rig.settle()
        return command

    @rule(
        rank=st.sampled_from(["window", "window", "enforced", "mode"]),
        value=levels,
        begin=starts,
        length=spans,
        blocking=st.booleans(),
    )
    def a_claim(
        self, rank: str, value: float, begin: float, length: float, blocking: bool
    ) -> None:
        """A window of some rank: late, at once, or to come."""
        self.run(self.claim(rank, value, begin, length, blocking=blocking))

    @rule(value=levels, length=spans)
    def back_to_back(self, value: float, length: float) -> None:
        """Two windows of the same value, the second where the first ends: no call between."""

        async def ask() -> None:
            await self.claim("window", value, 15.0, length, blocking=False)
            await self.claim("window", value, 15.0 + length, length, blocking=False)

        self.run(ask())

    @precondition(lambda self: self.pump.available)
    @rule(first=levels, last=levels, length=spans)
    def a_ramp(self, first: float, last: float, length: float) -> None:
        """A ramp from now on."""

        async def ask() -> None:
            args = {"start_level": first, "end_level": last, "duration": length}
            command = await self.rig.engine.send(self.state, "ramp", args, SERVICE)
            wall = self.model.wall
            row = self.model.add(
                "schedule", last, wall, end=wall + length, **{"from": first}
            )
            self.commands[row["number"]] = command
            await self.rig.settle()

        self.run(ask())

    @precondition(lambda self: self.pump.available)
    @rule(value=levels)
    def a_point_action(self, value: float) -> None:
        """What the pump rests on changes; a claim hides it."""
        self.a_point_action_of(value)

    def a_point_action_of(self, value: float) -> None:
        """Set the level, and see whether a claim hides it."""

        async def ask() -> None:
            args = {"level": value}
            engine = self.rig.engine
            ended = await self.rig.done(
                await engine.send(self.state, "set_level", args, SERVICE)
            )
            assert ended.phase is Phase.COMPLETED
            assert ("shadowed_by" in (ended.result or {})) is (
                self.model.owner is not None
            )
            self.model.resting = value
            await self.rig.settle()

        self.run(ask())

    @rule(value=levels, seconds=spans | st.sampled_from(["next_event", "released"]))
    def an_override(self, value: float, seconds: float | str) -> None:
        """By service, for a time or until something happens."""

        async def ask() -> None:
            model = self.model
            lasts: Any = (
                {"until": seconds} if isinstance(seconds, str) else {"seconds": seconds}
            )
            command = await self.rig.engine.override(
                self.state, "level", value, SERVICE, **lasts
            )
            more: Row = {"end": None, "lapses": None}
            plans = [row["end"] for row in model.in_force if row["rank"] < OVERRIDE]
            if not isinstance(seconds, str):
                more["lapses"] = model.elapsed + seconds
            elif seconds == "next_event" and plans:
                more["end"] = max(plans)
            elif seconds == "next_event" or value == 0:
                more["lapses"] = model.elapsed + DAY
            row = model.add("override", value, model.wall, **more)
            self.commands[row["number"]] = command
            await self.rig.settle()

        self.run(ask())

    @rule()
    def release(self) -> None:
        """Let the override go, if there is one."""

        async def let_go() -> None:
            rows = [row for row in self.model.in_force if row["rank"] == OVERRIDE]
            released = self.rig.engine.overrides.release(self.state, "level")
            assert (released is not None) is bool(rows)
            for row in rows:
                self.model.rows.remove(row)
            await self.rig.settle()

        self.run(let_go())

    @precondition(lambda self: self.pump.available)
    @rule(value=levels, known=st.sampled_from(["user", "nobody", "entity"]))
    def a_hand(self, value: float, known: str) -> None:
        """Somebody turns the knob, at the pump or in Home Assistant."""

        async def turn() -> None:
            if known == "nobody":
                await self.quiet()
            if abs(value - self.model.shown) < 3 or (
                known == "nobody" and self.model.moving
            ):
                return
            if known == "entity":
                await self.rig.engine.send(
                    self.state, "set_level", {"level": value}, BY_HAND
                )
                owner = self.model.owner
                if owner is not None and owner["rank"] > OVERRIDE:
                    self.model.resting = value
                else:
                    self.model.hand(value)
            else:
                self.pump.turn_by_hand(
                    value, user_id="keeper" if known == "user" else None
                )
                self.model.hand(value)
            await self.rig.settle()

        self.run(turn())

    async def quiet(self) -> None:
        """Wait until nothing has been written for as long as an echo may take."""
        told = -1
        while told != len(self.pump.told):
            told = len(self.pump.told)
            await self.pass_by(ECHO)

    @rule(choice=st.integers(0, 50))
    def cancel(self, choice: int) -> None:
        """Call off a claim, whatever its phase."""
        rows = [row for row in self.model.rows if row["number"] in self.commands]
        if not rows:
            return
        row = rows[choice % len(rows)]

        async def call_off() -> None:
            await self.rig.engine.cancel(self.commands[row["number"]])
            row["spoilt"] = True
            self.model.rows.remove(row)
            await self.rig.settle()

        self.run(call_off())

    @rule()
    def stop(self) -> None:
        """Emergency."""

        async def everything() -> None:
            await self.rig.engine.emergency.stop(None)
            if not any(row["rank"] == RANKS["safety"] for row in self.model.rows):
                self.model.add("safety", 0.0, self.model.wall)
            await self.rig.settle()

        self.run(everything())

    @rule()
    def let_go(self) -> None:
        """End the emergency, if there is one."""

        async def end() -> None:
            self.rig.engine.emergency.release(None)
            self.model.rows = [
                row for row in self.model.rows if row["rank"] != RANKS["safety"]
            ]
            self.model.look()
            await self.rig.settle()

        self.run(end())

    @precondition(lambda self: self.pump.available)
    @rule(
        rank=st.sampled_from(["window", "enforced"]),
        value=levels,
        length=spans,
        outlasts=st.booleans(),
    )
    def a_claim_that_safety_withholds(
        self, rank: str, value: float, length: float, outlasts: bool
    ) -> None:
        """An emergency, a window under it, and the window's end before or after the other's."""
        self.stop()
        self.run(self.claim(rank, value, 0.0, length, blocking=False))
        self.what_safety_withholds_is_noted()
        self.run(self.pass_by(length / 2))
        if outlasts:
            self.let_go()
        self.run(self.pass_by(length / 2 + 1.0))
        self.let_go()

    @rule(seconds=st.integers(1, 30).map(lambda step: step * 7.5))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.run(self.pass_by(seconds))

    @rule(seconds=st.sampled_from([-3600.0, -50.0, 50.0, 400.0, 3600.0]))
    def the_clock_is_set(self, seconds: float) -> None:
        """The wall clock steps; what lasts does not get longer or shorter."""
        if seconds < 0 and self.model.moving:
            return

        async def step() -> None:
            self.rig.clock.jump(seconds)
            self.model.wall += seconds
            self.model.look()
            await self.pass_by(SWEEP)

        # What is due at once begins in the order of its acceptance.
        self.run(step(), calm=False)

    @rule(away=st.integers(0, 20).map(lambda step: step * 30.0))
    def restart(self, away: float) -> None:
        """The engine ends, and another one takes up what is on disk."""

        async def again() -> None:
            await self.rig.engine.close()
            self.rig.clock.advance(away)
            for row in list(self.model.rows):
                whole = row["end"] is not None and not row["begun"]
                if whole and row["end"] <= self.model.wall + away:
                    row["spoilt"] = True
                    self.model.rows.remove(row)
            self.model.pass_by(away)
            await self._begin()

        self.run(again())

    @rule()
    def reload(self) -> None:
        """The entry is set up anew: nothing is written for that."""

        async def again() -> None:
            told = len(self.pump.told)
            await self.rig.engine.equipment.detach(self.state.row.number)
            await self._attach()
            await self.rig.settle()
            if self.pump.available and not self.model.moving:
                assert self.pump.told[told:] == []

        self.run(again())

    @precondition(lambda self: self.pump.available)
    @rule()
    def goes_away(self) -> None:
        """The pump cannot be reached."""
        self.run(self._reachable(False))

    @precondition(lambda self: not self.pump.available)
    @rule(power_cut=st.booleans())
    def comes_back(self, power_cut: bool) -> None:
        """It is there again, with its value or at another one."""
        if power_cut and self.model.owner is not None:
            self.pump._know("level", {"level": 100.0})
        self.run(self._reachable(True))

    async def _reachable(self, available: bool) -> None:
        """Let the pump go or come."""
        self.ever_away |= not available
        self.pump.available = available
        await self.rig.advance(0)

    @precondition(lambda self: self.pump.available)
    @rule(
        value=levels,
        length=spans,
        final=st.booleans(),
        takes_effect=st.booleans(),
        count=st.integers(1, 3),
    )
    def a_faulty_claim(
        self, value: float, length: float, final: bool, takes_effect: bool, count: int
    ) -> None:
        """The pump fails while a window is set: before or after it did what it was told."""
        error = DeviceError(
            "service_failed" if final else "link_lost", transient=not final
        )
        if takes_effect:
            self.pump.raise_after = [error] * (1 if final else count)
        else:
            self.pump._failures = [error] * (1 if final else count)

        async def ask() -> None:
            command = await self.claim(
                "window", value, 0.0, length + 90.0, blocking=False
            )
            consumed = not (self.pump.raise_after or self.pump._failures)
            self.pump.raise_after, faults = [], self.pump._failures
            faults.clear()
            await self.pass_by(20.0)
            if final and consumed:
                stored = await self.rig.stored(command)
                if stored.phase is Phase.FAILED:
                    self._drop(command)
            await self.rig.settle()

        self.run(ask(), calm=False)

    def _drop(self, command: Command) -> None:
        """Take out what a fault has ended, as its record says."""
        for number, known in self.commands.items():
            if known.key == command.key:
                self.rows[number]["spoilt"] = True
                self.model.rows = [
                    row for row in self.model.rows if row["number"] != number
                ]

    @invariant()
    def the_pump_shows_what_its_owner_wants(self) -> None:
        """At every step, while it can be reached."""
        if self.pump.available:
            tolerance = 2.5 if self.model.moving else 0.01
            assert abs(self.pump.level - self.model.shown) <= tolerance, (
                self.pump.level,
                self.model.shown,
                self.model.in_force,
            )

    @invariant()
    def what_safety_withholds_is_noted(self) -> None:
        """A window that the pump could show and that safety keeps from it."""
        for row in self.model.in_force:
            if self.pump.available and self.model.is_withheld(row):
                row["withheld"] = True

    async def _refused_what_never_showed(self) -> None:
        """RES-57: a window was refused if safety held the pump all the time, and only then."""
        for number, row in self.rows.items():
            if row["spoilt"] or row["rank"] not in REFUSABLE:
                continue
            stored = await self.rig.stored(self.commands[number])
            refused = stored.error_code == "safety_refused"
            if row["withheld"] and not row["free"]:
                assert refused, (row, stored)
            if row["free"] and not self.ever_away:
                assert stored.phase is Phase.COMPLETED, (row, stored)

    @override
    def teardown(self) -> None:
        """Let everything end: the pump is back where it rests, and no record is open."""
        try:
            self.run(self._come_to_rest(), calm=False)
        finally:
            self.run(self.rig.engine.close())
            self.loop.close()
            self.folder.cleanup()

    async def _come_to_rest(self) -> None:
        """Wait for the last end, let go of what has none."""
        await self._reachable(True)
        self.rig.engine.emergency.release(None)
        self.rig.engine.overrides.release(self.state, "level")
        self.model.rows = [
            row
            for row in self.model.rows
            if row["rank"] not in (OVERRIDE, RANKS["safety"])
        ]
        while self.model.rows:
            await self.pass_by(120.0)
        await self.pass_by(SWEEP)
        assert abs(self.pump.level - self.model.resting) <= 0.01
        assert self.state.fields["level"].claims == {}
        assert self.rig.engine.records.open == ()
        await self._refused_what_never_showed()


def _never_again(settings: Settings, tries: int) -> None:
    """Try nothing twice: the pauses between tries are real ones."""


@pytest.mark.timeout(1800)
def test_every_value_has_the_owner_of_the_model_and_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Derandomised, so that a failure is one everywhere; its steps are printed."""
    monkeypatch.setattr(Settings, "command_pause", _never_again)
    run_state_machine_as_test(
        Ownership,
        settings=settings(
            max_examples=600 if LONG else 40,
            stateful_step_count=40 if LONG else 25,
            derandomize=True,
            print_blob=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
