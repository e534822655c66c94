"""Incompatible additives keep apart, and so do the doses of one head (law 5)."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from custom_components.aquarist.dosing.ledger import Dose, DoseState
from custom_components.aquarist.dosing.programme import Programme, ProgrammeMode
from custom_components.aquarist.dosing.spacing import (
    NotBefore,
    Spacing,
    apart_from_programmes,
    interval_beside,
    interval_refusal,
    not_before,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
APART = (Spacing(first="iron", second="phosphate", seconds=3600),)


def dose(
    minutes_ago: float,
    additive: str | None = "phosphate",
    state: DoseState = DoseState.GIVEN,
    **more: Any,
) -> Dose:
    """Make a dose of so many minutes ago."""
    return Dose(
        key="dose",
        device=2,
        head=0,
        volume=1000,
        state=state,
        at=NOON - minutes_ago * MINUTE,
        additive=additive,
        **more,
    )


def at_once(dose: Dose) -> datetime:
    """Say that a dose takes no time."""
    return dose.at


def in_a_minute(dose: Dose) -> datetime:
    """Say that a dose takes a minute."""
    return dose.at + MINUTE


@pytest.mark.parametrize("additive", ["iron", "phosphate"])
def test_either_may_be_the_first(additive: str) -> None:
    """Whichever was given keeps the other waiting."""
    other = {"iron": "phosphate", "phosphate": "iron"}[additive]
    answer = not_before([dose(20, other)], additive, APART, NOON, at_once)
    assert answer == NotBefore(at=NOON + 40 * MINUTE)


def test_the_time_begins_when_the_pump_has_ended() -> None:
    """A long dose is not over when it begins."""
    answer = not_before([dose(20)], "iron", APART, NOON, in_a_minute)
    assert answer == NotBefore(at=NOON + 41 * MINUTE)


@pytest.mark.parametrize(
    "doses",
    [
        pytest.param([], id="nothing was dosed"),
        pytest.param([dose(60)], id="long enough ago"),
        pytest.param([dose(1, "nitrate")], id="another additive"),
        pytest.param([dose(1, None)], id="no additive"),
        pytest.param([dose(1, "iron")], id="the same additive"),
        pytest.param([dose(1, state=DoseState.NOT_GIVEN)], id="was not given"),
        pytest.param([dose(-60 * 24)], id="a clock that was wrong by a day"),
    ],
)
def test_nothing_waits_without_need(doses: list[Dose]) -> None:
    """The dose may go."""
    assert not_before(doses, "iron", APART, NOON, at_once) is None


@pytest.mark.parametrize("state", [DoseState.INTENDED, DoseState.SENT])
def test_a_dose_under_way_counts_as_now(state: DoseState) -> None:
    """Whenever it began."""
    answer = not_before([dose(50, state=state)], "iron", APART, NOON, at_once)
    assert answer == NotBefore(at=NOON + 60 * MINUTE)


def test_a_dose_that_nobody_knows_of_counts_until_it_must_have_ended() -> None:
    """It may have been given then, not later: nothing waits for the keeper for ever."""
    unknown = dose(20, state=DoseState.UNKNOWN)
    answer = not_before([unknown], "iron", APART, NOON, in_a_minute)
    assert answer == NotBefore(at=NOON + 41 * MINUTE)
    just_sent = dose(0.5, state=DoseState.UNKNOWN)
    answer = not_before([just_sent], "iron", APART, NOON, in_a_minute)
    assert answer == NotBefore(at=NOON + 60 * MINUTE)


def test_the_longest_time_counts() -> None:
    """Of several pairs and several doses."""
    spacing = (
        *APART,
        Spacing(first="iron", second="phosphate", seconds=7200),
        Spacing(first="nitrate", second="iron", seconds=600),
        Spacing(first="nitrate", second="potassium", seconds=90_000),
    )
    doses = [dose(20), dose(1, "nitrate"), dose(30)]
    answer = not_before(doses, "iron", spacing, NOON, at_once)
    assert answer == NotBefore(at=NOON + 100 * MINUTE)


def test_one_additive_may_keep_apart_from_itself() -> None:
    """Over all heads that pump it."""
    spacing = (Spacing(first="iron", second="iron", seconds=600),)
    answer = not_before([dose(2, "iron")], "iron", spacing, NOON, at_once)
    assert answer == NotBefore(at=NOON + 8 * MINUTE)


def test_a_dose_too_soon_after_the_last_is_refused() -> None:
    """The refusal says when the time is over."""
    refusal = interval_refusal([dose(90), dose(20), dose(40)], 3600, NOON)
    assert refusal is not None
    assert refusal.limit == "minimum_interval"
    assert refusal.frees_at == NOON + 40 * MINUTE
    assert refusal.details == {"minutes": "60"}


@pytest.mark.parametrize(
    ("doses", "seconds"),
    [
        pytest.param([dose(0)], None, id="no interval"),
        pytest.param([], 3600, id="nothing was dosed"),
        pytest.param([dose(60)], 3600, id="long enough ago"),
        pytest.param([dose(1, state=DoseState.NOT_GIVEN)], 3600, id="was not given"),
    ],
)
def test_a_dose_late_enough_passes(doses: list[Dose], seconds: float | None) -> None:
    """Nothing stands in its way."""
    assert interval_refusal(doses, seconds, NOON) is None


def programme(hour: int, minute: int, **more: Any) -> Programme:
    """Return a programme of one dose a day, by a clock two hours ahead of UTC."""
    return Programme(
        mode=ProgrammeMode.SINGLE, volume=1000, at=time(hour, minute), **more
    )


@pytest.mark.parametrize(
    ("at", "minutes"),
    [
        pytest.param((12, 58), None, id="long ago"),
        pytest.param((13, 0), 1, id="an hour ago, give or take a minute"),
        pytest.param((13, 30), 31, id="half an hour ago"),
        pytest.param((14, 0), 61, id="now"),
        pytest.param((14, 45), 106, id="soon"),
        pytest.param((15, 0), 121, id="in an hour, give or take a minute"),
        pytest.param((15, 1), None, id="later"),
    ],
)
def test_a_dose_keeps_apart_from_those_of_a_programme(
    at: tuple[int, int], minutes: int | None
) -> None:
    """The pump gives them by its own clock, before and after; nobody need have seen that."""
    local = NOON.astimezone(ZoneInfo("Europe/Berlin"))
    answer = apart_from_programmes(
        "iron", [("phosphate", programme(*at))], APART, local
    )
    assert answer == (
        None if minutes is None else NotBefore(at=NOON + minutes * MINUTE)
    )


def test_a_dose_waits_for_the_last_of_them() -> None:
    """An hourly programme leaves no room at all; one of something else is in nobody's way."""
    local = NOON.astimezone(ZoneInfo("Europe/Berlin"))
    hourly = Programme(mode=ProgrammeMode.EVERY_HOUR, volume=2400)
    known = [("phosphate", programme(13, 30)), ("phosphate", hourly)]
    answer = apart_from_programmes("iron", known, APART, local)
    assert answer == NotBefore(at=NOON + 121 * MINUTE)
    assert apart_from_programmes("iron", [("calcium", hourly)], APART, local) is None
    assert apart_from_programmes("iron", [(None, hourly)], APART, local) is None


@pytest.mark.parametrize(
    ("at", "frees"),
    [
        pytest.param((12, 58), None, id="long ago"),
        pytest.param((13, 30), 30, id="half an hour ago"),
        pytest.param((14, 30), 90, id="in half an hour"),
        pytest.param((15, 1), None, id="later"),
    ],
)
def test_a_head_that_doses_by_itself_soon_refuses(
    at: tuple[int, int], frees: int | None
) -> None:
    """As it does when it just has."""
    local = NOON.astimezone(ZoneInfo("Europe/Berlin"))
    refusal = interval_beside(programme(*at), 3600, local)
    if frees is None:
        assert refusal is None
        return
    assert refusal is not None
    assert refusal.limit == "minimum_interval"
    assert refusal.frees_at == NOON + (frees + 1) * MINUTE
    assert refusal.details == {"minutes": "60"}


def test_without_a_programme_or_an_interval_nothing_is_refused() -> None:
    """There is nothing to keep."""
    local = NOON.astimezone(ZoneInfo("Europe/Berlin"))
    assert interval_beside(None, 3600, local) is None
    assert interval_beside(programme(14, 0), None, local) is None
