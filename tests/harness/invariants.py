"""What must hold after every life, however it ended."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from custom_components.aquarist.commands.command import Command
from custom_components.aquarist.commands.phases import FINAL, Kind, Phase
from custom_components.aquarist.dosing.ledger import BY_ITSELF, Dose
from custom_components.aquarist.dosing.volume import microlitres
from custom_components.aquarist.store import containers, doses, occurrences, runs
from custom_components.aquarist.store.containers import Container

from . import house
from .life import Life
from .scenario import Scenario
from .world import DOSER, FLOW

_RANK = {Phase.PLANNED: 0, Phase.APPLYING: 1, Phase.IN_FORCE: 2, Phase.RESTORING: 3}
_HEADS = {DOSER: 4, house.SWITCHED: 1}
_RUNS = ("prime_head", "calibrate_head")
# The pump counts in tenths of a millilitre, so a dose that was stopped is known no better.
_TENTH = 100
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def check_found(life: Life) -> None:
    """Check what the second life found on disk, before it did anything."""
    stored = {command.key: command for command in life.records}
    _acknowledged_is_there(life, stored)
    _announced_is_on_disk(life.heard_before, stored)


def check_log(life: Life) -> None:
    """Check that nothing was logged that nobody has foreseen."""
    assert not life.faults_logged, life.faults_logged


def check_counted(life: Life) -> None:
    """Check that from the first moment on the gate counts what doses may have given.

    What else a pump gave is known once its counters were read, before the next dose.
    """
    for name, head in _heads(life):
        number = life.number(name)
        told = [
            one
            for one in life.records
            if one.device == number and one.kind is Kind.DOSE and _of_head(one, head)
        ]
        given = min(
            life.world.delivered(head, name),
            sum(microlitres(one.args["volume_ml"]) for one in told),
        )
        counted = life.engine.gate.given(number, head, life.world.now())
        assert counted >= given - _TENTH


async def check_ended(scenario: Scenario, life: Life) -> None:
    """Check that all has come to its one end."""
    stored = {command.key: command for command in await life.look()}
    _acknowledged_is_there(life, stored)
    announced = life.chronicle.read("announced")
    _announced_is_on_disk(announced, stored)
    unended = [one for one in stored.values() if one.phase not in FINAL]
    assert not unended, f"still open: {unended}"
    finals = Counter(line["key"] for line in announced if line["final"])
    assert not [key for key, times in finals.items() if times > 1], finals
    ledger: list[Dose] = await life.read(
        lambda connection: doses.since(connection, _LONG_AGO)
    )
    filled = {
        (one.device, one.head): one for one in await life.read(containers.load_all)
    }
    for name, head in _heads(life):
        number = life.number(name)
        _Head(
            scenario,
            life,
            (name, head),
            [one for one in stored.values() if one.device == number],
            [dose for dose in ledger if (dose.device, dose.head) == (number, head)],
            filled.get((number, head)),
        ).check()
    await _moments_have_verdicts(life)
    assert not await life.read(runs.not_final), "a run never ends"


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


class _Head:
    """What became of one head: what was asked, what came out, what the ledger says."""

    def __init__(
        self,
        scenario: Scenario,
        life: Life,
        head: tuple[str, int],
        commands: list[Command],
        ledger: list[Dose],
        container: Container | None,
    ) -> None:
        """Take the commands of the pump, the doses of the head, and its newest filling."""
        self._life = life
        self._container = container
        self._name, self._index = head
        of_head = [one for one in commands if _of_head(one, self._index)]
        self._asked = [one for one in of_head if one.kind is Kind.DOSE]
        self._runs = [
            one for one in of_head if one.action in _RUNS and "seconds" in one.args
        ]
        self._ledger = ledger
        self._by_itself = scenario.given_by_itself(life, self._name, self._index)
        self._budget = scenario.head(self._name, self._index).budget
        self._delivered = life.world.delivered(self._index, self._name)

    def check(self) -> None:
        """Law 3: no dose twice, and the ledger says what the pump really gave."""
        self._nothing_twice()
        self._not_more_than_asked()
        self._books_are_true()
        self._container_agrees()

    def _nothing_twice(self) -> None:
        """Each dose has one row and one frame at most."""
        keys = {one.key for one in self._asked}
        ours = [dose for dose in self._ledger if dose.source not in BY_ITSELF]
        assert {dose.key for dose in ours} <= keys
        if self._name == DOSER:
            wanted = [microlitres(one.args["volume_ml"]) for one in self._asked]
            told = self._life.world.told_to_dose(self._index)
            assert not Counter(told) - Counter(wanted)
        else:
            assert len(self._life.world.house.runs) <= len(self._asked + self._runs)

    def _not_more_than_asked(self) -> None:
        """No more came out than was asked for, nor more than the budget.

        A switch may stay on until it goes off by itself.
        """
        asked = [microlitres(one.args["volume_ml"]) for one in self._asked]
        asked += [one.args["seconds"] * FLOW for one in self._runs]
        most = sum(asked) + self._by_itself
        if self._name == house.SWITCHED:
            longest = round(house.AUTOMATIC_OFF * house.FLOW)
            runs = self._life.world.house.runs
            assert all(round(seconds * house.FLOW) <= longest for seconds in runs)
            most = max(most, longest * len(asked))
        assert self._delivered <= most
        if self._budget is not None and self._name == DOSER:
            assert self._delivered <= self._budget + self._by_itself

    def _books_are_true(self) -> None:
        """Ledger and pump agree, or the dose is unknown and counts as given.

        A switch without read-back may have been on: that counts, too.
        """
        counted = sum(dose.counted for dose in self._ledger)
        tolerance = _TENTH * (len(self._ledger) or 1)
        for dose in self._ledger:
            assert (
                dose.is_settled
                or dose.lifetime_before is None
                or len(self._ledger) > 1
                or self._by_itself
            ), dose
        # Without a counter read before it nobody knows what a programme has given.
        known = self._delivered - self._by_itself
        assert counted >= known - tolerance, (self._ledger, self._delivered)
        if self._name == DOSER and all(dose.is_settled for dose in self._ledger):
            assert counted <= self._delivered + tolerance, (
                self._ledger,
                self._delivered,
            )

    def _container_agrees(self) -> None:
        """What is left in the container is what the ledger leaves in it."""
        left = self._life.engine.containers.remaining(
            self._life.number(self._name), self._index
        )
        if (container := self._container) is None:
            assert left is None
            return
        counted = [dose.counted for dose in self._ledger if dose.at >= container.at]
        assert left == max(container.filled - sum(counted), 0), (
            container,
            self._ledger,
        )


def _heads(life: Life) -> list[tuple[str, int]]:
    """Return the heads of all dosers of a life."""
    return [
        (name, head)
        for name, count in _HEADS.items()
        if name in life.states
        for head in range(count)
    ]


def _of_head(command: Command, head: int) -> bool:
    """Return whether a command is about a head."""
    return command.args.get("head_index") == head


async def _moments_have_verdicts(life: Life) -> None:
    """Law 9: each due moment has one verdict."""
    rows = await life.read(
        lambda connection: occurrences.recent(connection, None, 1000)
    )
    assert all(row.verdict is not None for row in rows), rows
    moments = Counter((row.schedule, row.at) for row in rows)
    assert all(times == 1 for times in moments.values())
