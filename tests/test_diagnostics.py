"""What a keeper hands on tells everything about the engine and nothing about the keeper."""

from datetime import timedelta
import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

from homeassistant.auth.models import User
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers.discovery_flow import DiscoveryKey
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.devices.device import HeadMemory, MemoryReport
from custom_components.aquarist.dosing.ledger import Dose, DoseState
from custom_components.aquarist.engine.intake import Origin

from .aquarium import aquarium, device_named, engine_of, restart


async def diagnostics(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: Any
) -> Any:
    """Return the diagnostics as they are downloaded."""
    assert await async_setup_component(hass, "diagnostics", {})
    return await get_diagnostics_for_config_entry(hass, hass_client, entry)


async def test_an_aquarium_is_told_completely(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_admin_user: User,
    tmp_path: Path,
) -> None:
    """Devices with fields, claims, counters and commands; the plan; the engine."""
    async with aquarium(hass, tmp_path, demo=True) as entry:
        now = dt_util.utcnow()
        dose = {
            "device_id": device_named(hass, "Demo doser").row.uuid,
            "action": "dose",
            "args": {"head_index": 0, "volume_ml": 1},
            "execution": "sync",
        }
        pause = {
            "device_id": device_named(hass, "Skimmer").row.uuid,
            "field_name": "level",
            "value": 0,
            "start_timestamp": now.isoformat(),
            "end_timestamp": (now + timedelta(minutes=10)).isoformat(),
        }
        for service, data in (("send_command", dose), ("create_write_action", pause)):
            await hass.services.async_call(
                DOMAIN,
                service,
                data,
                blocking=True,
                context=Context(user_id=hass_admin_user.id),
            )
        await hass.async_block_till_done()
        report = await diagnostics(hass, hass_client, entry)

        assert report["engine"]["store_trouble"] is None
        assert report["engine"]["schedules"] == 6
        assert report["engine"]["next_due"] is not None
        doser, skimmer = report["devices"]["doser"], report["devices"]["skimmer"]
        head = doser["heads"]["0"]
        assert head["given_24h_ul"] == 1000
        assert head["limits"]["budget"] == 100_000
        assert (head["open_doses"], head["container"]) == ([], None)
        assert head["calibrated_at"] is None
        assert head["delivery"]["given"] == 1000
        assert doser["memory"] == {
            "programmes": {},
            "auto_settings": {"settings": []},
            "follows_memory": False,
            "drifts": [],
        }
        assert skimmer["heads"] == {}
        assert doser["counters"]["0"]["lifetime_ul"] is not None
        assert [one["action"] for one in doser["commands"]] == ["dose"]
        assert skimmer["resting"]["level"] == {"level": 100.0}
        (claim,) = skimmer["claims"]["level"]
        assert claim["layer"] == "window"
        assert claim["ends_at"] is not None
        assert len(report["schedules"]) == 6
        assert report["entry"]["data"] == {"kind": "aquarium", "demo": True}


async def test_nothing_tells_who_and_where(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_admin_user: User,
    tmp_path: Path,
) -> None:
    """No address, no user, no place, no name that ends in an address."""
    async with aquarium(hass, tmp_path, demo=True) as entry:
        doser = device_named(hass, "Demo doser").row
        assert doser.address is not None
        await hass.services.async_call(
            DOMAIN,
            "send_command",
            {"device_id": doser.uuid, "action": "request_status"},
            blocking=True,
            context=Context(user_id=hass_admin_user.id),
        )
        # As Home Assistant keeps it with an entry that was discovered.
        key = DiscoveryKey(domain="bluetooth", key=doser.address, version=1)
        hass.config_entries.async_update_entry(
            entry, discovery_keys=MappingProxyType({"bluetooth": (key,)})
        )
        await hass.async_block_till_done()
        text = json.dumps(await diagnostics(hass, hass_client, entry))

        for secret in (
            doser.address,
            hass_admin_user.id,
            str(hass.config.latitude),
            "Demo doser",
        ):
            assert secret not in text


async def test_a_store_that_cannot_be_read_is_told(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, tmp_path: Path
) -> None:
    """That is when diagnostics are needed most."""
    async with aquarium(hass, tmp_path, demo=True) as entry:
        await engine_of(hass).close()
        for part in tmp_path.glob("aquarist.db*"):
            part.unlink()
        (tmp_path / "aquarist.db").write_bytes(b"damaged" * 5000)
        await restart(hass, entry)
        report = await diagnostics(hass, hass_client, entry)

        assert report["engine"]["store_trouble"] == "store_corrupt"
        assert report["engine"]["store_locked"] is True
        assert report["devices"]["skimmer"]["commands"] == "store_locked"


async def test_containers_calibrations_and_memory_are_told(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, tmp_path: Path
) -> None:
    """What a keeper is asked for when a dose is in doubt."""
    async with aquarium(hass, tmp_path, demo=True) as entry:
        engine, doser = engine_of(hass), device_named(hass, "Demo doser")
        await engine.containers.resize(doser, 3, 500_000, user=None)
        await engine.calibrations.measured(
            doser, 3, asked=5000, measured=4850, user=None
        )
        written = await engine.send(
            doser,
            "set_schedule",
            {"head_index": 3, "volume_tenths_ml": 50, "hour": 8, "minute": 30},
            Origin(source=Source.SERVICE),
        )
        await engine.finished(written)
        engine.gate.note(
            Dose(
                key=f"{doser.row.number}/lost",
                device=doser.row.number,
                head=3,
                volume=1000,
                state=DoseState.UNKNOWN,
                at=dt_util.utcnow(),
            )
        )
        engine.device_memory.memory_read(
            doser,
            MemoryReport(
                heads={3: HeadMemory(mode=None, times=(), today=0, target_ml=0)}
            ),
        )

        report = (await diagnostics(hass, hass_client, entry))["devices"]["doser"]

        head = report["heads"]["3"]
        assert head["container"]["remaining"] == 499_000
        assert head["calibrated_at"] is not None
        assert [one["state"] for one in head["open_doses"]] == ["unknown"]
        assert report["memory"]["programmes"]["3"]["hour"] == 8
        (drift,) = report["memory"]["drifts"]
        assert drift["slot"] == "head_3"
