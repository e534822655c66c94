"""Tests of the room curves."""
