"""Links to Bluetooth devices: the lease, the connection policy and presence."""
