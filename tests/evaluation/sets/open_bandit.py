"""The Open Bandit sample: 6 x 10,000 clicks on a shop's front page, with logged propensities.

The estimators against each other's truth: what Bernoulli Thompson sampling earned, estimated from
the log of the random policy, beside what it did earn; and what the random policy earned, estimated
from the other's log. 38 to 69 clicks a file: this tests estimators, nothing can be learnt from it.
"""

import numpy as np

from models.offpolicy import effective_sample, importance, ips, snips
from models.offpolicy.resampling import Resampled, interval
from tests.evaluation import data
from tests.evaluation.measure import Goal

NAME = "open_bandit"
CAMPAIGNS = ("all", "men", "women")
LEVEL = 0.95
_WHY = "the 95 % interval of one value in twenty lies beside the truth"


def measure() -> dict:
    """Estimate the random policy's clicks a page from the other policy's log."""
    found: dict = {"goals": []}
    for campaign in CAMPAIGNS:
        result = estimated(campaign)
        found[campaign] = result
        low, high = result["snips_interval"]
        within = low <= result["truth_high"] and result["truth_low"] <= high
        goal = Goal(f"open_bandit {campaign}: SNIPS beside the truth", result["snips"],
                    f"its interval meets {result['truth_low']:.5f} to {result['truth_high']:.5f}",
                    within, "" if within else _WHY)  # fmt: skip
        found["goals"].append(goal.told())
    return found


def estimated(campaign: str) -> dict:
    """Return the uniform policy's value from the log of Thompson sampling, and as it was."""
    log = data.records(data.open_bandit("bts", campaign))
    truth = np.array([float(row["click"]) for row in data.records(
        data.open_bandit("random", campaign))])  # fmt: skip
    rewards = np.array([float(row["click"]) for row in log])
    taken = np.array([float(row["propensity_score"]) for row in log])
    items = len({row["item_id"] for row in log})
    weights = importance(np.full(len(log), 1.0 / items), taken)
    return {
        "rows": len(log),
        "clicks": float(rewards.sum()),
        "arms": items,
        "ips": float(ips(rewards, weights).mean()),
        "snips": float(snips(rewards, weights).mean()),
        "snips_interval": _interval(rewards * weights, weights),
        "truth": float(truth.mean()),
        "truth_low": _interval(truth, np.ones(len(truth)))[0],
        "truth_high": _interval(truth, np.ones(len(truth)))[1],
        "effective_rows": effective_sample(weights),
    }


def _interval(above: np.ndarray, below: np.ndarray) -> tuple[float, float]:
    sums = Resampled(2)
    sums.add(np.arange(len(above), dtype=np.uint64), np.column_stack([above, below]))
    drawn = sums.replicates
    return interval(drawn[:, 0] / drawn[:, 1], LEVEL)
