"""Layers: which claim holds a field, and the value that follows. Pure."""

from .claims import Claim, Course, Layer
from .hand import LONGEST_HOLD, HandPolicy, HandRule, Lasting, by_hand, lasts
from .resolve import Resolution, next_change, override_end, owners, resolve
from .setting import Scalar, Setting, merged, same

__all__ = [
    "LONGEST_HOLD",
    "Claim",
    "Course",
    "HandPolicy",
    "HandRule",
    "Lasting",
    "Layer",
    "Resolution",
    "Scalar",
    "Setting",
    "by_hand",
    "lasts",
    "merged",
    "next_change",
    "override_end",
    "owners",
    "resolve",
    "same",
]
