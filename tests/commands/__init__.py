"""Specification of the command: its record, its life and its tries."""
