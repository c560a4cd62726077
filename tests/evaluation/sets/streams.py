"""Made-up streams with a known truth: few labels, drift, rare positives, noise, a bad column.

What serves must be no worse than it should be on any of them: with few labels than the prior,
after a drift than a batch model that is trained anew, on noise than the base rate.
"""

import math
import random
from collections.abc import Iterator

from infra.evaluation.churn import add
from models.online.prequential import Row
from models.online.scaling import sigmoid
from models.online.shares import PRIOR
from models.online.tally import Tally
from tests.evaluation.measure import against, at_least, at_most, batches, prequential

NAME = "streams"
ROWS = 12_000
FEATURES = 12
NAMES = [f"f{n}" for n in range(FEATURES)]
TURN, LATE = 7_200, 200  # rows until the drift, and until a label is known
FEW, REPEATED = 300, 8  # labels, and streams of so few of them
# Aggregating k candidates costs no more than ln k in all (Vovk 1990), and sharing a little for
# the switches: 3 nats over the 300 labels.
SHARED = 3.0 / FEW


def measure() -> dict:
    """Run the candidates over every stream."""
    found: dict = {"goals": []}
    found["few"] = few_labels()
    found["goals"].append(
        at_most("streams few: log loss over the prior's", found["few"]["loses_more"],
                SHARED).told()
    )  # fmt: skip
    for name, make in STREAMS.items():
        rows = list(make(random.Random(f"c360 {name}")))
        run = prequential(rows, encoded=True)
        result = run.report()
        if name in ("drift", "rare"):
            add(result, batches(rows, run.tested_from, len(rows) / 20))
        if name == "drift":
            add(result, {"late_truth": late_truth(rows, run.tested_from)})
        del result["calibration"], result["lift"]
        found[name] = result
        found["goals"] += goals(name, result)
    return found


def goals(name: str, result: dict) -> list[dict]:
    """Return what is asked of the one that serves."""
    ours, prior = result["tested"]["champion"], result["tested"]["prior"]
    if name in ("drift", "rare"):
        why = "the rows right after the drift are among them" if name == "drift" else ""
        told = against(f"streams {name}", result, ("batch_lr", "batch_gb"), why)
        if name == "drift":
            late = result["tested"]["late_truth"]["ece"]
            told[-1]["why"] += (
                f"; who knows both worlds, and of the turn by its first label, shows {late:.4f}"
            )
        return told
    if name == "noise":
        return [
            at_most("streams noise: log loss beside the base rate's", ours["log_loss"],
                    prior["log_loss"] + 0.005).told(),
        ]  # fmt: skip
    return [
        at_least(f"streams {name}: AUC over the prior's", ours["auc"], prior["auc"]).told(),
        at_most(f"streams {name}: calibration error", ours["ece"], 0.03).told(),
    ]


def _weights(rng: random.Random) -> list[float]:
    return [rng.gauss(0, 0.6) for _ in range(FEATURES)]


def _drawn(rng: random.Random, logit: float) -> float:
    return float(rng.random() < 1.0 / (1.0 + math.exp(-logit)))


def _plain(rng, count, weights, level=0.0) -> Iterator[tuple[dict[str, float], float]]:
    for _ in range(count):
        values = [rng.gauss(0, 1) for _ in range(FEATURES)]
        x = dict(zip(NAMES, values, strict=True))
        yield x, level + _logit(weights, x)


def _logit(weights: list[float], x: dict[str, float]) -> float:
    return sum(weight * x[name] for name, weight in zip(NAMES, weights, strict=True))


def few_labels() -> dict:
    """Run short streams; return how much more than the prior who serves loses a label."""
    more = []
    for number in range(REPEATED):
        whole = prequential(list(few(random.Random(number))), encoded=True).report()["whole"]
        more.append(whole["champion"]["log_loss"] - whole["prior"]["log_loss"])
    return {"labels": FEW, "streams": REPEATED, "loses_more": sum(more) / REPEATED}


def few(rng: random.Random) -> Iterator[Row]:
    """Few labels, and a lifetime prior that is nearly right."""
    weights = [0.15 * w for w in _weights(rng)]
    for at, (x, logit) in enumerate(_plain(rng, FEW, weights)):
        prior = rng.gauss(0.5, 1.0)
        yield Row(at, "", {PRIOR: prior, **x}, at + 50, _drawn(rng, prior + logit))


def drift(rng: random.Random) -> Iterator[Row]:
    """The weights are others from DRIFT_AT on, and labels are late."""
    before, after = _weights(rng), _weights(rng)
    parts = [*_plain(rng, TURN, before), *_plain(rng, ROWS - TURN, after)]
    for at, (x, logit) in enumerate(parts):
        yield Row(at, "", x, at + LATE, _drawn(rng, logit))


def late_truth(rows: list[Row], tested_from: int) -> Tally:
    """Return how good the weights themselves are, when those after the turn wait for a label."""
    rng = random.Random("c360 drift")
    before, after = _weights(rng), _weights(rng)
    found = Tally()
    for row in rows[tested_from:]:
        weights = before if row.at < TURN + LATE else after
        found.update(sigmoid(_logit(weights, row.features)), row.label)
    return found


def rare(rng: random.Random) -> Iterator[Row]:
    """One in a hundred and fifty, in skewed columns."""
    weights = _weights(rng)
    for at, (x, logit) in enumerate(_plain(rng, 2 * ROWS, weights, level=-6.2)):
        skewed = {name: math.expm1(min(value, 4.0)) for name, value in x.items()}
        yield Row(at, "", skewed, at, _drawn(rng, logit))


def noise(rng: random.Random) -> Iterator[Row]:
    """Nothing tells anything; forty columns."""
    for at in range(ROWS // 2):
        x = {f"n{n}": rng.gauss(0, 1) for n in range(40)}
        yield Row(at, "", x, at, float(rng.random() < 0.2))


def hostile(rng: random.Random) -> Iterator[Row]:
    """NaN, infinities and huge values in one row of fifty, ever new names in another."""
    weights = _weights(rng)
    for at, (x, logit) in enumerate(_plain(rng, ROWS, weights)):
        label = _drawn(rng, logit)
        if not at % 50:
            x[rng.choice(NAMES)] = rng.choice([math.nan, math.inf, -math.inf, 1e300])
        if not (at + 7) % 50:
            x[f"new {at}"] = 1.0
        yield Row(at, "", x, at + 10, label)


STREAMS = {"drift": drift, "rare": rare, "noise": noise, "hostile": hostile}
