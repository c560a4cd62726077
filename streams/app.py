"""The worker's application and its settings, put together once.

Importing a step imports this; nothing here connects to anything.
"""

from __future__ import annotations

import os

from infra.settings import Settings
from models.topics import CATALOGUE
from streams.lane import App

settings = Settings.from_env(os.environ)
app = App(
    settings.topic_prefix + "worker",
    prefix=settings.topic_prefix,
    partitions=settings.partitions,
    topics=CATALOGUE,
    broker=f"kafka://{settings.brokers}",
)
