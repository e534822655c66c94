"""Simulated devices behind real Bluetooth stacks, and a time that waits for nobody."""
