"""Parameters of the population: recovered where they are known, refused where nobody could tell."""

from collections import defaultdict
from datetime import date
from importlib.metadata import files
from pathlib import Path

import numpy as np
import pytest
from lifetimes import BetaGeoFitter, GammaGammaFitter, ModifiedBetaGeoFitter
from scipy.stats import rankdata

from models.fitting import (
    CannotFitError,
    fifths,
    fit_lifetime,
    fit_spend,
    fit_tenure,
    lifetime_likelihood,
)
from models.lifetime import Lifetime, Tenure


def customers(count, r, alpha, a, b, days=365, seed=1):
    """Simulate MBG/NBD: after each visit, the first one too, a customer may leave."""
    rng = np.random.default_rng(seed)
    rates, leaves = rng.gamma(r, 1 / alpha, count), rng.beta(a, b, count)
    ages = rng.uniform(days / 4, days, count)
    repeats, last = np.zeros(count), np.zeros(count)
    for n in range(count):
        at = 0.0
        while rng.random() >= leaves[n]:
            at += rng.exponential(1 / rates[n])
            if at > ages[n]:
                break
            repeats[n] += 1
            last[n] = at
    return repeats, last, ages


TRUE = (1.2, 20.0, 0.7, 2.5)


@pytest.fixture(scope="module")
def simulated():
    return customers(6_000, *TRUE)


def test_the_parameters_of_a_simulated_population_are_found_again(simulated):
    found = fit_lifetime(*simulated)
    assert (found.r, found.alpha) == pytest.approx(TRUE[:2], rel=0.15)
    assert found.a / (found.a + found.b) == pytest.approx(TRUE[2] / sum(TRUE[2:]), rel=0.1)


def test_the_likelihood_is_that_of_the_library(simulated):
    some = [one[:50] for one in simulated]
    theirs = -50 * ModifiedBetaGeoFitter._negative_log_likelihood(
        np.log(TRUE), *some, np.ones(50), 0.0
    )
    assert lifetime_likelihood(np.array(TRUE), *some).sum() == pytest.approx(theirs, rel=1e-9)


def test_chances_are_those_of_the_library(simulated):
    fitter = ModifiedBetaGeoFitter()
    fitter.params_ = dict(zip(("r", "alpha", "a", "b"), TRUE, strict=True))
    ours = Lifetime(*TRUE)
    for repeats, last, age in zip(*(one[:50] for one in simulated), strict=True):
        theirs = fitter.conditional_probability_alive(repeats, last, age)
        assert ours.alive(int(repeats), last, age) == pytest.approx(float(np.ravel(theirs)[0]))


def test_the_same_sample_gives_the_same_parameters(simulated):
    assert fit_lifetime(*simulated) == fit_lifetime(*simulated)


def test_how_long_contracts_last_is_found_again():
    rng, true = np.random.default_rng(2), Tenure(s=1.5, beta=600.0)
    lives = rng.exponential(1 / rng.gamma(true.s, 1 / true.beta, 20_000))
    seen = rng.uniform(100, 2_000, 20_000)
    found = fit_tenure(np.minimum(lives, seen), lives <= seen)
    for tenure in (0.0, 365.0, 1_000.0):
        assert found.ends(tenure, 30) == pytest.approx(true.ends(tenure, 30), rel=0.06)


def test_a_contracts_chance_is_what_survival_says():
    true = Tenure(s=1.5, beta=600.0)
    survives = [(true.beta / (true.beta + days)) ** true.s for days in (200.0, 230.0)]
    assert true.ends(200.0, 30.0) == pytest.approx(1 - survives[1] / survives[0])


def test_what_purchases_are_worth_is_as_the_library_finds():
    rng = np.random.default_rng(3)
    rates, counts = rng.gamma(4.0, 1 / 50.0, 4_000), rng.integers(1, 8, 4_000).astype(float)
    means = 100 * rng.gamma(2.0 * counts) / (rates * counts)
    found = fit_spend(counts, means)
    fitter = GammaGammaFitter().fit(counts, means / 100)
    theirs = 100 * fitter.conditional_expected_average_profit(counts[:40], means[:40] / 100)
    ours = [found.usual(int(n), mean) for n, mean in zip(counts[:40], means[:40], strict=True)]
    assert ours == pytest.approx(list(theirs), rel=0.02)
    assert found.customers == 4_000


def test_of_many_purchases_the_own_mean_counts_and_of_none_the_populations():
    found = fit_spend(*_spend())
    assert found.usual(10_000, 777.0) == pytest.approx(777.0, rel=0.01)
    assert found.usual(0, 0.0) == pytest.approx(found.v * found.p / (found.q - 1))


def _spend(count=400):
    rng = np.random.default_rng(4)
    return rng.integers(1, 6, count).astype(float), rng.gamma(3.0, 2_000.0, count)


@pytest.mark.parametrize(
    ("sample", "lacks"),
    [
        ([one[:199] for one in customers(199, *TRUE)], "199 customers; 200 are needed"),
        ((np.zeros(600), np.zeros(600), np.full(600, 90.0)), "0 came again"),
        ((np.ones(600), np.ones(600), np.full(600, 9.0)), "seen for 9 days"),
        ((np.ones(600), np.full(600, 91.0), np.full(600, 90.0)), "after today"),
    ],
)
def test_a_sample_that_does_not_tell_is_refused_by_name(sample, lacks):
    with pytest.raises(CannotFitError, match=lacks):
        fit_lifetime(*sample)


def test_too_few_contracts_or_purchases_are_refused():
    with pytest.raises(CannotFitError, match="29 contracts ended"):
        fit_tenure(np.full(100, 50.0), np.arange(100) < 29)
    with pytest.raises(CannotFitError, match="40 customers bought"):
        fit_spend(*_spend(40))
    with pytest.raises(CannotFitError, match="bought twice"):
        fit_spend(np.ones(400), _spend()[1])
    with pytest.raises(CannotFitError, match="all spent the same"):
        fit_spend(np.full(400, 2.0), np.full(400, 500.0))


def test_fifths_part_the_values_in_five():
    assert fifths(range(101)) == [20, 40, 60, 80]
    assert fifths([1, 2, 3, 4]) == []


@pytest.fixture(scope="module")
def cdnow():
    """Every fifth customer's days with a purchase: 39 weeks to fit to, 39 to look at."""
    (packed,) = [one for one in files("Lifetimes") if one.name == "CDNOW_master.txt"]
    bought = defaultdict(set)
    for line in Path(str(packed.locate())).read_text().splitlines()[1:]:
        customer, day, _, _ = line.split()
        bought[customer].add(date.fromisoformat(day).toordinal() - date(1997, 1, 1).toordinal())
    rows = []
    for days in list(bought.values())[::5]:
        known = sorted(day for day in days if day < WEEKS_39)
        later = any(day >= WEEKS_39 for day in days)
        rows.append((len(known) - 1, known[-1] - known[0], WEEKS_39 - known[0], later))
    *known, later = (np.array(column) for column in zip(*rows, strict=True))
    return [one.astype(float) for one in known], later


WEEKS_39 = 273


def test_on_real_purchases_the_parameters_are_those_of_the_library(cdnow):
    known, _ = cdnow
    found, theirs = fit_lifetime(*known), ModifiedBetaGeoFitter().fit(*known).params_
    assert (found.r, found.alpha, found.a, found.b) == pytest.approx(
        tuple(theirs[name] for name in ("r", "alpha", "a", "b")), rel=0.02
    )


def test_who_buys_again_is_ranked_better_than_by_the_librarys_bg_nbd(cdnow):
    known, later = cdnow
    found, theirs = fit_lifetime(*known), BetaGeoFitter().fit(*known)
    rows = list(zip(*known, strict=True))
    alive = [found.alive(int(repeats), last, age) for repeats, last, age in rows]
    again = [1 - found.silent(int(repeats), last, age, WEEKS_39) for repeats, last, age in rows]
    bg_nbd = np.ravel(theirs.conditional_probability_alive(*known))
    assert ranked(alive, later) > 0.65 > 0.5 > ranked(bg_nbd, later)
    assert ranked(again, later) > 0.72


def ranked(chances, came):
    """Return the area under the ROC curve."""
    places, n = rankdata(chances), came.sum()
    return (places[came].sum() - n * (n + 1) / 2) / (n * (len(came) - n))
