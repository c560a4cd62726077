"""A world of customers: their past, then their present, event by event.

The same seed, size, start and offers give the same events in the same order.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from random import Random

from infra.simulator import scenes
from infra.simulator.people import Person, person
from infra.simulator.scene import Json, Said, Scene, stamp
from infra.simulator.truth import EFFECT_DAYS, ENDING_DAYS, GIVES_NOTICE, acceptance, hazard

DAY = 86_400_000  # ms
FIRST_SEEN = 3  # sessions before most customers say who they are
CROWD = 10.0  # days' worth of customers who come in the present
NEW = 0.05  # of the sessions in the present, those of somebody who comes for the first time
GOES = 1 / 6  # after each session, of a newcomer


@dataclass(frozen=True, slots=True)
class OfferInHand:
    """An offer that the system decided to make to a customer."""

    offer: str
    decision_id: str
    channel: str = "app"


@dataclass(frozen=True, slots=True)
class _Renewal:
    """A contract's term ends."""

    person: Person


class World:
    """Customers from `start_ms - days` on. Take `history` whole before `live`."""

    def __init__(self, seed: int, customers: int, days: int, start_ms: int) -> None:
        self.seed = seed
        self.start_ms = start_ms
        self._began_ms = start_ms - days * DAY
        self._rng = Random(f"world/{seed}")  # noqa: S311  a simulation, not a secret
        self._run = f"s{seed}-{start_ms // 1000:x}"
        self._days = days
        self._busy = False
        self.met = 0  # newcomers of the present so far
        self.people = [
            person(seed, index, self._joined(index, customers)) for index in range(customers)
        ]

    def _joined(self, index: int, customers: int) -> int:
        """Half were there before; the rest come in the course of time, a few only now."""
        if index < customers * 0.5:
            return self._began_ms - DAY
        if index < customers * 0.95:
            return self._began_ms + int(self._rng.random() * self._days * DAY)
        return self.start_ms

    def history(self) -> Iterator[Said]:
        """Yield all that happened before the start, in order of time."""
        order = count()
        heap: list[tuple[int, int, Json | Person | _Renewal]] = []
        for one in self.people:
            first = max(one.joined_ms, self._began_ms) + _gap(one)
            heapq.heappush(heap, (first, next(order), one))
        while heap and heap[0][0] < self.start_ms:
            at_ms, _, what = heapq.heappop(heap)
            if isinstance(what, dict):
                yield Said(at_ms, what)
                continue
            one = what.person if isinstance(what, _Renewal) else what
            signed, scene = one.renews_ms, self._acts(what, at_ms)
            for said in scene:
                heapq.heappush(heap, (said.at_ms, next(order), said.event))
            if one.left_ms is not None:
                continue
            if one.renews_ms != signed:
                heapq.heappush(heap, (one.renews_ms, next(order), _Renewal(one)))
            if what is one:
                heapq.heappush(heap, (at_ms + _gap(one), next(order), one))

    def _acts(self, what: Person | _Renewal, at_ms: int) -> list[Said]:
        if isinstance(what, _Renewal):
            return self._renewed(what.person, at_ms)
        return self.session(what, at_ms, days_since(what, at_ms))

    def _renewed(self, one: Person, at_ms: int) -> list[Said]:
        """Go into another term, unless the contract was given up meanwhile."""
        scene = Scene(one, self._run, at_ms)
        if one.left_ms is None and one.renews_ms <= at_ms:
            scenes.renew(scene)
        return scene.said

    def live(self, run: str, met: int = 0) -> Iterator[Person]:
        """Yield who acts next, for ever: the present, one busy day, `met` newcomers were before.

        Events come thousands of times faster than these customers would make them. So a part
        of them comes, time and again, and newcomers do; the others live on at their own pace.
        """
        self._run, self._busy, self.met = run, True, met
        chooser = Random(f"live/{self.seed}/{run}")  # noqa: S311
        for one in self.people:  # what they do next is not what they did in another run
            one.rng = Random(f"{self.seed}/{one.index}/{run}")  # noqa: S311
        here = [one for one in self.people if chooser.random() < 1 - math.exp(-CROWD * one.pace)]
        while True:
            here = [one for one in here if one.left_ms is None]
            if not here or chooser.random() < NEW:
                here.append(person(self.seed, len(self.people) + self.met, self.start_ms))
                self.met += 1
                yield here[-1]
                continue
            one = chooser.choice(here)
            yield one
            if one.index >= len(self.people) and chooser.random() < GOES:
                here.remove(one)

    def session(
        self, one: Person, at_ms: int, days: float, offer: OfferInHand | None = None
    ) -> list[Said]:
        """Let a customer act at this time, `days` after the last: they may have left by now."""
        scene = Scene(one, self._run, at_ms)
        one.last_ms = at_ms
        one.sessions += 1
        if not one.known:
            early = one.sessions <= FIRST_SEEN and one.rng.random() < 0.6
            (scenes.browse if early else scenes.meet)(scene)
            return scene.said
        if self._leaves(one, at_ms, days):
            one.left_ms = at_ms
            if one.plan is not None and one.rng.random() < GIVES_NOTICE:
                scenes.cancel(scene)
            return scene.said
        if one.plan is not None and one.renews_ms <= at_ms:  # in the present nobody else does it
            scenes.renew(scene)
        if offer is not None:
            self._answer(scene, offer)
        often = scenes.busy(one) if self._busy else scenes.OFTEN[one.sector]
        act = one.rng.choices(list(often), list(often.values()))[0]
        act(scene)
        return scene.said

    def _leaves(self, one: Person, at_ms: int, days: float) -> bool:
        """Draw whether the customer left since the last session."""
        recent = EFFECT_DAYS * DAY
        rate = hazard(
            one.base_hazard,
            upset=one.upset,
            refunded=at_ms - one.refunded_ms < recent,
            content=at_ms - one.content_ms < recent,
            ending=one.plan is not None and one.renews_ms - at_ms < ENDING_DAYS * DAY,
        )
        return one.rng.random() < rate * days

    def _answer(self, scene: Scene, offer: OfferInHand) -> None:
        one = scene.person
        chance = acceptance(self.seed, one.kind, one.index, offer.offer, offer.channel)
        taken: bool | None = one.rng.random() < chance
        if not taken and one.rng.random() < 0.5:
            taken = None
        scenes.offer(scene, offer.offer, offer.decision_id, offer.channel, taken=taken)


def restamped(said: Said, at_ms: int) -> Json:
    """Return the event as if it happened at this time."""
    return said.event | {"occurred_at": stamp(at_ms)}


def days_since(one: Person, at_ms: int) -> float:
    """Return the days since a customer's newest session, 0 before the first."""
    return (at_ms - (one.last_ms or at_ms)) / DAY


def _gap(one: Person) -> int:
    return int(one.rng.expovariate(one.pace) * DAY)
