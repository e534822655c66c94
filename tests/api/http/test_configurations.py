"""Device configurations over REST: save, bring in, look up, apply, remove (R-C59)."""

import asyncio
from typing import Any

from homeassistant.core import HomeAssistant
from openapi_schema_validator import OAS31Validator
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.aquarist.api import configurations
from custom_components.aquarist.api.http.openapi import document
from custom_components.aquarist.api.http.views import VIEWS
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.store.command_history import CommandFilter
from tests.aquarium import device_named, engine_of

from .rest import PUMP, Rest

LIGHT, DOSER = "Demo light", "Demo doser"
CHANNELS = ["red", "green", "blue", "white"]
SYNC = {"confirm": True, "execution": "sync"}


def path(hass: HomeAssistant, name: str, *more: str) -> str:
    """Return the path of a device's configurations, or of something below."""
    uuid = device_named(hass, name).row.uuid
    return "/".join([f"/devices/{uuid}/configurations", *more])


def light(profile: Any, **more: Any) -> dict[str, Any]:
    """Return an export of a light."""
    known = {"format": 1, "kind": "chihiros_light", "channels": CHANNELS}
    return {**known, "profile": profile, **more}


def manual(*levels: float) -> dict[str, Any]:
    """Return the profile of a light that is held at levels."""
    return {"mode": "manual", "levels": list(levels)}


async def test_what_a_device_does_is_saved(
    hass: HomeAssistant, rest: Rest, hass_admin_user: MockUser
) -> None:
    """Each time as the next revision; the newest is listed, older ones can be looked up."""
    for level in (10, 20):
        body = {"action": "set_channels", "args": {"levels": [level] * 4}}
        uuid = device_named(hass, LIGHT).row.uuid
        sent = await rest.post(
            f"/devices/{uuid}/commands", body | {"execution": "sync"}
        )
        assert sent.body["status"] == "success"
        saved = await rest.post(path(hass, LIGHT), {"name": "Summer"})
        assert saved.status == 200
    await rest.post(path(hass, LIGHT), {"name": "Ferien im Süden"})

    assert (saved.body["name"], saved.body["revision"]) == ("Summer", 2)
    assert saved.body["user_id"] is not None
    listed = (await rest.get(path(hass, LIGHT))).body["configurations"]
    assert [(one["name"], one["revision"]) for one in listed] == [
        ("Ferien im Süden", 1),
        ("Summer", 2),
    ]
    assert listed[1] == saved.body
    newest = await rest.get(path(hass, LIGHT, "Summer"))
    assert newest.body == saved.body
    oldest = await rest.get(path(hass, LIGHT, "Summer"), revision="1")
    assert oldest.body["configuration"]["profile"] == manual(10, 10, 10, 10)
    found = (await rest.get(path(hass, LIGHT, "Summer", "revisions"))).body
    assert found == {"revisions": [oldest.body, newest.body]}
    named = await rest.get(path(hass, LIGHT, "Ferien%20im%20S%C3%BCden"))
    assert named.body["revision"] == 1


async def test_an_export_is_brought_in(hass: HomeAssistant, rest: Rest) -> None:
    """Under its own name or another; the export of one revision is the next one."""
    await rest.post(path(hass, LIGHT), {"name": "Summer"})
    export = (await rest.get(path(hass, LIGHT, "Summer"))).body["configuration"]

    again = await rest.post(path(hass, LIGHT), {"configuration": export})
    assert (again.body["name"], again.body["revision"]) == ("Summer", 2)
    other = await rest.post(
        path(hass, LIGHT), {"configuration": export, "name": "Winter"}
    )
    assert (other.body["name"], other.body["revision"]) == ("Winter", 1)
    assert other.body["configuration"] == {**export, "name": "Winter"}


async def test_a_configuration_is_applied(hass: HomeAssistant, rest: Rest) -> None:
    """A run of commands; who asked is on record with each of them (R-C63)."""
    body = {"configuration": light(manual(40, 30, 60, 20)), "name": "Summer"}
    await rest.post(path(hass, LIGHT), body)
    run = await rest.post(path(hass, LIGHT, "Summer", "apply"), SYNC)

    assert run.status == 200
    assert (run.body["kind"], run.body["state"]) == ("configuration", "completed")
    assert run.body["source"] == "rest"
    assert run.body["definition"]["revision"] == 1
    device = device_named(hass, LIGHT)
    (command,) = await engine_of(hass).history.find(
        CommandFilter(device=device.row.number, action="set_channels"), 5
    )
    assert (command.run, command.user, command.context) == (
        run.body["id"],
        run.body["user_id"],
        run.body["context_id"],
    )
    assert command.user is not None
    assert device.device is not None
    assert (device.device.observed("light") or {})["level"] == 60


async def test_an_older_revision_is_applied(hass: HomeAssistant, rest: Rest) -> None:
    """If it is asked for."""
    for level in (10, 20):
        profile = manual(level, level, level, level)
        body = {"configuration": light(profile), "name": "Summer"}
        await rest.post(path(hass, LIGHT), body)
    run = await rest.post(path(hass, LIGHT, "Summer", "apply"), SYNC | {"revision": 1})
    (step,) = run.body["definition"]["sequence"]
    assert step["command"]["args"] == {"levels": [10, 10, 10, 10]}


async def test_a_queued_application_is_answered_at_once(
    hass: HomeAssistant, rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nobody waits for ever for one that takes its time."""
    monkeypatch.setattr(configurations, "LONGEST_WAIT", 0.05)
    device = device_named(hass, LIGHT).device
    assert device is not None
    go_on, apply = asyncio.Event(), device.apply

    async def slow(settings: Any) -> None:
        await go_on.wait()
        await apply(settings)

    monkeypatch.setattr(device, "apply", slow)
    body = {"configuration": light(manual(1, 2, 3, 4)), "name": "Summer"}
    await rest.post(path(hass, LIGHT), body)
    where = path(hass, LIGHT, "Summer", "apply")
    for execution in ("sync", "queued"):
        how = {"confirm": True, "execution": execution}
        if execution == "queued":
            assert (await rest.post(where, how)).error == (409, "run_under_way", None)
            continue
        run = await rest.post(where, how)
        assert (run.status, run.body["state"]) == (200, "running")
    go_on.set()
    ended = await engine_of(hass).runs.finished(run.body["id"])
    assert ended.state == "completed"
    queued = await rest.post(where, {"confirm": True})
    assert queued.body["ended_at"] is None
    await engine_of(hass).runs.finished(queued.body["id"])


async def test_what_could_not_be_applied_says_why(
    hass: HomeAssistant, rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run and its step have the reason."""
    await rest.post(path(hass, LIGHT), {"name": "Summer"})
    device = device_named(hass, LIGHT).device
    assert device is not None

    async def fails(settings: Any) -> None:
        raise DeviceError("unsupported", transient=False)

    body = {"configuration": light(manual(1, 2, 3, 4)), "name": "Summer"}
    await rest.post(path(hass, LIGHT), body)
    monkeypatch.setattr(device, "apply", fails)
    run = await rest.post(path(hass, LIGHT, "Summer", "apply"), SYNC)
    assert (run.status, run.body["state"], run.body["error"]) == (
        200,
        "failed",
        "unsupported",
    )
    assert run.body["steps"][0]["error"] == "unsupported"


async def test_a_configuration_is_removed(hass: HomeAssistant, rest: Rest) -> None:
    """With all its revisions; what it was last is the answer."""
    await rest.post(path(hass, DOSER), {"name": "Summer"})
    gone = await rest.ask("DELETE", path(hass, DOSER, "Summer"))
    assert (gone.status, gone.body["name"]) == (200, "Summer")
    assert (await rest.get(path(hass, DOSER))).body == {"configurations": []}
    again = await rest.ask("DELETE", path(hass, DOSER, "Summer"))
    assert again.error == (404, "configuration_not_found", "name")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, (422, "missing_argument", "name")),
        ({"name": ""}, (422, "schedule_empty", "name")),
        ({"name": 1}, (422, "wrong_type_text", "name")),
        ({"name": "x" * 101}, (422, "schedule_too_long", "name")),
        ({"name": "a\nb"}, (422, "invalid_id", "name")),
        (
            {"configuration": light(manual(1, 2, 3, 4)) | {"name": "a\tb"}},
            (422, "invalid_id", "name"),
        ),
        ({"name": "a", "colour": 1}, (422, "schedule_unknown_field", "colour")),
        ({"configuration": 1}, (422, "wrong_type_mapping", "configuration")),
        ({"configuration": {}}, (422, "missing_argument", "format")),
        (
            {"configuration": light(manual(1, 2, 3, 4))},
            (422, "missing_argument", "name"),
        ),
        (
            {"configuration": light(manual(1)), "name": "a"},
            (422, "wrong_count", "profile.levels"),
        ),
        (
            {
                "configuration": light(
                    {
                        "mode": "custom",
                        "channels": [[{"time": "24:00", "level": 1}]] * 4,
                    }
                ),
                "name": "a",
            },
            (422, "value_out_of_bounds", "profile.channels.0.0.time"),
        ),
    ],
)
async def test_what_is_wrong_is_not_stored(
    hass: HomeAssistant, rest: Rest, body: Any, error: tuple[int, str, str]
) -> None:
    """Law 10: the field is named."""
    assert (await rest.post(path(hass, LIGHT), body)).error == error
    assert (await rest.get(path(hass, LIGHT))).body == {"configurations": []}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, (422, "confirmation_needed", "confirm")),
        ({"confirm": "yes"}, (422, "wrong_type_boolean", "confirm")),
        ({"confirm": True, "revision": 2}, (404, "revision_not_found", "revision")),
        ({"confirm": True, "revision": 0}, (422, "schedule_out_of_range", "revision")),
        ({"execution": "later"}, (422, "schedule_unknown_word", "execution")),
    ],
)
async def test_what_is_wrong_is_not_applied(
    hass: HomeAssistant, rest: Rest, body: Any, error: tuple[int, str, str]
) -> None:
    """No run begins."""
    await rest.post(path(hass, LIGHT), {"name": "Summer"})
    assert (await rest.post(path(hass, LIGHT, "Summer", "apply"), body)).error == error
    assert await engine_of(hass).runs.recent(None, 5) == []


@pytest.mark.parametrize(
    ("method", "below"),
    [
        ("GET", "/Gone"),
        ("DELETE", "/Gone"),
        ("GET", "/Gone/revisions"),
        ("POST", "/Gone/apply"),
    ],
)
async def test_an_unknown_configuration(
    hass: HomeAssistant, rest: Rest, method: str, below: str
) -> None:
    """404, and so for an unknown device."""
    how = {"json": {"confirm": True}} if method == "POST" else {}
    answer = await rest.ask(method, path(hass, LIGHT) + below, **how)
    assert answer.error == (404, "configuration_not_found", "name")
    answer = await rest.ask(method, f"/devices/gone/configurations{below}", **how)
    assert answer.error == (404, "device_not_found", "address")


async def test_a_device_without_a_memory(hass: HomeAssistant, rest: Rest) -> None:
    """It has nothing to save."""
    answer = await rest.post(path(hass, PUMP), {"name": "Summer"})
    assert answer.error == (422, "no_memory", "device_id")
    assert (await rest.get(path(hass, PUMP))).body == {"configurations": []}


async def test_without_a_store(hass: HomeAssistant, rest: Rest) -> None:
    """503: it is not the caller's fault."""
    kept = engine_of(hass).configurations
    database, kept._database = kept._database, None
    answer = await rest.get(path(hass, LIGHT))
    kept._database = database
    assert answer.error == (503, "store_locked", None)


REQUESTS: list[tuple[str, str, Any]] = [
    ("POST", "", {"name": "Summer"}),
    ("POST", "", {"configuration": light(manual(1, 2, 3, 4)), "name": "Summer"}),
    ("POST", "/Summer/apply", {"confirm": True}),
    ("DELETE", "/Summer", None),
]
LOOKING = [
    ("GET", "", None),
    ("GET", "/Summer", None),
    ("GET", "/Summer/revisions", None),
]


@pytest.mark.parametrize(("method", "below", "body"), [*REQUESTS, *LOOKING])
async def test_who_sees_a_device_may_look(
    hass: HomeAssistant,
    reader: Rest,
    stranger: Rest,
    method: str,
    below: str,
    body: Any,
) -> None:
    """And change nothing; without a token there is nothing at all."""
    await engine_of(hass).configurations.save(device_named(hass, LIGHT), "Summer", None)
    where = path(hass, LIGHT) + below
    seen = await reader.ask(method, where, json=body)
    if method == "GET":
        assert seen.status == 200
    else:
        assert seen.error == (403, "not_allowed", None)
    assert (await stranger.ask(method, where, json=body)).error == (
        401,
        "not_signed_in",
        None,
    )


@pytest.mark.parametrize(
    ("method", "below", "body", "allowed"),
    [
        (*REQUESTS[0], True),
        (*REQUESTS[1], False),
        (*REQUESTS[2], True),
        (*REQUESTS[3], False),
    ],
)
async def test_who_controls_a_device_saves_and_applies(
    hass: HomeAssistant,
    reader: Rest,
    hass_read_only_user: MockUser,
    method: str,
    below: str,
    body: Any,
    allowed: bool,
) -> None:
    """What was made elsewhere is brought in, and what is kept removed, by administrators."""
    await engine_of(hass).configurations.save(device_named(hass, LIGHT), "Summer", None)
    hass_read_only_user.mock_policy({"entities": True})
    answer = await reader.ask(method, path(hass, LIGHT) + below, json=body)
    if allowed:
        assert answer.status == 200
    else:
        assert answer.error == (403, "not_allowed", None)


async def test_who_does_not_see_a_device_learns_nothing(
    hass: HomeAssistant, reader: Rest, hass_read_only_user: MockUser
) -> None:
    """Not even the names."""
    hass_read_only_user.mock_policy({})
    for below in ("", "/Summer", "/Summer/revisions"):
        answer = await reader.get(path(hass, LIGHT) + below)
        assert answer.error == (403, "not_allowed", None)


async def test_answers_are_as_described(hass: HomeAssistant, rest: Rest) -> None:
    """By the schemas of the OpenAPI document."""
    described = document(VIEWS)
    base = "/api/aquarist/devices/{address}/configurations"
    answers = {
        (base, "post"): await rest.post(path(hass, LIGHT), {"name": "Summer"}),
        (base, "get"): await rest.get(path(hass, LIGHT)),
        (f"{base}/{{name}}", "get"): await rest.get(path(hass, LIGHT, "Summer")),
        (f"{base}/{{name}}/revisions", "get"): await rest.get(
            path(hass, LIGHT, "Summer", "revisions")
        ),
        (f"{base}/{{name}}/apply", "post"): await rest.post(
            path(hass, LIGHT, "Summer", "apply"), SYNC
        ),
        (f"{base}/{{name}}", "delete"): await rest.ask(
            "DELETE", path(hass, LIGHT, "Summer")
        ),
    }
    for (where, method), answer in answers.items():
        assert answer.status == 200, (where, method)
        content = described["paths"][where][method]["responses"]["200"]["content"]
        OAS31Validator(content["application/json"]["schema"]).validate(answer.body)


async def test_two_who_save_from_the_same_revision(
    hass: HomeAssistant, rest: Rest
) -> None:
    """R-X11: the second is told of the first, where it says from what it began."""
    first = {"name": "Summer", "expected_revision": 0}
    saved = await rest.post(path(hass, DOSER), first)
    assert (saved.status, saved.body["revision"]) == (200, 1)
    for body in (
        first,
        first | {"expected_revision": 2},
        first | {"configuration": saved.body["configuration"]},
    ):
        answer = await rest.post(path(hass, DOSER), body)
        assert answer.error == (409, "revision_conflict", "expected_revision")
        assert answer.body["error_details"]["revision"] == "1"

    newer = await rest.post(path(hass, DOSER), first | {"expected_revision": 1})
    assert newer.body["revision"] == 2
    last = await rest.post(path(hass, DOSER), {"name": "Summer"})
    assert last.body["revision"] == 3
