"""What a Chihiros doser does with its memory and by seconds: arguments read, frames written."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ..ble.errors import LinkError
from ..ble.link import Lease
from ..chihiros.command_frame import CommandFrame, query_status
from ..chihiros.dosers import MAX_DAILY, TENTH, calibrate, dose_delay, temporary_run
from ..chihiros.notifications import SNAPSHOT_HEADS, DoserSnapshot
from ..dosing.programme import Programme, ProgrammeMode, programme_from
from ..dosing.volume import millilitres
from .chihiros_device import checked_action, device_error, written_in_turn
from .device import Head
from .doser_programme import (
    UNAMBIGUOUS_HEADS,
    programme_frames,
    removal_frames,
    shown_heads,
    zeroing_frames,
)
from .dosing_fields import head_at
from .errors import DeviceError
from .fields import InvalidValue

type Work = Callable[[Lease], Awaitable[dict[str, object]]]

_ASK_EVERY = 0.5
_MICROLITRES = 1000


class DoserActions:
    """The actions of a pump with some heads; reading one touches nothing."""

    NAMES = (
        "set_schedule",
        "set_doser_schedule",
        "remove_schedule",
        "reset_head",
        "factory_reset",
        "calibrate_head",
        "prime_head",
    )

    def __init__(self, heads: Sequence[Head]) -> None:
        """Know the heads."""
        self._heads = heads

    def work(self, action: str, args: Mapping[str, object]) -> Work:
        """Return what does an action under a lease. Raises InvalidValue for its arguments."""
        given = checked_action(action, args)
        if action == "factory_reset":
            return partial(_reset_all, len(self._heads))
        head = head_at(self._heads, given["head_index"]).index
        match action:
            case "remove_schedule":
                return partial(_remove, len(self._heads), head)
            case "reset_head":
                return self._reset_head(head)
            case "calibrate_head":
                return self._calibrate(head, given)
            case "prime_head":
                return partial(_prime, self._heads[head], given["seconds"])
        programme = programme_of(action, given)
        if not given.get("confirm", False):
            return partial(_write_programme, head, programme)
        if head >= SNAPSHOT_HEADS:
            raise InvalidValue(
                "confirm", "value_out_of_bounds", value="true", values="false"
            )
        return partial(_write_and_compare, head, programme, given["wait_seconds"])

    def _reset_head(self, head: int) -> Work:
        """Return the zeroing of a counter, which upper heads share with programmes."""
        if not zeroing_frames(head):
            raise InvalidValue(
                "head_index",
                "value_out_of_bounds",
                value=str(head),
                minimum="0",
                maximum=str(UNAMBIGUOUS_HEADS - 1),
            )
        return partial(_zero, head)

    def _calibrate(self, head: int, given: Mapping[str, Any]) -> Work:
        """Return a run of some seconds, or the storing of what was measured after it."""
        if "seconds" in given:
            return partial(_run_to_measure, self._heads[head], given["seconds"])
        return partial(
            _store_measured, head, round(given["measured_ml"] * _MICROLITRES)
        )


def programme_of(action: str, given: Mapping[str, Any]) -> Programme:
    """Return the programme that valid arguments write. Raises InvalidValue.

    6553.5 mL a day would read as "no volume" on the wire.
    """
    single = {"mode": "single", "catch_up": False, **given}
    programme = programme_from(single if action == "set_schedule" else given)
    if programme.volume > MAX_DAILY:
        timer = programme.mode is ProgrammeMode.TIMER
        raise InvalidValue(
            "timers" if timer else "volume_tenths_ml",
            "value_out_of_bounds",
            value=str(programme.volume // TENTH),
            minimum="0",
            maximum=str(MAX_DAILY // TENTH),
        )
    return programme


async def _write_programme(
    head: int, programme: Programme, lease: Lease
) -> dict[str, object]:
    """Write a programme in the app's order."""
    await written_in_turn(lease, *programme_frames(head, programme))
    return {"head_index": head, "programme": programme.as_json()}


async def _write_and_compare(
    head: int, programme: Programme, wait: float, lease: Lease
) -> dict[str, object]:
    """Write a programme and wait until the pump shows it. Raises DeviceError `not_confirmed`."""
    result = await _write_programme(head, programme, lease)
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    while (left := until - loop.time()) > 0:
        snapshot = await lease.ask(query_status(), DoserSnapshot, left)
        if snapshot is None:
            break
        shown = shown_heads(snapshot, SNAPSHOT_HEADS).get(head)
        if shown is not None and programme.shown(
            shown.mode, shown.times, shown.target_ml
        ):
            return {**result, "confirmed": True}
        await asyncio.sleep(_ASK_EVERY)
    raise DeviceError("not_confirmed", transient=False)


async def _remove(heads: int, head: int, lease: Lease) -> dict[str, object]:
    """Switch a head's programme off and clear it."""
    await written_in_turn(lease, *removal_frames(head, heads))
    return {"head_index": head}


async def _zero(head: int, lease: Lease) -> dict[str, object]:
    """Set a head's lifetime counter to zero."""
    await written_in_turn(lease, *zeroing_frames(head))
    return {"head_index": head}


async def _reset_all(heads: int, lease: Lease) -> dict[str, object]:
    """Clear all programmes and counters; the heads start together again."""
    frames = [
        frame
        for head in range(heads)
        for frame in (*removal_frames(head, heads), *zeroing_frames(head))
    ]
    await written_in_turn(lease, *frames, dose_delay(on=False))
    return {"heads": heads}


async def _run_to_measure(head: Head, seconds: int, lease: Lease) -> dict[str, object]:
    """Run a head for a calibration, once."""
    await _once(lease, calibrate(head.index, seconds=seconds))
    return _run_result(head, seconds)


async def _prime(head: Head, seconds: int, lease: Lease) -> dict[str, object]:
    """Run a head to fill its hose, once; the pump ends the run by itself."""
    await _once(lease, temporary_run({head.index: True}, seconds))
    return _run_result(head, seconds)


def _run_result(head: Head, seconds: int) -> dict[str, object]:
    """Return what was begun, and what it gives if the flow is right."""
    return {
        "head_index": head.index,
        "seconds": seconds,
        "expected_ml": millilitres(round(seconds * head.flow)),
    }


async def _store_measured(
    head: int, microlitres: int, lease: Lease
) -> dict[str, object]:
    """Tell the pump what its last calibration run gave."""
    await _once(lease, calibrate(head, microlitres=microlitres))
    return {"head_index": head, "measured_ml": millilitres(microlitres)}


async def _once(lease: Lease, frame: CommandFrame) -> None:
    """Write what may not be repeated. Raises DeviceError that is never transient (law 3)."""
    try:
        await lease.write(frame)
    except LinkError as error:
        raise device_error(error, repeatable=False) from error
