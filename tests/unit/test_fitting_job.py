"""The fit's sample, what is made of it, and when it is due."""

import asyncio

import msgspec
import pytest

from infra.fit import append, job, population, sample
from infra.settings import Settings
from models.customer import Customer, encode
from models.fitting import CannotFitError
from models.lifetime import Lifetime
from models.population import DEFAULT, decode
from models.profile import Profile
from models.records import Command
from models.rhythm import DAY_MS
from models.terms import Contract, Term
from models.visits import Rhythm
from tests.unit.test_fitting import customers as simulate

NOW = 1_790_000_000_000
TRUE = (1.2, 20.0, 0.7, 2.5)


def customer(number, repeats, last, age, **over):
    first = NOW - int(age * DAY_MS)
    rhythm = Rhythm(int(repeats) + 1, first, first + int(last * DAY_MS))
    return Customer(customer_id=f"c_{number}", rhythm=rhythm, clock_ms=first, **over)


def sampled(*some, most=10_000):
    found = sample.Sample(most)
    for one in some:
        found.take(one.customer_id.encode(), encode(one))
    return found


def people(count=2_000):
    return [customer(n, *row) for n, row in enumerate(zip(*simulate(count, *TRUE), strict=True))]


def test_contacts_of_the_sample_give_the_parameters_they_were_made_by():
    found = population.fit(list(sampled(*people()).customers.values()), NOW)
    assert found.population.contacts.r == pytest.approx(TRUE[0], rel=0.3)
    assert (found.population.fitted_ms, found.population.customers) == (NOW, 2_000)


def test_what_the_sample_does_not_tell_stays_as_it_comes_and_is_named():
    found = population.fit(list(sampled(*people()).customers.values()), NOW)
    assert found.population.purchases == DEFAULT.purchases
    assert found.population.contracts == DEFAULT.contracts
    assert found.lacks.keys() == {"purchases", "contracts"}


def test_too_few_customers_are_refused():
    with pytest.raises(CannotFitError, match="20 customers; 200 are needed"):
        population.fit(list(sampled(*people(20)).customers.values()), NOW)


def bought(number, days, paid):
    profile = Profile(
        orders=len(days), order_days=days, orders_by_currency={"USD": len(days)},
        revenue={"USD": paid}, refunded={"USD": 100},
    )  # fmt: skip
    return customer(number, len(days) - 1, 1.0, 200.0, profile=profile)


def test_purchases_give_spend_and_fifths():
    today = NOW // DAY_MS
    some = [
        bought(n, [today - 150, today - n % 100][: 1 + n % 2], 1_000 + 37 * (n % 200))
        for n in range(600)
    ]
    found = population.fit(list(sampled(*some).customers.values()), NOW).population
    assert found.spend["USD"].customers == 600
    assert found.purchases != DEFAULT.purchases
    assert len(found.cuts.recency) == len(found.cuts.money["USD"]) == 4
    assert found.cuts.frequency == [1, 1, 2, 2]


def contract(began_days, what, days):
    first = Term(NOW - began_days * DAY_MS, "a", "started", None, 30)
    return Contract(first, Term(NOW - days * DAY_MS, "b", what))


def test_contracts_that_ended_and_that_run_tell_how_long_they_last():
    held = [
        {
            "s": contract(600, "cancelled", 600 - 10 * (n % 50))
            if n % 2
            else contract(600, "renewed", 5)
        }
        for n in range(600)
    ]
    some = [customer(n, 2, 10.0, 600.0, contracts=one) for n, one in enumerate(held)]
    found = population.fit(list(sampled(*some).customers.values()), NOW).population
    # Half are left after 600 days.
    assert found.contracts.ends(0.0, 600.0) == pytest.approx(0.5, abs=0.07)


def test_a_backfills_silence_ends_with_it():
    one = customer(1, 2, 10.0, 100.0, observed_until_ms=NOW - 50 * DAY_MS)
    (seen,) = sampled(one).customers.values()
    assert seen.seen_until(NOW) == NOW - 50 * DAY_MS
    live = customer(1, 2, 10.0, 100.0)
    (seen,) = sampled(live).customers.values()
    assert seen.seen_until(NOW) == NOW


def test_who_is_merged_or_gone_is_not_in_the_sample():
    found = sampled(customer(1, 1, 1.0, 9.0), customer(2, 1, 1.0, 9.0))
    pointer = Customer(customer_id="c_1", merged_into="c_2")
    found.take(b"c_1", encode(pointer))
    assert found.customers.keys() == {b"c_2"}
    found.take(b"c_2", None)
    assert not found.customers


def test_the_sample_is_bounded_and_the_same_in_any_order():
    some = people(3_000)
    found, again = sampled(*some, most=1_000), sampled(*reversed(some), most=1_000)
    assert found.customers.keys() == again.customers.keys()
    assert 400 < len(found.customers) <= 1_000
    assert found.share in (0.25, 0.125)


def test_the_command_carries_the_population_and_its_id_follows_from_the_fit():
    fitted = DEFAULT.__class__(contacts=Lifetime(1.0, 2.0, 3.0, 4.0), fitted_ms=NOW, customers=9)
    made = append.command(fitted, "fit", "scheduled")
    read = msgspec.json.decode(msgspec.json.encode(made), type=Command)
    assert (read.command_id, read.model, read.action) == (
        f"population:{NOW}", "population", "population",
    )  # fmt: skip
    assert decode(read.population) == fitted


class Steps:
    """The world of a job, without Kafka."""

    def __init__(self, monkeypatch, newest, fitted):
        self.sent = []

        async def fitted_ms(settings):
            return newest

        async def fit(settings, now_ms):
            return fitted()

        monkeypatch.setattr(job, "fitted_ms", fitted_ms)
        monkeypatch.setattr(job, "fit", fit)
        monkeypatch.setattr(append, "append", lambda settings, made: self.sent.append(made))

    def step(self, **settings):
        return asyncio.run(job.Job(Settings(**settings)).step(NOW))


def some_fit():
    return population.Fitted(DEFAULT, {})


def test_the_first_fit_is_made_at_once(monkeypatch):
    world = Steps(monkeypatch, 0, some_fit)
    world.step()
    assert [made.action for made in world.sent] == ["population"]


def test_a_fit_is_due_by_the_newest_one_whoever_made_it(monkeypatch):
    world = Steps(monkeypatch, NOW - 23 * 3_600_000, some_fit)
    assert world.step() == 3_600
    assert not world.sent
    world.step(fit_hours=22.0)
    assert len(world.sent) == 1


def test_with_too_few_customers_it_looks_again_later(monkeypatch):
    def refuse():
        raise CannotFitError("20 customers; 200 are needed")

    world = Steps(monkeypatch, 0, refuse)
    assert world.step() == job.FIRST_SECONDS
    assert not world.sent
