"""A scene: what one customer does in one go, as events in the native wire format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from infra.simulator import words
from infra.simulator.people import Person

Json = dict[str, object]
Who = Literal["browser", "app", "person", "phone", "email", "card", "all"]
_OFFSET = {"ko": 540, "en": -300}  # minutes from UTC


class Said(NamedTuple):
    """One event and when it happens, ms since 1970."""

    at_ms: int
    event: Json


class Scene:
    """The events of one session; each `say` lets some seconds pass first."""

    def __init__(self, person: Person, run: str, at_ms: int) -> None:
        self.person = person
        self.rng = person.rng
        self.at_ms = at_ms
        self.said: list[Said] = []
        self._run = run

    def name(self, kind: str) -> str:
        """Return an id for what this scene makes (an order, a ticket), not met in another run."""
        return f"{kind}-{self._run.rpartition('-')[2]}-{self.person.index}-{self.person.said + 1}"

    def wait(self, low: float, high: float) -> None:
        """Let some seconds pass."""
        self.at_ms += int(self.rng.uniform(low, high) * 1000)

    def say(self, type_: str, channel: str, who: Who, **fields: object) -> None:
        """Add an event, a few seconds after the one before."""
        person = self.person
        self.wait(2, 40)
        person.said += 1
        event: Json = {
            "event_id": f"{self._run}-{person.index}-{person.said}",
            "type": type_,
            "channel": channel,
            "occurred_at": stamp(self.at_ms),
            "utc_offset_minutes": _OFFSET[person.language],
            "identifiers": identifiers(person, who),
            "context": {"locale": "ko-KR" if person.language == "ko" else "en-US"},
            **{name: value for name, value in fields.items() if value is not None},
        }
        self.said.append(Said(self.at_ms, event))

    def words(self, phrases: Mapping[str, Sequence[str]]) -> str:
        """Choose a phrase in the customer's language."""
        return self.rng.choice(phrases[self.person.language])

    def money(self, dollars: float) -> Json:
        """Say an amount in the customer's currency, no finer than it is."""
        return money(dollars, self.person)


def stamp(at_ms: int) -> str:
    """Write a time as RFC 3339, to the millisecond."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def money(dollars: float, person: Person) -> Json:
    """Say an amount in a customer's currency: cents, or hundreds of won."""
    if person.currency == "KRW":
        return {"amount": str(round(dollars * words.WON / 100) * 100), "currency": "KRW"}
    return {"amount": f"{dollars:.2f}", "currency": "USD"}


def identifiers(person: Person, who: Who) -> list[Json]:
    """List the names that a customer goes by in this place."""
    known = [("user_id", person.user_id)] if person.known else []
    match who:
        case "browser":
            named = [("anonymous_id", person.anonymous_id), *known]
        case "app":
            named = [("device_id", person.device_id), *known]
        case "phone":
            named = [("phone", person.phone)]
        case "email":
            named = [("email", person.email)]
        case "card":
            named = [("loyalty_card", person.card)]
        case "person":
            named = [("user_id", person.user_id)]
        case "all":
            named = [
                ("anonymous_id", person.anonymous_id),
                ("user_id", person.user_id),
                ("email", person.email),
                ("phone", person.phone),
                ("loyalty_card", person.card),
            ]
    return [{"type": kind, "value": value} for kind, value in named]
