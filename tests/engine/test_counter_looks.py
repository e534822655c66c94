"""When the counters are read for a dose whose end nobody saw (RES-52)."""

from custom_components.aquarist.engine.state import DeviceState
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import SERVICE, Rig
from tests.engine.test_dosing_counters import HEAD, dose, known, lost, slow


async def unread(rig: Rig) -> tuple[MemoryDoser, DeviceState]:
    """Lose the end of a dose of 2 mL, and let the reading at its time fail."""
    doser, state = await slow(rig)
    await lost(rig, doser, state, 2)
    doser.lifetime[HEAD] = 2000
    doser.counts = False
    await rig.advance(60)
    assert doser.asked == 1
    doser.counts = True
    return doser, state


async def test_it_is_looked_again_after_ten_minutes(rig: Rig) -> None:
    """When nothing happens before."""
    doser, _ = await unread(rig)
    await rig.advance(9 * 60)
    assert await known(rig) == [("unknown", None)]
    await rig.advance(60)
    assert await known(rig) == [("given", 2000)]
    assert doser.asked == 2


async def test_it_is_looked_as_soon_as_the_pump_is_connected(rig: Rig) -> None:
    """Once: what a look has told is not looked for again."""
    doser, _ = await unread(rig)
    doser._tell_connected()
    await rig.advance(0)
    assert await known(rig) == [("given", 2000)]
    doser._tell_connected()
    await rig.advance(0)
    assert doser.asked == 2


async def test_it_is_looked_as_soon_as_the_pump_comes_into_reach(rig: Rig) -> None:
    """To go out of reach is no reason."""
    doser, _ = await unread(rig)
    doser._tell_availability(False)
    await rig.advance(0)
    assert doser.asked == 1
    doser._tell_availability(True)
    await rig.advance(0)
    assert await known(rig) == [("given", 2000)]


async def test_nobody_looks_while_somebody_does(rig: Rig) -> None:
    """The connection was made for that."""
    doser, state = await unread(rig)
    state.queue.hold()
    await rig.engine.send(state, "request_status", {}, SERVICE)
    doser._tell_connected()
    await rig.advance(0)
    state.queue.release()
    await rig.settle()
    assert doser.asked == 2


async def test_nobody_looks_while_a_dose_is_under_way(rig: Rig) -> None:
    """It has read the counters itself before it began."""
    doser, state = await unread(rig)
    command = await dose(rig, state, 1)
    doser._tell_connected()
    await rig.advance(0)
    assert doser.asked == 1
    doser.under_way[-1].give(1000)
    await rig.done(command)


async def test_nobody_looks_before_the_dose_must_have_ended(rig: Rig) -> None:
    """The pump may still deliver it."""
    doser, state = await slow(rig)
    await lost(rig, doser, state, 2)
    doser._tell_connected()
    await rig.advance(0)
    assert doser.asked == 0
    doser.lifetime[HEAD] = 2000
    await rig.advance(60)
    assert doser.asked == 1
    assert await known(rig) == [("given", 2000)]


async def test_nobody_asks_a_pump_of_which_nothing_is_open(rig: Rig) -> None:
    """However often it is connected."""
    doser, _ = await slow(rig)
    doser._tell_connected()
    await rig.advance(1)
    assert doser.asked == 0


async def test_a_dose_of_a_head_that_is_gone_is_in_nobodys_way(rig: Rig) -> None:
    """The pump was set up anew with fewer heads: it and the engine start all the same."""
    doser, state = await slow(rig)
    args = {"head_index": 1, "volume_ml": 2}
    command = await rig.engine.send(state, "dose", args, SERVICE)
    await rig.settle()
    doser.under_way[-1].give(None)
    await rig.done(command)
    smaller = MemoryDoser()
    smaller.heads = smaller.heads[:1]
    smaller.lifetime[1] = 2000
    await rig.reboot(smaller)
    await rig.advance(60)
    assert smaller.asked == 1
    (dose,) = rig.engine.gate.doses(1, 1)
    assert (dose.state.value, dose.given) == ("given", 2000)
