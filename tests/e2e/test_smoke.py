"""What the smoke test takes for a complaint about Aquarist."""

from .smoke import complaints

LOG = """\
2026-11-01 08:00:00.001 WARNING (MainThread) [homeassistant.loader] We found aquarist
2026-11-01 08:00:00.002 ERROR (MainThread) [haffmpeg.core] FFmpeg fails
Traceback (most recent call last):
FileNotFoundError: ffmpeg
2026-11-01 08:00:00.003 ERROR (MainThread) [homeassistant.core] Error doing job
Traceback (most recent call last):
  File "custom_components/aquarist/engine/queue.py", line 1
2026-11-01 08:00:00.004 INFO (MainThread) [custom_components.aquarist] no ERROR at all
"""


def test_an_error_counts_when_its_traceback_passes_through_aquarist() -> None:
    """Warnings, and errors of others, do not."""
    (found,) = complaints(LOG)

    assert "Error doing job" in found
    assert "engine/queue.py" in found


def test_a_quiet_log_has_none() -> None:
    """An empty log is no complaint."""
    assert complaints("") == []
