"""History: one command, a page of them, or all (R-C4, R-C33, R-C53)."""

import pytest

from custom_components.aquarist.commands.command import Source
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.intake import Origin
from custom_components.aquarist.store.command_history import CommandFilter
from tests.engine.rig import SERVICE, Pump, Rig


async def test_one_is_found_by_its_id_at_its_device(rig: Rig) -> None:
    """Also when it has ended, and of a device that is not loaded."""
    state, other = await rig.attach(Pump()), await rig.attach(Pump("Other"))
    sent = await rig.engine.send(state, "turn_off", {}, SERVICE, id="one")
    ended = await rig.done(sent)
    await rig.engine.equipment.detach(state.row.number)
    assert await rig.engine.history.command(state, "one") == ended
    assert await rig.engine.history.command(other, "one") is None
    assert await rig.engine.history.command(state, "two") is None


async def test_the_audit_tells_who_asked(rig: Rig) -> None:
    """R-C63: found by user, with the context; page by page."""
    state = await rig.attach(Pump())
    origin = Origin(source=Source.REST, user="keeper", context="c")
    for _ in range(3):
        await rig.done(await rig.engine.send(state, "turn_on", {}, origin))
    await rig.done(await rig.engine.send(state, "turn_off", {}, SERVICE))
    wanted = CommandFilter(user="keeper", phases=frozenset({Phase.COMPLETED}))
    first = await rig.engine.history.find(wanted, 2)
    second = await rig.engine.history.find(wanted, 2, first[-1].order)
    assert [one.order for one in (*first, *second)] == [3, 2, 1]
    assert {one.context for one in (*first, *second)} == {"c"}


@pytest.mark.parametrize("limit", [0, 101])
async def test_a_page_has_bounds(rig: Rig, limit: int) -> None:
    """R-C53: a hundred at most."""
    with pytest.raises(EngineError) as refused:
        await rig.engine.history.find(CommandFilter(), limit)
    assert (refused.value.code, refused.value.field) == ("out_of_range", "limit")


async def test_the_export_holds_all_of_it(rig: Rig) -> None:
    """In the order of acceptance."""
    state = await rig.attach(Pump())
    sent = [
        await rig.done(await rig.engine.send(state, action, {}, SERVICE))
        for action in ("turn_off", "turn_on", "turn_off")
    ]
    pages = [page async for page in rig.engine.history.export(CommandFilter())]
    assert [one for page in pages for one in page] == sent


async def test_without_a_store_there_is_no_history(rig: Rig) -> None:
    """The engine is locked."""
    await rig.engine.close()
    engine = rig.lock()
    state = await rig.attach(Pump())
    for asked in (
        engine.history.command(state, "one"),
        engine.history.find(CommandFilter(), 10),
    ):
        with pytest.raises(EngineError) as refused:
            await asked
        assert refused.value.code == "store_locked"
    with pytest.raises(EngineError) as refused:
        engine.history.export(CommandFilter())
    assert refused.value.code == "store_locked"
