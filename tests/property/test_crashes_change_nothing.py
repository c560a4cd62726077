"""Steps that crash between their outputs and their state, in every order: no profile can tell."""

from functools import reduce
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from models.customer import Customer
from models.events import CustomerIdentified, Identifier, decode_event, encode_event
from models.identity import identify
from models.judge import Judge
from models.links import links_of, merged, resolve
from models.profile import Profile, evolve
from models.react import Position, react
from models.replay import replay
from tests.support.histories import event, histories

JUDGE = Judge.untrained()
NAMES = [
    Identifier(type=kind, value=value)
    for kind, value in (("anonymous_id", "a-1"), ("device_id", "d-1"), ("email", "ana@x.com"))
]
USER = Identifier(type="user_id", value="ana")
PARTITIONS = 3


class Log:
    """The events topic in small; a step that crashes sends again what it had sent."""

    def __init__(self, chance):
        self.chance = chance
        self.partitions = [[] for _ in range(PARTITIONS)]

    def append(self, one):
        place = int(one.customer_id.removeprefix("c_"), 16) % PARTITIONS
        self.partitions[place].append(encode_event(one))

    def send(self, batch):
        if self.chance.random() < 0.4:  # crashed after part of it was on the broker
            for one in batch[: self.chance.randint(0, len(batch))]:
                self.append(one)
        for one in batch:
            self.append(one)

    def records(self):
        return [
            (Position("events", number, offset), value)
            for number, values in enumerate(self.partitions)
            for offset, value in enumerate(values)
        ]


class Fold:
    """The fold in small, a partition at a time, a few records a batch."""

    def __init__(self, log):
        self.log = log
        self.done = [0] * PARTITIONS
        self.customers = {}

    def step(self, number):
        start = self.done[number]
        batch = self.log.partitions[number][start : start + self.log.chance.randint(1, 5)]
        before, sent = dict(self.customers), []
        for offset, value in enumerate(batch, start):
            one = decode_event(value)
            customer = self.customers.get(one.customer_id, Customer(customer_id=one.customer_id))
            reaction = react(customer, one, Position("events", number, offset), JUDGE)
            self.customers[one.customer_id] = reaction.customer
            sent += reaction.events
        if self.log.chance.random() < 0.3:  # its outputs are on the broker, its state is not
            self.log.send(sent)
            self.customers = before
            return
        self.log.send(sent)
        self.done[number] += len(batch)

    def idle(self):
        return all(
            done == len(held) for done, held in zip(self.done, self.log.partitions, strict=True)
        )


@settings(max_examples=60, deadline=None)
@given(histories(min_size=1, max_size=25), st.integers(0, 2**32))
def test_any_split_merge_crash_and_repetition_gives_the_one_profile(history, seed):
    chance = Random(seed)
    told = [
        event(CustomerIdentified, id=f"link-{n}", who=(name, USER)) for n, name in enumerate(NAMES)
    ]
    names = [event(who=(name,)).identifiers for name in NAMES]
    split = [one.model_copy(update={"identifiers": chance.choice(names)}) for one in history]
    split = [identify(one, "", -1) for one in [*split, *told] if one.type != "customer_aliased"]
    chance.shuffle(split)

    log, forest = Log(chance), {}
    fold = Fold(log)
    for offset, one in enumerate(split):
        one = one.model_copy(update={"origin": "touchpoints/0", "origin_offset": offset})
        log.send(
            [one, one.model_copy(update={"origin_offset": -1, "origin": ""})][
                : chance.randint(1, 2)
            ]
        )
        for number, link in enumerate(links_of(one)):
            found = resolve(link, forest.get)
            forest |= found.changes
            if found.merge is not None:
                log.send([merged(link, found.merge, "identity-links/0", offset * 10 + number)])
        fold.step(chance.randrange(PARTITIONS))
    while not fold.idle():
        fold.step(chance.randrange(PARTITIONS))

    (ana,) = [one for one in fold.customers.values() if one.merged_into is None]
    assert ana.profile == reduce(evolve, split, Profile())
    assert replay(log.records(), JUDGE) == fold.customers
