"""Alerts as the fold raises them, and how far the deliverer is with them."""

import time
from collections import Counter

import msgspec

from models.delivery import Entry
from models.records import Alert
from models.topics import OUTBOX
from tests.support.kafka_log import newest


def alert(number, age_hours=0.0):
    """Return (key, value) of a customer's alert, opened so long ago."""
    at = int(time.time() * 1000 - age_hours * 3_600_000)
    made = Alert(
        alert_id=f"churn_risk:c_{number}:1:opened",
        episode_id=f"churn_risk:c_{number}:1",
        customer_id=f"c_{number}",
        rule="churn_risk",
        status="opened",
        severity="warning",
        at_ms=at,
        received_ms=at,
        cause=f"e{number}",
        identifiers=[f"user_id:{number}"],
    )
    return (made.customer_id.encode(), msgspec.json.encode(made))


def outcomes(settings):
    """Return how many entries of the outbox stand how."""
    values = newest(settings.brokers, settings.topic(OUTBOX)).values()
    return Counter(msgspec.json.decode(value, type=Entry).status for value in values)
