"""Fixtures of the end-to-end tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from .instance import Instance, Proxy
from .living_aquarium import LivingAquarium, started

ARTIFACTS = Path(__file__).resolve().parents[2] / ".artifacts"


@pytest.fixture(autouse=True)
def loopback(socket_enabled: None) -> None:
    """Allow sockets; the harness goes on refusing everything but 127.0.0.1."""


@pytest.fixture
def artifacts() -> Path:
    """Return the folder for what a person may want to look at, such as screenshots."""
    ARTIFACTS.mkdir(exist_ok=True)
    return ARTIFACTS


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Give a session for requests to instances."""
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
async def instance(tmp_path: Path) -> AsyncIterator[Instance]:
    """Give a Home Assistant that is not started yet; it is killed at the end."""
    made = Instance(tmp_path / "config")
    made.folder.mkdir()
    yield made
    await made.kill()


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[Proxy]:
    """Give a running Bluetooth proxy with a light and a doser in reach."""
    made = Proxy(tmp_path / "proxy.log")
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def aquarium(
    instance: Instance, proxy: Proxy, session: aiohttp.ClientSession
) -> AsyncIterator[LivingAquarium]:
    """Give a demo aquarium that lives; in the end nothing may have been complained about."""
    made = await started(instance, proxy, session)
    yield made
    assert made.complaints() == []
