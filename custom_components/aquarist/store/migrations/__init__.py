"""The numbered steps from an older store to the present one, oldest first.

Step N turns version N - 1 into version N. A step that was ever released does not
change any more.
"""

from collections.abc import Callable, Sequence
import sqlite3

from . import step_001, step_002, step_003

type Step = Callable[[sqlite3.Connection], None]

STEPS: Sequence[Step] = (step_001.apply, step_002.apply, step_003.apply)
