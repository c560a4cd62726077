"""How often Python looks for garbage in cycles: seldom, for a step makes none.

Reference counts free what a batch leaves. Looking after every 700 new objects, as
Python does by itself, took a third of the worker's time, most of it on code and state.
"""

from __future__ import annotations

import gc

NEW = 50_000  # objects more than before, at which the newest are looked through
ROUNDS = 20  # of those, until older ones are looked through as well


def look_seldom() -> None:
    """Leave all that is loaded by now alone for good, and look at the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW, ROUNDS, ROUNDS)
