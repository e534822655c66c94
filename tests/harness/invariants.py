"""What must hold after every life, however it ended."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from custom_components.aquarist.commands.command import Command
from custom_components.aquarist.commands.phases import FINAL, Kind, Phase
from custom_components.aquarist.dosing.ledger import Dose
from custom_components.aquarist.dosing.volume import microlitres
from custom_components.aquarist.store import doses, occurrences

from .life import Life
from .world import DOSER

_RANK = {Phase.PLANNED: 0, Phase.APPLYING: 1, Phase.IN_FORCE: 2, Phase.RESTORING: 3}
_HEADS = 4
# The pump counts in tenths of a millilitre, so a dose that was stopped is known no better.
_TENTH = 100


def check_found(life: Life) -> None:
    """Check what the second life found on disk, before it did anything."""
    stored = {command.key: command for command in life.records}
    _acknowledged_is_there(life, stored)
    _announced_is_on_disk(life.heard_before, stored)


def check_recovered(life: Life) -> None:
    """Check that from the first moment on the gate counts what may have been given."""
    if DOSER not in life.states:
        return
    for head in range(_HEADS):
        counted = life.engine.gate.given(life.number(DOSER), head, life.world.now())
        assert counted >= life.world.delivered(head) - _TENTH


async def check_ended(life: Life) -> None:
    """Check that all has come to its one end."""
    stored = {command.key: command for command in await life.look()}
    _acknowledged_is_there(life, stored)
    announced = life.chronicle.read("announced")
    _announced_is_on_disk(announced, stored)
    unended = [one for one in stored.values() if one.phase not in FINAL]
    assert not unended, f"still open: {unended}"
    finals = Counter(line["key"] for line in announced if line["final"])
    assert not [key for key, times in finals.items() if times > 1], finals
    await _doses_are_true(life, list(stored.values()))
    await _moments_have_verdicts(life)


def _acknowledged_is_there(life: Life, stored: dict[str, Command]) -> None:
    """Law 2: what was acknowledged survives."""
    acknowledged = {line["key"] for line in life.chronicle.read("acknowledged")}
    assert acknowledged <= stored.keys()


def _announced_is_on_disk(
    announced: list[dict[str, Any]], stored: dict[str, Command]
) -> None:
    """Law 2: nothing was announced that the store does not know; law 8: final is final."""
    for line in announced:
        found = stored[line["key"]].phase
        if line["final"]:
            assert found == line["phase"]
        else:
            assert _RANK.get(found, 4) >= _RANK[Phase(line["phase"])]


async def _doses_are_true(life: Life, stored: list[Command]) -> None:
    """Law 3: no dose twice, and the ledger says what the pump really gave."""
    asked = [one for one in stored if one.kind is Kind.DOSE]
    ledger: list[Dose] = await life.read(
        lambda connection: doses.since(connection, datetime(2000, 1, 1, tzinfo=UTC))
    )
    assert {dose.key for dose in ledger} <= {one.key for one in asked}
    for head in range(_HEADS):
        wanted = [
            microlitres(one.args["volume_ml"])
            for one in asked
            if one.args["head_index"] == head
        ]
        assert not Counter(life.world.told_to_dose(head)) - Counter(wanted)
        assert life.world.delivered(head) <= sum(wanted)
        given = [dose for dose in ledger if dose.head == head]
        for dose in given:
            assert dose.is_settled or dose.lifetime_before is None or len(given) > 1, (
                dose
            )
        if all(dose.is_settled for dose in given):
            counted = sum(dose.counted for dose in given)
            tolerance = _TENTH * len(given)
            assert abs(counted - life.world.delivered(head)) <= tolerance
        else:
            assert sum(dose.counted for dose in given) >= life.world.delivered(head)


async def _moments_have_verdicts(life: Life) -> None:
    """Law 9: each due moment has one verdict."""
    rows = await life.read(
        lambda connection: occurrences.recent(connection, None, 1000)
    )
    assert all(row.verdict is not None for row in rows), rows
    moments = Counter((row.schedule, row.at) for row in rows)
    assert all(times == 1 for times in moments.values())
