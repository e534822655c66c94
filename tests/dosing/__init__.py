"""Tests of the room dosing."""
