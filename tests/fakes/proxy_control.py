"""The second port of the simulated proxy: one JSON object a line, one answer a line.

`device` is a name or an address. An answer is `{"ok": true, …}` or `{"ok": false, "error": "…"}`.

| command | fields | does |
|---|---|---|
| state | | answers `devices`, `slots`, `free`, `clients`, `touched` |
| writes | device, since? | answers `writes`: what arrived, from index `since` on |
| fault | device, fault, times?, value? | sets a fault (`simulator.faults.MEANINGS`); times null = until cleared |
| clear | device, fault? | takes a fault back, or all of them |
| drop | device | the device drops its link |
| power_cut, power_on | device | takes the device's power away, gives it back |
| slots | slots | the proxy has that many connections from now on, at least 1; fault out_of_slots uses them up |
| advertise | | hands over advertisements now |
| reboot | | the proxy loses all clients and connections |
"""

import asyncio
from collections.abc import Callable
import json
from typing import TYPE_CHECKING, Any

from custom_components.aquarist.simulator.faults import FaultError
from custom_components.aquarist.simulator.peripheral import Peripheral

if TYPE_CHECKING:
    from .esphome_proxy import EsphomeProxy

type Fields = dict[str, Any]


class ControlError(Exception):
    """A line that cannot be obeyed."""


class Control:
    """Obeys lines."""

    def __init__(self, proxy: EsphomeProxy) -> None:
        """Take the proxy to steer."""
        self._proxy = proxy
        self._commands: dict[str, Callable[[Fields], Fields]] = {
            "state": self._state,
            "writes": self._writes,
            "fault": self._fault,
            "clear": self._clear,
            "drop": self._drop,
            "power_cut": lambda fields: self._power(fields, on=False),
            "power_on": lambda fields: self._power(fields, on=True),
            "slots": self._slots,
            "advertise": self._advertise,
            "reboot": self._reboot,
        }

    def obey(self, line: bytes) -> Fields:
        """Return the answer to a line."""
        try:
            fields = json.loads(line)
            command = self._commands.get(fields["command"])
            if command is None:
                raise ControlError(f"command: none is called {fields['command']}")
            return {"ok": True, **command(fields)}
        except (ControlError, FaultError) as error:
            return {"ok": False, "error": str(error)}
        except (KeyError, TypeError, ValueError) as error:
            return {"ok": False, "error": f"not understood: {error!r}"}

    def _state(self, _: Fields) -> Fields:
        """Describe everything."""
        proxy = self._proxy
        return {
            "devices": [device.state() for device in proxy.stage.devices.values()],
            "slots": proxy.slots,
            "free": proxy.free,
            "clients": len(proxy.sessions),
            "touched": proxy.touched,
        }

    def _writes(self, fields: Fields) -> Fields:
        """List what arrived at a device."""
        log = self._device(fields).write_log[fields.get("since", 0) :]
        return {
            "writes": [
                {
                    "at": written.at_elapsed,
                    "data": written.data.hex(),
                    "response": written.response,
                }
                for written in log
            ]
        }

    def _fault(self, fields: Fields) -> Fields:
        """Set a fault."""
        self._proxy.stage.fault(
            self._device(fields).address,
            fields["fault"],
            fields.get("times", 1),
            fields.get("value"),
        )
        self._proxy.push_slots()
        return {}

    def _clear(self, fields: Fields) -> Fields:
        """Take faults back."""
        self._proxy.stage.clear(self._device(fields).address, fields.get("fault"))
        self._proxy.push_slots()
        return {}

    def _drop(self, fields: Fields) -> Fields:
        """Lose a link."""
        self._proxy.stage.drop(self._device(fields).address)
        return {}

    def _power(self, fields: Fields, *, on: bool) -> Fields:
        """Switch a device off or on at the wall."""
        self._proxy.stage.power(self._device(fields).address, on=on)
        return {}

    def _slots(self, fields: Fields) -> Fields:
        """Have more or fewer connections."""
        slots = fields["slots"]
        if type(slots) is not int or slots < 1:
            raise ControlError("slots: a whole number from 1")
        self._proxy.slots = slots
        self._proxy.push_slots()
        return {}

    def _advertise(self, _: Fields) -> Fields:
        """Advertise now."""
        self._proxy.advertise()
        return {}

    def _reboot(self, _: Fields) -> Fields:
        """Restart the proxy."""
        self._proxy.reboot()
        return {}

    def _device(self, fields: Fields) -> Peripheral:
        """Find the device that is meant."""
        wanted = fields["device"]
        for device in self._proxy.stage.devices.values():
            if wanted in (device.name, device.address):
                return device
        raise ControlError(f"device: none is called {wanted}")


async def serve_control(proxy: EsphomeProxy, host: str, port: int) -> asyncio.Server:
    """Listen for lines."""
    control = Control(proxy)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(json.dumps(control.obey(line)).encode() + b"\n")
            await writer.drain()
        writer.close()

    return await asyncio.start_server(talk, host, port)
