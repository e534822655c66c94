"""The simulated devices of a proxy and, when asked for, a journal of all that is done to them.

A journal is a file of JSON lines. Started anew on it, the stage repeats everything at the moments at
which it happened, so that counters, doses and memories are what they would be had it never stopped.
"""

from collections.abc import Callable
import json
from pathlib import Path
import time
from typing import Any

from custom_components.aquarist.simulator.clock import (
    Cancel,
    LoopClock,
    ManualClock,
    SimulatorClock,
)
from custom_components.aquarist.simulator.errors import SimulatorError
from custom_components.aquarist.simulator.faults import Number
from custom_components.aquarist.simulator.link import Connection
from custom_components.aquarist.simulator.peripheral import Peripheral


class ResumedClock:
    """A clock that first repeats the past, then goes on with the time of a loop."""

    def __init__(self) -> None:
        """Start in the past, at zero."""
        self._past = ManualClock()
        self._due: list[float] = []
        self._live: LoopClock | None = None
        self._ahead = 0.0
        self._acting = False

    def elapsed(self) -> float:
        """Return seconds since the journal was begun."""
        if self._live is None or self._acting:
            return self._past.elapsed()
        return self._live.elapsed() + self._ahead

    def call_at(self, when: float, action: Callable[[], None]) -> Cancel:
        """Keep an action for its moment."""
        cancel = self._past.call_at(when, action)
        if self._live is None:
            self._due.append(when)
        else:
            self._live.call_at(when - self._ahead, self._catch_up)
        return cancel

    def advance_to(self, elapsed: float) -> None:
        """Repeat what fell due until then."""
        self._acting = True
        self._past.advance(max(0.0, elapsed - self._past.elapsed()))
        self._acting = False

    def go_live(self, live: LoopClock, elapsed: float) -> None:
        """Go on from here with the loop's time."""
        self.advance_to(elapsed)
        self._live = live
        self._ahead = elapsed - live.elapsed()
        for when in self._due:
            live.call_at(when - self._ahead, self._catch_up)
        self._due.clear()

    def _catch_up(self) -> None:
        """Do what is due by now."""
        self.advance_to(self.elapsed())


class Stage:
    """Every act on a device goes through here, and into the journal if there is one."""

    def __init__(self, clock: SimulatorClock) -> None:
        """Start without devices and without a journal."""
        self.clock = clock
        self.devices: dict[str, Peripheral] = {}
        self._journal: Path | None = None
        self._links: dict[str, StagedConnection] = {}

    def add(self, peripheral: Peripheral) -> None:
        """Put a device on the stage."""
        self.devices[peripheral.address] = peripheral

    def resume(self, journal: Path, live: LoopClock) -> None:
        """Repeat a journal, then go on and write into it; the clock must be a `ResumedClock`."""
        assert isinstance(self.clock, ResumedClock)
        lines = (
            journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []
        )
        begun = json.loads(lines[0])["begun"] if lines else time.time()
        for line in lines[1:]:
            act = json.loads(line)
            self.clock.advance_to(act.pop("at"))
            self._repeat(act)
        for link in list(self._links.values()):
            link.disconnect()
        self.clock.go_live(live, max(0.0, time.time() - begun))
        self._journal = journal
        if not lines:
            self._append({"begun": begun})

    def connect(
        self,
        address: str,
        notify: Callable[[bytes], None],
        dropped: Callable[[str], None],
    ) -> StagedConnection:
        """Connect to a device; raises ConnectError."""
        self._note("connect", address)
        connection = self.devices[address].connect(notify, dropped)
        self._links[address] = StagedConnection(self, address, connection)
        return self._links[address]

    def fault(
        self, address: str, name: str, times: int | None, value: Number | None
    ) -> None:
        """Set a fault; raises FaultError."""
        self.devices[address].faults.set(name, times=times, value=value)
        self._note("fault", address, name=name, times=times, value=value)

    def clear(self, address: str, name: str | None) -> None:
        """Take a fault back, or all; raises FaultError."""
        self.devices[address].faults.clear(name)
        self._note("clear", address, name=name)

    def drop(self, address: str) -> None:
        """Lose the link of a device."""
        self._note("drop", address)
        self.devices[address].drop_link("link_lost")

    def power(self, address: str, *, on: bool) -> None:
        """Take the power away from a device, or give it back."""
        self._note("power", address, on=on)
        device = self.devices[address]
        if on:
            device.power_on()
        else:
            device.power_cut()

    def note(self, act: str, address: str, **fields: Any) -> None:
        """Write into the journal what a connection does."""
        self._note(act, address, **fields)

    def _repeat(self, act: dict[str, Any]) -> None:
        """Do once more what the journal says; devices that are not there any more are left out."""
        name, address = act.pop("act"), act.pop("device")
        if address not in self.devices:
            return
        try:
            match name:
                case "connect":
                    self.connect(address, _nobody, _nobody)
                case "write":
                    self._links[address].write(
                        bytes.fromhex(act["data"]), act["response"]
                    )
                case "subscribe" | "disconnect":
                    getattr(self._links[address], name)()
                case _:
                    getattr(self, name)(address, **act)
        except SimulatorError:
            # It was an error then, too.
            return

    def _note(self, act: str, address: str, **fields: Any) -> None:
        """Append a line to the journal."""
        if self._journal is not None:
            at = self.clock.elapsed()
            self._append({"at": at, "act": act, "device": address, **fields})

    def _append(self, line: dict[str, Any]) -> None:
        """Write a line; a process that is killed leaves whole lines behind."""
        if self._journal is not None:
            with self._journal.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


class StagedConnection:
    """A connection whose use is written down."""

    def __init__(self, stage: Stage, address: str, connection: Connection) -> None:
        """Wrap a connection."""
        self._stage = stage
        self._address = address
        self._connection = connection

    @property
    def connected(self) -> bool:
        """Return whether the link is up."""
        return self._connection.connected

    def write(self, data: bytes, response: bool) -> None:
        """Write; raises SimulatorError."""
        self._stage.note("write", self._address, data=data.hex(), response=response)
        self._connection.write(data, response)

    def subscribe(self) -> None:
        """Switch notifications on; raises LinkLost."""
        self._stage.note("subscribe", self._address)
        self._connection.subscribe()

    def disconnect(self) -> None:
        """End the link."""
        self._stage.note("disconnect", self._address)
        self._connection.disconnect()


def _nobody(_: object) -> None:
    """Hear what a device said in the past."""
