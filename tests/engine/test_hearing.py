"""Hearing: what a device tells of itself reaches whom it concerns."""

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.device import DeviceStatus
from custom_components.aquarist.devices.fields import percent
from custom_components.aquarist.engine.changes import DeviceChanged
from tests.engine.rig import SERVICE, Pump, Rig


class LateEntity(Pump):
    """A pump whose entity is not there yet: it has no field before it comes."""

    def __init__(self) -> None:
        """Be away."""
        super().__init__(level=80)
        self._fields = {}
        self._available = False

    def come(self) -> None:
        """Be there, with a field."""
        self._fields = {"level": percent("level")}
        self.available = True


async def test_a_device_that_tells_its_fields_late(rig: Rig) -> None:
    """What was kept for them meets them."""
    device = LateEntity()
    state = await rig.attach(device)
    assert state.fields == {}
    device.come()
    ended = await rig.done(
        await rig.engine.send(state, "set_level", {"level": 30}, SERVICE)
    )
    assert ended.phase is Phase.COMPLETED
    (state,) = await rig.reboot(device)
    assert state.fields["level"].resting == {"level": 30}


async def test_what_a_device_says_of_itself_is_announced_when_it_is_news(
    rig: Rig,
) -> None:
    """The newest is kept."""
    pump = Pump()
    state = await rig.attach(pump)
    rig.changes.clear()
    for minutes in (60, 60, 70):
        status = DeviceStatus(firmware=6, uptime_minutes=minutes)
        pump._tell_status(status)
        assert state.status == status
    assert rig.changes == [DeviceChanged(device=1)] * 2
