"""Macros, guided runs and limits: what several commands come to together."""

from collections.abc import Awaitable
from typing import Any, Final, override

from custom_components.aquarist.commands.command import Command
from custom_components.aquarist.commands.phases import Kind, Phase
from custom_components.aquarist.dosing.spacing import Spacing
from custom_components.aquarist.engine.errors import EngineError, SafetyRefusedError
from custom_components.aquarist.engine.safety import Interlock
from custom_components.aquarist.engine.state import AquariumLimits, HeadLimits
from custom_components.aquarist.limits.interlock import Requirement
from custom_components.aquarist.runs.states import RunState
from custom_components.aquarist.store import runs
from custom_components.aquarist.store.errors import StoreError
from custom_components.aquarist.store.runs import RunRow

from .house import PUMP, SWITCHED
from .life import AQUARIUM, SERVICE, Life
from .scenario import Scenario
from .world import DOSER, LAMP

_MILLILITRE = 1000
_TENTH = 100


async def _asked[T](request: Awaitable[T]) -> T | None:
    """Return the answer; None when the store or the run does not take it."""
    try:
        return await request
    except StoreError, EngineError:
        return None


async def _runs(life: Life) -> list[RunRow]:
    """Return the runs on disk, the oldest first."""
    found: list[RunRow] = await life.read(
        lambda connection: runs.recent(connection, None, 100, None)
    )
    return found[::-1]


class Macro(Scenario):
    """A lamp, a pause, a dose, a pump."""

    devices = (LAMP, DOSER, PUMP)
    horizon = 50.0
    outages = (2.0, 30.0)

    @override
    async def act(self, life: Life) -> None:
        """Save it, and run it."""
        await life.until(1)
        steps = [
            _step(life, LAMP, "set_level", level=50),
            {"delay": 5},
            _step(life, DOSER, "dose", head_index=0, volume_ml=2),
            _step(life, PUMP, "set_level", level=40),
        ]
        definition = {"name": "Evening", "sequence": steps}
        macros = life.engine.macros
        if (made := await _asked(macros.create(definition, user="keeper"))) is None:
            return
        if await _asked(macros.run(made.row.id, SERVICE)) is not None:
            life.chronicle.note("ran")

    @override
    def judge(self, life: Life) -> None:
        """One dose at most; a completed run has done it all, in its order."""
        doses = life.of_kind(Kind.DOSE)
        assert len(doses) <= 1
        if any(one.phase is Phase.COMPLETED for one in doses):
            assert life.world.level() == 50
        if life.world.house.shows("number.pump") == "40.0":
            assert life.world.delivered() == 2 * _MILLILITRE

    @override
    async def finish(self, life: Life) -> None:
        """A run that was acknowledged is there, and has its end."""
        found = await _runs(life)
        if life.chronicle.read("ran"):
            (run,) = found
            steps = await life.read(lambda connection: runs.steps(connection, run.id))
            if run.state == RunState.COMPLETED:
                assert [step.state for step in steps] == ["completed"] * 4
                assert life.world.level() == 50
                assert life.world.house.shows("number.pump") == "40.0"
                assert life.world.delivered() == 2 * _MILLILITRE
            else:
                assert (run.state, steps[-1].state) == ("failed", "failed")


class Guided(Scenario):
    """A guided calibration: run, measure, test dose, confirm."""

    horizon = 60.0
    outages = (2.0, 30.0)

    @override
    async def act(self, life: Life) -> None:
        """Go the whole way, as far as it goes."""
        await life.until(1)
        guided = life.engine.guided
        head = life.states[DOSER], 0
        if (guide := await _asked(guided.start(*head, SERVICE))) is None:
            return
        run = guide.run.id
        life.chronicle.note("guided", run=run)
        await life.until(15)
        await _asked(guided.measured(run, 5.0))
        await _asked(guided.test_dose(run))
        await life.until(40)
        await _asked(guided.finish(run, ok=True))

    @override
    async def finish(self, life: Life) -> None:
        """The keeper goes away from what still waits for him; the pump is read once more."""
        for run in await _runs(life):
            await _asked(life.engine.guided.cancel(run.id))
        await life.send(DOSER, "request_status")

    @override
    def judge(self, life: Life) -> None:
        """The head ran once and dosed once, at most; what was stored is what was measured."""
        told = [one for one in life.records if "measured_ml" in one.args]
        ran = [one for one in life.records if "seconds" in one.args]
        assert len(ran) <= 1
        assert len(life.world.told_to_dose()) <= 1
        stored = life.engine.calibrations.get((life.number(DOSER), 0))
        if stored is not None:
            assert stored.measured == 5 * _MILLILITRE
            assert any(one.phase is Phase.COMPLETED for one in told)


class AboveBudget(Scenario):
    """Three doses of a head that may give 10 mL a day, and more after the restart."""

    horizon = 40.0
    outages = (2.0, 30.0)

    @override
    def head(self, name: str, index: int) -> HeadLimits:
        """Allow 10 mL."""
        return HeadLimits(budget=10 * _MILLILITRE)

    @override
    async def act(self, life: Life) -> None:
        """Ask for 6, 3 and 6 mL at once."""
        await life.until(1)
        for volume in (6, 3, 6):
            await _sent(life, DOSER, volume)

    @override
    async def finish(self, life: Life) -> None:
        """Ask for 6 mL again: they fit only if they were never given."""
        await _sent(life, DOSER, 6)
        await life.until(life.world.loop.time() + 60)

    @override
    def judge(self, life: Life) -> None:
        """What was refused says so; the invariants know the budget."""
        for refused in _refused(life):
            assert refused.error in (
                "refused_budget_24h",
                "refused_not_allowed",
            )


class AquariumBudget(Scenario):
    """Two pumps of an aquarium that may get 10 mL a day together."""

    devices = (DOSER, SWITCHED)
    horizon = 40.0
    outages = (2.0, 120.0)
    aquarium = AquariumLimits(budget=10 * _MILLILITRE)

    @override
    async def act(self, life: Life) -> None:
        """Ask both for 6 mL at once."""
        await life.until(1)
        await _sent(life, DOSER, 6)
        await _sent(life, SWITCHED, 6)

    @override
    async def finish(self, life: Life) -> None:
        """Ask again."""
        await _sent(life, DOSER, 6)
        await _sent(life, SWITCHED, 6)
        await life.until(life.world.loop.time() + 60)

    @override
    def judge(self, life: Life) -> None:
        """Both pumps together told to give no more than that; a switch was on for no longer."""
        volumes = [
            one.args["volume_ml"] * _MILLILITRE
            for one in life.of_kind(Kind.DOSE)
            if one.device == life.number(SWITCHED) and one.started_at is not None
        ]
        late = max(life.world.house.delivered() - sum(volumes), 0)
        assert life.world.delivered() + life.world.house.delivered() - late <= (
            10 * _MILLILITRE + _TENTH
        )


class Apart(Scenario):
    """Two additives that must be a minute apart, asked for at the same time."""

    horizon = 100.0
    outages = (2.0, 20.0)
    aquarium = AquariumLimits(
        spacing=(Spacing(first="Iron", second="Phosphate", seconds=60.0),)
    )

    @override
    def head(self, name: str, index: int) -> HeadLimits:
        """Let the first head have one of them, the second the other."""
        return HeadLimits(additive={0: "Iron", 1: "Phosphate"}.get(index))

    @override
    async def act(self, life: Life) -> None:
        """Ask for both."""
        await life.until(1)
        for head in (0, 1):
            await _sent(life, DOSER, 2, head)

    @override
    def judge(self, life: Life) -> None:
        """The pump heard of the second a minute after the first had ended, or never."""
        first, second = (life.world.told_at(head) for head in (0, 1))
        for one in first:
            for other in second:
                assert abs(other - one) >= 60 + 2


class CutOff(Scenario):
    """Doses of 12 mL of a pump and of a switch, which a safety rule ends after a while."""

    devices = (DOSER, SWITCHED)
    horizon = 60.0

    @override
    async def act(self, life: Life) -> None:
        """Ask for both while the flow is seen, then let it end."""
        safety = life.engine.safety
        safety.set_rules(AQUARIUM, [_needs_flow(life, name) for name in self.devices])
        safety.seen("flow", 300)
        await life.until(1)
        for name in self.devices:
            await _sent(life, name, 12)
        await life.until(5)
        safety.seen("flow", 0)

    @override
    def judge(self, life: Life) -> None:
        """What a rule has ended tells so, and what was given by then."""
        for one in life.of_kind(Kind.DOSE):
            if one.error == "dose_cut_off":
                assert one.phase is Phase.FAILED
                assert 0 <= (one.result or {})["given_ml"] < 12


def _needs_flow(life: Life, name: str) -> Interlock:
    """Return the rule that a doser only doses while its flow is seen."""
    return Interlock(
        id=name,
        name="Flow",
        device=life.states[name].row.uuid,
        source="flow",
        requirement=Requirement(above=100),
    )


def _step(life: Life, name: str, action: str, **args: Any) -> dict[str, Any]:
    """Return a step that sends a command."""
    device_id = life.states[name].row.uuid
    return {"command": {"device_id": device_id, "action": action, "args": args}}


async def _sent(life: Life, name: str, volume: float, head: int = 0) -> Command | None:
    """Ask for a dose; one that is above a limit already now is not accepted."""
    try:
        return await life.send(name, "dose", head_index=head, volume_ml=volume)
    except SafetyRefusedError:
        return None


def _refused(life: Life) -> list[Command]:
    """Return the doses that a limit forbade."""
    return [
        one
        for one in life.of_kind(Kind.DOSE)
        if one.error is not None and one.error.startswith("refused_")
    ]


SEQUENCES: Final = {
    str(one): one
    for one in (Macro(), Guided(), AboveBudget(), AquariumBudget(), Apart(), CutOff())
}
"""The scenarios of this file, by name."""
