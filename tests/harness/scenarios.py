"""The scenarios of the engine's own recovery."""

from datetime import timedelta
from typing import override

from custom_components.aquarist.commands.command import Command
from custom_components.aquarist.commands.phases import Kind, Phase
from custom_components.aquarist.devices.lamp import LIGHT
from custom_components.aquarist.engine.claims import course_of
from custom_components.aquarist.engine.state import DeviceLimits
from custom_components.aquarist.layers.setting import is_number
from custom_components.aquarist.store.commands import WRITE_ACTION

from .life import AQUARIUM, Life
from .scenario import Scenario
from .world import DOSER, LAMP

_TOLERANCE = 2.5


class Dose(Scenario):
    """One dose of 3 mL."""

    horizon = 30.0
    outages = (2.0, 400.0)

    @override
    async def act(self, life: Life) -> None:
        """Ask for the dose."""
        await life.until(1)
        await life.send(DOSER, "dose", head_index=0, volume_ml=3)


class TwoDoses(Scenario):
    """A dose of each of two heads: the second waits for the pump."""

    horizon = 40.0

    @override
    async def act(self, life: Life) -> None:
        """Ask for both at once."""
        await life.until(1)
        await life.send(DOSER, "dose", head_index=0, volume_ml=4)
        await life.send(DOSER, "dose", head_index=1, volume_ml=2)


class PointAction(Scenario):
    """A level that is set at once."""

    devices = (LAMP,)
    horizon = 20.0

    @override
    async def act(self, life: Life) -> None:
        """Ask for 40 per cent."""
        await life.until(1)
        await life.send(LAMP, "set_level", level=40)

    @override
    def judge(self, life: Life) -> None:
        """The lamp shows the level if the command ended well, else what was before."""
        assert life.world.level() == (40 if life.completed(Kind.SET) else 0)


class Shutdown(Scenario):
    """Home Assistant stops in good order: the lamp is left at 20 per cent."""

    devices = (LAMP,)
    horizon = 40.0
    lamp = DeviceLimits(at_shutdown={LIGHT: {"level": 20.0}})

    @override
    async def act(self, life: Life) -> None:
        """Ask for 40 per cent, then stop."""
        await life.until(1)
        await life.send(LAMP, "set_level", level=40)
        await life.until(15)
        await life.engine.start_and_stop.shut_down()

    @override
    def judge(self, life: Life) -> None:
        """After the start what the lamp rests on is back (law 4)."""
        assert life.world.level() == (40 if life.completed(Kind.SET) else 0), [
            (one.action, one.phase, one.error) for one in life.records
        ]


class ShutdownAndStart(Shutdown):
    """The next start begins with a level of its own, at 5 per cent."""

    lamp = DeviceLimits(
        at_start={LIGHT: {"level": 5.0}}, at_shutdown={LIGHT: {"level": 20.0}}
    )


class Window(Scenario):
    """A write action: 40 per cent, and back to 70."""

    devices = (LAMP,)
    horizon = 60.0

    @override
    async def act(self, life: Life) -> None:
        """Let the lamp rest at 70, then ask for the window."""
        await life.until(1)
        await life.send(LAMP, "set_level", level=70)
        await life.until(4)
        await life.window(LAMP, 40, begins=10, ends=40)

    @override
    def judge_resumed(self, life: Life) -> None:
        """Inside the window its value holds."""
        held = life.of_kind(Kind.WINDOW)
        if held and 12 < life.world.loop.time() < 39:
            assert life.world.level() == 40

    @override
    def judge(self, life: Life) -> None:
        """The value under the window is back: 70, if that was ever set."""
        assert life.world.level() == (70 if life.completed(Kind.SET) else 0)


class Ramp(Scenario):
    """A ramp from 10 to 50 per cent in a minute."""

    devices = (LAMP,)
    horizon = 80.0

    @override
    async def act(self, life: Life) -> None:
        """Ask for the ramp."""
        await life.until(1)
        await life.send(LAMP, "ramp", start_level=10, end_level=50, duration=60)

    @override
    def judge_resumed(self, life: Life) -> None:
        """The level is the one that should hold now, not the one at the interruption."""
        on_course(life)

    @override
    def judge(self, life: Life) -> None:
        """The end is exact."""
        if life.of_kind(Kind.RAMP):
            assert life.world.level() == 50


class ScheduledDose(Scenario):
    """A dose that a schedule gives at the full minute, once."""

    horizon = 90.0
    outages = (2.0, 30.0, 600.0)

    @override
    async def act(self, life: Life) -> None:
        """Plan one dose; the schedule has no second moment that day."""
        await life.until(5)
        await life.schedule(
            name="Iron",
            device_ids=[life.number(DOSER)],
            schedule_type="cron",
            cron_expression="1 12 * * *",
            timezone="UTC",
            action_type="dose",
            action_params={"head_index": 0, "volume_ml": 2},
        )

    @override
    def judge(self, life: Life) -> None:
        """One moment, at most one dose."""
        assert life.world.delivered() in (0, 2000)
        assert len(life.world.told_to_dose()) <= 1


class ScheduledRamp(Scenario):
    """A ramp that a schedule begins at the full minute, and that converges after an outage."""

    devices = (LAMP,)
    horizon = 150.0
    outages = (2.0, 40.0, 200.0)

    @override
    async def act(self, life: Life) -> None:
        """Plan the ramp."""
        await life.until(5)
        await life.schedule(
            name="Dawn",
            device_ids=[life.number(LAMP)],
            schedule_type="cron",
            cron_expression="1 12 * * *",
            timezone="UTC",
            action_type="ramp",
            action_params={"start_level": 0, "end_level": 60, "duration": 60},
            on_miss="converge",
        )

    @override
    def judge_resumed(self, life: Life) -> None:
        """The level is the one that should hold now."""
        on_course(life)

    @override
    def judge(self, life: Life) -> None:
        """Late or not: the ramp's end is where the lamp ends."""
        if life.chronicle.read("scheduled"):
            assert life.world.level() == 60


class EmergencyStop(Scenario):
    """A dose under way, and everything is stopped."""

    devices = (DOSER, LAMP)
    horizon = 60.0

    @override
    async def act(self, life: Life) -> None:
        """Dose 20 mL and stop after five seconds."""
        await life.until(1)
        await life.send(LAMP, "set_level", level=70)
        await life.send(DOSER, "dose", head_index=0, volume_ml=20)
        await life.until(6)
        reports = await life.engine.emergency.stop(AQUARIUM)
        if all(report.confirmed for report in reports):
            life.chronicle.note("stopped")
        if await life.everything_is_on_disk():
            life.chronicle.note("latched")

    @override
    def judge_resumed(self, life: Life) -> None:
        """Latched, or not yet; what was confirmed as stopped stays so."""
        stopped = life.chronicle.read("stopped")
        if life.chronicle.read("latched"):
            assert _latched(life)
            assert life.world.level() == 0
        if stopped:
            assert life.world.delivered() < 20_000

    @override
    async def finish(self, life: Life) -> None:
        """Let go."""
        life.engine.emergency.release(AQUARIUM)

    @override
    def judge(self, life: Life) -> None:
        """Nothing is latched any more, and the lamp is where it rested."""
        assert not _latched(life)
        assert life.world.level() in (0, 70)


class WithheldWindow(Scenario):
    """A write action on a lamp that an emergency stop keeps dark until after its end."""

    devices = (LAMP,)
    horizon = 40.0

    @override
    async def act(self, life: Life) -> None:
        """Let the lamp rest at 70, stop it, then ask for the window."""
        await life.until(1)
        await life.send(LAMP, "set_level", level=70)
        await life.until(4)
        await life.engine.emergency.stop(AQUARIUM)
        if await life.everything_is_on_disk():
            life.chronicle.note("latched")
        await life.window(LAMP, 40, begins=10, ends=25)

    @override
    def judge_resumed(self, life: Life) -> None:
        """It is not set, and nobody says so."""
        if life.chronicle.read("latched"):
            assert life.world.level() == 0
            assert all(
                one.phase not in (Phase.IN_FORCE, Phase.RESTORING)
                for one in _write_actions(life)
            )

    @override
    async def finish(self, life: Life) -> None:
        """Let go."""
        life.engine.emergency.release(AQUARIUM)

    @override
    def judge(self, life: Life) -> None:
        """It was refused, or its time was over before; what rested is back."""
        assert life.world.level() in (0, 70)
        if life.chronicle.read("latched"):
            for window in _write_actions(life):
                assert window.phase in (Phase.FAILED, Phase.MISSED), window
                refused = window.error == "refused_emergency_stop"
                limit = (window.error_details or {}).get("limit")
                assert refused is (limit == "emergency_stop"), window


def on_course(life: Life) -> None:
    """Assert that the lamp shows what the ramp on disk wants now."""
    now = life.world.now()
    for ramp in life.of_kind(Kind.RAMP):
        begins, ends = ramp.starts_at, ramp.ends_at
        assert begins is not None
        assert ends is not None
        if begins + timedelta(seconds=2) < now < ends:
            wanted = course_of(ramp).at(now)["level"]
            assert is_number(wanted)
            assert abs(life.world.level() - wanted) <= _TOLERANCE


def _write_actions(life: Life) -> list[Command]:
    """Return the windows that a client has asked for."""
    return [one for one in life.of_kind(Kind.WINDOW) if one.action == WRITE_ACTION]


def _latched(life: Life) -> bool:
    """Return whether the doser and the lamp are held by an emergency stop."""
    return all(life.engine.emergency.latched(state) for state in life.states.values())
