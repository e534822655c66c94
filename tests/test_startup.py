"""Opening the store at set-up: whatever its state, Home Assistant starts."""

from pathlib import Path
import sqlite3

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.aquarist.const import DOMAIN
from custom_components.aquarist.startup import ISSUE_CORRUPT, STORE_FILE, open_engine
from custom_components.aquarist.store.errors import StoreCorruptError


@pytest.fixture
def store_path(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Give the store a folder of its own."""
    hass.config.config_dir = str(tmp_path)
    return tmp_path / STORE_FILE


async def test_a_new_store_is_made(hass: HomeAssistant, store_path: Path) -> None:
    """The engine is open for everything."""
    engine = await open_engine(hass)
    assert store_path.exists()
    assert not engine.journal.locked
    assert engine.store_trouble is None
    await engine.close()


async def test_a_newer_store_is_left_alone_and_locks_the_engine(
    hass: HomeAssistant, store_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """R-X3: a newer Aquarist wrote it; the log says so, as Repairs does."""
    connection = sqlite3.connect(store_path)
    connection.execute("PRAGMA user_version = 999")
    connection.execute("CREATE TABLE future (id INTEGER)")
    connection.commit()
    connection.close()
    before = store_path.read_bytes()
    engine = await open_engine(hass)
    assert engine.journal.locked
    assert engine.store_trouble == "store_newer"
    assert "The records cannot be used; only stop and off work" in caplog.text
    await engine.close()
    assert store_path.read_bytes() == before


async def test_a_damaged_store_is_set_aside_and_locks_the_engine(
    hass: HomeAssistant, store_path: Path
) -> None:
    """R-X3: kept under another name."""
    store_path.write_bytes(b"this is no database" * 1000)
    engine = await open_engine(hass)
    assert engine.journal.locked
    assert engine.store_trouble == "store_corrupt"
    await engine.close()
    assert [one.name for one in store_path.parent.glob(f"{STORE_FILE}.corrupt-*")]


async def test_a_sudden_end_does_not_answer_for_the_keeper(
    hass: HomeAssistant, store_path: Path
) -> None:
    """The question was not on disk yet; what was set aside tells of it."""
    store_path.write_bytes(b"this is no database" * 1000)
    await (await open_engine(hass)).close()
    (aside,) = store_path.parent.glob(f"{STORE_FILE}.corrupt-*")
    Path(f"{aside}-wal").touch()
    engine = await open_engine(hass)
    assert engine.journal.locked
    assert isinstance(engine.store_fault, StoreCorruptError)
    assert engine.store_fault.set_aside == aside
    await engine.close()
    assert not store_path.exists()


async def test_no_new_store_is_begun_until_the_keeper_says_so(
    hass: HomeAssistant, store_path: Path
) -> None:
    """An empty ledger would let doses repeat: the repair issue stands in the way."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        ISSUE_CORRUPT,
        is_fixable=True,
        is_persistent=True,
        severity=ir.IssueSeverity.ERROR,
        translation_key=ISSUE_CORRUPT,
    )
    engine = await open_engine(hass)
    assert engine.journal.locked
    assert not store_path.exists()
    await engine.close()
    ir.async_delete_issue(hass, DOMAIN, ISSUE_CORRUPT)
    engine = await open_engine(hass)
    assert not engine.journal.locked
    await engine.close()
