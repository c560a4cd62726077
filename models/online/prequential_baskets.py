"""How well baskets are guessed, as a stream would have it: each is tried before it is learnt.

Of a basket one product is held out, whichever a hash of its number says, and guessed from
the others and from what the customer had; beside it stand the best sellers, which need no
model. Nothing of a basket is learnt before it was tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import Any, Final, NamedTuple
from zlib import crc32

from models.online.affinity import BASKET, SUPPORT, AffinityModel, basket
from models.records import unpack

GUESSES: Final = 5
TRIES: Final = 2_000  # about: a guess costs a thousand times what learning does
TOLD: Final = 20  # pairs
_SURE: Final = 1.96


class Basket(NamedTuple):
    """Products bought together, by whom if that is known."""

    products: Sequence[str]
    customer: str | None = None


def evaluate(baskets: Iterable[Basket], count: int) -> dict[str, Any]:
    """Return how often the product held out was among the guesses, and what goes with what.

    `count`: of the baskets, about; figures are of those in the second half that could be tried.
    """
    model, had = AffinityModel(), dict[str, list[str]]()
    every, tried, hits, popular, both, ranks = max(1, count // (2 * TRIES)), 0, 0, 0, 0, 0.0
    products: set[str] = set()
    for number, one in enumerate(baskets):
        before = [] if one.customer is None else had.get(one.customer, [])
        features = basket(one.products, before)
        products.update(one.products)
        if features is not None:
            x = unpack(features)
            if number >= count // 2 and number % every == 0 and model.baskets:
                bought = sorted(name for name, value in x.items() if value)
                out = bought[crc32(str(number).encode()) % len(bought)]
                rest = x.keys() - {out}
                guesses = [told.product for told in model.goes_with(rest, GUESSES)]
                best = out in model.popular(rest, GUESSES)
                tried, popular = tried + 1, popular + best
                if out in guesses:
                    hits, both = hits + 1, both + best
                    ranks += 1.0 / (1 + guesses.index(out))
            model.learn_one(x)
        if one.customer is not None:
            had[one.customer] = list(dict.fromkeys((*one.products, *before)))[:BASKET]
    return {
        "baskets": model.learnt,
        "products": len(products),
        "tried": tried,
        **(_rates(tried, hits, popular, both, ranks) if tried else {}),
        "pairs": _pairs(model),
    }


def _rates(tried: int, hits: int, popular: int, both: int, ranks: float) -> dict[str, Any]:
    better, worse = hits - both, popular - both  # tries in which one of the two alone was right
    lead = (better - worse) / tried
    spread = _SURE * sqrt(max(better + worse - (better - worse) ** 2 / tried, 0.0)) / tried
    return {
        "hit_rate": hits / tried,
        "hit_rate_popular": popular / tried,
        "lead": lead,
        "lead_interval": [lead - spread, lead + spread],
        "mean_reciprocal_rank": ranks / tried,
    }


def _pairs(model: AffinityModel) -> list[dict[str, Any]]:
    """Return the pairs that are most often together, against chance and with enough baskets."""
    told: list[dict[str, Any]] = [
        {
            "products": [one, other],
            "baskets": together / SUPPORT * 3,
            "lift": together * model.baskets / (model.products[one] * model.products[other]),
            "confidence": together / model.products[one],
            "confidence_back": together / model.products[other],
        }
        for (one, other), together in model.pairs.items()
        if together >= SUPPORT
    ]
    told.sort(
        key=lambda pair: (-min(pair["confidence"], pair["confidence_back"]), pair["products"])
    )
    return told[:TOLD]
