"""Each status of a command is told once."""

from dataclasses import replace
from datetime import UTC, datetime

from custom_components.aquarist.api.progress import Progress
from custom_components.aquarist.commands.command import Command, Source
from custom_components.aquarist.commands.phases import Kind, Phase

COMMAND = Command(
    id="one",
    device=1,
    kind=Kind.WINDOW,
    action="write_action",
    source=Source.SERVICE,
    created_at=datetime(2026, 3, 1, tzinfo=UTC),
)


def told(progress: Progress, *phases: Phase) -> list[Phase]:
    """Return the phases that are news."""
    return [
        phase for phase in phases if progress.is_news(replace(COMMAND, phase=phase))
    ]


def test_phases_with_the_same_word_are_told_once() -> None:
    """Applying, in force and restoring are all `running`."""
    progress = Progress(lambda words: words.command, ())

    assert told(
        progress,
        Phase.PLANNED,
        Phase.APPLYING,
        Phase.IN_FORCE,
        Phase.RESTORING,
        Phase.COMPLETED,
    ) == [Phase.PLANNED, Phase.APPLYING, Phase.COMPLETED]


def test_another_surface_has_other_words() -> None:
    """For a write action, the value counts."""
    progress = Progress(lambda words: words.write_action, ())

    assert told(
        progress,
        Phase.PLANNED,
        Phase.APPLYING,
        Phase.IN_FORCE,
        Phase.RESTORING,
        Phase.COMPLETED,
    ) == [Phase.PLANNED, Phase.IN_FORCE, Phase.COMPLETED]


def test_what_was_told_before_a_restart_is_not_told_again() -> None:
    """A window that was in force goes on."""
    under_way = replace(COMMAND, phase=Phase.IN_FORCE)
    progress = Progress(lambda words: words.command, (under_way,))

    assert told(progress, Phase.RESTORING, Phase.COMPLETED) == [Phase.COMPLETED]


def test_a_surface_without_a_word_hears_nothing() -> None:
    """A moment that was missed is no device action."""
    progress = Progress(lambda words: words.device_action, ())

    assert told(progress, Phase.MISSED) == []


def test_nothing_is_remembered_of_what_has_ended() -> None:
    """Ids may come again at another time."""
    progress = Progress(lambda words: words.command, ())

    assert told(progress, Phase.FAILED) == [Phase.FAILED]
    assert told(progress, Phase.FAILED) == [Phase.FAILED]
