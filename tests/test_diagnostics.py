"""What a keeper hands on tells everything about the engine and nothing about the keeper."""

from datetime import timedelta
import json
from pathlib import Path
from typing import Any

from homeassistant.auth.models import User
from homeassistant.core import Context, HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aquarist.const import DOMAIN

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
        assert doser["given_24h_ul"]["0"] == 1000
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
        await hass.services.async_call(
            DOMAIN,
            "send_command",
            {"device_id": doser.uuid, "action": "request_status"},
            blocking=True,
            context=Context(user_id=hass_admin_user.id),
        )
        await hass.async_block_till_done()
        text = json.dumps(await diagnostics(hass, hass_client, entry))

        assert doser.address is not None
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
