"""Tests of the Chihiros protocol."""
