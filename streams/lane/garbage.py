"""How often Python looks for garbage in cycles: seldom, for a step makes none.

Reference counts free what a batch leaves. Looking after every 700 new objects, as
Python does by itself, took a third of the worker's time, most of it on code and state.
"""

from __future__ import annotations

import gc

# Looking through the newest stops everything, the longer the more there are: 3 ms at this number.
NEW = 10_000  # objects more than before, at which the newest are looked through
FIRST_ROUNDS, ROUNDS = 100, 20  # of those, until older ones are, and of these until all are


def look_seldom() -> None:
    """Leave all that is loaded by now alone for good, and look at the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW, FIRST_ROUNDS, ROUNDS)
