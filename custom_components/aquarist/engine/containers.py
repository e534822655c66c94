"""What each head pumps from: filled, used up, and for how long it lasts (design 2).

The newest entry of a head says what was in its container at an instant; what its doses took
since then is subtracted, all of a dose as long as nobody knows better.
"""

from collections.abc import Iterable
from datetime import datetime
import logging
from sqlite3 import Connection
from typing import cast

from ..devices.device import DoserDevice
from ..dosing.calibration import Seen
from ..dosing.container import Consumption, ContainerStatus, status
from ..dosing.ledger import Dose
from ..dosing.volume import millilitres
from ..store import containers as container_rows
from ..store.containers import Container, ContainerChange
from ..store.errors import StoreError
from .changes import ContainerChanged
from .doses_ahead import DosesAhead, Plans
from .errors import EngineError
from .gate import Gate, HeadKey
from .ground import Ground
from .intake import DOSERS, attached
from .state import DeviceState

_LOGGER = logging.getLogger(__name__)

LARGEST = 100_000_000
_WEEK = 7


class Containers:
    """The containers of all heads."""

    def __init__(self, ground: Ground, gate: Gate, plans: Plans) -> None:
        """Count with the gate what doses take; ``plans`` gives those that dose with a head."""
        self._clock = ground.clock
        self._journal = ground.journal
        self._announcer = ground.announcer
        self._memory = ground.memory
        self._gate = gate
        self._ahead = DosesAhead(plans)
        self._containers: dict[HeadKey, Container] = {}
        self._used: dict[HeadKey, int] = {}
        self.seen: dict[HeadKey, Seen] = {}
        gate.left = self.left
        gate.on_count(self._count)

    def load(
        self, rows: Iterable[tuple[Container, int]], seen: Iterable[Container]
    ) -> None:
        """Take in what is on disk: containers with the microlitres used since, corrections."""
        for correction in seen:
            self._see(correction)
        for container, used in rows:
            key = (container.device, container.head)
            self._containers[key] = container
            self._used[key] = used

    def capacity(self, device: int, head: int) -> int | None:
        """Return how many microlitres a full container holds; None without a container."""
        container = self._containers.get((device, head))
        return None if container is None else container.capacity

    def remaining(self, device: int, head: int) -> int | None:
        """Return the microlitres that are left by a device's number; None without a container."""
        left = self.left(device, head)
        return None if left is None else max(left, 0)

    def left(self, device: int, head: int) -> int | None:
        """Return what is left; less than nothing where more was dosed than was known of."""
        container = self._containers.get((device, head))
        if container is None:
            return None
        return container.filled - self._used[device, head]

    def status(self, device: DeviceState, head: int) -> ContainerStatus | None:
        """Return how a head's container stands; None where it has none."""
        number = device.row.number
        container = self._containers.get((number, head))
        remaining = self.remaining(number, head)
        if container is None or remaining is None:
            return None
        now = self._clock.now()
        return status(
            container.capacity,
            remaining,
            self._consumption(number, head, now),
            device.limits.head(head).low_days,
            now,
        )

    async def refill(
        self, device: DeviceState, head: int, *, user: str | None
    ) -> ContainerStatus:
        """Note that a container is full again. Raises EngineError, StoreError."""
        container = self._known(device, head)
        return await self._put(
            device,
            head,
            ContainerChange.REFILL,
            container.capacity,
            container.capacity,
            user,
        )

    async def correct(
        self,
        device: DeviceState,
        head: int,
        remaining: int,
        *,
        user: str | None,
        compare: bool = False,
    ) -> ContainerStatus:
        """Note what a keeper sees in a container, in microlitres.

        With ``compare`` nothing was filled in: what has gone out shows how true the head
        is. Raises EngineError, StoreError.
        """
        container = self._known(device, head)
        if not 0 <= remaining <= container.capacity:
            raise EngineError(
                "out_of_range",
                field="remaining_ml",
                minimum=0,
                maximum=millilitres(container.capacity),
            )
        used = self._used[device.row.number, head]
        return await self._put(
            device,
            head,
            ContainerChange.CORRECTION,
            container.capacity,
            remaining,
            user,
            seen=(used, container.filled - remaining) if compare else (None, None),
        )

    async def resize(
        self, device: DeviceState, head: int, capacity: int, *, user: str | None
    ) -> ContainerStatus:
        """Give a head a container of a size in microlitres; a new one is full.

        One that becomes smaller holds at most its size. Raises EngineError, StoreError.
        """
        check_head(device, head)
        if not 0 < capacity <= LARGEST:
            raise EngineError(
                "out_of_range",
                field="capacity_ml",
                minimum=0.1,
                maximum=millilitres(LARGEST),
            )
        remaining = self.remaining(device.row.number, head)
        filled = capacity if remaining is None else min(remaining, capacity)
        return await self._put(
            device, head, ContainerChange.CAPACITY, capacity, filled, user
        )

    async def remove(self, device: DeviceState, head: int, *, user: str | None) -> None:
        """Note that a head has no container any more. Raises EngineError, StoreError."""
        number, now = device.row.number, self._clock.now()
        if (number, head) not in self._containers:
            raise _no_container(device, head)
        empty = Container(device=number, head=head, capacity=0, filled=0, at=now)

        def unit(connection: Connection) -> None:
            container_rows.add(connection, empty, ContainerChange.REMOVED, user)

        def committed(_: None) -> None:
            self._containers.pop((number, head), None)
            self._used.pop((number, head), None)
            self._announcer.announce(ContainerChanged(device=number, head=head))

        await self._journal.commit(unit, committed)

    async def attached(self, device: DeviceState) -> None:
        """Give heads the containers that their options say; a store that refuses only delays it."""
        for head, limits in device.limits.heads.items():
            known = self._containers.get((device.row.number, head))
            if limits.container is None or (
                known is not None and known.capacity == limits.container
            ):
                continue
            try:
                await self.resize(device, head, limits.container, user=None)
            except (EngineError, StoreError) as error:
                _LOGGER.warning(
                    "The container of %s, head %s, keeps its size: %s",
                    device.row.name,
                    head + 1,
                    error,
                )

    def _known(self, device: DeviceState, head: int) -> Container:
        """Return a head's container. Raises EngineError."""
        check_head(device, head)
        container = self._containers.get((device.row.number, head))
        if container is None:
            raise _no_container(device, head)
        return container

    async def _put(
        self,
        device: DeviceState,
        head: int,
        change: ContainerChange,
        capacity: int,
        filled: int,
        user: str | None,
        *,
        seen: tuple[int | None, int | None] = (None, None),
    ) -> ContainerStatus:
        """Commit what is in a container now, and count from there."""
        container = Container(
            device=device.row.number,
            head=head,
            capacity=capacity,
            filled=filled,
            at=self._clock.now(),
            counted=seen[0],
            taken=seen[1],
        )

        def unit(connection: Connection) -> None:
            container_rows.add(connection, container, change, user)

        def committed(_: None) -> None:
            key = (container.device, container.head)
            self._containers[key] = container
            self._see(container)
            self._used[key] = sum(
                dose.counted
                for dose in self._gate.doses(*key)
                if dose.at >= container.at
            )
            self._announcer.announce(
                ContainerChanged(device=container.device, head=head)
            )

        await self._journal.commit(unit, committed)
        return cast(ContainerStatus, self.status(device, head))

    def _see(self, container: Container) -> None:
        """Keep what a correction tells about a head."""
        if container.counted is not None and container.taken is not None:
            self.seen[container.device, container.head] = Seen(
                at=container.at, counted=container.counted, taken=container.taken
            )

    def _count(self, before: Dose | None, after: Dose | None) -> None:
        """Follow what is known of the doses since a container was filled."""
        for dose, sign in ((before, -1), (after, 1)):
            if dose is None:
                continue
            key = (dose.device, dose.head)
            container = self._containers.get(key)
            if container is not None and dose.at >= container.at:
                self._used[key] += sign * dose.counted

    def _consumption(self, device: int, head: int, now: datetime) -> Consumption:
        """Return what the plan, and the pump by itself, will take."""
        doses, until = self._ahead.of_head(device, head, now)
        return Consumption(
            doses=doses,
            until=until,
            daily=self._memory.weekly_volume(device, head) / _WEEK,
        )


def _no_container(device: DeviceState, head: int) -> EngineError:
    """Return the error for a head without a container."""
    return EngineError(
        "no_container", field="head_index", name=device.row.name, head=head + 1
    )


def check_head(device: DeviceState, head: int) -> None:
    """Raise EngineError unless the device is a doser with such a head."""
    port = attached(device)
    if port.kind not in DOSERS:
        raise EngineError("not_a_doser", field="device_id", name=device.row.name)
    heads = cast(DoserDevice, port).heads
    if not 0 <= head < len(heads):
        raise EngineError(
            "out_of_range", field="head_index", minimum=0, maximum=len(heads) - 1
        )
