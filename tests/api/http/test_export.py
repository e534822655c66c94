"""The audit over REST: R-C33, R-C63."""

import csv
import io
import json
import logging
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

from aiohttp import web
from homeassistant.core import HomeAssistant
import pytest

from custom_components.aquarist.store.errors import StoreFailedError
from tests.aquarium import device_named, engine_of

from .rest import LEVEL, PUMP, SKIMMER, Rest, commands_of

SYNC = LEVEL | {"execution": "sync"}
FORMULA = "=HYPERLINK(1)"


async def exported(rest: Rest, **query: str) -> tuple[str, str]:
    """Return the kind and the text of an export."""
    response = await rest.client.get("/api/aquarist/commands/export", params=query)
    assert response.status == 200, await response.text()
    assert "attachment" in response.headers["Content-Disposition"]
    return response.content_type, await response.text()


@pytest.fixture
async def history(hass: HomeAssistant, rest: Rest) -> list[dict[str, Any]]:
    """Make some history and return it, the oldest first."""
    for number, name in enumerate((PUMP, SKIMMER, PUMP)):
        await rest.post(commands_of(hass, name), SYNC | {"id": f"{number}"})
    await rest.post(commands_of(hass, PUMP), SYNC | {"id": FORMULA})
    commands: list[dict[str, Any]] = (await rest.get("/commands")).body["commands"]
    return commands[::-1]


async def test_an_export_is_the_history(
    rest: Rest, history: list[dict[str, Any]], hass_access_token: str
) -> None:
    """R-C33: the same records; R-C63: who and from where, and no token."""
    kind, text = await exported(rest)

    assert kind == "application/json"
    assert json.loads(text) == history
    assert all(one["user"] and one["context"] for one in history)
    assert hass_access_token not in text


async def test_a_table_holds_the_same_and_no_formula(
    rest: Rest, history: list[dict[str, Any]]
) -> None:
    """A cell that a spreadsheet would take for a formula begins with an apostrophe."""
    kind, text = await exported(rest, format="csv")

    assert kind == "text/csv"
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == list(history[0])
    assert [row["id"] for row in rows] == ["0", "1", "2", f"'{FORMULA}"]
    assert [json.loads(row["args"]) for row in rows] == [one["args"] for one in history]
    assert rows[0]["error"] == ""
    assert float(rows[0]["created_at"]) == history[0]["created_at"]


async def test_an_export_is_narrowed_like_a_list(
    hass: HomeAssistant, rest: Rest, history: list[dict[str, Any]]
) -> None:
    """By the same filters, and by device."""
    uuid = device_named(hass, SKIMMER).row.uuid
    _, text = await exported(rest, device_id=uuid)
    assert [one["id"] for one in json.loads(text)] == ["1"]

    _, text = await exported(rest, to="2020-01-01T00:00:00Z")
    assert json.loads(text) == []
    _, text = await exported(rest, to="0", format="csv")
    assert text.splitlines() == [",".join(history[0])]


@pytest.mark.parametrize("path", ["/commands/export", "/commands"])
@pytest.mark.parametrize("to", ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"])
async def test_a_time_that_ends_before_it_begins_is_refused(
    rest: Rest, path: str, to: str
) -> None:
    """An empty answer would look as if nothing had been sent; `to` itself is left out."""
    query = {"from": "2026-01-02T00:00:00Z", "to": to}
    answer = await rest.get(path, **query)

    assert answer.error == (422, "end_not_after_start", "to")


@pytest.mark.parametrize("format", ["xml", ""])
async def test_other_formats_are_refused(rest: Rest, format: str) -> None:
    """The error names the field."""
    answer = await rest.get("/commands/export", format=format)

    assert answer.error == (422, "schedule_unknown_word", "format")


async def test_a_fault_at_the_start_is_an_error(
    hass: HomeAssistant, rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is sent the status can still say so."""

    async def pages() -> Any:
        if rest:
            raise StoreFailedError("gone", path=Path("aquarist.db"))
        yield []

    monkeypatch.setattr(engine_of(hass).history, "export", lambda wanted: pages())
    answer = await rest.get("/commands/export")

    assert answer.error == (503, "store_failed", None)


async def test_a_fault_later_breaks_the_connection(
    hass: HomeAssistant,
    rest: Rest,
    history: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whoever reads it does not take a part for the whole."""
    found = await engine_of(hass).history.recent(None, 2)

    async def pages() -> Any:
        yield found
        raise StoreFailedError("gone", path=Path("aquarist.db"))

    monkeypatch.setattr(engine_of(hass).history, "export", lambda wanted: pages())
    with pytest.raises((OSError, Exception)) as caught:
        await exported(rest)

    assert not isinstance(caught.value, AssertionError)
    logged = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert ["ended early" in one.getMessage() for one in logged] == [True]


async def test_a_reader_who_goes_is_no_fault(
    hass: HomeAssistant,
    rest: Rest,
    history: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing is logged that a person would have to look at."""
    gone = AsyncMock(side_effect=ConnectionResetError)
    monkeypatch.setattr(web.StreamResponse, "write", gone)
    response = await rest.client.get("/api/aquarist/commands/export")
    response.close()

    assert gone.await_count == 1
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]
