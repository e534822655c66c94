"""The simulated proxy's second port and its memory: what end-to-end tests stand on."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from custom_components.aquarist.chihiros import dosers, lights
from custom_components.aquarist.chihiros.frames import FIRST_MESSAGE_ID
from custom_components.aquarist.simulator.clock import LoopClock, ManualClock
from custom_components.aquarist.simulator.doser import DoserModel
from custom_components.aquarist.simulator.light import LightModel
from tests.fakes.esphome_proxy import EsphomeProxy
from tests.fakes.esphome_wire import Decoder, WireError, encode, pb
from tests.fakes.proxy_control import Control
from tests.fakes.stage import ResumedClock, Stage
from tests.fakes.virtual_time import virtual_time

from .rig import DOSER_ADDRESS, LIGHT_ADDRESS

DOSE = dosers.dose_now(0, 10_000).encode(FIRST_MESSAGE_ID)


def control() -> tuple[Control, DoserModel]:
    """Give the control of a proxy with one doser."""
    clock = ManualClock()
    stage = Stage(clock)
    doser = DoserModel(clock, address=DOSER_ADDRESS)
    stage.add(doser)
    return Control(EsphomeProxy(stage)), doser


def obey(control: Control, **fields: Any) -> dict[str, Any]:
    """Send a line and return the answer."""
    return control.obey(json.dumps(fields).encode())


def test_the_state_and_the_write_log_can_be_read() -> None:
    """Both are JSON."""
    steered, doser = control()
    connection = doser.connect(lambda _: None, lambda _: None)
    connection.write(DOSE, response=True)
    state = obey(steered, command="state")
    assert state["devices"][0]["connected"]
    assert json.dumps(state)
    log = obey(steered, command="writes", device=doser.name)
    assert log["writes"] == [{"at": 0.0, "data": DOSE.hex(), "response": True}]
    assert obey(steered, command="writes", device=doser.name, since=1)["writes"] == []


def test_faults_power_and_link_can_be_steered() -> None:
    """By name or by address."""
    steered, doser = control()
    obey(steered, command="fault", device=DOSER_ADDRESS, fault="mute", times=None)
    assert obey(steered, command="state")["devices"][0]["faults"] == {
        "mute": {"times": None, "value": None}
    }
    obey(steered, command="clear", device=DOSER_ADDRESS)
    assert doser.faults.as_json() == {}
    doser.connect(lambda _: None, lambda _: None)
    obey(steered, command="drop", device=DOSER_ADDRESS)
    assert not doser.connected
    obey(steered, command="power_cut", device=DOSER_ADDRESS)
    assert doser.state()["powered"] is False
    obey(steered, command="power_on", device=DOSER_ADDRESS)
    assert doser.powered
    obey(steered, command="fault", device=DOSER_ADDRESS, fault="out_of_slots")
    assert obey(steered, command="state")["free"] == 0


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"{", "not understood"),
        (b"[]", "not understood"),
        (b"{}", "command"),
        (b'{"command": "fly"}', "command: none is called fly"),
        (b'{"command": "drop", "device": "x"}', "device: none is called x"),
        (b'{"command": "slots", "slots": 0}', "slots"),
    ],
)
def test_a_line_that_cannot_be_obeyed_gets_an_error(line: bytes, error: str) -> None:
    """The answer says what is wrong with it."""
    steered, _ = control()
    answer = steered.obey(line)
    assert not answer["ok"]
    assert error in answer["error"]


def test_a_fault_that_does_not_exist_gets_an_error() -> None:
    """Nothing is set."""
    steered, doser = control()
    answer = obey(steered, command="fault", device=DOSER_ADDRESS, fault="flood")
    assert not answer["ok"]
    assert doser.faults.as_json() == {}


def test_frames_survive_any_cutting() -> None:
    """Messages come out whole, however the stream was cut."""
    stream = encode(pb.PingRequest()) + encode(pb.HelloRequest(client_info="x" * 300))
    decoder = Decoder()
    messages = [message for byte in stream for message in decoder.feed(bytes([byte]))]
    assert [type(message).__name__ for message in messages] == [
        "PingRequest",
        "HelloRequest",
    ]
    with pytest.raises(WireError):
        Decoder().feed(b"\x01\x00\x00")


class WallClock:
    """The epoch as the stage sees it, bound to the loop's time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the place of the system clock."""
        self.loop = asyncio.get_running_loop()
        monkeypatch.setattr("tests.fakes.stage.time.time", self.loop.time)


def resumed(journal: Path) -> tuple[Stage, DoserModel, LightModel]:
    """Start a stage on a journal, as a new process does."""
    stage = Stage(ResumedClock())
    doser = DoserModel(stage.clock, address=DOSER_ADDRESS)
    light = LightModel(stage.clock, address=LIGHT_ADDRESS)
    stage.add(doser)
    stage.add(light)
    stage.resume(journal, LoopClock(asyncio.get_running_loop()))
    return stage, doser, light


@virtual_time
async def test_devices_live_on_while_the_proxy_is_down(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A dose that was under way is done; counters, levels and faults are as they would be."""
    WallClock(monkeypatch)
    journal = tmp_path / "journal"
    stage, doser, _ = resumed(journal)
    pump = stage.connect(DOSER_ADDRESS, lambda _: None, lambda _: None)
    pump.subscribe()
    lamp = stage.connect(LIGHT_ADDRESS, lambda _: None, lambda _: None)
    lamp.write(lights.manual_on().encode(FIRST_MESSAGE_ID), response=True)
    lamp.write(lights.set_channel(1, 70).encode(FIRST_MESSAGE_ID), response=True)
    await asyncio.sleep(100)
    pump.write(DOSE, response=True)
    stage.fault(LIGHT_ADDRESS, "refuse", 3, None)
    await asyncio.sleep(4)
    assert doser.delivered[0] == pytest.approx(4000, abs=5)

    _, doser, light = resumed(journal)
    assert doser.delivered[0] == pytest.approx(4000, abs=5)
    assert light.channels == (0.0, 70.0, 0.0, 0.0)
    assert light.faults.as_json() == {"refuse": {"times": 3, "value": None}}
    assert not doser.connected
    await asyncio.sleep(60)

    _, doser, _ = resumed(journal)
    assert doser.delivered[0] == 10_000
    assert doser.heads[0].run is None


@virtual_time
async def test_what_follows_a_restart_is_remembered_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The journal goes on; a dose ends by the loop's time; power cuts and drops are repeated."""
    WallClock(monkeypatch)
    journal = tmp_path / "journal"
    resumed(journal)
    await asyncio.sleep(10)
    stage, doser, _ = resumed(journal)
    heard: list[bytes] = []
    pump = stage.connect(DOSER_ADDRESS, heard.append, lambda _: None)
    pump.subscribe()
    pump.write(DOSE, response=True)
    await asyncio.sleep(11)
    assert [data[5] for data in heard] == [0x22]
    stage.drop(DOSER_ADDRESS)
    stage.power(LIGHT_ADDRESS, on=False)
    stage.fault(DOSER_ADDRESS, "refuse", None, None)
    stage.clear(DOSER_ADDRESS, None)

    _, doser, light = resumed(journal)
    assert doser.delivered[0] == 10_000
    assert doser.faults.as_json() == {}
    assert not light.powered
