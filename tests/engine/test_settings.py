"""Settings of the whole domain: checked, on disk before they hold, and for everybody at once."""

from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
import json
import sqlite3
from typing import Any

from probatio.codecs import UNSUPPORTED, to_json_schema
import pytest

from custom_components.aquarist.engine.changes import SettingsChanged
from custom_components.aquarist.engine.errors import EngineError
from custom_components.aquarist.engine.live_settings import KEY
from custom_components.aquarist.engine.settings import CHANGES, Settings
from custom_components.aquarist.schedules.errors import ErrorCode, ScheduleError
from custom_components.aquarist.schedules.validation import DESCRIPTION
from custom_components.aquarist.store import settings as setting_rows
from custom_components.aquarist.store.errors import StoreReadOnlyError
from tests.engine.rig import SERVICE, Pump, Rig
from tests.engine.troubled_store import read_only


async def stored(rig: Rig) -> Any:
    """Return what is on disk."""
    assert rig.engine.database is not None
    return await rig.engine.database.read(
        lambda connection: setting_rows.get(connection, KEY)
    )


def test_the_defaults() -> None:
    """RES-66, RES-74."""
    assert Settings().as_json() == {
        "sweep_seconds": 30.0,
        "rate_limit": 10,
        "rate_window_seconds": 60.0,
        "queue_expiry_seconds": 300.0,
        "command_tries": 3,
        "command_pause_seconds": 1.0,
        "window_pause_seconds": 2.0,
        "window_longest_pause_seconds": 60.0,
        "restore_tries": 10,
        "retention_days": 366,
        "verdict_days": 30,
        "write_actions_kept": 100_000,
        "allowed_services": [],
        "allowed_urls": [],
        "site_name": None,
        "site_address": None,
        "pdl_identifier": None,
    }


def test_pauses_follow_the_settings() -> None:
    """RES-74."""
    settings = Settings(
        command_tries=2, window_pause_seconds=4, window_longest_pause_seconds=6
    )
    assert [settings.command_pause(tries) for tries in (1, 2)] == [1.0, None]
    assert [settings.window_pause(tries) for tries in (1, 2, 3)] == [4, 6, 6]


def test_every_setting_can_be_changed() -> None:
    """And other programs can be told what it takes."""
    schema = to_json_schema(
        CHANGES,
        strict=True,
        custom_serializer=lambda node: getattr(node, DESCRIPTION, UNSUPPORTED),
    )
    assert set(schema["properties"]) == set(Settings().as_json())
    assert json.loads(json.dumps(schema)) == schema


GOOD: Mapping[str, Any] = {
    "sweep_seconds": 10,
    "rate_limit": 100,
    "rate_window_seconds": 30,
    "queue_expiry_seconds": 60,
    "command_tries": 1,
    "command_pause_seconds": 0.5,
    "window_pause_seconds": 1,
    "window_longest_pause_seconds": 120,
    "restore_tries": 3,
    "retention_days": 400,
    "verdict_days": 7,
    "write_actions_kept": 5000,
    "allowed_services": ["script.*", "notify.mobile_app"],
    "allowed_urls": ["https://example.org/hook?id=1"],
    "site_name": "Home",
    "site_address": "1 Reef Street",
    "pdl_identifier": "01234567890123",
}


class TestUpdate:
    """A change of settings."""

    async def test_it_holds_from_when_it_is_on_disk(self, rig: Rig) -> None:
        """And is announced with who made it; a restart finds it."""
        rig.changes.clear()
        settings = await rig.engine.live_settings.update(GOOD, "keeper")
        assert settings.as_json() == GOOD
        assert rig.engine.live_settings.current == settings
        assert rig.changes == [
            SettingsChanged(settings=settings, revision=1, user="keeper")
        ]
        await rig.reboot()
        assert rig.engine.live_settings.current == settings
        assert rig.engine.live_settings.record() == {**GOOD, "revision": 1}

    async def test_each_change_is_a_revision(self, rig: Rig) -> None:
        """It begins with 0, and a change made from an older one is refused (R-X11)."""
        live = rig.engine.live_settings
        assert live.revision == 0
        await live.update({"rate_limit": 5}, None, expected_revision=0)
        await live.update({"rate_limit": 6}, None)
        assert live.revision == 2
        rig.changes.clear()
        with pytest.raises(EngineError) as refused:
            await live.update({"rate_limit": 7}, None, expected_revision=1)
        assert (refused.value.code, refused.value.field) == (
            "revision_conflict",
            "expected_revision",
        )
        assert refused.value.placeholders["revision"] == "2"
        assert (live.revision, live.current.rate_limit, rig.changes) == (2, 6, [])
        await rig.reboot()
        live = rig.engine.live_settings
        await live.update({"rate_limit": 8}, None, expected_revision=2)
        assert (live.revision, live.current.rate_limit) == (3, 8)

    async def test_what_is_not_named_stays(self, rig: Rig) -> None:
        """Only what was chosen is stored; null goes back to the default."""
        await rig.engine.live_settings.update(
            {"rate_limit": 5, "site_name": "Home"}, None
        )
        await rig.engine.live_settings.update(
            {"rate_limit": None, "command_tries": 1}, None
        )
        assert await stored(rig) == {"site_name": "Home", "command_tries": 1}
        assert rig.engine.live_settings.current == Settings(
            site_name="Home", command_tries=1
        )

    @pytest.mark.parametrize(
        ("changes", "field", "code"),
        [
            ({"colour": 1}, "colour", ErrorCode.UNKNOWN_FIELD),
            ({"sweep_seconds": 0.5}, "sweep_seconds", ErrorCode.OUT_OF_RANGE),
            ({"rate_limit": 0}, "rate_limit", ErrorCode.OUT_OF_RANGE),
            ({"rate_limit": 1.5}, "rate_limit", ErrorCode.WRONG_TYPE),
            ({"retention_days": 29}, "retention_days", ErrorCode.OUT_OF_RANGE),
            ({"allowed_services": "a.b"}, "allowed_services", ErrorCode.WRONG_TYPE),
            ({"allowed_services": ["a"]}, "allowed_services", ErrorCode.WRONG_TYPE),
            (
                {"allowed_services": ["a.b", "a.b"]},
                "allowed_services",
                ErrorCode.DUPLICATE,
            ),
            (
                {"allowed_services": [f"a.b{number}" for number in range(201)]},
                "allowed_services",
                ErrorCode.OUT_OF_RANGE,
            ),
            ({"allowed_urls": ["ftp://a"]}, "allowed_urls", ErrorCode.WRONG_TYPE),
            ({"pdl_identifier": "123"}, "pdl_identifier", ErrorCode.WRONG_TYPE),
            ({"site_name": " "}, "site_name", ErrorCode.EMPTY),
            (
                {"window_longest_pause_seconds": 1},
                "window_longest_pause_seconds",
                ErrorCode.OUT_OF_RANGE,
            ),
        ],
    )
    async def test_bad_input_changes_nothing(
        self, rig: Rig, changes: dict[str, Any], field: str, code: ErrorCode
    ) -> None:
        """Law 10: the field is named; two that do not fit one another as well."""
        with pytest.raises(ScheduleError) as refused:
            await rig.engine.live_settings.update({"restore_tries": 2} | changes, None)
        assert (refused.value.field, refused.value.code) == (field, code)
        assert rig.engine.live_settings.current == Settings()
        assert await stored(rig) is None

    async def test_what_cannot_be_stored_does_not_hold(self, rig: Rig) -> None:
        """Nor is it announced."""
        rig.changes.clear()
        assert rig.engine.database is not None
        async with read_only(rig.engine.database):
            with pytest.raises(StoreReadOnlyError):
                await rig.engine.live_settings.update({"rate_limit": 1}, None)
        assert rig.engine.live_settings.current == Settings()
        assert not [one for one in rig.changes if isinstance(one, SettingsChanged)]

    async def test_without_a_store_nothing_can_be_changed(self, rig: Rig) -> None:
        """The engine is locked."""
        await rig.engine.close()
        rig.lock()
        with pytest.raises(EngineError) as refused:
            await rig.engine.live_settings.update({"rate_limit": 1}, None)
        assert refused.value.code == "store_locked"


class TestInForce:
    """What takes effect without a restart."""

    async def test_how_long_a_command_waits(self, rig: Rig) -> None:
        """From the next command on."""
        state = await rig.attach(Pump())
        await rig.engine.live_settings.update({"queue_expiry_seconds": 10}, None)
        state.queue.hold()
        sent = await rig.engine.send(state, "turn_on", {}, SERVICE)
        switched = await rig.engine.acceptance.set_field(state, "level", 5, SERVICE)
        for command in (sent, switched):
            assert command.expires_at == rig.clock.now() + timedelta(seconds=10)
        await rig.advance(10)
        assert (await rig.stored(sent)).error == "expired"

    async def test_how_often_everything_is_looked_at(self, rig: Rig) -> None:
        """The sweep that is under way is not waited for."""
        swept: list[float] = []
        rig.engine.agenda.on_sweep(lambda: swept.append(rig.clock.elapsed()))
        begun = rig.clock.elapsed()
        await rig.engine.live_settings.update({"sweep_seconds": 10}, None)
        await rig.engine.live_settings.update({"rate_limit": 20}, None)
        await rig.advance(25)
        assert [at - begun for at in swept] == [10.0, 20.0]


class TestStoredBefore:
    """A stored setting that is not valid any more stays on disk and is left out (law 10)."""

    async def restart_with(self, rig: Rig, value: object) -> None:
        """Let an engine find something in its store."""
        await rig.engine.close()
        with closing(sqlite3.connect(rig.path)) as connection, connection:
            connection.execute(
                "INSERT INTO setting (key, value) VALUES (?, ?)",
                (KEY, json.dumps(value)),
            )
        await rig.boot()

    async def test_the_others_hold(
        self, rig: Rig, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It is named, until it is chosen anew."""
        found = {"rate_limit": -1, "restore_tries": 4, "gone": True}
        await self.restart_with(rig, found)
        assert rig.engine.live_settings.current == Settings(restore_tries=4)
        live = rig.engine.live_settings
        assert list(live.skipped) == ["rate_limit", "gone"]
        assert "rate_limit, gone" in caplog.text
        assert await stored(rig) == found
        await rig.engine.live_settings.update({"rate_limit": 7}, None)
        assert list(live.skipped) == ["gone"]
        assert rig.engine.live_settings.current == Settings(
            restore_tries=4, rate_limit=7
        )

    async def test_two_that_do_not_fit_one_another(self, rig: Rig) -> None:
        """The first one holds."""
        await self.restart_with(
            rig, {"window_longest_pause_seconds": 2, "window_pause_seconds": 5}
        )
        assert rig.engine.live_settings.current == Settings(
            window_longest_pause_seconds=2
        )
        assert rig.engine.live_settings.skipped == ("window_pause_seconds",)

    async def test_something_that_is_no_settings_at_all(self, rig: Rig) -> None:
        """The defaults hold."""
        await self.restart_with(rig, [1])
        assert rig.engine.live_settings.current == Settings()
        assert rig.engine.live_settings.skipped == (KEY,)
