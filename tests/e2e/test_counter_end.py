"""A pump that has pumped nearly as much as its counter can tell, in a real Home Assistant."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from .instance import Instance, Proxy
from .living_aquarium import DOSER_ADDRESS, LivingAquarium, eventually, started
from .test_dosing_promises import delivered, dosed, ended, fault, in_ledger, ledger

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

# The counter ends at 6553.5 mL.
LIFETIME_ML = 6552.0
OK = 200


@pytest.fixture(params=["stick", "wrap"])
async def aquarium(
    request: pytest.FixtureRequest,
    instance: Instance,
    session: aiohttp.ClientSession,
    tmp_path: Path,
) -> AsyncIterator[LivingAquarium]:
    """Give an aquarium whose pump's counters are about to stay where they are, or to begin anew."""
    proxy = Proxy(
        tmp_path / "proxy.log", lifetime=LIFETIME_ML, lifetime_end=request.param
    )
    await proxy.start()
    made = await started(instance, proxy, session)
    yield made
    assert made.complaints() == []
    await proxy.stop()


async def test_doses_across_the_end_of_the_counter_are_booked_as_given(
    aquarium: LivingAquarium,
) -> None:
    """One that is told of by the pump, and one whose end only the counters know."""
    before = await delivered(aquarium)
    told, cut = str(uuid4()), str(uuid4())
    status, record = await dosed(aquarium, 1, id=told, execution="sync")
    assert (status, record["status"]) == (OK, "success")

    await fault(aquarium, "drop_in_dose", value=0.5)
    assert (await dosed(aquarium, 3, id=cut))[0] == OK

    async def under_way() -> bool:
        return await delivered(aquarium) - before > 2000

    await eventually(under_way)
    await fault(aquarium, "out_of_range", times=None)
    record = await ended(aquarium, cut)
    assert (record["status"], record["error_code"]) == ("failed", "interrupted")
    await aquarium.proxy.command("clear", device=DOSER_ADDRESS)

    async def settled() -> bool:
        row = await in_ledger(aquarium, cut)
        return row is not None and row["state"] != "unknown"

    await eventually(settled, timeout_seconds=60)
    assert await delivered(aquarium) - before == 4000
    given = {
        row["command_id"]: (row["state"], row["given_ml"])
        for row in await ledger(aquarium)
    }
    assert given == {told: ("given", 1.0), cut: ("given", 3.0)}
