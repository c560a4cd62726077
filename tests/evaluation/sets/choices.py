"""Tuna and Ketchup: which brand a household chose at which prices. A bandit offers one brand.

Full information: what was chosen would have been bought when offered, nothing else. The k-th
choice of every household comes before any (k+1)-th. A context is the prices, and what the
household was seen to choose before: shares of its choices and the newest one, as far as known.
Rewards at once, and DELAY rows late. Tested: the second half.
"""

from collections import Counter

from infra.evaluation.thompson import Thompson
from models.online.prequential_offers import Choice, Trial
from tests.evaluation import data
from tests.evaluation.measure import Goal

NAME = "choices"
DELAY = 500
SETS = {"tuna": ("Tuna", 0.8125), "ketchup": ("Ketchup", 0.775)}


def measure() -> dict:
    """Run the bandit over both, with and without delay."""
    found: dict = {"goals": []}
    for name, (table, _) in SETS.items():
        rows = choices(table)
        best = batch(rows)
        for delay in (0, DELAY):
            result = tried(rows, delay)
            result["batch_lr_full_labels"] = best
            title = f"{name}_delay_{delay}" if delay else name
            found[title] = result
            found["goals"] += goals(title, result)
    return found


def goals(title: str, result: dict) -> list[dict]:
    """Return whether it earns more than uniform and than the best fixed arm, beyond doubt."""
    lines = []
    for over in ("uniform", result["best_fixed_in_hindsight"]):
        gain = result["gain"][over]
        lines.append(
            Goal(f"{title}: online over {over}, lower end", gain["low"], "> 0", gain["low"] > 0)
        )
    return [line.told() for line in lines]


def choices(table: str) -> list[tuple[dict, str, str]]:
    """Return contexts, households and what they chose, in time order."""
    found = data.records(data.table("Ecdat", table))
    rows = [
        (
            int(float(one[f"{table}.id"])), int(float(one[f"{table}.hid"])),
            {name: float(cell) for name, cell in one.items() if name.startswith("price.")},
            one[f"{table}.choice"],
        )
        for one in found
    ]  # fmt: skip
    order: Counter = Counter()
    placed = []
    for _, household, prices, choice in sorted(rows, key=lambda row: (row[1], row[0])):
        order[household] += 1
        placed.append((order[household], household, prices, choice))
    placed.sort(key=lambda row: (row[0], row[1]))
    return [(prices, str(household), choice) for _, household, prices, choice in placed]


def contexts(rows: list[tuple[dict, str, str]]) -> list[dict]:
    """Return each row's features: prices, and the household's choices before it."""
    arms = sorted({choice for _, _, choice in rows})
    seen: dict[str, Counter] = {}
    newest: dict[str, str] = {}
    made = []
    for prices, household, choice in rows:
        own = seen.setdefault(household, Counter())
        total = own.total()
        made.append(
            {**prices}
            | {f"share.{arm}": own[arm] / total if total else 1.0 / len(arms) for arm in arms}
            | {f"newest.{arm}": float(newest.get(household) == arm) for arm in arms}
        )
        own[choice] += 1
        newest[household] = choice
    return made


def tried(rows: list[tuple[dict, str, str]], delay: int) -> dict:
    """Run the bandit; what an offer earned is known `delay` rows later."""
    arms = tuple(sorted({choice for _, _, choice in rows}))
    made = contexts(rows)
    trial = Trial(Thompson(), list(arms), len(rows) // 2, len(rows) // 20)
    trial.run(
        Choice(
            place, household, made[place], arms,
            dict.fromkeys(arms, 0.0) | {choice: 1.0}, place + delay,
        )
        for place, (_, household, choice) in enumerate(rows)
    )  # fmt: skip
    return trial.report()


def batch(rows: list[tuple[dict, str, str]]) -> float:
    """Return the hit rate of a logistic regression that sees every label of the first half."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    made, half = contexts(rows), len(rows) // 2
    x = np.array([list(one.values()) for one in made])
    y = np.array([choice for _, _, choice in rows])
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2_000))
    return float((model.fit(x[:half], y[:half]).predict(x[half:]) == y[half:]).mean())
