"""Answers about one customer, for the described routes and for plain reads, which go past them.

An answer is laid out once for each version of a customer and part, and then sent as it is; the
whole also once an hour, for it tells what silence changes. A plain read gets the very answer of
the described route, or none: then the described route has its say.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

import orjson
from msgspec import Struct
from starlette.responses import Response

from models.customer import Customer
from projections.live import Live
from projections.live_learnt import Learnt
from projections.serve import conclusions, trait_views, views
from projections.serve.keys import ApiKeys, presented
from projections.serve.problems import respond, unknown
from projections.serve.written import Json

_CACHED: Final = 16_384  # answers; some 3 KB each
_HEADS: Final = 4_096  # of requests, known by 16 bytes each
PATH: Final = "/v1/profiles/"
WHOLE: Final = ""
Headers = list[tuple[bytes, bytes]]


class Answer(Struct, frozen=True, gc=False):
    """An answer: its headers as HTTP/1.1 has them, each line ended, and its body."""

    status: int
    head: bytes
    body: bytes

    def response(self) -> Response:
        """Return it as the framework has answers."""
        response = Response(self.body, self.status)
        lines = self.head.split(b"\r\n")[:-1]
        response.raw_headers = [
            (name, value) for name, _, value in (x.partition(b": ") for x in lines)
        ]
        return response


def _timeline(customer: Customer) -> Json:
    return views.head(customer) | {"timeline": views.timeline(customer.profile)}


def _scores(customer: Customer) -> Json:
    return views.head(customer) | {"scores": conclusions.scores(customer)}


def _traits(customer: Customer) -> Json:
    profile = customer.profile
    return views.head(customer) | {
        "traits": views.stated(profile.traits),
        "consents": views.stated(profile.consents),
    }


def _offer(customer: Customer) -> Json:
    return views.head(customer) | {"offer": conclusions.offer(customer.offer)}


def _identity(customer: Customer) -> Json:
    return views.head(customer) | views.identity(customer)


# The parts of a customer that can be asked for, by the last step of the path; the whole is
# told as of now, and not among them.
LAYOUTS: Final[dict[str, Callable[[Customer], Json]]] = {
    "timeline": _timeline,
    "scores": _scores,
    "traits": _traits,
    "offer": _offer,
    "identity": _identity,
}


class Made(Struct, frozen=True, gc=False):
    """An answer that is kept, and what it was made of."""

    value: bytes
    tick: str
    answer: Answer


class Points:
    """The answers about the customers of a live read model."""

    def __init__(self, live: Live, learnt: Learnt, keys: ApiKeys) -> None:
        self._live = live
        self._learnt = learnt
        self._keys = keys
        self._made: dict[tuple[str, str], Made] = {}
        self._heads: set[bytes] = set()
        self._secret = secrets.token_bytes(32)

    def body(self, customer_id: str, part: str = WHOLE) -> bytes:
        """Return a part of a customer as JSON. Raises KeyError when there is no such customer."""
        return self._whole(customer_id, part).body

    def answer(self, customer_id: str, part: str, held: str | None) -> Answer:
        """Return a part of a customer, or 304 when `held` (If-None-Match) names its version."""
        if held is not None:
            tag = self._tag(customer_id, part, self._tick(part))
            if held == "*" or tag in held:
                return Answer(304, _head(tag), b"")
        return self._whole(customer_id, part)

    def admit(self, headers: Headers) -> tuple[bool, str | None]:
        """Return whether who sends such headers may read, and what he holds (If-None-Match)."""
        given = dict(reversed(headers))  # of a name that came twice the first one counts
        shown = presented(_text(given, b"authorization"), _text(given, b"x-api-key"))
        may = bool(shown) and self._keys.name_of(shown) is not None
        return may, _text(given, b"if-none-match") if b"if-none-match" in given else None

    def remember(self, head: bytes) -> None:
        """Know a request's headers again: of somebody who may, who asks for nothing but to read."""
        if len(self._heads) >= _HEADS:
            self._heads.clear()  # who comes again is admitted again
        self._heads.add(self._digest(head))

    def knows(self, head: bytes) -> bool:
        """Tell whether these headers are remembered."""
        return self._digest(head) in self._heads

    def at(self, path: str, held: str | None) -> Answer | None:
        """Return the answer to a GET of a path alone, by somebody who may; None: ask the route."""
        if not path.startswith(PATH):
            return None
        key, _, part = path[len(PATH) :].partition("/")
        if not key or (part not in LAYOUTS and (part or path.endswith("/"))):
            return None
        customer_id = self._live.locate(key)
        return _nobody(key) if customer_id is None else self.answer(customer_id, part, held)

    def _digest(self, head: bytes) -> bytes:
        # Keyed: neither a key nor what could be tried against it offline stays in memory.
        return blake2b(head, digest_size=16, key=self._secret).digest()

    def _whole(self, customer_id: str, part: str) -> Answer:
        value, tick = self._live.held(customer_id).value, self._tick(part)
        place = customer_id, part
        made = self._made.get(place)
        if made is not None and made.value is value and made.tick == tick:
            return made.answer
        customer = self._live.customer(customer_id)
        assert customer is not None
        body = orjson.dumps(
            LAYOUTS[part](customer) if part else trait_views.whole(customer, self._learnt.now())
        )
        head = _head(self._tag(customer_id, part, tick))
        head += b"content-type: application/json\r\ncontent-length: %d\r\n" % len(body)
        answer = Answer(200, head, body)
        self._made.pop(place, None)
        if len(self._made) >= _CACHED:
            del self._made[next(iter(self._made))]
        self._made[place] = Made(value, tick, answer)
        return answer

    def _tick(self, part: str) -> str:
        return self._learnt.tick if part == WHOLE else ""

    def _tag(self, customer_id: str, part: str, tick: str) -> str:
        version = self._live.held(customer_id).glance.version
        return (
            f'"{customer_id}-{version}-{tick}"' if part == WHOLE else f'"{customer_id}-{version}"'
        )


def _head(tag: str) -> bytes:
    return b"etag: %b\r\ncache-control: private, no-cache\r\nvary: Authorization\r\n" % tag.encode()


def _nobody(key: str) -> Answer:
    problem = unknown(key)
    response = respond(problem.status, problem.kind, problem.detail)
    lines = [b"%b: %b\r\n" % line for line in response.raw_headers]
    return Answer(problem.status, b"".join(lines), bytes(response.body))


def _text(headers: dict[bytes, bytes], name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1")
