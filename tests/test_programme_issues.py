"""A programme in a pump's memory that a limit or a rule does not reach is told of (law 5)."""

from pathlib import Path
from typing import Any

from homeassistant.components.repairs import DOMAIN as REPAIRS
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
import pytest

from custom_components.aquarist.engine.safety import Interlock
from custom_components.aquarist.engine.state import (
    AquariumLimits,
    DeviceLimits,
    DeviceState,
    HeadLimits,
)
from custom_components.aquarist.limits.interlock import Requirement
from custom_components.aquarist.programme_issues import present

from .aquarium import ENTRY, aquarium, device_named, engine_of, restart
from .test_dosing_repairs import SERVICE, about, choose, send
from .test_repairs import issue, ours, until

DOSER = "Demo doser"
HEAD = 3
FLOW = Requirement(above=100)


@pytest.fixture(autouse=True)
async def repairs(hass: HomeAssistant) -> None:
    """Let issues be fixed."""
    assert await async_setup_component(hass, REPAIRS, {})


async def programmed(hass: HomeAssistant, *heads: int) -> DeviceState:
    """Write a programme of 5 mL a day into the pump's memory for some heads."""
    for planned in engine_of(hass).planner.schedules:
        await engine_of(hass).delete_schedule(planned.row.id, user=None)
    for head in heads or (HEAD,):
        await write(hass, head, 50)
    return device_named(hass, DOSER)


async def write(hass: HomeAssistant, head: int, tenths: int) -> None:
    """Write a programme for a head."""
    await send(
        hass,
        DOSER,
        "set_schedule",
        head_index=head,
        volume_tenths_ml=tenths,
        hour=8,
        minute=30,
    )


def limited(hass: HomeAssistant, **limits: Any) -> None:
    """Change what the keeper allows the head."""
    heads = {HEAD: HeadLimits(**limits)}
    device_named(hass, DOSER).limits = DeviceLimits(heads=heads)
    engine_of(hass).set_aquarium_limits(ENTRY, AquariumLimits())


def found(hass: HomeAssistant, begins: str = "programme_") -> list[str]:
    """Return the ids of the reported issues of programmes."""
    return sorted(one for one in ours(hass) if one.startswith(begins))


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"budget": 4000}, "4 mL"),
        ({"maximum_volume": 3000}, "at once"),
        ({"minimum_interval": 2 * 86400.0}, "2880 min must pass"),
        ({"enabled": False}, "disabled"),
        ({"only_calibrated": True}, "calibrated"),
    ],
)
async def test_a_limit_of_the_head_that_is_lowered_later(
    hass: HomeAssistant, tmp_path: Path, limits: dict[str, Any], reason: str
) -> None:
    """The issue names head, programme and limit; it ends when the programme fits again."""
    async with aquarium(hass, tmp_path, demo=True):
        await programmed(hass)
        assert found(hass) == []
        limited(hass, **limits)
        await hass.async_block_till_done()
        (issue_id,) = found(hass)
        assert issue_id.startswith("programme_over_limit")
        shown = about(hass, issue_id)
        assert (shown["name"], shown["head"], shown["volume"]) == (DOSER, "4", "5")
        assert reason in shown["reason"]

        limited(hass)
        await hass.async_block_till_done()
        assert found(hass) == []


@pytest.mark.parametrize(
    "limits",
    [
        AquariumLimits(budget=4000),
        AquariumLimits(additive_budget={"Iron": 4000}),
    ],
)
async def test_a_limit_of_the_aquarium_that_is_lowered_later(
    hass: HomeAssistant, tmp_path: Path, limits: AquariumLimits
) -> None:
    """It ends when the programme is written anew so that it fits."""
    async with aquarium(hass, tmp_path, demo=True):
        await programmed(hass)
        limited(hass, additive="Iron")
        engine_of(hass).set_aquarium_limits(ENTRY, limits)
        await hass.async_block_till_done()
        (issue_id,) = found(hass)
        assert "4 mL" in about(hass, issue_id)["reason"]

        await write(hass, HEAD, 30)
        assert found(hass) == []


async def test_a_head_that_is_switched_off_goes_on_by_its_programme(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The keeper's switch does not reach the pump's memory; a mode that passes says nothing."""
    async with aquarium(hass, tmp_path, demo=True):
        doser = await programmed(hass)
        for allowed, expected in ((False, 1), (True, 0)):
            command = await engine_of(hass).acceptance.set_field(
                doser, f"dosing_allowed_{HEAD}", allowed, SERVICE
            )
            await engine_of(hass).finished(command)
            await hass.async_block_till_done()
            assert len(found(hass, "programme_over_limit")) == expected

        override = await engine_of(hass).override(
            doser, f"dosing_allowed_{HEAD}", False, SERVICE, seconds=600
        )
        await hass.async_block_till_done()
        assert found(hass) == []
        await engine_of(hass).cancel(override)

        await engine_of(hass).emergency.stop(ENTRY)
        await hass.async_block_till_done()
        assert len(found(hass, "programme_over_limit")) == 1


async def test_the_programme_can_be_removed(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """The way out of the issue writes it out of the pump."""
    async with aquarium(hass, tmp_path, demo=True) as entry:
        doser = await programmed(hass)
        limited(hass, budget=4000)
        await hass.async_block_till_done()
        (issue_id,) = found(hass)

        result = await choose(hass, issue_id, "remove")

        assert result["type"] is FlowResultType.CREATE_ENTRY
        await hass.async_block_till_done()
        assert found(hass) == []
        content = engine_of(hass).device_memory.content
        assert content.programmes(doser.row.number) == {}
        await restart(hass, entry)
        assert found(hass) == []


async def test_it_may_stay(hass: HomeAssistant, tmp_path: Path) -> None:
    """Nobody is asked again, until the limit is lowered once more."""
    async with aquarium(hass, tmp_path, demo=True):
        await programmed(hass)
        limited(hass, budget=4000)
        await hass.async_block_till_done()
        (issue_id,) = found(hass)
        result = await choose(hass, issue_id, "accept")
        assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "accepted")
        known = issue(hass, issue_id)
        assert known is not None and known.dismissed_version is not None

        limited(hass, budget=3000)
        await hass.async_block_till_done()
        (other,) = found(hass)
        assert other != issue_id
        known = issue(hass, other)
        assert known is not None and known.dismissed_version is None


def rule(hass: HomeAssistant, device: str = DOSER, name: str = "Flow") -> Interlock:
    """Return a rule that guards a device."""
    return Interlock(
        id=name.lower(),
        name=name,
        device=device_named(hass, device).row.uuid,
        source="sensor.flow",
        requirement=FLOW,
    )


async def test_a_rule_does_not_reach_what_is_in_the_memory(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Whichever came first; one issue for the rule names all the heads."""
    async with aquarium(hass, tmp_path, demo=True):
        safety = engine_of(hass).safety
        safety.set_rules(ENTRY, (rule(hass),))
        await hass.async_block_till_done()
        assert found(hass) == []
        doser = await programmed(hass, 2, HEAD)
        (issue_id,) = found(hass)
        assert issue_id == f"programme_unguarded_{doser.row.number}_flow"
        shown = about(hass, issue_id)
        assert (shown["name"], shown["heads"], shown["rule"]) == (DOSER, "3, 4", "Flow")

        safety.set_rules(ENTRY, ())
        await hass.async_block_till_done()
        assert found(hass) == []
        safety.set_rules(
            ENTRY, (rule(hass, "Demo light", "Lamp"), rule(hass, name="Level"))
        )
        await hass.async_block_till_done()
        assert found(hass) == [f"programme_unguarded_{doser.row.number}_level"]

        await choose(hass, found(hass)[0], "remove")
        await hass.async_block_till_done()
        assert found(hass) == []


async def test_a_pump_that_is_away_says_nothing_new(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """What was reported stays, as nothing is known of its end."""
    async with aquarium(hass, tmp_path, demo=True):
        doser = await programmed(hass)
        limited(hass, budget=4000)
        await hass.async_block_till_done()
        before = found(hass)
        await engine_of(hass).equipment.detach(doser.row.number)
        await until(hass, lambda: found(hass) == before)
        assert list(present(engine_of(hass))) == []


async def test_one_that_rests_is_no_programme(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """No volume is nothing that a limit or a rule could miss."""
    async with aquarium(hass, tmp_path, demo=True):
        engine_of(hass).safety.set_rules(ENTRY, (rule(hass),))
        await write(hass, HEAD, 0)
        limited(hass, enabled=False)
        await hass.async_block_till_done()
        assert found(hass) == []
