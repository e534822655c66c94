"""The settings over REST: RES-66."""

import re
from typing import Any

import pytest

from .rest import Rest

PATH = "/v1/settings"


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_settings_are_changed_and_kept(rest: Rest, method: str) -> None:
    """What is left out stays, null goes back to the default."""
    before = (await rest.get(PATH)).body
    changed = await rest.ask(method, PATH, json={"rate_limit": 5, "site_name": "Home"})
    assert changed.status == 200
    assert before["revision"] == 0
    assert changed.body == before | {
        "rate_limit": 5,
        "site_name": "Home",
        "revision": 1,
    }
    assert (await rest.get(PATH)).body == changed.body

    back = await rest.ask(method, PATH, json={"rate_limit": None})
    assert back.body == before | {"site_name": "Home", "revision": 2}
    assert before["rate_limit"] == 10


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"rate_limit": 0}, (422, "schedule_out_of_range", "rate_limit")),
        ({"speed": 1}, (422, "schedule_unknown_field", "speed")),
        (
            {"pdl_identifier": "123"},
            (422, "wrong_type_delivery_point", "pdl_identifier"),
        ),
        (
            {"allowed_services": ["light"]},
            (422, "wrong_type_services", "allowed_services"),
        ),
        ({"allowed_urls": ["a b"]}, (422, "wrong_type_addresses", "allowed_urls")),
        ({"sweep_seconds": "30"}, (422, "wrong_type_number", "sweep_seconds")),
        (
            {"window_longest_pause_seconds": 1},
            (422, "schedule_out_of_range", "window_longest_pause_seconds"),
        ),
    ],
)
async def test_wrong_settings_change_nothing(
    rest: Rest, changes: dict[str, Any], error: tuple[int, str, str]
) -> None:
    """Law 10: the field is named."""
    before = (await rest.get(PATH)).body
    answer = await rest.ask("PATCH", PATH, json=changes | {"rate_window_seconds": 5})

    assert answer.error == error
    assert not re.search(r"[\\\[(/]", answer.body["error_message"])
    assert (await rest.get(PATH)).body == before


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_a_change_from_an_older_revision_is_refused(
    rest: Rest, method: str
) -> None:
    """R-X11: 409 with the present one; from that it is taken."""
    await rest.ask("PATCH", PATH, json={"rate_limit": 5})
    late = {"rate_limit": 6, "expected_revision": 0}
    answer = await rest.ask(method, PATH, json=late)
    assert answer.error == (409, "revision_conflict", "expected_revision")
    assert answer.body["error_details"]["revision"] == "1"
    again = await rest.ask(method, PATH, json=late | {"expected_revision": 1})
    assert (again.status, again.body["rate_limit"], again.body["revision"]) == (
        200,
        6,
        2,
    )


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT"])
async def test_settings_are_for_administrators(reader: Rest, method: str) -> None:
    """403 for others, whatever they may see."""
    assert (await reader.ask(method, PATH)).error == (403, "not_allowed", None)
