"""End-to-end tests: a real Home Assistant in a process of its own."""
