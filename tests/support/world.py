"""The stream in small: a log of partitions that are folded and read again at any pace.

Whatever is sent goes to the log's end, so every interleaving of partitions can occur. A step
that crashes has sent its outputs, and keeps no state.
"""

from models.customer import Customer
from models.events import decode_event, encode_event
from models.react import Position, react
from models.regroup import part, refolded, wanted_until
from models.timers import fired


class World:
    """The `events` topic, its fold and its refolder."""

    def __init__(self, partitions, judge):
        self.judge = judge
        self.partitions = [[] for _ in range(partitions)]
        self.under_way = [[] for _ in range(partitions)]  # from the resolver
        self.done = [0] * partitions
        self.customers = {}
        self.decisions, self.alerts, self.scores = [], [], []

    def place(self, customer_id):
        return sum(customer_id.encode()) % len(self.partitions)

    def send(self, events, crashes_at=None):
        """Append events; a sender that crashes sends all of them once more."""
        again = () if crashes_at is None else events[:crashes_at]
        for one in (*again, *events):
            self.partitions[self.place(one.customer_id)].append(encode_event(one))

    def tell(self, events, crashes_at=None):
        """Send what the resolver says: to each partition in order, to all at their own pace."""
        again = () if crashes_at is None else events[:crashes_at]
        for one in (*again, *events):
            self.under_way[self.place(one.customer_id)].append(one)

    def arrive(self, number, count):
        """Let the next events from the resolver come to one partition."""
        self.send(self.under_way[number][:count])
        del self.under_way[number][:count]

    def fold(self, number, count, crashes_at=None):
        """Fold the next records of one partition as a batch."""
        start = self.done[number]
        batch = self.partitions[number][start : start + count]
        before, sent, reactions = dict(self.customers), [], []
        for offset, value in enumerate(batch, start):
            event = decode_event(value)
            customer = self.customers.get(event.customer_id)
            customer = customer or Customer(customer_id=event.customer_id)
            at = Position("events", number, offset)
            reaction = react(customer, event, at, self.judge)
            if reaction.changed:
                self.customers[event.customer_id] = reaction.customer
            sent += reaction.events
            reactions.append(reaction)
        if crashes_at is not None:
            self.send(sent[:crashes_at])
            self.customers = before
            return
        self.send(sent)
        self.done[number] += len(batch)
        for reaction in reactions:
            self.decisions += reaction.decisions
            self.alerts += reaction.alerts
            self.scores += reaction.scores

    def waiting(self):
        """Return those whose own events are wanted, and up to where."""
        wanted = {id: wanted_until(one.regroup) for id, one in self.customers.items()}
        return {id: until for id, until in wanted.items() if until is not None}

    def refold(self, customer_id, until, times=1):
        """Read a member's own events again, and append what they give."""
        number = self.place(customer_id)
        values = self.partitions[number][: until + 1]
        log = [(Position("events", number, n), decode_event(v)) for n, v in enumerate(values)]
        own = part(customer_id, log[:until])
        self.send([refolded(log[until][1], until, own)] * times)

    def hurry(self, number):
        """Let one partition do all that it can: the others have yet to come to it."""
        for _ in range(3):
            self.arrive(number, 1_000)
            self.fold(number, 1_000)
            for customer_id, until in self.waiting().items():
                if self.place(customer_id) == number:
                    self.refold(customer_id, until)

    def ring(self, customer_id):
        """Append that the customer's next timer fired, if it has one."""
        due = min(self.customers[customer_id].timers.values(), default=None)
        if due is not None:
            self.send([fired(customer_id, due, due)])

    def settle(self):
        """Go on until nothing is left to do."""
        for _ in range(10_000):
            for number in range(len(self.partitions)):
                self.arrive(number, 1_000)
            while any(self.done[n] < len(held) for n, held in enumerate(self.partitions)):
                for number in range(len(self.partitions)):
                    self.fold(number, 1_000)
            waiting = self.waiting()
            if not waiting:
                return
            for customer_id, until in waiting.items():
                self.refold(customer_id, until)
        raise AssertionError("it does not come to rest")

    def log(self):
        """Return the whole log, as `replay` takes it."""
        return [
            (Position("events", number, offset), value)
            for number, values in enumerate(self.partitions)
            for offset, value in enumerate(values)
        ]
