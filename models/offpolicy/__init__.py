"""What a policy would have earned, judged by the decisions that another one made.

Decisions were drawn with known probabilities, so each can stand for those that another
policy would have made. Nothing here knows where the decisions come from.
"""

from models.offpolicy.estimators import (
    clipped,
    direct,
    doubly_robust,
    effective_sample,
    importance,
    ips,
    snips,
)
from models.offpolicy.evaluation import (
    MIN_CUSTOMERS,
    MIN_EFFECTIVE,
    Estimate,
    PolicyValue,
    Report,
    evaluate,
)
from models.offpolicy.logged import Floats, Logged, Policy
from models.offpolicy.rewards import RewardModel

__all__ = [
    "MIN_CUSTOMERS",
    "MIN_EFFECTIVE",
    "Estimate",
    "Floats",
    "Logged",
    "Policy",
    "PolicyValue",
    "Report",
    "RewardModel",
    "clipped",
    "direct",
    "doubly_robust",
    "effective_sample",
    "evaluate",
    "importance",
    "ips",
    "snips",
]
