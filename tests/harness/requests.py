"""A request for every action at every kind of device that has it, and what it comes to."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from .asked import Asked, Request, Truth
from .house import FAN, HEATER, PUMP, SOCKET, SPOTS, SWITCHED
from .world import DOSER, LAMP, World

KINDS: Final[Mapping[str, str]] = {
    LAMP: "chihiros_light",
    DOSER: "chihiros_doser",
    PUMP: "pump",
    SPOTS: "light",
    SWITCHED: "doser",
    SOCKET: "entity",
    FAN: "entity",
    HEATER: "entity",
}
"""The kind of each device of the world, in the words of the table of actions."""


def _lamp(world: World) -> float:
    """Return the light that comes out of the lamp."""
    return world.level()


def _memory(world: World) -> list[Any]:
    """Return the windows that the lamp keeps."""
    windows: list[dict[str, Any]] = world.lamp.memory.as_json()
    return [[window["start"], window["end"], window["levels"][0]] for window in windows]


def _curve(world: World) -> object:
    """Return the points of the custom curve that the lamp keeps."""
    return world.lamp.curve.as_json()


def _mode(world: World) -> str:
    """Return who decides the levels of the lamp."""
    return world.lamp.mode.value


def _programme(world: World) -> list[Any]:
    """Return what the second head gives by itself: mode, microlitres a day, times."""
    programme = world.doser.heads[1].programme
    return [
        programme.shown_mode.name.lower(),
        programme.target if programme.active else 0,
        [minute for minute, _ in programme.doses()],
    ]


def _counter(world: World) -> int:
    """Return the lifetime counter of the second head."""
    return world.doser.heads[1].lifetime(world.loop.time())


def _pump(world: World) -> str:
    """Return the number of the pump."""
    return world.house.shows("number.pump")


def _fan(world: World) -> str:
    """Return the number of the fan."""
    return world.house.shows("number.fan")


def _socket(world: World) -> str:
    """Return whether the socket is on."""
    return world.house.shows("switch.socket")


def _spots(world: World) -> list[int]:
    """Return the light that comes out of both channels."""
    return [world.house.brightness(one) for one in ("light.white", "light.blue")]


def _dosed(world: World) -> int:
    """Return what the first head has given."""
    return world.delivered()


_OFF: Final[tuple[str, Mapping[str, Any]]] = ("turn_off", {})


def _at(level: float) -> tuple[str, Mapping[str, Any]]:
    """Return the action that sets a level first."""
    return "set_level", {"level": level}


def _levels(
    device: str, truth: Truth, show: Callable[[float], Any], *, dark: float = 0
) -> list[Request]:
    """Return the actions on a level for a device; ``show`` is how a level shows in truth."""

    def one(action: str, first: float, after: float, **args: Any) -> Request:
        return Request(
            device=device,
            action=action,
            args=args,
            first=(_at(first),),
            truth=truth,
            after=show(after),
        )

    return [
        one("set_level", 30, 60, level=60),
        one("turn_off", 40, dark),
        Request(
            device=device,
            action="turn_on",
            first=(_at(40), _OFF),
            truth=truth,
            after=show(40),
        ),
        one("toggle", 40, dark),
        Request(
            device=device,
            action="ramp",
            args={"start_level": 10, "end_level": 50, "duration": 20},
            first=(_at(30),),
            truth=truth,
            after=show(50),
        ),
    ]


def _switched(action: str, first: str, after: str) -> Request:
    """Return an action on the socket, which is on or off."""
    return Request(
        device=SOCKET, action=action, first=((first, {}),), truth=_socket, after=after
    )


_DAILY = {"head_index": 1, "volume_tenths_ml": 24, "hour": 6, "minute": 30}
_DAILY_TRUTH = ["single", 2400, [390]]
_KEPT = (("set_schedule", _DAILY),)
_SETTING = {"sunrise": "06:00", "sunset": "10:00", "brightness": 80}
_WINDOW = [360, 600, 80]
_NO_PROGRAMME = ["disabled", 0, []]


def _programmed(
    mode: str, after: list[Any], *, by_itself: int = 0, **args: Any
) -> Request:
    """Return a programme of one mode for the second head."""
    return Request(
        device=DOSER,
        action="set_doser_schedule",
        args={"mode": mode, "head_index": 1, **args},
        truth=_programme,
        after=after,
        undone=False,
        by_itself=by_itself,
    )


def _memory_change(
    device: str, action: str, truth: Truth, after: Any, **more: Any
) -> Request:
    """Return an action that changes what a device keeps."""
    return Request(
        device=device, action=action, truth=truth, after=after, undone=False, **more
    )


REQUESTS: Final[tuple[Request, ...]] = (
    *_levels(LAMP, _lamp, float),
    Request(
        device=LAMP,
        action="set_brightness",
        args={"brightness": 70},
        first=(_at(20),),
        truth=_lamp,
        after=70,
    ),
    Request(
        device=LAMP,
        action="set_channels",
        args={"levels": [55]},
        first=(_at(20),),
        truth=_lamp,
        after=55,
    ),
    *_levels(PUMP, _pump, lambda level: str(float(level))),
    *_levels(FAN, _fan, lambda level: str(float(level))),
    *_levels(SPOTS, _spots, lambda level: [level, level]),
    Request(
        device=SPOTS,
        action="set_brightness",
        args={"brightness": 70, "color": 1},
        first=(_at(20),),
        truth=_spots,
        after=[20, 70],
    ),
    Request(
        device=SPOTS,
        action="set_channels",
        args={"levels": [55, 10]},
        first=(_at(20),),
        truth=_spots,
        after=[55, 10],
    ),
    _switched("turn_on", "turn_off", "on"),
    _switched("turn_off", "turn_on", "off"),
    _switched("toggle", "turn_on", "off"),
    *(
        Request(device=device, action="request_status")
        for device in (LAMP, DOSER, PUMP, SPOTS, SWITCHED, SOCKET, HEATER)
    ),
    *(
        Request(device=device, action=action, args=args)
        for device in (LAMP, DOSER)
        for action, args in (("sync_clock", {}), ("release_for_app", {"seconds": 5}))
    ),
    _memory_change(LAMP, "enable_auto_mode", _mode, "auto", first=(_at(20),)),
    _memory_change(
        LAMP, "set_manual_mode", _mode, "manual", first=(("enable_auto_mode", {}),)
    ),
    _memory_change(LAMP, "add_auto_setting", _memory, [_WINDOW], args=_SETTING),
    _memory_change(
        LAMP,
        "set_custom_curve",
        _curve,
        {"0": [[360, 0], [600, 80]]},
        args={
            "channels": [
                [{"time": "06:00", "level": 0}, {"time": "10:00", "level": 80}]
            ]
        },
    ),
    *(
        _memory_change(
            LAMP, action, _memory, [], first=(("add_auto_setting", _SETTING),)
        )
        for action in ("reset_auto_settings", "factory_reset")
    ),
    Request(
        device=DOSER,
        action="dose",
        args={"head_index": 0, "volume_ml": 3},
        truth=_dosed,
        after=3000,
        undone=False,
    ),
    Request(device=SWITCHED, action="dose", args={"head_index": 0, "volume_ml": 3}),
    *(
        Request(device=device, action=action, args={"head_index": 0, "seconds": 4})
        for device in (DOSER, SWITCHED)
        for action in ("prime_head", "calibrate_head")
    ),
    Request(
        device=DOSER,
        action="calibrate_head",
        args={"head_index": 0, "measured_ml": 4.0},
        first=(("calibrate_head", {"head_index": 0, "seconds": 4}),),
    ),
    _memory_change(DOSER, "set_schedule", _programme, _DAILY_TRUTH, args=_DAILY),
    _memory_change(
        DOSER,
        "set_schedule",
        _programme,
        _DAILY_TRUTH,
        args={**_DAILY, "confirm": True},
    ),
    _programmed("single", _DAILY_TRUTH, volume_tenths_ml=24, hour=6, minute=30),
    _programmed(
        "every_hour",
        ["hourly", 24_000, [hour * 60 for hour in range(24)]],
        volume_tenths_ml=240,
        by_itself=2000,
    ),
    _programmed(
        "custom_periods",
        ["windows", 2400, [360, 420]],
        volume_tenths_ml=24,
        periods=[{"start": "06:00", "end": "08:00", "doses": 2}],
    ),
    _programmed(
        "timer",
        ["timer", 2400, [360, 420]],
        timers=[
            {"time": "06:00", "volume_tenths_ml": 12},
            {"time": "07:00", "volume_tenths_ml": 12},
        ],
    ),
    _memory_change(
        DOSER,
        "remove_schedule",
        _programme,
        _NO_PROGRAMME,
        args={"head_index": 1},
        first=_KEPT,
    ),
    _memory_change(
        DOSER,
        "reset_head",
        _counter,
        0,
        args={"head_index": 1},
        first=(("dose", {"head_index": 1, "volume_ml": 2}),),
    ),
    _memory_change(DOSER, "factory_reset", _programme, _NO_PROGRAMME, first=_KEPT),
)


def _titled() -> dict[str, Asked]:
    """Return the scenarios by title: device, action, and which one where there are several."""
    made: dict[str, Asked] = {}
    for request in REQUESTS:
        title = f"{request.device}-{request.action}"
        number = sum(one.startswith(title) for one in made)
        title = f"{title}-{number + 1}" if number else title
        made[title] = Asked(request, title)
    return made


SCENARIOS: Final[Mapping[str, Asked]] = _titled()
"""A scenario for each request, by title."""
