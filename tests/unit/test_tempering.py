"""What silence counts: whole where customers do as the model says, less where they come back."""

import numpy as np
import pytest
from msgspec.structs import replace

from models.fitting import fit_lifetime
from models.lifetime import DEFAULT_LIFETIME, Lifetime
from models.tempering import silences, tempered

DAYS = 720


def lives(count, pauses, seed=3):
    """Simulate MBG/NBD, or customers who never leave, but pause for half a year on average."""
    rng = np.random.default_rng(seed)
    found = []
    for rate, leaves in zip(
        rng.gamma(1.2, 1 / 20.0, count), rng.beta(0.7, 2.5, count), strict=True
    ):
        at, days = rng.uniform(0, DAYS / 2), []
        while at < DAYS:
            days.append(int(at))
            if rng.random() < leaves:
                if not pauses:
                    break
                at += rng.exponential(180.0)
            at += rng.exponential(1 / rate)
        found.append((sorted(set(days)), float(DAYS)))
    return found


def test_where_customers_do_as_the_model_says_silence_counts_nearly_whole():
    assert tempered(DEFAULT_LIFETIME, lives(4_000, pauses=False)).temper > 0.85


def test_where_customers_pause_and_come_back_it_counts_less():
    assert tempered(DEFAULT_LIFETIME, lives(4_000, pauses=True)).temper < 0.6


def test_only_the_temper_is_another_and_it_is_the_same_for_the_same_customers():
    known = lives(2_000, pauses=True)
    found = tempered(DEFAULT_LIFETIME, known)
    assert found == tempered(DEFAULT_LIFETIME, known)
    assert replace(found, temper=1.0) == DEFAULT_LIFETIME


def test_what_is_foreseen_is_what_came():
    """The days that the temper is found on are the newest 180, and none of them is seen before."""
    known = lives(4_000, pauses=True)
    rows = [
        (sum(day < DAYS - 180 for day in days), days, sum(day >= DAYS - 180 for day in days) > 0)
        for days, _ in known
    ]
    rows = [(n, days, came) for n, days, came in rows if n]
    repeats = np.array([n - 1.0 for n, _, _ in rows])
    last = np.array([float(days[n - 1] - days[0]) for n, days, _ in rows])
    age = np.array([float(DAYS - 180 - days[0]) for _, days, _ in rows])
    came = np.array([one for _, _, one in rows])
    then = fit_lifetime(repeats, last, age)

    def lost(temper):
        silent = silences(
            replace(then, temper=temper), repeats, last, age, np.full(len(age), 180.0)
        )
        return -np.log(np.where(came, 1 - silent, silent)).mean()

    best = tempered(DEFAULT_LIFETIME, known).temper
    assert lost(best) == pytest.approx(min(map(lost, np.linspace(0.1, 1.0, 91))), abs=1e-5)
    assert lost(best) < lost(1.0) - 0.01


def test_who_came_first_on_the_days_foreseen_tells_nothing():
    known = lives(2_000, pauses=True)
    new = [([day, day + 9], float(DAYS)) for day in (DAYS - 180, DAYS - 100)] * 200
    assert tempered(DEFAULT_LIFETIME, [*known, *new]) == tempered(DEFAULT_LIFETIME, known)


@pytest.mark.parametrize("known", [[], [([], 9.0)], lives(100, pauses=True)])
def test_a_past_that_does_not_tell_leaves_the_lifetime_as_it_is(known):
    assert tempered(DEFAULT_LIFETIME, known) is DEFAULT_LIFETIME


@pytest.mark.parametrize("temper", [1.0, 0.6, 0.1])
def test_all_at_once_is_one_by_one(temper):
    lifetime = Lifetime(0.5, 40.0, 0.8, 1.2, temper)
    rows = [(0, 0.0, 0.0, 30.0), (3, 50.0, 90.0, 180.0), (10**6, 100.0, 4_000.0, 30.0)]
    found = silences(lifetime, *(np.array(column, float) for column in zip(*rows, strict=True)))
    assert found.tolist() == pytest.approx([lifetime.silent(*row) for row in rows], rel=1e-9)


def test_the_less_silence_counts_the_likelier_a_silent_customer_is_still_one():
    chances = [
        replace(DEFAULT_LIFETIME, temper=one).alive(5, 100.0, 300.0) for one in (1.0, 0.6, 0.3, 0.1)
    ]
    assert chances == sorted(chances)
    assert replace(DEFAULT_LIFETIME, temper=0.3).alive(5, 100.0, 100.0) == DEFAULT_LIFETIME.alive(
        5, 100.0, 100.0
    )
