"""Limits: bounds, slew and on-time, and how a refusal is told (law 5). Pure."""

from .bounds import Bounds, bounded
from .on_time import off_due
from .refusal import Refusal
from .slew import Slew, slewed

__all__ = ["Bounds", "Refusal", "Slew", "bounded", "off_due", "slewed"]
