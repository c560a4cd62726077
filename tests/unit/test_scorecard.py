"""Scorecards: a model laid out by place says what it says by name."""

import copy
import math
import pickle
import random
from functools import reduce
from operator import add

from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from models import places
from models.features import named
from models.online.calibration import Curve
from models.online.forks import ASKED
from models.online.served import Served, decode, encode
from models.online.shares import BASE, PRIOR, SPREAD
from models.online.vectors import of

NUMBERS = st.floats(-200, 200) | st.sampled_from([math.nan, math.inf, -math.inf, 1e308])
VALUES = st.lists(NUMBERS, min_size=places.MANY, max_size=places.MANY)


def model(prior_too: bool) -> Served:
    """Return a model of all kinds of parts, of most features and of two that no customer has."""
    rng = random.Random(7)
    names = [*places.NAMES[3:], "foreign", "strange"]
    rng.shuffle(names)
    terms = {name: (rng.gauss(0, 1), rng.random(), rng.gauss(0, 1)) for name in names}
    if prior_too:
        terms |= dict.fromkeys(places.NAMES[:3], (0.5, 0.4, 0.1))
    columns = [(name, rng.choice((-0.5, 0.0, 0.5))) for name in names[:8]]
    crosses = [
        (rng.randrange(8), rng.randrange(-1, 8), rng.gauss(0, 1), rng.gauss(0, 1))
        for _ in range(12)
    ]
    forks = [
        tuple(rng.randrange(9) if at in (0, 2, 5) else rng.gauss(0, 1) for at in range(9))
        for _ in range(10)
    ]
    trees = [
        tuple(rng.randrange(9) for _ in range(ASKED))
        + tuple(rng.randrange(100, 160) for _ in range(ASKED))
        + tuple(rng.randrange(-1000, 1000) for _ in range(ASKED))
        for _ in range(30)
    ]
    forest = (names[4:13], forks, trees, 1e-3)
    return Served("blend", 99, -0.7, 0.8, 0.3, terms, columns, crosses, *forest)


@given(VALUES, st.floats(-2, 2), st.floats(0, 3), st.floats(-1, 2))
def test_calibration_bends_the_whole_and_stretches_all_shares_alike(values, start, slope, bend):
    plain = model(True)
    whole = plain.card.by_place(of(values))
    logit = whole.logit()
    curved = replace(plain, start=start, slope=slope, bend=bend).card.by_place(of(values))
    expected = Curve(start, slope, bend).at(logit)
    assert math.isclose(curved.logit(), expected, rel_tol=1e-9, abs_tol=1e-9)
    stretch = (expected - start) / logit if logit else slope + bend
    for at in whole.told:
        assert math.isclose(
            curved.by_place[at], stretch * whole.by_place[at], rel_tol=1e-6, abs_tol=1e-9
        )


@given(VALUES, st.booleans())
@example([0.0] * places.MANY, False)
def test_by_place_and_by_name_are_the_same_to_the_bit(values, prior_too):
    served = model(prior_too)
    here = served.card.by_place(of(values))
    said = served.explain_one(named(of(values)))
    told = {served.card.names()[at]: here.by_place[at] for at in here.told}
    assert {BASE: here.base} | told == said
    assert here.logit() == reduce(add, said.values())


def test_whatever_order_features_come_in_the_shares_are_the_same():
    served, x = model(True), {name: 0.1 * n for n, name in enumerate(places.NAMES)}
    assert served.explain_one(dict(reversed(x.items()))) == served.explain_one(x)


def test_a_feature_that_no_customer_of_ours_has_counts_if_it_is_sent():
    served = Served("logit", terms={"foreign": (0.5, 2.0, 0.25)})
    assert served.explain_one({"foreign": 1.5, "unheard": 3.0}) == {BASE: 0.0, "foreign": 0.5}


def test_a_value_far_out_is_cut_and_one_that_is_no_number_counts_nothing():
    served = Served("logit", terms={"age": (0.0, 1.0, 1.0), "once": (0.0, 1.0, 1.0)})
    assert served.explain_one({"age": 1e9, "once": "text"}) == {BASE: 0.0, "age": SPREAD}
    assert served.explain_one({"age": -(10**400), "once": None}) == {BASE: 0.0, "age": -SPREAD}
    assert served.explain_one({PRIOR: math.nan, "age": True}) == {BASE: 0.0, "age": 1.0}


def test_each_place_has_the_name_of_its_feature():
    named_places = {name: at for name, at in vars(places).items() if type(at) is int}
    assert named_places.pop("MANY") == len(places.NAMES)
    assert named_places == {name.upper(): at for at, name in enumerate(places.NAMES)}
    assert places.NAMES[places.PRIOR_LOGIT] == PRIOR


def test_a_model_that_was_predicted_by_is_written_and_copied_like_any():
    served = model(True)
    served.chance({"age": 1.0})
    assert decode(encode(served)) == served
    assert pickle.loads(pickle.dumps(served)) == copy.deepcopy(served) == served
