"""The OpenAPI document: complete, valid, and true."""

from http import HTTPStatus
import json
import re
from typing import Any

from aiohttp import web
from homeassistant.core import HomeAssistant
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
import probatio as vol
from probatio.error import SchemaError
import pytest

from custom_components.aquarist.api.device_lists import DeviceStatus
from custom_components.aquarist.api.http.errors import STATUS, TABLE
from custom_components.aquarist.api.http.openapi import document, json_schema
from custom_components.aquarist.api.http.operations import operation_of
from custom_components.aquarist.api.http.records import COMMAND, COMMANDS
from custom_components.aquarist.api.http.views import ROUTER, VIEWS
from custom_components.aquarist.api.write_action_records import STATUSES
from custom_components.aquarist.commands.actions import ACTIONS
from tests.package_source import english, spelled

from .rest import DOSER, LEVEL, PUMP, Rest, commands_of

ROUTE = re.compile(r"\{(\w+):[^}]*\}")


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """Return the document."""
    return document(VIEWS)


async def test_the_document_is_answered(rest: Rest, described: dict[str, Any]) -> None:
    """As it is made."""
    answer = await rest.get("/openapi.json")

    assert answer.status == 200
    assert answer.body == json.loads(json.dumps(described))


def test_the_document_is_valid(described: dict[str, Any]) -> None:
    """OpenAPI's own schema takes it."""
    validate(described)


def paths_of(router: web.UrlDispatcher) -> set[str]:
    """Return the paths of ours that a router knows."""
    return {
        route.resource.canonical
        for route in router.routes()
        if route.resource is not None
        and route.resource.canonical.startswith("/api/aquarist")
    }


async def test_every_route_is_described_and_the_reverse(
    hass: HomeAssistant, rest: Rest, described: dict[str, Any]
) -> None:
    """Below `/api/aquarist` there is nothing but what the document has."""
    assert paths_of(hass.http.app.router) == {"/api/aquarist{path}"}
    paths = paths_of(ROUTER)
    unknown = {path for path in paths if path.startswith("/api/aquarist{path}")}
    assert unknown
    shown = {ROUTE.sub(r"{\1}", path).rstrip("/") for path in paths - unknown}

    assert shown == set(described["paths"])
    assert all(f"{path}/" in paths for path in described["paths"])


async def test_every_method_is_described_and_the_reverse(
    rest: Rest, described: dict[str, Any]
) -> None:
    """What is described is there, what is not described is 405."""
    for path, item in described["paths"].items():
        filled = path.removeprefix("/api/aquarist").replace("{", "").replace("}", "")
        for method in ("get", "post", "put", "patch", "delete"):
            answer = await rest.client.request(method, f"/api/aquarist{filled}")
            assert (answer.status != 405) == (method in item), (method, path)


def test_operations_have_names_of_their_own(described: dict[str, Any]) -> None:
    """A generated client needs them."""
    names = [
        operation["operationId"]
        for item in described["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    ]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][A-Za-z]*_[a-z]+", name) for name in names)


def test_every_status_with_errors_is_explained() -> None:
    """Each error key belongs to one status, has a text, and is used."""
    texts = english()["exceptions"]

    assert len(STATUS) == sum(len(keys) for keys in TABLE.values())
    for status, keys in TABLE.items():
        assert isinstance(status, HTTPStatus)
        for key in keys:
            assert key in texts, key
            assert spelled(key), key


def test_examples_are_what_they_are_examples_of() -> None:
    """Our own schemas take them."""
    found = 0
    for view in VIEWS:
        for declared in view.operations().values():
            for example in declared.examples.values():
                assert declared.body is not None
                declared.body(example)
                found += 1
    assert found


async def test_records_are_as_described(
    hass: HomeAssistant, rest: Rest, described: dict[str, Any]
) -> None:
    """Each answer is valid by the schema of its operation."""
    level = await rest.post(commands_of(hass, PUMP), LEVEL | {"execution": "sync"})
    dose = await rest.post(
        commands_of(hass, DOSER),
        {"action": "dose", "args": {"head_index": 0, "volume_ml": 0.5}},
    )
    schema = {
        "$ref": "#/components/schemas/Command",
        "components": described["components"],
    }
    for answer in (level, dose):
        OAS31Validator(schema).validate(answer.body)
        assert list(answer.body) == [str(key) for key in COMMAND.schema]
    assert COMMANDS((await rest.get("/commands")).body)["commands"]


def test_every_action_is_described(described: dict[str, Any]) -> None:
    """With what it takes."""
    schemas = described["components"]["schemas"]

    assert {f"Arguments_{name}" for name in ACTIONS} <= set(schemas)
    assert schemas["Arguments_dose"]["required"] == ["head_index", "volume_ml"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/api/aquarist/write_actions", STATUSES),
        ("/api/aquarist/devices", tuple(DeviceStatus)),
    ],
)
def test_the_words_of_a_list_are_described(
    described: dict[str, Any], path: str, words: tuple[str, ...]
) -> None:
    """One or several with commas between, and no others."""
    parameters = described["paths"][path]["get"]["parameters"]
    (status,) = [one["schema"] for one in parameters if one["name"] == "status"]
    validator = OAS31Validator(status)

    assert all(validator.is_valid(word) for word in words)
    assert validator.is_valid(",".join(words))
    assert not validator.is_valid(f"{words[0]}s")
    assert not validator.is_valid(f"{words[0]},fine")


@pytest.mark.parametrize("id", ["", " ", "\t"])
def test_a_blank_id_is_described_as_none(described: dict[str, Any], id: str) -> None:
    """What is refused is not promised."""
    operation = described["paths"]["/api/aquarist/write_actions/cancel"]["put"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]

    validator = OAS31Validator(schema)
    assert validator.is_valid({"action_ids": ["a"]})
    assert not validator.is_valid({"action_ids": [id]})


def test_a_validator_that_says_nothing_is_found() -> None:
    """Nothing is left open by mistake."""

    def silent(value: object) -> object:
        return value

    with pytest.raises(SchemaError):
        json_schema(vol.Schema({"field": silent}))


def test_what_is_no_operation_is_not_described() -> None:
    """A method of a view must be declared."""
    with pytest.raises(AttributeError):
        operation_of(test_what_is_no_operation_is_not_described)
