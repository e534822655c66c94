"""Writes that are waited for, over REST (R-T32, RES-56, RES-78)."""

import asyncio
from typing import Any
from uuid import uuid4

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.simulated import SimulatedPump
from custom_components.aquarist.engine.state import DeviceLimits
from tests.aquarium import device_named, engine_of, heard

from .rest import PUMP, SKIMMER, Rest, level, pump
from .write_actions import PATH, action, in_phase, one, why

SYNCHRONOUS = "/synchronous_write_actions"


def write(hass: HomeAssistant, device: str = PUMP, **more: Any) -> dict[str, Any]:
    """Return a write that is right."""
    return {
        "action_id": str(uuid4()),
        "device_id": device_named(hass, device).row.uuid,
        "field_name": "level",
        "value": 35,
    } | more


@pytest.fixture
def hanging(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Let the return pump take its time: until the event."""
    goes_on = asyncio.Event()
    apply = SimulatedPump.apply

    async def waits(self: SimulatedPump, settings: Any) -> None:
        if self.name == PUMP:
            await goes_on.wait()
        await apply(self, settings)

    monkeypatch.setattr(SimulatedPump, "apply", waits)
    return goes_on


async def test_the_answer_says_that_it_is_set(hass: HomeAssistant, rest: Rest) -> None:
    """One is answered with one result; no window is left behind."""
    asked = write(hass)
    answer = await rest.post(SYNCHRONOUS, asked)

    assert answer.status == 200
    assert answer.body == asked | {"status": "NEW_VALUE_SET"}
    assert level(hass) == 35
    assert engine_of(hass).records.open == ()
    assert (await rest.get(PATH)).body["count"] == 0


async def test_several_are_done_beside_each_other(
    hass: HomeAssistant, rest: Rest, hanging: asyncio.Event
) -> None:
    """In order; one that hangs costs the others nothing."""
    items = [
        write(hass),
        write(hass, SKIMMER),
        write(hass, SKIMMER, value=101),
        write(hass, device_id="nobody"),
        7,
    ]
    body = {"actions": items, "timeout_ms": 200}
    answer = await rest.post(SYNCHRONOUS, body)
    hanging.set()

    results = answer.body["results"]
    assert why(results[0]) == ("timeout", {"timeout_ms": 200})
    assert results[1]["status"] == "NEW_VALUE_SET"
    assert why(results[2])[0] == "value_out_of_bounds"
    assert why(results[3])[0] == "device_not_found"
    assert why(results[4])[0] == "wrong_type"
    assert not any("start_timestamp" in result for result in results)


async def test_a_device_that_takes_its_time_is_waited_for(
    hass: HomeAssistant, rest: Rest, hanging: asyncio.Event
) -> None:
    """Within the time."""
    asking = asyncio.ensure_future(rest.post(SYNCHRONOUS, write(hass)))
    async with heard(hass, lambda _: True):
        pass
    assert not asking.done()
    hanging.set()

    assert (await asking).body["status"] == "NEW_VALUE_SET"


async def test_nothing_follows_a_timeout(
    hass: HomeAssistant, rest: Rest, hanging: asyncio.Event
) -> None:
    """RES-78: FAILED, and what was asked is not sent later."""
    answer = await rest.post(SYNCHRONOUS, write(hass, timeout_ms=150))
    assert why(answer.body) == ("timeout", {"timeout_ms": 150})
    hanging.set()
    await hass.async_block_till_done()

    assert level(hass) == 80


async def test_a_field_that_something_higher_holds(
    hass: HomeAssistant, rest: Rest
) -> None:
    """RES-56: FAILED `field_owned`; the window goes on."""
    asked = action(hass)
    async with heard(hass, in_phase(Phase.IN_FORCE, asked["action_id"])):
        await rest.post(PATH, asked)
    key, details = why((await rest.post(SYNCHRONOUS, write(hass))).body)

    assert (key, details["layer"]) == ("field_owned", "window")
    assert (await one(rest, asked["action_id"]))["status"] == "NEW_VALUE_SET"
    assert level(hass) == 25


async def test_a_field_that_safety_holds(hass: HomeAssistant, rest: Rest) -> None:
    """RES-57: FAILED `refused_by_safety` at once, with the limit and by how much."""
    state = device_named(hass, PUMP)
    state.limits = DeviceLimits(safe={"level": {"level": 0.0}})
    await engine_of(hass).emergency.stop(None)
    result = (await rest.post(SYNCHRONOUS, write(hass))).body
    key, details = why(result)

    assert key == "refused_by_safety"
    assert details["limit"] == "emergency_stop"
    assert (details["allowed"], details["shows"]) == ("0", {"level": 0})
    assert "emergency stop" in result["error"]["error_message"]
    assert level(hass) == 0


async def test_a_device_that_refuses(hass: HomeAssistant, rest: Rest) -> None:
    """FAILED with its reason."""
    pump(hass).fail_next(DeviceError("service_failed", transient=False))
    answer = await rest.post(SYNCHRONOUS, write(hass))

    assert why(answer.body)[0] == "service_failed"


async def test_the_same_write_is_done_once(
    hass: HomeAssistant, rest: Rest, hanging: asyncio.Event
) -> None:
    """RES-44: while the first is waited for, and afterwards; other content is refused."""
    asked = write(hass)
    asking = [asyncio.ensure_future(rest.post(SYNCHRONOUS, asked)) for _ in range(3)]
    async with heard(hass, lambda _: True):
        pass
    hanging.set()
    answers = await asyncio.gather(*asking)
    assert {one.body["status"] for one in answers} == {"NEW_VALUE_SET"}
    pump(hass).turn_by_hand(60)
    again = await rest.post(SYNCHRONOUS, asked)
    assert again.body["status"] == "NEW_VALUE_SET"
    assert level(hass) == 60
    elsewhere = {"device_id": device_named(hass, SKIMMER).row.uuid}
    for change in ({"value": 36}, elsewhere):
        other = await rest.post(SYNCHRONOUS, asked | change)
        assert why(other.body) == (
            "action_id_conflict",
            {"action_id": asked["action_id"]},
        )
        assert other.body["error"]["error_message"].startswith("action_id: ")


@pytest.mark.parametrize(
    ("body", "key", "field"),
    [
        ({}, "missing", "actions"),
        ({"timeout_ms": 500}, "missing", "actions"),
        ({"actions": [], "timeout_ms": 99}, "out_of_range", "timeout_ms"),
        ({"actions": [], "timeout_ms": 30_001}, "out_of_range", "timeout_ms"),
        ({"value": 1, "timeout_ms": "soon"}, "wrong_type", "timeout_ms"),
        ({"actions": 5}, "wrong_type", "actions"),
    ],
)
async def test_a_wrong_body_is_400(
    rest: Rest, body: object, key: str, field: str
) -> None:
    """The field is named."""
    assert (await rest.post(SYNCHRONOUS, body)).error == (400, key, field)


@pytest.mark.parametrize("name", ["action_id", "device_id", "field_name", "value"])
async def test_every_part_is_needed(hass: HomeAssistant, rest: Rest, name: str) -> None:
    """Times are none of them."""
    asked = write(hass)
    del asked[name]
    assert why((await rest.post(SYNCHRONOUS, asked)).body) == (
        "missing",
        {"field": name},
    )
    timed = action(hass)
    assert why((await rest.post(SYNCHRONOUS, timed)).body)[0] == "unknown_field"
