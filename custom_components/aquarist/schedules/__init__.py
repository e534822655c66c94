"""Schedules: definitions, plans and their moments. Pure.

Importing the package registers its schedule types.
"""

from .actions import ActionType, OnMiss
from .cron import CronPlan
from .definition import ScheduleDefinition, as_json, parse_definition
from .errors import ErrorCode, ScheduleError
from .moments import Moment
from .one_off import OneOffPlan
from .plan import (
    TIMING_FIELDS,
    Plan,
    between,
    plan_for,
    register,
    required,
    schedule_types,
)

__all__ = [
    "TIMING_FIELDS",
    "ActionType",
    "CronPlan",
    "ErrorCode",
    "Moment",
    "OnMiss",
    "OneOffPlan",
    "Plan",
    "ScheduleDefinition",
    "ScheduleError",
    "as_json",
    "between",
    "parse_definition",
    "plan_for",
    "register",
    "required",
    "schedule_types",
]
