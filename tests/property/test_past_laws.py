"""Laws of a past that is read in: what it teaches is true, and comes in the order of its time."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalogue import Catalogue
from models.customer import Customer
from models.events import Identifier, PageViewed
from models.identity import identify
from models.judge import Judge
from models.react import Position, react
from models.records import Example
from models.rhythm import DAY_MS
from models.timers import Alarms, fired, past_ms
from models.watermark import ALLOWANCE_MS, WINDOW, Watermark
from tests.support.histories import NOON, event

JUDGE = Judge.untrained(Catalogue(), horizon_days=10)
NOW = event(PageViewed, at=NOON).occurred_ms
DAYS = 400  # of the past, up to now
BATCH, BEHIND = 20, 60  # records
seeds = st.integers(0, 2**32)


def pasts(rng, customers=20):
    """Return customers' times, each in order: some stay, some go sooner or later."""
    found = {}
    for number in range(customers):
        at, pace = rng.uniform(0, DAYS / 2), rng.uniform(2, 15)
        ends = rng.choice([DAYS, rng.uniform(0, DAYS)])
        times = []
        while at < ends:
            times.append(NOW - int((DAYS - at) * DAY_MS))
            at += rng.expovariate(1 / pace)
        found[f"u{number}"] = times
    return found


def mixed(pasts, late):
    """Return all customers' times in order of time, each a little late, no customer's own mixed."""
    told = []
    for user, times in pasts.items():
        place = 0
        for at in times:
            place = max(place, at + late())
            told.append((place, user, at))
    return [(user, at) for _, user, at in sorted(told)]


class Reading:
    """The log of one partition, and its fold; what is appended waits behind BEHIND records."""

    def __init__(self):
        self.log, self.customers, self.taught = [], {}, []
        self.alarms, self.watermark = Alarms(), Watermark()
        self.newest = 0  # of the times that were read

    def read(self, told):
        """Read a past: (customer, time), in this order."""
        for offset, (user, at) in enumerate(told):
            touch = event(
                at=NOON.fromtimestamp(at / 1_000, NOON.tzinfo),
                received_at=NOON,
                id=f"{user}-{at}",
                who=(Identifier(type="user_id", value=user),),
            )
            self.log.append(identify(touch, "touchpoints/0", offset))
            if len(self.log) > BEHIND:
                self._fold()
        while self.log:
            self._fold()

    def _fold(self):
        reached, changed = self.watermark.reached(NOW, 600_000), {}
        if reached is not None:
            for due, key in self.alarms.due(reached, 500):
                self.log.append(fired(key.decode(), due, NOW, reached))
        batch, self.log = self.log[:BATCH], self.log[BATCH:]
        for one in batch:
            id = one.customer_id
            customer = self.customers.get(id) or Customer(customer_id=id)
            at = Position("events", 0, customer.offset + 1)
            reaction = react(customer, one, at, JUDGE)
            self.customers[id] = changed[id] = reaction.customer
            if one.origin:
                self.newest = max(self.newest, one.occurred_ms)
                self.watermark.note(one.origin, one.occurred_ms, NOW)
            self.taught += [(made, self.newest) for made in reaction.examples]
        for id, customer in changed.items():
            self.alarms.set(id.encode(), past_ms(customer))


def labels(reading, told):
    """Yield each example of churn that was taught, what is true, and the time it was taught at."""
    times = {}
    for user, at in told:
        who = event(who=(Identifier(type="user_id", value=user),))
        times.setdefault(identify(who, "", 0).customer_id, []).append(at)
    for example, then in reading.taught:
        assert isinstance(example, Example)
        came = any(example.at_ms < at < example.label_ms for at in times[example.customer_id])
        yield example, float(not came), then


@settings(max_examples=8, deadline=None)
@given(seeds, st.sampled_from([0, 0.5]))
def test_in_order_of_time_labels_are_true_and_none_is_taught_later_than_a_stretch(seed, jitter):
    rng = Random(seed)
    told = mixed(pasts(rng), lambda: rng.uniform(0, jitter) * DAY_MS)  # as exports are, nearly
    reading = Reading()
    reading.read(told)
    # Records between an event and what it lets fire; twice the way through the log, for a
    # customer may be on it, for what was due just before, when the watermark comes past.
    stretch = WINDOW + 2 * (BEHIND + 2 * BATCH) + BATCH
    order = [at for _, at in told]
    bound = (
        ALLOWANCE_MS
        + int(jitter * DAY_MS)
        + max((later - at for at, later in zip(order, order[stretch:], strict=False)), default=0)
    )
    for example, true, then in labels(reading, told):
        assert example.label == true
        assert example.label_ms <= then <= example.label_ms + bound
    waiting = [one for customer in reading.customers.values() for one in customer.pending]
    assert min(one.due_ms for one in waiting) > reading.newest - bound


@settings(max_examples=8, deadline=None)
@given(seeds)
def test_customer_by_customer_labels_are_true(seed):
    told = [(user, at) for user, times in pasts(Random(seed)).items() for at in times]
    reading = Reading()
    reading.read(told)
    assert all(example.label == true for example, true, _ in labels(reading, told))
