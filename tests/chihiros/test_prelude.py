"""What opens every connection (protocol section 1.3)."""

from datetime import UTC, datetime

import pytest

from custom_components.aquarist.chihiros import commands
from custom_components.aquarist.chihiros.models import DeviceFamily
from custom_components.aquarist.chihiros.prelude import prelude
from custom_components.aquarist.chihiros.ranges import OutOfRange

NOW = datetime.fromisoformat("2025-09-05T22:33:33")


def test_light() -> None:
    """Status query, then the clock twice."""
    clock = commands.set_time(NOW)
    expected = (commands.query_status(), clock, clock)
    assert prelude(DeviceFamily.LIGHT, NOW) == expected
    assert prelude(DeviceFamily.UNKNOWN, NOW) == expected


def test_doser_asks_for_totals() -> None:
    """Dosers are asked for lifetime and today as well."""
    frames = prelude(DeviceFamily.DOSER, NOW)
    assert frames[:3] == prelude(DeviceFamily.LIGHT, NOW)
    assert frames[3:] == (commands.query_lifetime(), commands.query_today())


def test_doctor_has_its_own_opening() -> None:
    """A Doctor takes its own query and the clock once (protocol section 5.5)."""
    expected = (commands.doctor_query(), commands.set_time(NOW))
    assert prelude(DeviceFamily.DOCTOR, NOW) == expected


def test_wants_a_wall_clock() -> None:
    """An aware time is refused: the device has no zones."""
    with pytest.raises(OutOfRange):
        prelude(DeviceFamily.LIGHT, NOW.replace(tzinfo=UTC))
