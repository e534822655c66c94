"""Events: doses and due moments, each told once."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, State
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_capture_events
from syrupy.assertion import SnapshotAssertion

from custom_components.aquarist.dosing.ledger import DoseState
from custom_components.aquarist.engine.changes import (
    Change,
    DoseChanged,
    OccurrenceChanged,
)

from .aquarium import (
    NAME,
    aquarium,
    call,
    compare_all,
    device_named,
    engine_of,
    entity_of,
    heard,
    press,
)
from .test_button import given


def state_of(hass: HomeAssistant, device: str, key: str) -> State:
    """Return the state of an event entity."""
    state = hass.states.get(entity_of(hass, Platform.EVENT, device, key))
    assert state is not None
    return state


def moment(verdict: str) -> Any:
    """Return what tells a due moment with a verdict."""
    return lambda change: (
        isinstance(change, OccurrenceChanged) and change.verdict == verdict
    )


async def test_the_demo_events(
    hass: HomeAssistant, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """One for each head, and one for the aquarium."""
    async with aquarium(hass, tmp_path, Platform.EVENT, demo=True) as entry:
        await compare_all(hass, entry, snapshot)


async def test_a_dose_that_was_given(hass: HomeAssistant, tmp_path: Path) -> None:
    """It is an event of its own head alone."""
    async with aquarium(hass, tmp_path, Platform.EVENT, Platform.BUTTON, demo=True):
        async with heard(hass, given):
            await press(hass, "Demo doser", "0_dose_now")
        await hass.async_block_till_done()

        result = state_of(hass, "Demo doser", "0_dose_result")
        assert result.attributes["event_type"] == "given"
        assert (result.attributes["volume"], result.attributes["given"]) == (1.0, 1.0)
        assert state_of(hass, "Demo doser", "1_dose_result").state == "unknown"


async def test_a_dose_that_was_stopped(hass: HomeAssistant, tmp_path: Path) -> None:
    """The pump's counter tells how much was given."""

    def stopped(change: Change) -> bool:
        """Tell the end of a dose that was not given in full."""
        return isinstance(change, DoseChanged) and change.dose.state in (
            DoseState.PARTLY,
            DoseState.NOT_GIVEN,
        )

    async with aquarium(
        hass, tmp_path, Platform.EVENT, Platform.BUTTON, Platform.NUMBER, demo=True
    ):
        await call(
            hass,
            "set_value",
            entity_of(hass, Platform.NUMBER, "Demo doser", "0_dose_volume"),
            value=50,
        )
        await press(hass, "Demo doser", "0_dose_now")
        async with heard(hass, stopped):
            await press(hass, NAME, "emergency_stop")
        await hass.async_block_till_done()

        result = state_of(hass, "Demo doser", "0_dose_result").attributes
        assert result["event_type"] in ("partly", "not_given")
        assert result["volume"] == 50
        assert result["given"] < 50


async def test_a_due_moment(hass: HomeAssistant, tmp_path: Path) -> None:
    """It begins, and gets its verdict."""
    async with aquarium(hass, tmp_path, Platform.EVENT, demo=True):
        occurrence = entity_of(hass, Platform.EVENT, NAME, "occurrence")
        changes = async_capture_events(hass, "state_changed")
        due = dt_util.utcnow() + timedelta(seconds=0.3)

        async with heard(hass, moment("ran")):
            planned = await engine_of(hass).create_schedule(
                {
                    "name": "Slow down",
                    "device_ids": [device_named(hass, "Skimmer").row.number],
                    "schedule_type": "one_off",
                    "start_time": due.isoformat(),
                    "timezone": "UTC",
                    "action_type": "set_level",
                    "action_params": {"level": 40},
                },
                user=None,
            )
        await hass.async_block_till_done()

        told = [
            dict(change.data["new_state"].attributes)
            for change in changes
            if change.data["entity_id"] == occurrence
        ]
        assert [one["event_type"] for one in told] == ["started", "ran"]
        assert all(
            (one["schedule"], one["schedule_id"], one["reason"])
            == ("Slow down", planned.row.id, None)
            and one["at"] == due.isoformat()
            for one in told
        )


async def test_a_moment_that_could_not_run(hass: HomeAssistant, tmp_path: Path) -> None:
    """Its reason is told with its verdict."""
    async with aquarium(hass, tmp_path, Platform.EVENT, Platform.SWITCH, demo=True):
        await call(
            hass,
            "turn_off",
            entity_of(hass, Platform.SWITCH, "Demo doser", "0_enabled"),
        )
        due = dt_util.utcnow() + timedelta(seconds=0.3)

        async with heard(hass, moment("refused")):
            await engine_of(hass).create_schedule(
                {
                    "name": "Iron once",
                    "device_ids": [device_named(hass, "Demo doser").row.number],
                    "schedule_type": "one_off",
                    "start_time": due.isoformat(),
                    "timezone": "UTC",
                    "action_type": "dose",
                    "action_params": {"head_index": 0, "volume_ml": 1},
                },
                user=None,
            )
        await hass.async_block_till_done()

        told = state_of(hass, NAME, "occurrence").attributes
        assert (told["event_type"], told["reason"]) == (
            "refused",
            "refused_not_allowed",
        )
