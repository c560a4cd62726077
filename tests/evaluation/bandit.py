"""A made-up world of offers whose truth is known, and policies tried in it: what each regrets.

Four offers in two channels, or none. Who converts turns on the context, by weights that are
drawn anew for each seed; outcomes are known only DELAY decisions later. Not everybody can be
reached, one offer is for some alone, one ends half-way and another begins; at three fifths
two offers change places in what customers think of them. Regret is what the best eligible arm
was expected to be worth, less what the chosen one was: by the truth, not by the draw.
"""

import random
from collections import deque
from collections.abc import Callable

import numpy as np
from river import bandit

from models.catalogue import Policy
from models.online.offers import OfferModel
from models.online.thompson import propensities

OFFERS, CHANNELS = ("a", "b", "c", "d", "e"), ("app", "email")
ARMS = [f"{offer}/{channel}" for offer in OFFERS for channel in CHANNELS] + ["none"]
MARGINS = {"a": 16.0, "b": 15.0, "c": 13.0, "d": 30.0, "e": 20.0, "none": 18.0}
COSTS = {"app": 0.1, "email": 0.3, "": 0.0}
FEATURES = [f"x{n}" for n in range(8)]
DELAY, TENTHS = 500, 10
PARTS = np.array([arm.partition("/")[::2] for arm in ARMS])


class World:
    """Customers, what each arm is worth for them, and which arms they may be offered."""

    def __init__(self, seed: int, rounds: int) -> None:
        rng = np.random.default_rng(seed)
        width, offers = len(FEATURES), (*OFFERS, "none")
        weights = {offer: rng.normal(0, 0.6, width) for offer in offers}
        habits = {channel: rng.normal(0, 0.3, width) for channel in (*CHANNELS, "")}
        levels = {offer: rng.normal(-2.2, 0.4) for offer in OFFERS} | {"none": -2.6}
        self.contexts = rng.normal(0, 1, (rounds, width))
        self.features = [
            dict(zip(FEATURES, row, strict=True)) for row in self.contexts.round(4).tolist()
        ]
        before = [weights[o] + habits[c] for o, c in PARTS]
        weights["a"], weights["b"] = weights["b"], weights["a"]
        after = [weights[o] + habits[c] for o, c in PARTS]
        level = np.array([levels[o] for o, _ in PARTS])
        turned = (np.arange(rounds) >= 0.6 * rounds)[:, None]
        logits = level + np.where(
            turned, self.contexts @ np.array(after).T, self.contexts @ np.array(before).T
        )
        self.chances = 1.0 / (1.0 + np.exp(-logits))
        self.margins = np.array([MARGINS[o] for o, _ in PARTS])
        self.costs = np.array([COSTS[c] for _, c in PARTS])
        self.worths = self.chances * self.margins - self.costs
        self.eligible = self._eligible(rng, rounds)
        self.converts = rng.random((rounds, len(ARMS))) < self.chances
        self.best = np.where(self.eligible, self.worths, -np.inf).max(axis=1)

    def _eligible(self, rng: np.random.Generator, rounds: int) -> np.ndarray:
        reached = {"app": rng.random(rounds) < 0.6, "email": rng.random(rounds) < 0.7}
        late = np.arange(rounds) >= rounds // 2
        given = {"c": self.contexts[:, 0] > 0, "d": ~late, "e": late}
        yes = np.ones(rounds, dtype=bool)
        return np.stack([reached.get(c, yes) & given.get(o, yes) for o, c in PARTS], axis=1)

    def fixed(self) -> int:
        """Return the arm that is worth most if it is always made, or none where it may not be."""
        none = self.worths[:, -1:]
        return int(np.where(self.eligible, self.worths, none).mean(axis=0).argmax())


Chooser = Callable[[int, list[int]], int]
Learns = Callable[[int, int, float], None]


def run(seed: int, rounds: int, rivers: bool = True) -> dict:
    """Return, by policy, the mean regret a decision: in all, and by tenths of the rounds.

    `rivers`: River's policies too; its LinUCB takes half a millisecond a decision.
    """
    world = World(seed, rounds)
    policies = {
        "uniform": uniform(seed),
        "best fixed": fixed(world),
        "popularity": thompson(world, seed, contextual=False),
        "ours": thompson(world, seed, contextual=True),
    }
    if rivers:
        greedy = bandit.EpsilonGreedy(epsilon=0.05, seed=seed)
        linear = bandit.LinUCBDisjoint(alpha=0.3, seed=seed)
        policies |= {
            "River's EpsilonGreedy": river(world, greedy, contextual=False),
            "River's LinUCBDisjoint": river(world, linear, contextual=True),
        }
    found = {name: regrets(world, *policy) for name, policy in policies.items()}
    return {
        "seed": seed,
        "rounds": rounds,
        "worth_of_best": float(world.best.mean()),
        "regret": {name: float(each.mean()) for name, each in found.items()},
        "regret_by_tenth": {
            name: [float(part.mean()) for part in np.array_split(each, TENTHS)]
            for name, each in found.items()
        },
    }


def regrets(world: World, choose: Chooser, learn: Learns) -> np.ndarray:
    """Return the policy's regret at each decision; it learns each outcome DELAY decisions later."""
    chosen, waiting = [], deque()
    for now, eligible in enumerate(world.eligible):
        arm = choose(now, np.flatnonzero(eligible).tolist())
        chosen.append(arm)
        waiting.append((now, arm))
        if len(waiting) > DELAY:
            then, known = waiting.popleft()
            learn(then, known, float(world.converts[then, known]))
    return world.best - world.worths[np.arange(len(chosen)), chosen]


def uniform(seed: int) -> tuple[Chooser, Learns]:
    """Every eligible arm alike."""
    rng = random.Random(seed)
    return (lambda now, eligible: rng.choice(eligible)), lambda now, arm, converted: None


def fixed(world: World) -> tuple[Chooser, Learns]:
    """The best single arm in hindsight; nobody could have known it."""
    best, none = world.fixed(), len(ARMS) - 1
    return (
        lambda now, eligible: best if best in eligible else none,
        lambda now, arm, converted: None,
    )


def thompson(world: World, seed: int, contextual: bool, **changed: float) -> tuple[Chooser, Learns]:
    """The stream's own policy, as the catalogue sets it; without contexts it is popularity."""
    rng, model = random.Random(seed), OfferModel()
    policy = Policy(**changed)

    def seen(now: int) -> dict[str, float]:
        return world.features[now] if contextual else {}

    def choose(now: int, eligible: list[int]) -> int:
        means, variances = model.predict_arms(seen(now), [ARMS[arm] for arm in eligible])
        doubts = [variance * policy.boldness**2 for variance in variances]
        margins, costs = world.margins[eligible].tolist(), world.costs[eligible].tolist()
        chances = propensities(means, doubts, margins, costs, policy.floor)
        return rng.choices(eligible, chances)[0]

    def learn(now: int, arm: int, converted: float) -> None:
        model.learn_one(seen(now), ARMS[arm], converted, half_life=policy.half_life)

    return choose, learn


def river(world: World, policy: bandit.base.Policy, contextual: bool) -> tuple[Chooser, Learns]:
    """One of River's; rewards are money, in tens."""

    def choose(now: int, eligible: list[int]) -> int:
        return policy.pull(eligible, *([world.features[now]] if contextual else []))

    def learn(now: int, arm: int, converted: float) -> None:
        earned = (converted * world.margins[arm] - world.costs[arm]) / 10.0
        policy.update(arm, *([world.features[now]] if contextual else []), earned)

    return choose, learn
