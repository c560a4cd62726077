"""Rows laid out as columns: eight bytes a number, four a text, whatever the file was.

A column that ever holds a text is one of texts. What a row does not have is missing.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from models.online.prequential import Row

MISSING = float("nan")
NOTHING = "?"  # what a missing text counts as


class Matrix:
    """Rows in time order, held by column; `names`: the columns of numbers, `texts` the others."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """Take in all rows."""
        at, known, labels = array("d"), array("d"), array("d")
        numbers: dict[str, array[float]] = {}
        words: dict[str, _Words] = {}
        for place, row in enumerate(rows):
            at.append(row.at)
            known.append(row.label_at)
            labels.append(MISSING if row.label is None else row.label)
            _take(row.features, place, numbers, words)
        self.rows = len(at)
        for column in numbers.values():
            column.extend([MISSING] * (self.rows - len(column)))
        for texts in words.values():
            texts.reach(self.rows)
        self.at, self.known, self.labels = (np.frombuffer(one) for one in (at, known, labels))
        self.names, self.texts = sorted(numbers), sorted(words)
        self._numbers = [np.frombuffer(numbers[name]) for name in self.names]
        self._words = [words[name] for name in self.texts]

    def seen(self, places: np.ndarray) -> list[int]:
        """Return the columns of numbers, by place, that are not empty in these rows."""
        return [
            place
            for place, column in enumerate(self._numbers)
            if not np.isnan(column[places]).all()
        ]

    def frame(self, places: np.ndarray, numbers: list[int]) -> Any:
        """Return these rows as a pandas frame: the numbers' columns asked for, then all texts."""
        import pandas

        columns: dict[str, Any] = {
            self.names[place]: self._numbers[place][places] for place in numbers
        }
        for name, texts in zip(self.texts, self._words, strict=True):
            columns[name] = texts.at(places)
        return pandas.DataFrame(columns, index=range(len(places)))


class _Words:
    """A column of texts: each text once, and its number by row."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {NOTHING: 0}
        self._rows = array("i")

    def reach(self, rows: int) -> None:
        """Be missing up to a row."""
        self._rows.extend([0] * (rows - len(self._rows)))

    def append(self, text: str) -> None:
        """Take in the next row's text."""
        self._rows.append(self._numbers.setdefault(text, len(self._numbers)))

    def at(self, places: np.ndarray) -> np.ndarray:
        """Return the texts of these rows."""
        names = np.array(list(self._numbers), object)
        found: np.ndarray = names[np.frombuffer(self._rows, np.intc)[places]]
        return found


def _take(
    features: Mapping[str, Any],
    place: int,
    numbers: dict[str, array[float]],
    words: dict[str, _Words],
) -> None:
    for name, cell in features.items():
        texts = words.get(name)
        if texts is None and isinstance(cell, str):
            texts = words[name] = _Words()
            for number in numbers.pop(name, ()):
                texts.append(NOTHING if number != number else repr(number))
        if texts is not None:
            texts.reach(place)
            texts.append(_word(cell))
            continue
        column = numbers.get(name)
        if column is None:
            column = numbers[name] = array("d")
        column.extend([MISSING] * (place - len(column)))
        column.append(MISSING if cell is None else float(cell))


def _word(cell: Any) -> str:
    if cell is None:
        return NOTHING
    return cell if isinstance(cell, str) else repr(float(cell))
