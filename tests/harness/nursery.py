"""Where lives begin that end by `os._exit`: a process that forks one for each of them.

It has everything imported already, and no thread of its own. Requests come pickled over its
standard input, exit codes go back over its standard output; it ends with whoever started it.
"""

from collections.abc import Callable
from itertools import count
import os
from pathlib import Path
import pickle
import subprocess
import sys
from typing import IO, Any, Never
from uuid import uuid4

from custom_components.aquarist.commands import command

_ROOT = Path(__file__).parents[2]
_started: list[subprocess.Popen[bytes]] = []


def die_early[**P](live: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> int:
    """Live a life in a process of its own; return the process's exit code."""
    requests, codes = _pipes()
    pickle.dump((live, args, kwargs), requests)
    requests.flush()
    line = codes.readline()
    assert line, "the nursery is gone"
    return int(line)


def _pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Return the nursery's pipes; start it the first time."""
    if not _started:
        command = [
            sys.executable,
            "-c",
            f"import {__package__}.scenarios; from {__name__} import serve; serve()",
        ]
        pipe = subprocess.PIPE
        _started.append(subprocess.Popen(command, cwd=_ROOT, stdin=pipe, stdout=pipe))
    nursery = _started[0]
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    return nursery.stdin, nursery.stdout


def serve() -> None:
    """Fork a process for each request, until nobody asks any more."""
    while True:
        try:
            request = pickle.load(sys.stdin.buffer)  # noqa: S301  (from our own parent)
        except EOFError:
            return
        child = os.fork()
        if child == 0:
            _live(*request)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _live(live: Callable[..., object], args: Any, kwargs: Any) -> Never:
    """Live; whoever comes to the end of it was not killed."""
    # A process that is started, not forked, has ids of its own.
    command._IDS = count(uuid4().int >> 32 << 32)
    try:
        live(*args, **kwargs)
    finally:
        os._exit(0)
