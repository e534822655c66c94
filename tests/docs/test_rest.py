"""The examples with curl do what they say, and the tables are those of the code."""

from dataclasses import dataclass
import json
from pathlib import Path
import re
import shlex
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aquarist.api.command_requests import CONTENT, EXECUTION
from custom_components.aquarist.api.http.errors import TABLE
from custom_components.aquarist.api.http.views import VIEWS

from ..aquarium import aquarium
from .pages import Block, sections, table
from .running import same_shape

ADDRESS, TOKEN = "$AQUARIST", "$TOKEN"


def blocks_of(page: str) -> list[Block]:
    """Return the examples of a page and what they answer, in order."""
    return [block for part in sections(page).values() for block in part.blocks]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curl:
    """What an example asks for."""

    method: str
    path: str
    token: str
    body: str | None

    @classmethod
    def of(cls, text: str) -> Curl:
        """Read a command line; an option that is not known here is a mistake."""
        program, *words = shlex.split(text.replace("\\\n", " "))
        assert program == "curl"
        method, headers, body, path = "GET", [], None, ""
        while words:
            match words.pop(0):
                case "-X":
                    method = words.pop(0)
                case "-H":
                    headers.append(words.pop(0))
                case "-d":
                    body = words.pop(0)
                case address:
                    assert address.startswith(f"{ADDRESS}/") and not path
                    path = address.removeprefix(ADDRESS)
        (authorization,) = headers
        assert (method == "GET") == (body is None) or method in ("DELETE", "POST")
        return cls(method=method, path=path, token=authorization, body=body)


@pytest.mark.parametrize("page", ["rest", "commands"])
async def test_examples_are_answered_as_shown(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    hass_access_token: str,
    tmp_path: Path,
    page: str,
) -> None:
    """One after the other in a demo aquarium, as somebody reads the page."""
    shown = blocks_of(page)
    ran = 0
    async with aquarium(hass, tmp_path, demo=True):
        client = await hass_client_no_auth()
        for block, after in zip(shown, [*shown[1:], None], strict=True):
            if block.language != "sh":
                continue
            curl = Curl.of(block.text)
            answer = await client.request(
                curl.method,
                f"/api/aquarist{curl.path}",
                data=curl.body,
                headers=dict(
                    [curl.token.replace(TOKEN, hass_access_token).split(": ", 1)]
                ),
            )
            text = await answer.text()
            example: Any = None
            if after is not None and after.language == "json":
                example = json.loads(after.text)
                same_shape(example, json.loads(text))
            refused = example is not None and "error_key" in example
            assert answer.status == (422 if refused else 200), (block.text, text)
            if refused:
                assert json.loads(text) == example
            ran += 1
    assert ran == sum(block.language == "sh" for block in shown) > 3


def test_every_path_is_listed() -> None:
    """With its methods."""
    listed = {path: cells[0] for path, cells in table("rest", "Paths").items()}

    assert listed == {
        view.url: ", ".join(
            sorted(view.operations(), key="GET POST PATCH PUT DELETE".find)
        )
        for view in VIEWS
    }


def test_every_status_is_explained() -> None:
    """Those of errors, and those of a command's answer."""
    assert set(table("rest", "Errors")) == {str(int(status)) for status in TABLE} | {
        "422"
    }
    answers = set(table("commands", "Send")) - {str(key) for key in CONTENT | EXECUTION}
    assert answers - {"status of the answer"} == {
        "200",
        "404",
        "409",
        "422",
        "429",
        "504",
    }


def test_every_field_is_explained() -> None:
    """The table has the fields of a command."""
    fields = {str(key) for key in CONTENT | EXECUTION}

    assert fields <= set(table("commands", "Send"))
    assert all(re.fullmatch("[a-z_]+", field) for field in fields)
