"""Custom integrations of Home Assistant; here, Aquarist alone."""
