"""What is on disk of a head's counters, as the account that it is, and back."""

from datetime import datetime

from ..dosing.account import Account
from ..store.counters import Counter
from .gate import HeadKey


def account_of(counter: Counter) -> Account:
    """Return the account that counters on disk go on with.

    A total that is pushed alone does not belong to them, whatever it is.
    """
    return Account(
        lifetime=counter.lifetime,
        booked=counter.booked,
        today=counter.total,
        day=counter.day,
        paired=True,
        blind=counter.blind,
    )


def counter_of(
    key: HeadKey, account: Account, today: int | None, at: datetime
) -> Counter:
    """Return what to keep of an account: what was booked ahead the pump has counted, too."""
    ahead = max(-account.unexplained, 0)
    return Counter(
        device=key[0],
        head=key[1],
        lifetime=account.lifetime + ahead,
        booked=account.booked,
        today=today,
        at=at,
        total=None if account.today is None else account.today + ahead,
        day=account.day,
        blind=account.blind,
    )
