"""Fixtures of the engine's specification."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.engine.memory_bench import Benches, MemoryBench
from tests.engine.rig import Rig


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """Give a started engine without devices."""
    rig = Rig(tmp_path)
    await rig.boot()
    yield rig
    await rig.engine.close()


@pytest.fixture
def memory_bench_of() -> Iterator[Benches]:
    """Give benches, and end their simulated devices with the test."""
    benches: list[MemoryBench] = []

    def build(**options: bool) -> MemoryBench:
        benches.append(MemoryBench(**options))
        return benches[-1]

    yield build
    for bench in benches:
        bench.clock.close()
