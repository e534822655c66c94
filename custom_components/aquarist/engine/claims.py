"""From a command in force to the claim that it is: nothing of a claim is stored (law 4)."""

from typing import Any, TypeGuard

from ..commands.command import Command
from ..commands.phases import Kind
from ..curves.course import Constant, Ramp, Shape
from ..layers.claims import Claim, Course, Layer
from .clock import Clock
from .deadlines import Deadline

BLOCKING = "blocking"
LASTS = "lasts"
NEXT_EVENT = "until_next_event"
SET_OVERRIDE = "set_override"
AT_START = "at_start"
AT_SHUTDOWN = "at_shutdown"


def course_of(command: Command) -> Course:
    """Return what a window or ramp wants over time."""
    value = command.value or {}
    if command.kind is not Kind.RAMP or command.ends_at is None:
        return Constant(setting=value)
    begins = command.starts_at or command.created_at
    return Ramp(
        start=(command.result or {}).get("start", {}),
        end=value,
        begins=begins,
        duration=command.ends_at - begins,
        shape=Shape(command.args.get("curve", Shape.LINEAR)),
    )


def claim_of(command: Command, *, begun: bool = True) -> Claim:
    """Return the claim that a window or ramp is, in force unless told otherwise."""
    ends_at = command.ends_at
    if command.kind is Kind.RAMP or LASTS in command.args:
        # The last step of a ramp is written before it lets go of its field; elapsed time
        # is no business of the wall clock's.
        ends_at = None
    return Claim(
        id=command.key,
        layer=command.layer or Layer.WINDOW,
        course=course_of(command),
        started_at=command.starts_at or command.created_at,
        order=command.order,
        blocking=bool(command.args.get(BLOCKING)),
        ends_at=ends_at,
        begun=begun,
    )


def lasting(clock: Clock, seconds: float) -> dict[str, Any]:
    """Return the arguments of a claim that ends when so much elapsed time has passed (law 6)."""
    return {LASTS: Deadline.after(clock, seconds).as_json()}


def seconds_left(command: Command, clock: Clock) -> float | None:
    """Return how much elapsed time a claim has left; None where that is not how it ends."""
    deadline = command.args.get(LASTS)
    return None if deadline is None else Deadline.from_json(deadline).left(clock)


def is_over(command: Command, clock: Clock) -> bool:
    """Return whether a window's time is over; a ramp that is late still reaches its end."""
    if (left := seconds_left(command, clock)) is not None:
        return left <= 0
    ends_at = command.ends_at
    return (
        command.kind is Kind.WINDOW and ends_at is not None and ends_at <= clock.now()
    )


def is_by_hand(command: Command) -> bool:
    """Return whether a claim is a change that somebody made by hand."""
    return command.layer is Layer.OVERRIDE and command.action != SET_OVERRIDE


def is_passing(command: Command | None) -> TypeGuard[Command]:
    """Return whether a command holds a field only until the plan has taken over."""
    return command is not None and command.action in (AT_START, AT_SHUTDOWN)
