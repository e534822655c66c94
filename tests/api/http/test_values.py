"""What fields show, and what they showed (R-T49, R-T50)."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers.entity import StateInfo
from homeassistant.helpers.entity_component import async_update_entity
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from yarl import URL

from custom_components.aquarist.api.device_fields import (
    SingleField,
    Source,
    single_fields,
    source_of,
)
from custom_components.aquarist.api.field_history import page_of
from custom_components.aquarist.layers.setting import Scalar
from tests.aquarium import aquarium, call, device_named, engine_of, entity_of, subentry

from .chiller import CHILLER, DEVICE, climate, sump
from .rest import DOSER, LEVEL, PUMP, SKIMMER, Rest, commands_of, pump

LIGHT = "Demo light"
SYNC = LEVEL | {"execution": "sync"}


def uuid_of(hass: HomeAssistant, *names: str) -> str:
    """Return the ids of devices, with commas between."""
    return ",".join(device_named(hass, name).row.uuid for name in names)


async def latest(rest: Rest, **query: str) -> list[dict[str, Any]]:
    """Return the present values that are asked for."""
    answer = await rest.get("/latest_value", **query)
    assert answer.status == 200
    results: list[dict[str, Any]] = answer.body["results"]
    return results


class TestLatest:
    """GET /latest_value."""

    async def test_our_own_devices(self, hass: HomeAssistant, rest: Rest) -> None:
        """Each field of each device; null where a device has none such, or it is not known."""
        await rest.post(commands_of(hass, PUMP), SYNC)
        await hass.async_block_till_done()
        asked = await latest(
            rest,
            device_id=uuid_of(hass, PUMP, SKIMMER, LIGHT),
            field_name="level,mix_red",
        )
        known = {(one["device_id"], one["field_name"]): one for one in asked}
        assert len(known) == 6
        value = known[uuid_of(hass, PUMP), "level"]
        assert value["value"] == 30
        number = hass.states.get(entity_of(hass, Platform.NUMBER, PUMP, "level"))
        assert number is not None
        assert datetime.fromisoformat(value["timestamp"]) == number.last_updated
        assert known[uuid_of(hass, SKIMMER), "level"]["value"] == 100
        assert known[uuid_of(hass, SKIMMER), "mix_red"]["value"] is None
        assert known[uuid_of(hass, SKIMMER), "mix_red"]["timestamp"] is None
        assert known[uuid_of(hass, LIGHT), "level"]["value"] is None

    async def test_a_lamp_and_a_head(self, hass: HomeAssistant, rest: Rest) -> None:
        """The lamp's own entity tells when they changed."""
        await rest.post(commands_of(hass, LIGHT), SYNC)
        await hass.async_block_till_done()
        values = await latest(
            rest, device_id=uuid_of(hass, LIGHT), field_name="level,mix_red"
        )
        assert [one["value"] for one in values] == [30, 100]
        assert all(one["timestamp"] for one in values)
        head = await latest(
            rest, device_id=uuid_of(hass, DOSER), field_name="dosing_allowed_2"
        )
        assert head[0]["value"] is True
        assert head[0]["timestamp"] is not None

    async def test_what_an_entity_shows(
        self, hass: HomeAssistant, tmp_path: Path, hass_client: ClientSessionGenerator
    ) -> None:
        """R-T49: as the state machine has it, in the announced unit; unknown is null."""
        async with sump(hass, tmp_path):
            rest = Rest(await hass_client())
            query = {"device_id": uuid_of(hass, DEVICE)}
            names = "target,pump_mode,relay,leak,salinity,temperature,hvac_mode"
            values = {
                one["field_name"]: one
                for one in await latest(rest, **query, field_name=names)
            }
            shown = {name: one["value"] for name, one in values.items()}
            assert shown == {
                "target": 25,
                "pump_mode": "calm",
                "relay": False,
                "leak": False,
                "salinity": 35.1,
                "temperature": 25,
                "hvac_mode": "cool",
            }
            state = hass.states.get("sensor.salinity")
            assert state is not None
            assert datetime.fromisoformat(values["salinity"]["timestamp"]) == (
                state.last_updated
            )
            for entity_id in ("sensor.salinity", CHILLER):
                hass.states.async_set(entity_id, "unavailable")
            hass.states.async_set("binary_sensor.leak", "unknown")
            hass.states.async_remove("input_select.pump_mode")
            gone = "salinity,temperature,leak,pump_mode"
            for one in await latest(rest, **query, field_name=gone):
                assert (one["value"], one["timestamp"]) == (None, None), one
            climate(hass, CHILLER)

    async def test_a_lamp_of_several_entities(
        self, hass: HomeAssistant, tmp_path: Path, hass_client: ClientSessionGenerator
    ) -> None:
        """What they show together; nothing while one of them is away."""
        channels = [
            {"entity_id": f"light.{name}", "channel": name}
            for name in ("blue", "white")
        ]
        for one in channels:
            hass.states.async_set(
                one["entity_id"],
                "on",
                {"supported_color_modes": ["brightness"], "brightness": 128},
            )
        kept = subentry("light", "Moon", {"channels": channels})
        async with aquarium(hass, tmp_path, Platform.LIGHT, subentries=[kept]):
            rest = Rest(await hass_client())
            query = {"device_id": uuid_of(hass, "Moon"), "field_name": "level"}
            (value,) = await latest(rest, **query)
            assert value["value"] == pytest.approx(50.2)
            hass.states.async_set("light.blue", "unavailable")
            await hass.async_block_till_done()
            assert (await latest(rest, **query))[0]["value"] is None

    @pytest.mark.parametrize(
        ("query", "error"),
        [
            ({"field_name": "level"}, (400, "missing", "device_id")),
            ({"device_id": "x"}, (400, "missing", "field_name")),
            (
                {"device_id": "x", "field_name": "level"},
                (404, "device_not_found", "device_id"),
            ),
            ({"device_id": ",", "field_name": "level"}, (400, "empty", "device_id")),
        ],
    )
    async def test_a_wrong_question(
        self, rest: Rest, query: dict[str, str], error: tuple[int, str, str]
    ) -> None:
        """R-T49: both lists are needed."""
        assert (await rest.get("/latest_value", **query)).error == error

    async def test_a_field_that_none_has(self, hass: HomeAssistant, rest: Rest) -> None:
        """A word that is wrong is no unknown value."""
        answer = await rest.get(
            "/latest_value",
            device_id=uuid_of(hass, PUMP, SKIMMER),
            field_name="level,NOPE",
        )
        assert answer.error == (400, "field_not_found", "NOPE")


def _left_out(attributes: dict[str, Any]) -> StateInfo:
    """Return what tells the recorder which attributes to leave out."""
    return {"unrecorded_attributes": frozenset(attributes)}


@pytest.fixture
async def recorded(
    recorder_mock: object,
    hass: HomeAssistant,
    tmp_path: Path,
    hass_client: ClientSessionGenerator,
) -> AsyncIterator[Rest]:
    """Give a client, in a demo aquarium whose states are recorded."""
    platforms = (Platform.NUMBER, Platform.SWITCH, Platform.LIGHT)
    async with aquarium(hass, tmp_path, *platforms, demo=True):
        yield Rest(await hass_client())


async def history(rest: Rest, start: datetime, **query: str) -> dict[str, Any]:
    """Return a page of earlier values."""
    answer = await rest.get("/history", start=start.isoformat(), **query)
    assert answer.status == 200, answer.body
    body: dict[str, Any] = answer.body
    return body


class TestHistory:
    """GET /history."""

    async def test_a_pump_a_lamp_and_a_head(
        self, hass: HomeAssistant, recorded: Rest
    ) -> None:
        """R-T50: pairs of instant and value, of the entities that stand for the fields."""
        start = dt_util.utcnow()
        # What goes on or off is shown at once, what moves between is paced.
        for value in (0, 0, 60):
            pump(hass).turn_by_hand(value)
            await hass.async_block_till_done()
        for available in (False, True):
            pump(hass).available = available
            await hass.async_block_till_done()
        light = entity_of(hass, Platform.LIGHT, LIGHT, "light")
        await call(hass, "turn_on", light, brightness=128)
        await call(hass, "turn_off", light)
        switch = entity_of(hass, Platform.SWITCH, DOSER, "0_enabled")
        await call(hass, "turn_off", switch)
        await hass.async_block_till_done()
        await async_wait_recording_done(hass)

        page = await history(
            recorded,
            start,
            device_id=uuid_of(hass, PUMP, LIGHT, DOSER),
            field_name="level,mix_red,dosing_allowed_0",
        )
        values = {
            (one["device_id"], one["field_name"]): [pair[1] for pair in one["values"]]
            for one in page["results"]
        }
        assert values[uuid_of(hass, PUMP), "level"][-3:] == [0, 60, 60]
        assert values[uuid_of(hass, LIGHT), "level"][-2:] == [50.2, 0]
        assert values[uuid_of(hass, DOSER), "dosing_allowed_0"][-1] is False
        assert values[uuid_of(hass, LIGHT), "mix_red"][-1] == 100
        assert page["count"] == sum(len(found) for found in values.values())
        for one in page["results"]:
            times = [datetime.fromisoformat(pair[0]) for pair in one["values"]]
            assert times == sorted(times)
            assert all(time >= start for time in times)

    async def test_the_mix_of_a_lamp(self, hass: HomeAssistant, recorded: Rest) -> None:
        """R-T50: of each channel, and dark keeps it; a level alone changes nothing of it."""
        start = dt_util.utcnow()
        light = entity_of(hass, Platform.LIGHT, LIGHT, "light")
        await call(hass, "turn_on", light, rgbw_color=(255, 51, 0, 255))
        await call(hass, "turn_on", light, brightness=128)
        await call(hass, "turn_off", light)
        await call(hass, "turn_on", light, rgbw_color=(51, 255, 0, 255))
        await hass.async_block_till_done()
        await async_wait_recording_done(hass)

        page = await history(
            recorded,
            start,
            device_id=uuid_of(hass, LIGHT),
            field_name="mix_red,mix_green",
        )
        values = {
            one["field_name"]: [pair[1] for pair in one["values"]]
            for one in page["results"]
        }
        assert values["mix_red"][-2:] == [100, pytest.approx(20, abs=0.5)]
        assert values["mix_green"][-2:] == [pytest.approx(20, abs=0.5), 100]

    async def test_pages_count_values(
        self, hass: HomeAssistant, recorded: Rest
    ) -> None:
        """R-T50: over all fields that are asked for, and in order."""
        start = dt_util.utcnow()
        told = [value for number in range(10, 15) for value in (0, number)]
        for value in told:
            pump(hass).turn_by_hand(value)
            await hass.async_block_till_done()
        await async_wait_recording_done(hass)
        query = {
            "device_id": uuid_of(hass, SKIMMER, PUMP),
            "field_name": "level",
            "page_size": "4",
        }
        whole = await history(recorded, start, **query | {"page_size": "1000"})
        everything = [pair for one in whole["results"] for pair in one["values"]]
        assert [pair[1] for pair in everything][-10:] == told
        seen: list[Any] = []
        following: str | None = ""
        while following is not None:
            page = await history(recorded, start, **query)
            assert page["count"] == len(everything)
            parts = [pair for one in page["results"] for pair in one["values"]]
            assert 0 < len(parts) <= 4
            seen += parts
            following = page["next"]
            if following is not None:
                query = {
                    name: value
                    for name, value in URL(following).query.items()
                    if name != "start"
                }
        assert seen == everything

    async def test_a_time_has_an_end(
        self, hass: HomeAssistant, recorded: Rest, freezer: FrozenDateTimeFactory
    ) -> None:
        """The value that held at the start is the first; what came after the end is left out."""
        morning = dt_util.utcnow()
        for value in (30, 40, 50):
            pump(hass).turn_by_hand(value)
            await hass.async_block_till_done()
            await async_wait_recording_done(hass)
            freezer.tick(timedelta(minutes=10))
        start = morning + timedelta(minutes=5)
        page = await history(
            recorded,
            start,
            end=(morning + timedelta(minutes=15)).isoformat(),
            device_id=uuid_of(hass, PUMP),
            field_name="level",
        )
        values = page["results"][0]["values"]
        assert [pair[1] for pair in values] == [30, 40]
        assert datetime.fromisoformat(values[0][0]) == start

    async def test_entities_in_the_announced_unit(
        self,
        recorder_mock: object,
        hass: HomeAssistant,
        tmp_path: Path,
        hass_client: ClientSessionGenerator,
    ) -> None:
        """R-T62: earlier values, too; what was unknown is no value."""
        start = dt_util.utcnow()
        async with sump(hass, tmp_path, "chiller", "salinity"):
            rest = Rest(await hass_client())
            for temperature in (68, 68, 59):
                climate(hass, CHILLER, temperature=temperature)
                hass.states.async_set("sensor.salinity", str(temperature))
                await hass.async_block_till_done()
            hass.states.async_set(CHILLER, "unavailable")
            await hass.async_block_till_done()
            climate(hass, CHILLER, temperature=59)
            await hass.async_block_till_done()
            await async_wait_recording_done(hass)
            page = await history(
                rest,
                start,
                device_id=uuid_of(hass, DEVICE),
                field_name="temperature,hvac_mode",
            )
        values = {
            one["field_name"]: [pair[1] for pair in one["values"]]
            for one in page["results"]
        }
        assert values == {
            # Something else of the climate may have changed: its value is told again.
            "temperature": [25, 20, 15, 15],
            "hvac_mode": ["cool", "cool"],
        }

    async def test_what_the_recorder_leaves_out(
        self,
        recorder_mock: object,
        hass: HomeAssistant,
        tmp_path: Path,
        hass_client: ClientSessionGenerator,
    ) -> None:
        """The range of a number is that of now; a brightness that is not told is null."""
        start = dt_util.utcnow()
        able = {"min": 0, "max": 20, "step": 1}

        def show(lamp: str, number: float, **recorded: Any) -> None:
            modes = {"supported_color_modes": ["brightness"]}
            hass.states.async_set(
                "light.lamp", lamp, modes | recorded, state_info=_left_out(modes)
            )
            hass.states.async_set(
                "number.pump", str(number), able, state_info=_left_out(able)
            )

        show("off", 10)
        kept = [
            subentry("pump", "Wave", {"entity_id": "number.pump"}),
            subentry("pump", "Lamp", {"entity_id": "light.lamp"}),
        ]
        async with aquarium(hass, tmp_path, subentries=kept):
            rest = Rest(await hass_client())
            show("on", 5)
            await hass.async_block_till_done()
            show("on", 20, brightness=255)
            await hass.async_block_till_done()
            await async_wait_recording_done(hass)
            page = await history(
                rest, start, device_id=uuid_of(hass, "Wave", "Lamp"), field_name="level"
            )
        assert [[pair[1] for pair in one["values"]] for one in page["results"]] == [
            [50, 25, 100],
            [0, None, 100],
        ]

    async def test_a_light_of_others_is_told_by_our_own_entity(
        self,
        recorder_mock: object,
        hass: HomeAssistant,
        tmp_path: Path,
        hass_client: ClientSessionGenerator,
    ) -> None:
        """Home Assistant does not record how bright theirs is; of ours it does."""
        start = dt_util.utcnow()
        names = ("lamp", "moon")

        def show(brightness: int) -> None:
            shown = {"supported_color_modes": ["brightness"], "brightness": brightness}
            for name in names:
                hass.states.async_set(
                    f"light.{name}", "on", shown, state_info=_left_out(shown)
                )

        show(255)
        channels = [{"entity_id": "light.moon", "channel": "white"}]
        kept = [
            subentry("pump", "Lamp", {"entity_id": "light.lamp"}),
            subentry("light", "Moon", {"channels": channels}),
        ]
        platforms = (Platform.NUMBER, Platform.LIGHT)
        async with aquarium(hass, tmp_path, *platforms, subentries=kept):
            rest = Rest(await hass_client())
            show(128)
            await hass.async_block_till_done()
            for entity in (
                entity_of(hass, Platform.NUMBER, "Lamp", "level"),
                entity_of(hass, Platform.LIGHT, "Moon", "light"),
            ):
                await async_update_entity(hass, entity)
            await hass.async_block_till_done()
            await async_wait_recording_done(hass)
            page = await history(
                rest,
                start,
                device_id=uuid_of(hass, "Lamp", "Moon"),
                field_name="level,mix_white",
            )
            told = await latest(
                rest, device_id=uuid_of(hass, "Moon"), field_name="level,mix_white"
            )
        values = [[pair[1] for pair in one["values"]] for one in page["results"]]
        half = pytest.approx(50.2, abs=0.1)
        assert [one[-1:] for one in values] == [[half], [], [half], [100]]
        assert [one["value"] for one in told] == [half, 100]

    async def test_without_a_recorder_it_says_so(
        self, hass: HomeAssistant, rest: Rest
    ) -> None:
        """503: nothing is known of earlier values."""
        answer = await rest.get(
            "/history",
            device_id=uuid_of(hass, PUMP),
            field_name="level",
            start="2026-01-01T00:00:00Z",
        )
        assert answer.error == (503, "history_unavailable", None)

    @pytest.mark.parametrize(
        ("query", "error"),
        [
            ({"field_name": "level"}, (400, "missing", "device_id")),
            ({"start": "noon"}, (400, "malformed_time", "start")),
            ({"start": None}, (400, "missing", "start")),
            (
                {"start": "2036-01-01T00:00:00Z"},
                (400, "end_not_after_start", "end"),
            ),
            (
                {"end": "2026-01-01T00:00:00Z"},
                (400, "end_not_after_start", "end"),
            ),
            (
                {"start": "2020-01-01T00:00:00Z"},
                (400, "span_too_long", "end"),
            ),
            ({"page_size": "0"}, (400, "out_of_range", "page_size")),
            (
                {"device_id": "x", "field_name": "level"},
                (404, "device_not_found", "device_id"),
            ),
        ],
    )
    async def test_a_wrong_question(
        self,
        hass: HomeAssistant,
        rest: Rest,
        query: dict[str, str | None],
        error: tuple[int, str, str],
    ) -> None:
        """R-T50: the lists and a start are needed; a year at most."""
        right: dict[str, str | None] = {
            "device_id": uuid_of(hass, PUMP),
            "field_name": "level",
            "start": "2026-01-01T00:00:00Z",
        }
        if query == {"field_name": "level"}:
            del right["device_id"]
        asked = {name: one for name, one in (right | query).items() if one is not None}
        assert (await rest.get("/history", **asked)).error == error

    async def test_too_many_fields_at_once(
        self, hass: HomeAssistant, rest: Rest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The recorder is not to be kept busy by one question."""
        monkeypatch.setattr("custom_components.aquarist.api.http.values.MOST_SERIES", 1)
        answer = await rest.get(
            "/history",
            device_id=uuid_of(hass, PUMP, SKIMMER),
            field_name="level",
            start="2026-01-01T00:00:00Z",
        )
        assert answer.error == (400, "too_many", "field_name")


class TestPages:
    """What a page of history is, and what it costs."""

    @pytest.fixture
    async def began(self, recorder_mock: object, hass: HomeAssistant) -> datetime:
        """Have two numbers with a past; the first one was there before."""
        hass.states.async_set("number.one", "0")
        await hass.async_block_till_done()
        await async_wait_recording_done(hass)
        start = dt_util.utcnow()
        for number in range(1, 40):
            hass.states.async_set("number.one", str(number))
            hass.states.async_set("number.two", str(-number))
        for state in ("unknown", "unavailable", "7", "7"):
            hass.states.async_set("number.two", state, {"icon": state})
        hass.states.async_set("number.two", "7", {"icon": "new"})
        await hass.async_block_till_done()
        await async_wait_recording_done(hass)
        return start

    async def test_it_goes_over_several_fields(
        self, hass: HomeAssistant, began: datetime
    ) -> None:
        """A field may begin on one page and end on another; one without a past is empty."""
        everything = [*range(40), *range(-1, -40, -1), 7]
        seen: list[Any] = []
        for offset in range(0, 90, 7):
            count, parts = await asked(hass, began, offset, 7)
            assert count == len(everything)
            assert [len(part) > 0 for part in parts[1:2]] == [False]
            seen += [value for part in parts for _, value in part]
        assert seen == everything
        _, (first, *_) = await asked(hass, began, 0, 1)
        assert first[0][0] == began

    async def test_it_reads_no_more_than_it_shows(
        self, hass: HomeAssistant, began: datetime
    ) -> None:
        """However long the time is, and wherever the page lies in it."""
        for offset in (0, 30, 70):
            read: list[str] = []
            _, parts = await asked(hass, began, offset, 5, read)
            assert sum(map(len, parts)) == len(read) == 5

    async def test_changes_of_attributes_count_where_values_are_in_them(
        self, recorder_mock: object, hass: HomeAssistant
    ) -> None:
        """A fan's speed changes while it is on all the time."""
        start = dt_util.utcnow()
        for speed in (10, 20, 20, 30):
            hass.states.async_set("fan.breeze", "on", {"percentage": speed})
        await hass.async_block_till_done()
        await async_wait_recording_done(hass)

        def percentage(state: State) -> Scalar | None:
            return int(state.attributes["percentage"])

        fan = Source(entity_id="fan.breeze", read=percentage, in_attributes=True)
        count, ((*values,),) = await page_of(
            hass, [fan], start, dt_util.utcnow(), 0, 10
        )
        assert (count, [value for _, value in values]) == (3, [10, 20, 30])

    async def test_the_next_page_ends_where_the_first_one_did(
        self, hass: HomeAssistant, recorded: Rest
    ) -> None:
        """What is new meanwhile is on none of them: no value is missed, or comes twice."""
        start = dt_util.utcnow()
        for value in (0, 40, 0, 50, 0):
            pump(hass).turn_by_hand(value)
            await hass.async_block_till_done()
        await async_wait_recording_done(hass)
        device = {"device_id": uuid_of(hass, PUMP), "field_name": "level"}
        first = await history(recorded, start, **device, page_size="2")
        pump(hass).turn_by_hand(60)
        await hass.async_block_till_done()
        await async_wait_recording_done(hass)
        query = {
            name: value
            for name, value in URL(first["next"]).query.items()
            if name != "start"
        }
        assert query["page"] == "2"
        second = await history(recorded, start, **query)
        assert second["count"] == first["count"]
        whole = await history(recorded, start, **device)
        assert whole["count"] == first["count"] + 1


async def asked(
    hass: HomeAssistant,
    start: datetime,
    offset: int,
    limit: int,
    read: list[str] | None = None,
) -> tuple[int, list[Any]]:
    """Return a page of two numbers with nothing between them."""

    def value(state: State) -> Scalar | None:
        if read is not None:
            read.append(state.state)
        return int(state.state)

    one, two = (
        Source(entity_id=f"number.{name}", read=value) for name in ("one", "two")
    )
    sources = [one, None, Source(entity_id="number.none", read=value), two]
    return await page_of(hass, sources, start, dt_util.utcnow(), offset, limit)


async def test_two_climates_in_one_device(hass: HomeAssistant, tmp_path: Path) -> None:
    """Parts of the same name are told apart, and each reaches its own entity."""
    climate(hass, "climate.other", mode="off")
    fields = [
        {"name": "chiller", "entity_id": CHILLER, "unit": "°C"},
        {"name": "heater", "entity_id": "climate.other", "unit": "°C"},
    ]
    climate(hass, CHILLER)
    kept = subentry("entity", DEVICE, {"fields": fields})
    async with aquarium(hass, tmp_path, subentries=[kept]):
        device = device_named(hass, DEVICE)
        known = single_fields(device)
        assert {"chiller.temperature", "heater.hvac_mode"} <= set(known)
        assert "temperature" not in known
        port = device.device
        assert port is not None
        assert port.field_of("heater.hvac_mode") == "heater"
        assert port.check("chiller.temperature", 60)["temperature"] == 60
        await engine_of(hass).equipment.detach(device.row.number)
        assert set(single_fields(device)) == set(known)


async def test_a_switch_that_doses_is_no_field(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Whether a head may dose is shown by our switch, not by the relay behind it."""
    data = {
        "entity_id": "input_boolean.relay",
        "flow_ml_per_minute": 60.0,
        "maximum_dose_ml": 10.0,
        "budget_ml": 20.0,
    }
    hass.states.async_set("input_boolean.relay", "off")
    kept = subentry("doser", "Iron", data)
    async with aquarium(hass, tmp_path, Platform.SWITCH, subentries=[kept]):
        device = device_named(hass, "Iron")
        (field,) = single_fields(device).values()
        assert field.name == "dosing_allowed_0"
        source = source_of(hass, device, field)
        assert source is not None and not source.behind
        assert source.entity_id == entity_of(hass, Platform.SWITCH, "Iron", "0_enabled")
        nothing = SingleField(name="x", whole="x", description=field.description)
        assert source_of(hass, device, nothing) == source
