"""What holds on a disk that takes nothing more, tried on a running Home Assistant.

The operating system refuses the process every byte, as a full disk does; Aquarist's records
lie beside Home Assistant's own, which are refused as well.
"""

from collections.abc import Iterator
from contextlib import contextmanager
import resource

import aiohttp
import pytest

from . import records
from .instance import ApiError, Instance, Proxy
from .instance.client import Json
from .living_aquarium import DOSER_ADDRESS, LivingAquarium, eventually, started
from .stream import OK, requested
from .test_window_promises import (
    MODE,
    RESTS_AT,
    RETURN,
    WAVE,
    WAVE_LEVEL,
    statuses,
    uuid_of,
    window,
)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        not hasattr(resource, "prlimit"),
        reason="only Linux lets one process limit another",
    ),
]

REFUSED = 503
FAILED = 500
WORD = "store_failed"
DOSER = "Dosing Pump C0D4"
HEADS = ("during", "refused", "afterwards")
"""What becomes of the dose of each head."""
VOLUME_ML = 5
HELD_SECONDS = 20
SWEEP_SECONDS = 2
"""How often Aquarist looks whether there is room again."""


@contextmanager
def full_disk(pid: int) -> Iterator[None]:
    """Let no file of a process take another byte."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


async def dosed(aquarium: LivingAquarium, which: str) -> tuple[int, Json]:
    """Ask for a dose by the head that is for it; return the answer."""
    path = f"devices/{await uuid_of(aquarium, DOSER)}/commands"
    args = {"head_index": HEADS.index(which), "volume_ml": VOLUME_ML}
    body = {"action": "dose", "args": args, "id": which}
    return await requested(aquarium.client, "POST", path, body)


async def delivered(aquarium: LivingAquarium) -> dict[str, int]:
    """Return the microlitres that the heads have really given."""
    heads = (await aquarium.peripheral(DOSER_ADDRESS))["heads"]
    return {which: head["delivered"] for which, head in zip(HEADS, heads, strict=False)}


async def issues(aquarium: LivingAquarium) -> list[str]:
    """Return Aquarist's repair issues."""
    async with aquarium.client.websocket() as websocket:
        found = (await websocket.command("repairs/list_issues"))["issues"]
    return [one["issue_id"] for one in found if one["domain"] == "aquarist"]


async def fed(aquarium: LivingAquarium, pump: str) -> None:
    """Begin a short feeding that holds a pump off."""
    (entry,) = (
        entry
        for entry in await aquarium.client.entries("aquarist")
        if entry["source"] == "user"
    )
    definition = {
        "name": "feed",
        "duration_minutes": HELD_SECONDS / 60,
        "steps": [{"hold": {"device_id": pump, "level": 0}}, {"countdown": True}],
    }
    async with aquarium.client.websocket() as websocket:
        await websocket.command(
            "aquarist/modes/update",
            aquarium=entry["entry_id"],
            mode="feed",
            definition=definition,
        )
    await aquarium.client.call(
        "select", "select_option", {"entity_id": MODE, "option": "feed"}
    )
    await aquarium.shows(RETURN, "off")


async def is_refused_everywhere(aquarium: LivingAquarium, wave: str) -> None:
    """Ask by every road; each says why, and no device hears of it."""
    client = aquarium.client
    status, error = await dosed(aquarium, "refused")
    assert (status, error["error_key"]) == (REFUSED, WORD)
    assert "nothing was done" in error["error_message"]

    status, action = await requested(
        client, "PUT", "write_actions", window(wave, 90, 0, 60)
    )
    assert (status, action["status"]) == (OK, "FAILED")
    assert action["error"]["error_key"] == WORD

    async with client.websocket() as websocket:
        with pytest.raises(ApiError, match="nothing was done"):
            await websocket.command(
                "aquarist/commands/create",
                device_id=wave,
                action="set_level",
                args={"level": 90},
            )

    assert client.tokens is not None
    async with client.session.post(
        f"{client.address}/api/services/number/set_value",
        json={"entity_id": WAVE_LEVEL, "value": 90},
        headers={"Authorization": f"Bearer {client.tokens.access_token}"},
    ) as response:
        # Home Assistant's own status for whatever an action could not do.
        assert response.status == FAILED
        assert "nothing was done" in (await response.json())["message"]


async def test_a_full_disk(
    instance: Instance, proxy: Proxy, session: aiohttp.ClientSession
) -> None:
    """Nothing new begins, what was held comes back, and room makes all well again."""
    aquarium = await started(instance, proxy, session)
    folder = aquarium.instance.folder
    wave = await uuid_of(aquarium, "Wave pump")
    settings = {"sweep_seconds": SWEEP_SECONDS}
    status, _ = await requested(aquarium.client, "PATCH", "v1/settings", settings)
    assert status == OK
    held = window(wave, 20, 0, HELD_SECONDS)
    await requested(aquarium.client, "PUT", "write_actions", held)
    await aquarium.shows(WAVE, "20.0")
    await fed(aquarium, await uuid_of(aquarium, "Return pump"))
    assert (await dosed(aquarium, "during"))[0] == OK

    async def runs() -> bool:
        return (await delivered(aquarium))["during"] > 0

    await eventually(runs)

    with full_disk(aquarium.instance.pid):
        assert (await aquarium.client.state(WAVE))["state"] == "20.0"
        assert (await aquarium.client.state(RETURN))["state"] == "off"
        await is_refused_everywhere(aquarium, wave)

        async def is_told() -> bool:
            return await issues(aquarium) == [WORD]

        await eventually(is_told)
        await aquarium.shows(WAVE, RESTS_AT)
        await aquarium.shows(RETURN, "on")

        async def all_given() -> bool:
            return (await delivered(aquarium))["during"] == VOLUME_ML * 1000

        await eventually(all_given)
        await is_refused_everywhere(aquarium, wave)
        assert await issues(aquarium) == [WORD]
        assert (await delivered(aquarium))["refused"] == 0
        (dose,) = records.doses(folder)
        assert (dose.state, dose.counted) == ("sent", VOLUME_ML * 1000)

    assert (await dosed(aquarium, "afterwards"))[0] == OK

    async def all_is_told() -> bool:
        given = {dose.head: dose.state for dose in records.doses(folder)}
        return given == {0: "given", 2: "given"}

    await eventually(all_is_told)
    assert await delivered(aquarium) == {
        "during": VOLUME_ML * 1000,
        "refused": 0,
        "afterwards": VOLUME_ML * 1000,
    }

    async def all_is_well() -> bool:
        return (
            await issues(aquarium) == []
            and await statuses(aquarium, held) == ["OLD_VALUE_RESTORED"]
            and (await aquarium.client.state(MODE))["state"] == "normal"
        )

    await eventually(all_is_well)
    assert (await aquarium.client.state(WAVE))["state"] == RESTS_AT
    assert (await aquarium.client.state(RETURN))["state"] == "on"
    assert await aquarium.instance.stop() == 0
