"""What the pages promise about stopping and removing, tried as a keeper would."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_capture_events

from ..aquarium import aquarium, device_named, engine_of, entities_behind, subentry
from .running import until

RETURN, WAVE, FEED = "input_number.return", "input_number.wave", "input_number.feed"


def pump(title: str, entity_id: str, safe_level: float | None) -> Any:
    """Return a pump with a safe level, or without one."""
    return subentry("pump", title, {"entity_id": entity_id, "safe_level": safe_level})


async def ask(hass: HomeAssistant, service: str, **data: Any) -> Any:
    """Call an action and return its answer."""
    return await hass.services.async_call(
        "aquarist", service, data, blocking=True, return_response=True
    )


def level(hass: HomeAssistant, entity_id: str) -> float:
    """Return what an entity shows."""
    state = hass.states.get(entity_id)
    assert state is not None
    return float(state.state)


async def test_emergency_stop_and_release(hass: HomeAssistant, tmp_path: Path) -> None:
    """Each pump goes to its own safe level and nowhere else; one without is left alone; all come back."""
    await entities_behind(hass, **{"return": 80, "wave": 60, "feed": 40})
    pumps = [
        pump("Return", RETURN, 100),
        pump("Wave", WAVE, 0),
        pump("Feed", FEED, None),
    ]
    async with aquarium(hass, tmp_path, subentries=pumps):
        changes = async_capture_events(hass, "state_changed")

        answer = await ask(hass, "emergency_stop")
        stopped = {one["name"]: one["detail"] for one in answer["devices"]}
        seen = [
            (change.data["entity_id"], float(change.data["new_state"].state))
            for change in changes
        ]
        await ask(hass, "emergency_stop", release=True)
        await until(hass, lambda: (level(hass, RETURN), level(hass, WAVE)) == (80, 60))

    assert stopped == {"Return": "stopped", "Wave": "stopped", "Feed": "no_safe_value"}
    assert sorted(seen) == [(RETURN, 100.0), (WAVE, 0.0)]
    assert level(hass, FEED) == 40


async def test_a_stopped_pump_doses_no_more(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """All heads of a dosing pump are held until somebody lets go."""
    async with aquarium(hass, tmp_path, demo=True):
        doser = device_named(hass, "Demo doser")
        await ask(hass, "emergency_stop")
        refusals = [
            engine_of(hass).gate.refusal(doser, head, 1000, engine_of(hass).clock.now())
            for head in range(4)
        ]
        await ask(hass, "emergency_stop", release=True)
        answer = await ask(
            hass,
            "send_command",
            device_id=2,
            action="dose",
            args={"head_index": 0, "volume_ml": 0.2},
            execution="sync",
        )

    assert [refusal and refusal.limit for refusal in refusals] == ["not_allowed"] * 4
    assert answer["status"] == "success"


async def test_removing_gives_back_what_is_held(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """A pump that is paused when its aquarium is removed runs again, and nothing is left."""
    await entities_behind(hass, wave=60)
    async with aquarium(
        hass, tmp_path, demo=True, subentries=[pump("Wave", WAVE, 0)]
    ) as entry:
        wave = device_named(hass, "Wave").row.uuid
        await ask(
            hass,
            "create_write_action",
            device_id=wave,
            field_name="level",
            value=0,
            start_timestamp=dt_util.utcnow().isoformat(),
            end_timestamp=(dt_util.utcnow() + timedelta(minutes=10)).isoformat(),
        )
        await until(hass, lambda: level(hass, WAVE) == 0)
        await hass.config_entries.async_remove(entry.entry_id)
        await until(hass, lambda: level(hass, WAVE) == 60)

        assert not engine_of(hass).devices
        assert not engine_of(hass).planner.schedules
        await hass.config_entries.async_add(entry)
