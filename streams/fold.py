"""Step 3, fold: events -> profiles, scores, decisions, alerts, examples; and events, to winners.

Everything that an event changes about a customer is one record, so it changes
together; a customer is read once and written once a batch.
"""

from __future__ import annotations

from typing import Any

from models.customer import Customer, decode, encode
from models.errors import Reason, TouchpointRejectedError
from models.events import Event, decode_event, encode_event
from models.judge import Judge
from models.react import Position, Reaction, react
from models.records import Record as Output
from models.topics import ALERTS, DECISIONS, EVENTS, EXAMPLES, PROFILES, SCORES
from streams import judge, topics
from streams.app import app
from streams.dead_letters import bury
from streams.due import alarms
from streams.lane import Batch, Outbox, Record, View
