"""A customer as of a time: the question read, asked of ClickHouse in a thread, and laid out.

The live profile is never touched: without ClickHouse these answers alone are missing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final, NamedTuple

import orjson
from fastapi import Response

from models.asof import Folded, Group, episodes, fold, group
from models.customer import Customer, Episode
from models.events.clock import YEARS, ms_of
from models.naming import derive, identifier_of
from models.records import Decision, Score
from models.topics import EVENTS
from projections.live import Live
from projections.live_learnt import Learnt
from projections.past import Ahead, Past, PastUnavailableError
from projections.serve import trait_views
from projections.serve.problems import Problem, unknown
from projections.serve.written import Json, instant

_log = logging.getLogger(__name__)
AT_ONCE: Final = 2  # answers being made; the others wait, for live reads go first
RETRY_SECONDS: Final = 5
# Nothing is older. Earlier times ClickHouse does not hold, and before the year 1 none is written.
_BEGINNING_MS: Final = ms_of(datetime(YEARS[0], 1, 1, tzinfo=UTC))


class Question(NamedTuple):
    """As of when, ms since 1970: by when it had happened, by when it was known. Not both None."""

    at_ms: int | None
    known_ms: int | None


class Found(NamedTuple):
    """A customer as of a time, and what that stands for: the answer's `as_of`."""

    customer: Customer
    as_of: Json


class Recorded(NamedTuple):
    """What the ledgers hold of a group, as of then."""

    risk: Score | None
    offer: Decision | None
    episodes: dict[str, Episode]


def question(at: str | None, known_at: str | None, now_ms: int) -> Question | None:
    """Read the two times of a request; None: it asks for the live profile. Raises Problem 422."""
    if at is None and known_at is None:
        return None
    return Question(_time("at", at, now_ms), _time("known_at", known_at, now_ms))


def _time(name: str, text: str | None, now_ms: int) -> int | None:
    if text is None:
        return None
    try:
        # The plus sign of a zone, when it was not escaped, reaches us as a space.
        said = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        at_ms = ms_of(said if said.tzinfo else said.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise Problem(
            422,
            "invalid-time",
            f"{name}: {text!r} is no ISO 8601 time, such as 2026-11-22T09:30:00Z; "
            "without a zone it is UTC",
        ) from None
    if at_ms > now_ms:
        raise Problem(422, "in-the-future", f"{name}: {text} has not come yet")
    return max(at_ms, _BEGINNING_MS)


class AsOf:
    """Answers about the past of the customers of a live read model."""

    def __init__(self, live: Live, past: Past, learnt: Learnt) -> None:
        self._live = live
        self._learnt = learnt
        self._past = past
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def answer(self, key: str, asked: Question) -> Response:
        """Lay out the customer that `key` names, as of then. Raises Problem 404, 503."""
        found = await self.find(key, asked)
        at_ms = asked.at_ms or asked.known_ms or self._live.now_ms()
        body = trait_views.whole(found.customer, self._learnt.then(at_ms))
        del body["version"], body["complete"]  # `as_of` tells
        body["as_of"] = found.as_of
        headers = {"cache-control": "private, no-cache", "vary": "Authorization"}
        return Response(orjson.dumps(body), headers=headers, media_type="application/json")

    async def find(self, key: str, asked: Question) -> Found:
        """Return the customer that `key` names, as of then. Raises Problem 404, 503."""
        today = self._live.locate(key)
        if today is None:
            raise unknown(key)
        try:
            async with self._turns:
                start = await self._start(key, today, asked.known_ms)
                return await self._found(start, asked)
        except PastUnavailableError as error:
            _log.warning("no answer as of a time: %s", error)
            raise Problem(
                503,
                "past-unavailable",
                "ClickHouse, which keeps the past, does not answer; live profiles go on",
                headers={"Retry-After": str(RETRY_SECONDS)},
            ) from error

    async def _start(self, key: str, today: str, known_ms: int | None) -> str:
        """Return the customer that a key names by itself, or else who carries it, as of then.

        Raises Problem 404 when it led to nobody then.
        """
        live = self._live
        identifier = identifier_of(key, live.rules)
        if known_ms is None or identifier is None:
            named = derive(key, live.rules)
            return named if named and live.glance(named) else today
        ids = live.carriers(key)
        found = await asyncio.to_thread(self._past.known_as, identifier, ids, known_ms)
        if found is None:
            then = instant(known_ms)
            raise Problem(404, "not-yet", f"no customer was known as {key!r} by {then}")
        return found

    async def _found(self, start: str, asked: Question) -> Found:
        identity_ms = asked.known_ms or self._live.now_ms()
        of = await asyncio.to_thread(self._group, start, self._today(start), asked.known_ms)
        held = {one: glance.offset for one in of.members if (glance := self._live.glance(one))}
        past, about = self._past, (of.members, *asked)
        (folded, until), risk, offer, edges = await asyncio.gather(
            asyncio.to_thread(self._fold, of.members, asked),
            asyncio.to_thread(past.score, *about),
            asyncio.to_thread(past.decision, *about),
            asyncio.to_thread(past.edges, *about),
        )
        recorded = Recorded(risk, offer, episodes(edges))
        if not folded.events:
            raise Problem(404, "not-yet", _before(folded))
        as_of: Json = {
            "at": instant(asked.at_ms),
            "known_at": instant(asked.known_ms),
            "identity_at": instant(identity_ms),
            "events": folded.events,
            "members": of.members,
            "complete": self._complete(held, until),
            "complete_until": {f"{EVENTS.name}/{n}": until[n] for n in sorted(until)},
        }
        return Found(_whole(of, folded, recorded), as_of)

    def _complete(self, held: dict[str, int], until: dict[int, int]) -> bool:
        """Whether all is there that the live profiles of these customers were made of."""
        partitions = {one: self._live.partition(one) for one in held}
        return all(until.get(partitions[one] or 0, -1) >= offset for one, offset in held.items())

    def _today(self, start: str) -> list[str]:
        """Return who is this customer today: most likely, those that it was."""
        root = self._live.root(start)
        customer = self._live.customer(root) if root else None
        return [
            *dict.fromkeys((*self._live.chain(start), *(customer.absorbed if customer else ())))
        ]

    # In a thread each, from here on.

    def _group(self, start: str, likely: Collection[str], known_ms: int | None) -> Group:
        ahead = Ahead(self._past, {start, *likely})
        return group(start, ahead.moves_of, ahead.led_to, known_ms)

    def _fold(self, members: Collection[str], asked: Question) -> tuple[Folded, dict[int, int]]:
        records = self._past.records(members, asked.known_ms)
        return fold(records.entries, *asked), records.complete_until


def _before(folded: Folded) -> str:
    first = instant(folded.earliest_ms)
    known = (
        f"the first event that was known by then happened at {first}"
        if first
        else ("no event was known by then")
    )
    return f"nothing had happened to this customer by then: {known}"


def _whole(of: Group, folded: Folded, recorded: Recorded) -> Customer:
    """Return a customer like a live one; it has no version, for nothing changes it."""
    return Customer(
        customer_id=of.root,
        received_ms=folded.received_ms,
        observed_until_ms=folded.observed_until_ms,
        absorbed=[one for one in of.members if one != of.root],
        profile=folded.profile,
        contracts=folded.contracts,
        risk=recorded.risk,
        offer=recorded.offer,
        episodes=recorded.episodes,
    )
