"""A Chihiros dosing pump with 2, 4 or 8 heads."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import override

from ..ble.errors import LinkError
from ..ble.link import Lease, Link
from ..chihiros.dosers import MAX_DOSE, MIN_DOSE, temporary_run
from ..chihiros.notifications import (
    DoserSnapshot,
    Lifetime,
    Notification,
    Snapshot,
    Today,
)
from ..dosing.volume import millilitres
from ..layers.setting import Setting
from .chihiros_device import ChihirosDevice, device_error
from .chihiros_dose import ChihirosDose, read_totals, total
from .device import DeviceKind, Head, MemoryReport, StopReport
from .doser_actions import DoserActions
from .doser_programme import shown_heads
from .dosing_fields import allowed_fields, head_at
from .errors import DeviceError
from .observable import only_fields

FLOW = 1000
HEAD_COUNTS = (2, 4, 8)


class ChihirosDoser(ChihirosDevice):
    """Doses and counters of the heads; whether a head may dose is owned by layers."""

    def __init__(
        self,
        link: Link,
        *,
        uuid: str,
        name: str,
        address: str,
        head_names: Sequence[str],
        local_time: Callable[[], datetime],
    ) -> None:
        """Take a name for each head. Raises ValueError for a number of heads no pump has."""
        if len(head_names) not in HEAD_COUNTS:
            raise ValueError(
                f"head_names: {len(head_names)} is not one of {HEAD_COUNTS}"
            )
        self.heads = tuple(
            Head(index=index, name=head, flow=FLOW, minimum=MIN_DOSE, maximum=MAX_DOSE)
            for index, head in enumerate(head_names)
        )
        fields = {field.name: field for field in allowed_fields(self.heads)}
        super().__init__(
            link,
            uuid=uuid,
            kind=DeviceKind.CHIHIROS_DOSER,
            name=name,
            address=address,
            fields=fields,
            local_time=local_time,
        )
        self._known = {name: {name: True} for name in fields}
        self._actions = DoserActions(self.heads)
        self._doses: list[ChihirosDose] = []
        self._leave.append(link.on_notification(self._heard))

    async def prepare(self, head: int) -> ChihirosDose:
        """Connect, take the lease and read the totals. Raises DeviceError and InvalidValue."""
        wanted = head_at(self.heads, head)
        held = AsyncExitStack()
        try:
            lease = await held.enter_async_context(self.link.lease())
            lifetime, today = await read_totals(lease)
        except LinkError as error:
            await held.aclose()
            raise device_error(error) from error
        except BaseException:
            await held.aclose()
            raise
        dose = ChihirosDose(
            self.link,
            wanted,
            held,
            lease,
            lifetime=total(lifetime, head),
            today=total(today, head),
            released=self._released,
        )
        self._doses.append(dose)
        return dose

    async def apply(self, settings: Mapping[str, Setting]) -> None:
        """Take note of who may dose; nothing is sent."""
        only_fields(settings, *self.fields)
        for name, setting in settings.items():
            self._know(name, setting)

    @override
    def check_action(self, action: str, args: Mapping[str, object]) -> None:
        """Raise InvalidValue for an action that the pump would refuse."""
        if action in DoserActions.NAMES:
            self._actions.work(action, args)
        else:
            super().check_action(action, args)

    @override
    async def perform(
        self, action: str, args: Mapping[str, object]
    ) -> Mapping[str, object] | None:
        """Do the actions of `DoserActions` besides the common ones."""
        if action in DoserActions.NAMES:
            return await self._leased(self._actions.work(action, args))
        return await super().perform(action, args)

    async def run(
        self, action: str, args: Mapping[str, object], last_word: Callable[[], None]
    ) -> Mapping[str, object] | None:
        """Run a head by an action of `DoserActions`, unless the last word is against it."""
        work = self._actions.work(action, args)

        async def unless_forbidden(lease: Lease) -> dict[str, object]:
            last_word()
            return await work(lease)

        return await self._leased(unless_forbidden)

    async def stop(self) -> StopReport:
        """Stop all heads, and tell what the doses under way had given by then."""
        doses = tuple(self._doses)
        for dose in doses:
            # One that is being written has its grace, then the link is dropped under it.
            if not dose.sent:
                dose.end(None)
                await dose.give_back()
        try:
            lifetime, today = await self._stopped(self._stop_heads)
        except DeviceError as error:
            return StopReport(confirmed=False, detail=error.code)
        given: dict[int, int] = {}
        for dose in doses:
            index = dose.head.index
            rise = dose.rise(
                total(lifetime, index),
                total(today, index),
            )
            if dose.sent and rise is not None:
                given[index] = rise
            dose.end(rise)
        return StopReport(confirmed=True, detail="stopped", given=given or None)

    @override
    async def close(self) -> None:
        """Release the doses and close the link."""
        for dose in tuple(self._doses):
            await dose.release()
        await super().close()

    @override
    async def _status(self, lease: Lease) -> dict[str, object]:
        """Ask for firmware, uptime and the heads' totals in millilitres."""
        status = await super()._status(lease)
        lifetime, today = await read_totals(lease)
        return {
            **status,
            "lifetime_ml": _as_millilitres(lifetime, len(self.heads)),
            "today_ml": _as_millilitres(today, len(self.heads)),
        }

    @override
    def _memory(self, snapshot: Snapshot) -> MemoryReport:
        """Return what the pump shows of its first four heads."""
        if not isinstance(snapshot, DoserSnapshot):
            return MemoryReport()
        return MemoryReport(heads=shown_heads(snapshot, len(self.heads)))

    @override
    def _shown(self, report: MemoryReport) -> list[dict[str, object]]:
        """Return mode, times, today and target of the heads that are shown."""
        return [
            {
                "head_index": index,
                "mode": head.mode.value if head.mode is not None else "off",
                "times": [at.isoformat("minutes") for at in head.times],
                "today_ml": millilitres(head.today),
                "target_ml": head.target_ml,
            }
            for index, head in report.heads.items()
        ]

    async def _stop_heads(self, lease: Lease) -> tuple[Lifetime | None, Today | None]:
        """End every run, then read how far it got."""
        await lease.write(temporary_run(dict.fromkeys(range(len(self.heads)), False)))
        return await read_totals(lease)

    def _heard(self, notification: Notification) -> None:
        """Tell of totals that the pump has just reported."""
        match notification:
            case Lifetime():
                self._tell_counters(self._by_head(notification), {})
            case Today():
                self._tell_counters({}, self._by_head(notification))

    def _by_head(self, totals: Lifetime | Today) -> dict[int, int]:
        """Return the totals of the heads that the pump has."""
        return dict(enumerate(totals.microlitres[: len(self.heads)]))

    def _released(self, dose: ChihirosDose) -> None:
        """Forget a dose that holds nothing any more."""
        if dose in self._doses:
            self._doses.remove(dose)


def _as_millilitres(totals: Lifetime | Today | None, heads: int) -> list[float] | None:
    """Return the totals of the heads in millilitres, None when they were not answered."""
    if totals is None:
        return None
    return [millilitres(volume) for volume in totals.microlitres[:heads]]
