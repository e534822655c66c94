"""A backup made while something is written holds a store that fits together."""

from functools import partial
from pathlib import Path
import shutil
import sqlite3

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.aquarist.backup import async_post_backup, async_pre_backup
from custom_components.aquarist.data import DATA_ENGINE
from custom_components.aquarist.startup import STORE_FILE, open_engine
from custom_components.aquarist.store import settings


async def test_the_file_stands_still_while_writing_goes_on(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """What was written before is in the file itself; what comes meanwhile is not lost."""
    engine = hass.data[DATA_ENGINE] = await open_engine(hass)
    await engine.journal.commit(lambda one: settings.put(one, "before", 1))
    await async_pre_backup(hass)
    path = Path(hass.config.path(STORE_FILE))
    standing = path.read_bytes()
    for number in range(200):
        await engine.journal.commit(partial(settings.put, key="while", value=number))
    assert path.read_bytes() == standing
    shutil.copy(path, tmp_path / "copy.db")
    await async_post_backup(hass)
    assert engine.database is not None
    assert await engine.database.read(lambda one: settings.get(one, "while")) == 199
    await engine.close()
    connection = sqlite3.connect(tmp_path / "copy.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert settings.get(connection, "before") == 1
    connection.close()


async def test_a_locked_engine_has_nothing_to_hold(hass: HomeAssistant) -> None:
    """There is no store to stand still."""
    Path(hass.config.path(STORE_FILE)).write_bytes(b"no database" * 1000)
    engine = hass.data[DATA_ENGINE] = await open_engine(hass)
    assert engine.journal.locked
    await async_pre_backup(hass)
    await async_post_backup(hass)
    await engine.close()


async def test_a_store_that_is_gone_fails_the_backup(hass: HomeAssistant) -> None:
    """The keeper is told, in words."""
    engine = hass.data[DATA_ENGINE] = await open_engine(hass)
    await engine.close()
    with pytest.raises(HomeAssistantError) as failed:
        await async_pre_backup(hass)
    assert failed.value.translation_key == "store_closed"
    with pytest.raises(HomeAssistantError):
        await async_post_backup(hass)
