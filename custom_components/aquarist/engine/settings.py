"""The settings of the whole domain, and what each of them takes (RES-66, RES-74)."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
import re
from typing import Any

import probatio as vol

from ..commands.backoff import (
    COMMAND_FIRST,
    COMMAND_TRIES,
    RESTORE_TRIES,
    WINDOW_FIRST,
    WINDOW_LONGEST,
    command_pause,
    window_pause,
)
from ..frozen import frozen
from ..schedules.errors import ErrorCode, Expected, ScheduleError
from ..schedules.validation import (
    integer,
    not_a,
    number,
    rejected,
    takes,
    text,
    validated,
)

_SERVICE = re.compile(r"[a-z0-9_]+\.(\*|[a-z0-9_]+)", re.ASCII)
_PDL = re.compile(r"\d{14}", re.ASCII)
_MOST_ALLOWED = 200
_LONGEST_ADDRESS = 2000


@frozen
class Settings:
    """What holds for all aquariums.

    ``rate_limit`` commands in ``rate_window_seconds`` are accepted for each device and
    user. A command waits ``queue_expiry_seconds`` for its turn, and is tried
    ``command_tries`` times, after a first pause that doubles. A window's value is tried
    until it is over, with pauses that double up to the longest; what is to be restored at
    most ``restore_tries`` times. Records are kept ``retention_days``, the verdicts of
    schedules that are due very often one by one for ``verdict_days``; of write actions at
    most ``write_actions_kept`` (R-T59). ``allowed_services``
    (`domain.service` or `domain.*`) and ``allowed_urls`` (their beginnings) are what custom
    actions may call; the site is what the write-action API tells of the house (R-T48).
    """

    sweep_seconds: float = 30.0
    rate_limit: int = 10
    rate_window_seconds: float = 60.0
    queue_expiry_seconds: float = 300.0
    command_tries: int = COMMAND_TRIES
    command_pause_seconds: float = COMMAND_FIRST
    window_pause_seconds: float = WINDOW_FIRST
    window_longest_pause_seconds: float = WINDOW_LONGEST
    restore_tries: int = RESTORE_TRIES
    retention_days: int = 366
    verdict_days: int = 30
    write_actions_kept: int = 100_000
    allowed_services: tuple[str, ...] = ()
    allowed_urls: tuple[str, ...] = ()
    site_name: str | None = None
    site_address: str | None = None
    pdl_identifier: str | None = None

    @property
    def sweep(self) -> timedelta:
        """Return how often everything is looked at, whatever the timer waits for."""
        return timedelta(seconds=self.sweep_seconds)

    @property
    def queue_expiry(self) -> timedelta:
        """Return how long a command waits for its turn."""
        return timedelta(seconds=self.queue_expiry_seconds)

    @property
    def retention(self) -> timedelta:
        """Return how long records are kept."""
        return timedelta(days=self.retention_days)

    def command_pause(self, tries: int) -> float | None:
        """Return the seconds before the next try of a command, None when there is none."""
        return command_pause(
            tries, most=self.command_tries, first=self.command_pause_seconds
        )

    def window_pause(self, tries: int) -> float:
        """Return the seconds before the value of a window is tried again."""
        return window_pause(
            tries,
            first=self.window_pause_seconds,
            longest=self.window_longest_pause_seconds,
        )

    def as_json(self) -> dict[str, Any]:
        """Return all settings as JSON values."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


def _matching(pattern: re.Pattern[str], longest: int, expected: Expected) -> Any:
    """Accept text of a form; people are told that form in words."""
    plain = text(longest)

    @takes(type="string", maxLength=longest, pattern=f"^{pattern.pattern}$")
    def validate(value: object) -> str:
        """Validate one text."""
        found = str(plain(value))
        if pattern.fullmatch(found) is None:
            raise not_a(expected)
        return found

    return validate


def _listed(each: Any) -> Any:
    """Accept a list of different texts."""
    shape = getattr(each, "json_schema")  # noqa: B009 - functions have no such attribute

    @takes(type="array", items=shape, maxItems=_MOST_ALLOWED, uniqueItems=True)
    def validate(value: object) -> list[str]:
        """Validate one list."""
        if not isinstance(value, list | tuple):
            raise not_a(Expected.LIST)
        if len(value) > _MOST_ALLOWED:
            raise rejected(ErrorCode.OUT_OF_RANGE, minimum=0, maximum=_MOST_ALLOWED)
        found = [each(item) for item in value]
        if len(set(found)) < len(found):
            raise rejected(ErrorCode.DUPLICATE)
        return found

    return validate


_URL = re.compile(r"https?://[^\s/?#]+\S*", re.ASCII)
_VALIDATORS: Mapping[str, Any] = {
    "sweep_seconds": number(1, 300),
    "rate_limit": integer(1, 10_000),
    "rate_window_seconds": number(1, 3600),
    "queue_expiry_seconds": number(5, 3600),
    "command_tries": integer(1, 10),
    "command_pause_seconds": number(0.1, 10),
    "window_pause_seconds": number(0.5, 60),
    "window_longest_pause_seconds": number(1, 3600),
    "restore_tries": integer(1, 100),
    "retention_days": integer(30, 3660),
    "verdict_days": integer(1, 3660),
    "write_actions_kept": integer(1000, 10_000_000),
    "allowed_services": _listed(_matching(_SERVICE, 255, Expected.SERVICES)),
    "allowed_urls": _listed(_matching(_URL, _LONGEST_ADDRESS, Expected.ADDRESSES)),
    "site_name": text(100),
    "site_address": text(500),
    "pdl_identifier": _matching(_PDL, 14, Expected.DELIVERY_POINT),
}
CHANGES = vol.Schema(
    {vol.Optional(name): vol.Maybe(each) for name, each in _VALIDATORS.items()}
)
"""What a request to change settings takes: any of them; null goes back to the default."""

REQUEST = vol.Schema(
    {**CHANGES.schema, vol.Optional("expected_revision"): vol.Maybe(integer(0))}
)
"""The same, and the revision that the change was made from (R-X11)."""


def checked(changes: object) -> dict[str, Any]:
    """Return valid changes. Raises ScheduleError naming the field that is wrong."""
    return validated(CHANGES, changes, within="")


def settings_of(chosen: Mapping[str, Any]) -> Settings:
    """Return the settings with what was chosen, each valid by itself.

    Raises ScheduleError when two do not fit one another.
    """
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in chosen.items()
    }
    settings = Settings(**values)
    if settings.window_longest_pause_seconds < settings.window_pause_seconds:
        low, high = settings.window_pause_seconds, 3600
        raise ScheduleError(
            "window_longest_pause_seconds",
            ErrorCode.OUT_OF_RANGE,
            {"minimum": f"{low:g}", "maximum": f"{high}"},
        )
    return settings
