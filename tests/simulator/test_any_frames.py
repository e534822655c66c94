"""Whatever a central writes: the devices stay sane and never raise on their own."""

import json

from hypothesis import given, strategies as st

from custom_components.aquarist.simulator.clock import ManualClock
from custom_components.aquarist.simulator.doser import DoserModel
from custom_components.aquarist.simulator.light import LightModel

from .central import ADDRESS, Central, host_frame

MODES = (0x04, 0x05, 0x07, 0x09, 0x14, 0x15, 0x16, 0x17, 0x19, 0x1B, 0x1F, 0x20)
SIZES = {0x0A: 14, 0x1E: 15, 0x22: 15, 0xFE: 50}

# Small numbers are what hours, heads and flags are, so that many frames are understood.
BYTES = (
    st.integers(0, 255) | st.integers(0, 30) | st.sampled_from([0, 1, 3, 5, 127, 255])
)
FRAMES = st.builds(
    lambda group, mode, parameters: host_frame(group, mode, *parameters),
    st.sampled_from([0x5A, 0xA5]),
    st.sampled_from(MODES),
    st.lists(BYTES, max_size=16),
)
TRAFFIC = st.lists(
    st.tuples(FRAMES | st.binary(max_size=70), st.integers(0, 100_000)), max_size=12
)


def play(
    central: Central, clock: ManualClock, traffic: list[tuple[bytes, int]]
) -> None:
    """Write everything with pauses, then ask for all reports."""
    for data, seconds in traffic:
        central.link.write(data, response=True)
        clock.advance(seconds)
    central.send(0x5A, 0x04, 1)
    central.send(0xA5, 0x04, 4)
    central.send(0xA5, 0x04, 5)
    clock.advance(1)


@given(traffic=TRAFFIC)
def test_a_light_stays_a_light(traffic: list[tuple[bytes, int]]) -> None:
    """Levels between 0 and 100, reports of the right size, the link up."""
    clock = ManualClock()
    light = LightModel(clock, address=ADDRESS)
    central = Central(light)
    play(central, clock, traffic)
    assert central.link.connected
    assert all(0 <= level <= 100 for level in light.channels)
    assert all(len(data) == SIZES[data[5]] for data in central.notifications)
    json.dumps(light.state())


@given(traffic=TRAFFIC)
def test_a_pump_stays_a_pump(traffic: list[tuple[bytes, int]]) -> None:
    """What came out never shrinks, and no counter claims more."""
    clock = ManualClock()
    doser = DoserModel(clock, address=ADDRESS)
    central = Central(doser)
    without_calibration = [item for item in traffic if item[0][5:6] != b"\x16"]
    before = doser.delivered
    for item in without_calibration:
        play(central, clock, [item])
        assert all(new >= old for new, old in zip(doser.delivered, before, strict=True))
        before = doser.delivered
    assert central.link.connected
    assert all(len(data) == SIZES[data[5]] for data in central.notifications)
    now = clock.elapsed()
    for head, delivered in zip(doser.heads, doser.delivered, strict=True):
        assert 0 <= head.lifetime(now) <= delivered
        assert 0 <= head.today(now) <= delivered
    json.dumps(doser.state())
