"""Windows on every kind of device: the value under them always comes back (issue 4)."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, override

from custom_components.aquarist.commands.phases import Kind, Phase
from custom_components.aquarist.devices.fields import LEVEL
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.layers.setting import Scalar, Setting

from .house import FAN, HEATER, PUMP, SOCKET, SPOTS
from .life import Life
from .scenario import Scenario
from .world import LAMP, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A window: its value, and when it begins and ends."""

    value: Scalar | Setting
    begins: float
    ends: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is held on a device: the field, what it rests on before, and the windows.

    ``truth`` reads what really shows, ``shown`` is that while the last window alone holds.
    """

    name: str
    device: str
    truth: Callable[[World], Any]
    rests: Mapping[str, Any] | None
    spans: tuple[Span, ...]
    shown: Any
    field: str = LEVEL


class Holding(Scenario):
    """Windows over a value that rests; it comes back whatever happens."""

    horizon = 60.0
    outages = (2.0, 30.0, 100.0)

    def __init__(self, held: Held) -> None:
        """Keep what is held."""
        self.held = held
        self.devices = (held.device,)

    @override
    def __str__(self) -> str:
        """Return which one it is."""
        return self.held.name

    @override
    async def act(self, life: Life) -> None:
        """Bring about what rests, then ask for the windows."""
        await life.until(1)
        held, rests = self.held, True
        if held.rests is not None:
            command = await life.send(held.device, "set_level", **held.rests)
            if command is not None:
                command = await life.engine.finished(command)
            rests = command is not None and command.phase is Phase.COMPLETED
        await life.until(5)
        if rests:
            life.chronicle.note("rests", truth=held.truth(life.world))
        for span in held.spans:
            # While the store is in trouble it may have become too late for one.
            with suppress(EngineError):
                await life.window(
                    held.device,
                    span.value,
                    begins=span.begins,
                    ends=span.ends,
                    field=held.field,
                )

    @override
    def judge_resumed(self, life: Life) -> None:
        """Inside the last window its value holds, once that is on disk."""
        last = self.held.spans[-1]
        windows = life.of_kind(Kind.WINDOW)
        if len(windows) < len(self.held.spans):
            return
        if last.begins + 2 < life.world.loop.time() < last.ends - 1:
            assert self.held.truth(life.world) == self.held.shown

    @override
    def judge(self, life: Life) -> None:
        """What rested is back; each window has taken its time or none of it."""
        rests = life.chronicle.read("rests")
        if rests:
            assert self.held.truth(life.world) == rests[0]["truth"]
        for window in life.of_kind(Kind.WINDOW):
            assert window.phase in (Phase.COMPLETED, Phase.MISSED, Phase.FAILED), window


def _lamp(world: World) -> float:
    """Return the light that comes out of the lamp."""
    return world.level()


def _state(entity: str, world: World) -> str:
    """Return an entity's state."""
    return world.house.shows(entity)


def _spots(world: World) -> list[int]:
    """Return the light of both channels."""
    return [world.house.brightness(one) for one in ("light.white", "light.blue")]


def _heater(world: World) -> list[Any]:
    """Return mode, preset and temperature."""
    house, entity = world.house, "climate.heater"
    return [
        house.shows(entity),
        house.attribute(entity, "preset_mode"),
        house.attribute(entity, "temperature"),
    ]


def _one(value: Scalar | Setting) -> tuple[Span, ...]:
    """Return a single window."""
    return (Span(value=value, begins=10, ends=40),)


def _two(first: Span, second: Span) -> tuple[Span, ...]:
    """Return two windows, in the order in which they begin."""
    return (first, second)


_PUMP: Final = partial(_state, "number.pump")
_HELD: Final = (
    Held(
        name="window-lamp",
        device=LAMP,
        truth=_lamp,
        rests={"level": 70},
        spans=_one(40),
        shown=40,
    ),
    Held(
        name="window-lamp-off",
        device=LAMP,
        truth=_lamp,
        rests=None,
        spans=_one(40),
        shown=40,
    ),
    Held(
        name="window-pump",
        device=PUMP,
        truth=_PUMP,
        rests={"level": 70},
        spans=_one(40),
        shown="40.0",
    ),
    Held(
        name="window-spots",
        device=SPOTS,
        truth=_spots,
        rests={"level": 60},
        spans=_one(20),
        shown=[20, 20],
    ),
    Held(
        name="window-socket",
        device=SOCKET,
        truth=partial(_state, "switch.socket"),
        rests=None,
        spans=_one(True),
        shown="on",
        field="value",
    ),
    Held(
        name="window-fan",
        device=FAN,
        truth=partial(_state, "number.fan"),
        rests=None,
        spans=_one(80),
        shown="80.0",
        field="value",
    ),
    Held(
        name="window-heater",
        device=HEATER,
        truth=_heater,
        rests=None,
        spans=_one({"hvac_mode": "off"}),
        shown=["off", "none", 24.0],
        field="value",
    ),
    Held(
        name="window-heater-eco",
        device=HEATER,
        truth=_heater,
        rests=None,
        spans=_one({"preset_mode": "eco", "temperature": 20.0}),
        shown=["heat", "eco", 20.0],
        field="value",
    ),
    Held(
        name="windows-crossing",
        device=PUMP,
        truth=_PUMP,
        rests={"level": 70},
        spans=_two(
            Span(value=40, begins=10, ends=30), Span(value=20, begins=20, ends=50)
        ),
        shown="20.0",
    ),
    Held(
        name="windows-nested",
        device=LAMP,
        truth=_lamp,
        rests={"level": 70},
        spans=_two(
            Span(value=40, begins=10, ends=50), Span(value=20, begins=20, ends=30)
        ),
        shown=20,
    ),
    Held(
        name="windows-back-to-back",
        device=SPOTS,
        truth=_spots,
        rests={"level": 60},
        spans=_two(
            Span(value=40, begins=10, ends=25), Span(value=20, begins=25, ends=40)
        ),
        shown=[20, 20],
    ),
)

HOLDING: Final[Mapping[str, Holding]] = {held.name: Holding(held) for held in _HELD}
"""A scenario for each of them, by name."""
