"""Run a module as a program that ends when the process that started it is gone.

python -m tests.e2e.instance.leash MODULE [ARGUMENT...]

The starter holds the other end of standard input. However it ends, a kill included, the
pipe closes, and the program gets the same signal as by Ctrl-C's polite cousin. Asked by
SIGUSR1 it writes where each of its threads is.
"""

import faulthandler
import os
import runpy
import signal
import sys
from threading import Thread


def _end_with_starter() -> None:
    """Wait until standard input closes, then ask this process to end."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Run the module named by the first argument."""
    faulthandler.register(signal.SIGUSR1)
    Thread(target=_end_with_starter, daemon=True, name="leash").start()
    module = sys.argv[1]
    del sys.argv[0]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
