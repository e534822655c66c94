"""What has been on too long goes off."""

import pytest

from custom_components.aquarist.limits import off_due


@pytest.mark.parametrize(
    ("on_since", "maximum", "due"),
    [
        pytest.param(100.0, 60.0, 160.0, id="on, with a limit"),
        pytest.param(0.0, 60.0, 60.0, id="on since the clock began"),
        pytest.param(100.0, None, None, id="no limit"),
        pytest.param(None, 60.0, None, id="off"),
        pytest.param(None, None, None, id="off, no limit"),
    ],
)
def test_when_it_must_go_off(
    on_since: float | None, maximum: float | None, due: float | None
) -> None:
    """The longest on-time after it went on, on the elapsed clock."""
    assert off_due(on_since, maximum) == due
