"""The made-up world of offers (`tests.evaluation.bandit`): regret by policy, over several seeds."""

from statistics import mean

from tests.evaluation.bandit import TENTHS, run
from tests.evaluation.measure import Goal

NAME = "simulator"
SEEDS, ROUNDS, RIVERS = 5, 10_000, 1  # seeds on which River's own are tried too


def measure() -> dict:
    """Run the policies over all seeds."""
    runs = [run(seed, ROUNDS, rivers=seed < RIVERS) for seed in range(SEEDS)]
    regret = {
        name: mean(one["regret"][name] for one in runs if name in one["regret"])
        for name in runs[0]["regret"]
    }
    tenths = {
        name: [
            mean(one["regret_by_tenth"][name][n] for one in runs if name in one["regret_by_tenth"])
            for n in range(TENTHS)
        ]
        for name in runs[0]["regret"]
    }
    turn = round(0.6 * TENTHS)
    ours = tenths["ours"]
    fall = ours[turn - 1] / ours[0], ours[-1] / ours[turn]
    lines = [
        *(
            Goal(f"regret of ours, of {other}'s", regret["ours"] / regret[other], "< 1",
                 regret["ours"] < regret[other])
            for other in regret if other != "ours"
        ),
        Goal("regret before the world turns, of that at first", fall[0], "≤ 0.5", fall[0] <= 0.5),
        Goal("regret at the end, of that after the turn", fall[1], "≤ 0.5", fall[1] <= 0.5),
    ]  # fmt: skip
    return {
        "goals": [line.told() for line in lines],
        "rounds": ROUNDS,
        "seeds": SEEDS,
        "regret": regret,
        "regret_by_tenth": tenths,
        "worth_of_best": mean(one["worth_of_best"] for one in runs),
        "runs": runs,
    }
