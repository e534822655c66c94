"""Curves: values over time. Pure."""

from .course import Constant, Ramp, Shape

__all__ = ["Constant", "Ramp", "Shape"]
