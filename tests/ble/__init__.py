"""Tests of the links to Bluetooth devices."""
