"""Events on the bus: each status once, in order, bounded, with who asked."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from homeassistant.auth.models import User
from homeassistant.const import MATCH_ALL
from homeassistant.core import Context, Event, HomeAssistant, callback
from homeassistant.util import dt as dt_util
import pytest

from custom_components.aquarist.api.events import (
    EVENT_COMMAND,
    EVENT_DOSE,
    EVENT_MODE,
    EVENT_OCCURRENCE,
    EVENT_WRITE_ACTION,
)
from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.engine.intake import Origin
from custom_components.aquarist.runs.mode import Stage
from tests.aquarium import (
    ENTRY,
    aquarium,
    device_named,
    engine_of,
    entities_behind,
    restart,
    subentry,
)

PATIENCE = 10.0


class Listener:
    """Keeps our events in their order, and waits for one."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Listen to everything that is ours."""
        self.events: list[Event] = []
        self._heard = asyncio.Event()
        self.stop = hass.bus.async_listen(MATCH_ALL, self._listen)

    @callback
    def _listen(self, event: Event) -> None:
        """Keep an event."""
        if str(event.event_type).startswith(f"{DOMAIN}_"):
            self.events.append(event)
            self._heard.set()

    async def until(self, name: str, key: str, value: Any) -> None:
        """Wait until an event has this value."""
        async with asyncio.timeout(PATIENCE):
            while value not in self.of(name, key):
                self._heard.clear()
                await self._heard.wait()

    def of(self, name: str, key: str) -> list[Any]:
        """Return one value of each event of a type, in order."""
        return [one.data[key] for one in self.events if one.event_type == name]


async def test_a_dose_is_told_step_by_step(
    hass: HomeAssistant, tmp_path: Path, hass_admin_user: User
) -> None:
    """Command and dose, in the order in which they happened, with the user who asked."""
    async with aquarium(hass, tmp_path, demo=True):
        doser = device_named(hass, "Demo doser")
        listener = Listener(hass)
        context = Context(user_id=hass_admin_user.id)
        await hass.services.async_call(
            DOMAIN,
            "send_command",
            {
                "device_id": doser.row.uuid,
                "action": "dose",
                "args": {"head_index": 1, "volume_ml": 0.5},
                "id": "nitrate",
            },
            blocking=True,
            context=context,
        )
        await listener.until(EVENT_COMMAND, "status", "success")
        listener.stop()

        assert listener.of(EVENT_COMMAND, "status") == ["pending", "running", "success"]
        assert set(listener.of(EVENT_COMMAND, "id")) == {"nitrate"}
        assert set(listener.of(EVENT_COMMAND, "address")) == {doser.row.address}
        assert listener.of(EVENT_COMMAND, "result")[-1] == {
            "head_index": 1,
            "volume_ml": 0.5,
            "given_ml": 0.5,
        }
        assert listener.of(EVENT_DOSE, "state")[-1] == "given"
        assert set(listener.of(EVENT_DOSE, "command_id")) == {"nitrate"}
        assert {one.context.user_id for one in listener.events} == {hass_admin_user.id}
        assert {one.context.id for one in listener.events} == {context.id}
        assert not any(one.data["truncated"] for one in listener.events)


async def test_a_write_action_is_told_in_its_own_words(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """And as a command, which it is, too."""
    async with aquarium(hass, tmp_path, demo=True):
        listener = Listener(hass)
        now = dt_util.utcnow()
        await hass.services.async_call(
            DOMAIN,
            "create_write_action",
            {
                "device_id": device_named(hass, "Skimmer").row.uuid,
                "field_name": "level",
                "value": 10,
                "start_timestamp": now,
                "end_timestamp": now + timedelta(hours=1),
            },
            blocking=True,
        )
        await listener.until(EVENT_WRITE_ACTION, "status", "NEW_VALUE_SET")
        (command,) = (
            one for one in engine_of(hass).records.open if one.action == "write_action"
        )
        await engine_of(hass).cancel(command)
        await listener.until(EVENT_WRITE_ACTION, "status", "FAILED")
        listener.stop()

        assert listener.of(EVENT_WRITE_ACTION, "status") == [
            "PLANNED",
            "NEW_VALUE_SET",
            "FAILED",
        ]
        last = [one for one in listener.events if one.event_type == EVENT_WRITE_ACTION][
            -1
        ]
        assert last.data["error"]["error_key"] == "canceled"
        assert listener.of(EVENT_COMMAND, "status") == [
            "pending",
            "running",
            "cancelled",
        ]


async def holding(hass: HomeAssistant, phase: Phase, count: int) -> set[str]:
    """Wait until a mode that counts down holds so many fields as far as said; return the ids."""
    changed = asyncio.Event()
    leave = engine_of(hass).listen(lambda _: changed.set())
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                held = [one for one in engine_of(hass).records.open if one.run]
                status = engine_of(hass).modes.status(ENTRY)
                counts = not count or (status and status.stage is Stage.COUNTDOWN)
                if counts and [one.phase for one in held] == [phase] * count:
                    return {one.id for one in held}
                changed.clear()
                await changed.wait()
    finally:
        leave()


async def test_a_mode_that_lasts_longer_is_told_of_once(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Nothing changes at what it holds; the end of that is told as ever."""
    async with aquarium(hass, tmp_path, demo=True) as entry:
        modes, listener = engine_of(hass).modes, Listener(hass)
        await modes.start(entry.entry_id, "feed", Origin(source=Source.SERVICE))
        first = await holding(hass, Phase.IN_FORCE, 2)
        await hass.async_block_till_done()
        assert listener.of(EVENT_COMMAND, "status").count("running") == 2
        listener.events.clear()

        held = first
        for _ in range(2):
            before = held
            await modes.extend(entry.entry_id, 5)
            held = await holding(hass, Phase.IN_FORCE, 2)
            assert not held & before
        await hass.async_block_till_done()
        assert [one.event_type for one in listener.events] == [EVENT_MODE, EVENT_MODE]
        assert listener.of(EVENT_MODE, "progress") == ["extended", "extended"]

        await modes.normal(entry.entry_id)
        await holding(hass, Phase.COMPLETED, 0)
        await hass.async_block_till_done()
        listener.stop()
        assert set(listener.of(EVENT_COMMAND, "id")) == held
        assert listener.of(EVENT_COMMAND, "status") == ["success", "success"]


async def test_what_a_longer_mode_comes_to_hold_is_told(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """A device that was away when the mode was made to last longer is held once it comes."""
    await entities_behind(hass, speed=30)
    hass.states.async_set("input_number.speed", "unavailable")
    kept = subentry("pump", "Return", {"entity_id": "input_number.speed"})
    async with aquarium(hass, tmp_path, subentries=[kept]) as entry:
        modes, listener = engine_of(hass).modes, Listener(hass)
        await modes.start(entry.entry_id, "feed", Origin(source=Source.SERVICE))
        (first,) = await holding(hass, Phase.PLANNED, 1)
        await modes.extend(entry.entry_id, 5)
        (second,) = await holding(hass, Phase.PLANNED, 1)
        await hass.async_block_till_done()
        assert listener.of(EVENT_COMMAND, "id") == [first]

        hass.states.async_set("input_number.speed", "30", {"min": 0, "max": 100})
        await listener.until(EVENT_COMMAND, "status", "running")
        assert listener.of(EVENT_COMMAND, "id") == [first, second]
        await modes.normal(entry.entry_id)
        await listener.until(EVENT_COMMAND, "status", "success")
        listener.stop()


async def test_a_due_moment_is_told_with_its_verdict(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """It begins without a verdict and ends with one (law 9)."""
    async with aquarium(hass, tmp_path, demo=True):
        listener = Listener(hass)
        await hass.services.async_call(
            DOMAIN,
            "create_schedule",
            {
                "name": "Now",
                "device_ids": [device_named(hass, "Skimmer").row.uuid],
                "schedule_type": "one_off",
                "start_time": dt_util.utcnow() + timedelta(milliseconds=200),
                "action_type": "set_level",
                "action_params": {"level": 30},
            },
            blocking=True,
        )
        await listener.until(EVENT_OCCURRENCE, "verdict", "ran")
        listener.stop()

        assert listener.of(EVENT_OCCURRENCE, "verdict") == [None, "ran"]
        assert set(listener.of(EVENT_OCCURRENCE, "name")) == {"Now"}


async def test_a_large_result_makes_a_small_event(
    hass: HomeAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-C56: what the recorder would refuse is left out, with a flag."""
    async with aquarium(hass, tmp_path, demo=True):
        skimmer = device_named(hass, "Skimmer")
        assert skimmer.device is not None

        async def talkative(action: str, args: Any) -> dict[str, str]:
            return {"text": "x" * 100_000}

        monkeypatch.setattr(skimmer.device, "perform", talkative)
        listener = Listener(hass)
        data = {"device_id": skimmer.row.uuid, "action": "request_status"}
        await hass.services.async_call(DOMAIN, "send_command", data, blocking=True)
        await listener.until(EVENT_COMMAND, "status", "success")
        listener.stop()

        assert listener.events[-1].data["result"] == {"text": None, "truncated": True}
        assert listener.of(EVENT_COMMAND, "truncated") == [False, False, False]


@pytest.mark.parametrize("told", [False, True])
async def test_what_a_restart_ends_is_told_once(
    hass: HomeAssistant, tmp_path: Path, told: bool
) -> None:
    """A window that was being set at the kill, and is over: unless its end was told before."""
    async with aquarium(hass, tmp_path, demo=True) as entry:
        engine, pump = engine_of(hass), device_named(hass, "Return pump")
        now = dt_util.utcnow()
        command = await engine.acceptance.create_window(
            pump,
            "level",
            0,
            Origin(source=Source.REST),
            start=now,
            end=now + timedelta(hours=1),
        )
        await engine.finished(engine.acceptance.withdraw(command))
        left = ("restoring", "interrupted") if told else ("applying", None)
        assert engine.database is not None
        await engine.database.writer.write(
            lambda connection: (
                connection.execute(
                    "UPDATE command SET phase = ?1, error_code = ?2, error = ?2, "
                    "completed_at = NULL, ends_at = starts_at + 1 WHERE id = ?3",
                    (*left, command.id),
                ).rowcount
            )
        )
        listener = Listener(hass)
        await restart(hass, entry)
        ended = await engine_of(hass).finished(command)
        await hass.async_block_till_done()
        listener.stop()
        assert (ended.phase, ended.error) == (Phase.FAILED, "interrupted")
        assert listener.of(EVENT_COMMAND, "status") == ["failed"] * (not told)
        assert listener.of(EVENT_WRITE_ACTION, "status") == ["FAILED"] * (not told)
