"""A device's queue: one thing at a time, and a stop never waits (design 5)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from custom_components.aquarist.commands.command import Command, Source
from custom_components.aquarist.commands.phases import Kind
from custom_components.aquarist.engine import queue as queue_room
from custom_components.aquarist.engine.queue import DeviceQueue
from tests.fakes.manual_clock import START


def command(id: str) -> Command:
    """Return a command."""
    return Command(
        id=id,
        device=1,
        kind=Kind.SET,
        action="turn_on",
        source=Source.SERVICE,
        created_at=START,
    )


class Bench:
    """A queue whose work is written down, and can be made to wait or to fail."""

    def __init__(self) -> None:
        """Let everything be done at once."""
        self.done: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.errors: dict[str, Exception] = {}
        self.stubborn: set[str] = set()
        self.queue = DeviceQueue(self._execute, self._flush)

    def running(self) -> str | None:
        """Return the id of the command that runs."""
        return self.queue.running.id if self.queue.running is not None else None

    def put(self, *ids: str) -> None:
        """Let commands wait for their turn."""
        for one in ids:
            self.queue.put(command(one))

    async def _execute(self, queued: Command) -> None:
        await self._work(queued.id)

    async def _flush(self) -> None:
        await self._work("levels")

    async def _work(self, name: str) -> None:
        self.done.append(f"{name} begins")
        while (gate := self.gates.get(name)) is not None and not gate.is_set():
            try:
                await gate.wait()
            except asyncio.CancelledError:
                if name not in self.stubborn:
                    self.done.append(f"{name} cancelled")
                    raise
        if name in self.errors:
            raise self.errors[name]
        self.done.append(f"{name} ends")


async def settle() -> None:
    """Let the loop do what can be done now."""
    for _ in range(5):
        await asyncio.sleep(0)


def stopped(bench: Bench, name: str = "stop") -> Callable[[], Awaitable[str]]:
    """Return an urgent action that is written down."""

    async def act() -> str:
        bench.done.append(name)
        return name

    return act


async def test_commands_run_one_after_another_in_their_order() -> None:
    """First in, first out."""
    bench = Bench()
    bench.gates["a"] = asyncio.Event()
    bench.put("a", "b", "c")
    await settle()
    assert bench.done == ["a begins"]
    assert bench.running() == "a"
    assert [one.id for one in bench.queue.waiting] == ["b", "c"]
    bench.gates["a"].set()
    await settle()
    assert bench.done[-2:] == ["c begins", "c ends"]
    assert bench.running() is None
    assert bench.queue.idle


async def test_levels_go_out_once_after_the_next_command() -> None:
    """The newest win: however often they were touched."""
    bench = Bench()
    bench.gates["a"] = asyncio.Event()
    bench.put("a", "b")
    for _ in range(3):
        bench.queue.touch()
    bench.gates["a"].set()
    await settle()
    assert bench.done == [
        "a begins",
        "a ends",
        "levels begins",
        "levels ends",
        "b begins",
        "b ends",
    ]


async def test_levels_touched_while_they_are_written_are_written_again() -> None:
    """Nothing is lost in between."""
    bench = Bench()
    bench.gates["levels"] = asyncio.Event()
    bench.queue.touch()
    await settle()
    bench.queue.touch()
    bench.gates["levels"].set()
    await settle()
    assert bench.done.count("levels begins") == 2


async def test_a_stop_does_not_wait_for_what_runs() -> None:
    """What runs is cancelled first, the rest goes on afterwards."""
    bench = Bench()
    bench.gates["a"] = asyncio.Event()
    bench.put("a", "b")
    await settle()
    assert await bench.queue.stop(stopped(bench)) == "stop"
    await settle()
    assert bench.done == ["a begins", "a cancelled", "stop", "b begins", "b ends"]


async def test_a_stop_goes_ahead_of_what_does_not_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is left behind, and does nothing more in this queue when it lets go at last."""
    monkeypatch.setattr(queue_room, "STOP_GRACE", 0.01)
    bench = Bench()
    bench.gates["a"] = asyncio.Event()
    bench.stubborn.add("a")
    bench.put("a", "b")
    await settle()
    await bench.queue.stop(stopped(bench))
    await settle()
    assert bench.done == ["a begins", "stop", "b begins", "b ends"]
    bench.gates["c"] = asyncio.Event()
    bench.put("c", "d")
    bench.gates["a"].set()
    await settle()
    assert bench.done[4:] == ["c begins", "a ends"]
    assert bench.running() == "c"
    bench.gates["c"].set()
    await settle()
    assert bench.done[6:] == ["c ends", "d begins", "d ends"]


async def test_nothing_begins_during_a_stop() -> None:
    """Neither of two; then what waited goes on."""
    bench = Bench()
    hold = asyncio.Event()

    async def act() -> None:
        await hold.wait()
        bench.done.append("stop")

    stops = [asyncio.ensure_future(bench.queue.stop(act)) for _ in range(2)]
    await settle()
    bench.put("a")
    bench.queue.touch()
    assert not bench.queue.idle
    assert bench.done == []
    hold.set()
    await asyncio.gather(*stops)
    await settle()
    assert bench.done[:2] == ["stop", "stop"]
    assert "a ends" in bench.done


async def test_a_stop_that_fails_lets_the_queue_go_on() -> None:
    """Its error is the caller's."""
    bench = Bench()

    async def act() -> None:
        raise OSError("no radio")

    with pytest.raises(OSError, match="no radio"):
        await bench.queue.stop(act)
    bench.put("a")
    await settle()
    assert bench.done == ["a begins", "a ends"]


async def test_an_error_that_nobody_foresaw_ends_that_step_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The queue goes on."""
    bench = Bench()
    bench.errors["a"] = RuntimeError("broken")
    bench.put("a", "b")
    await settle()
    assert bench.done[-1] == "b ends"
    assert "RuntimeError: broken" in caplog.text


async def test_a_queue_that_is_held_keeps_everything() -> None:
    """The device is not attached."""
    bench = Bench()
    bench.queue.hold()
    bench.put("a")
    bench.queue.touch()
    await settle()
    assert bench.done == []
    assert not bench.queue.idle
    bench.queue.release()
    await settle()
    assert "a ends" in bench.done


async def test_what_waits_can_be_withdrawn() -> None:
    """What runs cannot."""
    bench = Bench()
    bench.gates["a"] = asyncio.Event()
    bench.put("a", "b", "c")
    await settle()
    assert bench.queue.withdraw(command("b").key) == command("b")
    assert bench.queue.withdraw(command("b").key) is None
    assert bench.queue.withdraw(command("a").key) is None
    bench.gates["a"].set()
    await settle()
    assert "b begins" not in bench.done
    assert bench.done[-1] == "c ends"


async def test_a_reservation_keeps_the_order() -> None:
    """While a command is on its way to the store, no later one counts as the next."""
    bench = Bench()
    first, second = bench.queue.reserve(), bench.queue.reserve()
    first()
    first()
    assert not bench.queue.idle
    second()
    assert bench.queue.idle


async def test_a_closed_queue_begins_nothing() -> None:
    """And ends what runs."""
    bench = Bench()
    bench.gates["a"] = asyncio.Event()
    bench.put("a", "b")
    await settle()
    await bench.queue.close()
    bench.put("c")
    await settle()
    assert bench.done == ["a begins", "a cancelled"]
    assert not bench.queue.idle


def test_a_command_that_needs_no_waiting_runs_in_the_same_turn() -> None:
    """Nothing is put off that can be done now."""

    async def turn() -> Any:
        bench = Bench()
        bench.put("a")
        return tuple(bench.done)

    assert asyncio.run(turn()) == ("a begins", "a ends")
