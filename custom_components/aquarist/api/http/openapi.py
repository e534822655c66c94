"""The OpenAPI document: made from the very declarations that validate (design 7)."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
import re
from typing import Any

from aiohttp import web
import probatio as vol
from probatio.codecs import UNSUPPORTED, to_json_schema

from ...commands.actions import ACTIONS
from ...schedules.validation import DESCRIPTION
from .call import Call
from .errors import RETRY_AFTER, TABLE
from .operations import Answer, Operation, Right, operation
from .records import COMPONENTS, ERROR
from .view import View, success

VERSION = "3.1.0"
JSON = "application/json"
PARAMETER = re.compile(r"\{(\w+)(?::[^}]*)?\}")

EVERYWHERE = frozenset({400, 401, 500, 503})
"""Statuses of errors that every operation may answer with."""

FILTERED = {"text/plain": {"schema": {"type": "string"}}}
"""How Home Assistant itself answers, with 400, an address that looks like an attack."""

PATH = {
    "address": "The device's Bluetooth address, in capitals or not, or its UUID",
    "id": "The id of the command",
    "name": "The name of the configuration",
}
RIGHTS = {
    Right.READ: "Needs the right to see the device's entities.",
    Right.CONTROL: "Needs the right to control all of the device's entities.",
    Right.CONFIGURE: "For administrators.",
}


class OpenApi(View):
    """The document that describes all of these views."""

    url = "/api/aquarist/openapi.json"
    views: tuple[type[View], ...] = ()

    @operation(
        "This document",
        right=Right.READ,
        answers={200: {"type": "object", "required": ["openapi", "info", "paths"]}},
    )
    async def get(self, call: Call) -> web.StreamResponse:
        """Answer with the document."""
        return success(document(self.views))


def document(views: Iterable[type[View]]) -> dict[str, Any]:
    """Return the OpenAPI document of some views."""
    return {
        "openapi": VERSION,
        "info": {
            "title": "Aquarist",
            "version": "1",
            "description": "Runs an aquarium. Each path works with a slash at its end, too.",
        },
        "security": [{"token": []}],
        "paths": {PARAMETER.sub(r"{\1}", view.url): _path(view) for view in views},
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A long-lived access token of Home Assistant",
                }
            },
            "schemas": {
                **{name: _described(schema) for name, schema in COMPONENTS.items()},
                **{
                    f"Arguments_{name}": {
                        "description": action.summary,
                        **_described(action.schema),
                    }
                    for name, action in sorted(ACTIONS.items())
                },
            },
        },
    }


def json_schema(schema: Answer) -> dict[str, Any]:
    """Return a schema in the words of JSON Schema; a record of ours by reference.

    Raises SchemaError for a validator that does not say what it takes.
    """
    for name, known in COMPONENTS.items():
        if schema is known:
            return {"$ref": f"#/components/schemas/{name}"}
    return _described(schema)


def _described(schema: Answer) -> dict[str, Any]:
    """Return a schema in the words of JSON Schema, written out."""
    if isinstance(schema, Mapping):
        return dict(schema)
    return to_json_schema(schema, strict=True, custom_serializer=_of_validator)


def _of_validator(node: Any) -> Any:
    """Return what a validator of ours says of itself."""
    described = getattr(node, DESCRIPTION, None)
    if described is None:
        return UNSUPPORTED
    return _resolved(described)


def _resolved(part: Any) -> Any:
    """Return a description with the schemas in it written out."""
    match part:
        case vol.Schema():
            return json_schema(part)
        case dict():
            return {key: _resolved(value) for key, value in part.items()}
        case list() | tuple():
            return [_resolved(value) for value in part]
    return part


def _path(view: type[View]) -> dict[str, Any]:
    """Return a path with its operations."""
    found: dict[str, Any] = {
        method.lower(): _operation(declared, view.wrong)
        for method, declared in view.operations().items()
    }
    if names := PARAMETER.findall(view.url):
        found["parameters"] = [
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": PATH[name],
                "schema": {"type": "string", "minLength": 1},
            }
            for name in names
        ]
    return found


def _operation(declared: Operation, wrong: HTTPStatus) -> dict[str, Any]:
    """Return an operation."""
    found: dict[str, Any] = {
        "operationId": declared.id,
        "summary": declared.summary,
        "description": RIGHTS[declared.right],
        "parameters": _parameters(declared.query),
        "responses": _responses(declared, wrong),
    }
    if declared.body is not None:
        content = {
            "schema": json_schema(declared.body),
            "examples": {
                name: {"value": value} for name, value in declared.examples.items()
            },
        }
        found["requestBody"] = {"required": True, "content": {JSON: content}}
    return found


def _parameters(query: vol.Schema) -> list[dict[str, Any]]:
    """Return the parameters of a query."""
    schema = json_schema(query)
    required = schema.get("required", ())
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": _without_null(described),
        }
        for name, described in schema.get("properties", {}).items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a query's text, which may be left out but is never null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    return kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else schema


def _responses(declared: Operation, wrong: HTTPStatus) -> dict[str, Any]:
    """Return what an operation answers, by status."""
    answers: dict[int, list[dict[str, Any]]] = {
        status: [json_schema(schema)] for status, schema in declared.answers.items()
    }
    for status in sorted(_errors(declared) | {wrong}):
        answers.setdefault(status, []).append(json_schema(ERROR))
    return {
        str(status): _response(declared, status, schemas, wrong)
        for status, schemas in sorted(answers.items())
    }


def _errors(declared: Operation) -> frozenset[int]:
    """Return the statuses that come with an error object."""
    found = EVERYWHERE | declared.errors
    if declared.right is not Right.READ or 404 in declared.errors:
        found |= {HTTPStatus.FORBIDDEN}
    if declared.body is not None:
        found |= {HTTPStatus.REQUEST_ENTITY_TOO_LARGE}
    return found


def _response(
    declared: Operation,
    status: int,
    schemas: list[dict[str, Any]],
    wrong: HTTPStatus,
) -> dict[str, Any]:
    """Return one answer."""
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    ours = status in declared.answers
    answer: dict[str, Any] = {
        "description": HTTPStatus(status).phrase if ours else _reasons(status, wrong),
        "content": {
            kind: {"schema": schema if kind == JSON else {"type": "string"}}
            for kind in (declared.media_types if ours else (JSON,))
        },
    }
    if status == HTTPStatus.BAD_REQUEST:
        answer["content"] |= FILTERED
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        answer["headers"] = {
            RETRY_AFTER: {"required": True, "schema": {"type": "integer", "minimum": 0}}
        }
    return answer


def _reasons(status: int, wrong: HTTPStatus) -> str:
    """Return which error keys come with a status."""
    keys = TABLE.get(HTTPStatus(status))
    if keys is None or status == wrong:
        return "What was asked is wrong or refused: the error key says why"
    return ", ".join(f"`{key}`" for key in sorted(keys))
