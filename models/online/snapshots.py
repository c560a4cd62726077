"""Model snapshots: JSON, signed, so that what a worker loads is what a learner wrote.

Two lines, each signed by itself: what scorers read, and what else the learner needs to go on.
Nothing is read from a line before its signature (HMAC-SHA256 over the body's bytes) has been
checked. No pickle: a snapshot can only ever be data.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct, field

from models.online.signing import SnapshotError, seal, signature, unseal
from models.reports import Change

FORMAT = 8
# Of 3 a blend has no calibration, and begins one; 3 and 4 are one line, signed as a whole; up to 5
# trees have two levels; up to 6 `bayes` is one posterior, from which both of its go on, and up to 7
# the blend one stack, likewise, and its calibration a line.
READ = (3, 4, 5, 6, 7, FORMAT)
_END = b"\n"  # of the first line; JSON as it is written here has none within
NOTHING = Raw(b"null")


class FormatError(SnapshotError):
    """A snapshot of ours, as another version of this code wrote it."""


class Progress(Struct, frozen=True, kw_only=True):
    """How far a learner is, besides the model's own state."""

    seen: int = 0  # examples judged, learnt or not
    reported: int = 0  # of them, by the newest report
    reported_day: int = -1
    kept_day: int = -1  # day of the newest label when a state was last kept
    at_ms: int = 0  # the newest label's time
    kept: list[int] = field(default_factory=list)  # versions that one can go back to
    history: list[Change] = field(default_factory=list)


class Snapshot(Struct, frozen=True, kw_only=True):
    """One model as it stands after the record at `offset` of its log.

    What predicts is `served`; `state` is what else the learner needs to go on, and empty where
    what predicts is all there is.
    """

    model: str
    version: int  # examples learnt, ever, and commands that changed what serves
    offset: int
    state: dict[str, Any] = field(default_factory=dict)
    served: Raw = NOTHING
    champion: str = ""  # the candidate that is served
    horizon: str = ""  # what the labels mean that it learnt
    frozen: bool = False
    river: str = ""  # River's version, under which it was learnt
    evaluation: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)  # of what was served, newest report's
    progress: Progress = Progress()
    format: int = FORMAT


class Sight(Struct, frozen=True, kw_only=True):
    """What scorers read of a snapshot: its first line. The rest is passed over."""

    model: str
    version: int
    served: Raw
    horizon: str
    format: int


class Rest(Struct, frozen=True, kw_only=True):
    """What only the learner reads: the second line. Fields as of `Snapshot`."""

    signature: str  # that of the first line: the two belong together
    offset: int
    state: dict[str, Any]
    champion: str
    frozen: bool
    river: str
    evaluation: dict[str, Any]
    metrics: dict[str, float]
    progress: Progress


class Kept(Struct, frozen=True, kw_only=True):
    """An earlier state of a model, to which a rollback can go back."""

    model: str
    version: int
    learnt: int
    champion: str
    horizon: str
    state: Raw
    format: int = FORMAT


S = TypeVar("S", Snapshot, Sight, Rest)
K = TypeVar("K", Snapshot, Sight)
_encoder = msgspec.json.Encoder()
_snapshots = msgspec.json.Decoder(Snapshot)
_sights = msgspec.json.Decoder(Sight)
_rests = msgspec.json.Decoder(Rest)


def encode(snapshot: Snapshot, secret: bytes) -> bytes:
    """Write a snapshot as two lines of signed JSON: {"signature": hex, "snapshot": {…}}."""
    sight = Sight(
        model=snapshot.model,
        version=snapshot.version,
        served=snapshot.served,
        horizon=snapshot.horizon,
        format=snapshot.format,
    )
    first = seal(_encoder.encode(sight), secret)
    rest = Rest(
        signature=signature(first),
        offset=snapshot.offset,
        state=snapshot.state,
        champion=snapshot.champion,
        frozen=snapshot.frozen,
        river=snapshot.river,
        evaluation=snapshot.evaluation,
        metrics=snapshot.metrics,
        progress=snapshot.progress,
    )
    return first + _END + seal(_encoder.encode(rest), secret)


def decode(value: bytes, secret: bytes) -> Snapshot:
    """Read what `encode` wrote. Raises SnapshotError, saying what is wrong with it."""
    first, end, second = value.partition(_END)
    if not end:
        return _known(_read(value, secret, _snapshots))
    sight, rest = glance(first, secret), _read(second, secret, _rests)
    if rest.signature != signature(first):
        raise SnapshotError("its two lines are not of one snapshot")
    return Snapshot(
        model=sight.model,
        version=sight.version,
        offset=rest.offset,
        state=rest.state,
        served=sight.served,
        champion=rest.champion,
        horizon=sight.horizon,
        frozen=rest.frozen,
        river=rest.river,
        evaluation=rest.evaluation,
        metrics=rest.metrics,
        progress=rest.progress,
        format=sight.format,
    )


def glance(value: bytes, secret: bytes) -> Sight:
    """Read of a snapshot what scorers need. Raises SnapshotError as `decode` does."""
    end = value.find(_END)
    return _known(_read(value if end < 0 else value[:end], secret, _sights))


def kept_key(model: str, version: int) -> bytes:
    """Return the key of an earlier state, beside the model's own."""
    return f"{model}@{version}".encode()


def is_kept(key: bytes) -> bool:
    """Tell whether a key of `model-snapshots` is that of an earlier state."""
    return b"@" in key


def _read(value: bytes, secret: bytes, decoder: msgspec.json.Decoder[S]) -> S:
    try:
        return decoder.decode(unseal(value, secret))
    except msgspec.ValidationError as error:
        raise FormatError(f"not a snapshot that this version knows: {error}") from error


def _known(read: K) -> K:
    if read.format not in READ:
        raise FormatError(
            f"format {read.format}; this version knows {FORMAT}:"
            " `c360 rebuild models --swap` learns the model anew"
        )
    return read
