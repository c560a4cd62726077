"""What of the made-up subscribers could be known at best: the chance that a contract is over.

From the world's own rules, each customer's nature and hidden state, and what is booked by then.
What may happen until the horizon's end is drawn, and ends are not: each path gives its chance.
"""

from typing import NamedTuple

import numpy as np

from tests.evaluation.subscribers import (
    ANSWERED,
    BOOKED,
    CANCELLED,
    CANCELS,
    COMPLAINS,
    FADES,
    LAPSES,
    LATE,
    LATEST,
    NEVER,
    PERIODS,
    RECOVERS,
    RISES,
    Signed,
    State,
    Subscriber,
    pull,
)

PATHS, TOGETHER = 64, 4_000  # paths of each; moments that are followed at a time
NOW = 1e-6  # of a day: what happens at the moment itself is known


class Standing(NamedTuple):
    """One contract at a moment, as numbers to go on from."""

    at: float
    fading: bool
    upset: bool
    complained: int
    dearer: int
    nature: float
    begins: int
    cancels: float
    lapses: float
    end: int  # of the term that runs, or of the one whose renewal is not booked yet; NEVER: none
    gone: float  # the chance that this one was not renewed


def truth(
    people: list[Subscriber], asked: list[tuple[str, float]], horizon: int, grace: int
) -> list[float]:
    """Return the chance that a customer's contract is over `horizon` days after each moment."""
    named = {one.name: one for one in people}
    found = [_standing(named[name], at) for name, at in asked]
    columns = {
        name: np.array([getattr(one, name) for one in found])[:, None] for name in Standing._fields
    }
    rng, chances = np.random.default_rng(0), []
    for part in np.array_split(np.arange(len(found)), max(1, len(found) // TOGETHER)):
        some = {name: column[part] for name, column in columns.items()}
        stays = _stays(rng, some, horizon, grace)
        gone = some["gone"][:, 0]
        chances.append(gone + (1.0 - gone) * (1.0 - stays))
    return np.concatenate(chances).tolist()


def _standing(one: Subscriber, at: float) -> Standing:
    signed = [each for each in one.contracts if each.begins + BOOKED <= at + NOW][-1]
    day = int(at + NOW)
    lived = signed.states[: max(0, day - signed.begins)]
    state = lived[-1] if lived else State(False, False, NEVER, NEVER)
    end, gone = _end(signed, at)
    return Standing(
        at, *state, signed.nature, signed.begins,
        CANCELS[signed.period], LAPSES[signed.period], end, gone,
    )  # fmt: skip


def _end(signed: Signed, at: float) -> tuple[int, float]:
    """Return the term's end that comes, or that waits for its renewal, and whether it will not."""
    days = PERIODS[signed.period]
    if not days:
        return NEVER, 0.0
    open_terms = [one for one in signed.terms if one.booked is None or one.booked > at + NOW]
    if not open_terms:
        return signed.begins + days * (len(signed.terms) + 1), 0.0
    due = open_terms[0]
    if due.day > at + NOW:
        return due.day, 0.0
    elapsed = at - due.day + NOW
    to_come = LATE * sum(late + BOOKED > elapsed for late in range(1, LATEST + 1)) / LATEST
    to_come += (1.0 - LATE) * (elapsed < BOOKED)
    return due.day, due.lapses / (due.lapses + (1.0 - due.lapses) * to_come)


def _stays(rng: np.random.Generator, of: dict, horizon: int, grace: int) -> np.ndarray:
    """Return the chances to stay of who has not gone, the mean of their paths."""
    shape = (len(of["at"]), PATHS)
    state = State(*(np.broadcast_to(of[name], shape).copy() for name in State._fields))
    first, stays = np.floor(of["at"] + NOW), np.ones(shape)
    waits_until = np.where(of["gone"] > 0.0, of["end"] + LATEST, NEVER)
    for ahead in range(horizon + 1):
        day = first + ahead
        if ahead:
            state = _another_day(rng, state, day)
            draws = pull(state, of["nature"], day, of["begins"])
            ends = day == of["end"]
            lapses = np.where(ends, 1.0 / (1.0 + np.exp(-of["lapses"] - draws)), 0.0)
            stays *= np.where(day + grace <= of["at"] + horizon, 1.0 - lapses, 1.0)
            rises = ends & (rng.random(shape) < RISES)
            state = state._replace(dearer=np.where(rises, day, state.dearer))
        draws = pull(state, of["nature"], day, of["begins"])
        hour = day + CANCELLED
        may = (of["at"] < hour) & (hour < of["at"] + horizon) & (day >= waits_until)
        stays *= np.where(may, 1.0 - np.minimum(0.5, of["cancels"] * np.exp(draws)), 1.0)
    return stays.mean(axis=1)


def _another_day(rng: np.random.Generator, state: State, day: np.ndarray) -> State:
    drawn, asks = rng.random(state.fading.shape), rng.random(state.fading.shape)
    complains = ~state.upset & (asks < COMPLAINS)
    return State(
        np.where(state.fading, drawn >= RECOVERS, drawn < FADES),
        np.where(state.upset, asks >= ANSWERED, complains),
        np.where(complains, day, state.complained),
        state.dearer,
    )
