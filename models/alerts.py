"""Risk alerts: episodes that open when risk gets high and close when it is over.

Edge-triggered: an alert says that an episode began or ended, once each. Ids follow
from customer, rule, episode and status, so whoever makes an alert again makes the
same one. A customer with a contract is lost when the last one ends, one without by silence.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec.structs import replace

from models.customer import Customer, Episode
from models.judge import Judge
from models.records import Alert, Score
from models.rhythm import DAY_MS
from models.score import CHURN_MODEL

RULE: Final = "churn_risk"


def edges(
    customer: Customer, made: Score, received_ms: int, judge: Judge, opens: bool = True
) -> tuple[Customer, list[Alert]]:
    """Return the customer with its episode up to date, and the alert of an edge, if any.

    `received_ms` is when the cause arrived; `opens`: it is one that may open an episode.
    """
    episode = customer.episodes.get(RULE)
    if episode is not None and episode.status == "open":
        outcome = _over(customer, episode, made, judge)
        if outcome is None:
            return _goes_on(customer, episode, made), []
        return _close(customer, episode, outcome, made, received_ms)
    if not opens or not _begins(customer, episode, made, judge):
        return customer, []
    number = max(raised_by(customer), 0 if episode is None else episode.number) + 1
    opened = Episode(number=number, status="open", opened_ms=made.at_ms, model=made.model)
    alert = _alert(customer, opened, "opened", made, received_ms)
    return replace(customer, episodes={**customer.episodes, RULE: opened}), [alert]


def is_open(customer: Customer) -> bool:
    """Tell whether an episode is open."""
    episode = customer.episodes.get(RULE)
    return episode is not None and episode.status == "open"


def lost_ms(customer: Customer, horizon_days: int) -> int | None:
    """Return when the open episode is given up for lost if nothing comes, else None.

    Silence loses nobody who has a contract.
    """
    episode = customer.episodes.get(RULE)
    if episode is None or episode.status != "open" or episode.model != CHURN_MODEL:
        return None
    due = max(episode.opened_ms, customer.rhythm.last_ms or 0) + horizon_days * DAY_MS
    end = customer.observed_until_ms
    return None if end is not None and due > end else due


def inherit(
    winner: Customer, loser: Customer, at_ms: int, received_ms: int, cause: str
) -> tuple[Customer, list[Alert]]:
    """Return the winner with the loser's episode; a merge never opens one.

    The loser's open episode goes on under its own id. If both have one open, the
    loser's closes as "merged". One that the winner had opened itself comes back to it.
    """
    theirs, ours = loser.episodes.get(RULE), winner.episodes.get(RULE)
    if theirs is None:
        return winner, []
    owner = theirs.owner or loser.customer_id
    owned = replace(theirs, owner="" if owner == winner.customer_id else owner)
    if ours is not None and ours.status == "open":
        if theirs.status != "open":
            return winner, []
        closed = replace(owned, status="closed", closed_ms=at_ms, outcome="merged")
        return winner, [_edge(winner, closed, "closed", at_ms, received_ms, cause)]
    if theirs.status != "open" and ours is not None and ours.opened_ms >= theirs.opened_ms:
        return winner, []
    number = raised_by(winner)
    raised = {**winner.raised, RULE: number} if number else winner.raised
    return replace(winner, episodes={**winner.episodes, RULE: owned}, raised=raised), []


def raised_by(customer: Customer) -> int:
    """Return the highest number of an episode opened under this customer's own id; 0: none."""
    held, before = customer.episodes.get(RULE), customer.raised.get(RULE, 0)
    return before if held is None or held.owner else max(before, held.number)


def episode_id(customer_id: str, episode: Episode) -> str:
    """Return the episode's id; a merge does not change it."""
    return f"{RULE}:{episode.owner or customer_id}:{episode.number}"


def _goes_on(customer: Customer, episode: Episode, made: Score) -> Customer:
    """Return the customer with the open episode, told by the model that scores him now."""
    if episode.model == made.model:
        return customer
    return replace(
        customer, episodes={**customer.episodes, RULE: replace(episode, model=made.model)}
    )


def _begins(customer: Customer, last: Episode | None, made: Score, judge: Judge) -> bool:
    rule = judge.catalogue.risk
    if made.probability < rule.high:
        return False
    if made.model == CHURN_MODEL and customer.rhythm.visits < rule.min_visits:
        return False
    # Who was given up for lost raises no second alert until he has come back.
    back = customer.rhythm.last_ms or 0
    return last is None or last.outcome != "lost" or back > (last.closed_ms or 0)


def _over(customer: Customer, episode: Episode, made: Score, judge: Judge) -> str | None:
    if episode.model != CHURN_MODEL and made.model == CHURN_MODEL:
        return "lost"  # no contract is left
    if _is_back(customer, episode.opened_ms, made) and made.probability < judge.catalogue.risk.high:
        return "saved"
    if made.probability < judge.catalogue.risk.low:
        return "eased"
    if made.model != CHURN_MODEL:  # silence loses nobody who has a contract
        return None
    due = lost_ms(customer, judge.horizon_days)
    return "lost" if due is not None and made.at_ms >= due else None


def _is_back(customer: Customer, since_ms: int, made: Score) -> bool:
    """Tell whether the customer came, or with a contract: whether one was begun or renewed."""
    if made.model == CHURN_MODEL:
        return (customer.rhythm.last_ms or 0) > since_ms
    signed = (one.last for one in customer.contracts.values())
    return any(term.what != "cancelled" and term.at_ms > since_ms for term in signed)


def _close(
    customer: Customer, episode: Episode, outcome: str, made: Score, received_ms: int
) -> tuple[Customer, list[Alert]]:
    closed = replace(episode, status="closed", closed_ms=made.at_ms, outcome=outcome)
    alert = _alert(customer, closed, "closed", made, received_ms)
    return replace(customer, episodes={**customer.episodes, RULE: closed}), [alert]


def _alert(
    customer: Customer,
    episode: Episode,
    status: Literal["opened", "closed"],
    made: Score,
    received_ms: int,
) -> Alert:
    edge = _edge(customer, episode, status, made.at_ms, received_ms, made.cause)
    severity = "critical" if status == "opened" and made.probability >= 0.9 else edge.severity
    return replace(edge, probability=made.probability, reasons=made.reasons, severity=severity)


def _edge(
    customer: Customer,
    episode: Episode,
    status: Literal["opened", "closed"],
    at_ms: int,
    received_ms: int,
    cause: str,
) -> Alert:
    named = episode_id(customer.customer_id, episode)
    return Alert(
        alert_id=f"{named}:{status}",
        episode_id=named,
        customer_id=customer.customer_id,
        rule=RULE,
        status=status,
        severity="warning" if status == "opened" else "info",
        at_ms=at_ms,
        received_ms=received_ms,
        cause=cause,
        outcome=episode.outcome,
        offer=customer.offer.offer if customer.offer is not None else None,
        identifiers=sorted(customer.profile.identifiers),
    )
