"""The register of schedule types, and the moments of a span."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from custom_components.aquarist.schedules import (
    ActionType,
    CronPlan,
    ErrorCode,
    Moment,
    OneOffPlan,
    OnMiss,
    ScheduleDefinition,
    ScheduleError,
    as_json,
    between,
    parse_definition,
    plan as plan_module,
    plan_for,
    register,
    required,
    schedule_types,
)

START = datetime(2026, 5, 1, 6, tzinfo=UTC)
CRON = ScheduleDefinition(
    name="Dawn",
    device_ids=(1,),
    schedule_type="cron",
    cron_expression="0 6 * * *",
    timezone="UTC",
    action_type=ActionType.ON,
    action_params={},
    on_miss=OnMiss.SKIP,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """A plan that comes again after a fixed time."""

    start: datetime
    period: timedelta

    def after(self, instant: datetime) -> Moment:
        """Give the next pulse."""
        return Moment(
            at=self.start + ((instant - self.start) // self.period + 1) * self.period
        )


def pulse(definition: ScheduleDefinition) -> Pulse:
    """Make a pulse from a definition."""
    period = required(definition.interval_seconds, "interval_seconds")
    return Pulse(start=START, period=timedelta(seconds=period))


@pytest.fixture
def pulse_type(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Register a type for the time of a test."""
    with monkeypatch.context() as patched:
        patched.setattr(plan_module, "_TYPES", dict(plan_module._TYPES))
        register("pulse", pulse, fields={"interval_seconds"})
        yield "pulse"


def test_the_types_of_the_room_are_registered() -> None:
    """Importing the package is enough."""
    assert schedule_types() == ("cron", "one_off")


def test_a_registered_type_needs_no_other_change(pulse_type: str) -> None:
    """It is parsed, planned and written back like the built-in ones (R-B73)."""
    data = {
        "name": "Skimmer",
        "device_ids": [3],
        "schedule_type": pulse_type,
        "interval_seconds": 60,
        "action_type": "on",
    }
    definition = parse_definition(data, default_zone="UTC")
    minute = timedelta(minutes=1)
    assert [
        moment.at
        for moment in between(plan_for(definition), START, START + 3 * minute, 10)
    ] == [START + minute, START + 2 * minute, START + 3 * minute]
    assert parse_definition(as_json(definition), default_zone="UTC") == definition


def test_a_registered_type_names_what_it_misses(pulse_type: str) -> None:
    """The factory asks for the fields that it needs."""
    with pytest.raises(ScheduleError) as refused:
        plan_for(replace(CRON, schedule_type=pulse_type, cron_expression=None))
    assert refused.value.field == "interval_seconds"
    assert refused.value.code is ErrorCode.MISSING


def test_a_type_is_registered_once(pulse_type: str) -> None:
    """Two parts of the program cannot both own it."""
    with pytest.raises(ValueError, match="pulse is registered already"):
        register(pulse_type, pulse)


def test_a_type_uses_known_timing_fields() -> None:
    """A misspelt field would refuse everything; it is found at once."""
    with pytest.raises(ValueError, match="Unknown timing fields: starttime"):
        register("pulse", pulse, fields={"starttime"})
    assert "pulse" not in schedule_types()


def test_plans_are_made_from_definitions() -> None:
    """The type decides which plan."""
    one_off = replace(
        CRON, schedule_type="one_off", cron_expression=None, start_time=START
    )
    assert plan_for(one_off) == OneOffPlan(at=START)
    assert isinstance(plan_for(CRON), CronPlan)


def test_a_cron_plan_takes_zone_start_and_end_of_its_definition() -> None:
    """The plan of a definition is the plan of its fields."""
    definition = replace(
        CRON,
        timezone="Europe/Berlin",
        start_time=START - timedelta(hours=2),
        end_time=START + timedelta(days=1),
    )
    found = between(
        plan_for(definition), START - timedelta(days=9), START + timedelta(days=9), 9
    )
    assert [moment.at.isoformat() for moment in found] == [
        "2026-05-01T04:00:00+00:00",
        "2026-05-02T04:00:00+00:00",
    ]


def test_an_unknown_type_is_refused() -> None:
    """A stored schedule of a type that is gone has no plan."""
    with pytest.raises(ScheduleError) as refused:
        plan_for(replace(CRON, schedule_type="lunar"))
    assert refused.value.field == "schedule_type"
    assert refused.value.code is ErrorCode.UNKNOWN_WORD
    assert refused.value.placeholders == {"value": "lunar", "known": "cron, one_off"}


def test_a_field_of_another_type_is_refused() -> None:
    """An interval says nothing to cron."""
    with pytest.raises(ScheduleError) as refused:
        plan_for(replace(CRON, interval_seconds=60))
    assert refused.value.field == "interval_seconds"
    assert refused.value.code is ErrorCode.NOT_FOR_TYPE
    assert refused.value.placeholders == {"schedule_type": "cron"}


def test_between_is_open_at_the_start_and_closed_at_the_end() -> None:
    """Two spans that meet have no moment in common and lose none."""
    plan = plan_for(CRON)
    day = timedelta(days=1)
    first = between(plan, START, START + 2 * day, 10)
    second = between(plan, START + 2 * day, START + 3 * day, 10)
    assert [moment.at for moment in first] == [START + day, START + 2 * day]
    assert [moment.at for moment in second] == [START + 3 * day]


def test_between_gives_no_more_than_the_limit() -> None:
    """An outage of a year asks for a few at a time."""
    found = between(plan_for(CRON), START, START + timedelta(days=365), 3)
    assert [moment.at.day for moment in found] == [2, 3, 4]


def test_between_ends_with_the_plan() -> None:
    """A single instant is found once."""
    found = between(OneOffPlan(at=START), START - timedelta(1), START + timedelta(1), 9)
    assert found == [Moment(at=START)]
