"""The Chihiros Bluetooth protocol: bytes and values, nothing of connections or Home Assistant."""
