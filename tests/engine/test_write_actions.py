"""How the write actions stand, over their lives and over a restart (R-T58)."""

from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.engine.write_actions import LOOKING_BACK
from tests.engine.holding import window
from tests.engine.rig import SERVICE, Pump, Rig

FINAL = DeviceError("service_failed", transient=False)


def counts(rig: Rig, *devices: int) -> tuple[int, int, int]:
    """Return how many are planned, active, and failed."""
    actions = rig.engine.write_actions
    return (
        actions.planned(devices),
        actions.active(devices),
        len(actions.failures(devices)),
    )


async def test_over_a_life(rig: Rig) -> None:
    """Planned, active, and then none of them."""
    state = await rig.attach(Pump(level=80))
    number = state.row.number
    await window(rig, state, 0, 60, 120)
    await window(rig, state, 10, 30, 600)
    assert counts(rig, number) == (2, 0, 0)
    assert counts(rig, number + 1) == (0, 0, 0)
    await rig.advance(60)
    assert counts(rig, number) == (0, 2, 0)
    await rig.advance(60)
    assert counts(rig, number) == (0, 1, 0)
    await rig.advance(600)
    assert counts(rig, number) == (0, 0, 0)


async def test_other_commands_are_none(rig: Rig) -> None:
    """A level that is set, or held by an override, is no write action."""
    state = await rig.attach(Pump(level=80))
    await rig.done(await rig.engine.send(state, "set_level", {"level": 50}, SERVICE))
    await rig.engine.override(state, "level", 0, SERVICE, seconds=60)
    await rig.settle()
    assert counts(rig, state.row.number) == (0, 0, 0)


async def test_a_failure_counts_for_a_day(rig: Rig) -> None:
    """The last one is the last; another device has none."""
    pump = Pump(level=80)
    state = await rig.attach(pump)
    number = state.row.number
    for _ in range(2):
        pump.fail_next(FINAL)
        last = await window(rig, state, 0, 0, 600)
        await rig.advance(60)
    failures = rig.engine.write_actions.failures([number])
    assert len(failures) == 2
    assert failures[-1].id == last.id
    assert counts(rig, number + 1) == (0, 0, 0)
    await rig.advance(LOOKING_BACK.total_seconds() - 90)
    assert len(rig.engine.write_actions.failures([number])) == 1
    await rig.advance(120)
    assert counts(rig, number) == (0, 0, 0)
    pump.fail_next(FINAL)
    await window(rig, state, 0, 0, 600)
    assert counts(rig, number) == (0, 0, 1)


async def test_after_a_restart(rig: Rig) -> None:
    """What waits, holds and failed is known again."""
    pump = Pump(level=80)
    pump.fail_next(FINAL)
    state = await rig.attach(pump)
    await window(rig, state, 0, 0, 600)
    await window(rig, state, 20, 0, 600)
    await window(rig, state, 30, 300, 600)
    await rig.engine.override(state, "level", 0, SERVICE, seconds=600)
    await rig.settle()
    number = state.row.number
    assert counts(rig, number) == (1, 1, 1)
    await rig.reboot(pump)
    assert counts(rig, number) == (1, 1, 1)
