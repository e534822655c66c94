"""Dosing: volumes, the life of a dose, budgets. Pure."""

from .budget import WINDOW, budget_refusal, counted
from .ledger import Dose, DoseState, IllegalTransition, advance, settle
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
    "microlitres",
    "millilitres",
    "settle",
]
