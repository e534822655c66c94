"""The pages hang together, and what is written from the code is what the code says."""

from itertools import pairwise
from pathlib import Path
import re

from homeassistant.util.yaml import parse_yaml
import pytest

from ..package_source import REPOSITORY
from .generated import TABLES, split
from .pages import DOCS, Block, anchors, blocks, links, page_paths, sections

PAGES = page_paths()
OURS = "https://github.com/aquarist-ha/aquarist"


def name(path: Path) -> str:
    """Return how a page is called in the names of tests."""
    return path.stem


@pytest.mark.parametrize("page", TABLES)
def test_what_is_written_from_the_code_is_up_to_date(page: str) -> None:
    """`python -m tests.docs.generated` would change nothing."""
    assert split(page)[1] == TABLES[page]()


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    """Each page, image and heading that a page names is there."""
    for link in links(path):
        if link.startswith("http"):
            continue
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path

        assert file.is_relative_to(REPOSITORY) and file.exists(), link
        assert not anchor or anchor in anchors(file), link


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_page_has_one_title(path: Path) -> None:
    """It is the first line, and no heading skips a level."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    levels = [len(found) for found in re.findall(r"^(#+) ", text, flags=re.MULTILINE)]

    assert text.startswith("# ")
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_page_is_in_the_index() -> None:
    """Nobody has to guess that a page exists, and README leads to the index."""
    pages = {path.name for path in DOCS.glob("*.md")} - {"index.md"}

    assert pages == {link for link in links(DOCS / "index.md") if link in pages}
    assert "docs/index.md" in links(REPOSITORY / "README.md")


def test_there_is_much_to_look_at() -> None:
    """The tests of examples and tables have something to compare."""
    assert len(blocks("yaml")) > 15
    assert len(blocks("json")) > 6
    assert sum(len(part.rows) for part in sections("words").values()) > 80


@pytest.mark.parametrize(
    "block", blocks("yaml"), ids=lambda block: f"{block.page}-{block.number}"
)
def test_yaml_can_be_read(block: Block) -> None:
    """Each example is a mapping for Home Assistant's own reader."""
    assert isinstance(parse_yaml(block.text), dict)


def test_home_assistant_leads_to_the_pages() -> None:
    """The documentation that the manifest names is the repository with these pages."""
    manifest = (REPOSITORY / "custom_components/aquarist/manifest.json").read_text()

    assert f'"documentation": "{OURS}"' in manifest
