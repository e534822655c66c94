"""Tests of Aquarist; they mirror the tree of the integration."""
