"""What a head's counters show, and how much of it the ledger explains (protocol 4.1, 4.3).

The lifetime counter tells what was given between two readings, unless it went back or stands
at its end. Then today's total tells, if it was read before and after on the same day of the
pump. Where neither tells, the thread is lost: nothing is made up, and the counting begins
anew at what the counter shows.
"""

from dataclasses import replace
from datetime import date

from ..frozen import frozen

# The lifetime counter has 16 bits of tenths of a millilitre; at its end it wraps or sticks.
COUNTER_END = 0xFFFF * 100
# What the counters, which show tenths, may be off by.
TOLERANCE = 100


@frozen
class Account:
    """The account of one head. Volumes are µL.

    `lifetime` is as last read, `booked` what of it the ledger explains. `today` is the total
    of the day `day` of the pump that goes with that lifetime; `paired` is False as long as
    the pump did not tell it since. `blind` means that the last lifetime did not tell what
    was given and today's total is waited for; `lost` that the last reading lost the thread.
    """

    lifetime: int
    booked: int
    today: int | None = None
    day: date | None = None
    paired: bool = False
    blind: bool = False
    lost: bool = False

    @property
    def unexplained(self) -> int:
        """What the pump has given and no dose explains; less than nothing when booked ahead."""
        return self.lifetime - self.booked


def opened(lifetime: int) -> Account:
    """Begin an account: what the pump gave before is not ours to explain."""
    return Account(lifetime=lifetime, booked=lifetime)


def with_lifetime(account: Account, lifetime: int) -> Account:
    """Take in a lifetime counter as just read.

    Where it goes on, today's total goes on by as much: what the one has told, the other may
    not tell again. `booked` changes only where the counter did not go on from where it was: by how much, the
    doses that compare with an older reading are to be shifted.
    """
    if account.blind:
        account = _anew(account)
    else:
        account = replace(account, lost=False)
    if account.lifetime <= lifetime < COUNTER_END:
        return replace(
            account,
            lifetime=lifetime,
            today=_gone_on(account, lifetime - account.lifetime),
            paired=False,
        )
    return replace(
        account,
        lifetime=lifetime,
        booked=lifetime - account.unexplained,
        paired=False,
        blind=True,
    )


def with_today(
    account: Account, today: int, day: date, *, under_way: bool = False
) -> Account:
    """Take in today's total as just read on a day of the pump.

    One that is read while a dose is under way may hold what the last lifetime does not: it
    does not begin a pair.
    """
    account = replace(account, lost=False)
    before = account.today if account.day == day else None
    if account.blind or account.lifetime >= COUNTER_END:
        if before is None or today < before:
            account = _anew(account)
        else:
            account = replace(account, booked=account.booked - (today - before))
    elif account.paired or (before is None and under_way):
        return account
    elif before is not None:
        today = min(before, today)
    return replace(account, today=today, day=day, paired=True, blind=False)


def booked(account: Account, volume: int) -> Account:
    """Note that the ledger explains so much more."""
    return replace(account, booked=account.booked + volume, lost=False)


def settled(account: Account) -> Account:
    """Note that the ledger explains all that was read."""
    return replace(account, booked=account.lifetime, lost=False)


def _gone_on(account: Account, volume: int) -> int | None:
    """Return today's total after so much more, where it was known before."""
    return None if account.today is None or account.lost else account.today + volume


def _anew(account: Account) -> Account:
    """Begin anew at what the counter shows: nobody can tell what was given meanwhile."""
    return replace(account, booked=account.lifetime, blind=False, lost=True)
