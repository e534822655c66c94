"""Layers: which claim holds a field, and the value that follows. Pure."""

from .claims import Claim, Course, Layer
from .resolve import Resolution, next_change, override_end, owners, resolve
from .setting import Scalar, Setting, merged, same

__all__ = [
    "Claim",
    "Course",
    "Layer",
    "Resolution",
    "Scalar",
    "Setting",
    "merged",
    "next_change",
    "override_end",
    "owners",
    "resolve",
    "same",
]
