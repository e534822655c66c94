"""The modes of an aquarium: those without set-up, and the keeper's own with revisions."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.mode_definitions import ModeDefinitions
from custom_components.aquarist.runs.steps import HoldStep
from custom_components.aquarist.schedules.errors import ScheduleError
from custom_components.aquarist.store import definitions
from tests.engine.mode_rig import (
    COUNTDOWN,
    DOSER,
    KEEPER,
    RETURN,
    SKIMMER,
    TANK,
    ModeRig,
    hold,
    mode,
    mode_rig,
    release,
    until,
)
from tests.engine.rig import Pump


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[ModeRig]:
    """Give an aquarium with a return pump, a skimmer and a doser."""
    async with mode_rig(tmp_path) as rig:
        yield rig


def kept(rig: ModeRig) -> ModeDefinitions:
    """Return the modes."""
    return rig.engine.modes.definitions


async def refused(request: Any) -> tuple[str, str | None]:
    """Return the word of a refusal, and the field that is wrong."""
    try:
        await request
    except (EngineError, InvalidValue, ScheduleError) as error:
        return error.code, error.field
    pytest.fail("not refused")


def held(rig: ModeRig, name: str) -> set[str]:
    """Return the fields that a mode holds, with their devices."""
    definition = kept(rig).startable(TANK, name)
    return {
        f"{step.device_id} {step.field_name}"
        for step in definition.steps
        if isinstance(step, HoldStep)
    }


async def test_every_aquarium_has_two(rig: ModeRig) -> None:
    """What they hold are the devices that it has now."""
    assert kept(rig).names(TANK) == ("feed", "maintenance")
    assert held(rig, "feed") == {f"{RETURN} level", f"{SKIMMER} level"}
    assert held(rig, "maintenance") == held(rig, "feed") | {
        f"{DOSER} dosing_allowed_0",
        f"{DOSER} dosing_allowed_1",
    }
    await rig.engine.equipment.retire(rig.engine.device(SKIMMER).row.number)
    assert held(rig, "feed") == {f"{RETURN} level"}
    assert [one.definition for one in kept(rig).all("nano")] == [None, None]


async def test_a_mode_is_kept_over_restarts(rig: ModeRig) -> None:
    """Made, changed and removed."""
    made = await kept(rig).create(TANK, mode(hold(RETURN), COUNTDOWN), user="keeper")
    assert made.row is not None
    assert (made.name, made.aquarium, made.row.revision) == ("Night feed", TANK, 1)
    assert kept(rig).names(TANK) == ("feed", "maintenance", "Night feed")
    assert kept(rig).names("nano") == ("feed", "maintenance")

    await rig.again()
    renamed = mode(hold(SKIMMER), COUNTDOWN, name="Rest")
    changed = await kept(rig).update(
        TANK, "Night feed", renamed, user="keeper", expected_revision=1
    )
    assert kept(rig).names(TANK) == ("feed", "maintenance", "Rest")
    assert kept(rig).get(TANK, "Rest") == changed
    assert held(rig, "Rest") == {f"{SKIMMER} level"}

    row = changed.row
    assert row is not None and rig.engine.database is not None
    await kept(rig).delete(TANK, "Rest", user="keeper", expected_revision=2)
    assert kept(rig).names(TANK) == ("feed", "maintenance")
    found = await rig.engine.database.read(
        lambda connection: definitions.revisions(connection, row.id)
    )
    assert [one.change for one in found] == ["created", "updated", "deleted"]
    # Each time the aquarium's modes were told to have changed.
    assert rig.told == [(None, None)] * 3


async def test_two_aquariums_may_use_the_same_name(rig: ModeRig) -> None:
    """Each for its own devices."""
    await rig.attach(Pump("Nano"), aquarium="nano")
    await rig.keep(hold(RETURN), COUNTDOWN)
    await kept(rig).create("nano", mode(hold("uuid-Nano"), COUNTDOWN), user=None)
    assert held(rig, "Night feed") == {f"{RETURN} level"}
    assert await refused(
        kept(rig).create(TANK, mode(hold(SKIMMER), COUNTDOWN), user=None)
    ) == ("mode_name_taken", "name")


async def test_normal_is_no_mode(rig: ModeRig) -> None:
    """It is what an aquarium is in without one."""
    data = mode(hold(RETURN), COUNTDOWN, name="Normal")
    assert await refused(kept(rig).create(TANK, data, user=None)) == (
        "mode_name_taken",
        "name",
    )


async def test_a_stored_mode_takes_the_place_of_one_without_set_up(
    rig: ModeRig,
) -> None:
    """Until it is deleted."""
    data = mode(hold(SKIMMER), COUNTDOWN, duration_minutes=3)
    await kept(rig).update(TANK, "feed", data, user="keeper")
    assert kept(rig).names(TANK) == ("feed", "maintenance")
    assert held(rig, "feed") == {f"{SKIMMER} level"}
    await rig.start("feed")
    assert (rig.levels(), rig.status().seconds_left) == ((80, 0), 180)
    await kept(rig).delete(TANK, "feed", user="keeper")
    assert held(rig, "feed") == {f"{RETURN} level", f"{SKIMMER} level"}
    # What is under way goes on as it was.
    assert rig.status().seconds_left == 180


async def test_what_is_not_there_cannot_be_changed(rig: ModeRig) -> None:
    """Nor what is not stored be deleted."""
    data = mode(hold(RETURN), COUNTDOWN)
    for request in (
        kept(rig).update(TANK, "Rest", data, user=None),
        kept(rig).delete(TANK, "Rest", user=None),
        rig.engine.modes.start(TANK, "Rest", KEEPER),
    ):
        assert await refused(request) == ("mode_not_found", "mode")
    assert await refused(kept(rig).delete(TANK, "feed", user=None)) == (
        "mode_not_stored",
        "mode",
    )


async def test_a_change_from_another_revision_is_refused(rig: ModeRig) -> None:
    """Somebody else was faster."""
    await rig.keep(hold(RETURN), COUNTDOWN)
    data = mode(hold(RETURN), COUNTDOWN)
    for request in (
        kept(rig).update(TANK, "Night feed", data, user=None, expected_revision=7),
        kept(rig).delete(TANK, "Night feed", user=None, expected_revision=7),
    ):
        assert await refused(request) == ("revision_conflict", "expected_revision")


async def test_what_no_longer_validates_stays_and_is_not_started(rig: ModeRig) -> None:
    """Law 10."""
    await rig.keep(hold(RETURN), COUNTDOWN)
    await rig.engine.journal.commit(
        lambda connection: connection.execute("UPDATE definition SET definition = '{}'")
    )
    await rig.again()
    broken = kept(rig).get(TANK, "Night feed")
    assert broken.definition is None
    assert broken.error == "name: missing"
    assert await refused(rig.engine.modes.start(TANK, "Night feed", KEEPER)) == (
        "mode_invalid",
        "mode",
    )


@pytest.mark.parametrize(
    ("step", "code", "field"),
    [
        (hold("nobody"), "device_not_found", "steps.0.hold.device_id"),
        (hold("uuid-Nano"), "device_of_other_aquarium", "steps.0.hold.device_id"),
        (release("nobody"), "device_not_found", "steps.0.release.device_id"),
        (until("nobody", above=1), "device_not_found", "steps.0.wait.device_id"),
        (
            hold(RETURN, field_name="speed", value=1),
            "field_not_found",
            "steps.0.hold.field_name",
        ),
        (
            hold(RETURN, field_name="level", value="fast"),
            "wrong_type",
            "steps.0.hold.level",
        ),
        (
            hold(DOSER, field_name="dosing_allowed_0", value=3),
            "wrong_type",
            "steps.0.hold.value",
        ),
        (hold(DOSER, 0), "field_not_found", "steps.0.hold.level"),
        (
            {"release": {"device_id": RETURN, "field_name": "speed"}},
            "field_not_found",
            "steps.0.release.field_name",
        ),
    ],
)
async def test_what_devices_cannot_do_is_refused_by_its_field(
    rig: ModeRig, step: dict[str, Any], code: str, field: str
) -> None:
    """Bad input stores nothing."""
    await rig.attach(Pump("Nano"), aquarium="nano")
    data = mode(step, hold(RETURN), COUNTDOWN)
    assert await refused(kept(rig).create(TANK, data, user=None)) == (code, field)
    assert kept(rig).names(TANK) == ("feed", "maintenance")


async def test_a_device_without_hardware_is_believed(rig: ModeRig) -> None:
    """What it can do is known when the mode begins."""
    await rig.engine.equipment.detach(rig.engine.device(RETURN).row.number)
    await rig.keep(hold(RETURN, field_name="speed", value=1), COUNTDOWN)
    await rig.start("Night feed")
    (trouble,) = rig.status().troubles
    assert (trouble.device_id, trouble.error) == (RETURN, "device_not_loaded")


async def test_a_name_without_set_up_is_written_in_any_way(rig: ModeRig) -> None:
    """What was stored under it is changed and deleted all the same."""
    data = mode(hold(SKIMMER), COUNTDOWN, duration_minutes=3)
    await kept(rig).update(TANK, "Feed", data, user="keeper")
    await kept(rig).update(TANK, "FEED", data | {"name": "Lunch"}, user="keeper")
    assert kept(rig).names(TANK) == ("feed", "maintenance", "Lunch")
    assert held(rig, "feed") == {f"{RETURN} level", f"{SKIMMER} level"}
    await kept(rig).update(TANK, "feed", data, user="keeper")
    await kept(rig).delete(TANK, "Feed", user="keeper")
    assert held(rig, "feed") == {f"{RETURN} level", f"{SKIMMER} level"}
