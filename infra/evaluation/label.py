"""Which column is to be predicted, and which of its values."""

from __future__ import annotations

from dataclasses import dataclass

from infra.errors import UserError
from infra.evaluation.columns import Column, told
from infra.evaluation.reading import Cells, UnusableRowError
from infra.evaluation.roles import SHOWN, Asked, listed

_LABELS = (
    "label", "target", "y", "churn", "churned", "is_churn", "exited", "attrition", "left", "class",
    "outcome", "response", "default", "converted", "conversion", "bought", "purchased",
    "churn label", "churn_label", "churn_flag", "attrition_flag", "has_churned", "cancelled",
    "canceled", "is_cancelled", "is_canceled", "defaulted", "fraud", "is_fraud", "survived", "risk",
)  # fmt: skip
_POSITIVE = (
    "1", "true", "yes", "y", "t", "churn", "churned", "left", "gone", "lost", "positive", "bad",
    "default", "spam", "ja", "oui", "si", "sí", "sim", "예", "해지", "이탈", "gekündigt",
)  # fmt: skip
_YES, _NO = ("1", "true", "yes", "y", "t"), ("0", "false", "no", "n", "f")
_NOT_ONE = {*_NO, "-1"}  # the other value where 1 is yes: of 1 and 2 either may be


NEARLY = 0.99  # of the rows have one of the two values; others are told and left out


@dataclass(frozen=True, slots=True)
class Label:
    """The column that is predicted: `positive`, however it is written, against `negatives`."""

    column: str
    positive: str
    positives: frozenset[str]
    negatives: frozenset[str]

    def __call__(self, cells: Cells) -> float | None:
        """Return 1 or 0; None when it is not known. Raises UnusableRowError on neither."""
        cell = cells.get(self.column)
        if cell is None:
            return None
        value = told(cell)
        if value in self.positives:
            return 1.0
        if value in self.negatives:
            return 0.0
        raise UnusableRowError(f"no label: {value!r} in column {self.column!r}")


def label(columns: dict[str, Column], asked: Asked, notes: list[str]) -> Label:
    """Return what is predicted. Raises UserError when it cannot be told."""
    column = columns[asked.label or _found(columns, asked, notes)]
    spelt = _spelt(column)
    counts = _counts(column, spelt)
    values = counts if asked.positive is not None else _two(column, counts)
    positive = _positive(column, values, spelt, asked, notes)
    positives = frozenset(value for value, named in spelt.items() if named == positive)
    negatives = frozenset(value for value, named in spelt.items() if named in values) - positives
    if len(positives | negatives) > len(values):
        notes.append(f"written in several ways: {listed(sorted(positives))} are {positive!r}")
    return Label(column.name, positive, positives, negatives)


def _spelt(column: Column) -> dict[str, str]:
    """Return by value which one it is: yes, Yes and 1 are one where there are but yes and no."""
    for kind in (str, str.casefold, _truth) if column.classes <= SHOWN else ():
        spelt: dict[str, str] = {}
        first: dict[str, str] = {}
        for value in sorted(column.values, key=lambda one: (-column.values[one], one)):
            spelt[value] = first.setdefault(kind(value), value)
        if len(first) == 2:
            return spelt
    return {value: value for value in column.values}


def _truth(value: str) -> str:
    folded = value.casefold()
    return "1" if folded in _YES else "0" if folded in _NO else folded


def _counts(column: Column, spelt: dict[str, str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for value, count in column.values.items():
        counts[spelt[value]] = counts.get(spelt[value], 0) + count
    return counts


def _two(column: Column, counts: dict[str, int]) -> dict[str, int]:
    """Return the column's values, or its two commonest if others hardly ever come."""
    common = dict(sorted(counts.items(), key=lambda one: -one[1])[:2])
    nearly = len(common) == 2 and sum(common.values()) >= NEARLY * column.present
    return common if nearly else counts


def _found(columns: dict[str, Column], asked: Asked, notes: list[str]) -> str:
    two = [
        name
        for name, column in columns.items()
        if len(_two(column, _counts(column, _spelt(column)))) == 2
        or (asked.positive and not column.more and column.classes > 1)
    ]
    by_name = {name.casefold(): name for name in two}
    for name in _LABELS:
        if name in by_name:
            notes.append(f"predicted: the column {by_name[name]!r}, by its name")
            return by_name[name]
    known = {name.casefold(): column for name, column in columns.items()}
    for column in filter(None, map(known.get, _LABELS)):
        if 2 < column.classes <= SHOWN and not column.more:
            return column.name
        if column.classes < 2:
            raise UserError(
                f"column {column.name!r} has "
                + (f"one value only, {listed(column.values)}" if column.present else "no values"),
                "What is predicted has two. --label chooses another column.",
            )
    last = list(columns)[-1]
    if last in two:
        notes.append(f"predicted: the last column, {last!r}; --label chooses another")
        return last
    raise UserError(
        "cannot tell which column is to be predicted",
        f"Say it with --label. Two values have: {listed(two) or 'none'}.",
    )


def _positive(
    column: Column, values: dict[str, int], spelt: dict[str, str], asked: Asked, notes: list[str]
) -> str:
    by_name = {value.casefold(): named for value, named in spelt.items() if named in values}
    if asked.positive is not None:
        wanted = told(asked.positive).casefold()
        if wanted not in by_name:
            raise UserError(
                f"column {column.name!r} never has the value {asked.positive!r}",
                f"It has {listed(values)}.",
            )
        return by_name[wanted]
    if len(values) != 2:
        raise UserError(
            f"column {column.name!r} has {'more than ' if column.more else ''}{len(values)} "
            "values; what is predicted has two",
            f"Say with --positive which one is predicted, against the rest: {listed(values)}.",
        )
    for value in _POSITIVE:
        if value in by_name and (value != "1" or by_name.keys() & _NOT_ONE):
            return by_name[value]
    rare = min(values, key=lambda value: (values[value], value))
    notes.append(f"predicted is {rare!r}, the rarer value of {column.name!r}; or say --positive")
    return rare
