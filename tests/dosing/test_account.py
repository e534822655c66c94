"""What a head's counters tell, also where the lifetime counter does not (protocol 4.1)."""

from datetime import date

from hypothesis import given, strategies as st

from custom_components.aquarist.dosing.account import (
    COUNTER_END,
    Account,
    booked,
    opened,
    settled,
    with_lifetime,
    with_today,
)

TODAY = date(2026, 5, 1)
TOMORROW = date(2026, 5, 2)


def paired(lifetime: int, today: int) -> Account:
    """Open an account whose two totals were read together."""
    return with_today(opened(lifetime), today, TODAY)


def test_what_came_before_the_first_reading_is_not_ours() -> None:
    """Nothing is left to explain."""
    assert opened(70_000).unexplained == 0


def test_the_rise_of_the_lifetime_waits_for_an_explanation() -> None:
    """Until doses of the ledger explain it."""
    account = with_lifetime(opened(70_000), 73_000)
    assert account.unexplained == 3000
    account = booked(account, 2000)
    assert account.unexplained == 1000
    assert settled(account).unexplained == 0


def test_a_dose_may_be_booked_before_the_counter_was_read() -> None:
    """The pump said that it was given; the next reading shows the same."""
    account = booked(opened(1000), 500)
    assert account.unexplained == -500
    assert with_lifetime(account, 1500).unexplained == 0


def test_a_counter_that_went_back_leaves_the_word_to_todays_total() -> None:
    """It was zeroed, and 300 were given since the totals were read together."""
    account = with_lifetime(paired(70_000, 1000), 200)
    assert account.blind
    assert account.unexplained == 0
    account = with_today(account, 1300, TODAY)
    assert not account.blind
    assert not account.lost
    assert account.unexplained == 300
    assert with_lifetime(account, 700).unexplained == 800


def test_what_was_not_explained_yet_survives_a_counter_that_started_over() -> None:
    """A shift of what is booked says by how much doses must move."""
    before = with_today(with_lifetime(paired(70_000, 1000), 72_000), 3000, TODAY)
    after = with_today(with_lifetime(before, 100), 3100, TODAY)
    assert after.unexplained == 2100
    assert after.booked - before.booked == -72_000


def test_a_counter_at_its_end_counts_by_todays_total() -> None:
    """Whether it sticks there, or wraps afterwards."""
    account = with_lifetime(paired(COUNTER_END - 500, 1000), COUNTER_END)
    assert account.blind
    account = with_today(account, 3000, TODAY)
    assert account.unexplained == 2000
    account = with_today(with_lifetime(account, COUNTER_END), 3500, TODAY)
    assert account.unexplained == 2500
    account = with_today(account, 3700, TODAY)
    assert account.unexplained == 2700
    account = with_today(with_lifetime(account, 300), 4000, TODAY)
    assert account.unexplained == 3000


def test_where_neither_total_tells_nothing_is_made_up() -> None:
    """A new day, a total never read, one that is lower: the thread is lost."""
    gone = with_lifetime(paired(70_000, 1000), 100)
    for account in (
        with_today(gone, 1300, TOMORROW),
        with_today(gone, 900, TODAY),
        with_today(with_lifetime(opened(70_000), 100), 900, TODAY),
        with_lifetime(gone, 100),
    ):
        assert account.lost
        assert not account.blind
        assert account.unexplained == 0
    following = with_lifetime(with_today(gone, 1300, TOMORROW), 400)
    assert not following.lost
    assert following.unexplained == 300


def test_a_lifetime_that_rises_from_where_it_was_lost_counts_again() -> None:
    """What came before is not known, what came after is."""
    account = with_lifetime(with_lifetime(paired(70_000, 1000), 100), 600)
    assert account.lost
    assert account.unexplained == 500


def test_a_lifetime_that_goes_back_twice_is_lost_only_in_between() -> None:
    """The second time today's total may tell again."""
    account = with_lifetime(with_lifetime(paired(70_000, 1000), 500), 0)
    assert account.lost
    assert account.blind
    assert with_today(account, 1200, TODAY).unexplained == 200


def test_a_total_that_is_pushed_alone_waits_for_the_lifetime() -> None:
    """What it shows is still missing when the lifetime then starts over."""
    account = with_today(paired(70_000, 1000), 1500, TODAY)
    assert account == paired(70_000, 1000)
    account = with_today(with_lifetime(account, 0), 1500, TODAY)
    assert account.unexplained == 500


def test_totals_that_are_read_together_are_a_new_pair() -> None:
    """The rise of the lifetime has told already."""
    account = with_today(with_lifetime(paired(70_000, 1000), 70_500), 1500, TODAY)
    account = with_today(with_lifetime(account, 0), 1500, TODAY)
    assert account.unexplained == 500


def test_what_the_lifetime_has_told_todays_total_does_not_tell_again() -> None:
    """A dose of 2 mL was seen by the lifetime alone; then that was set to zero."""
    account = settled(with_lifetime(paired(70_000, 1000), 72_000))
    assert with_today(with_lifetime(account, 0), 3000, TODAY).unexplained == 0
    assert with_today(with_lifetime(account, 0), 3500, TODAY).unexplained == 500


def test_a_total_of_another_day_is_no_part_of_the_pair() -> None:
    """Nobody knows how much of it came before the counter started over."""
    account = settled(with_lifetime(paired(70_000, 1000), 72_000))
    assert with_today(with_lifetime(account, 0), 3000, TOMORROW).lost


def test_a_total_that_comes_late_hides_nothing() -> None:
    """What came after the lifetime was read is still missing when that starts over."""
    account = with_today(with_lifetime(paired(70_000, 1000), 70_000), 1500, TODAY)
    assert with_today(with_lifetime(account, 0), 1500, TODAY).unexplained == 500


def test_a_total_that_leaves_runs_out_is_believed() -> None:
    """What the lifetime alone has counted is not asked of today's total."""
    account = settled(with_lifetime(paired(70_000, 1000), 72_000))
    account = with_today(account, 1000, TODAY)
    assert with_today(with_lifetime(account, 0), 1200, TODAY).unexplained == 200


def test_a_total_that_is_told_while_a_dose_is_under_way_begins_no_pair() -> None:
    """It may hold the dose, and the lifetime does not."""
    account = with_today(opened(70_000), 2000, TODAY, under_way=True)
    assert account.today is None
    assert with_today(with_lifetime(account, 0), 2000, TODAY).lost
    account = with_today(opened(70_000), 2000, TODAY)
    assert with_today(account, 2500, TOMORROW, under_way=True) == account


@given(
    st.lists(
        st.tuples(st.integers(0, 50).map(lambda tenths: tenths * 100), st.booleans()),
        max_size=20,
    ),
    st.integers(0, 65_535).map(lambda tenths: tenths * 100),
    st.booleans(),
)
def test_on_one_day_every_volume_is_found_whatever_the_counter_does(
    steps: list[tuple[int, bool]], lifetime: int, sticks: bool
) -> None:
    """It may start over, stick or wrap at its end: today's total knows."""
    truth = lifetime
    total = 0
    account = paired(min(lifetime, COUNTER_END), 0)
    account = settled(account)
    for volume, starts_over in steps:
        truth = volume if starts_over else truth + volume
        total += volume
        shown = min(truth, COUNTER_END) if sticks else truth % (COUNTER_END + 100)
        account = with_today(with_lifetime(account, shown), total, TODAY)
        assert account.unexplained <= total
    if not any(starts_over for _, starts_over in steps):
        assert account.unexplained == total
