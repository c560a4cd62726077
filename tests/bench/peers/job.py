"""The small job that the lane and its peers do alike: its events, its totals, what each is told."""

import os

import msgspec

from infra.settings import Settings


class Event(msgspec.Struct):
    """What the job needs of an event."""

    amount: int


class Total(msgspec.Struct):
    """A key's state."""

    n: int = 0
    total: int = 0


read = msgspec.json.Decoder(Event).decode
decode, encode = msgspec.json.Decoder(Total).decode, msgspec.json.Encoder().encode
MARK = int(os.environ["MARK"])
settings = Settings.from_env({k: v for k, v in os.environ.items() if k.startswith("C360_")})
