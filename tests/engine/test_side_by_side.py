"""Fields that are written side by side: one that hangs keeps none of the others (law 4)."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import override

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aquarist.commands.command import Command
from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.device import DeviceKind, StopReport
from custom_components.aquarist.devices.entity import EntityDevice, EntityField
from custom_components.aquarist.devices.errors import DeviceError, FieldErrors
from custom_components.aquarist.devices.fields import percent
from custom_components.aquarist.devices.observable import ObservableDevice
from custom_components.aquarist.engine import levels
from custom_components.aquarist.engine.state import DeviceState
from custom_components.aquarist.layers.setting import Setting
from tests.devices.entities import FakeSwitch, add
from tests.engine.rig import SERVICE, Rig

NAMES = ("one", "two", "three", "four")


class Sump(ObservableDevice):
    """Four fields, the last two of which go together; each may hang, or fail."""

    ACTIONS = {"request_status": ()}

    def __init__(self) -> None:
        """Show nothing but zeros."""
        fields = {name: percent(name) for name in NAMES}
        super().__init__(
            uuid="sump", kind=DeviceKind.ENTITY, name="Sump", fields=fields
        )
        for name in NAMES:
            self._know(name, {name: 0.0})
        self.available = True
        self.told: list[dict[str, float]] = []
        self.hanging: dict[str, asyncio.Event] = {}
        self.failing: dict[str, list[Exception]] = {}
        self.given_up: list[str | None] = []

    @property
    @override
    def apart(self) -> frozenset[str]:
        """Return what has an entity for itself."""
        return frozenset({"one", "two"})

    async def apply(self, settings: Mapping[str, Setting]) -> None:
        """Write down what was asked, then do it, or not."""
        self.told.append({name: float(one[name]) for name, one in settings.items()})
        for name, setting in settings.items():
            if (event := self.hanging.get(name)) is not None:
                await event.wait()
            if self.failing.get(name):
                raise self.failing[name].pop(0)
            self._know(name, setting)

    @override
    async def let_go(self, field: str | None = None) -> None:
        """Write down what is waited for."""
        self.given_up.append(field)

    @override
    async def perform(
        self, action: str, args: Mapping[str, object]
    ) -> Mapping[str, object] | None:
        """Do `request_status`."""
        return {}

    async def stop(self) -> StopReport:
        """Have nothing to stop."""
        return StopReport(confirmed=True, detail="nothing_to_stop")

    def shown(self) -> list[float]:
        """Return what the fields show."""
        return [float((self.observed(name) or {})[name]) for name in NAMES]


@pytest.fixture
async def sump(rig: Rig) -> Sump:
    """Attach a device of several fields that rest on 0."""
    device = Sump()
    await rig.attach(device, safe={name: {name: 5.0} for name in ("one", "two")})
    return device


async def window(
    rig: Rig, field: str, value: float, seconds: float = 600, begin: float = 0
) -> Command:
    """Have a field at a value from now, or so many seconds from now."""
    now = rig.clock.now()
    command = await rig.engine.acceptance.create_window(
        rig.engine.device("sump"),
        field,
        value,
        SERVICE,
        start=now + timedelta(seconds=begin),
        end=now + timedelta(seconds=begin + seconds),
    )
    await rig.settle()
    return command


def fields(rig: Rig) -> DeviceState:
    """Return the device's state."""
    return rig.engine.device("sump")


async def test_a_landing_does_not_wait_for_what_hangs(rig: Rig, sump: Sump) -> None:
    """Windows that begin together: the one that hangs is the only one not in force."""
    sump.hanging["one"] = asyncio.Event()
    windows = [await window(rig, name, 40, begin=10) for name in NAMES]
    await rig.advance(10)
    assert sump.shown() == [0, 40, 40, 40]
    phases = [(await rig.stored(one)).phase for one in windows]
    assert phases == [Phase.APPLYING, *[Phase.IN_FORCE] * 3]
    assert {"three": 40.0, "four": 40.0} in sump.told
    sump.hanging["one"].set()
    await rig.settle()
    assert (await rig.stored(windows[0])).phase is Phase.IN_FORCE


async def test_what_becomes_due_meanwhile_is_taken_along(rig: Rig, sump: Sump) -> None:
    """Its window begins and ends while another field of the device still hangs."""
    sump.hanging["one"] = asyncio.Event()
    stuck = await window(rig, "one", 40)
    begun = await window(rig, "two", 30, seconds=20)
    assert sump.shown() == [0, 30, 0, 0]
    assert (await rig.stored(begun)).phase is Phase.IN_FORCE
    await rig.advance(20)
    assert sump.shown() == [0, 0, 0, 0]
    assert (await rig.done(begun)).phase is Phase.COMPLETED
    assert (await rig.stored(stuck)).phase is Phase.APPLYING


async def test_what_shares_an_entity_is_written_in_turn(rig: Rig, sump: Sump) -> None:
    """Beside the others, but not beside one another."""
    sump.hanging["one"], sump.hanging["three"] = asyncio.Event(), asyncio.Event()
    await window(rig, "one", 40)
    await window(rig, "three", 30)
    await window(rig, "four", 20)
    assert sump.told == [{"one": 40}, {"three": 30}]
    sump.hanging["three"].set()
    await rig.settle()
    assert sump.told[2:] == [{"four": 20}]
    assert sump.shown() == [0, 0, 30, 20]


async def test_a_field_that_the_device_did_not_have_waits(rig: Rig, sump: Sump) -> None:
    """The round knows only those that there were when it began."""
    sump.hanging["one"] = asyncio.Event()
    await window(rig, "one", 40)
    sump._fields = {**sump.fields, "five": percent("five")}
    sump._know("five", {"five": 0.0})
    fields(rig).refresh_fields()
    await window(rig, "five", 20)
    assert sump.told == [{"one": 40}]
    sump.hanging["one"].set()
    await rig.settle()
    assert sump.told[1:] == [{"five": 20}]


async def test_a_field_has_one_write_at_a_time(rig: Rig, sump: Sump) -> None:
    """What it should be by then is written when the first has ended."""
    sump.hanging["one"] = sump.hanging["two"] = asyncio.Event()
    await window(rig, "one", 40)
    await window(rig, "two", 10)
    await window(rig, "two", 20)
    assert sump.told == [{"one": 40}, {"two": 10}]
    sump.hanging.pop("two").set()
    await rig.settle()
    assert sump.told == [{"one": 40}, {"two": 10}, {"two": 20}]
    assert sump.shown() == [40, 20, 0, 0]


async def test_a_command_is_kept_waiting_by_nothing_new(rig: Rig, sump: Sump) -> None:
    """One thing at a time: once it waits, no further write is taken along."""
    sump.hanging["one"], sump.hanging["two"] = asyncio.Event(), asyncio.Event()
    await window(rig, "one", 40)
    await window(rig, "two", 10)
    command = await rig.engine.send(fields(rig), "request_status", {}, SERVICE)
    await window(rig, "two", 20)
    sump.hanging.pop("two").set()
    await rig.settle()
    assert sump.told == [{"one": 40}, {"two": 10}]
    assert not (await rig.stored(command)).final
    sump.hanging.pop("one").set()
    assert (await rig.done(command)).final
    await rig.settle()
    assert sump.told[2:] == [{"two": 20}]


async def test_what_is_given_back_waits_for_no_command(rig: Rig, sump: Sump) -> None:
    """A command behind what hangs keeps no window from its end, and no rule from its claim."""
    sump.hanging["one"] = asyncio.Event()
    await window(rig, "two", 30, seconds=20)
    await window(rig, "one", 40)
    command = await rig.engine.send(fields(rig), "request_status", {}, SERVICE)
    await rig.advance(20)
    assert sump.shown() == [0, 0, 0, 0]
    assert (await rig.stored(command)).phase is Phase.PLANNED
    sump.hanging["one"].set()
    assert (await rig.done(command)).phase is Phase.COMPLETED


async def test_what_is_taken_along_holds_up_no_command(rig: Rig, sump: Sump) -> None:
    """Only beside what was under way before the command came: new writes take no others along."""
    sump.hanging["one"], sump.hanging["two"] = asyncio.Event(), asyncio.Event()
    await window(rig, "one", 40)
    command = await rig.engine.send(fields(rig), "request_status", {}, SERVICE)
    await window(rig, "two", 30)
    assert sump.told == [{"one": 40}, {"two": 30}]
    sump.hanging["one"].set()
    await rig.settle()
    await window(rig, "three", 20)
    assert sump.told[2:] == []
    sump.hanging["two"].set()
    assert (await rig.done(command)).phase is Phase.COMPLETED
    await rig.settle()
    assert sump.shown() == [40, 30, 20, 0]


async def test_each_fails_by_itself(rig: Rig, sump: Sump) -> None:
    """It is tried again, the others are in force, and only it is waited for."""
    sump.failing["one"] = [DeviceError("no_answer", transient=True)]
    windows = [await window(rig, name, 40, begin=10) for name in NAMES[2::-1]]
    await rig.advance(10)
    assert sump.shown() == [0, 40, 40, 0]
    assert sump.given_up == ["one"]
    await rig.advance(30)
    assert sump.shown() == [40, 40, 40, 0]
    for one in windows:
        assert (await rig.stored(one)).phase is Phase.IN_FORCE


async def test_what_goes_together_may_fail_in_part(rig: Rig, sump: Sump) -> None:
    """The device tells which of them did not get there."""
    none = DeviceError("no_answer", transient=True)
    sump.failing["four"] = [FieldErrors({"four": none})]
    for name in ("three", "four"):
        await window(rig, name, 40, begin=10)
    await rig.advance(10)
    await rig.advance(30)
    assert sump.told[0] == {"three": 40.0, "four": 40.0}
    assert {"four": 40.0} in sump.told[1:]
    assert sump.shown() == [0, 0, 40, 40]


async def test_one_that_hangs_for_long_is_given_up_alone(
    rig: Rig, sump: Sump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time ends its own write."""
    monkeypatch.setattr(levels, "FLUSH_TIMEOUT", 0.02)
    sump.hanging["one"] = asyncio.Event()
    await window(rig, "one", 40)
    async with asyncio.timeout(5):
        while not fields(rig).fields["one"].tries:
            await asyncio.sleep(0.01)
    assert sump.given_up == ["one"]
    sump.hanging["one"].set()
    await rig.advance(30)
    assert sump.shown() == [40, 0, 0, 0]


async def test_a_stop_waits_for_none_of_them(rig: Rig, sump: Sump) -> None:
    """What hangs is broken off; what landed was noted, and what was to be written still is."""
    sump.hanging["one"] = asyncio.Event()
    stuck = await window(rig, "one", 40)
    await window(rig, "two", 30)
    del sump.hanging["one"]
    (report,) = await rig.engine.emergency.stop(None)
    assert report.confirmed
    assert sump.shown()[:2] == [5, 5]
    rig.engine.emergency.release(None)
    await rig.settle()
    assert sump.shown()[:2] == [40, 30]
    assert (await rig.stored(stuck)).phase is Phase.IN_FORCE


async def test_a_round_that_a_stop_left_behind_ends_alone(
    rig: Rig, sump: Sump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that does not let itself be broken off spoils nothing of the next round."""
    monkeypatch.setattr("custom_components.aquarist.engine.queue.STOP_GRACE", 0.01)
    stubborn, another = asyncio.Event(), asyncio.Event()
    apply = sump.apply

    async def stays(settings: Mapping[str, Setting]) -> None:
        while not stubborn.is_set():
            with suppress(asyncio.CancelledError):
                await stubborn.wait()
        await apply(settings)

    monkeypatch.setattr(sump, "apply", stays)
    await window(rig, "one", 40)
    monkeypatch.setattr(sump, "apply", apply)
    await fields(rig).queue.stop(sump.stop)
    sump.hanging["two"] = another
    await window(rig, "two", 30)
    stubborn.set()
    await rig.settle()
    await window(rig, "three", 20)
    assert sump.shown() == [40, 0, 20, 0]
    another.set()
    await rig.settle()
    assert sump.shown() == [40, 30, 20, 0]


async def test_a_stop_brings_to_safety_what_it_can(
    rig: Rig, sump: Sump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that hangs then keeps the others of its device from nothing."""
    monkeypatch.setattr(
        "custom_components.aquarist.engine.emergency.CONFIRM_SECONDS", 0.05
    )
    sump.hanging["one"] = asyncio.Event()
    (report,) = await rig.engine.emergency.stop(None)
    assert (report.confirmed, report.detail) == (False, "no_answer")
    assert sump.shown()[:2] == [0, 5]
    assert fields(rig).fields["two"].sent == {"two": 5.0}
    sump.hanging["one"].set()


async def test_a_push_tells_which_fields_failed(rig: Rig, sump: Sump) -> None:
    """Those that go together fail together; what nobody foresaw is raised as it is."""
    state = fields(rig)
    for name in NAMES:
        state.fields[name].resting = {name: 40.0}
    sump.failing["two"] = [DeviceError("no_answer", transient=True)]
    sump.failing["four"] = [DeviceError("write_failed", transient=True)]
    with pytest.raises(FieldErrors) as caught:
        await rig.engine.levels.push(state, state.fields.values())
    assert {name: one.code for name, one in caught.value.by_field.items()} == {
        "two": "no_answer",
        "three": "write_failed",
        "four": "write_failed",
    }
    assert state.fields["one"].sent == {"one": 40.0}
    some = FieldErrors({"four": DeviceError("no_answer", transient=True)})
    sump.failing["four"] = [some]
    with pytest.raises(FieldErrors) as caught:
        await rig.engine.levels.push(state, state.fields.values())
    assert caught.value.by_field == some.by_field
    state.fields["two"].resting = {"two": 50.0}
    sump.failing["two"] = [KeyError("two")]
    state.fields["one"].resting = {"one": 50.0}
    with pytest.raises(KeyError):
        await rig.engine.levels.push(state, state.fields.values())
    assert state.fields["one"].sent == {"one": 50.0}


async def test_an_error_that_nobody_foresaw_ends_one_write_alone(
    rig: Rig, sump: Sump, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has it; the field is looked at again, a little later."""
    sump.hanging["one"] = asyncio.Event()
    await window(rig, "one", 40)
    sump.failing["two"] = [KeyError("two")]
    await window(rig, "two", 30)
    assert "unexpected error" in caplog.text
    assert sump.shown() == [0, 0, 0, 0]
    sump.hanging["one"].set()
    await rig.advance(2)
    assert sump.shown() == [40, 30, 0, 0]


async def test_a_switch_that_hangs_keeps_no_other_of_its_device(
    hass: HomeAssistant, rig: Rig
) -> None:
    """The whole way, with entities of Home Assistant."""
    quick, slow = FakeSwitch("Quick"), FakeSwitch("Slow")
    slow.hangs = asyncio.Event()
    await add(hass, "switch", quick, slow)
    device = EntityDevice(
        hass,
        uuid="sump",
        name="Strip",
        fields=[
            EntityField(name=name, entity=f"switch.{name}")
            for name in ("quick", "slow")
        ],
    )
    await rig.attach(device)
    stuck = await window(rig, "slow", True)
    begun = await window(rig, "quick", True, seconds=20)
    assert quick.runs()
    assert (await rig.stored(begun)).phase is Phase.IN_FORCE
    await rig.advance(20)
    assert not quick.runs()
    assert (await rig.done(begun)).phase is Phase.COMPLETED
    slow.hangs.set()
    await rig.settle()
    assert (await rig.stored(stuck)).phase is Phase.IN_FORCE
