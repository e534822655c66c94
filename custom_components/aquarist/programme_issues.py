"""Programmes in the pumps' memories that a limit or a rule does not reach (law 5).

They are checked when they are written. What is lowered or listed afterwards changes nothing
in the pump: only its keeper can.
"""

from collections.abc import Iterator, Mapping
import json
from typing import cast
from zlib import crc32

from homeassistant.helpers.issue_registry import IssueSeverity

from .devices.device import DoserDevice
from .dosing.programme import Programme
from .dosing.volume import millilitres
from .engine.engine import Engine
from .engine.errors import SafetyRefusedError, describe
from .engine.safety import devices_of
from .engine.state import DeviceState
from .errors import translated
from .issues import Issue
from .limits.refusal import Refusal
from .subjects import DOSERS

PROGRAMME_OVER_LIMIT = "programme_over_limit"
PROGRAMME_UNGUARDED = "programme_unguarded"


def present(engine: Engine) -> Iterator[Issue]:
    """Yield every issue of a programme there is now."""
    for device in engine.devices.values():
        port = device.device
        if port is None or port.kind not in DOSERS or device.row.retired_at is not None:
            continue
        known = engine.device_memory.content.programmes(device.row.number)
        heads = len(cast(DoserDevice, port).heads)
        programmes = {
            head: programme
            for head, programme in known.items()
            if programme.volume and head < heads
        }
        yield from _over_limit(engine, device, programmes)
        yield from _unguarded(engine, device, programmes)


def _over_limit(
    engine: Engine, device: DeviceState, programmes: Mapping[int, Programme]
) -> Iterator[Issue]:
    """Yield the programmes that would not be written any more.

    Another limit, or a lower one, is another issue: to leave one as it is says nothing
    about the next.
    """
    now = engine.clock.now()
    for head, programme in programmes.items():
        refusal = engine.programme_gate.conflict(device, head, programme, now)
        if refusal is None:
            continue
        number = device.row.number
        word = _sum_of(programme, refusal)
        yield Issue(
            id=f"{PROGRAMME_OVER_LIMIT}_{number}_{head}_{word}",
            key=PROGRAMME_OVER_LIMIT,
            placeholders={
                "name": device.row.name,
                "head": str(head + 1),
                "volume": f"{millilitres(programme.volume):g}",
                "reason": str(translated(SafetyRefusedError(refusal))),
            },
            data={"device": number, "heads": str(head)},
            severity=IssueSeverity.WARNING,
            device=number,
        )


def _unguarded(
    engine: Engine, device: DeviceState, programmes: Mapping[int, Programme]
) -> Iterator[Issue]:
    """Yield the rules that guard a pump which doses by itself."""
    if not programmes:
        return
    number = device.row.number
    for rule in engine.safety.rules:
        if device.row.uuid not in devices_of(rule):
            continue
        yield Issue(
            id=f"{PROGRAMME_UNGUARDED}_{number}_{rule.id}",
            key=PROGRAMME_UNGUARDED,
            placeholders={
                "name": device.row.name,
                "heads": ", ".join(str(head + 1) for head in programmes),
                "rule": rule.name,
            },
            data={"device": number, "heads": ",".join(map(str, programmes))},
            severity=IssueSeverity.WARNING,
            device=number,
        )


def _sum_of(programme: Programme, refusal: Refusal) -> str:
    """Return a short word for a programme and the limit that it does not keep to.

    Who holds a head changes with each stop; that is no other limit.
    """
    told = {key: value for key, value in describe(refusal).items() if key != "by"}
    both = json.dumps([programme.as_json(), told], sort_keys=True)
    return f"{crc32(both.encode()):08x}"
