"""The customer's page: what an agent must see before the first sentence is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from models.catalogue import NONE, Catalogue
from models.customer import Customer
from models.naming import id_of
from models.phrases import Language
from models.profile import Moment, moments
from models.reasons import rest
from models.records import Decision, Reason
from models.wording import sentence
from projections.live_glance import Glance
from projections.live_learnt import Known
from projections.serve.console import present
from projections.serve.console.charts import Bar, arc, stack
from projections.serve.console.value import ValueCard
from projections.serve.console.value import card as value_card
from projections.serve.console.words import Words

MEMBERS = 12


class ReasonLine(NamedTuple):
    """A reason in words, and its share of the strongest one."""

    text: str
    share: float
    raises: bool
    points: str  # what it adds to the logit


class RiskCard(NamedTuple):
    """The churn risk, drawn and told."""

    percent: str
    band: str
    path: str
    track: str
    at_ms: int
    horizon_days: int
    model: str  # "churn", or "contract" for who has one
    reasons: list[ReasonLine]
    rest: list[ReasonLine]  # what they leave out, and the base: together they add up to the logit
    logit: str


class OfferCard(NamedTuple):
    """What to offer now; `kind`: make, none, holdout, expired."""

    kind: str
    name: str
    channel: str
    expires_ms: int
    decision_id: str


class MemberLine(NamedTuple):
    """A customer id that is this customer, by the identifier that it follows from, if known."""

    customer_id: str
    kind: str
    value: str
    first_ms: int | None


class CustomerPage(NamedTuple):
    """All that the templates show of one customer."""

    customer: Customer
    name: str
    initials: str
    risk: RiskCard | None
    offer: OfferCard | None
    alerts: list[tuple[str, int]]  # rule, opened
    past: list[tuple[str, int, str]]  # rule, closed, outcome
    channels: list[tuple[Bar, str]]
    value: ValueCard
    timeline: list[Moment]  # newest first
    members: list[MemberLine]  # the one that stands for all first; the newest of very many
    elsewhere: dict[str, str]  # identifiers that came along, and whose they are today


def page(
    customer: Customer,
    seen: Glance,
    catalogue: Catalogue,
    words: Words,
    known: Known,
    whose: Callable[[str], str | None],
) -> CustomerPage:
    """Lay a customer out for reading. `whose` tells who a customer id is today.

    `known`: what learners know of all customers, and as of when to tell.
    """
    today = {text: whose(id_of(text)) for text in customer.profile.identifiers}
    episodes = sorted(customer.episodes.items(), key=lambda one: -one[1].opened_ms)
    mix = sorted(customer.profile.events_by_channel.items(), key=lambda one: -one[1])
    named = [(words.label("channel", channel), count) for channel, count in mix]
    return CustomerPage(
        customer=customer,
        name=seen.name,
        initials=present.initials(seen.name),
        risk=_risk(customer, words),
        offer=_offer(customer.offer, catalogue, words, known.at_ms),
        alerts=[(rule, one.opened_ms) for rule, one in episodes if one.status == "open"],
        past=[
            (rule, one.closed_ms, one.outcome or "")
            for rule, one in episodes
            if one.closed_ms is not None
        ],
        channels=[
            (bar, present.percent(count / max(sum(dict(named).values()), 1)))
            for bar, (_, count) in zip(stack(named), named, strict=True)
        ],
        value=value_card(customer, known, words),
        timeline=moments(customer.profile.recent),
        members=_members(customer),
        elsewhere={
            text: other
            for text, other in today.items()
            if other not in (None, customer.customer_id)
        },
    )


def _members(customer: Customer) -> list[MemberLine]:
    known = {id_of(text): (text, at) for text, at in customer.profile.identifiers.items()}
    lines = []
    for member in (customer.customer_id, *customer.absorbed[-MEMBERS:]):
        text, at = known.get(member, ("", None))
        kind, _, value = text.partition(":")
        lines.append(MemberLine(member, kind, value or member, at))
    return lines


def _risk(customer: Customer, words: Words) -> RiskCard | None:
    score = customer.risk
    if score is None:
        return None
    strongest = max((abs(one.contribution) for one in score.reasons), default=1.0) or 1.0
    language: Language = "ko" if words.language == "ko" else "en"

    def line(one: Reason) -> ReasonLine:
        share = abs(one.contribution) / strongest
        points = f"{one.contribution:+.2f}"
        return ReasonLine(sentence(one, language), share, one.contribution > 0, points)

    told = sorted(score.reasons, key=lambda one: -abs(one.contribution))
    left = rest(score)
    return RiskCard(
        percent=present.percent(score.probability),
        band=score.band,
        path=arc(score.probability),
        track=arc(1.0),
        at_ms=score.at_ms,
        horizon_days=score.horizon_days,
        model=score.model,
        reasons=[line(one) for one in told],
        rest=[line(one) for one in left],
        logit=f"{sum(one.contribution for one in (*told, *left)):+.2f}",
    )


def _offer(
    decision: Decision | None, catalogue: Catalogue, words: Words, now_ms: int
) -> OfferCard | None:
    if decision is None:
        return None
    kind = "make"
    if decision.holdout:
        kind = "holdout"
    elif decision.offer == NONE:
        kind = "none"
    elif decision.expires_ms <= now_ms:
        kind = "expired"
    return OfferCard(
        kind=kind,
        name=offer_name(decision.offer, catalogue, words),
        channel=words.label("channel", decision.channel) if decision.channel else "",
        expires_ms=decision.expires_ms,
        decision_id=decision.decision_id,
    )


def offer_name(offer_id: str, catalogue: Catalogue, words: Words) -> str:
    """Return an offer's name in the reader's language; its id when it left the catalogue."""
    found = catalogue.offer(offer_id)
    if found is None:
        return offer_id
    return found.name.ko if words.language == "ko" else found.name.en
