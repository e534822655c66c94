"""Specification of the engine: real store, real queues, a clock that tests move."""
