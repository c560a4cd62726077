"""What is bought together: baskets counted in pairs, old ones counting less, within bounds.

Whole numbers throughout: every count is halved after HALF_LIFE baskets, and when there are
too many products or pairs the smallest go (counts of the frequent ones stay as they were;
a pair that comes back begins anew). So the same baskets give the same counts, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, Self

from models.records import Features, pack

AFFINITY: Final = "affinity"  # the model's name
ONE: Final = 16  # a basket's count: it survives four halvings
HALF_LIFE: Final = 20_000  # baskets
PRODUCTS, PAIRS = 1_000, 6_000  # kept; there may be half as many more until the smallest go
NEIGHBOURS: Final = 30  # of a product that are looked at
BASKET: Final = 12  # products of a basket that are looked at, bought now or before
SUPPORT: Final = 3 * ONE  # baskets that a pair must have been in before it is told
PRIOR: Final = 5 * ONE  # baskets for which the product's own share speaks, not the pair's
LONGEST: Final = 200  # characters of a product's id


class Together(NamedTuple):
    """A product that goes with one the customer has."""

    product: str
    because: str  # what it was bought with
    confidence: float  # P(it | what the customer has), shrunk to P(it)
    lift: float  # that, against P(it)
    baskets: float  # that had both, as they count today


def basket(bought: Iterable[str], before: Iterable[str]) -> Features | None:
    """Return an order's products as an example's features: 1 bought now, 0 had before.

    None when there is nothing to pair.
    """
    found = dict.fromkeys(list(dict.fromkeys(bought))[:BASKET], 1.0)
    if not found:
        return None
    for product in before:
        if len(found) >= BASKET:
            break
        found.setdefault(product, 0.0)
    return pack(found) if len(found) > 1 else None


class AffinityModel:
    """Learns from baskets; `learnt` counts them."""

    def __init__(self) -> None:
        self.learnt = 0
        self.baskets = 0  # counted like the products, in sixteenths
        self.products: dict[str, int] = {}
        self.pairs: dict[tuple[str, str], int] = {}  # each in the order of their ids
        self._beside: dict[str, list[tuple[str, int]]] | None = None

    def learn_one(self, x: Mapping[str, float]) -> None:
        """Count one basket: pairs of what was bought now, with each other and what was had."""
        now = [name for name, value in x.items() if value >= 0.5 and len(name) <= LONGEST]
        had = [name for name, value in x.items() if value < 0.5 and len(name) <= LONGEST]
        now, had = sorted(now)[:BASKET], sorted(had)[:BASKET]
        self.learnt += 1
        self._beside = None
        if not now:
            return
        self.baskets += ONE
        for product in (*now, *had):
            self.products[product] = self.products.get(product, 0) + ONE
        for place, product in enumerate(now):
            for other in (*now[place + 1 :], *had):
                pair = (product, other) if product < other else (other, product)
                self.pairs[pair] = self.pairs.get(pair, 0) + ONE
        if self.learnt % HALF_LIFE == 0:
            self._halve()
        if len(self.products) > PRODUCTS + PRODUCTS // 2:
            self.products = _largest(self.products, PRODUCTS)
            known = self.products.keys()
            self.pairs = {
                pair: n for pair, n in self.pairs.items() if pair[0] in known and pair[1] in known
            }
        if len(self.pairs) > PAIRS + PAIRS // 2:
            self.pairs = _largest(self.pairs, PAIRS)

    def goes_with(self, owned: Iterable[str], top: int = 5) -> list[Together]:
        """Return products that are not owned and go with what is, the surest first.

        All that is owned speaks for a product (noisy-or of the confidences, which guesses
        better than the strongest alone); the reason told is the strongest.
        """
        have = set(owned)
        best: dict[str, Together] = {}
        against: dict[str, float] = {}  # P(not it), were each reason a chance of its own
        for product in sorted(have & self.products.keys()):
            for other, together in self._neighbours().get(product, ()):
                if other in have:
                    continue
                told = self._told(product, other, together)
                if told.lift <= 1.0:
                    continue
                against[other] = against.get(other, 1.0) * (1.0 - told.confidence)
                if other not in best or told.confidence > best[other].confidence:
                    best[other] = told
        ranked = sorted(best, key=lambda product: (against[product], product))[:top]
        return [best[product] for product in ranked]

    def popular(self, owned: Iterable[str], top: int = 5) -> list[str]:
        """Return the products that sell most and are not owned: what a guess is held against."""
        have = set(owned)
        free = [product for product in self.products if product not in have]
        return sorted(free, key=lambda product: (-self.products[product], product))[:top]

    def _told(self, product: str, other: str, together: int) -> Together:
        share = self.products.get(other, together) / self.baskets
        with_it = self.products[product]
        confidence = (together + PRIOR * share) / (with_it + PRIOR)
        return Together(other, product, confidence, confidence / share, together / ONE)

    def _neighbours(self) -> dict[str, list[tuple[str, int]]]:
        """Return what each product was bought with, the most frequent ones."""
        if self._beside is None:
            beside: dict[str, list[tuple[str, int]]] = {}
            for (one, other), count in self.pairs.items():
                if count >= SUPPORT:
                    beside.setdefault(one, []).append((other, count))
                    beside.setdefault(other, []).append((one, count))
            for others in beside.values():
                others.sort(key=lambda pair: (-pair[1], pair[0]))
                del others[NEIGHBOURS:]
            self._beside = beside
        return self._beside

    def _halve(self) -> None:
        self.baskets //= 2
        self.products = {name: n // 2 for name, n in self.products.items() if n > 1}
        known = self.products.keys()
        self.pairs = {
            pair: n // 2
            for pair, n in self.pairs.items()
            if n > 1 and pair[0] in known and pair[1] in known
        }

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types; pairs by the products' places."""
        place = {name: number for number, name in enumerate(self.products)}
        flat: list[int] = []
        for (one, other), count in self.pairs.items():
            flat += (place[one], place[other], count)
        return {
            "learnt": self.learnt,
            "baskets": self.baskets,
            "names": list(self.products),
            "counts": list(self.products.values()),
            "pairs": flat,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the model that `to_state` wrote, bit for bit."""
        model = cls()
        model.learnt, model.baskets = int(state["learnt"]), int(state["baskets"])
        names, flat = state["names"], state["pairs"]
        model.products = dict(zip(names, state["counts"], strict=True))
        for one, other, count in zip(flat[::3], flat[1::3], flat[2::3], strict=True):
            model.pairs[names[one], names[other]] = count
        return model


def _largest(counts: dict[Any, int], keep: int) -> dict[Any, int]:
    """Return the largest counts, in the order in which they stand; ties by name."""
    kept = set(sorted(counts, key=lambda key: (-counts[key], key))[:keep])
    return {key: count for key, count in counts.items() if key in kept}
