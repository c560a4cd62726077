"""The posterior of a regression's weights, and the sums over squares that it is learnt by."""

import random

import numpy as np
import pytest

from models.online import kernels, vectors
from models.online.posterior import Posterior
from models.online.search import Search

FADE = 0.05


def examples(size, count):
    rng = random.Random(size)
    for _ in range(count):
        terms = [1.0, *(rng.gauss(0, 2) for _ in range(size - 1))]
        yield vectors.of(terms), rng.gauss(-1, 1), float(rng.random() < 0.3)


def taught(size, count=200):
    posterior = Posterior(FADE, [0.5 / (1 + place) for place in range(size)])
    for example in examples(size, count):
        posterior.learn_one(*example)
    return posterior


@pytest.mark.parametrize("size", [1, 2, 7, 8, 20, 49])
def test_loops_and_numpy_learn_the_same_to_the_bit(size, monkeypatch):
    """Interpreted: who is compiled has loops alone, and compares them with themselves."""
    said = []
    for compiled in (False, True):
        monkeypatch.setattr(kernels, "COMPILED", compiled)
        posterior, search = taught(size), Search()
        for place in range(min(size, 6)):
            search.add(place)
        for terms, logit, _ in examples(size, 60):
            search.note(terms, logit)
        found = [strength for strength, _, _ in search.look()]
        states = posterior.to_state(), search.to_state()
        said.append((states, found, [posterior.strength(n) for n in range(size)]))
    assert said[0] == said[1]


@pytest.mark.parametrize("size", [1, 6, 20])
def test_a_posterior_goes_on_from_its_state_to_the_bit(size):
    whole, resumed = taught(size), Posterior.from_state(taught(size).to_state(), FADE)
    for example in examples(size, 100):
        whole.learn_one(*example)
        resumed.learn_one(*example)
    assert resumed.to_state() == whole.to_state()


def test_a_term_that_comes_and_goes_leaves_the_others_as_they_were():
    posterior = taught(5)
    before = posterior.to_state()
    posterior.insert(2, 0.7)
    assert (posterior.weights()[2], posterior.covariance[2, 2]) == (0.0, 0.7)
    assert np.count_nonzero(posterior.covariance[2]) == 1
    posterior.remove(2)
    assert posterior.to_state() == before


def test_what_a_search_knows_of_pairs_stays_when_a_feature_is_searched_too():
    search = Search()
    search.add(0)
    for terms, logit, _ in examples(3, 50):
        search.note(terms, logit)
    sums = {
        pair: (strength, size)
        for strength, pair, size in Search.from_state(search.to_state()).look()
    }
    search.add(2)
    found = {pair: (strength, size) for strength, pair, size in search.look()}
    assert {pair: found[pair] for pair in sums} == sums
    assert all(found[pair] == (0.0, 0.0) for pair in found.keys() - sums.keys())
