"""The tables of the documentation that are written from the code.

`python -m tests.docs.generated` writes them into their pages, between the two marks.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from custom_components.aquarist.chihiros.models import PREFIXES, DeviceFamily, Model
from custom_components.aquarist.discovery import DRIVEN

from ..package_source import english
from .pages import DOCS

BEGIN: Final = "<!-- written from the code: begin -->\n"
END: Final = "<!-- written from the code: end -->\n"

FAMILIES: Final = {
    DeviceFamily.LIGHT: "light",
    DeviceFamily.DOSER: "dosing pump",
    DeviceFamily.STIRRER: "stirrer",
    DeviceFamily.HEATER: "heater",
    DeviceFamily.FAN: "fan",
    DeviceFamily.DOCTOR: "doctor",
    DeviceFamily.CO2: "CO2",
    DeviceFamily.UNSUPPORTED: "other",
}


def supported_devices() -> str:
    """Return the table of all names that a device may advertise."""
    lines = ["| model | kind | names begin with | channels | works |", "|" + "---|" * 5]
    by_model: dict[tuple[str, DeviceFamily, str], list[str]] = {}
    for prefix, model in PREFIXES.items():
        by_model.setdefault((model.name, model.family, _channels(model)), []).append(
            prefix
        )
    for (name, family, channels), prefixes in by_model.items():
        names = ", ".join(f"`{prefix}`" for prefix in prefixes)
        works = "yes" if family in DRIVEN else "no"
        lines.append(
            f"| {name} | {FAMILIES[family]} | {names} | {channels} | {works} |"
        )
    return "\n".join(lines) + "\n"


def error_keys() -> str:
    """Return the table of the keys and texts of all errors."""
    lines = ["| key | text |", "|---|---|"]
    lines += [
        f"| `{key}` | {text['message']} |"
        for key, text in sorted(english()["exceptions"].items())
    ]
    return "\n".join(lines) + "\n"


TABLES: Final[Mapping[str, Callable[[], str]]] = {
    "error-keys": error_keys,
    "supported-devices": supported_devices,
}


def split(page: str) -> tuple[str, str, str]:
    """Return what stands before, between and after the marks of a page."""
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    between, _, after = rest.partition(END)
    return before, between, after


def main() -> None:
    """Write every table into its page."""
    for page, write in TABLES.items():
        before, _, after = split(page)
        text = before + BEGIN + write() + END + after
        (DOCS / f"{page}.md").write_text(text, encoding="utf-8")


def _channels(model: Model) -> str:
    """Return a light's channels in words."""
    if model.family is not DeviceFamily.LIGHT:
        return "–"
    return ", ".join(_colors(model)) or "asked"


def _colors(model: Model) -> Iterator[str]:
    """Yield the colours of a light, and that they are asked where they are a guess."""
    for channel in model.channels:
        yield channel.color.value
    if model.channels and not model.channels_known:
        yield "or as you say"


if __name__ == "__main__":
    main()
