"""The worker's customers, and what an offline fold of its own log makes of them."""

from models.customer import decode
from models.judge import Judge
from models.react import Position
from models.replay import replay
from models.topics import EVENTS, PROFILES
from tests.support.kafka_log import each, newest


def customers_in(settings):
    """Return the customers that the worker has written, by id."""
    values = newest(settings.brokers, settings.topic(PROFILES)).values()
    return {customer.customer_id: customer for customer in map(decode, values)}


def offline(settings):
    """Fold the log again, without a stream."""
    log = (
        (Position("events", record.partition, record.offset), record.value)
        for record in each(settings.brokers, settings.topic(EVENTS))
    )
    return replay(log, Judge.untrained(horizon_days=settings.horizon_days))


def folded(customer):
    """What the log alone decides of a customer: all but what its models said."""
    return (
        customer.offset, customer.applied, customer.seen, customer.clock_ms, customer.version,
        customer.merged_into, customer.absorbed, customer.profile, customer.rhythm,
    )  # fmt: skip


def agreed(settings):
    """Return all customers if they are what the log gives; it is followed a moment later."""
    again, live = offline(settings), customers_in(settings)
    same = {id: folded(one) for id, one in live.items()} == {
        id: folded(one) for id, one in again.items()
    }
    return live if same else None
