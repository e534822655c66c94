"""Fixtures that every test may use."""

# Ours must be imported before the harness puts its own package of that name in its place.
import custom_components  # isort: skip  # noqa: F401

from collections.abc import Iterator
from contextlib import ExitStack
import os

from freezegun import freeze_time
from habluetooth.usage import install_multiple_bleak_catcher
from hypothesis import HealthCheck, settings
import pytest

# Home Assistant swaps Bleak's client classes when its Bluetooth integration is set up. A module imported before that
# would be bound to the original class, which looks for BlueZ; so the swap comes first.
install_multiple_bleak_catcher()

settings.register_profile(
    "dev", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "ci",
    max_examples=250,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run end-to-end tests last: they take longest, and say least about where a fault is."""
    items.sort(key=lambda item: item.get_closest_marker("e2e") is not None)


NIGHT = "2026-11-20T10:00:00+00:00"
"""Two in the morning in the harness's time zone: the demo aquarium's day has nothing due for hours."""


@pytest.fixture(autouse=True)
def same_time_of_day(request: pytest.FixtureRequest) -> Iterator[None]:
    """Begin each test with a Home Assistant at the same instant; its clock goes on from there."""
    with ExitStack() as frozen:
        if "hass" in request.fixturenames:
            # The access log asks for what a moved clock cannot tell: the offset of the zone.
            frozen.enter_context(
                freeze_time(NIGHT, tick=True, ignore=["aiohttp.web_log"])
            )
        yield


@pytest.fixture(autouse=True)
def find_our_integration(
    request: pytest.FixtureRequest, same_time_of_day: None
) -> None:
    """Let Home Assistant find this repository's integration, in tests that use a Home Assistant.

    Each gets a configuration folder of its own: the harness shares one, and the store in it.
    """
    if "hass" not in request.fixturenames:
        return
    # The recorder must be mocked before Home Assistant starts, and the next fixture starts it.
    if "recorder_mock" in request.fixturenames:
        request.getfixturevalue("recorder_mock")
    request.getfixturevalue("enable_custom_integrations")
    folder = request.getfixturevalue("tmp_path_factory").mktemp("config")
    request.getfixturevalue("hass").config.config_dir = str(folder)
