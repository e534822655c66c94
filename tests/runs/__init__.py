"""Sequences of steps: what they are, and what comes next."""
