"""The newest moments of a customer, each kept as it is written, newest first."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Raw

from models.profile.shape import Moment, When, Written

LIMIT: Final = 20
_write: Final = msgspec.json.Encoder().encode
_read: Final = msgspec.json.Decoder(Moment).decode
_when: Final = msgspec.json.Decoder(When).decode
_NEVER: Final = -(1 << 60)  # ms: before every time that there is


def moments(written: Iterable[Written]) -> list[Moment]:
    """Read a timeline. Raises msgspec.ValidationError on what is no moment."""
    return [_read(one) for one in written]


def timeline(of: Iterable[Moment]) -> list[Written]:
    """Write moments as a timeline, in their order."""
    return [Raw(_write(moment)) for moment in of]


def newest(told: Iterable[Moment]) -> list[Moment]:
    """Return the newest `LIMIT` of some moments, newest first, each once."""
    by_place = {_place(moment): moment for moment in told}
    return [by_place[place] for place in sorted(by_place)[:LIMIT]]


def add(written: list[Written], moment: Moment) -> list[Written]:
    """Return the timeline with one moment more, the newest `LIMIT` of them all."""
    new = Raw(_write(moment))
    if not written or moment.at_ms > _when(written[0]).at_ms:  # most often newer than all
        return [new, *written[: LIMIT - 1]]
    place = bisect_left(written, _place(moment), key=lambda one: _place(_read(one)))
    if written[place : place + 1] == [new]:
        return written
    return [*written[:place], new, *written[place:]][:LIMIT]


def join(a: list[Written], b: list[Written]) -> list[Written]:
    """Return the union of two timelines, the newest `LIMIT`; both are in their order."""
    union: list[Written] = []
    i, j = 0, 0
    first, second = _at(a, 0), _at(b, 0)
    while len(union) < LIMIT and (first > _NEVER or second > _NEVER):
        if first == second:  # else the time alone tells, and the rest is not read
            place, other = _place(_read(a[i])), _place(_read(b[j]))
            ours, theirs = place <= other, other <= place
        else:
            ours, theirs = first > second, second > first
        union.append(b[j] if theirs else a[i])
        if ours:
            i += 1
            first = _at(a, i)
        if theirs:
            j += 1
            second = _at(b, j)
    return union


def _at(written: list[Written], place: int) -> int:
    """Return the time of a moment (ms), `_NEVER` beyond the end."""
    return _when(written[place]).at_ms if place < len(written) else _NEVER


def _place(moment: Moment) -> tuple[int, str, str, str, str]:
    # Newest first; the rest only makes the order total.
    return (-moment.at_ms, moment.event_id, moment.type, moment.channel, moment.summary)
