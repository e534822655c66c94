"""What every view does: rights, limits, slashes, and errors as the documents have them."""

from datetime import timedelta
import json
from typing import Any

from aiohttp import web
from homeassistant.components.http.auth import async_sign_path
from homeassistant.components.http.cors import setup_cors
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers.http import KEY_HASS
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aquarist.api.http.door import Door
from custom_components.aquarist.api.http.reading import LARGEST_BODY
from custom_components.aquarist.engine.history import History
from tests.aquarium import engine_of

from .rest import LEVEL, PUMP, Rest, commands_of

REFUSED = [
    ("GET", "/commands"),
    ("GET", "/commands/"),
    ("POST", "/commands"),
    ("GET", "/openapi.json"),
    ("GET", "/v1/settings"),
    ("PATCH", "/v1/settings"),
    ("DELETE", "/devices/nobody/commands/nothing"),
    ("PUT", "/commands"),
    ("GET", "/no/such/path"),
    ("GET", ""),
]


@pytest.mark.parametrize(("method", "path"), REFUSED)
async def test_without_a_token_nothing_is_answered(
    stranger: Rest, method: str, path: str
) -> None:
    """R-T51: 401 with the error object, not Home Assistant's plain text."""
    answer = await stranger.ask(method, path)

    assert answer.error == (401, "not_signed_in", None)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_wrong_token_is_none(stranger: Rest) -> None:
    """R-T51: a wrong token is answered like a missing one."""
    headers = {"Authorization": "Bearer wrong"}
    answer = await stranger.ask("GET", "/commands", headers=headers)

    assert answer.error == (401, "not_signed_in", None)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/no/such/path", "/commands/one", "", "/"])
async def test_what_is_not_there_is_not_found(
    rest: Rest, method: str, path: str
) -> None:
    """An unknown path is an error object, too."""
    answer = await rest.ask(method, path)

    assert answer.error == (404, "path_not_found", None)


async def test_other_paths_are_left_to_others(rest: Rest) -> None:
    """What only begins like ours is Home Assistant's."""
    response = await rest.client.get("/api/aquarists")

    assert response.status == 404
    assert response.content_type == "text/plain"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/commands", "GET, POST"),
        ("PATCH", "/devices/any/commands/one", "GET, DELETE"),
        ("GET", "/devices/any/commands/one/rerun", "POST"),
        ("POST", "/v1/settings/", "GET, PUT, PATCH"),
    ],
)
async def test_a_method_that_is_not_there_says_which_are(
    rest: Rest, method: str, path: str, allowed: str
) -> None:
    """405, with the methods in the header."""
    answer = await rest.ask(method, path)

    assert answer.error == (405, "method_not_allowed", None)
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize("slash", ["", "/"])
async def test_a_slash_at_the_end_does_not_matter(
    hass: HomeAssistant, rest: Rest, slash: str
) -> None:
    """RES-65: nothing is redirected, a POST least of all."""
    assert (await rest.get(f"/commands{slash}")).status == 200
    assert (await rest.get(f"/openapi.json{slash}")).status == 200
    path = commands_of(hass, PUMP) + slash
    assert (await rest.post(path, LEVEL)).status == 200


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{", (400, "malformed_body", None)),
        (b"\xff", (400, "malformed_body", None)),
        (b'{"action": NaN}', (400, "malformed_body", None)),
        (b"[" * 5000, (400, "malformed_body", None)),
        (b"[]", (422, "wrong_type_mapping", "body")),
        (b"null", (422, "wrong_type_mapping", "body")),
        (b"", (422, "schedule_missing", "action")),
        (b'{"action": ""}', (422, "schedule_empty", "action")),
        (
            b'{"action": "turn_on", "colour": 1}',
            (422, "schedule_unknown_field", "colour"),
        ),
        (
            b'{"action": "turn_on", "timeout": 31}',
            (422, "schedule_out_of_range", "timeout"),
        ),
    ],
)
async def test_a_wrong_body_names_what_is_wrong(
    hass: HomeAssistant, rest: Rest, body: bytes, error: tuple[Any, ...]
) -> None:
    """Law 10: 400 for what is not JSON, 422 with the field for the rest."""
    answer = await rest.ask("POST", commands_of(hass, PUMP), data=body)

    assert answer.error == error


async def test_a_body_that_is_not_packed_as_it_says_is_400(
    hass: HomeAssistant, rest: Rest
) -> None:
    """What cannot be unpacked is no fault of ours."""
    how: dict[str, Any] = {"data": b"{}", "headers": {"Content-Encoding": "gzip"}}
    answer = await rest.ask("POST", commands_of(hass, PUMP), **how)

    assert answer.error == (400, "malformed_body", None)


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_large_body_is_not_read(
    hass: HomeAssistant, rest: Rest, chunked: bool
) -> None:
    """R-C56: whether it says how long it is or not."""
    text = json.dumps({"action": "x" * LARGEST_BODY}).encode()

    async def parts() -> Any:
        yield text

    how = {"data": parts()} if chunked else {"data": text}
    answer = await rest.ask("POST", commands_of(hass, PUMP), **how)

    assert answer.error == (413, "body_too_large", None)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("limit=0", (422, "schedule_out_of_range", "limit")),
        ("limit=51", (422, "schedule_out_of_range", "limit")),
        ("limit=1_0", (422, "wrong_type_whole_number", "limit")),
        ("limit=" + "1" * 30, (422, "schedule_out_of_range", "limit")),
        ("before=-1", (422, "schedule_out_of_range", "before")),
        ("before=x", (422, "wrong_type_whole_number", "before")),
        ("status=fine", (422, "schedule_unknown_word", "status")),
        ("from=2026-03-01T08:00:00", (422, "schedule_naive_time", "from")),
        ("from=soon", (422, "schedule_malformed_time", "from")),
        ("to=1e9", (422, "schedule_malformed_time", "to")),
        ("to=999999999999999", (422, "schedule_out_of_range", "to")),
        ("action=", (422, "schedule_empty", "action")),
        ("page=2", (422, "schedule_unknown_field", "page")),
        ("limit=1&limit=2", (422, "schedule_duplicate", "limit")),
        ("device_id=nobody", (404, "device_not_found", "device_id")),
    ],
)
async def test_a_wrong_query_names_what_is_wrong(
    rest: Rest, query: str, error: tuple[Any, ...]
) -> None:
    """Law 10: nothing is guessed and nothing is overlooked."""
    assert (await rest.get(f"/commands?{query}")).error == error


async def test_a_signed_path_needs_no_token(
    hass: HomeAssistant, stranger: Rest, hass_access_token: str
) -> None:
    """Home Assistant's own way to download in a browser; its signature is no field."""
    token = hass.auth.async_validate_access_token(hass_access_token)
    assert token is not None
    path = async_sign_path(
        hass,
        "/api/aquarist/commands?limit=5",
        timedelta(minutes=1),
        refresh_token_id=token.id,
    )
    response = await stranger.client.get(path)

    assert response.status == 200


async def test_while_home_assistant_stops_nothing_is_accepted(
    hass: HomeAssistant, rest: Rest
) -> None:
    """503 with the error object."""
    hass.set_state(CoreState.stopping)
    answer = await rest.get("/commands")
    hass.set_state(CoreState.running)

    assert answer.error == (503, "shutting_down", None)


async def test_without_a_store_the_lists_say_so(
    hass: HomeAssistant, rest: Rest
) -> None:
    """503: it is not the caller's fault."""
    engine_of(hass).history = History(None)
    answer = await rest.get("/commands")

    assert answer.error == (503, "store_locked", None)


async def test_what_should_not_be_is_answered_and_logged(
    hass: HomeAssistant,
    rest: Rest,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """500 tells the kind of error and nothing else; the log has all of it."""

    async def broken(*_: Any) -> None:
        raise ArithmeticError("secret")

    monkeypatch.setattr(engine_of(hass).history, "find", broken)
    answer = await rest.get("/commands")

    assert answer.error == (500, "unexpected", None)
    assert "secret" not in str(answer.body)
    assert "ArithmeticError: secret" in caplog.text


@pytest.mark.parametrize(
    ("origins", "status"), [([], 401), (["https://panel.example"], 200)]
)
async def test_other_origins_ask_what_they_may_do(
    hass: HomeAssistant,
    socket_enabled: None,
    aiohttp_client: ClientSessionGenerator,
    origins: list[str],
    status: int,
) -> None:
    """Where Home Assistant allows some, OPTIONS is theirs; each path has it once."""
    app = web.Application()
    app[KEY_HASS] = hass
    setup_cors(app, origins)
    Door().register(hass, app, app.router)

    assert [route.method for route in app.router.routes()].count("OPTIONS") == 1
    client = await aiohttp_client(app)
    answer = await client.options(
        "/api/aquarist/commands",
        headers={
            "Origin": "https://panel.example",
            "Access-Control-Request-Method": "POST",
        },
    )
    assert answer.status == status
    assert answer.headers.get("Access-Control-Allow-Origin") == next(
        iter(origins), None
    )
