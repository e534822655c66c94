"""Imports point one way, and only the clock asks what time it is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from .package_source import PACKAGE, Module, modules

PURE = frozenset(
    (
        "chihiros",
        "commands",
        "curves",
        "dosing",
        "layers",
        "limits",
        "rules",
        "runs",
        "schedules",
        "simulator",
    )
)
ADAPTERS = frozenset(("ble", "devices", "store"))
OUTSIDE_OF_PURE = frozenset(
    ("aiohttp", "bleak", "bleak_retry_connector", "habluetooth")
)
WORDS = "const"
"""The module in the integration's root that rooms with Home Assistant may share."""
VALUES = "frozen"
"""The one that all rooms share: it imports nothing of ours."""

CLOCK = "engine.clock"
CLOCK_READINGS = frozenset(
    (
        "bluetooth_data_tools.monotonic_time_coarse",
        "datetime.date.today",
        "datetime.datetime.now",
        "datetime.datetime.today",
        "datetime.datetime.utcnow",
        "homeassistant.util.dt.now",
        "homeassistant.util.dt.utcnow",
        "time.monotonic",
        "time.monotonic_ns",
        "time.perf_counter",
        "time.perf_counter_ns",
        "time.time",
        "time.time_ns",
    )
)
OTHER_CLOCKS = frozenset(
    # Advertisements are stamped with the readings of this clock, and compared with it.
    (("ble.bleak_transport", "bluetooth_data_tools.monotonic_time_coarse"),)
)


def room(name: str) -> str:
    """Return the room of a module: the first part of its name."""
    return name.partition(".")[0]


def imports(module: Module, root: Path) -> Iterator[tuple[int, str]]:
    """Yield line and dotted target of each import; our own ones start with a dot."""
    base = module.name.split(".") if module.name else []
    if not (root.joinpath(*base) / "__init__.py").exists():
        base = base[:-1]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                above = base[: len(base) - node.level + 1]
                parts = [*above, *filter(None, [node.module])]
                for alias in node.names:
                    yield node.lineno, "." + ".".join([*parts, alias.name])
            else:
                for alias in node.names:
                    yield node.lineno, f"{node.module}.{alias.name}"


def allowed(importer: str, target: str) -> bool:
    """Say whether the module `importer` may import `target`."""
    here = room(importer)
    if not target.startswith("."):
        outside = target.split(".", maxsplit=1)[0]
        ours = target.startswith("custom_components")
        return not ours and not (
            here in PURE and (outside == "homeassistant" or outside in OUTSIDE_OF_PURE)
        )
    there = room(target.removeprefix("."))
    if there == VALUES:
        return True
    if here in PURE:
        return there in PURE
    if here in ADAPTERS:
        return there in PURE | ADAPTERS | {WORDS}
    if here == "engine":
        return there in PURE | ADAPTERS | {"engine", WORDS}
    return True


def wrong_imports(root: Path) -> list[str]:
    """Return what the modules below `root` import against the direction."""
    return [
        f"{module.name}:{line} imports {target}"
        for module in modules(root)
        for line, target in imports(module, root)
        if not allowed(module.name, target)
    ]


def names_of(tree: ast.Module) -> dict[str, str]:
    """Return what the imported names of a module stand for."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                local = alias.asname or alias.name.split(".", maxsplit=1)[0]
                names[local] = alias.name if alias.asname else local
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def dotted(node: ast.expr, names: dict[str, str]) -> str:
    """Return the full name of what an expression refers to, empty when it is no name."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value, names)
        return f"{owner}.{node.attr}" if owner else ""
    return ""


def clock_readings(root: Path) -> list[str]:
    """Return where the modules below `root` read a clock, the clock itself left out."""
    found = []
    for module in modules(root):
        if module.name == CLOCK:
            continue
        names = names_of(module.tree)
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Name | ast.Attribute):
                reading = dotted(node, names)
                if (
                    reading in CLOCK_READINGS
                    and (module.name, reading) not in OTHER_CLOCKS
                ):
                    found.append(f"{module.name}:{node.lineno} reads {reading}")
    return found


def test_imports_point_one_way() -> None:
    """Pure rooms <- devices, ble, store <- engine <- api and platforms."""
    assert wrong_imports(PACKAGE) == []


def test_only_the_clock_reads_a_clock() -> None:
    """Everybody else is given the instant (law 6)."""
    assert clock_readings(PACKAGE) == []


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a small made-up package in which all is well."""
    for name, text in {
        "__init__.py": "from .engine.clock import Clock",
        "const.py": "",
        "light.py": "from .engine import clock\nfrom homeassistant.core import callback",
        "layers/__init__.py": "",
        "layers/resolve.py": "from ..curves import course\nfrom datetime import datetime",
        "curves/__init__.py": "from .course import Course",
        "curves/course.py": "import probatio as vol",
        "store/__init__.py": "from ..const import DOMAIN\nimport sqlite3",
        "engine/__init__.py": "from .. import const\nfrom ..store import writer",
        "engine/clock.py": "from homeassistant.util import dt as dt_util\ndt_util.utcnow()",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_a_good_tree_passes(tree: Path) -> None:
    """The rules accept what the design allows."""
    assert wrong_imports(tree) == []
    assert clock_readings(tree) == []


@pytest.mark.parametrize(
    ("name", "text", "target"),
    [
        ("layers/bad.py", "from homeassistant.core import callback", "homeassistant"),
        ("curves/bad.py", "import homeassistant.util.dt", "homeassistant"),
        ("chihiros/bad.py", "from bleak import BleakClient", "bleak.BleakClient"),
        ("runs/bad.py", "import aiohttp", "aiohttp"),
        ("layers/bad.py", "from ..devices.light import Light", ".devices.light.Light"),
        ("layers/bad.py", "from .. import store", ".store"),
        ("layers/bad.py", "from ..const import DOMAIN", ".const.DOMAIN"),
        ("layers/__init__.py", "from ..engine import clock", ".engine.clock"),
        ("store/bad.py", "from ..engine.state import State", ".engine.state.State"),
        ("ble/bad.py", "from ..light import Lamp", ".light.Lamp"),
        ("devices/bad.py", "from ..api.serializers import x", ".api.serializers.x"),
        ("engine/bad.py", "from ..api import http", ".api.http"),
        ("engine/bad.py", "from ..sensor import Sensor", ".sensor.Sensor"),
        ("engine/bad.py", "def f():\n    from ..entity import E", ".entity.E"),
        ("light.py", "import custom_components.aquarist.const", "custom_components"),
    ],
)
def test_a_wrong_import_is_found(tree: Path, name: str, text: str, target: str) -> None:
    """Each way of importing against the direction is seen."""
    path = tree / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")

    (found,) = wrong_imports(tree)

    assert f"imports {target}" in found


@pytest.mark.parametrize(
    "text",
    [
        "import time\ntime.monotonic()",
        "from time import time as wall\nwall()",
        "import datetime as dt\ndt.datetime.now(dt.UTC)",
        "from datetime import datetime\nf = datetime.now",
        "from homeassistant.util import dt as dt_util\ndt_util.utcnow()",
        "from homeassistant.util.dt import utcnow\nutcnow()",
        "import homeassistant.util.dt\nhomeassistant.util.dt.now()",
    ],
)
def test_a_clock_reading_is_found(tree: Path, text: str) -> None:
    """Each way of reading a clock is seen, however it is imported."""
    (tree / "store" / "bad.py").write_text(text, encoding="utf-8")

    assert len(clock_readings(tree)) == 1
