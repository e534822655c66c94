"""Tells each status of a command once: several phases may have the same word (R-C58)."""

from collections.abc import Callable, Iterable

from ..commands.command import Command
from .serializers import WORDS, Words


class Progress:
    """What has been told about the commands that have not ended."""

    def __init__(
        self, word: Callable[[Words], str | None], under_way: Iterable[Command]
    ) -> None:
        """Follow the words of one surface; what is under way has been told before."""
        self._word = word
        self._told = {one.key: word(WORDS[one.shown_phase]) for one in under_way}

    def is_news(self, command: Command) -> bool:
        """Return whether the status of a command differs from what was told last."""
        status = self._word(WORDS[command.shown_phase])
        told = self._told.pop(command.key, None)
        if not command.final:
            self._told[command.key] = status
        return status != told
