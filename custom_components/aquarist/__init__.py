"""Aquarist: runs an aquarium so that the plan happens, once, and can be proven."""
