"""Devices: things with fields, whatever stands behind them."""
