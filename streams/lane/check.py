"""The topics, looked at before anything starts: all there, and as wide as they should be.

Faust would idle on a missing topic, and a topic of another width would send a
customer's events to a partition whose state is elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient


class TopicsError(Exception):
    """The cluster's topics are not what this deployment needs; each line says what to do."""


def differences(wanted: Mapping[str, int], found: Mapping[str, int]) -> list[str]:
    """Return one line for each topic that is missing or has another number of partitions."""
    lines = []
    for name, width in wanted.items():
        if name not in found:
            lines.append(f"topic {name} is missing: `c360 topics --create` makes it")
        elif found[name] != width:
            lines.append(
                f"topic {name} has {found[name]} partitions, not {width}: "
                f"set C360_PARTITIONS to what it has, or use another C360_TOPIC_PREFIX"
            )
    return lines


async def check_topics(brokers: str, wanted: Mapping[str, int]) -> None:
    """Compare the cluster's topics with those wanted (full name -> partitions).

    Raises TopicsError; KafkaConnectionError when no broker answers.
    """
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=brokers)
    await admin.start()
    try:
        described = await admin.describe_topics(list(wanted))
    finally:
        await admin.close()
    found = {t["topic"]: len(t["partitions"]) for t in described if not t["error_code"]}
    if lines := differences(wanted, found):
        raise TopicsError("\n".join(lines))
