"""Fixtures of the store's tests."""

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
import sqlite3

import pytest

from custom_components.aquarist.store.database import Database
from custom_components.aquarist.store.migrations import STEPS
from custom_components.aquarist.store.opening import open_for_writing
from custom_components.aquarist.store.writer import Writer

from .samples import AT, add_devices
from .writers import start


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the store's file belongs."""
    return tmp_path / "aquarist.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    """Return a connection to a new store with three devices."""
    with closing(open_for_writing(path, AT, STEPS)) as opened:
        add_devices(opened, 3)
        yield opened


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    """Return a new store with three devices."""
    opened = await Database.open(path, at=AT)
    await opened.writer.write(lambda connection: add_devices(connection, 3))
    yield opened
    await opened.close()


@pytest.fixture
async def writer(path: Path) -> AsyncIterator[Writer]:
    """Return the writer of a new store."""
    opened = start(path)
    yield opened
    await opened.close()
