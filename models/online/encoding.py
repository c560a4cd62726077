"""Rows of other people's data -> features: text, booleans, missing and skewed numbers.

Each column is read by itself, and what is remembered of it is bounded. A row is encoded by
what was known before it: labels reach the encoder when they reach the models, never earlier.
Same rows and labels in the same order, same features.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Self

import msgspec
from msgspec import Struct, field

COLUMNS = 256  # more columns than that are not read
FIRST = 20  # numbers after which a column's middle and width are settled, for good
VALUES = 8  # of a text column get a feature each; those that come later share one
RATED = 512  # of a text column have a rate each; those that come later share one
OTHER = "other"
STRAIGHT = 4.0  # widths from the middle up to which a number counts as it is
SKEWED = 6.0  # widths from the middle of which one of the first shows a long tail
GAPS = 5  # times a column was empty before that is a feature too
WEIGHT = 20.0  # labels that a value's rate is shrunk by towards the rate of all
NOTHING = frozenset(("", "na", "n/a", "nan", "null", "none", "?"))


class Column(Struct, omit_defaults=True):
    """What is remembered of one column."""

    seen: int = 0
    empty: int = 0
    first: list[float] = field(default_factory=list)  # until the width is settled
    middle: float = 0.0
    width: float = 0.0  # 0: not settled yet
    skewed: bool = False
    usual: bool = False  # at least half of the first were the middle itself
    values: list[str] = field(default_factory=list)  # those with a feature of their own
    rates: dict[str, list[int]] = field(default_factory=dict)  # value -> labels, positive ones


class Encoder:
    """Rows into features: `encode_one` when predicting, `learn_one` when the label is known."""

    def __init__(self) -> None:
        self.columns: dict[str, Column] = {}
        self.labels = [0, 0]  # all, positive ones

    def encode_one(self, row: Mapping[str, object]) -> dict[str, float]:
        """Return a row's features, and remember what the row shows of its columns.

        A number is a feature by the column's name, and "column!" where it is not what most
        are; a text's value is one of "column=value" (1 or 0), and its past rate of labels
        "column~"; an empty field shows as "column?" in columns that are empty now and then.
        """
        features: dict[str, float] = {}
        for name, given in row.items():
            column = self.columns.get(name)
            if column is None:
                if len(self.columns) >= COLUMNS:
                    continue
                column = self.columns[name] = Column()
            value = read(given)
            if column.empty >= GAPS:
                features[f"{name}?"] = 1.0 if value is None else 0.0
            if value is None:
                column.empty += 1
            elif isinstance(value, float):
                _number(column, name, value, features)
            else:
                self._text(column, name, value, features)
            column.seen += 1
        return features

    def learn_one(self, row: Mapping[str, object], y: float) -> None:
        """Take in a row's label, 1 or 0."""
        positive = y >= 0.5
        self.labels[0] += 1
        self.labels[1] += positive
        for name, given in row.items():
            column = self.columns.get(name)
            if column is None or not column.values:
                continue
            value = read(given)
            if isinstance(value, str):
                if value not in column.rates and len(column.rates) >= RATED:
                    value = OTHER
                rate = column.rates.setdefault(value, [0, 0])
                rate[0] += 1
                rate[1] += positive

    def _text(self, column: Column, name: str, value: str, features: dict[str, float]) -> None:
        values = column.values
        if value not in values and len(values) < VALUES:
            values.append(value)
        for one in values:
            features[f"{name}={one}"] = 1.0 if one == value else 0.0
        if len(column.rates) > VALUES:
            labels, positives = self.labels
            base = (positives + 0.5) / (labels + 1.0)
            known, true = column.rates.get(value) or column.rates.get(OTHER) or [0, 0]
            rate = (true + WEIGHT * base) / (known + WEIGHT)
            features[f"{name}~"] = math.log(rate / (1.0 - rate)) - math.log(base / (1.0 - base))

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        state: dict[str, Any] = msgspec.to_builtins(
            {"columns": self.columns, "labels": self.labels}
        )
        return state

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the encoder that `to_state` wrote. Raises msgspec.ValidationError on others."""
        encoder = cls()
        encoder.columns = msgspec.convert(state["columns"], dict[str, Column])
        encoder.labels = [int(count) for count in state["labels"]]
        return encoder


def read(given: object) -> float | str | None:
    """Return a field as a number or a text; None when it is empty or no finite number."""
    if isinstance(given, (int, float)):
        if isinstance(given, int) and abs(given) > 1e300:
            return None
        return float(given) if math.isfinite(given) else None
    if given is None:
        return None
    text = str(given).strip()
    if text.lower() in NOTHING:
        return None
    try:
        number = float(text)
    except ValueError:
        return text[:200]
    return number if math.isfinite(number) else None


def _number(column: Column, name: str, value: float, features: dict[str, float]) -> None:
    if not column.width:
        column.first.append(value)
        if len(column.first) < FIRST or not _settle(column):
            return
    away = (value - column.middle) / column.width
    size = abs(away)
    if column.skewed:
        size = math.log1p(size)
    elif size > STRAIGHT:
        size = STRAIGHT + math.log1p(size - STRAIGHT)
    features[name] = math.copysign(size, away)
    if column.usual:
        features[f"{name}!"] = 0.0 if away == 0.0 else 1.0


def _settle(column: Column) -> bool:
    """Settle middle and width by the first numbers, if they differ at all."""
    first = sorted(column.first)
    if first[0] == first[-1]:
        del column.first[FIRST:]
        return False
    count = len(first)
    column.middle = middle = first[count // 2]
    width = (first[(3 * count) // 4] - first[count // 4]) / 1.35
    if width <= 0.0:  # most are one value: the usual distance of the others
        apart = [abs(value - middle) for value in first if value != middle]
        width = sum(apart) / len(apart)
    column.width = width
    column.usual = 2 * first.count(middle) >= count and len(set(first)) > 2
    column.skewed = max(first[-1] - middle, middle - first[0]) > SKEWED * width
    column.first = []
    return True
