"""Macros: saved, changed, run and removed (R-C31, R-C62)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.devices.fields import InvalidValue
from custom_components.aquarist.engine.changes import MacroChanged
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.intake import Origin
from custom_components.aquarist.schedules.errors import ScheduleError
from custom_components.aquarist.store.schedules import Change
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import Pump
from tests.engine.run_rig import ORIGIN, RunRig, level, run_rig, wait

PAUSE: dict[str, Any] = {"delay": 60}


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[RunRig]:
    """Give a started engine with a pump."""
    async with run_rig(tmp_path) as rig:
        await rig.attach(Pump())
        yield rig


def macro(*sequence: dict[str, Any], name: str = "Evening", **more: Any) -> Any:
    """Return the definition of a macro."""
    return {"name": name, "sequence": list(sequence), **more}


async def test_a_macro_is_saved_and_run(rig: RunRig) -> None:
    """The run keeps what the macro was."""
    steps = (level(20), PAUSE, wait(above=5))
    made = await rig.engine.macros.create(macro(*steps), user="admin")
    assert (made.row.name, made.row.revision, made.error) == ("Evening", 1, None)
    assert MacroChanged(macro=made.row.id) in rig.changes

    run = await rig.engine.macros.run(made.row.id, ORIGIN)
    await rig.settle()
    row, _ = await rig.run(run)
    assert (row.kind, row.name, row.definition_id) == ("macro", "Evening", made.row.id)
    assert row.definition == made.row.definition
    assert await rig.states(run) == ("running", ["completed", "running"])


async def test_a_macro_is_changed(rig: RunRig) -> None:
    """Each change is a revision; what runs goes on as it was."""
    made = await rig.engine.macros.create(macro(PAUSE, level(20)), user="admin")
    run = await rig.engine.macros.run(made.row.id, ORIGIN)
    newer = await rig.engine.macros.update(
        made.row.id,
        macro(level(70), name="Night"),
        user="other",
        expected_revision=1,
    )
    assert (newer.row.name, newer.row.revision) == ("Night", 2)
    assert rig.engine.macros.get(made.row.id) == newer
    assert rig.engine.macros.named("Night") == newer
    await rig.advance(61)
    _, steps = await rig.run(run)
    assert len(steps) == 2

    revisions = await rig.engine.macros.revisions(made.row.id)
    assert [(one.revision, one.change, one.name, one.user) for one in revisions] == [
        (1, Change.CREATED, "Evening", "admin"),
        (2, Change.UPDATED, "Night", "other"),
    ]


async def test_a_change_from_another_revision_is_refused(rig: RunRig) -> None:
    """Somebody else was faster: nothing is overwritten."""
    made = await rig.engine.macros.create(macro(PAUSE), user=None)
    await rig.engine.macros.update(made.row.id, macro(level(1)), user=None)
    for change in (
        rig.engine.macros.update(
            made.row.id, macro(level(2)), user=None, expected_revision=1
        ),
        rig.engine.macros.delete(made.row.id, user=None, expected_revision=1),
    ):
        with pytest.raises(EngineError) as refused:
            await change
        assert refused.value.code == "revision_conflict"
        assert refused.value.placeholders["revision"] == "2"
    assert rig.engine.macros.get(made.row.id).row.revision == 2


async def test_a_name_is_used_once(rig: RunRig) -> None:
    """For two macros at a time."""
    await rig.engine.macros.create(macro(PAUSE), user=None)
    with pytest.raises(EngineError) as refused:
        await rig.engine.macros.create(macro(PAUSE), user=None)
    assert (refused.value.code, refused.value.field) == ("macro_name_taken", "name")
    await rig.engine.macros.create(macro(PAUSE, name="A"), user=None)
    assert [one.row.name for one in rig.engine.macros.all] == ["A", "Evening"]


async def test_a_macro_is_removed_with_its_runs(rig: RunRig) -> None:
    """What never comes back is not run any more; other runs go on."""
    made = await rig.engine.macros.create(macro(PAUSE), user=None)
    other = await rig.engine.macros.create(macro(PAUSE, name="Other"), user=None)
    run = await rig.engine.macros.run(made.row.id, ORIGIN)
    goes_on = await rig.engine.macros.run(other.row.id, ORIGIN)
    await rig.settle()
    await rig.engine.macros.delete(made.row.id, user="admin")

    assert (await rig.states(run))[0] == "cancelled"
    assert (await rig.states(goes_on))[0] == "running"
    with pytest.raises(EngineError) as refused:
        rig.engine.macros.get(made.row.id)
    assert refused.value.code == "macro_not_found"
    with pytest.raises(EngineError) as refused:
        rig.engine.macros.named("Evening")
    assert refused.value.code == "macro_not_found"


async def test_a_run_that_is_ending_does_not_keep_the_others_going(rig: RunRig) -> None:
    """Its end is on the way to the store as its macro is removed."""
    made = await rig.engine.macros.create(
        macro(PAUSE, mode="parallel", max=2), user=None
    )
    ending = await rig.engine.macros.run(made.row.id, ORIGIN)
    other = await rig.engine.macros.run(made.row.id, ORIGIN)
    await rig.settle()
    (await rig.engine.runs.find_live(ending.id)).ending = True
    await rig.engine.macros.delete(made.row.id, user="admin")
    assert (await rig.states(other))[0] == "cancelled"


@pytest.mark.parametrize(
    ("step", "field", "code"),
    [
        (level(20, "gone"), "sequence.1.command.device_id", "device_not_found"),
        (
            wait(device_id="gone", above=1),
            "sequence.1.wait.device_id",
            "device_not_found",
        ),
        (
            wait(field_name="salt", above=1),
            "sequence.1.wait.field_name",
            "field_not_found",
        ),
        (
            {"command": {"device_id": "uuid-Pump", "action": "sing"}},
            "sequence.1.command.action",
            "unknown_action",
        ),
        (level(101), "sequence.1.command.args.level", "value_out_of_bounds"),
        (
            {
                "command": {
                    "device_id": "uuid-Pump",
                    "action": "dose",
                    "args": {"head_index": 0, "volume_ml": 1},
                }
            },
            "sequence.1.command.device_id",
            "not_a_doser",
        ),
    ],
)
async def test_a_macro_that_cannot_run_is_not_saved(
    rig: RunRig, step: dict[str, Any], field: str, code: str
) -> None:
    """Law 10: the field of the step is named."""
    with pytest.raises((EngineError, InvalidValue)) as refused:
        await rig.engine.macros.create(macro(PAUSE, step), user=None)
    error = refused.value
    assert isinstance(error, EngineError | InvalidValue)
    assert (error.field, error.code) == (field, code)
    assert rig.engine.macros.all == ()


async def test_a_wrong_definition_is_not_saved(rig: RunRig) -> None:
    """As every definition, by its field."""
    with pytest.raises(ScheduleError) as refused:
        await rig.engine.macros.create(macro(), user=None)
    assert refused.value.field == "sequence"


async def test_a_device_that_is_not_loaded_is_no_hindrance(rig: RunRig) -> None:
    """What it can do is found out when the macro runs."""
    (number,) = rig.engine.devices
    await rig.engine.equipment.detach(number)
    made = await rig.engine.macros.create(
        macro(level(101), wait(field_name="salt", above=1)), user=None
    )
    assert made.definition is not None


async def test_a_macro_with_a_vanished_device_stays_and_fails_clearly(
    rig: RunRig,
) -> None:
    """Its device was taken out of use."""
    made = await rig.engine.macros.create(macro(level(20)), user=None)
    (number,) = rig.engine.devices
    await rig.engine.equipment.retire(number)
    await rig.reboot()
    assert rig.engine.macros.get(made.row.id).definition is not None
    run = await rig.engine.macros.run(made.row.id, ORIGIN)
    await rig.settle()
    row, _ = await rig.run(run)
    assert (row.state, row.error) == ("failed", "device_not_found")


async def test_what_no_longer_validates_stays_and_is_not_run(rig: RunRig) -> None:
    """Law 10."""
    made = await rig.engine.macros.create(macro(PAUSE), user=None)
    await rig.engine.journal.commit(
        lambda connection: connection.execute(
            "UPDATE definition SET definition = '{}' WHERE id = ?", (made.row.id,)
        )
    )
    await rig.reboot(Pump())
    broken = rig.engine.macros.get(made.row.id)
    assert broken.definition is None
    assert broken.error is not None and "name" in broken.error
    with pytest.raises(EngineError) as refused:
        await rig.engine.macros.run(made.row.id, ORIGIN)
    assert refused.value.code == "macro_invalid"


async def test_without_a_store_there_are_no_revisions(rig: RunRig) -> None:
    """And nothing can be saved."""
    made = await rig.engine.macros.create(macro(PAUSE), user=None)
    database, rig.engine.macros._database = rig.engine.macros._database, None
    with pytest.raises(EngineError) as refused:
        await rig.engine.macros.revisions(made.row.id)
    rig.engine.macros._database = database
    assert refused.value.code == "store_locked"


async def test_a_destructive_step_says_that_it_is_meant(rig: RunRig) -> None:
    """RES-70: confirmed when it is saved, so that nobody asks in the night."""

    class Resettable(MemoryDoser):
        """A doser that can be reset."""

        ACTIONS = {**MemoryDoser.ACTIONS, "factory_reset": ()}

    await rig.attach(Resettable())
    step = {"device_id": "uuid-Doser", "action": "factory_reset"}
    with pytest.raises(EngineError) as refused:
        await rig.engine.macros.create(macro({"command": step}), user=None)
    assert (refused.value.code, refused.value.field) == (
        "confirmation_needed",
        "sequence.0.command.confirm",
    )
    made = await rig.engine.macros.create(
        macro({"command": step | {"confirm": True}}), user=None
    )
    run = await rig.engine.macros.run(
        made.row.id, Origin(source=Source.MACRO, user="keeper")
    )
    await rig.settle()
    assert (await rig.states(run))[0] == "completed"
