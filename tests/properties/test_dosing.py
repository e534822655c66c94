"""Laws 3 and 5: dose states walk only forward, and no budget is ever exceeded."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given, strategies as st
import pytest

from custom_components.aquarist.dosing import (
    Dose,
    DoseState,
    IllegalTransition,
    VolumeError,
    advance,
    budget_refusal,
    counted,
    explanation,
    microlitres,
    millilitres,
    settle,
)

NOW = datetime(2026, 5, 3, tzinfo=UTC)
SECONDS_A_DAY = 86_400

volumes = st.integers(1, 100).map(lambda tenths: tenths * 100)
# Seconds from now; every instant of the model is a whole second.
ages = st.integers(-3 * SECONDS_A_DAY, 0) | st.sampled_from(
    [-SECONDS_A_DAY - 1, -SECONDS_A_DAY, -SECONDS_A_DAY + 1]
)
ledgers = st.lists(st.tuples(ages, volumes, st.sampled_from(DoseState)), max_size=15)

type Rows = list[tuple[int, int, DoseState]]


def dose(age: int, volume: int, state: DoseState) -> Dose:
    """Make a dose; a partly given one has given 100 µL."""
    return Dose(
        key="dose",
        device=1,
        head=0,
        volume=volume,
        state=state,
        at=NOW + timedelta(seconds=age),
        given=100 if state is DoseState.PARTLY else None,
    )


def model_used(rows: Rows, second: int) -> int:
    """Add up, second by second, what lies less than a day back."""
    used = 0
    for at, volume, state in rows:
        if second - at >= SECONDS_A_DAY:
            continue
        if state == "partly":
            used += 100
        elif state != "not_given":
            used += volume
    return used


@given(ledgers)
def test_what_counts_is_what_the_model_counts(rows: Rows) -> None:
    """For any ledger."""
    assert counted([dose(*row) for row in rows], NOW) == model_used(rows, 0)


@given(ledgers, volumes, st.none() | st.integers(0, 50_000))
def test_a_dose_is_refused_exactly_when_the_model_has_no_room(
    rows: Rows, volume: int, limit: int | None
) -> None:
    """And `frees_at` is the first second at which the model has room."""
    refusal = budget_refusal([dose(*row) for row in rows], volume, limit, NOW)
    if limit is None or model_used(rows, 0) + volume <= limit:
        assert refusal is None
        return
    assert refusal is not None
    assert refusal.asked == volume / 1000
    assert refusal.allowed == limit / 1000
    assert refusal.left == max(0, limit - model_used(rows, 0)) / 1000
    if volume > limit:
        assert refusal.frees_at is None
        return
    assert refusal.frees_at is not None
    frees = int((refusal.frees_at - NOW).total_seconds())
    assert model_used(rows, frees) + volume <= limit
    assert model_used(rows, frees - 1) + volume > limit


@given(
    st.lists(st.tuples(st.integers(0, 7200), volumes), max_size=60),
    st.integers(1000, 20_000),
)
def test_no_24_hours_ever_hold_more_than_the_limit(
    wishes: list[tuple[int, int]], limit: int
) -> None:
    """Whoever doses only what is not refused never exceeds the limit in any window."""
    given_doses: list[Dose] = []
    second = 0
    for pause, volume in wishes:
        second += pause
        now = NOW + timedelta(seconds=second)
        if budget_refusal(given_doses, volume, limit, now) is None:
            given_doses.append(dose(second, volume, DoseState.SENT))
    for last in given_doses:
        window = [
            one.volume
            for one in given_doses
            if timedelta(0) <= last.at - one.at < timedelta(days=1)
        ]
        assert sum(window) <= limit


@given(
    volumes,
    st.lists(
        st.tuples(st.sampled_from(DoseState), st.none() | st.integers(-1, 12_000)),
        max_size=12,
    ),
)
def test_a_random_walk_only_goes_forward(
    volume: int, steps: list[tuple[DoseState, int | None]]
) -> None:
    """Sent after intended, unknown after sent, one end, and no state is ever left twice."""
    stages = {"intended": 0, "sent": 1, "unknown": 2}
    now = dose(0, volume, DoseState.INTENDED)
    for state, amount in steps:
        before = now
        try:
            now = advance(now, state, given=amount)
        except IllegalTransition:
            assert stages.get(state, 3) <= stages.get(before.state, 3)
        except VolumeError:
            assert amount is not None or state == "partly"
        else:
            assert stages.get(state, 3) > stages.get(before.state, 3)
        if now.state in stages:
            assert (now.counted, now.given) == (volume, None)
        elif now.state == "partly":
            assert 0 < now.counted < volume
        else:
            assert (now.counted > 0) == (now.state == "given")


@given(st.lists(volumes, min_size=1, max_size=5), st.integers(0, 60_000), st.booleans())
def test_settling_never_counts_less_than_the_counter_shows(
    asked: list[int], rise: int, exact: bool
) -> None:
    """It decides only what it can explain, and then errs to the side of more."""
    rise = rise // 100 * 100 if exact else rise
    parts = explanation(rise, asked)
    if parts is None:
        assert rise > 0
        assert len(asked) > 1 or rise > asked[0] + 100
        return
    assert rise <= sum(parts) <= rise + 100
    assert (sum(parts) == 0) == (rise == 0)
    for part, volume in zip(parts, asked, strict=True):
        settled = settle(dose(0, volume, DoseState.UNKNOWN), part)
        assert settled.counted == part
        assert len(asked) == 1 or part == 0 or volume <= part <= volume + 100
        with pytest.raises(IllegalTransition):
            advance(settled, DoseState.UNKNOWN)


@given(st.data())
def test_a_single_explanation_is_what_happened(data: st.DataObject) -> None:
    """Whatever doses of several were given: it says so, or nothing."""
    asked = data.draw(st.lists(volumes, min_size=2, max_size=6))
    given_of = [data.draw(st.sampled_from([0, volume])) for volume in asked]
    parts = explanation(sum(given_of), asked, tolerance=0)
    assert parts is None or list(parts) == given_of


@given(st.integers(0, 10**10))
def test_tenths_of_a_millilitre_survive_the_way_out_and_back(tenths: int) -> None:
    """As float, text or decimal, up to a thousand litres."""
    volume = tenths % 10_000_001 * 100
    ml = millilitres(volume)
    assert microlitres(ml) == volume
    assert microlitres(f"{ml:.1f}") == volume
    assert microlitres(Decimal(volume) / 1000) == volume


@given(st.floats() | st.text(max_size=8) | st.decimals())
def test_anything_is_a_whole_number_of_tenths_or_refused(
    value: float | str | Decimal,
) -> None:
    """No input gives any other answer or error."""
    reason = None
    volume = 0
    try:
        volume = microlitres(value)
    except VolumeError as error:
        reason = error.reason
    assert volume % 100 == 0
    assert 0 <= volume <= 10**9
    assert reason in {
        None,
        "not_a_number",
        "not_finite",
        "negative",
        "too_large",
        "too_fine",
    }
