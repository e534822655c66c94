"""The settings over REST: RES-66."""

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
    assert changed.body == before | {"rate_limit": 5, "site_name": "Home"}
    assert (await rest.get(PATH)).body == changed.body

    back = await rest.ask(method, PATH, json={"rate_limit": None})
    assert back.body == before | {"site_name": "Home"}
    assert before["rate_limit"] == 10


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"rate_limit": 0}, (422, "schedule_out_of_range", "rate_limit")),
        ({"speed": 1}, (422, "schedule_unknown_field", "speed")),
        ({"sweep_seconds": "30"}, (422, "schedule_wrong_type", "sweep_seconds")),
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
    assert (await rest.get(PATH)).body == before


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT"])
async def test_settings_are_for_administrators(reader: Rest, method: str) -> None:
    """403 for others, whatever they may see."""
    assert (await reader.ask(method, PATH)).error == (403, "not_allowed", None)
