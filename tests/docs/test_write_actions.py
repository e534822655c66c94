"""The page about write actions: its examples with curl run, and its tables are those of the code."""

import json
from pathlib import Path
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aquarist.api.device_lists import DeviceStatus
from custom_components.aquarist.api.write_action_errors import ERROR_KEYS
from custom_components.aquarist.api.write_action_records import DETAILS, STATUSES
from custom_components.aquarist.api.write_action_requests import ACTION

from ..aquarium import aquarium
from ..package_source import REPOSITORY
from .pages import table
from .running import same_shape
from .test_rest import TOKEN, Curl, blocks_of

PAGE = "write-actions"
# Told as they are in the example.
EXACT = ("action_id", "field_name", "status", "error", "canceled_count", "errors")


def exact(documented: Any, real: Any) -> None:
    """Compare what does not depend on the house."""
    if isinstance(documented, dict):
        for key, value in documented.items():
            if key in EXACT:
                assert real[key] == value
            else:
                exact(value, real[key])
    elif isinstance(documented, list):
        for one, other in zip(documented, real, strict=False):
            exact(one, other)


async def test_examples_are_answered_as_shown(
    recorder_mock: object,
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    hass_access_token: str,
    tmp_path: Path,
) -> None:
    """One after the other in a demo aquarium, as somebody reads the page."""
    shown = blocks_of(PAGE)
    ran = 0
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        client = await hass_client_no_auth()
        for block, after in zip(shown, [*shown[1:], None], strict=True):
            if block.language != "sh":
                continue
            curl = Curl.of(block.text)
            token = curl.token.replace(TOKEN, hass_access_token).split(": ", 1)
            await async_wait_recording_done(hass)
            answer = await client.request(
                curl.method,
                f"/api/aquarist{curl.path}",
                data=curl.body,
                headers=dict([token]),
            )
            text = await answer.text()
            assert answer.status == 200, (block.text, text)
            assert after is not None and after.language == "json"
            example, real = json.loads(after.text), json.loads(text)
            same_shape(example, real)
            exact(example, real)
            ran += 1
    assert ran == sum(block.language == "sh" for block in shown) == 10


def test_every_field_and_status_is_explained() -> None:
    """The tables have exactly the words of the code."""
    rows = table(PAGE, "Set for a time")
    fields = {str(key) for key in ACTION.schema}

    assert set(rows) == fields | {*STATUSES, *DETAILS}
    assert all(rows[name][0] == "yes" for name in fields)
    text = (REPOSITORY / "docs" / f"{PAGE}.md").read_text(encoding="utf-8")
    assert all(f"`{status}`" in text for status in DeviceStatus)


def test_every_key_is_published() -> None:
    """R-T61: in this table, or among the words that it leads to; and nothing else."""
    here = set(table(PAGE, "Error keys"))
    words = set(table("words", "Reasons")) | set(table("words", "Error codes"))

    assert here <= ERROR_KEYS
    assert here | words >= ERROR_KEYS
