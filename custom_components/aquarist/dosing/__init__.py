"""Dosing: volumes, the life of a dose, counters, budgets, containers. Pure."""

from .budget import WINDOW, budget_refusal, counted
from .ledger import Dose, DoseState, IllegalTransition, advance
from .settlement import explanation, settle
from .volume import VolumeError, microlitres, millilitres

__all__ = [
    "WINDOW",
    "Dose",
    "DoseState",
    "IllegalTransition",
    "VolumeError",
    "advance",
    "budget_refusal",
    "counted",
    "explanation",
    "microlitres",
    "millilitres",
    "settle",
]
