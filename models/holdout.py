"""Chance that follows from names: control customers for good, and what a decision draws.

No state and no clock, so a replay holds the same customers out and draws the same.
"""

from __future__ import annotations

from hashlib import blake2b

from models.judge import Judge


def is_held_out(customer_id: str, judge: Judge) -> bool:
    """Tell whether this customer is a control: by a hash of the id, so for good."""
    policy = judge.catalogue.policy
    return fraction(policy.seed, f"holdout:{customer_id}") < policy.holdout


def held(customer_id: str, judge: Judge) -> list[str]:
    """Return the campaigns whose control this customer is: by a hash with the campaign's seed."""
    seed = judge.catalogue.policy.seed
    return [
        one.id
        for one in judge.catalogue.campaigns
        if fraction(seed, f"holdout:{one.id}:{one.seed}:{customer_id}") < one.holdout
    ]


def fraction(seed: str, subject: str) -> float:
    """Return a number in [0, 1) that follows from its arguments alone."""
    digest = blake2b(f"{seed}:{subject}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)
