"""Home Assistant is killed under a stream of mixed commands, again and again.

Several clients send doses with one id twice, levels, programmes, windows and cancellations
over REST and WebSocket. What was acknowledged is never lost and ends once; no dose comes
twice. AQUARIST_LONG=1 kills 50 times instead of 5, AQUARIST_SEED repeats an earlier run.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
import os
from pathlib import Path
from random import Random, SystemRandom
import sys
import time

import aiohttp
import pytest

from . import records
from .instance import Instance, Proxy
from .living_aquarium import LivingAquarium, eventually, started
from .stream import Stream, Targets, Told

MOMENTS = 50 if os.environ.get("AQUARIST_LONG") else 5
SEED = int(os.environ.get("AQUARIST_SEED") or SystemRandom().randrange(10**6))

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60 + 30 * MOMENTS)]

RAMPED = "D0:BE:5A:10:C0:DE"
HELD = "D0:BE:5A:10:C0:DF"
DOSER = "D0:5E:5A:10:C0:D4"
DEVICES = 3
CLIENTS = 6
RESTING = 20
LONGEST_STREAM = 2.0
TENTH = 100
COLOURS = 4
# Twelve bytes in hexadecimal; a programme's daily volume has the same mode and one more.
DOSE_FRAME = 24
# By then the pump must have ended a dose of the stream: half a second, and a margin.
DOSE_OVER = 15.0
# What the pump could not do yet piles up, from kill to kill.
PATIENCE = 60.0 + 6 * MOMENTS
SETTLED = frozenset({"given", "partly", "not_given"})


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
    await made.client.call("aquarist", "set_settings", {"rate_limit": 10_000})
    resting = {"device_id": HELD, "action": "set_level", "execution": "sync"}
    await made.client.ask(
        "aquarist", "send_command", {**resting, "args": {"level": RESTING}}
    )
    await made.are_on_disk(RAMPED, HELD, DOSER)
    yield made
    await proxy.stop()


async def targets_of(aquarium: LivingAquarium) -> Targets:
    """Return the ids of the devices that the stream goes to."""
    devices = await aquarium.devices()
    by_address = {one["address"]: one["device_id"] for one in devices.values()}
    return Targets(
        doser=by_address[DOSER],
        ramped=by_address[RAMPED],
        held=by_address[HELD],
        pump=devices["Wave pump"]["device_id"],
    )


async def killed_in_the_stream(
    aquarium: LivingAquarium, targets: Targets, told: Told, number: int
) -> None:
    """Let the clients go on for a while, kill, and start again."""
    chance = Random(f"{SEED} {number}")
    moment = LONGEST_STREAM * chance.random()
    stream = Stream(aquarium.client, targets, told, chance)
    asking = asyncio.create_task(stream.run(CLIENTS))
    await asyncio.sleep(moment)
    assert await aquarium.instance.kill() == -9
    await asking
    aquarium.instance.start()
    aquarium.client = await aquarium.instance.ready(aquarium.session)


async def all_ended(aquarium: LivingAquarium) -> None:
    """Wait until every command has ended, and the counters were read after every dose.

    Doses of one head that were cut off together may have more than one explanation: they
    stay unknown.
    """
    folder = aquarium.instance.folder

    def looked_after(row: records.DoseRow) -> bool:
        return row.state in SETTLED or (
            row.state == "unknown"
            and records.counters_read(folder).get(row.head, 0.0) > row.at + DOSE_OVER
        )

    async def ended() -> bool:
        return not records.open_commands(folder, due_by=time.time()) and all(
            looked_after(row) for row in records.doses(folder)
        )

    try:
        await eventually(ended, timeout_seconds=PATIENCE)
    except AssertionError:
        due_by = time.time()
        left = records.open_commands(folder, due_by=due_by), records.doses(folder)
        raise AssertionError(f"still open: {left} {aquarium.complaints()}") from None


def check_acknowledged(aquarium: LivingAquarium, told: Told, restarted: float) -> None:
    """Each is on record with one end; what was cancelled was never begun."""
    folder = aquarium.instance.folder
    for one in told.ids:
        record = records.command(folder, one)
        assert record is not None, f"lost: {one}"
        assert record.completed_at is not None
        endings = records.endings(folder, one)
        # What was announced just before a kill may not have reached the recorder.
        assert len(endings) <= 1, (one, endings)
        # What failed over a time of its own is announced before it is given back, so maybe
        # before a kill, and completes afterwards.
        told_before = record.phase == "failed" and record.ends_at is not None
        if record.completed_at > restarted and not told_before:
            late = record.completed_at - restarted
            assert len(endings) == 1, f"{one}: {record.phase} after {late} s"
    for one in told.tomorrow:
        record = records.command(folder, one)
        assert record is not None, f"lost: {one}"
        assert record.started_at is None
    for one in told.cancelled:
        record = records.command(folder, one)
        assert record is not None
        assert record.phase == "withdrawn"


async def check_doses(aquarium: LivingAquarium) -> None:
    """No dose came twice; the ledger says what the pump gave, or that nobody knows."""
    folder = aquarium.instance.folder
    written = [
        data for data in await aquarium.written(DOSER) if len(data) == DOSE_FRAME
    ]
    frames = Counter(
        (int(data[12:14], 16), int(data[18:22], 16) * TENTH)
        for data in written
        if data[:2] == "a5" and data[10:12] == "1b"
    )
    ours = [row for row in records.doses(folder) if row.source != "pump"]
    asked = Counter((row.head, row.volume) for row in ours)
    given = Counter((row.head, row.volume) for row in ours if row.state == "given")
    open_rows = Counter(
        (row.head, row.volume) for row in ours if row.state not in SETTLED
    )
    assert not frames - asked, "the pump was told twice"
    assert not given - frames, "given, and the pump never heard of it"
    assert not frames - given - open_rows, "told, and not in the ledger"
    heads = (await aquarium.peripheral(DOSER))["heads"]
    for index, head in enumerate(heads):
        rows = [row for row in records.doses(folder) if row.head == index]
        counted = sum(row.counted for row in rows)
        if all(row.state in SETTLED for row in rows):
            assert counted == head["delivered"]
        else:
            assert counted >= head["delivered"]


async def check_levels(aquarium: LivingAquarium, targets: Targets) -> None:
    """What was set last is what shows; what was held rests again.

    The pump is an input number that begins each life at its own initial value.
    """
    folder = aquarium.instance.folder
    assert (await aquarium.peripheral(HELD))["channels"] == [RESTING] * COLOURS
    if (level := records.last_level(folder, targets.ramped)) is not None:
        assert (await aquarium.peripheral(RAMPED))["channels"] == [level] * COLOURS


async def test_nothing_acknowledged_is_lost_and_no_dose_comes_twice(
    aquarium: LivingAquarium, capsys: pytest.CaptureFixture[str]
) -> None:
    """After each kill and the next start the stream goes on; in the end all is true."""
    with capsys.disabled():
        sys.stdout.write(f"\nAQUARIST_SEED={SEED}, {MOMENTS} kills\n")
    targets, told = await targets_of(aquarium), Told()
    for number in range(MOMENTS):
        await killed_in_the_stream(aquarium, targets, told, number)
        lost = told.ids - records.ids(aquarium.instance.folder)
        assert not lost, f"after kill {number}"
    restarted = time.time()
    await all_ended(aquarium)

    assert told.doses
    assert told.windows
    assert told.cancelled
    await check_doses(aquarium)
    await check_levels(aquarium, targets)
    assert await aquarium.instance.stop() == 0
    check_acknowledged(aquarium, told, restarted)
    assert aquarium.complaints() == []
