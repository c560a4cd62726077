"""A made-up world of subscribers whose truth is known: why they leave, and what that leaves behind.

Contracts run by the month, the quarter, the year, or without an end. Day by day a customer may
cancel; at a term's end, let it lapse. Both are likelier for who uses it less, complains, was
charged more at the last renewal, or is new; and everybody has an inclination of his own that
nothing tells but his staying. A part of the renewals is booked days late. Some come back.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import exp
from typing import NamedTuple

import numpy as np

from models import events as ev
from tests.support.histories import event, usd

DAYS = 900
BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
PERIODS = {"month": 30, "quarter": 91, "year": 365, "": 0}  # "": no end is stated
SHARES = (0.5, 0.15, 0.25, 0.1)
# A day: to cancel; of a term's end: the log-odds to let it lapse.
CANCELS = {"month": 6e-4, "quarter": 4e-4, "year": 1.5e-4, "": 9e-4}
LAPSES = {"month": -4.2, "quarter": -3.4, "year": -2.0, "": 0.0}
# What adds to the logarithm of both.
FADING, UPSET, SORE, DEARER = 1.5, 1.3, 0.6, 1.0
SORE_DAYS, DEARER_DAYS = 45, 60
NEW, NEW_DAYS = 0.8, 120  # who has just begun; it goes by an e-th in so many days
FADES, RECOVERS = 1 / 400, 1 / 80  # a day
FADED = 0.25  # what is left of the use
COMPLAINS, ANSWERED = 1 / 250, 1 / 6  # a day
ASKED, RISES = 1 / 150, 0.15  # a day; a renewal
LATE, LATEST = 0.2, 6  # renewals booked late, and at most so many days
BOOKED = 0.01  # of a day after the end that a renewal comes
CANCELLED = 0.95  # of the day, the hour in which customers cancel
BACK, BACK_DAYS = 0.15, (40, 150)
NEVER = -10_000
AGAIN = 0.3  # added to the nature of who left before and came back
COMPLAINTS = ("The app keeps crashing", "Still no answer", "Where is my bill?")


class State(NamedTuple):
    """What moves a customer on one day."""

    fading: bool
    upset: bool  # a complaint is open
    complained: int  # the day of the newest complaint
    dearer: int  # the day of the newest rise of the price


class Due(NamedTuple):
    """A term's end: the chance that it was left to lapse, and when the renewal was booked."""

    day: int
    lapses: float
    booked: float | None


@dataclass
class Signed:
    """One contract: what it is, its days from `begins` on, its terms, and how it ended."""

    id: str
    period: str
    begins: int
    nature: float  # the customer's own inclination to leave, a logarithm
    states: list[State] = field(default_factory=list)
    terms: list[Due] = field(default_factory=list)
    ended: float | None = None  # cancelled, or the end that was not renewed


@dataclass
class Subscriber:
    """A customer: the events in order of time, and the truth behind them."""

    name: str
    events: list = field(default_factory=list)
    contracts: list[Signed] = field(default_factory=list)


def subscriber(seed: int, number: int) -> Subscriber:
    """Return the customer `number` of a world, the same whatever others there are."""
    rng = random.Random(f"subscribers/{seed}/{number}")
    made = Subscriber(f"s{number}")
    nature, pace = rng.gauss(0.0, 0.5), 0.16 * rng.lognormvariate(0.0, 0.6)
    begins = int(rng.random() * 0.75 * DAYS)
    while begins < DAYS - 1:
        signed = _Life(rng, made, begins, nature, pace).live()
        if signed.ended is None or rng.random() >= BACK:
            break
        begins = int(signed.ended) + rng.randint(*BACK_DAYS)
        nature += AGAIN
    made.events.sort(key=lambda one: one.occurred_ms)
    return made


class _Life:
    """A customer under one contract, day by day, and what is told of it."""

    def __init__(self, rng, made: Subscriber, begins: int, nature: float, pace: float) -> None:
        (period,) = rng.choices(list(PERIODS), SHARES)
        self.rng, self.made, self.pace, self.days = rng, made, pace, PERIODS[period]
        self.signed = Signed(f"{made.name}-{len(made.contracts)}", period, begins, nature)
        made.contracts.append(self.signed)
        self.price = round(rng.choice((9, 15, 29)) * max(1.0, self.days / 30), 2)
        self.state = State(False, False, NEVER, NEVER)
        self.rests_until = 0  # the service rests while a renewal is not booked
        self._who = (ev.Identifier(type="user_id", value=made.name),)

    def live(self) -> Signed:
        """Live until the contract ends, or the world does."""
        signed = self.signed
        stated = {"renews_at": _at(signed.begins + self.days)} if self.days else {}
        self.say(
            ev.SubscriptionStarted, signed.begins + BOOKED, plan="basic", **self.named, **stated
        )
        for day in range(signed.begins + 1, DAYS):
            if day >= self.rests_until:
                self.another_day(day)
            signed.states.append(self.state)
            if signed.ended is not None:
                break
        return signed

    @property
    def named(self) -> dict[str, object]:
        """The contract, as its events name it."""
        return {
            "subscription_id": self.signed.id,
            "period": self.signed.period or "month",
            "price": usd(str(self.price)),
        }

    def another_day(self, day: int) -> None:
        """Let a day pass: what moves the customer, a term's end, use, a cancellation."""
        signed, rng = self.signed, self.rng
        self.moved(day)
        if self.days and (day - signed.begins) % self.days == 0:
            self.term_ends(day)
        if signed.ended is not None or day < self.rests_until:
            return
        if rng.random() < self.pace * (FADED if self.state.fading else 1.0):
            self.say(ev.AppUsed, day + rng.uniform(0.1, 0.9))
        if rng.random() < cancel(signed, self.state, day):
            signed.ended = day + CANCELLED
            self.say(ev.SubscriptionCancelled, signed.ended, subscription_id=signed.id)

    def moved(self, day: int) -> None:
        """Use it less or as before, complain or be answered, be asked for an opinion."""
        state, rng = self.state, self.rng
        fading = rng.random() >= RECOVERS if state.fading else rng.random() < FADES
        upset, complained = state.upset, state.complained
        if upset and rng.random() < ANSWERED:
            upset = False
            self.say(ev.TicketClosed, day + 0.03, ticket_id=f"{self.signed.id}-{complained}")
        elif not upset and rng.random() < COMPLAINS:
            upset, complained = True, day
            about = {"ticket_id": f"{self.signed.id}-{day}", "text": rng.choice(COMPLAINTS)}
            self.say(ev.TicketOpened, day + 0.03, **about)
        if rng.random() < ASKED:
            sore = day - complained < SORE_DAYS
            score = round(8 - 3 * fading - 3 * sore + rng.gauss(0.0, 1.5))
            self.say(ev.FeedbackGiven, day + 0.06, kind="nps", score=min(10, max(0, score)))
        self.state = State(fading, upset, complained, state.dearer)

    def term_ends(self, day: int) -> None:
        """Let the contract lapse, or renew it: perhaps late, perhaps for more."""
        rng, lapses = self.rng, lapse(self.signed, self.state, day)
        if rng.random() < lapses:
            self.signed.terms.append(Due(day, lapses, None))
            self.signed.ended = float(day)
            return
        self.rests_until = day + (rng.randint(1, LATEST) if rng.random() < LATE else 0)
        booked = self.rests_until + BOOKED
        self.signed.terms.append(Due(day, lapses, booked))
        if rng.random() < RISES:
            self.price = round(self.price * rng.uniform(1.1, 1.3), 2)
            self.state = self.state._replace(dearer=day)
        if booked < DAYS:
            ends = _at(day + self.days)
            self.say(ev.SubscriptionRenewed, booked, renews_at=ends, **self.named)

    def say(self, kind, day: float, /, **fields: object) -> None:
        """Add an event."""
        made, at = self.made, _at(day)
        id = f"{made.name}-e{len(made.events)}"
        made.events.append(event(kind, at, id, self._who, received_at=at, **fields))


def _at(day: float) -> datetime:
    return BEGAN + timedelta(milliseconds=round(day * 86_400_000))


def pull(state: State, nature: float, day, begins):
    """Return what draws a customer away on a day, a logarithm; of numbers or arrays alike."""
    sore = (day - state.complained < SORE_DAYS) & (state.upset == 0)
    dearer = day - state.dearer < DEARER_DAYS
    fresh = NEW * np.exp(-(day - begins) / NEW_DAYS)
    felt = FADING * state.fading + UPSET * state.upset + SORE * sore + DEARER * dearer
    return nature + felt + fresh


def cancel(one: Signed, state: State, day: int) -> float:
    """Return the chance that a contract is cancelled on a day."""
    return min(0.5, CANCELS[one.period] * exp(pull(state, one.nature, day, one.begins)))


def lapse(one: Signed, state: State, day: int) -> float:
    """Return the chance that a term's end on a day is left to pass."""
    return 1.0 / (1.0 + exp(-LAPSES[one.period] - pull(state, one.nature, day, one.begins)))
