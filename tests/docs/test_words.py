"""Every word of the code is explained, and nothing else is (R-X12)."""

from enum import StrEnum
import re

import pytest

from custom_components.aquarist.api.serializers import WORDS
from custom_components.aquarist.commands.command import ErrorCode
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.curves.course import Shape
from custom_components.aquarist.devices.device import DeviceKind
from custom_components.aquarist.devices.fields import DataType
from custom_components.aquarist.dosing.ledger import DoseState
from custom_components.aquarist.errors import (
    COMMAND_WORDS,
    DEVICE_WORDS,
    MEMORY_WORDS,
    STORE_WORDS,
)
from custom_components.aquarist.schedules import ActionType, OnMiss, schedule_types
from custom_components.aquarist.store.occurrences import Verdict

from ..package_source import english, spelled
from .pages import DOCS, table

ENUMS: dict[str, type[StrEnum]] = {
    "Commands": Phase,
    "Error codes": ErrorCode,
    "Doses": DoseState,
    "Verdicts": Verdict,
    "Devices": DeviceKind,
}
# Words that stand in the code without an enum of their own.
SPELLED = ("Reasons", "Reasons of a verdict", "Reasons of a problem")


def code_words(text: str) -> set[str]:
    """Return what is marked as code in a text."""
    return set(re.findall(r"`([^`]+)`", text))


@pytest.mark.parametrize("heading", ENUMS)
def test_every_word_of_an_enum_is_explained(heading: str) -> None:
    """The table has exactly the words of the code."""
    assert set(table("words", heading)) == {word.value for word in ENUMS[heading]}


@pytest.mark.parametrize("phase", list(Phase))
def test_how_surfaces_call_a_phase(phase: Phase) -> None:
    """The table says what the serializers say."""
    command, write_action, _ = table("words", "Commands")[phase.value]

    assert command.strip("`") == WORDS[phase].command
    assert write_action.strip("`") == WORDS[phase].write_action


def test_every_reason_is_explained() -> None:
    """The reasons are those that can be translated, and the refusals."""
    refusals = {
        key
        for key in english()["exceptions"]
        if key.startswith("refused_") and not key.endswith(("_alone", "_beside"))
    }

    assert set(table("words", "Reasons")) == (
        DEVICE_WORDS | COMMAND_WORDS | MEMORY_WORDS | STORE_WORDS | refusals
    )


@pytest.mark.parametrize(
    ("heading", "word"),
    [(heading, word) for heading in SPELLED for word in table("words", heading)],
)
def test_reasons_are_in_the_code(heading: str, word: str) -> None:
    """No explained word is one that the code never says."""
    assert spelled(word)


def test_words_of_schedules() -> None:
    """The fields of a schedule take the words of their enums."""
    rows = {
        name: code_words(row[0]) for name, row in table("words", "Schedules").items()
    }
    status = rows.pop("last_run_status")

    assert rows == {
        "schedule_type": set(schedule_types()),
        "action_type": {word.value for word in ActionType},
        "on_miss": {word.value for word in OnMiss},
        "curve": {word.value for word in Shape},
    }
    assert status == {"success", "failed", "skipped"}


def test_words_outside_of_tables() -> None:
    """Types of fields, and the keys of failed write actions, stand in the text."""
    told = code_words((DOCS / "words.md").read_text(encoding="utf-8"))

    assert {word.value for word in DataType} <= told
    assert {"refused_by_safety", "timeout", "canceled", "missed_window"} <= told
    assert {"emergency_stop", "device_unavailable", "device_not_loaded"} <= told
