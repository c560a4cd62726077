"""What a fit leaves as it is: what models have learnt with, told by their newest snapshots."""

import asyncio
import random

import pytest

from infra.fit import job, population, sample, standing
from infra.fit.standing import LEARNT, NOTHING, Standing
from infra.settings import Settings
from models.contracts import running
from models.features import features
from models.lifetime import Lifetime, Tenure
from models.online.learner import CHURN, CONTRACT, POPULATION, Lesson, Order, resume
from models.online.served import decode as serving
from models.online.signing import SnapshotError
from models.online.snapshots import encode
from models.population import DEFAULT, Cuts, Population, Spend
from models.population import encode as write_population
from models.records import Command, Example, pack
from models.rhythm import DAY_MS
from models.terms import Contract, Term
from tests.unit.test_fitting_job import NOW, customer, sampled

KEY = b"a secret"
OURS = Population(
    contacts=Lifetime(2.0, 30.0, 1.1, 3.0), contracts=Tenure(2.0, 900.0), fitted_ms=7, customers=9
)


def lesson(offset, model, x, label):
    example = Example(
        example_id=f"{model}:{offset}",
        customer_id="c_1",
        model=model,
        model_version=0,
        at_ms=offset,
        label_ms=offset + 1,
        features=pack(x),
        label=label,
        probability=0.5,
        horizon="contract-30/1",
    )
    return Lesson(offset, example, x)


def order(offset, model, action, **given):
    said = {"command_id": "o", "model": model, "at_ms": 7, "by": "kim", "reason": "why"}
    return Order(offset, Command(action=action, **said | given))


def snapshot(learner):
    return encode(learner.snapshot(), KEY)


def taught(model, count):
    learner = resume(model)
    learner.learn([lesson(n, model, {"visits": n % 3 * 1.0}, n % 4 == 0) for n in range(count)])
    return learner


def test_what_stands_is_told_by_the_newest_snapshots():
    fitted = resume(POPULATION)
    fitted.learn([order(0, POPULATION, "population", population=write_population(OURS))])
    there = {POPULATION: snapshot(fitted), CHURN: snapshot(taught(CHURN, 12))}
    assert standing.told(there, KEY) == Standing(OURS, {CHURN: 12})
    assert standing.told({}, KEY) == standing.told({CHURN: None}, KEY) == NOTHING
    with pytest.raises(SnapshotError):
        standing.told(there, b"another secret")


def test_a_frozen_population_is_told():
    fitted = resume(POPULATION)
    fitted.learn([order(0, POPULATION, "population", population=write_population(OURS))])
    fitted.learn([order(1, POPULATION, "freeze")])
    assert standing.told({POPULATION: snapshot(fitted)}, KEY).frozen
    fitted.learn([order(2, POPULATION, "unfreeze")])
    assert not standing.told({POPULATION: snapshot(fitted)}, KEY).frozen


def test_what_was_forgotten_is_not_counted():
    learner = taught(CHURN, 12)
    learner.learn([order(12, CHURN, "reset")])
    assert learner.version == 13
    assert standing.told({CHURN: snapshot(learner)}, KEY).learnt == {CHURN: 0}


@pytest.mark.parametrize(
    ("learnt", "held"),
    [
        ({}, set()),
        ({CHURN: LEARNT - 1, CONTRACT: LEARNT - 1}, set()),
        ({CHURN: LEARNT}, {"contacts"}),
        ({CHURN: 3, CONTRACT: LEARNT}, {"contacts", "contracts"}),
        ({"offers": LEARNT, "affinity": LEARNT}, set()),
    ],
)
def test_a_part_is_held_once_a_model_has_learnt_enough_with_it(learnt, held):
    assert Standing(OURS, learnt).held().keys() == held


def test_the_model_that_has_learnt_most_is_named():
    held = Standing(OURS, {CHURN: 2_000, CONTRACT: 3_000}).held()
    assert held["contacts"] == "the contract model has learnt 3,000 examples with them"


def bound(number, age, contracts):
    return customer(number, 3, min(10.0, age), age, contracts=contracts)


def signed(days, word="renewed", ago=0.0):
    began = NOW - int(days * DAY_MS)
    return Contract(Term(began, "a", "started", None, 30), Term(NOW - int(ago * DAY_MS), "b", word))


def seen(one, parameters=DEFAULT):
    return features(one, NOW, 30, parameters, running(one.contracts, NOW))


OTHERS = {
    "contacts": OURS.contacts,
    "purchases": OURS.contacts,
    "contracts": OURS.contracts,
    "spend": {"USD": Spend(1.0, 2.0, 3.0, 4)},
    "cuts": Cuts([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]),
}


def test_held_are_those_parts_that_enter_a_models_features_and_no_others():
    of = {CHURN: bound(1, 300.0, {}), CONTRACT: bound(2, 300.0, {"s": signed(300)})}
    assert OTHERS.keys() | {"fitted_ms", "customers"} == set(Population.__struct_fields__)
    for part, value in OTHERS.items():
        other = Population(**{part: value})
        moved = {model for model, one in of.items() if seen(one, other) != seen(one)}
        assert moved == set(standing.ENTERS.get(part, ())), part


@pytest.fixture(scope="module")
def world():
    """Customers of whom contracts soon end, and a model that has learnt that with the defaults."""
    rng = random.Random(5)
    held = [bound(n, 400.0, {"s": signed(rng.uniform(1, 390))}) for n in range(LEARNT)]
    over = [bound(LEARNT + n, 400.0, {"s": signed(390, "cancelled", 375)}) for n in range(LEARNT)]
    model = resume(CONTRACT)
    model.learn(
        [lesson(n, CONTRACT, seen(one), float(rng.random() < 0.25)) for n, one in enumerate(held)]
    )
    return held, list(sampled(*held, *over).customers.values()), model


def test_a_fit_moves_no_chance_of_a_model_that_knows_its_customers(world):
    held, customers, model = world
    serves = serving(model.served())

    def mean(parameters):
        return sum(serves.chance(seen(one, parameters)) for one in held[::4]) / len(held[::4])

    stands = standing.told({CONTRACT: snapshot(model)}, KEY)
    made, anew = (population.fit(customers, NOW, one) for one in (stands, NOTHING))
    assert mean(made.population) == mean(DEFAULT) == pytest.approx(0.25, abs=0.05)
    assert mean(anew.population) > mean(DEFAULT) + 0.15
    assert (made.held.keys(), anew.held) == ({"contacts", "contracts"}, {})


def test_what_is_held_is_what_stands_and_the_rest_is_renewed(world):
    _, customers, _ = world
    made = population.fit(customers, NOW, Standing(OURS, {CONTRACT: LEARNT})).population
    assert (made.contacts, made.contracts) == (OURS.contacts, OURS.contracts)
    assert (made.fitted_ms, made.customers) == (NOW, len(customers))
    churn = population.fit(customers, NOW, Standing(OURS, {CHURN: LEARNT})).population
    assert churn.contacts == OURS.contacts
    assert churn.contracts not in (OURS.contracts, DEFAULT.contracts)


def test_a_fit_by_hand_holds_the_same_unless_told_otherwise(world, monkeypatch):
    _, customers, _ = world

    async def stands(settings):
        return Standing(OURS, {CONTRACT: LEARNT})

    async def read(settings):
        found = sample.Sample()
        found.customers = dict(enumerate(customers))
        return found

    monkeypatch.setattr(standing, "read", stands)
    monkeypatch.setattr(sample, "read", read)
    assert asyncio.run(job.fit(Settings(), NOW)).population.contracts == OURS.contracts
    assert asyncio.run(job.fit(Settings(), NOW, anew=True)).held == {}
