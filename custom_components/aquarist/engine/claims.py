"""From a command in force to the claim that it is: nothing of a claim is stored (law 4)."""

from ..commands.command import Command
from ..commands.phases import Kind
from ..curves.course import Constant, Ramp, Shape
from ..layers.claims import Claim, Course, Layer


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


def claim_of(command: Command) -> Claim:
    """Return the claim that a window or ramp in force is."""
    ends_at = command.ends_at
    if command.kind is Kind.RAMP and ends_at is not None:
        # The last step is written before the ramp lets go of its field.
        ends_at = None
    return Claim(
        id=command.key,
        layer=command.layer or Layer.WINDOW,
        course=course_of(command),
        started_at=command.starts_at or command.created_at,
        order=command.order,
        ends_at=ends_at,
    )
