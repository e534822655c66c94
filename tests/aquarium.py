"""An aquarium in a real Home Assistant, with its store in a folder of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigSubentryDataWithId
from homeassistant.const import ATTR_ENTITY_ID, Platform
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    snapshot_platform,
)
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.data import DATA_ENGINE
from custom_components.aquarist.dosing.ledger import Dose, DoseState
from custom_components.aquarist.engine.changes import Change, DoseChanged
from custom_components.aquarist.engine.engine import Engine
from custom_components.aquarist.engine.state import DeviceState

ENTRY = "aquarium_entry"
NAME = "Reef"
PATIENCE = 10.0


def subentry(
    kind: str, title: str, data: dict[str, Any], *, id: str | None = None
) -> ConfigSubentryDataWithId:
    """Return a device that a keeper listed by hand; its id is its title unless given."""
    return ConfigSubentryDataWithId(
        data=data,
        subentry_id=id or title.lower().replace(" ", "_"),
        subentry_type=kind,
        title=title,
        unique_id=None,
    )


@asynccontextmanager
async def aquarium(
    hass: HomeAssistant,
    folder: Path,
    *platforms: Platform,
    demo: bool = False,
    all_enabled: bool = False,
    subentries: Sequence[ConfigSubentryDataWithId] = (),
) -> AsyncIterator[MockConfigEntry]:
    """Set an aquarium up, and unload it in the end.

    With `all_enabled` the entities are there, too, that keepers have to enable.
    """
    hass.config.config_dir = str(folder)
    entry = MockConfigEntry(
        domain=DOMAIN,
        entry_id=ENTRY,
        title=NAME,
        unique_id="reef",
        data={"kind": "aquarium", "demo": demo},
        subentries_data=list(subentries),
    )
    entry.add_to_hass(hass)
    with ExitStack() as patches:
        patches.enter_context(
            patch("custom_components.aquarist.PLATFORMS", list(platforms))
        )
        if all_enabled:
            patches.enter_context(
                patch(
                    "homeassistant.helpers.entity.Entity.entity_registry_enabled_default",
                    new=True,
                )
            )
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        yield entry
        assert await hass.config_entries.async_unload(entry.entry_id)


async def compare_all(
    hass: HomeAssistant, entry: MockConfigEntry, snapshot: SnapshotAssertion
) -> None:
    """Compare every entity of the one platform that is loaded, and its state."""
    await snapshot_platform(
        hass,
        er.async_get(hass),
        snapshot.use_extension(HomeAssistantSnapshotExtension),
        entry.entry_id,
    )


async def restart(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """End the engine and begin a new one on the same store."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    await engine_of(hass).close()
    del hass.data[DATA_ENGINE]
    hass.config.components.remove(DOMAIN)
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done()


async def entities_behind(hass: HomeAssistant, **numbers: float) -> None:
    """Make numbers from 0 to 100 and a switch named `relay` for devices to be made of."""
    assert await async_setup_component(
        hass,
        "input_number",
        {
            "input_number": {
                name: {"min": 0, "max": 100, "initial": value}
                for name, value in numbers.items()
            }
        },
    )
    assert await async_setup_component(
        hass, "input_boolean", {"input_boolean": {"relay": {"initial": False}}}
    )


def engine_of(hass: HomeAssistant) -> Engine:
    """Return the engine."""
    return hass.data[DATA_ENGINE]


def device_named(hass: HomeAssistant, name: str) -> DeviceState:
    """Return a device by the name that its keeper gave it."""
    return next(one for one in engine_of(hass).devices.values() if one.row.name == name)


def entity_of(hass: HomeAssistant, platform: Platform, device: str, key: str) -> str:
    """Return the id of an entity by its device's name, or the aquarium's, and its key."""
    owner = ENTRY if device == NAME else device_named(hass, device).row.uuid
    found = er.async_get(hass).async_get_entity_id(platform, DOMAIN, f"{owner}_{key}")
    assert found is not None, (device, key)
    return found


async def call(
    hass: HomeAssistant,
    service: str,
    entity_id: str,
    *,
    context: Context | None = None,
    **data: Any,
) -> None:
    """Call an entity's service as a person or an automation does, and wait for its answer."""
    await hass.services.async_call(
        entity_id.partition(".")[0],
        service,
        {ATTR_ENTITY_ID: entity_id, **data},
        blocking=True,
        context=context,
    )


async def press(hass: HomeAssistant, device: str, key: str) -> None:
    """Press a button of a device, or of the aquarium."""
    await call(hass, "press", entity_of(hass, Platform.BUTTON, device, key))


def gives_too_little(engine: Engine, device: int, head: int) -> None:
    """Let a head have given 85 per cent of each of its last ten doses."""
    for number in range(10):
        dose = Dose(
            key=f"{device}/{number}",
            device=device,
            head=head,
            volume=1000,
            state=DoseState.GIVEN,
            at=dt_util.utcnow(),
            given=850,
        )
        engine.gate.note(dose)
        engine.announcer.announce(DoseChanged(dose=dose))


@asynccontextmanager
async def heard(
    hass: HomeAssistant, wanted: Callable[[Change], bool]
) -> AsyncIterator[asyncio.Future[Change]]:
    """Wait, at the end of the block, until the engine has announced a wanted change."""
    future: asyncio.Future[Change] = asyncio.get_running_loop().create_future()

    def listen(change: Change) -> None:
        """Keep the first one that is wanted."""
        if not future.done() and wanted(change):
            future.set_result(change)

    leave = engine_of(hass).listen(listen)
    try:
        yield future
        async with asyncio.timeout(PATIENCE):
            await future
    finally:
        leave()
