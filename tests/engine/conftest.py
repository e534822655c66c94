"""Fixtures of the engine's specification."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.rig import Rig


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """Give a started engine without devices."""
    rig = Rig(tmp_path)
    await rig.boot()
    yield rig
    await rig.engine.close()
