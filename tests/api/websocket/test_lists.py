"""Devices and schedules over WebSocket."""

from pathlib import Path

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from tests.aquarium import ENTRY, aquarium, device_named


async def test_devices_are_listed_with_their_fields(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, tmp_path: Path
) -> None:
    """By number; what a field takes and what it shows."""
    async with aquarium(hass, tmp_path, Platform.NUMBER, demo=True):
        client = await hass_ws_client(hass)
        await client.send_json_auto_id({"type": "aquarist/devices/list"})
        devices = (await client.receive_json())["result"]["devices"]

        assert [one["name"] for one in devices] == [
            "Demo light",
            "Demo doser",
            "Return pump",
            "Skimmer",
        ]
        row = device_named(hass, "Return pump").row
        assert devices[2] == {
            "number": row.number,
            "device_id": row.uuid,
            "address": None,
            "kind": "pump",
            "name": "Return pump",
            "aquarium": ENTRY,
            "available": True,
            "stopped": False,
            "fields": [
                {
                    "name": "level",
                    "data_type": "number",
                    "unit": "%",
                    "min": 0.0,
                    "max": 100.0,
                    "values": [],
                    "parts": [],
                    "writable": True,
                    "shown": {"level": 80.0},
                }
            ],
        }


async def test_schedules_are_listed_with_their_next_moment(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, tmp_path: Path
) -> None:
    """The demo day, by id."""
    async with aquarium(hass, tmp_path, demo=True):
        client = await hass_ws_client(hass)
        await client.send_json_auto_id({"type": "aquarist/schedules/list"})
        schedules = (await client.receive_json())["result"]["schedules"]

        assert [one["name"] for one in schedules] == [
            "Dawn",
            "Dusk",
            "Morning iron",
            "Noon nitrate",
            "Evening phosphate",
            "Feeding pause",
        ]
        dawn = schedules[0]
        assert dawn["cron_expression"] == "0 8 * * *"
        assert dawn["is_enabled"] is True
        assert dawn["next_run"].endswith("+00:00")
        assert dawn["last_run"] is None
        assert dawn["last_run_status"] is None
        assert dawn["error"] is None
