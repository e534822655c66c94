"""`scripts/decode`: frames out of whatever a keeper pastes."""

import io
from pathlib import Path
import subprocess
import sys

from hypothesis import given, strategies as st
import pytest

from tests.chihiros.captures import DOSER, STATUS, TODAY
from tests.chihiros.tool_modules import ROOT, decode_tool

TOOL = decode_tool()
QUERY = bytes.fromhex("5a01060001040103")


def run_script(
    *arguments: str, text: str = "", cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `scripts/decode` as a user does."""
    return subprocess.run(
        [ROOT / "scripts" / "decode", *arguments],
        cwd=cwd,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("line", "frames"),
    [
        (QUERY.hex(), [QUERY]),
        (QUERY.hex().upper(), [QUERY]),
        ("0x" + QUERY.hex(), [QUERY]),
        (QUERY.hex(" "), [QUERY]),
        (QUERY.hex(":"), [QUERY]),
        (QUERY.hex("-"), [QUERY]),
        ("[" + ", ".join(f"0x{byte:02x}" for byte in QUERY) + "]", [QUERY]),
        (repr(QUERY), [QUERY]),
        (repr(bytearray(QUERY)), [QUERY]),
        (f"{QUERY.hex()} {TODAY.hex()}", [QUERY, TODAY]),
        (f"10:22:13 DYDOSE E4:3A:D5:3A:D8:02 <- {STATUS.hex(' ')}", [STATUS]),
        (f"2026-01-12 10:11:12 {STATUS.hex(' ')}", [STATUS]),
        (f"notify {STATUS.hex()}; write {QUERY!r}", [STATUS, QUERY]),
        ("b'\\xzz' and b'too short'", []),
        ("6e400002-b5a3-f393-e0a9-e50e24dcca9e", []),
        ("5A:01:06", []),
        ("12 13 14 15 16 17 18 19", []),
        ("", []),
    ],
)
def test_frames_in_a_line(line: str, frames: list[bytes]) -> None:
    """Frames are found in the usual ways of writing bytes; other numbers are not."""
    assert list(TOOL.frames_in(line)) == frames


@given(line=st.text(max_size=120))
def test_any_text(line: str) -> None:
    """Any text is searched without an error, and what is found begins like a frame."""
    assert all(one[0] in TOOL.FIRST_BYTES for one in TOOL.frames_in(line))


def test_script(tmp_path: Path) -> None:
    """Separate words make a frame; bytes and meaning are printed."""
    result = run_script(*QUERY.hex(" ").split(), cwd=tmp_path)
    assert result.stdout.splitlines() == [
        QUERY.hex(" "),
        "  host → device: ask for the status (5A/04, id 0x0001)",
    ]
    assert result.returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        (QUERY.hex(" "), TODAY.hex(" ")),
        (f"write {QUERY.hex(' ')}\nnotify {TODAY.hex(' ')}",),
        (*QUERY.hex(" ").split(), TODAY.hex(" ")),
    ],
)
def test_quoted_words_are_lines_of_their_own(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Frames that were pasted one by one, or as whole lines, are not glued together."""
    assert TOOL.main(words) == 0
    told = capsys.readouterr().out
    assert "ask for the status" in told
    assert "today's totals 60.0 mL" in told


def test_script_reads_logs() -> None:
    """The standard input is read line by line."""
    log = f"start\n10:00 write {QUERY.hex()}\n10:01 notify {TODAY.hex()}\n"
    result = run_script(text=log)
    assert result.returncode == 0
    assert "ask for the status" in result.stdout
    assert "today's totals 60.0 mL" in result.stdout


def test_nothing_found() -> None:
    """Text without a frame is an error that says what is wanted."""
    result = run_script("hello")
    assert result.returncode == 1
    assert result.stdout == ""
    assert "no frame found" in result.stderr


def test_family(capsys: pytest.CaptureFixture[str]) -> None:
    """A family settles which reading is meant."""
    assert TOOL.main([DOSER.hex()]) == 0
    assert "as a light" in capsys.readouterr().out
    assert TOOL.main(["--family", "doser", DOSER.hex()]) == 0
    assert "device → host: doser snapshot" in capsys.readouterr().out


def test_unknown_family(capsys: pytest.CaptureFixture[str]) -> None:
    """A family that does not exist is refused with the list of those that do."""
    with pytest.raises(SystemExit) as leaving:
        TOOL.main(["--family", "cat", QUERY.hex()])
    assert leaving.value.code == 2
    assert "--family" in capsys.readouterr().err


def test_standard_input_in_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Empty input finds nothing."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert TOOL.main([]) == 1
    assert "no frame found" in capsys.readouterr().err
