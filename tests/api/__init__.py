"""Tests of the surfaces for programs."""
