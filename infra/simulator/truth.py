"""The hidden truth: why customers leave, and which offers they take.

Rates are a day. Nothing here is sent anywhere: a model sees only its effects.
"""

from __future__ import annotations

import math
from hashlib import blake2b
from statistics import NormalDist

LEAVES = {"telecom": 0.0012, "retail": 0.0030}  # chance to leave for good, a day
UPSET = 5.0  # times more likely to leave while a complaint is unanswered
REFUNDED = 2.0  # and for a while after a refund
CONTENT = 0.35  # and with an offer accepted
EFFECT_DAYS = 45  # for so long
ENDING = 4.0  # and in the last days of a contract's term
ENDING_DAYS = 7
GIVES_NOTICE = 0.6  # of those who leave a contract; the others let it end

_NORMAL = NormalDist()


def acceptance(seed: int, kind: str, index: int, offer: str, channel: str) -> float:
    """Chance that a customer takes an offer: mostly his kind's taste, a little his own.

    Kinds like channels, too, whatever is offered there.
    """
    liking = 1.6 * _drawn(seed, kind, offer) + 0.4 * _drawn(seed, str(index), offer)
    liking += 0.5 * _drawn(seed, kind, "by", channel)
    return 1 / (1 + math.exp(1.3 - liking))


def hazard(
    base: float, *, upset: bool, refunded: bool, content: bool, ending: bool = False
) -> float:
    """Chance to leave for good, a day."""
    if ending:
        base *= ENDING
    if upset:
        base *= UPSET
    if refunded:
        base *= REFUNDED
    return base * CONTENT if content else base


def _drawn(seed: int, *of: str) -> float:
    """Draw from the standard normal, the same for the same names whatever was drawn before."""
    digest = blake2b("\n".join((str(seed), *of)).encode(), digest_size=8).digest()
    return _NORMAL.inv_cdf((int.from_bytes(digest, "big") + 1) / (2**64 + 2))
