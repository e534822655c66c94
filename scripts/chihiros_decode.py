#!/usr/bin/env python3
"""Say what Chihiros frames mean: hexadecimal text, or whole log lines, on the command line.

Frames are found as one run of digits (`5a0106…`), as bytes with blanks, commas, colons or
`0x` between them, and as Python's `b'…'`. Without arguments the standard input is read.
"""

import argparse
import ast
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
import re
import sys

from custom_components.aquarist.chihiros.description import describe
from custom_components.aquarist.chihiros.models import DeviceFamily

SHORTEST = 7
FIRST_BYTES = (0x5A, 0xA5, 0x5F, 0x5B)

_BYTES_LITERAL = re.compile(r"""b'(?:\\.|[^'\\])*'|b"(?:\\.|[^"\\])*\"""")
_DIGITS = re.compile(r"(?<![0-9A-Za-z])(?:0x)?((?:[0-9A-Fa-f]{2}){7,})(?![0-9A-Za-z])")
_SEPARATED = re.compile(
    r"(?<![0-9A-Za-z])(?:0x)?[0-9A-Fa-f]{2}"
    r"(?:[\s,:;-]+(?:0x)?[0-9A-Fa-f]{2}(?![0-9A-Za-z]))+"
)
_PAIR = re.compile(r"(?:0x)?([0-9A-Fa-f]{2})(?![0-9A-Za-z])")


def frames_in(line: str) -> Iterator[bytes]:
    """Yield what looks like a frame in a line of text, in the order of the line."""
    found: list[tuple[int, bytes]] = []
    for match in _BYTES_LITERAL.finditer(line):
        try:
            found.append((match.start(), ast.literal_eval(match.group())))
        except SyntaxError, ValueError:
            continue
    found += [
        (match.start(), bytes.fromhex(match.group(1)))
        for match in _DIGITS.finditer(line)
    ]
    for match in _SEPARATED.finditer(line):
        data = bytes.fromhex("".join(_PAIR.findall(match.group())))
        # A day or a second of a time stamp may stand before the first byte.
        start = next((at for at, byte in enumerate(data) if byte in FIRST_BYTES), None)
        if start is not None:
            found.append((match.start(), data[start:]))
    for _position, data in sorted(found):
        if len(data) >= SHORTEST and data[0] in FIRST_BYTES:
            yield data


def _lines(words: Sequence[str]) -> Iterator[str]:
    """Yield the words of a command line as lines: bytes given one by one belong together.

    A word with blanks in it was quoted: it is a line of its own, or several.
    """
    for quoted, group in groupby(words, key=lambda word: len(word.split()) > 1):
        if quoted:
            for word in group:
                yield from word.splitlines()
        else:
            yield " ".join(group)


def main(arguments: Sequence[str] | None = None) -> int:
    """Describe every frame found; 1 when there is none."""
    parser = argparse.ArgumentParser(description="Say what Chihiros frames mean.")
    parser.add_argument(
        "--family",
        type=DeviceFamily,
        choices=list(DeviceFamily),
        help="read notifications as those of this kind of device",
    )
    parser.add_argument(
        "hex", nargs="*", help="frames or log lines; the standard input without any"
    )
    options = parser.parse_args(arguments)
    lines: Iterable[str] = _lines(options.hex) if options.hex else sys.stdin
    count = 0
    for line in lines:
        for data in frames_in(line):
            count += 1
            print(f"{data.hex(' ')}\n  {describe(data, options.family)}")
    if not count:
        print("no frame found: give hexadecimal bytes or log lines", file=sys.stderr)
    return 0 if count else 1


if __name__ == "__main__":
    sys.exit(main())
