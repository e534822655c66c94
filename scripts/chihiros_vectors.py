#!/usr/bin/env python3
"""Run protocol test vectors against the encoder and the decoder.

`vector_format` says what a vector is, `vector_commands` and `vector_notifications` which
commands and notifications there are.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
import sys

from scripts.vector_commands import encode
from scripts.vector_format import BadVector, Vector, load
from scripts.vector_notifications import decode

MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one vector wanted and what came out of it."""

    passed: bool
    expected: str
    got: str


def run(vector: Vector) -> Outcome:
    """Run one vector; a vector that breaks the format fails."""
    try:
        return DIRECTIONS[vector["direction"]](vector)
    except MALFORMED as error:
        return Outcome(
            passed=False,
            expected=str(vector.get("hex") or vector.get("args")),
            got=f"{type(error).__name__}: {error}",
        )


def run_encode(vector: Vector) -> Outcome:
    """Run a vector whose arguments give bytes."""
    got = encode(vector).hex()
    expected = vector["hex"].lower()
    return Outcome(passed=got == expected, expected=expected, got=got)


def run_decode(vector: Vector) -> Outcome:
    """Run a vector whose bytes hold fields; fields that it does not name may be there."""
    fields = decode(vector)
    wanted = vector["args"]
    return Outcome(
        passed=all(
            key in fields and fields[key] == value for key, value in wanted.items()
        ),
        expected=str(wanted),
        got=str(fields),
    )


def run_refusal(vector: Vector) -> Outcome:
    """Run a vector whose arguments must be refused, by the encoder or by its value types."""
    try:
        got = encode(vector).hex()
    except ValueError as error:
        return Outcome(passed=True, expected="a refusal", got=str(error))
    return Outcome(passed=False, expected="a refusal", got=got)


DIRECTIONS: dict[str, Callable[[Vector], Outcome]] = {
    "encode": run_encode,
    "decode": run_decode,
    "reject": run_refusal,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all files, print what fails and the sums; 1 when anything failed, 2 when unread."""
    parser = argparse.ArgumentParser(description="Run protocol test vectors.")
    parser.add_argument("file", nargs="+", type=Path, help="a JSON file of vectors")
    passed = failed = 0
    try:
        vectors = [
            vector
            for path in parser.parse_args(arguments).file
            for vector in load(path)
        ]
    except BadVector as error:
        print(error, file=sys.stderr)
        return 2
    for vector in vectors:
        outcome = run(vector)
        if outcome.passed:
            passed += 1
            continue
        failed += 1
        print(f"{vector.get('id', '?')} {vector.get('command', '?')}")
        print(f"  expected {outcome.expected}")
        print(f"  got      {outcome.got}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
