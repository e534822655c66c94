"""The documentation as data: its pages, headings, tables, examples and links."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
import re

from ..package_source import REPOSITORY

DOCS = REPOSITORY / "docs"

_HEADING = re.compile(r"^(#+) (.+)$")
_FENCE = re.compile(r"^```(\w*)$")
_RULE = re.compile(r"^\|[ :|-]+\|$")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block: its language, what it holds, and its place for messages."""

    page: str
    heading: str
    language: str
    text: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What stands between a heading and the next one of any level."""

    page: str
    heading: str
    level: int
    rows: tuple[tuple[str, ...], ...]
    """The cells of all its tables, headings of columns left out."""
    blocks: tuple[Block, ...]

    @property
    def table(self) -> dict[str, tuple[str, ...]]:
        """Return the other cells of each row by its first one, without code marks."""
        found: dict[str, tuple[str, ...]] = {}
        for first, *others in self.rows:
            key = first.strip("`")
            assert key not in found, (self.page, self.heading, key)
            found[key] = tuple(others)
        return found


def page_paths() -> list[Path]:
    """Return the files of the documentation, README and the like included."""
    named = [REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md")]
    return [*named, REPOSITORY / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]


@cache
def sections(name: str) -> dict[str, Section]:
    """Return the sections of a page of `docs/` by their headings."""
    found = {}
    for section in _read(DOCS / f"{name}.md"):
        assert section.heading not in found, (name, section.heading)
        found[section.heading] = section
    return found


def table(page: str, heading: str) -> dict[str, tuple[str, ...]]:
    """Return a table by the first cells of its rows."""
    return sections(page)[heading].table


def blocks(language: str) -> list[Block]:
    """Return every example in a language."""
    return [
        block
        for path in sorted(DOCS.glob("*.md"))
        for section in sections(path.stem).values()
        for block in section.blocks
        if block.language == language
    ]


def links(path: Path) -> list[str]:
    """Return the targets of a page's links and images."""
    return _LINK.findall(path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """Return what a link may point to within a page."""
    return {
        re.sub(r"[^\w\- ]", "", section.heading.lower()).replace(" ", "-")
        for section in _read(path)
    }


def _read(path: Path) -> Iterator[Section]:
    """Yield the sections of a file."""
    heading, level, number = "", 0, 0
    rows: list[tuple[str, ...]] = []
    found: list[Block] = []
    fence: list[str] | None = None
    language = ""
    lines = path.read_text(encoding="utf-8").splitlines()
    for index, line in enumerate([*lines, "# "]):
        if fence is not None:
            if line == "```":
                number += 1
                found.append(
                    Block(
                        page=path.stem,
                        heading=heading,
                        language=language,
                        text="\n".join(fence),
                        number=number,
                    )
                )
                fence = None
            else:
                fence.append(line)
        elif opening := _FENCE.match(line):
            fence, language = [], opening[1]
        elif (title := _HEADING.match(line)) or index == len(lines):
            if heading:
                yield Section(
                    page=path.stem,
                    heading=heading,
                    level=level,
                    rows=tuple(rows),
                    blocks=tuple(found),
                )
            if title:
                heading, level = title[2].strip("`"), len(title[1])
            rows, found = [], []
        elif line.startswith("|") and not _RULE.match(line):
            if not _RULE.match(lines[index + 1] if index + 1 < len(lines) else ""):
                rows.append(tuple(_cells(line)))


def _cells(line: str) -> list[str]:
    """Return the cells of a table's row."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
