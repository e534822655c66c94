"""Tests of the flows with which an aquarium's devices are listed."""
