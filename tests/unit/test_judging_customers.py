"""Rhythm, features, score and reasons of one customer."""

import math
from functools import cache

import pytest
from msgspec.structs import astuple, replace

from models.customer import Customer
from models.features import features, measured, named
from models.judge import Judge
from models.judgement import judged, note
from models.lifetime import DEFAULT_LIFETIME as DEFAULT
from models.lifetime import Lifetime
from models.online.scaling import sigmoid
from models.online.served import Served
from models.online.shares import PRIOR
from models.online.stable import CANDIDATES, Stable
from models.online.vectors import of
from models.outlook import outlook
from models.places import NAMES
from models.population import DEFAULT as POPULATION
from models.profile import Profile, Trait
from models.reasons import reasons
from models.records import unpack
from models.rhythm import DAY_MS, beat, join
from models.score import score
from models.visits import Rhythm
from tests.support.told import told

T0 = 1_780_000_000_000
JUDGE = Judge.untrained()
MONTHLY = (0, 30, 61, 90, 121)


def visited(days, **over):
    customer = Customer(customer_id="c_1", **over)
    for day in days:
        customer = note(customer, "order_placed", T0 + int(day * DAY_MS))
    return customer


def at(day):
    return T0 + int(day * DAY_MS)


def test_contacts_close_together_are_one_visit():
    rhythm = beat(beat(Rhythm(), T0), T0 + 3_600_000)
    assert (rhythm.visits, rhythm.gaps) == (1, 0)
    assert rhythm.last_ms == T0 + 3_600_000


def test_the_usual_gap_is_the_mean_of_the_gaps():
    rhythm = visited((0, 10, 30)).rhythm
    assert rhythm.gap_mean == pytest.approx(15)
    assert rhythm.gap_m2 / (rhythm.gaps - 1) == pytest.approx(50)


def test_a_late_contact_moves_no_gap():
    on_time = visited((0, 10, 30)).rhythm
    late = beat(on_time, at(20))
    assert late == on_time


def test_joining_with_an_empty_rhythm_changes_nothing():
    rhythm = visited((0, 10, 30)).rhythm
    assert join(rhythm, Rhythm()) == join(Rhythm(), rhythm) == rhythm


def test_joining_adds_visits_and_pools_gaps():
    a, b = visited((0, 10, 20)).rhythm, visited((5, 35)).rhythm
    both = join(a, b)
    assert (both.visits, both.gaps, both.gap_mean) == (5, 3, pytest.approx(50 / 3))
    assert both == replace(join(b, a), gap_mean=both.gap_mean, gap_m2=both.gap_m2)


@pytest.mark.parametrize("cut", range(6))
def test_a_rhythm_cut_in_two_and_joined_is_the_rhythm_of_it_all(cut):
    days = (0, 3, 3.1, 10, 11, 30)
    early, late = visited(days[:cut]).rhythm, visited(days[cut:]).rhythm
    for both in (join(early, late), join(late, early)):
        assert astuple(both) == pytest.approx(astuple(visited(days).rhythm))


def test_joining_a_rhythm_within_another_loses_no_visit():
    assert join(visited((0, 10)).rhythm, visited((5,)).rhythm).visits == 3


def test_only_what_the_customer_does_breaks_the_silence():
    customer = note(visited((0,)), "message_sent", at(5))
    assert customer.rhythm.last_ms == at(0)


def test_one_visit_is_no_proof_of_life():
    # The trap of BG/NBD: P(alive) = 1 for everybody who came once.
    assert DEFAULT.alive(0, 0.0, 0.0) < 1
    assert DEFAULT.silent(0, 0.0, 300.0, 30) > 0.97


def test_the_longer_the_silence_the_likelier_it_lasts():
    chances = [DEFAULT.silent(5, 100.0, 100.0 + quiet, 30) for quiet in range(0, 300, 10)]
    assert chances == sorted(chances)


@pytest.mark.parametrize("repeats", [0, 1, 10**6])
def test_the_prior_is_a_probability_whatever_the_counts(repeats):
    for age, last in ((0.0, 0.0), (1e5, 0.0), (1e5, 1e5)):
        assert 0 < DEFAULT.silent(repeats, last, age, 30) < 1


def test_the_prior_is_the_closed_form():
    p = Lifetime(r=0.5, alpha=40.0, a=0.8, b=1.2)
    x, last, age, horizon = 3, 50.0, 90.0, 30
    alive = 1 / (1 + p.a / (p.b + x) * ((p.alpha + age) / (p.alpha + last)) ** (p.r + x))
    some = 1 - ((p.alpha + age) / (p.alpha + age + horizon)) ** (p.r + x)
    assert p.silent(x, last, age, horizon) == pytest.approx(1 - alive * some)


def test_unknown_things_are_left_out_of_the_features():
    assert "nps" not in features(visited(MONTHLY), at(130))
    profile = Profile(feedback={"nps": Trait(3, T0, "e1")})
    assert features(visited(MONTHLY, profile=profile), at(130))["nps"] == 0.3


def test_features_of_nobody_are_finite():
    assert all(map(math.isfinite, features(Customer(customer_id="c_0"), T0).values()))


def test_an_untrained_model_scores_by_the_prior():
    made = score(visited(MONTHLY), at(130), "e9", JUDGE)
    assert made.model_version == 0
    assert made.probability == pytest.approx(sigmoid(unpack(made.features)[PRIOR]))


@pytest.mark.parametrize("repeats", [0, 1, 7, 300, 10**6])
@pytest.mark.parametrize("quiet", [0.0, 0.5, 40.0, 4_000.0])
def test_silent_is_who_left_and_who_stays_but_does_not_come(repeats, quiet):
    age, horizon = 100.0 + quiet, 30
    shape = min(DEFAULT.r + repeats, 1e4)
    waits = ((DEFAULT.alpha + age) / (DEFAULT.alpha + age + horizon)) ** shape
    alive = DEFAULT.alive(repeats, 100.0, age)
    silent = min(1 - 1e-6, max(1e-6, 1 - alive + alive * waits))
    assert DEFAULT.silent(repeats, 100.0, age, horizon) == pytest.approx(silent, rel=1e-9)
    log_odds, _ = outlook(*astuple(DEFAULT), repeats, 100.0, age, horizon)
    assert sigmoid(log_odds) == pytest.approx(alive, rel=1e-9)


def test_silence_raises_the_risk_of_a_regular():
    customer = visited(MONTHLY)
    risks = [score(customer, at(121 + day), "e", JUDGE).probability for day in (0, 30, 90, 180)]
    assert risks == sorted(risks)
    assert risks[0] < 0.6 < 0.9 < risks[-1]


@cache
def learnt():
    model = Stable()
    for day in range(1500):
        quiet = day % 90
        model.learn_one(features(visited(MONTHLY), at(121 + quiet)), float(quiet > 40))
    return model


def trained(candidate="logit"):
    return learnt().served(candidate)


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_reasons_and_the_base_sum_to_the_logit(candidate):
    model, customer = trained(candidate), visited(MONTHLY)
    seen = measured(customer, at(200), 30, POPULATION, [])
    shares = model.card.by_place(seen)
    told = reasons(customer, at(200), seen, shares, model.card)
    logit = math.fsum([reason.contribution for reason in told] + [shares.base])
    rounded = 0.5e-4 * len(told)  # each to four decimals
    assert logit == pytest.approx(shares.logit(), abs=rounded)
    assert sigmoid(shares.logit()) == model.chance(named(seen))


def test_a_score_is_of_the_features_that_it_carries():
    judge = Judge(churn=trained(), population=POPULATION)
    made = score(visited(MONTHLY), at(200), "e", judge)
    seen = unpack(made.features)
    assert made.probability == pytest.approx(judge.churn.chance(seen), abs=0.5e-6)
    told = [made.probability, *seen.values()]
    assert told == [round(number, 6) for number in told]


def test_no_chance_is_told_that_leaves_no_doubt():
    sure = {logit: Served("logit", 9, intercept=logit, prior=0.0) for logit in (-40.0, 40.0)}
    told = [
        score(visited(MONTHLY), at(200), "e", Judge(churn=model)).probability
        for model in sure.values()
    ]
    assert told == [1e-6, 0.999999]


def test_of_the_strongest_reasons_none_is_told_that_moves_nothing():
    moved = {"orders": -0.3, "opened": 0.009, "nps": 0.4, "csat": -0.395, "tickets": 0.2}
    model = Served("logit", 9, -1.0, 0.0, terms=dict.fromkeys(moved, (0.0, 1.0, 1.0)))
    seen = of([moved.get(name, math.nan) for name in NAMES])
    ana, shares = Customer(customer_id="ana"), model.card.by_place(seen)
    told = [one.feature for one in reasons(ana, at(0), seen, shares, model.card, 9)]
    assert told == ["purchases", "service"]
    everything = [one.feature for one in reasons(ana, at(0), seen, shares, model.card)]
    assert everything == [*told, "messages", "satisfaction"]
    strongest = reasons(ana, at(0), seen, shares, model.card, 1)
    assert [(one.feature, one.contribution) for one in strongest] == [("purchases", -0.3)]


def test_of_reasons_as_strong_the_first_by_name_is_told_first():
    model = Served("logit", 9, terms=dict.fromkeys(("orders", "opened"), (0.0, 1.0, 1.0)))
    seen = of([{"orders": 0.5, "opened": -0.5}.get(name, math.nan) for name in NAMES])
    ana, shares = Customer(customer_id="ana"), model.card.by_place(seen)
    told = reasons(ana, at(0), seen, shares, model.card)
    assert [one.feature for one in told] == ["messages", "purchases"]


def test_silence_is_told_in_days_against_the_customers_own_habit():
    made = score(visited(MONTHLY), at(195), "e", JUDGE)
    first = made.reasons[0]
    assert (first.feature, first.value, first.usual) == ("silence", 74, 30.25)
    assert first.contribution > 0


def test_nobody_is_said_to_be_silent_who_was_here_a_moment_ago():
    made = score(visited([0, 3]), at(3), "e", JUDGE)
    assert [reason.feature for reason in made.reasons] == ["habit"]


def test_the_score_says_what_it_was_made_from():
    made = score(visited(MONTHLY), at(195), "event-7", JUDGE)
    assert (made.cause, made.at_ms, made.horizon_days, made.band) == (
        "event-7",
        at(195),
        30,
        "high",
    )
    assert unpack(made.features) == features(visited(MONTHLY), at(195))


def test_the_same_customer_moment_and_judge_give_the_same_judgement():
    first = judged(visited(MONTHLY), at(130), at(130), "e", JUDGE, touch=True)
    again = judged(visited(MONTHLY), at(130), at(130), "e", JUDGE, touch=True)
    assert told(first) == told(again)
