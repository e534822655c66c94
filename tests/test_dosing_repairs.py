"""What needs the keeper about dosing becomes an issue with a way out, and ends when it is over."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from homeassistant.components.repairs import DOMAIN as REPAIRS
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.devices.chihiros_doser import ChihirosDoser
from custom_components.aquarist.devices.chihiros_light import ChihirosLight
from custom_components.aquarist.devices.device import (
    HeadMemory,
    LightPoint,
    MemoryReport,
)
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.dosing.ledger import Dose, DoseState
from custom_components.aquarist.dosing.programme import ProgrammeMode
from custom_components.aquarist.dosing_issues import present
from custom_components.aquarist.engine.changes import DoseChanged
from custom_components.aquarist.engine.intake import Origin
from custom_components.aquarist.engine.state import (
    DeviceLimits,
    DeviceState,
    HeadLimits,
)
from custom_components.aquarist.schedules.moments import Moment
from custom_components.aquarist.store import (
    calibrations as calibration_rows,
    doses as dose_rows,
    occurrences,
)

from .aquarium import (
    ENTRY,
    aquarium,
    device_named,
    engine_of,
    entities_behind,
    gives_too_little,
    restart,
    subentry,
)
from .engine.test_guided import MeasuredDoser
from .store.gate import answered_on_disk, refusing
from .test_repairs import fix, flows, issue, ours, until

SERVICE = Origin(source=Source.SERVICE)
IRON = {
    "entity_id": "input_boolean.relay",
    "flow_ml_per_minute": 600.0,
    "maximum_dose_ml": 20.0,
    "automatic_off_seconds": 60,
    "container_ml": 100.0,
    "low_days": 5,
}


@pytest.fixture(autouse=True)
async def repairs(hass: HomeAssistant) -> None:
    """Let issues be fixed."""
    assert await async_setup_component(hass, REPAIRS, {})


def about(hass: HomeAssistant, issue_id: str) -> Mapping[str, str]:
    """Return what an issue's text is filled with."""
    known = issue(hass, issue_id)
    assert known is not None
    return known.translation_placeholders or {}


async def choose(hass: HomeAssistant, issue_id: str, choice: str) -> Any:
    """Open an issue that asks for one of several ways out, and take one."""
    return await fix(hass, issue_id, {"next_step_id": choice})


async def send(hass: HomeAssistant, name: str, action: str, **args: Any) -> None:
    """Have a device do something, and wait until it has."""
    engine = engine_of(hass)
    command = await engine.send(
        device_named(hass, name), action, args, SERVICE, confirm=True
    )
    assert (await engine.finished(command)).phase is Phase.COMPLETED
    await hass.async_block_till_done()


async def daily(hass: HomeAssistant, name: str, **more: Any) -> int:
    """Plan 10 mL a day; return the number of the schedule."""
    planned = await engine_of(hass).create_schedule(
        {
            "name": "Daily",
            "device_ids": [device_named(hass, name).row.number],
            "schedule_type": "cron",
            "cron_expression": "0 15 * * *",
            "timezone": "UTC",
            "action_type": "dose",
            "action_params": {"head_index": 0, "volume_ml": 10},
            **more,
        },
        user=None,
    )
    return planned.row.id


async def test_a_container_is_told_of_days_ahead(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """It stays over a restart, and ends when the keeper has refilled it."""
    await entities_behind(hass)
    kept = subentry("doser", "Iron", IRON)
    async with aquarium(hass, tmp_path, subentries=[kept]) as entry:
        engine, iron = engine_of(hass), device_named(hass, "Iron")
        issue_id = f"container_low_{iron.row.number}_0"
        await daily(hass, "Iron")
        assert ours(hass) == set()

        await engine.containers.correct(iron, 0, 30_000, user=None)
        await until(hass, lambda: issue_id in ours(hass))
        shown = about(hass, issue_id)
        assert (shown["name"], shown["head"], shown["volume"]) == ("Iron", "1", "30")
        assert shown["days"] in ("2", "3")

        await restart(hass, entry)
        assert issue_id in ours(hass)

        result = await fix(hass, issue_id, {})
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await hass.async_block_till_done()
        assert issue_id not in ours(hass)
        remaining = engine_of(hass).containers.remaining(iron.row.number, 0)
        assert remaining == 100_000


async def test_an_empty_container_is_told_of_without_a_plan(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """For how long it lasts, nobody can say."""
    await entities_behind(hass)
    kept = subentry("doser", "Iron", {**IRON, "low_days": None})
    async with aquarium(hass, tmp_path, subentries=[kept]):
        engine, iron = engine_of(hass), device_named(hass, "Iron")
        await engine.containers.correct(iron, 0, 0, user=None)
        await hass.async_block_till_done()
        assert about(hass, f"container_low_{iron.row.number}_0")["days"] == "-"


async def test_a_container_that_lasts_for_fewer_days_is_found_by_itself(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Nothing happens but that time passes."""
    await entities_behind(hass)
    kept = subentry("doser", "Iron", IRON)
    async with aquarium(hass, tmp_path, subentries=[kept]):
        iron = device_named(hass, "Iron")
        iron.limits = DeviceLimits(heads={0: HeadLimits(low_days=60)})
        await daily(hass, "Iron", action_params={"head_index": 0, "volume_ml": 2})
        await hass.async_block_till_done()
        issue_id = f"container_low_{iron.row.number}_0"
        iron.limits = DeviceLimits(heads={0: HeadLimits(low_days=1)})
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(hours=1))
        await hass.async_block_till_done()
        assert issue_id not in ours(hass)

        iron.limits = DeviceLimits(heads={0: HeadLimits(low_days=60)})
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(hours=2))
        await hass.async_block_till_done()
        assert issue_id in ours(hass)


async def test_each_unknown_dose_is_a_question_of_its_own(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Answered one by one, on disk; one that the counter settles ends by itself (RES-52)."""
    async with aquarium(hass, tmp_path, demo=True):
        engine, doser = engine_of(hass), device_named(hass, "Demo doser")
        number = doser.row.number
        doses = [
            Dose(
                key=f"{number}/{name}",
                device=number,
                head=head,
                volume=1000,
                state=DoseState.UNKNOWN,
                at=datetime(2026, 3, 1, 12, tzinfo=UTC),
            )
            for head, name in enumerate(("a", "b", "c"))
        ]

        def store(connection: Any) -> None:
            """Store what became of doses."""
            for dose in doses:
                dose_rows.intend(connection, dose, None, "service")

        await engine.journal.commit(store)
        for dose in doses:
            engine.gate.note(dose)
            engine.announcer.announce(DoseChanged(dose=dose))
        await hass.async_block_till_done()
        ids = [f"dose_unknown_{dose.key}" for dose in doses]
        assert ours(hass) == set(ids)
        assert [about(hass, one)["head"] for one in ids] == ["1", "2", "3"]

        assert engine.database is not None
        await answered_on_disk(engine.database.writer, choose(hass, ids[0], "given"))
        async with refusing(engine.journal):
            failed = await choose(hass, ids[1], "not_given")
            assert (failed["type"], failed["reason"]) == (
                FlowResultType.ABORT,
                "not_done",
            )
        engine.ledger.settled(doses[2], DoseState.GIVEN)
        await until(hass, lambda: not ours(hass))

        states = [
            one.state for head in range(3) for one in engine.gate.doses(number, head)
        ]
        assert states == [DoseState.GIVEN, DoseState.NOT_GIVEN, DoseState.GIVEN]


async def missed(hass: HomeAssistant) -> str:
    """Let a schedule have missed two days; return the id of the issue."""
    engine = engine_of(hass)
    schedule = await daily(hass, "Demo doser", on_miss="ask")
    first, last = (
        Moment(at=dt_util.utcnow() - timedelta(days=days), nominal=f"{days}")
        for days in (2, 1)
    )

    def store(connection: Any) -> None:
        """Store what passed while nobody was there."""
        occurrences.missed(
            connection,
            schedule,
            first,
            last,
            2,
            occurrences.WAITING_FOR_KEEPER,
            dt_util.utcnow(),
        )

    await engine.journal.commit(store)
    entry = hass.config_entries.async_get_entry(ENTRY)
    assert isinstance(entry, MockConfigEntry)
    await restart(hass, entry)
    (waiting,) = engine_of(hass).missed.waiting
    return f"doses_missed_{waiting.occurrence}"


@pytest.mark.parametrize(("choice", "given"), [("give", 10_000), ("leave_out", 0)])
async def test_what_was_missed_is_asked_about(
    hass: HomeAssistant, tmp_path: Path, choice: str, given: int
) -> None:
    """One dose for all of it, or none (RES-67); the question outlives a restart."""
    async with aquarium(hass, tmp_path, demo=True) as entry:
        issue_id = await missed(hass)
        shown = about(hass, issue_id)
        assert (shown["schedule"], shown["volume"]) == ("Daily", "10")
        assert shown["count"] == "2"

        await restart(hass, entry)
        assert issue_id in ours(hass)

        result = await choose(hass, issue_id, choice)
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await hass.async_block_till_done()
        assert issue_id not in ours(hass)
        engine, doser = engine_of(hass), device_named(hass, "Demo doser")
        assert engine.gate.given(doser.row.number, 0, engine.clock.now()) == given
        assert engine.missed.waiting == ()
        await engine.emergency.stop(None)


async def test_a_dose_that_may_not_be_given_stays_a_question(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The flow says which limit stands in the way."""
    async with aquarium(hass, tmp_path, demo=True):
        issue_id = await missed(hass)
        doser = device_named(hass, "Demo doser")
        doser.limits = DeviceLimits(heads={0: HeadLimits(maximum_volume=5000)})

        result = await choose(hass, issue_id, "give")

        assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_done")
        assert "5" in result["description_placeholders"]["reason"]
        assert issue_id in ours(hass)


async def test_a_schedule_that_is_deleted_asks_no_more(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """What it missed stays missed."""
    async with aquarium(hass, tmp_path, demo=True):
        issue_id = await missed(hass)
        engine = engine_of(hass)
        (schedule,) = (
            one.row.id for one in engine.planner.schedules if one.row.name == "Daily"
        )
        await engine.delete_schedule(schedule, user=None)
        await hass.async_block_till_done()
        assert issue_id not in ours(hass)


async def test_a_schedule_that_cannot_be_read_asks_nothing(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Nobody knows what it would give; it has an issue of its own."""
    async with aquarium(hass, tmp_path, demo=True) as entry:
        issue_id = await missed(hass)
        database = engine_of(hass).database
        assert database is not None
        await database.writer.write(
            lambda connection: connection.execute(
                "UPDATE schedule SET definition = json_set(definition, "
                "'$.cron_expression', 'never') WHERE name = 'Daily'"
            )
        )
        await restart(hass, entry)
        assert engine_of(hass).missed.waiting
        assert issue_id not in {one.id for one in present(engine_of(hass))}
        assert [one for one in ours(hass) if one.startswith("schedule_invalid")]


def shows(hass: HomeAssistant, doser: DeviceState, head: int, hour: int) -> str:
    """Let a pump show a programme that nobody wrote; return the id of the issue."""
    shown = HeadMemory(
        mode=ProgrammeMode.SINGLE,
        times=(datetime(2026, 3, 1, hour, tzinfo=UTC).time(),),
        today=0,
        target_ml=5,
    )
    engine_of(hass).device_memory.memory_read(doser, MemoryReport(heads={head: shown}))
    found = [one for one in _soon(hass, doser) if one.startswith("programme_drift")]
    return found[0] if found else ""


def _soon(hass: HomeAssistant, doser: DeviceState) -> list[str]:
    """Return the ids of the issues that will be reported in the next turn of the loop."""
    return [one.id for one in present(engine_of(hass))]


async def test_another_programme_in_the_pump_can_be_cleared(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Where Aquarist wrote nothing, nothing is what is written again."""
    async with aquarium(hass, tmp_path, demo=True):
        doser = device_named(hass, "Demo doser")
        issue_id = shows(hass, doser, 3, 8)
        await until(hass, lambda: issue_id in ours(hass))
        shown = about(hass, issue_id)
        assert (shown["head"], shown["written"]) == ("4", "-")
        assert shown["shown"] == "mode single, times 08:00, target_ml 5"

        result = await choose(hass, issue_id, "write_again")

        assert result["type"] is FlowResultType.CREATE_ENTRY
        (command,) = await engine_of(hass).history.recent(doser, 1)
        assert command.action == "remove_schedule"
        await hass.async_block_till_done()
        assert issue_id not in ours(hass)


async def test_the_programme_is_written_again(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """That of the head alone."""
    async with aquarium(hass, tmp_path, demo=True):
        doser = device_named(hass, "Demo doser")
        for head in (2, 3):
            await engine_of(hass).delete_schedule(5, user=None) if head == 2 else None
            await send(
                hass,
                "Demo doser",
                "set_schedule",
                head_index=head,
                volume_tenths_ml=50,
                hour=8,
                minute=30,
            )
        issue_id = shows(hass, doser, 3, 9)
        await until(hass, lambda: issue_id in ours(hass))

        await choose(hass, issue_id, "write_again")

        (command,) = await engine_of(hass).history.recent(doser, 1)
        assert command.action == "set_doser_schedule"
        assert command.args["head_index"] == 3
        await hass.async_block_till_done()
        assert issue_id not in ours(hass)


async def test_a_difference_that_is_accepted_is_asked_about_once(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """It stays ignored over a restart; another difference is another question."""
    async with aquarium(hass, tmp_path, demo=True) as entry:
        issue_id = shows(hass, device_named(hass, "Demo doser"), 3, 8)
        await until(hass, lambda: issue_id in ours(hass))

        result = await choose(hass, issue_id, "accept")
        assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "accepted")
        known = issue(hass, issue_id)
        assert known is not None and known.dismissed_version is not None

        await restart(hass, entry)
        doser = device_named(hass, "Demo doser")
        assert shows(hass, doser, 3, 8) == issue_id
        await hass.async_block_till_done()
        known = issue(hass, issue_id)
        assert known is not None and known.dismissed_version is not None

        other = shows(hass, doser, 3, 9)
        await hass.async_block_till_done()
        assert other != issue_id
        known = issue(hass, other)
        assert known is not None and known.dismissed_version is None
        assert issue_id not in ours(hass)


async def test_what_a_lamp_lost_is_written_again(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """After its memory was erased, so that nothing strange is left in it."""
    async with aquarium(hass, tmp_path, demo=True):
        engine, lamp = engine_of(hass), device_named(hass, "Demo light")
        await send(
            hass,
            "Demo light",
            "add_auto_setting",
            sunrise="08:00",
            sunset="12:00",
            brightness=30,
        )
        strange = MemoryReport(points=(LightPoint(hour=3, minute=15, level=99),))
        engine.device_memory.memory_read(lamp, strange)
        (found,) = present(engine)
        await until(hass, lambda: found.id in ours(hass))
        shown = about(hass, found.id)
        assert shown["shown"] == "points at 03:15, level 99"
        assert "sunrise 08:00" in shown["written"]

        await choose(hass, found.id, "write_again")

        commands = await engine.history.recent(lamp, 2)
        assert [one.action for one in reversed(commands)] == [
            "reset_auto_settings",
            "add_auto_setting",
        ]
        await hass.async_block_till_done()
        assert found.id not in ours(hass)


async def test_a_lamp_with_many_windows_gets_all_of_them_back(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """However few commands a user may send in a minute."""
    async with aquarium(hass, tmp_path, demo=True):
        engine, lamp = engine_of(hass), device_named(hass, "Demo light")
        for hour in range(12):
            times = {"sunrise": f"{hour:02d}:00", "sunset": f"{hour:02d}:30"}
            command = await engine.send(
                lamp,
                "add_auto_setting",
                {**times, "brightness": 30},
                Origin(source=Source.ENGINE),
            )
            await engine.finished(command)
        strange = MemoryReport(points=(LightPoint(hour=15, minute=15, level=99),))
        engine.device_memory.memory_read(lamp, strange)
        (found,) = present(engine)
        await until(hass, lambda: found.id in ours(hass))

        await choose(hass, found.id, "write_again")

        kept = engine.device_memory.content.auto_settings(lamp.row.number)
        assert len(kept.settings) == 12


async def test_a_lamp_that_loses_its_link_on_the_way_is_still_owed_its_windows(
    hass: HomeAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its memory was erased, and not all is back: the issue stays, and nothing is forgotten."""
    async with aquarium(hass, tmp_path, demo=True) as entry:
        engine, lamp = engine_of(hass), device_named(hass, "Demo light")
        for hour in (8, 14):
            times = {"sunrise": f"{hour:02d}:00", "sunset": f"{hour + 2:02d}:00"}
            await send(hass, "Demo light", "add_auto_setting", **times, brightness=30)
        content = engine.device_memory.content
        wanted = content.auto_settings(lamp.row.number)
        strange = MemoryReport(points=(LightPoint(hour=3, minute=15, level=99),))
        engine.device_memory.memory_read(lamp, strange)
        (found,) = present(engine)
        await until(hass, lambda: found.id in ours(hass))
        port = lamp.device
        assert isinstance(port, ChihirosLight)
        perform = port.perform

        async def lost(action: str, args: Mapping[str, object]) -> Any:
            """Lose the link once the memory is empty."""
            if action == "add_auto_setting":
                raise DeviceError("link_lost", transient=False)
            return await perform(action, args)

        with monkeypatch.context() as patch:
            patch.setattr(port, "perform", lost)
            result = await choose(hass, found.id, "write_again")
        assert result["reason"] == "not_done"
        await engine.journal.written()
        await hass.async_block_till_done()
        assert found.id in ours(hass)
        assert content.auto_settings(lamp.row.number) == wanted

        await choose(hass, found.id, "write_again")
        await hass.async_block_till_done()
        assert found.id not in ours(hass)
        await restart(hass, entry)
        content = engine_of(hass).device_memory.content
        assert content.auto_settings(lamp.row.number) == wanted


async def test_a_memory_that_cannot_be_written_stays_an_issue(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The flow says why."""
    async with aquarium(hass, tmp_path, demo=True):
        doser = device_named(hass, "Demo doser")
        issue_id = shows(hass, doser, 3, 8)
        await until(hass, lambda: issue_id in ours(hass))
        port = doser.device
        assert isinstance(port, ChihirosDoser)
        await port.link.release_for_app(60)

        result = await choose(hass, issue_id, "write_again")

        assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_done")
        assert issue_id in ours(hass)


async def measurable(hass: HomeAssistant, doser: MeasuredDoser) -> DeviceState:
    """Attach a pump that can be calibrated in no time."""
    return await engine_of(hass).attach(doser, limits=DeviceLimits(), aquarium=None)


async def test_a_head_that_gives_too_little_is_calibrated_again(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The issue leads through it, and ends with it."""
    async with aquarium(hass, tmp_path):
        engine = engine_of(hass)
        state = await measurable(hass, MeasuredDoser())
        number = state.row.number
        gives_too_little(engine, number, 1)
        issue_id = f"recalibration_{number}_1"
        await until(hass, lambda: issue_id in ours(hass))
        shown = about(hass, issue_id)
        assert (shown["at"], shown["percent"]) == ("-", "85")

        result: Any = await flows(hass).async_init(
            DOMAIN, context={"issue_id": issue_id}
        )
        assert result["step_id"] == "calibrate"
        told = result["description_placeholders"]
        assert (told["percent"], told["seconds"]) == ("85", "5")
        for answer in (
            {},
            {"measured_ml": 4.25},
            {"next_step_id": "test_dose"},
            {"next_step_id": "keep"},
        ):
            result = await flows(hass).async_configure(result["flow_id"], answer)
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await hass.async_block_till_done()
        assert issue_id not in ours(hass)
        assert engine.calibrations[number, 1].measured == 4250
        await engine.equipment.detach(number)


async def test_a_calibration_of_half_a_year_ago_is_old(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Hoses wear; a new measurement ends the issue."""
    async with aquarium(hass, tmp_path, demo=True) as entry:
        engine = engine_of(hass)
        number = device_named(hass, "Demo doser").row.number
        before = dt_util.utcnow() - timedelta(days=181)
        old = calibration_rows.Calibration(
            device=number, head=2, at=before, asked=5000, measured=5000, flow=None
        )
        await engine.journal.commit(
            lambda connection: calibration_rows.add(connection, old, None)
        )
        await restart(hass, entry)
        issue_id = f"recalibration_{number}_2"
        assert issue_id in ours(hass)
        shown = about(hass, issue_id)
        assert shown["percent"] == "-"
        assert shown["at"].startswith(f"{dt_util.as_local(before):%Y-%m-%d}")

        await engine_of(hass).calibrations.measured(
            device_named(hass, "Demo doser"), 2, asked=5000, measured=5000, user=None
        )
        await hass.async_block_till_done()
        assert issue_id not in ours(hass)


@pytest.fixture
async def unstopped(
    hass: HomeAssistant, tmp_path: Path
) -> AsyncIterator[MockConfigEntry]:
    """Set up a doser by a switch that nothing but Home Assistant turns off."""
    await entities_behind(hass)
    kept = subentry("doser", "Iron", {**IRON, "automatic_off_seconds": None})
    async with aquarium(hass, tmp_path, subentries=[kept]) as entry:
        await hass.async_block_till_done()
        yield entry


async def test_a_switch_that_nothing_stops_is_warned_of(
    hass: HomeAssistant, unstopped: MockConfigEntry
) -> None:
    """Ignored it stays so over a reload; an automatic off ends it."""
    issue_id = f"no_automatic_off_{device_named(hass, 'Iron').row.number}"
    found = issue(hass, issue_id)
    assert found is not None and not found.is_fixable
    assert found.severity is ir.IssueSeverity.WARNING
    ir.async_ignore_issue(hass, DOMAIN, issue_id, True)

    assert await hass.config_entries.async_reload(unstopped.entry_id)
    await hass.async_block_till_done()
    found = issue(hass, issue_id)
    assert found is not None and found.dismissed_version is not None

    hass.config_entries.async_update_subentry(
        unstopped,
        unstopped.subentries["iron"],
        data={**unstopped.subentries["iron"].data, "automatic_off_seconds": 60},
    )
    await hass.async_block_till_done()
    assert issue_id not in ours(hass)


async def test_a_doser_that_is_removed_takes_its_issues_along(
    hass: HomeAssistant, unstopped: MockConfigEntry
) -> None:
    """Nobody can do anything about them any more."""
    assert ours(hass)
    hass.config_entries.async_remove_subentry(unstopped, "iron")
    await hass.async_block_till_done()
    assert ours(hass) == set()
