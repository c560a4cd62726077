"""The offers that the system decides to make, so that customers can answer them.

This closes the loop: decision -> offer shown -> taken or not -> the policy learns.
"""

from __future__ import annotations

import asyncio
import time

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from infra.errors import UserError
from infra.simulator.people import Person
from infra.simulator.world import OfferInHand
from models.events import Identifier, IdentifierType
from models.identity import customer_id_of
from models.records import Decision

_decode = msgspec.json.Decoder(Decision).decode


class Offers:
    """Follows the `decisions` topic and hands each offer out once."""

    def __init__(self, brokers: str, topic: str) -> None:
        self._brokers = brokers
        self._topic = topic
        self._newest: dict[str, Decision] = {}
        self._customers: dict[int, str] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to follow, from now on. Raises UserError when there is no such topic."""
        # Without a group a consumer takes every partition, and misses an unknown topic at once.
        consumer = AIOKafkaConsumer(
            self._topic,
            bootstrap_servers=self._brokers,
            auto_offset_reset="latest",
            enable_auto_commit=False,
        )
        try:
            await consumer.start()
        except UnknownTopicOrPartitionError as error:
            await consumer.stop()
            raise UserError(
                f"no topic {self._topic} at {self._brokers}", "Run `c360 up`."
            ) from error
        except KafkaError as error:
            await consumer.stop()
            raise UserError(f"no Kafka at {self._brokers}", "Run `c360 up`.") from error
        self._task = asyncio.create_task(self._follow(consumer))

    async def stop(self) -> None:
        """Stop following; raise what went wrong meanwhile."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def take(self, person: Person) -> OfferInHand | None:
        """Hand out the newest offer to a customer, unless it has expired or is none."""
        decision = self._newest.pop(self._customer(person), None)
        if decision is None or decision.offer == "none":
            return None
        if decision.expires_ms <= time.time() * 1000:
            return None
        return OfferInHand(decision.offer, decision.decision_id, decision.channel or "app")

    def _customer(self, person: Person) -> str:
        if person.index not in self._customers:
            known = Identifier(type=IdentifierType.USER_ID, value=person.user_id)
            self._customers[person.index] = customer_id_of(known)
        return self._customers[person.index]

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        try:
            async for record in consumer:
                decision = _decode(record.value)
                self._newest[decision.customer_id] = decision
        finally:
            await consumer.stop()
