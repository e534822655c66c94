"""What the vendor app sends on every connection (protocol section 1.3)."""

from datetime import datetime

from .accessories import doctor_query
from .command_frame import CommandFrame, query_status, set_time
from .dosers import query_lifetime, query_today
from .models import DeviceFamily


def prelude(family: DeviceFamily, local_time: datetime) -> tuple[CommandFrame, ...]:
    """Return the frames that open a connection, in order.

    Status query and the clock twice, for dosers then both queries of the totals; a Doctor has
    its own query and the clock once (section 5.5). A naive wall clock is wanted, OutOfRange
    otherwise. The same message id may serve both clock frames.
    """
    if family is DeviceFamily.DOCTOR:
        return (doctor_query(), set_time(local_time))
    opening = (query_status(), set_time(local_time), set_time(local_time))
    if family is DeviceFamily.DOSER:
        return (*opening, query_lifetime(), query_today())
    return opening
