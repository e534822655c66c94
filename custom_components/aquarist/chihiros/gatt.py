"""GATT services and characteristics of Chihiros devices (protocol section 1.1)."""

from typing import Final

UART_SERVICE: Final = "6e400001-b5a3-f393-e0a9-e50e24dcca9e"
UART_WRITE: Final = "6e400002-b5a3-f393-e0a9-e50e24dcca9e"
UART_NOTIFY: Final = "6e400003-b5a3-f393-e0a9-e50e24dcca9e"

# The oldest lights; on some of them the characteristic cannot notify.
LEGACY_SERVICE: Final = "0000ffe0-0000-1000-8000-00805f9b34fb"
LEGACY_CHARACTERISTIC: Final = "0000ffe1-0000-1000-8000-00805f9b34fb"

# Firmware update: never write, never subscribe; a subscription once cost all notifications.
DFU_SERVICE: Final = "0000fe59-0000-1000-8000-00805f9b34fb"
DFU_CHARACTERISTIC: Final = "8ec90003-f315-4f60-9fb8-838830daea50"
