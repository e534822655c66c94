"""The ports of the engine, each call counted; one of them can be made to go wrong."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
import sqlite3
import threading
from typing import Never, override

from custom_components.aquarist.ble.errors import LinkError, Reason
from custom_components.aquarist.ble.simulated_transport import SimulatedTransport
from custom_components.aquarist.engine.clock import Cancel, Clock
from custom_components.aquarist.simulator.faults import FaultName
from custom_components.aquarist.simulator.peripheral import Peripheral
from custom_components.aquarist.store.database import Database
from custom_components.aquarist.store.migrations import STEPS
from custom_components.aquarist.store.opening import open_for_reading, open_for_writing
from custom_components.aquarist.store.work import Unit
from custom_components.aquarist.store.writer import Writer
from tests.fakes.manual_clock import START

from .loop import WorldLoop

STORE_TROUBLE_SECONDS = 20.0


class How(StrEnum):
    """How a call goes wrong."""

    KILLED = "killed"
    KILLED_INSIDE = "killed inside the transaction"
    FAILED = "failed"
    LOST = "lost after it took effect"
    HUNG = "hung"
    LIED = "said to be done, and not done"
    GONE = "the entity is gone for a while"
    FAULTY = "the device has a fault"
    FULL = "store full once"
    UNWRITABLE = "store not writable for a while"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault of the simulator as it is to be set: how often, and with which value."""

    name: FaultName
    times: int | None = 1
    value: float | int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Which call goes wrong, counted from 1, and how; or the fault that is set just before it."""

    at: int
    how: How
    call: str
    fault: Fault | None = None


class Ports:
    """Counts every call into a port and lets the chosen one go wrong."""

    def __init__(
        self, loop: WorldLoop, die: Callable[[], Never], trouble: Trouble | None
    ) -> None:
        """Let nothing go wrong when there is no trouble."""
        self.loop = loop
        self.die = die
        self.calls: list[str] = []
        self.struck_at: float | None = None
        self._trouble = trouble

    def call(self, name: str) -> How | None:
        """Count a call; return how it goes wrong, None for all calls but one."""
        self.calls.append(name)
        trouble = self._trouble
        if trouble is None or len(self.calls) != trouble.at:
            return None
        self.struck_at = self.loop.time()
        if trouble.how is How.KILLED:
            self.die()
        return trouble.how

    @property
    def fault(self) -> Fault | None:
        """Return the fault that is to be set in this life."""
        return self._trouble.fault if self._trouble is not None else None

    def store_fault(self, how: How | None) -> int | None:
        """Return SQLite's code for the fault that a write handed over now meets."""
        if how is How.FULL:
            return sqlite3.SQLITE_FULL
        lasting = (
            self._trouble is not None
            and self._trouble.how is How.UNWRITABLE
            and self.struck_at is not None
            and self.loop.time() < self.struck_at + STORE_TROUBLE_SECONDS
        )
        return sqlite3.SQLITE_IOERR if lasting else None


class WorldClock(Clock):
    """The engine's clock: the world's seconds."""

    def __init__(self, ports: Ports) -> None:
        """Read the loop's time."""
        self._ports = ports

    @property
    @override
    def boot(self) -> str:
        """Name the run of the machine, which outlives the process."""
        return "boot-1"

    @override
    def now(self) -> datetime:
        """Return the wall time."""
        self._ports.call("clock.now")
        return START + timedelta(seconds=self._ports.loop.time())

    @override
    def local_now(self) -> datetime:
        """Return the wall time; the world lives by UTC."""
        return self.now()

    @override
    def elapsed(self) -> float:
        """Return the world's seconds."""
        return self._ports.loop.time()

    @override
    def call_at(self, instant: datetime, action: Callable[[], None]) -> Cancel:
        """Call the action at an instant."""
        self._ports.call("clock.call_at")
        seconds = (instant - START).total_seconds()
        return self._ports.loop.call_at(seconds, action).cancel

    @override
    def call_later(self, seconds: float, action: Callable[[], None]) -> Cancel:
        """Call the action when so many seconds have passed."""
        self._ports.call("clock.call_later")
        return self._ports.loop.call_later(seconds, action).cancel


class PortTransport(SimulatedTransport):
    """A simulated link; what reached the peripheral is told before the call returns."""

    def __init__(
        self,
        peripheral: Peripheral,
        ports: Ports,
        effect: Callable[[bool], None],
        set_fault: Callable[[Fault], None],
    ) -> None:
        """Call `effect` after every write that may have changed the peripheral.

        It is told whether the write was to have no effect.
        """
        super().__init__(peripheral)
        self._ports = ports
        self._effect = effect
        self._set_fault = set_fault

    @override
    async def connect(
        self, notify: Callable[[bytes], None], dropped: Callable[[], None]
    ) -> None:
        """Connect, or not."""
        how = self._ports.call("transport.connect")
        if how is How.FAILED:
            raise LinkError(Reason.OUT_OF_RANGE)
        if how is How.HUNG:
            await asyncio.get_running_loop().create_future()
        self._strike(how)
        await super().connect(notify, dropped)
        if how is How.LOST:
            self._peripheral.drop_link("lost")
            raise LinkError(Reason.LINK_LOST)
        self._ports.call("transport.connected")

    @override
    async def write(self, data: bytes) -> None:
        """Write, or not, or only seem not to."""
        how = self._ports.call("transport.write")
        if how is How.FAILED:
            raise LinkError(Reason.WRITE_FAILED)
        if how is How.HUNG:
            await asyncio.get_running_loop().create_future()
        self._strike(how)
        void = self._peripheral.faults.find(FaultName.WRITE_ERROR) is not None
        try:
            await super().write(data)
        finally:
            self._effect(void)
        if how is How.LOST:
            self._peripheral.drop_link("lost")
            raise LinkError(Reason.LINK_LOST)
        self._ports.call("transport.written")

    @override
    async def disconnect(self) -> None:
        """Let the device go."""
        self._ports.call("transport.disconnect")
        await super().disconnect()

    @override
    def watch_presence(self, changed: Callable[[bool], None]) -> Callable[[], None]:
        """Hear the device all the time, but for the life in which it has a fault."""
        if self._ports.fault is None:
            return lambda: None
        return super().watch_presence(changed)

    def _strike(self, how: How | None) -> None:
        """Let the device have its fault from now on."""
        fault = self._ports.fault
        if how is How.FAULTY and fault is not None:
            self._set_fault(fault)


class PortWriter(Writer):
    """The store's writer; a unit can fail, or take the process with it."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path, ports: Ports
    ) -> None:
        """Start the thread; a batch that fails is not tried again by itself."""
        super().__init__(connection, path, ports.loop, pauses=())
        self._ports = ports
        self._shut = False

    @override
    def write[T](
        self, unit: Unit[T], committed: Callable[[T], None] | None = None
    ) -> asyncio.Future[T]:
        """Hand a unit over that somebody waits for."""
        return self._counted(super().write, unit, committed)

    @override
    def post[T](
        self,
        unit: Unit[T],
        committed: Callable[[T], None] | None,
        failed: Callable[[BaseException], None],
    ) -> None:
        """Hand a unit over that nobody waits for."""
        self._counted(partial(super().post, failed=failed), unit, committed)

    def _counted[T, R](
        self,
        hand_over: Callable[[Unit[T], Callable[[T], None]], R],
        unit: Unit[T],
        committed: Callable[[T], None] | None,
    ) -> R:
        """Count the handing over and the commit; let the unit fail, or take the process."""
        ports = self._ports
        how = ports.call("store.write")
        fault = ports.store_fault(how)

        def counted_unit(connection: sqlite3.Connection) -> T:
            result = unit(connection)
            if how is How.KILLED_INSIDE:
                ports.die()
            if fault is not None:
                error = sqlite3.OperationalError("the store is in trouble")
                error.sqlite_errorcode = fault
                raise error
            return result

        def counted_committed(result: T) -> None:
            ports.call("store.committed")
            if committed is not None:
                committed(result)

        if not self._shut:
            ports.loop.expect()
        handed_over = hand_over(counted_unit, counted_committed)
        if how is How.KILLED_INSIDE:
            # Nothing else happens before the process ends in the writer's thread.
            threading.Event().wait()
        return handed_over

    @override
    async def close(self) -> None:
        """Close; time stands still meanwhile."""
        self._shut = True
        self._ports.loop.expect()
        await super().close()


async def open_store(path: Path, ports: Ports, at: datetime) -> Database:
    """Open the store behind the counted writer."""

    def opened() -> tuple[sqlite3.Connection, list[sqlite3.Connection]]:
        return open_for_writing(path, at, STEPS), [open_for_reading(path)]

    connection, readers = await ports.loop.run_in_executor(None, opened)
    return Database(path, PortWriter(connection, path, ports), readers)
