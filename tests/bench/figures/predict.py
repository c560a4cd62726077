"""One prediction, one decision, and learning from each, in CPU µs: the models alone.

`predict_us` is what a scorer pays, `predict_learn_us` that and a champion's learning alone;
`learn_all_us` is the learner's price for an example, all seven candidates taught and compared,
`learn_river_us` River's own pipeline of them. Made-up examples of 20 features and a choice
among 10 offers that differ in worth; and `score`, whole, on the customers of a simulated past,
by the model that was learnt from it.
"""

import random
import time
from collections.abc import Callable, Iterable

import numpy as np
from river.preprocessing import StandardScaler

from models.customer import decode
from models.features import features
from models.online.offers import OfferModel
from models.online.river_pipeline import RiverPipeline
from models.online.scaling import sigmoid
from models.online.stable import Stable
from models.online.thompson import propensities
from models.online.vectors import zeros
from models.score import score
from tests.bench.core import Core
from tests.bench.harness import Bench
from tests.bench.report import medians

NAME = "predict"
GOALS = {
    "predict_us": "≤ 8 µs",
    "predict_learn_us": "≤ 30 µs",
    "decide_learn_us": "≤ 30 µs",
    "score_us": "≤ 10 µs",
}
FEATURES, OFFERS, EXAMPLES, PAST, PASSES = 20, 10, 2_000, 8_000, 15
ARMS = [f"offer-{n}" for n in range(OFFERS)]
VALUES = np.linspace(10.0, 30.0, OFFERS).tolist()
COSTS = np.linspace(0.1, 2.0, OFFERS).tolist()


def measure(bench: Bench) -> dict:
    """Measure all in turn, many passes; the medians."""
    examples = list(made(EXAMPLES))
    churn, offers = _learnt(examples)
    core = Core(bench.judge())
    core.process(bench.touchpoints(bench.fewer(PAST, 2_000)))
    judge = core.judge()
    people = [decode(value) for value in core.customers.values()]
    people = [one for one in people if one.merged_into is None]

    served, alone, river = churn.served("blend"), Stable(), RiverPipeline()
    scaler = StandardScaler()

    def predict_learn(example):
        """Predict as scorers do, and teach a champion alone: second order, full covariance."""
        x, y = example
        served.chance(x)
        distances = zeros(FEATURES)
        for part, distance in alone.scaler.observe(x):
            distances[part.place] = distance
        bayes = alone.bayes
        terms = bayes.terms(distances)
        bayes.learn_one(terms, 0.0, y)
        bayes.reach(FEATURES)

    def learn_river(example):
        x, y = example
        distances = scaler.transform_one(x)
        river.chance(distances)
        river.learn_one(distances, y > 0.5)
        scaler.learn_one(x)

    def decide_learn(example):
        arm = decided(offers, example)
        offers.learn_one(example[0], arm, example[1])

    calls: dict[str, tuple[Callable, list]] = {
        "predict_us": (lambda example: served.chance(example[0]), examples),
        "predict_learn_us": (predict_learn, examples),
        "learn_all_us": (lambda example: churn.learn_one(*example), examples),
        "learn_river_us": (learn_river, examples),
        "serve_us": (lambda _: churn.served("blend"), examples[:100]),
        "decide_us": (lambda example: decided(offers, example), examples),
        "decide_learn_us": (decide_learn, examples),
        "features_us": (lambda one: features(one, one.clock_ms), people),
        "score_us": (lambda one: score(one, one.clock_ms, "bench", judge), people),
    }
    with bench.pinned(bench.there):
        passes = [
            {name: _each(call, items) for name, (call, items) in calls.items()}
            for _ in range(bench.fewer(PASSES, 2))
        ]
    return medians(passes) | {"model_version": judge.churn.learnt, "customers": len(people)}


def made(count: int) -> Iterable[tuple[dict[str, float], float]]:
    """Yield examples: features, and whether it came true."""
    rng = random.Random(360)
    weights = [rng.gauss(0, 0.5) for _ in range(FEATURES)]
    for _ in range(count):
        values = [rng.gauss(1, 1) for _ in range(FEATURES)]
        logit = sum(w * (v - 1) for w, v in zip(weights, values, strict=True)) - 1
        yield (
            {f"feature_{n}": value for n, value in enumerate(values)},
            float(rng.random() < sigmoid(logit)),
        )


def decided(model: OfferModel, example: tuple[dict[str, float], float]) -> str:
    """Return the arm that is drawn for a context, by the chances that would be logged."""
    means, variances = model.predict_arms(example[0], ARMS)
    chances = propensities(means, variances, VALUES, COSTS, 0.03)
    return random.choices(ARMS, chances)[0]


def _learnt(examples: list) -> tuple[Stable, OfferModel]:
    churn, offers = Stable(), OfferModel()
    for number, example in enumerate(examples):
        churn.learn_one(*example)
        offers.learn_one(example[0], ARMS[number % OFFERS], example[1])
    return churn, offers


def _each(call: Callable, items: list) -> float:
    begun = time.process_time()
    for item in items:
        call(item)
    return (time.process_time() - begun) * 1e6 / len(items)
