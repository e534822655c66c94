"""Tests of the REST views."""
