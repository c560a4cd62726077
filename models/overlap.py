"""What an example counts: the share of its window that no earlier one of the customer covers.

Labels of windows that overlap hang together: who leaves for good answers all predictions that
wait. Learnt as if each were news they make a model surer than it may be. By this share what is
counted of a customer sums to the time that was seen of him (average uniqueness: López de Prado,
Advances in Financial Machine Learning, 2018, chapter 4). Earlier ones alone are looked at: the
last prediction before somebody leaves has no later one beside it, so a share that looked at
those would tell the label.
"""

from __future__ import annotations

from typing import Final

from models.rounding import to_six

LEAST: Final = 1 / 32  # of a window that is covered all over: who predicts it means something


def weight(at_ms: int, until_ms: int, covered_ms: int) -> float:
    """Return the share of the window from `at_ms` to `until_ms` that is after `covered_ms`.

    `covered_ms`: when the last of the earlier windows ends. Within [LEAST, 1], to six decimals.
    """
    if covered_ms <= at_ms:
        return 1.0
    return to_six(max(LEAST, (until_ms - covered_ms) / (until_ms - at_ms)))
