"""Answers about one customer; and the short way to them, past the framework, for plain reads.

A reply is laid out once for each version of a customer and part, and then sent as it is; the
whole also once an hour, for it tells what silence changes. The short way gives the very reply
of the described route, or none: then the described route has its say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import orjson
from starlette.responses import Response
from starlette.types import Scope

from models.customer import Customer
from models.profile import moments
from projections.live import Live
from projections.live_learnt import Learnt
from projections.serve import trait_views, views
from projections.serve.keys import ApiKeys, presented

_CACHED: Final = 16_384  # replies; some 3 KB each
_PATH: Final = "/v1/profiles/"
WHOLE: Final = ""


class Reply(Response):
    """A response whose headers are bytes already."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes = b"") -> None:
        self.status_code = status
        self.raw_headers = headers
        self.body = body
        self.background = None


def _timeline(customer: Customer) -> views.Json:
    recent = [views.moment(one) for one in moments(customer.profile.recent)]
    return views.head(customer) | {"timeline": recent}


def _scores(customer: Customer) -> views.Json:
    return views.head(customer) | {"scores": views.scores(customer)}


def _traits(customer: Customer) -> views.Json:
    profile = customer.profile
    return views.head(customer) | {
        "traits": views.stated(profile.traits),
        "consents": views.stated(profile.consents),
    }


def _offer(customer: Customer) -> views.Json:
    return views.head(customer) | {"offer": views.offer(customer.offer)}


def _identity(customer: Customer) -> views.Json:
    return views.head(customer) | views.identity(customer)


# The parts of a customer that can be asked for, by the last step of the path; the whole is
# told as of now, and not among them.
LAYOUTS: Final[dict[str, Callable[[Customer], views.Json]]] = {
    "timeline": _timeline,
    "scores": _scores,
    "traits": _traits,
    "offer": _offer,
    "identity": _identity,
}


class Points:
    """The answers about the customers of a live read model."""

    def __init__(self, live: Live, learnt: Learnt, keys: ApiKeys) -> None:
        self._live = live
        self._learnt = learnt
        self._keys = keys
        self._made: dict[tuple[str, str], tuple[bytes, str, bytes]] = {}

    def body(self, customer_id: str, part: str = WHOLE) -> bytes:
        """Return a part of a customer as JSON. Raises KeyError when there is no such customer."""
        value = self._live.held(customer_id).value
        place = (customer_id, part)
        tick = "" if part else self._learnt.tick
        made = self._made.get(place)
        if made is not None and made[0] is value and made[1] == tick:
            return made[2]
        customer = self._live.customer(customer_id)
        assert customer is not None
        body = orjson.dumps(
            LAYOUTS[part](customer) if part else trait_views.whole(customer, self._learnt.now())
        )
        self._made.pop(place, None)
        if len(self._made) >= _CACHED:
            del self._made[next(iter(self._made))]
        self._made[place] = (value, tick, body)
        return body

    def reply(self, customer_id: str, part: str, held: str | None) -> Reply:
        """Return a part of a customer, or 304 when `held` (If-None-Match) names its version."""
        tag = f'"{customer_id}-{self._live.held(customer_id).glance.version}'
        tag += f'-{self._learnt.tick}"' if part == WHOLE else '"'
        headers = [
            (b"etag", tag.encode()),
            (b"cache-control", b"private, no-cache"),
            (b"vary", b"Authorization"),
        ]
        if held is not None and (held == "*" or tag in held):
            return Reply(304, headers)
        body = self.body(customer_id, part)
        headers.append((b"content-type", b"application/json"))
        headers.append((b"content-length", str(len(body)).encode()))
        return Reply(200, headers, body)

    def shortly(self, scope: Scope) -> Reply | None:
        """Return the reply to a plain read by somebody who may; None for the long way."""
        path: str = scope["path"]
        if scope["method"] != "GET" or scope["query_string"] or not path.startswith(_PATH):
            return None
        key, _, part = path[len(_PATH) :].partition("/")
        if part not in LAYOUTS and (part or path.endswith("/")):
            return None
        given = _first(scope["headers"])
        shown = presented(given.get(b"authorization", ""), given.get(b"x-api-key", ""))
        if not shown or self._keys.name_of(shown) is None:
            return None
        customer_id = self._live.locate(key)
        if customer_id is None:
            return None
        return self.reply(customer_id, part, given.get(b"if-none-match"))


def _first(headers: list[tuple[bytes, bytes]]) -> dict[bytes, str]:
    """Return headers by name; of a name that came twice the first one counts."""
    return {name: value.decode("latin-1") for name, value in reversed(headers)}
