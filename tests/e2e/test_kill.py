"""Home Assistant is killed during a dose, a ramp and a window, and started again.

The three run at once on devices of their own; each is killed at moments spread over its
whole life, from before its acceptance to after its end. AQUARIST_LONG=1 takes 50 moments
instead of 5, AQUARIST_SEED repeats those of an earlier run.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import os
from pathlib import Path
from random import Random, SystemRandom
import sys
import time
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from . import records
from .instance import Instance, Proxy
from .living_aquarium import LivingAquarium, started

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

MOMENTS = 50 if os.environ.get("AQUARIST_LONG") else 5
SEED = int(os.environ.get("AQUARIST_SEED") or SystemRandom().randrange(10**6))

RAMPED = "D0:BE:5A:10:C0:DE"
HELD = "D0:BE:5A:10:C0:DF"
DOSER = "D0:5E:5A:10:C0:D4"
DEVICES = 3

VOLUME_ML = 3
VOLUME = VOLUME_ML * 1000
RAMP_SECONDS = 8
WINDOW_AHEAD = 1
WINDOW_SECONDS = 8
RESTING, WINDOW_LEVEL = 20, 70
# The lives of the three, from being asked for to just after their end.
DOSE_LIFE = VOLUME_ML + 0.6
RAMP_LIFE = RAMP_SECONDS + 0.6
WINDOW_LIFE = WINDOW_AHEAD + WINDOW_SECONDS + 0.6
# By so many seconds a written level may be behind the plan: steps are 1 s apart.
LAG = 2.0
MARGIN = 0.5
REACHED_WITHIN = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """How many seconds after being asked for each of the three is killed."""

    dose: float
    ramp: float
    window: float

    @property
    def latest(self) -> float:
        """Return for how long Home Assistant lives once the first one is asked for."""
        return max(self.dose, self.ramp, self.window)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The ids of what was asked for, and which of it was acknowledged before the kill."""

    dose: str
    ramp: str
    window: str
    acknowledged: frozenset[str]


def moments_of(number: int) -> Moments:
    """Return the moments of one kill; together they are spread over the lives of all three."""
    strata = [
        Random(f"{SEED} {kind}").sample(range(MOMENTS), MOMENTS) for kind in "drw"
    ]
    chance = Random(f"{SEED} {number}")
    dose, ramp, window = (
        (order[number] + chance.random()) / MOMENTS for order in strata
    )
    # A dose is accepted, intended and sent within tenths of a second: look there closely.
    return Moments(
        dose=DOSE_LIFE * dose**2, ramp=RAMP_LIFE * ramp, window=WINDOW_LIFE * window
    )


@pytest.fixture
async def aquarium(
    instance: Instance, session: aiohttp.ClientSession, tmp_path: Path
) -> AsyncIterator[LivingAquarium]:
    """Give an aquarium with two lamps, one of which rests at a level, and a doser."""
    proxy = Proxy(
        tmp_path / "proxy.log",
        lights=[f"DYU1000{one.replace(':', '')}/{one}" for one in (RAMPED, HELD)],
        dosers=[f"DYDOSED{DOSER.replace(':', '')[1:]}/{DOSER}"],
    )
    await proxy.start()
    made = await started(instance, proxy, session, count=DEVICES)
    await sent(made, HELD, "set_level", str(uuid4()), level=RESTING, execution="sync")
    await made.are_on_disk(RAMPED, HELD, DOSER)
    yield made
    await proxy.stop()


async def sent(
    aquarium: LivingAquarium,
    device: str,
    action: str,
    id: str,
    *,
    execution: str = "queued",
    **arguments: Any,
) -> None:
    """Ask for an action; returns when it is acknowledged."""
    data = {
        "device_id": device,
        "action": action,
        "args": arguments,
        "id": id,
        "execution": execution,
    }
    await aquarium.client.ask("aquarist", "send_command", data)


async def windowed(aquarium: LivingAquarium, id: str) -> None:
    """Ask for a window that begins soon; returns when it is acknowledged."""
    start = datetime.now(UTC) + timedelta(seconds=WINDOW_AHEAD)
    data = {
        "action_id": id,
        "device_id": HELD,
        "field_name": "level",
        "value": WINDOW_LEVEL,
        "start_timestamp": start.isoformat(),
        "end_timestamp": (start + timedelta(seconds=WINDOW_SECONDS)).isoformat(),
    }
    await aquarium.client.ask("aquarist", "create_write_action", data)


async def killed_in_the_middle(aquarium: LivingAquarium, moments: Moments) -> Asked:
    """Ask for dose, ramp and window, each as long before the kill as its moment says."""
    dose, ramp, window = (str(uuid4()) for _ in range(3))
    acknowledged = set()

    async def ask(id: str, moment: float, request: Awaitable[None]) -> None:
        await asyncio.sleep(moments.latest - moment)
        try:
            await request
        except aiohttp.ClientError:
            return
        acknowledged.add(id)

    asking = asyncio.gather(
        ask(
            dose,
            moments.dose,
            sent(aquarium, DOSER, "dose", dose, head_index=0, volume_ml=VOLUME_ML),
        ),
        ask(
            ramp,
            moments.ramp,
            sent(
                aquarium,
                RAMPED,
                "ramp",
                ramp,
                start_level=0,
                end_level=100,
                duration=RAMP_SECONDS,
            ),
        ),
        ask(window, moments.window, windowed(aquarium, window)),
    )
    await asyncio.sleep(moments.latest)
    assert await aquarium.instance.kill() == -9
    await asking
    return Asked(
        dose=dose, ramp=ramp, window=window, acknowledged=frozenset(acknowledged)
    )


async def reds(aquarium: LivingAquarium, address: str) -> list[tuple[float, int]]:
    """Return the levels written to a lamp's red channel, each with its instant."""
    # The proxy tells monotonic seconds, which are those of all processes here.
    epoch = time.time() - time.monotonic()
    log = (await aquarium.proxy.command("writes", device=address))["writes"]
    return [
        (epoch + written["at"], int(written["data"][14:16], 16))
        for written in log
        if written["data"][10:14] == "0700"
    ]


async def settled(aquarium: LivingAquarium, asked: Asked) -> None:
    """Wait until everything that is on record has ended, and the pump's counter was read."""
    folder = aquarium.instance.folder
    commands: list[records.Record | None] = []
    dose: records.DoseRow | None = None
    try:
        async with asyncio.timeout(60):
            while True:
                commands = [
                    records.command(folder, one)
                    for one in (asked.dose, asked.ramp, asked.window)
                ]
                dose = records.dose(folder, asked.dose)
                if all(one is None or one.completed_at for one in commands) and (
                    dose is None or dose.state in ("given", "not_given", "partly")
                ):
                    return
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(
            f"still open: {commands} {dose} {aquarium.complaints()}"
        ) from None


async def check_dose(aquarium: LivingAquarium, asked: Asked) -> None:
    """It was given once or not at all, and the ledger says which."""
    written = await aquarium.written(DOSER)
    frames = [data for data in written if data[:2] == "a5" and data[10:12] == "1b"]
    delivered = (await aquarium.peripheral(DOSER))["heads"][0]["delivered"]
    row = records.dose(aquarium.instance.folder, asked.dose)
    assert len(frames) <= 1
    assert delivered == VOLUME * len(frames)
    if row is None:
        assert not frames
    else:
        assert (row.state, row.volume) == ("given" if frames else "not_given", VOLUME)


async def check_ramp(
    aquarium: LivingAquarium, asked: Asked, restarted_at: float
) -> None:
    """What is written after the restart is what should hold at that instant."""
    record = records.command(aquarium.instance.folder, asked.ramp)
    if record is None:
        return
    assert record.phase == "completed"
    assert record.starts_at is not None
    levels = [
        (at, red) for at, red in await reds(aquarium, RAMPED) if at > restarted_at
    ]
    channels = (await aquarium.peripheral(RAMPED))["channels"]
    assert channels == [100] * 4
    for at, red in levels:
        should = 100 * (at - record.starts_at) / RAMP_SECONDS
        behind = should - 100 * LAG / RAMP_SECONDS
        assert min(behind, 100) - 1 <= red <= max(min(should, 100), 0) + 1, levels


async def check_window(
    aquarium: LivingAquarium, asked: Asked, restarted_at: float
) -> None:
    """The lamp has the window's level while it lasts, and its resting level afterwards."""
    channels = (await aquarium.peripheral(HELD))["channels"]
    assert channels == [RESTING] * 4
    record = records.command(aquarium.instance.folder, asked.window)
    if record is None:
        return
    assert record.starts_at is not None
    assert record.ends_at is not None
    if record.started_at is None:
        assert record.phase == "missed"
        assert record.ends_at < time.time()
        return
    shown = await reds(aquarium, HELD)
    if record.phase == "failed":
        # It came back too late: at the window's end the lamp was still to be reached.
        assert record.ends_at - record.started_at < REACHED_WITHIN
        assert all(red != WINDOW_LEVEL for _, red in shown)
        return
    assert record.phase == "completed"
    for at, red in shown:
        if at > restarted_at and at < record.ends_at:
            assert red == WINDOW_LEVEL
        if at > record.ends_at + MARGIN:
            assert red == RESTING


@pytest.mark.parametrize("number", range(MOMENTS))
async def test_nothing_is_lost_or_done_twice(
    aquarium: LivingAquarium, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a kill each of the three goes on, or ends, as if nothing had happened."""
    moments = moments_of(number)
    with capsys.disabled():
        sys.stdout.write(f"\nAQUARIST_SEED={SEED} {number}: {moments}\n")

    asked = await killed_in_the_middle(aquarium, moments)
    restarted_at = time.time()
    aquarium.instance.start()
    aquarium.client = await aquarium.instance.ready(aquarium.session)
    await settled(aquarium, asked)

    await check_dose(aquarium, asked)
    await check_ramp(aquarium, asked, restarted_at)
    await check_window(aquarium, asked, restarted_at)
    listed = {one["id"] for one in await aquarium.commands()}
    assert asked.acknowledged <= listed
    assert await aquarium.instance.stop() == 0
    for acknowledged in asked.acknowledged:
        record = records.command(aquarium.instance.folder, acknowledged)
        assert record is not None
        assert record.completed_at is not None
        # What was announced just before the kill may not have reached the recorder.
        fewest = int(record.completed_at > restarted_at)
        endings = records.endings(aquarium.instance.folder, acknowledged)
        assert fewest <= len(endings) <= 1
    assert aquarium.complaints() == []
