"""The fit's sample, what is made of it, and when it is due."""

import asyncio

import msgspec
import pytest

from infra.fit import append, job, population, sample, standing
from infra.fit.standing import Standing
from infra.settings import Settings
from models.customer import Customer, encode
from models.fitting import CannotFitError
from models.lifetime import Lifetime, Tenure
from models.population import DEFAULT, Population, Spend, decode
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


def test_what_the_sample_does_not_tell_stays_as_it_stands():
    before = Population(
        purchases=Lifetime(2.0, 30.0, 1.1, 3.0),
        contracts=Tenure(2.0, 900.0),
        spend={"USD": Spend(p=6.0, q=4.0, v=1_500.0)},
    )
    customers = [*people(), bought(2_001, [NOW // DAY_MS - 100], 1_000)]
    found = population.fit(list(sampled(*customers).customers.values()), NOW, Standing(before))
    told = found.population
    assert (told.purchases, told.contracts, told.spend) == (
        before.purchases,
        before.contracts,
        before.spend,
    )
    assert found.lacks.keys() == {"purchases", "contracts", "spend in USD"}


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
    """The world of a job, without Kafka: what stands, and the customers at each look."""

    def __init__(self, monkeypatch, newest_ms=0, fitted_to=0, learnt=None):
        self.sent = []
        self.looks = 0  # at the sample
        self.stands = standing.Standing(
            Population(fitted_ms=newest_ms, customers=fitted_to), learnt or {}
        )

        async def stands(settings):
            return self.stands

        async def read(settings):
            self.looks += 1
            return sampled(*people(self.customers))

        monkeypatch.setattr(standing, "read", stands)
        monkeypatch.setattr(sample, "read", read)
        monkeypatch.setattr(append, "append", lambda settings, made: self.sent.append(made))
        self.customers = 0
        self.over()

    def over(self, **settings):
        """Start the job anew."""
        self.job = job.Job(Settings(**settings))

    def step(self, customers=None):
        self.customers = self.customers if customers is None else customers
        return asyncio.run(self.job.step(NOW))

    def reasons(self):
        return [made.reason for made in self.sent]


HOUR_MS = 3_600_000
LONG_AGO, LATELY = NOW - 25 * HOUR_MS, NOW - 2 * HOUR_MS


def test_the_first_fit_is_made_once_few_come_new(monkeypatch):
    world = Steps(monkeypatch)
    assert world.step(300) == job.FIRST_SECONDS  # nobody knows yet whether many are to come
    assert world.step(331) == job.FIRST_SECONDS
    assert not world.sent
    assert world.step(364) == job.FITTED_SECONDS
    assert world.reasons() == ["scheduled"]


def test_a_later_fit_waits_for_nobody(monkeypatch):
    world = Steps(monkeypatch, LONG_AGO, 300)
    world.step(900)
    assert world.reasons() == ["scheduled"]


def test_a_frozen_population_is_left_alone(monkeypatch):
    world = Steps(monkeypatch, LONG_AGO, 300)
    world.stands = world.stands._replace(frozen=True)
    assert world.step(900) == job.FITTED_SECONDS
    assert (world.sent, world.looks) == ([], 0)


def test_a_fit_is_due_by_the_newest_one_whoever_made_it(monkeypatch):
    world = Steps(monkeypatch, NOW - 23 * HOUR_MS, job.FEW)
    assert world.step(300) == 3_600
    assert not world.sent
    world.over(fit_hours=22.0)
    world.step()
    assert len(world.sent) == 1


def test_a_fit_is_made_anew_once_there_are_half_as_many_again(monkeypatch):
    world = Steps(monkeypatch, LATELY, 300)
    assert world.step(449) == job.FITTED_SECONDS
    assert not world.sent
    world.step(450)
    assert world.reasons() == ["grown from 300 customers"]


def test_a_small_fit_is_looked_at_no_later_than_the_next_is_due(monkeypatch):
    world = Steps(monkeypatch, NOW - 24 * HOUR_MS + 5_000, 300)
    assert world.step(300) == 5


def test_of_many_customers_nobody_is_counted_between_two_fits(monkeypatch):
    world = Steps(monkeypatch, LATELY, job.FEW)
    assert world.step(300) == 3_600
    assert world.looks == 0
    small = Steps(monkeypatch, LATELY, job.FEW - 1)
    assert small.step(300) == job.FITTED_SECONDS
    assert small.looks == 1


def test_with_too_few_customers_it_looks_again_later(monkeypatch):
    world = Steps(monkeypatch)
    assert [world.step(20), world.step(20)] == [job.FIRST_SECONDS] * 2
    assert not world.sent


def test_whole_customers_are_counted_where_the_sample_was_halved(monkeypatch):
    world = Steps(monkeypatch)
    some, halved = sampled(*people(1_000)), sampled(*people(3_000), most=1_000)
    assert len(halved.customers) < 1.1 * len(some.customers)
    found = iter((some, halved))

    async def read(settings):
        return next(found)

    monkeypatch.setattr(sample, "read", read)
    assert [world.step(), world.step()] == [job.FIRST_SECONDS] * 2
    assert not world.sent


def test_what_is_appended_holds_what_models_have_learnt_with(monkeypatch, caplog):
    caplog.set_level("INFO")
    world = Steps(monkeypatch, LONG_AGO, 300, {"churn": 2_345})
    world.step(600)
    (made,) = world.sent
    assert decode(made.population).contacts == DEFAULT.contacts
    assert "contacts as before: the churn model has learnt 2,345 examples with them" in caplog.text
