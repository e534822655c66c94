"""The rise of the lifetime counter settles open doses when it has one explanation (RES-52)."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.aquarist.dosing import Dose, DoseState, explanation, settle
from custom_components.aquarist.dosing.programme import Programme, ProgrammeMode
from custom_components.aquarist.dosing.settlement import (
    MOST_TOGETHER,
    parted,
    volumes_between,
)


def dose(volume: int = 5000) -> Dose:
    """Make a dose of which nobody knows whether it was given."""
    return Dose(
        key="dose",
        device=1,
        head=0,
        volume=volume,
        state=DoseState.UNKNOWN,
        at=datetime(2026, 5, 1, 12, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("rise", "given"),
    [
        (0, 0),
        (100, 100),
        (4800, 4800),
        (4900, 5000),
        (5000, 5000),
        (5100, 5100),
    ],
)
def test_one_dose_is_none_some_or_all_of_the_rise(rise: int, given: int) -> None:
    """The counter shows tenths: one more or less is the whole dose."""
    assert explanation(rise, [5000]) == (given,)


@pytest.mark.parametrize("rise", [5101, 9000, -100])
def test_a_rise_beyond_the_dose_tells_nothing(rise: int) -> None:
    """The pump gave something else as well, or the counter started over."""
    assert explanation(rise, [5000]) is None


def test_the_tolerance_is_the_callers() -> None:
    """A counter that counts whole millilitres may be further off."""
    assert explanation(4900, [5000], tolerance=0) == (4900,)
    assert explanation(4000, [5000], tolerance=1000) == (5000,)


def test_a_counter_that_did_not_rise_is_never_within_the_tolerance() -> None:
    """The smallest dose that left no trace was not given, however wide the tolerance."""
    assert explanation(0, [100], tolerance=9000) == (0,)


@pytest.mark.parametrize(
    ("rise", "volumes", "given"),
    [
        pytest.param(0, [2000, 3000], (0, 0), id="none"),
        pytest.param(5000, [2000, 3000], (2000, 3000), id="all"),
        pytest.param(5100, [2000, 3000], (2000, 3100), id="all and a tenth"),
        pytest.param(3000, [2000, 3000], (0, 3000), id="the second"),
        pytest.param(2000, [2000, 3000, 7000], (2000, 0, 0), id="the first of three"),
        pytest.param(9000, [2000, 3000, 7000], (2000, 0, 7000), id="two of three"),
        pytest.param(3100, [2000, 3000], (0, 3100), id="the second and a tenth"),
        pytest.param(4000, [2000, 2000], (2000, 2000), id="both alike"),
    ],
)
def test_several_doses_are_explained_together(
    rise: int, volumes: list[int], given: tuple[int, ...]
) -> None:
    """When exactly one choice of them makes the rise."""
    assert explanation(rise, volumes) == given


@pytest.mark.parametrize(
    ("rise", "volumes"),
    [
        pytest.param(2000, [2000, 2000], id="one of two alike"),
        pytest.param(5000, [2000, 3000, 5000], id="two together or the third"),
        pytest.param(1000, [2000, 3000], id="a part of one"),
        pytest.param(100, [2000, 3000], id="a tenth of one"),
        pytest.param(6000, [2000, 3000], id="more than all"),
        pytest.param(1000, [], id="nothing to explain"),
    ],
)
def test_what_has_several_explanations_or_none_stays_open(
    rise: int, volumes: list[int]
) -> None:
    """The keeper knows better."""
    assert explanation(rise, volumes) is None


def test_very_many_doses_are_explained_only_as_a_whole() -> None:
    """Nobody tries a million combinations."""
    volumes = [100 * 2**number for number in range(MOST_TOGETHER + 1)]
    assert explanation(0, volumes) == (0,) * len(volumes)
    assert explanation(sum(volumes), volumes) == tuple(volumes)
    assert explanation(800, volumes, tolerance=0) is None
    fewer = explanation(800, volumes[:-1], tolerance=0)
    assert fewer == (0, 0, 0, 800, *(0,) * (MOST_TOGETHER - 4))


def test_a_programme_may_have_given_some_volumes() -> None:
    """Those of its doses after one instant and until another."""
    programme = Programme(mode=ProgrammeMode.EVERY_HOUR, volume=2400)
    since = datetime(2026, 5, 1, 8)
    hour = timedelta(hours=1)
    assert volumes_between(programme, since, since + 3.5 * hour) == [100] * 3
    assert volumes_between(programme, since, since + hour / 2) == []
    many = volumes_between(programme, since, since + 100 * hour)
    assert len(many) == MOST_TOGETHER + 1
    nothing = Programme(mode=ProgrammeMode.SINGLE, volume=0)
    assert volumes_between(nothing, since, since + 100 * hour) == []


@pytest.mark.parametrize(
    ("given", "state"),
    [
        (0, DoseState.NOT_GIVEN),
        (100, DoseState.PARTLY),
        (4999, DoseState.PARTLY),
        (5000, DoseState.GIVEN),
        (5100, DoseState.GIVEN),
    ],
)
def test_what_was_given_decides_the_end(given: int, state: DoseState) -> None:
    """None, some, all, or a little more."""
    settled = settle(dose(), given)
    assert (settled.state, settled.given) == (state, given)


@pytest.mark.parametrize(
    ("rest", "ran", "programmed", "parts"),
    [
        pytest.param(5000, 0, 0, (0, 5000), id="it has no programme that ran"),
        pytest.param(4000, 0, 4000, (4000, 0), id="all of it is its programme's"),
        pytest.param(5000, 0, 4000, (4000, 1000), id="something else on top"),
        pytest.param(5000, 2000, 4000, (3000, 2000), id="a run, and a part"),
        pytest.param(900, 1000, 4000, (0, 900), id="a run, which gave less"),
        pytest.param(4100, 0, 4000, (4100, 0), id="a tenth too much"),
        pytest.param(1100, 1000, 4000, (0, 1100), id="a tenth beyond the run"),
    ],
)
def test_what_a_programme_gave_is_told_apart(
    rest: int, ran: int, programmed: int, parts: tuple[int, int]
) -> None:
    """No more than it should have given, after what a run should have."""
    assert parted(rest, ran, programmed) == parts
