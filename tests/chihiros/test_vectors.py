"""The protocol's test vectors, through the code behind `scripts/vectors`."""

from collections.abc import Mapping
import json
from pathlib import Path
import subprocess
from typing import Any

import pytest

from tests.chihiros.tool_modules import ROOT, VECTOR_FILE, vector_tool

TOOL = vector_tool()
VECTORS = TOOL.load(VECTOR_FILE)
BY_ID = {vector["id"]: vector for vector in VECTORS}


def run_script(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `scripts/vectors` as a user does."""
    return subprocess.run(
        [ROOT / "scripts" / "vectors", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def vector(base: str, **changes: Any) -> dict[str, Any]:
    """Copy a vector of the file with some fields changed."""
    return dict(BY_ID[base]) | changes


@pytest.mark.parametrize(
    "one", VECTORS, ids=lambda one: f"{one['id']}-{one['command']}"
)
def test_vector(one: Mapping[str, Any]) -> None:
    """Every vector of the project's copy holds."""
    outcome = TOOL.run(one)
    assert outcome.passed, f"expected {outcome.expected}, got {outcome.got}"


@pytest.mark.parametrize(
    "one",
    [
        vector("c038", hex="00"),
        vector("c038", args={"channel": 0, "level": 99}),
        vector("c038", args={"channel": 0}),
        vector("c038", args={"channel": 0, "level": 101}),
        vector("c038", message_id=None),
        vector("c038", profile="other"),
        vector("c038", command="light.unheard_of"),
        vector("c038", direction="sideways"),
        vector("c038", args=None),
        {},
        vector("c162", args={"channel": 0, "mode": "moon", "points": []}),
        vector("c168", args={**BY_ID["c168"]["args"], "frame_index": 1}),
        vector("c244", args={"firmware": 23}),
        vector("c244", args={"colour": "red"}),
        vector("c244", hex="zz"),
        vector("c244", hex="5b"),
        vector("c244", command="notify.unheard_of"),
        vector("c302", hex=BY_ID["c244"]["hex"]),
        vector("c227", args={"channel": 0, "level": 100}),
        vector("c227", args={}),
        vector("c227", command="light.unheard_of"),
    ],
)
def test_a_wrong_vector_fails(one: Mapping[str, Any]) -> None:
    """The runner notices a wrong byte, field or refusal, and survives a malformed vector."""
    outcome = TOOL.run(one)
    assert not outcome.passed
    assert outcome.got


@pytest.mark.parametrize("ml", [-1, True, "1", float("nan"), float("inf"), None])
def test_volumes_that_are_no_number_are_refusals(ml: object) -> None:
    """What cannot be a volume is refused, not misread."""
    outcome = TOOL.run(vector("c229", args={"channel": 0, "ml": ml}))
    assert outcome.passed


@pytest.mark.parametrize(
    ("command", "args", "expected"),
    [
        ("light.bt_led", {"on": True}, "5a010800010532ffff3f"),
        ("light.bt_led", {"on": False}, "5a010800010531ffff3c"),
        ("doser.channel_color", {"channel": 1, "color": 2}, "a5010700013b01023f"),
        ("doser.make_up_dose", {"channel": 1, "ml": 59.5}, "a5010a00011b010002025343"),
        (
            "light.add_schedule",
            {
                "on": "08:00",
                "off": "09:00",
                "levels": [1],
                "ramp_min": 0,
                "weekday_mask": 127,
                "normalise_zero_ramp": True,
            },
            "a5011300011908000900017f01ffffffffffffff8b",
        ),
    ],
)
def test_commands_of_the_table_without_a_vector(
    command: str, args: dict[str, Any], expected: str
) -> None:
    """Commands that the format lists and the file does not use are known to the runner."""
    one = vector("c127", command=command, args=args, message_id=[0, 1], hex=expected)
    outcome = TOOL.run(one)
    assert outcome.passed, outcome.got


def test_script_passes_from_anywhere(tmp_path: Path) -> None:
    """The project's copy passes, and given twice it counts twice."""
    result = run_script(str(VECTOR_FILE), str(VECTOR_FILE), cwd=tmp_path)
    assert result.stdout == "352 passed, 0 failed\n"
    assert result.returncode == 0
    assert len(VECTORS) == 176


def test_script_shows_what_fails(tmp_path: Path) -> None:
    """A failing vector is printed with expected and got; the exit code is 1."""
    file = tmp_path / "one.json"
    file.write_text(json.dumps([vector("c038", hex="00"), BY_ID["c036"]]))
    result = run_script("one.json", cwd=tmp_path)
    assert result.stdout.splitlines() == [
        "c038 light.set_channel",
        "  expected 00",
        "  got      5a0107000107006464",
        "1 passed, 1 failed",
    ]
    assert result.returncode == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file or directory"),
        ("{", "not JSON"),
        ('{"a": 1}', "not a list of vectors"),
        ("[1]", "not a list of vectors"),
    ],
)
def test_unreadable_file(
    tmp_path: Path,
    text: str | None,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A file that holds no vectors is named, with the reason; the exit code is 2."""
    file = tmp_path / "vectors.json"
    if text is not None:
        file.write_text(text)
    assert TOOL.main([str(file)]) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert str(file) in printed.err
    assert printed.out == ""
