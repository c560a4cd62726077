"""Prequential evaluation: predict each row at its time, learn it when its label is known.

A model never sees a label before its time has come, nor a row out of order: what is
measured is what a stream would have served (Dawid 1984; with delayed labels, Žliobaitė
et al. 2015). What waits for a label is all that is held, and packed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from heapq import heappop, heappush
from typing import Any, NamedTuple, Protocol

from models.online.held import Packed, Packer, unpack
from models.online.tally import Tally

CHAMPION = "champion"  # who is served, whichever candidate that is at the time


def hashed(text: str) -> int:
    """Return a number of 64 bits that follows from a text, in each process the same."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def owner(key: str, row: int) -> int:
    """Return a number for whose a row is; one without a key is its own."""
    return hashed(key or f"row {row}")


class Row(NamedTuple):
    """One prediction to make; times in one unit, ascending. `label` None: never known."""

    at: float
    key: str
    features: Mapping[str, Any]  # as the pupil takes them
    label_at: float
    label: float | None
    weight: float = 1.0  # what it counts when it is learnt (see models.overlap); never in figures


class Said(NamedTuple):
    """Each candidate's probability for a row, and the features as they were then."""

    chances: dict[str, float]
    seen: Mapping[str, Any]


class Pupil(Protocol):
    """Who predicts and learns: several candidates at once, and one of them is served."""

    @property
    def champion(self) -> str:
        """The candidate that is served now."""

    def predict_one(self, row: Row) -> Said:
        """Return each candidate's probability; the row's label is not to be looked at."""

    def learn_one(self, row: Row, said: Said) -> None:
        """Learn one row whose label is known now; `said`: what was predicted at its time."""


class Reign(NamedTuple):
    """Since when a candidate is served."""

    row: int  # rows predicted before, from 0
    at: float
    candidate: str


class Window(NamedTuple):
    """The figures of so many rows in a row, by candidate."""

    first: int
    begins: float
    ends: float
    rows: int
    figures: dict[str, dict[str, float | None]]


class _Waiting(NamedTuple):
    """A row that was predicted and whose label is to come; packed, for there may be many."""

    label_at: float
    number: int
    at: float
    key: str
    label: float
    features: Packed
    seen: Packed
    chances: Packed
    weight: float


class Prequential:
    """The run: rows in, figures out, of all rows and of those from `tested_from` on.

    Each `window` rows also get figures of their own: a constant can get a good AUC over
    all of them while the base rate drifts.
    """

    def __init__(self, pupil: Pupil, tested_from: int = 0, window: int = 2_000) -> None:
        self.pupil = pupil
        self.tested_from = tested_from
        self.rows = self.learnt = self.unlabelled = 0
        self.whole: dict[str, Tally] = {}
        self.tested: dict[str, Tally] = {}
        self.windows: list[Window] = []
        self.reigns: list[Reign] = []
        self._window = window
        self._part: dict[str, Tally] = {}
        self._part_rows, self._part_begins, self._now = 0, 0.0, float("-inf")
        self._waiting: list[_Waiting] = []
        self._packer = Packer()

    def run(
        self,
        rows: Iterable[Row],
        tell: Callable[[int], None] = lambda _: None,
        seen: Callable[[Row, Mapping[str, float]], None] = lambda *_: None,
    ) -> None:
        """Predict and learn all rows, in order; `tell` is given how many are done, `seen` each."""
        for row in rows:
            seen(row, self.ask(row))
            tell(self.rows)
        self.close()

    def ask(self, row: Row) -> Mapping[str, float]:
        """Learn what is known by the row's time, then predict it. Raises ValueError out of order.

        Returns what each candidate said.
        """
        if not row.at >= self._now:
            raise ValueError(f"row {self.rows + 1}: time {row.at} is before {self._now}")
        self._now = row.at
        self._release(row.at)
        if not self.reigns or self.reigns[-1].candidate != self.pupil.champion:
            self.reigns.append(Reign(self.rows, row.at, self.pupil.champion))
        said = self.pupil.predict_one(row)
        chances = {CHAMPION: said.chances[self.pupil.champion], **said.chances}
        if row.label is None:
            self.unlabelled += 1
        else:
            self._score(row, chances)
            heappush(self._waiting, self._held(row, said, row.label))
        self.rows += 1
        if self._part_rows >= self._window:
            self.close()
        return chances

    def close(self) -> None:
        """End the window that is open. Labels due after the last row are never learnt."""
        if self._part_rows:
            figures = {name: tally.figures() for name, tally in self._part.items()}
            first = self.rows - self._part_rows
            self.windows.append(
                Window(first, self._part_begins, self._now, self._part_rows, figures)
            )
        self._part, self._part_rows = {}, 0

    def report(self) -> dict[str, Any]:
        """Return all figures, as JSON types."""
        return {
            "rows": self.rows,
            "learnt": self.learnt,
            "unlabelled": self.unlabelled,
            "tested_from": self.tested_from,
            "champion": self.pupil.champion,
            "champions": [reign._asdict() for reign in self.reigns],
            "whole": {name: tally.figures() for name, tally in self.whole.items()},
            "tested": {name: tally.figures() for name, tally in self.tested.items()},
            "calibration": {
                name: [part._asdict() for part in tally.calibration()]
                for name, tally in self.tested.items()
            },
            "lift": {name: tally.lift() for name, tally in self.tested.items()},
            "windows": [window._asdict() for window in self.windows],
        }

    def _release(self, now: float) -> None:
        waiting = self._waiting
        while waiting and waiting[0].label_at <= now:
            held = heappop(waiting)
            features = unpack(held.features)
            seen = features if held.seen is held.features else unpack(held.seen)
            row = Row(held.at, held.key, features, held.label_at, held.label, held.weight)
            self.pupil.learn_one(row, Said(unpack(held.chances), seen))
            self.learnt += 1

    def _held(self, row: Row, said: Said, label: float) -> _Waiting:
        pack = self._packer.pack
        features = pack(row.features)
        seen = features if said.seen is row.features else pack(said.seen)
        chances = pack(said.chances)
        return _Waiting(
            row.label_at, self.rows, row.at, row.key, label, features, seen, chances, row.weight
        )

    def _score(self, row: Row, said: Mapping[str, float]) -> None:
        assert row.label is not None
        if not self._part_rows:
            self._part_begins = row.at
        parts = [self.whole, self._part]
        if self.rows >= self.tested_from:
            parts.append(self.tested)
        for part in parts:
            for name, probability in said.items():
                tally = part.get(name)
                if tally is None:
                    tally = part[name] = Tally()
                tally.update(probability, row.label)
        self._part_rows += 1
