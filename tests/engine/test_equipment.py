"""Equipment: hardware comes and goes, what is known of it stays (design 3)."""

import asyncio
from collections.abc import Mapping
from typing import override

import pytest

from custom_components.aquarist.commands.phases import Phase
from custom_components.aquarist.devices.device import DeviceKind
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.dosing.ledger import DoseState
from custom_components.aquarist.engine import equipment
from custom_components.aquarist.engine.changes import DeviceChanged
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.state import DEVICE_WAIT
from custom_components.aquarist.layers.setting import Setting
from custom_components.aquarist.store import devices
from custom_components.aquarist.store.errors import StoreClosedError, StoreReadOnlyError
from tests.engine.memory_doser import MemoryDoser
from tests.engine.rig import SERVICE, Pump, Rig
from tests.engine.troubled_store import read_only

DOSE = {"head_index": 0, "volume_ml": 5}


class Lamp(Pump):
    """A pump that cannot tell its level, as a lamp cannot."""

    shown: Setting | None = None

    @override
    def observed(self, field: str) -> Setting | None:
        """Return what was written last."""
        return self.shown

    @override
    async def apply(self, settings: Mapping[str, Setting]) -> None:
        """Remember what was written."""
        await super().apply(settings)
        self.shown = settings["level"]


class TestFind:
    """How a device is named."""

    async def test_by_number_uuid_or_address(self, rig: Rig) -> None:
        """An address in capitals or not."""
        pump = Pump()
        pump.address = "AA:BB:CC:DD:EE:01"
        state = await rig.attach(pump)
        for reference in (1, "uuid-Pump", "AA:BB:CC:DD:EE:01", "aa:bb:cc:dd:ee:01"):
            assert rig.engine.device(reference) is state

    @pytest.mark.parametrize("reference", [2, "uuid-Other", "AA:BB:CC:DD:EE:02"])
    async def test_one_that_is_not_known(self, rig: Rig, reference: str | int) -> None:
        """The error names it."""
        await rig.attach(Pump())
        with pytest.raises(EngineError) as refused:
            rig.engine.device(reference)
        assert (refused.value.code, refused.value.field) == (
            "device_not_found",
            "device_id",
        )
        assert refused.value.placeholders["id"] == str(reference)

    async def test_one_that_is_retired(self, rig: Rig) -> None:
        """Now and after a restart; the same hardware again is the same device."""
        pump = Pump()
        state = await rig.attach(pump)
        await rig.engine.equipment.retire(state.row.number)
        await rig.reboot()
        for reference in (1, "uuid-Pump"):
            with pytest.raises(EngineError):
                rig.engine.device(reference)
        assert (await rig.attach(pump)).row.number == 1
        assert rig.engine.device("uuid-Pump").row.retired_at is None


class TestAttach:
    """Hardware comes."""

    async def test_it_is_announced(self, rig: Rig) -> None:
        """Entities look at the device anew."""
        rig.changes.clear()
        await rig.attach(Pump())
        assert rig.changes == [DeviceChanged(device=1)]

    async def test_again_after_a_reload_without_a_detach(self, rig: Rig) -> None:
        """The old hardware is not listened to any more."""
        old, new = Pump(level=80), Pump(level=70)
        state = await rig.attach(old)
        assert await rig.attach(new) is state
        old.turn_by_hand(10)
        assert state.fields["level"].resting is None
        new.turn_by_hand(20)
        assert state.fields["level"].resting == {"level": 20}

    async def test_what_a_lamp_is_assumed_to_be(self, rig: Rig) -> None:
        """Only where nothing is known: a stored value and a reading are better."""
        dark = {"level": {"level": 0.0}}
        lamp = Lamp()
        state = await rig.attach(lamp, assumed=dark)
        assert state.fields["level"].resting == {"level": 0.0}
        await rig.done(
            await rig.engine.send(state, "set_level", {"level": 30}, SERVICE)
        )
        lamp.shown = None
        (state,) = await rig.reboot(lamp, assumed=dark)
        assert state.fields["level"].resting == {"level": 30}
        pump = await rig.attach(Pump("Other", level=80), assumed=dark)
        assert pump.fields["level"].resting is None

    async def test_a_new_device_needs_a_store(self, rig: Rig) -> None:
        """Its number is a promise."""
        assert rig.engine.database is not None
        async with read_only(rig.engine.database):
            with pytest.raises(StoreReadOnlyError):
                await rig.attach(Pump())
        assert rig.engine.devices == {}

    async def test_a_known_one_does_not(self, rig: Rig) -> None:
        """Its entry may be reloaded while the store is in trouble: off goes out."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        await rig.engine.equipment.detach(state.row.number)
        assert rig.engine.database is not None
        async with read_only(rig.engine.database):
            assert await rig.attach(pump) is state
            await rig.engine.send(state, "turn_off", {}, SERVICE)
            await rig.settle()
            assert pump.level == 0

    async def test_what_cannot_be_made_safe_at_once_is_tried_again(
        self, rig: Rig, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The set-up goes on meanwhile."""
        pump = Pump(level=80)
        safe = {"level": {"level": 0.0}}
        state = await rig.attach(pump, safe=safe)
        await rig.engine.emergency.stop(None)
        await rig.engine.equipment.detach(state.row.number)
        pump.turn_by_hand(80)
        for error in ("held_by_app", "no_answer"):
            pump.fail_next(DeviceError(error, transient=True))
        await rig.attach(pump, safe=safe)
        assert "Pump could not be made safe yet" in caplog.text
        assert pump.level == 80
        await rig.advance(60)
        assert pump.level == 0


class TestQueues:
    """When what waits for a device may run (R-X5)."""

    async def test_commands_wait_for_the_start(self, rig: Rig) -> None:
        """Nothing runs while Home Assistant still starts."""
        await rig.engine.close()
        await rig.boot(start=False)
        pump = Pump()
        state = await rig.attach(pump)
        command = await rig.engine.send(state, "turn_off", {}, SERVICE)
        await rig.settle()
        assert pump.told == []
        rig.engine.start()
        assert (await rig.done(command)).phase is Phase.COMPLETED

    async def test_a_device_that_is_away_is_waited_for(self, rig: Rig) -> None:
        """It came in time."""
        pump = Pump()
        pump.available = False
        state = await rig.attach(pump)
        command = await rig.engine.send(state, "turn_off", {}, SERVICE)
        await rig.advance(DEVICE_WAIT - 1)
        assert (await rig.stored(command)).phase is Phase.PLANNED
        pump.available = True
        assert (await rig.done(command)).phase is Phase.COMPLETED

    async def test_not_for_ever(self, rig: Rig) -> None:
        """Then its commands fail, and say why."""
        pump = Pump()
        pump.available = False
        state = await rig.attach(pump)
        pump.fail_next(DeviceError("out_of_range", transient=False))
        command = await rig.engine.send(state, "set_level", {"level": 1}, SERVICE)
        await rig.advance(DEVICE_WAIT)
        ended = await rig.done(command)
        assert (ended.phase, ended.error) == (Phase.FAILED, "out_of_range")

    async def test_one_that_is_detached_meanwhile_is_not_waited_for(
        self, rig: Rig
    ) -> None:
        """Its queue stays held until it is back."""
        away, gone = Pump("Away"), Pump("Gone")
        states = []
        for pump in (away, gone):
            pump.available = False
            states.append(await rig.attach(pump))
        command = await rig.engine.send(states[0], "turn_off", {}, SERVICE)
        await rig.engine.equipment.detach(states[0].row.number)
        await rig.engine.equipment.retire(states[1].row.number)
        await rig.advance(DEVICE_WAIT)
        assert (await rig.stored(command)).phase is Phase.PLANNED
        away.available = True
        await rig.attach(away)
        assert (await rig.done(command)).phase is Phase.COMPLETED


class TestDetach:
    """Hardware goes: a reload of its entry."""

    async def test_claims_and_order_stay(self, rig: Rig) -> None:
        """What ends meanwhile is made up for when it is back."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        held = await rig.engine.send(state, "turn_off", {}, SERVICE, hold=60)
        await rig.settle()
        await rig.engine.equipment.detach(state.row.number)
        assert not state.available
        await rig.advance(60)
        assert pump.level == 0
        assert (await rig.stored(held)).phase is Phase.RESTORING
        await rig.attach(pump)
        await rig.settle()
        assert pump.level == 80
        assert (await rig.stored(held)).phase is Phase.COMPLETED

    async def test_twice_is_once(self, rig: Rig) -> None:
        """There is nothing left to let go of."""
        state = await rig.attach(Pump())
        for _ in range(2):
            await rig.engine.equipment.detach(state.row.number)
        assert state.device is None

    async def test_while_a_command_waits_behind_another(self, rig: Rig) -> None:
        """What runs comes to its end, the rest waits."""
        pump = Pump()
        pump.hanging = asyncio.Event()
        state = await rig.attach(pump)
        runs = await rig.engine.send(state, "set_level", {"level": 10}, SERVICE)
        waits = await rig.engine.send(state, "set_level", {"level": 20}, SERVICE)
        await rig.engine.equipment.detach(state.row.number)
        pump.hanging.set()
        assert (await rig.done(runs)).phase is Phase.COMPLETED
        await rig.settle()
        assert pump.told == [10.0]
        await rig.attach(pump)
        assert (await rig.done(waits)).phase is Phase.COMPLETED
        assert pump.told == [10.0, 20.0]


class TestRetire:
    """A device goes out of use: it is given back first."""

    async def test_what_holds_it_ends_and_it_is_brought_back(self, rig: Rig) -> None:
        """Windows, ramps and plans; its number is never used again."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        held = await rig.engine.send(state, "turn_off", {}, SERVICE, hold=600)
        now = rig.clock.now()
        planned = await rig.engine.acceptance.create_window(
            state,
            "level",
            10,
            SERVICE,
            start=now.replace(hour=14),
            end=now.replace(hour=15),
        )
        await rig.settle()
        await rig.engine.equipment.retire(state.row.number)
        await rig.settle()
        assert pump.level == 80
        assert (await rig.stored(held)).phase is Phase.STOPPED
        assert (await rig.stored(planned)).phase is Phase.WITHDRAWN
        await rig.advance(4 * 3600)
        assert pump.told == [0.0, 80.0]
        assert (await rig.attach(Pump("Next"))).row.number == 2

    async def test_what_runs_is_stopped_and_what_waits_never_runs(
        self, rig: Rig
    ) -> None:
        """Each with its end."""
        pump = Pump(level=80)
        pump.hanging = asyncio.Event()
        state = await rig.attach(pump)
        runs = await rig.engine.send(state, "set_level", {"level": 10}, SERVICE)
        waits = await rig.engine.send(state, "set_level", {"level": 20}, SERVICE)
        await rig.settle()
        retiring = asyncio.ensure_future(rig.engine.equipment.retire(state.row.number))
        await asyncio.sleep(0)
        pump.hanging.set()
        await retiring
        assert (await rig.done(runs)).phase is Phase.STOPPED
        assert (await rig.done(waits)).phase is Phase.WITHDRAWN
        assert 20.0 not in pump.told
        assert pump.level == 80

    async def test_a_device_that_does_not_answer_delays_it_for_a_while_only(
        self,
        rig: Rig,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """It is left as it is, and that is logged."""
        monkeypatch.setattr(equipment, "RESTORE_WAIT", 0.02)
        pump = Pump(level=80)
        state = await rig.attach(pump)
        await rig.engine.send(state, "turn_off", {}, SERVICE, hold=600)
        await rig.settle()
        pump.hanging = asyncio.Event()
        await rig.engine.equipment.retire(state.row.number)
        assert pump.level == 0
        assert "Pump stays as it is" in caplog.text
        assert rig.engine.devices == {}

    async def test_one_whose_hardware_is_gone(self, rig: Rig) -> None:
        """There is nothing to bring back."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        held = await rig.engine.send(state, "turn_off", {}, SERVICE, hold=600)
        await rig.settle()
        await rig.engine.equipment.detach(state.row.number)
        await rig.engine.equipment.retire(state.row.number)
        await rig.settle()
        assert (await rig.stored(held)).phase is Phase.STOPPED

    async def test_a_dose_that_is_given_stays_unknown(self, rig: Rig) -> None:
        """Nobody is there to see its end; it counts in full."""
        doser = MemoryDoser()
        doser.slow = True
        state = await rig.attach(doser)
        command = await rig.engine.send(state, "dose", DOSE, SERVICE)
        await rig.settle()
        await rig.engine.equipment.retire(state.row.number)
        ended = await rig.done(command)
        assert (ended.phase, ended.error_code) == (Phase.FAILED, "interrupted")
        assert [one.state for one in rig.engine.gate.unknown] == [DoseState.UNKNOWN]
        doser.under_way[0].give(5000)
        await rig.settle()
        assert doser.sent == [(0, 5000)]

    async def test_a_store_that_refuses(
        self, rig: Rig, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It is let go all the same: its entry is gone. That is on disk once it can be."""
        pump = Pump(level=80)
        state = await rig.attach(pump)
        await rig.engine.send(state, "turn_off", {}, SERVICE, hold=600)
        await rig.settle()
        assert rig.engine.database is not None
        async with read_only(rig.engine.database):
            await rig.engine.equipment.retire(state.row.number)
            assert (pump.level, rig.engine.devices) == (80, {})
            assert "Pump is out of use, to be stored" in caplog.text
        await rig.advance(31)
        (row,) = await rig.engine.database.read(devices.load_all)
        assert row.retired_at is not None

    async def test_one_that_is_back_before_its_end_is_stored(self, rig: Rig) -> None:
        """It is in use."""
        state = await rig.attach(Pump())
        assert rig.engine.database is not None
        async with read_only(rig.engine.database):
            await rig.engine.equipment.retire(state.row.number)
        again = await rig.attach(Pump())
        assert again.row.number == state.row.number
        await rig.advance(31)
        (row,) = await rig.engine.database.read(devices.load_all)
        assert row.retired_at is None


class TestEnd:
    """Home Assistant stops."""

    async def test_a_dose_by_a_switch_ends_first(self, rig: Rig) -> None:
        """A pump with a mind of its own ends its dose by itself."""
        switch, pump = MemoryDoser("Switch"), MemoryDoser("Pump")
        switch.kind = DeviceKind.DOSER
        commands = []
        for doser in (switch, pump):
            doser.slow = True
            state = await rig.attach(doser)
            commands.append(await rig.engine.send(state, "dose", DOSE, SERVICE))
        await rig.attach(Pump("Other"))
        await rig.settle()
        await rig.engine.start_and_stop.shut_down()
        ended = await rig.done(commands[0])
        assert (ended.phase, ended.error) == (Phase.STOPPED, "dose_stopped")
        assert (await rig.stored(commands[1])).phase is Phase.IN_FORCE
        pump.under_way[0].give(5000)
        assert (await rig.done(commands[1])).phase is Phase.COMPLETED

    async def test_a_switch_that_is_not_there_any_more(self, rig: Rig) -> None:
        """It is tried, and that is all that can be done."""
        switch = MemoryDoser("Switch")
        switch.kind = DeviceKind.DOSER
        switch.slow = True
        state = await rig.attach(switch)
        command = await rig.engine.send(state, "dose", DOSE, SERVICE)
        await rig.settle()
        state.detach()
        await rig.engine.start_and_stop.shut_down()
        switch.under_way[0].give(None)
        assert (await rig.done(command)).phase is Phase.STOPPED

    async def test_one_that_does_not_let_go_in_good_order(self, rig: Rig) -> None:
        """The others are let go of all the same, and what is owed to the store is written."""

        class Stubborn(Pump):
            """A pump that raises when it is to be let go."""

            @override
            async def close(self) -> None:
                """Raise what nobody foresaw."""
                raise OSError("the adapter is gone")

        class Other(Pump):
            """A pump that knows when it was let go."""

            closed = False

            @override
            async def close(self) -> None:
                """Remember it."""
                self.closed = True
                await super().close()

        other = Other("Other")
        await rig.attach(Stubborn("Stubborn"))
        await rig.attach(other)
        await rig.engine.close()
        assert other.closed
        with pytest.raises(StoreClosedError):
            await rig.engine.journal.commit(lambda connection: None)
