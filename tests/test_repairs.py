"""What needs the keeper becomes an issue with a way out, and ends when it is over."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
import sqlite3
from typing import Any

from homeassistant.components.repairs import DOMAIN as REPAIRS, repairs_flow_manager
from homeassistant.components.repairs.issue_handler import RepairsFlowManager
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aquarist.ble.simulated_transport import SimulatedTransport
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.devices.chihiros_doser import ChihirosDoser
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.simulated import SimulatedPump
from custom_components.aquarist.dosing.ledger import DoseState
from custom_components.aquarist.engine.changes import (
    Change,
    CommandChanged,
    DoseChanged,
)
from custom_components.aquarist.issues import present
from custom_components.aquarist.simulator.peripheral import Peripheral
from custom_components.aquarist.startup import STORE_FILE

from .aquarium import (
    ENTRY,
    NAME,
    aquarium,
    device_named,
    engine_of,
    entities_behind,
    heard,
    restart,
    subentry,
)
from .store.gate import answered_on_disk, refusing

PATIENCE = 10.0

LATER = "4be0643f-1d98-573b-97cd-ca98a65347dd"


@pytest.fixture(autouse=True)
async def repairs(hass: HomeAssistant) -> None:
    """Let issues be fixed."""
    assert await async_setup_component(hass, REPAIRS, {})


def issue(hass: HomeAssistant, issue_id: str) -> ir.IssueEntry | None:
    """Return an issue of ours."""
    return ir.async_get(hass).async_get_issue(DOMAIN, issue_id)


def ours(hass: HomeAssistant) -> set[str]:
    """Return the ids of our issues."""
    return {one for domain, one in ir.async_get(hass).issues if domain == DOMAIN}


async def until(hass: HomeAssistant, wanted: Callable[[], bool]) -> None:
    """Wait for a state of the issue registry."""
    changed = asyncio.Event()

    @callback
    def look(_: Event) -> None:
        """Look again."""
        changed.set()

    leave = hass.bus.async_listen("repairs_issue_registry_updated", look)
    try:
        async with asyncio.timeout(PATIENCE):
            while not wanted():
                changed.clear()
                await changed.wait()
    finally:
        leave()


def flows(hass: HomeAssistant) -> RepairsFlowManager:
    """Return the manager of the ways out."""
    manager = repairs_flow_manager(hass)
    assert manager is not None
    return manager


async def fix(hass: HomeAssistant, issue_id: str, answer: dict[str, Any]) -> Any:
    """Open an issue, answer its only question, and return the result."""
    opened: Any = await flows(hass).async_init(DOMAIN, context={"issue_id": issue_id})
    known = issue(hass, issue_id)
    assert known is not None
    assert opened["description_placeholders"] == known.translation_placeholders
    return await flows(hass).async_configure(opened["flow_id"], answer)


async def test_all_is_well(hass: HomeAssistant, tmp_path: Path) -> None:
    """An aquarium that works has no issues."""
    async with aquarium(hass, tmp_path, demo=True):
        assert ours(hass) == set()


async def test_without_records_a_schedule_is_refused_for_that(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Devices are named by numbers that only the records know: it is not the number's fault."""
    (tmp_path / STORE_FILE).write_bytes(b"no database at all" * 1000)
    async with aquarium(hass, tmp_path, demo=True):
        with pytest.raises(HomeAssistantError) as refused:
            await hass.services.async_call(
                DOMAIN,
                "create_schedule",
                {
                    "name": "Dawn",
                    "device_ids": [1],
                    "schedule_type": "cron",
                    "cron_expression": "0 8 * * *",
                    "action_type": "on",
                },
                blocking=True,
            )
        assert refused.value.translation_key == "store_locked"


async def test_a_damaged_store_is_asked_about_until_the_keeper_decides(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """R-X3: an empty ledger would let doses repeat, so nothing begins by itself."""
    (tmp_path / STORE_FILE).write_bytes(b"no database at all" * 1000)
    async with aquarium(hass, tmp_path, demo=True) as entry:
        found = issue(hass, "store_corrupt")
        assert found is not None
        assert found.is_fixable and found.is_persistent
        assert (
            f"{STORE_FILE}.corrupt-" in (found.translation_placeholders or {})["path"]
        )

        await restart(hass, entry)
        assert issue(hass, "store_corrupt") == found
        assert engine_of(hass).journal.locked

        result = await fix(hass, "store_corrupt", {})
        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert ours(hass) == {"store_restart"}
        assert engine_of(hass).journal.locked

        await restart(hass, entry)
        assert not engine_of(hass).journal.locked
        assert (tmp_path / STORE_FILE).exists()
        assert issue(hass, "store_corrupt") is None


async def test_new_records_that_cannot_be_made_are_no_answer(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The question stays."""
    (tmp_path / STORE_FILE).write_bytes(b"no database at all" * 1000)
    async with aquarium(hass, tmp_path, demo=True):
        (tmp_path / STORE_FILE).mkdir()
        result = await fix(hass, "store_corrupt", {})
        assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_done")
        assert ours(hass) == {"store_corrupt"}


async def test_a_backup_put_back_answers_the_question(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The other way out: nothing to confirm."""
    async with aquarium(hass, tmp_path, demo=True) as entry:
        await engine_of(hass).close()
        good = (tmp_path / STORE_FILE).read_bytes()
        (tmp_path / STORE_FILE).write_bytes(b"no database at all" * 1000)
        await restart(hass, entry)
        assert issue(hass, "store_corrupt") is not None

        (tmp_path / STORE_FILE).write_bytes(good)
        await restart(hass, entry)
        assert issue(hass, "store_corrupt") is None
        assert len(engine_of(hass).planner.schedules) == 6


async def test_a_newer_store_says_which_version_it_needs(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """It is left alone; the way out is an update or a backup."""
    connection = sqlite3.connect(tmp_path / STORE_FILE)
    connection.execute("PRAGMA user_version = 999")
    connection.execute("CREATE TABLE future (id INTEGER)")
    connection.commit()
    connection.close()
    async with aquarium(hass, tmp_path):
        found = issue(hass, "store_newer")
        assert found is not None
        assert not found.is_fixable
        assert found.severity is ir.IssueSeverity.CRITICAL
        shown = found.translation_placeholders or {}
        assert shown["found"] == "999"
        assert int(shown["supported"]) < 999
        assert shown["path"] == str(tmp_path / STORE_FILE)


async def test_a_full_store_is_told_of_and_ends_by_itself(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """SQLite itself finds no room: an outcome is kept until there is."""
    async with aquarium(hass, tmp_path, demo=True):
        engine = engine_of(hass)
        assert engine.database is not None
        writer = engine.database.writer

        def fill(connection: sqlite3.Connection) -> int:
            """Let the file not grow any more, and use what is left of it."""
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages}")
            return int(pages)

        def grow(connection: sqlite3.Connection) -> None:
            """Allow the file to grow again."""
            connection.execute("PRAGMA max_page_count = 1000000")

        await writer.write(fill)
        engine.journal.record(
            lambda connection: connection.execute(
                "INSERT INTO setting (key, value) VALUES ('ballast', ?)",
                ('"' + "x" * 100_000 + '"',),
            )
        )
        await until(hass, lambda: "store_full" in ours(hass))
        found = issue(hass, "store_full")
        assert found is not None and not found.is_fixable

        await writer.write(grow)
        await engine.journal.retry()
        await until(hass, lambda: "store_full" not in ours(hass))


@pytest.mark.parametrize(
    ("trouble", "issue_id"),
    [
        ("store_full", "store_full"),
        ("store_read_only", "store_read_only"),
        ("store_failed", "store_failed"),
        ("store_corrupt", "store_damaged"),
        ("store_closed", None),
        (None, None),
    ],
)
async def test_each_trouble_of_an_open_store_has_its_issue(
    hass: HomeAssistant, tmp_path: Path, trouble: str | None, issue_id: str | None
) -> None:
    """Shutting down is none; what was damaged while running is asked about at the start."""
    async with aquarium(hass, tmp_path):
        engine = engine_of(hass)
        engine.store_trouble = trouble
        found = list(present(engine, "here", str))

        assert [one.id for one in found] == ([issue_id] if issue_id else [])
        engine.store_trouble = None


async def test_an_emergency_stop_stands_until_it_is_let_go(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Law 4: latched over a restart, and keeps alarming; confirming lets go."""
    async with aquarium(hass, tmp_path, demo=True) as entry:
        await hass.services.async_call(DOMAIN, "emergency_stop", {}, blocking=True)
        issue_id = f"emergency_stop_{ENTRY}"
        await until(hass, lambda: issue_id in ours(hass))
        found = issue(hass, issue_id)
        assert found is not None and found.is_fixable
        shown = found.translation_placeholders or {}
        assert shown["name"] == NAME
        assert "Demo doser" in shown["devices"]

        await restart(hass, entry)
        assert issue_id in ours(hass)
        doser = device_named(hass, "Demo doser")
        assert engine_of(hass).emergency.latched(doser)

        result = await fix(hass, issue_id, {})
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await until(hass, lambda: issue_id not in ours(hass))
        await hass.async_block_till_done()
        assert not engine_of(hass).emergency.latched(doser)
        assert issue_id not in ours(hass)


async def test_a_stop_is_let_go_once_that_is_on_disk(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Law 2: a kill after the answer stops nothing again; what cannot be written is told."""
    issue_id = f"emergency_stop_{ENTRY}"
    async with aquarium(hass, tmp_path, demo=True):
        engine = engine_of(hass)
        assert engine.database is not None
        await engine.emergency.stop(ENTRY)
        await until(hass, lambda: issue_id in ours(hass))
        result = await answered_on_disk(engine.database.writer, fix(hass, issue_id, {}))
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await until(hass, lambda: issue_id not in ours(hass))

        await engine.emergency.stop(ENTRY)
        await until(hass, lambda: issue_id in ours(hass))
        async with refusing(engine.journal):
            refused = await fix(hass, issue_id, {})
        assert (refused["type"], refused["reason"]) == (
            FlowResultType.ABORT,
            "not_done",
        )


async def test_devices_without_an_aquarium_are_let_go_by_themselves(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """An issue of their own, named like the devices."""
    async with aquarium(hass, tmp_path, demo=True):
        engine = engine_of(hass)
        doser = device_named(hass, "Demo doser")
        port = doser.device
        assert port is not None
        await engine.attach(port, limits=doser.limits, aquarium=None)
        await engine.emergency.stop(None)
        await until(hass, lambda: "emergency_stop_none" in ours(hass))
        found = issue(hass, "emergency_stop_none")
        assert found is not None
        assert (found.translation_placeholders or {})["name"] == "Demo doser"

        await fix(hass, "emergency_stop_none", {})
        await hass.async_block_till_done()
        assert not engine.emergency.latched(doser)
        await engine.attach(port, limits=doser.limits, aquarium=ENTRY)


async def unreadable_schedule(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    field: str = "cron_expression",
    value: str = "never",
) -> str:
    """Spoil the first schedule on disk and start again; return the issue's id."""
    engine = engine_of(hass)
    assert engine.database is not None
    number = engine.planner.schedules[0].row.id
    await engine.database.writer.write(
        lambda connection: connection.execute(
            "UPDATE schedule SET definition = json_set(definition, ?, ?) WHERE id = ?",
            (f"$.{field}", value, number),
        )
    )
    await restart(hass, entry)
    return f"schedule_invalid_{number}"


@pytest.mark.parametrize(
    ("field", "value"),
    [("cron_expression", "never"), ("timezone", "Europe/Atlantis")],
)
async def test_a_schedule_that_cannot_be_read_stays_and_can_be_deleted(
    hass: HomeAssistant, tmp_path: Path, field: str, value: str
) -> None:
    """Law 10: it stays on disk, is skipped, and says why; a time zone may have gone."""
    async with aquarium(hass, tmp_path, demo=True) as entry:
        issue_id = await unreadable_schedule(hass, entry, field, value)
        found = issue(hass, issue_id)
        assert found is not None
        shown = found.translation_placeholders or {}
        assert shown["name"] == "Dawn"
        assert field in shown["reason"]
        assert value in shown["reason"]

        result = await fix(hass, issue_id, {})
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await hass.async_block_till_done()
        assert engine_of(hass).planner.get(int(shown["id"])) is None
        assert ours(hass) == set()


async def test_a_schedule_that_lost_its_device_can_be_deleted(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """It would fail each time; the issue ends with the schedule, or with the device's return."""
    async with aquarium(hass, tmp_path, demo=True):
        engine = engine_of(hass)
        (pause,) = (
            one for one in engine.planner.schedules if one.row.name == "Feeding pause"
        )
        issue_id = f"schedule_device_retired_{pause.row.id}"
        skimmer = device_named(hass, "Skimmer")
        port = skimmer.device
        assert port is not None
        await engine.equipment.retire(skimmer.row.number)
        await until(hass, lambda: issue_id in ours(hass))

        await engine.attach(port, limits=skimmer.limits, aquarium=ENTRY)
        await until(hass, lambda: issue_id not in ours(hass))

        await engine.equipment.retire(skimmer.row.number)
        await until(hass, lambda: issue_id in ours(hass))
        await fix(hass, issue_id, {})
        await hass.async_block_till_done()
        assert engine.planner.get(pause.row.id) is None
        assert issue_id not in ours(hass)
        await engine.attach(port, limits=skimmer.limits, aquarium=ENTRY)


async def test_a_schedule_that_lost_its_macro_can_be_deleted(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """It would fail each time; the issue ends with the schedule, or with another macro of the name."""
    async with aquarium(hass, tmp_path, demo=True):
        engine = engine_of(hass)
        calm = {"name": "Calm", "sequence": [{"delay": 1}]}
        macro = await engine.macros.create(calm, user=None)
        planned = await engine.create_schedule(
            {
                "name": "Calm morning",
                "schedule_type": "cron",
                "cron_expression": "0 8 * * *",
                "action_type": "macro",
                "action_params": {"macro": "Calm"},
            },
            user=None,
        )
        issue_id = f"schedule_macro_gone_{planned.row.id}"
        assert issue_id not in ours(hass)
        await engine.macros.delete(macro.row.id, user=None)
        await until(hass, lambda: issue_id in ours(hass))

        macro = await engine.macros.create(calm, user=None)
        await until(hass, lambda: issue_id not in ours(hass))

        await engine.macros.delete(macro.row.id, user=None)
        await until(hass, lambda: issue_id in ours(hass))
        await fix(hass, issue_id, {})
        await hass.async_block_till_done()
        assert engine.planner.get(planned.row.id) is None
        assert issue_id not in ours(hass)


async def test_what_cannot_be_done_leaves_the_issue(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The store refuses to delete: the flow says so."""
    async with aquarium(hass, tmp_path, demo=True) as entry:
        issue_id = await unreadable_schedule(hass, entry)
        database = engine_of(hass).database
        assert database is not None
        await database.close()

        result = await fix(hass, issue_id, {})
        assert result["type"] is FlowResultType.ABORT
        assert result["reason"] == "not_done"
        assert result["description_placeholders"]["reason"] == (
            "Aquarist is shutting down"
        )
        assert issue_id in ours(hass)


async def end_window(hass: HomeAssistant, failures: int) -> SimulatedPump:
    """Let a window end on a pump that refuses so many times to go back; return the pump."""
    skimmer = device_named(hass, "Skimmer")
    port = skimmer.device
    assert isinstance(port, SimulatedPump)
    now = dt_util.utcnow()
    data = {
        "device_id": skimmer.row.uuid,
        "field_name": "level",
        "value": 10,
        "start_timestamp": now,
        "end_timestamp": now + timedelta(seconds=1),
    }
    async with heard(hass, in_phase(Phase.FAILED)):
        async with heard(hass, in_phase(Phase.IN_FORCE)):
            await hass.services.async_call(
                DOMAIN, "create_write_action", data, blocking=True
            )
        for _ in range(failures):
            port.fail_next(DeviceError("service_failed", transient=False))
    return port


def in_phase(phase: Phase) -> Callable[[Change], bool]:
    """Return what tells the arrival of a command in a phase."""
    return lambda change: (
        isinstance(change, CommandChanged) and change.command.phase is phase
    )


async def failed_restore(hass: HomeAssistant) -> tuple[SimulatedPump, str]:
    """Let a window end on a pump that does not go back; return it and the issue's id."""
    port = await end_window(hass, failures=2)
    issue_id = f"restore_failed_{device_named(hass, 'Skimmer').row.number}_level"
    assert issue_id in ours(hass)
    return port, issue_id


async def test_a_value_that_came_back_after_all_is_no_issue(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The next try was faster than the record of the failed one."""
    async with aquarium(hass, tmp_path, demo=True):
        port = await end_window(hass, failures=1)
        assert port.observed("level") == {"level": 100.0}
        assert ours(hass) == set()


async def test_a_failed_restore_says_what_to_set_by_hand(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """RES-53; it outlives a restart and ends when the keeper says so."""
    async with aquarium(hass, tmp_path, demo=True):
        _, issue_id = await failed_restore(hass)
        found = issue(hass, issue_id)
        assert found is not None
        assert found.is_fixable and found.is_persistent
        shown = found.translation_placeholders or {}
        assert shown["name"] == "Skimmer"
        assert shown["field"] == "level"
        assert shown["value"] == "level 100.0"
        assert shown["reason"].startswith("Not done")

        result = await fix(hass, issue_id, {})
        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert issue_id not in ours(hass)


@pytest.mark.parametrize("level", [100, 60])
async def test_a_hand_at_the_pump_ends_the_issue(
    hass: HomeAssistant, tmp_path: Path, level: float
) -> None:
    """RES-54: on a field without a plan, what was set by hand is what should be."""
    async with aquarium(hass, tmp_path, demo=True):
        port, issue_id = await failed_restore(hass)
        port.turn_by_hand(level)
        await until(hass, lambda: issue_id not in ours(hass))


async def test_a_later_window_that_is_put_back_ends_the_issue(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """As long as that one lasts, the old value is still missing."""
    async with aquarium(hass, tmp_path, demo=True):
        port, issue_id = await failed_restore(hass)
        now = dt_util.utcnow()
        data = {
            "device_id": port.uuid,
            "field_name": "level",
            "value": 50,
            "start_timestamp": now.isoformat(),
            "end_timestamp": (now + timedelta(minutes=10)).isoformat(),
            "action_id": LATER,
        }
        async with heard(hass, in_phase(Phase.IN_FORCE)):
            await hass.services.async_call(
                DOMAIN, "create_write_action", data, blocking=True
            )
        await hass.async_block_till_done()
        assert issue_id in ours(hass)

        engine = engine_of(hass)
        (window,) = (one for one in engine.records.open if one.id == LATER)
        await engine.cancel(window)
        await until(hass, lambda: issue_id not in ours(hass))


async def test_a_point_action_that_fails_is_no_failed_restore(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Whoever sent it was told."""
    async with aquarium(hass, tmp_path, demo=True):
        port = device_named(hass, "Skimmer").device
        assert isinstance(port, SimulatedPump)
        port.fail_next(DeviceError("service_failed", transient=False))
        data = {"device_id": port.uuid, "action": "turn_off", "execution": "sync"}
        with pytest.raises(HomeAssistantError):
            await hass.services.async_call(DOMAIN, "send_command", data, blocking=True)
        await hass.async_block_till_done()
        assert ours(hass) == set()


async def unknown_dose(hass: HomeAssistant) -> str:
    """Lose the link in the middle of a dose for good; return the issue's id."""
    doser = device_named(hass, "Demo doser")
    pump = peripheral(doser.device)
    pump.faults.set("drop_in_dose", value=0.5, times=1)
    async with heard(
        hass,
        lambda change: (
            isinstance(change, DoseChanged) and change.dose.state is DoseState.SENT
        ),
    ):
        await hass.services.async_call(
            DOMAIN,
            "send_command",
            {
                "device_id": doser.row.uuid,
                "action": "dose",
                "args": {"head_index": 2, "volume_ml": 1},
                "id": "evening",
            },
            blocking=True,
        )
    pump.faults.set("out_of_range")
    issue_id = f"dose_unknown_{doser.row.number}/evening"
    await until(hass, lambda: issue_id in ours(hass))
    return issue_id


async def test_a_dose_that_was_settled_meanwhile_stays_settled(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Looked up when the keeper answers (law 7): the counter was faster."""
    async with aquarium(hass, tmp_path, demo=True):
        issue_id = await unknown_dose(hass)
        opened: Any = await flows(hass).async_init(
            DOMAIN, context={"issue_id": issue_id}
        )
        engine = engine_of(hass)
        (dose,) = engine.gate.unknown
        engine.ledger.settled(dose, DoseState.NOT_GIVEN)
        await until(hass, lambda: issue_id not in ours(hass))

        result: Any = await flows(hass).async_configure(
            opened["flow_id"], {"next_step_id": "given"}
        )
        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert engine.gate.given(dose.device, dose.head, engine.clock.now()) == 0


@pytest.mark.parametrize(
    ("answer", "state"),
    [("given", DoseState.GIVEN), ("not_given", DoseState.NOT_GIVEN)],
)
async def test_the_keeper_settles_a_dose_that_nobody_knows_of(
    hass: HomeAssistant, tmp_path: Path, answer: str, state: DoseState
) -> None:
    """RES-52: the link went down in the middle of it, and stays down."""
    async with aquarium(hass, tmp_path, demo=True):
        issue_id = await unknown_dose(hass)
        doser = device_named(hass, "Demo doser")
        found = issue(hass, issue_id)
        assert found is not None and found.is_fixable
        shown = found.translation_placeholders or {}
        assert (shown["name"], shown["head"], shown["volume"]) == (
            "Demo doser",
            "3",
            "1",
        )

        async with heard(
            hass,
            lambda change: (
                isinstance(change, DoseChanged) and change.dose.state is state
            ),
        ):
            result = await fix(hass, issue_id, {"next_step_id": answer})
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await until(hass, lambda: issue_id not in ours(hass))
        engine = engine_of(hass)
        given = engine.gate.given(doser.row.number, 2, engine.clock.now())
        assert given == (1000 if state is DoseState.GIVEN else 0)


def peripheral(device: Any) -> Peripheral:
    """Return the simulated device at the other end of a demo device's link."""
    assert isinstance(device, ChihirosDoser)
    transport = device.link._transport
    assert isinstance(transport, SimulatedTransport)
    return transport._peripheral


async def test_a_subentry_that_cannot_be_used_says_so_until_it_can(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The others work; the issue ends when the keeper chooses another entity."""
    await entities_behind(hass, flow=40)
    pumps = [
        subentry("pump", "Filter", {"entity_id": "sensor.nothing"}),
        subentry("pump", "Stream", {"entity_id": "input_boolean.relay"}),
    ]
    async with aquarium(hass, tmp_path, subentries=pumps) as entry:
        found = issue(hass, "device_problem_filter")
        assert found is not None and not found.is_fixable
        assert found.translation_placeholders == {
            "name": "Filter",
            "entity": "sensor.nothing",
            "reason": "The device cannot do this",
        }
        assert device_named(hass, "Stream").available

        hass.config_entries.async_update_subentry(
            entry, entry.subentries["filter"], data={"entity_id": "input_number.flow"}
        )
        await until(hass, lambda: "device_problem_filter" not in ours(hass))
        await hass.async_block_till_done()
        assert device_named(hass, "Filter").available


async def test_a_problem_ends_with_its_subentry(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """And a light names all its entities."""
    channels = [
        {"entity_id": "sensor.red", "channel": "red"},
        {"entity_id": "sensor.blue", "channel": "blue"},
    ]
    lights = [subentry("light", "Lamp", {"channels": channels})]
    async with aquarium(hass, tmp_path, subentries=lights) as entry:
        found = issue(hass, "device_problem_lamp")
        assert found is not None
        shown = found.translation_placeholders or {}
        assert shown["entity"] == "sensor.red, sensor.blue"

        other = MockConfigEntry(domain="other")
        other.add_to_hass(hass)
        hass.config_entries.async_update_entry(other, title="Changed")
        hass.config_entries.async_remove_subentry(entry, "lamp")
        await until(hass, lambda: "device_problem_lamp" not in ours(hass))
        await hass.async_block_till_done()
