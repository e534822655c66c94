"""What dosing promises, tried over REST with a token as a new user would."""

import asyncio
import csv
import io
import time
from typing import Any
from uuid import uuid4

import pytest

from .instance import ApiError
from .instance.client import Json
from .living_aquarium import DOSE_BUTTON, DOSER_ADDRESS, LivingAquarium, eventually
from .stream import OK, requested

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

DOSES = f"devices/{DOSER_ADDRESS}/commands"
DOSE_VOLUME = "number.dosing_pump_c0d4_head_1_dose_volume"
REFUSED = 422
# The usual budget of a head is 100 mL in 24 hours.
TOO_MUCH_ML = 99
LARGE_ML = 60
AT_ONCE = 6.0


async def dosed(
    aquarium: LivingAquarium, volume_ml: float, *, head: int = 0, **more: Any
) -> tuple[int, Json]:
    """Post a dose, of the first head unless told; return status and record."""
    args = {"head_index": head, "volume_ml": volume_ml}
    body = {"action": "dose", "args": args, **more}
    return await requested(aquarium.client, "POST", DOSES, body)


async def ended(aquarium: LivingAquarium, id: str, *, within: float = 40) -> Json:
    """Return a command's record once it has ended."""

    async def final() -> Json | None:
        _, record = await requested(aquarium.client, "GET", f"{DOSES}/{id}")
        return record if record["completed_at"] is not None else None

    record = await eventually(final, timeout_seconds=within)
    assert record is not None
    return record


async def ledger(aquarium: LivingAquarium) -> list[Json]:
    """Return the newest doses of the first head."""
    query = f"doses?device_id={DOSER_ADDRESS}&head_index=0&limit=50"
    _, answer = await requested(aquarium.client, "GET", query)
    doses: list[Json] = answer["doses"]
    return doses


async def in_ledger(aquarium: LivingAquarium, id: str) -> Json | None:
    """Return the row of the dose that a command asked for."""
    rows = [row for row in await ledger(aquarium) if row["command_id"] == id]
    assert len(rows) <= 1
    return rows[0] if rows else None


async def delivered(aquarium: LivingAquarium) -> int:
    """Return the microlitres that the first head has really given."""
    head = (await aquarium.peripheral(DOSER_ADDRESS))["heads"][0]
    given: int = head["delivered"]
    return given


async def fault(aquarium: LivingAquarium, name: str, **fields: Any) -> None:
    """Let the pump have a fault."""
    await aquarium.proxy.command("fault", device=DOSER_ADDRESS, fault=name, **fields)


async def test_a_dose_posted_twice_at_once_arrives_once(
    aquarium: LivingAquarium,
) -> None:
    """Both answers are the same record; the same after a restart."""
    key = str(uuid4())
    answers = await asyncio.gather(
        *(dosed(aquarium, 1.5, id=key, execution="sync") for _ in range(2))
    )

    for status, record in answers:
        assert (status, record["id"], record["status"]) == (OK, key, "success")
    assert await delivered(aquarium) == 1500
    await aquarium.restart()
    status, record = await dosed(aquarium, 1.5, id=key, execution="sync")
    assert (status, record) == (OK, answers[0][1])
    assert await delivered(aquarium) == 1500
    row = await in_ledger(aquarium, key)
    assert row is not None
    assert (row["state"], row["given_ml"]) == ("given", 1.5)


@pytest.mark.parametrize(
    ("power_fails", "volume_ml", "state"), [(False, 3, "given"), (True, 15, "partly")]
)
async def test_the_radio_is_cut_during_a_dose(
    aquarium: LivingAquarium, power_fails: bool, volume_ml: int, state: str
) -> None:
    """Nobody knows until the next connection; then the ledger knows what the pump knows."""
    key = str(uuid4())
    await dosed(aquarium, 0.5, execution="sync")
    before = await delivered(aquarium)
    # On a busy machine the power must fail before the dose has ended.
    await fault(aquarium, "drop_in_dose", value=1.2 / volume_ml)
    status, _ = await dosed(aquarium, volume_ml, id=key)
    assert status == OK

    async def running() -> bool:
        # The pump's counter knows nothing of less than a tenth of a millilitre.
        return await delivered(aquarium) >= before + 1000

    await eventually(running)
    if power_fails:
        await fault(aquarium, "power_cut", value=8)
    await fault(aquarium, "out_of_range", times=None)
    record = await ended(aquarium, key)
    assert (record["status"], record["error_code"]) == ("failed", "interrupted")
    row = await in_ledger(aquarium, key)
    assert row is not None
    assert row["state"] == "unknown"

    await aquarium.proxy.command("clear", device=DOSER_ADDRESS)

    async def settled() -> bool:
        row = await in_ledger(aquarium, key)
        return row is not None and row["state"] != "unknown"

    await eventually(settled, timeout_seconds=60)
    row = await in_ledger(aquarium, key)
    assert row is not None
    assert row["state"] == state
    # The pump counts in tenths of a millilitre.
    given = (await delivered(aquarium) - before) / 1000
    assert row["given_ml"] == pytest.approx(given, abs=0.1)
    assert (row["given_ml"] == volume_ml) is not power_fails
    assert len(await ledger(aquarium)) == 2


async def test_a_dose_above_the_budget_is_refused_on_every_road(
    aquarium: LivingAquarium,
) -> None:
    """Service, script, button and REST give the same reason: what is left, and when it frees."""
    await dosed(aquarium, 2, execution="sync")
    frames = await aquarium.count_written(DOSER_ADDRESS)
    dose = {
        "device_id": DOSER_ADDRESS,
        "action": "dose",
        "args": {"head_index": 0, "volume_ml": TOO_MUCH_ML},
    }
    volume = {"entity_id": DOSE_VOLUME, "value": TOO_MUCH_ML}
    await aquarium.client.call("number", "set_value", volume)
    reasons = []
    async with aquarium.client.websocket() as websocket:
        roads: list[tuple[str, Json]] = [
            (
                "call_service",
                {
                    "domain": "aquarist",
                    "service": "send_command",
                    "service_data": dose,
                },
            ),
            (
                "execute_script",
                {"sequence": [{"action": "aquarist.send_command", "data": dose}]},
            ),
            (
                "call_service",
                {
                    "domain": "button",
                    "service": "press",
                    "service_data": {"entity_id": DOSE_BUTTON},
                },
            ),
        ]
        for kind, fields in roads:
            with pytest.raises(ApiError) as refused:
                await websocket.command(kind, **fields)
            reasons.append(str(refused.value).partition(": ")[2])
    status, answer = await dosed(aquarium, TOO_MUCH_ML)

    assert status == REFUSED
    for reason in (*reasons, answer["error_message"]):
        assert f"{TOO_MUCH_ML}" in reason
        assert "98" in reason, "how much is left"
        assert "24 hours" in reason
        assert "fits again" in reason
    assert await delivered(aquarium) == 2000
    assert await aquarium.count_written(DOSER_ADDRESS) == frames


@pytest.mark.parametrize("reachable", [True, False])
async def test_an_emergency_stop_answers_at_once_and_honestly(
    aquarium: LivingAquarium, reachable: bool
) -> None:
    """In the middle of 60 mL; it says which device it could not confirm, and stays."""
    key = str(uuid4())
    await dosed(aquarium, LARGE_ML, id=key)

    async def running() -> bool:
        return await delivered(aquarium) > 1000

    await eventually(running)
    if not reachable:
        await fault(aquarium, "out_of_range", times=None)
    began = time.monotonic()
    answer = await aquarium.client.ask("aquarist", "emergency_stop", {})
    took = time.monotonic() - began

    assert took < AT_ONCE
    told = {one["name"]: (one["confirmed"], one["detail"]) for one in answer["devices"]}
    confirmed, detail = told.pop("Dosing Pump C0D4")
    assert (confirmed, detail == "stopped") == (reachable, reachable)
    # The pumps are brought to their safe values; the lamp was given none.
    assert told.pop("Universal WRGB C0DE") == (False, "no_safe_value")
    assert all(confirmed for confirmed, _ in told.values()), told
    record = await ended(aquarium, key)
    assert record["status"] != "success"
    status, refused = await dosed(aquarium, 1)
    assert (status, "stop" in refused["error_message"].lower()) == (REFUSED, True)
    if reachable:
        stopped_at = await delivered(aquarium)
        assert 1000 < stopped_at < 20_000
        row = await in_ledger(aquarium, key)
        assert row is not None
        assert row["state"] == "partly"
        assert row["given_ml"] == pytest.approx(stopped_at / 1000, abs=0.1)
    await aquarium.proxy.command("clear", device=DOSER_ADDRESS)


@pytest.mark.parametrize("reachable", [True, False])
async def test_a_safety_rule_cuts_a_dose_off(
    aquarium: LivingAquarium, reachable: bool
) -> None:
    """At once, or as soon as the pump can be told; what was given is known."""
    pump = (await aquarium.devices())["Dosing Pump C0D4"]
    (owner,) = (
        entry["entry_id"]
        for entry in await aquarium.client.entries("aquarist")
        if entry["source"] == "user"
    )
    rule = {
        "name": "Flow first",
        "device": pump["device_id"],
        "entity_id": "input_boolean.return_pump",
    }
    await aquarium.client.subentry(owner, "interlock", {"device": rule})
    key = str(uuid4())
    await dosed(aquarium, LARGE_ML, id=key)

    async def running() -> bool:
        return await delivered(aquarium) > 1000

    await eventually(running)
    if not reachable:
        await fault(aquarium, "out_of_range", times=None)
    flow = {"entity_id": "input_boolean.return_pump"}
    await aquarium.client.call("input_boolean", "turn_off", flow)
    record = await ended(aquarium, key)
    assert record["status"] == "failed"
    if reachable:
        assert (record["error_code"], record["error"]) == (
            "safety_refused",
            "dose_cut_off",
        )
        assert record["error_details"]["name"] == "Flow first"
    await aquarium.proxy.command("clear", device=DOSER_ADDRESS)

    async def stopped() -> bool:
        heads = (await aquarium.peripheral(DOSER_ADDRESS))["heads"]
        return not heads[0]["running"]

    await eventually(stopped)
    given = await delivered(aquarium)
    assert given < LARGE_ML * 1000
    if reachable:
        row = await in_ledger(aquarium, key)
        assert row is not None
        assert row["given_ml"] == pytest.approx(given / 1000, abs=0.1)
    status, refused = await dosed(aquarium, 1)
    assert (status, refused["error_key"]) == (REFUSED, "refused_interlock")

    await aquarium.client.call("input_boolean", "turn_on", flow)
    status, record = await dosed(aquarium, 1, head=1, execution="sync")
    assert (status, record["status"]) == (OK, "success")
    assert await delivered(aquarium) == given


async def test_a_dose_leaves_room_for_the_programme_of_the_pump(
    aquarium: LivingAquarium,
) -> None:
    """Both together keep within the limit; the refusal says what the pump gives by itself."""
    hour = (time.gmtime().tm_hour + 12) % 24
    programme = {
        "head_index": 0,
        "volume_tenths_ml": 950,
        "hour": hour,
        "minute": 0,
    }
    body = {"action": "set_schedule", "args": programme, "execution": "sync"}
    status, _ = await requested(aquarium.client, "POST", DOSES, body)
    assert status == OK
    status, refused = await dosed(aquarium, 6)
    assert status == REFUSED
    assert "95 mL" in refused["error_message"]
    assert "5 mL are left" in refused["error_message"]
    status, record = await dosed(aquarium, 2, execution="sync")
    assert (status, record["status"]) == (OK, "success")


async def test_the_export_holds_all_of_it(aquarium: LivingAquarium) -> None:
    """Given, refused, cut and stopped: each with its end, as JSON and as a table."""
    keys = [str(uuid4()) for _ in range(4)]
    await dosed(aquarium, 1, id=keys[0], execution="sync")
    await fault(aquarium, "out_of_range", times=None)
    await dosed(aquarium, 1, id=keys[1], execution="sync", timeout=2)
    await aquarium.proxy.command("clear", device=DOSER_ADDRESS)
    tomorrow = time.time() + 24 * 3600
    await dosed(aquarium, 1, id=keys[2], scheduled_at=tomorrow)
    await requested(aquarium.client, "DELETE", f"{DOSES}/{keys[2]}")
    status, _ = await dosed(aquarium, 100.1, id="refused")
    assert status == REFUSED
    await dosed(aquarium, LARGE_ML, id=keys[3])
    await aquarium.client.ask("aquarist", "emergency_stop", {})
    await ended(aquarium, keys[3])

    status, exported = await requested(aquarium.client, "GET", "commands/export")
    assert status == OK
    found = {one["id"]: one for one in exported}
    statuses = [found[key]["status"] for key in keys]
    assert statuses[0] == "success"
    assert statuses[1] in ("failed", "timed_out")
    assert statuses[2] == "cancelled"
    assert statuses[3] in ("failed", "cancelled")
    (refused,) = [one for one in exported if one["error_code"] == "safety_refused"]
    assert refused["error_details"]["asked_id"] == "refused"
    for key in keys:
        assert found[key]["source"] == "rest"
        assert found[key]["user"]
        assert found[key]["completed_at"] is not None
    table = await exported_table(aquarium)
    assert [row["id"] for row in table] == [one["id"] for one in exported]
    by_id = {row["id"]: row["status"] for row in table}
    assert [by_id[key] for key in keys] == statuses


async def exported_table(aquarium: LivingAquarium) -> list[dict[str, str]]:
    """Return the rows of the export as a table."""
    client = aquarium.client
    assert client.tokens is not None
    async with client.session.get(
        f"{client.address}/api/aquarist/commands/export?format=csv",
        headers={"Authorization": f"Bearer {client.tokens.access_token}"},
    ) as response:
        assert response.status == OK
        return list(csv.DictReader(io.StringIO(await response.text())))
