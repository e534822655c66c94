"""Opens the store and makes the engine; a store fault never fails the set-up (design 3)."""

import logging
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .devices.home_services import HomeServices
from .dosing_calls import DosingCalls
from .engine.clock import HomeAssistantClock, read_boot_id
from .engine.engine import Engine
from .hardware import device_uuid
from .store.database import Database
from .store.errors import StoreCorruptError, StoreError

_LOGGER = logging.getLogger(__name__)
STORE_FILE = "aquarist.db"
ISSUE_CORRUPT = "store_corrupt"


async def open_engine(hass: HomeAssistant) -> Engine:
    """Return the engine with what the store remembers; locked where there is no store."""
    boot = await hass.async_add_executor_job(read_boot_id)
    clock = HomeAssistantClock(hass, boot)
    database, error = await _open_store(hass, clock)
    engine = Engine(clock, database, default_zone=lambda: hass.config.time_zone)
    try:
        await engine.recover()
    except StoreError as fault:
        error = fault
        await engine.journal.close()
        engine = Engine(clock, None, default_zone=lambda: hass.config.time_zone)
    home = HomeServices(hass, device_uuid)
    engine.service_steps.home = home
    engine.macros.doses.called = DosingCalls(hass, engine, home).doses
    if error is not None:
        _LOGGER.error("The records cannot be used; only stop and off work: %s", error)
        engine.store_fault = error
        engine.store_trouble = error.code
    return engine


async def _open_store(
    hass: HomeAssistant, clock: HomeAssistantClock
) -> tuple[Database | None, StoreError | None]:
    """Open the store, or return why not.

    After a damaged store was set aside the engine stays locked until the keeper has
    confirmed that a new, empty one may be begun: an empty ledger would let doses repeat.
    """
    path = Path(hass.config.path(STORE_FILE))
    issue = ir.async_get(hass).async_get_issue(DOMAIN, ISSUE_CORRUPT)
    if issue is not None and not await hass.async_add_executor_job(path.exists):
        return None, StoreCorruptError("a damaged store was set aside", path=path)
    try:
        return await Database.open(path, at=clock.now()), None
    except StoreError as error:
        return None, error
