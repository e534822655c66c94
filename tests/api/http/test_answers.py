"""What the write-action API answers is what its document says."""

from typing import Any

from homeassistant.core import HomeAssistant
import probatio as vol
import pytest

from custom_components.aquarist.api.http.openapi import document
from custom_components.aquarist.api.http.views import VIEWS
from custom_components.aquarist.api.write_action_errors import ERROR_KEYS

from .rest import Rest
from .test_synchronous_write_actions import SYNCHRONOUS, write
from .write_actions import PATH, action


def schema_of(path: str, method: str) -> vol.Schema:
    """Return the schema of what is answered with 200."""
    (view,) = (view for view in VIEWS if view.url == f"/api/aquarist{path}")
    schema = view.operations()[method].answers[200]
    assert isinstance(schema, vol.Schema)
    return schema


async def test_every_answer_is_as_described(hass: HomeAssistant, rest: Rest) -> None:
    """Taken, refused, listed, called off, written at once; devices, types, values."""
    good, bad = action(hass, start=3600), action(hass, value={"deep": [None]})
    device = good["device_id"]
    asked: list[tuple[str, str, Any]] = [
        ("POST", PATH, {"actions": [good, bad, 7]}),
        ("PUT", PATH, good),
        ("GET", PATH, None),
        ("PUT", f"{PATH}/cancel", {"action_ids": [good["action_id"], "none"]}),
        ("POST", SYNCHRONOUS, write(hass)),
        ("POST", SYNCHRONOUS, {"actions": [write(hass), write(hass, value=101)]}),
        ("GET", "/devices", None),
        ("GET", "/device_types", None),
        ("GET", "/sites", None),
        ("GET", f"/latest_value?device_id={device}&field_name=level", None),
    ]
    for method, path, body in asked:
        answer = await rest.ask(method, path, json=body)
        assert answer.status == 200, path
        schema_of(path.partition("?")[0], method)(answer.body)


async def test_history_is_as_described(
    recorder_mock: object, hass: HomeAssistant, rest: Rest
) -> None:
    """Pairs of instant and value."""
    device = action(hass)["device_id"]
    answer = await rest.get(
        "/history", device_id=device, field_name="level", start="2026-06-01T00:00:00Z"
    )
    assert answer.status == 200
    schema_of("/history", "GET")(answer.body)


def test_a_wrong_answer_would_be_seen() -> None:
    """The schemas are strict."""
    for path, method in (("/device_types", "GET"), (PATH, "POST"), ("/history", "GET")):
        with pytest.raises(vol.Invalid):
            schema_of(path, method)({"results": [{}]})


def test_all_keys_are_published() -> None:
    """R-T61: in the document that programs read."""
    described = document(VIEWS)["paths"][f"/api/aquarist{PATH}"]["post"]
    content = described["responses"]["200"]["content"]["application/json"]
    _, single = content["schema"]["anyOf"]
    keys = single["properties"]["error"]["properties"]["error_key"]["enum"]

    assert set(keys) == ERROR_KEYS
