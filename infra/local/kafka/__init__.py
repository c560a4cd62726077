"""The embedded Kafka: a real broker in KRaft mode, as one child process."""

from infra.local.kafka.broker import KafkaBroker, is_healthy

__all__ = ["KafkaBroker", "is_healthy"]
