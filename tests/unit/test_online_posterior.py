"""The posterior of few terms, in plain floats, is that of many."""

import random

import numpy as np
import pytest

from models.online.few import FEW, Few
from models.online.posterior import Posterior

FADE = 0.05


def both(size):
    variances = [0.5 / (1 + place) for place in range(size)]
    many = Posterior(FADE)
    for place, variance in enumerate(variances):
        many.insert(place, variance)
    return Few(FADE, variances), many


def examples(size, count):
    rng = random.Random(size)
    for _ in range(count):
        terms = [1.0, *(rng.gauss(0, 2) for _ in range(size - 1))]
        yield terms, rng.gauss(-1, 1), float(rng.random() < 0.3)


@pytest.mark.parametrize("size", range(2, FEW + 1))
def test_few_terms_are_learnt_as_many_are_to_the_bit(size):
    few, many = both(size)
    for terms, logit, label in examples(size, 400):
        assert few.correction(terms) == many.correction(np.array(terms))
        few.learn_one(terms, logit, label)
        many.learn_one(np.array(terms), logit, label)
    assert few.to_state() == many.to_state()
    assert [few.strength(n) for n in range(size)] == [many.strength(n) for n in range(size)]


def test_few_terms_go_on_from_their_state_to_the_bit():
    few, _ = both(4)
    told = list(examples(4, 200))
    for example in told[:100]:
        few.learn_one(*example)
    resumed = Few.from_state(few.to_state(), FADE)
    for example in told[100:]:
        few.learn_one(*example)
        resumed.learn_one(*example)
    assert resumed.to_state() == few.to_state()
