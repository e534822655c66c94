"""The engine: what ties the pure rooms, the devices and the store together."""
