"""Opens the store and makes the engine; a store fault never fails the set-up (design 3)."""

import logging
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .data import DATA_ENGINE
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
    asked = ir.async_get(hass).async_get_issue(DOMAIN, ISSUE_CORRUPT) is not None
    fault = await hass.async_add_executor_job(_not_confirmed, path, asked)
    if fault is not None:
        return None, fault
    try:
        return await Database.open(path, at=clock.now()), None
    except StoreError as error:
        return None, error


def _not_confirmed(path: Path, asked: bool) -> StoreCorruptError | None:
    """Return what the keeper has to confirm first; blocking.

    What was set aside tells of it, too: the question may not have been on disk yet when
    Home Assistant came to a sudden end.
    """
    if path.exists():
        return None
    found = path.parent.glob(f"{path.name}.corrupt-*")
    whole = (one for one in found if not one.name.endswith(("-wal", "-shm")))
    newest = max(whole, default=None)
    if newest is None and not asked:
        return None
    reason = "a damaged store was set aside"
    return StoreCorruptError(reason, path=path, set_aside=newest)


async def begin_new_store(hass: HomeAssistant) -> None:
    """Make a new, empty store for the next start, as the keeper has confirmed.

    Raises StoreError.
    """
    path = Path(hass.config.path(STORE_FILE))
    database = await Database.open(path, at=hass.data[DATA_ENGINE].clock.now())
    await database.close()
