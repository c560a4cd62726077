"""Which column is to be predicted, and which of its values."""

from __future__ import annotations

from dataclasses import dataclass

from infra.errors import UserError
from infra.evaluation.columns import Column, told
from infra.evaluation.reading import Cells, UnusableRowError
from infra.evaluation.roles import Asked, listed

_LABELS = (
    "label", "target", "y", "churn", "churned", "is_churn", "exited", "attrition", "left", "class",
    "outcome", "response", "default", "converted", "conversion", "bought", "purchased",
    "churn label", "churn_label", "churn_flag", "attrition_flag", "has_churned", "cancelled",
    "canceled", "is_cancelled", "is_canceled", "defaulted", "fraud", "is_fraud", "survived", "risk",
)  # fmt: skip
_POSITIVE = (
    "1", "true", "yes", "y", "t", "churn", "churned", "left", "gone", "lost", "positive", "bad",
    "default", "spam",
)  # fmt: skip


NEARLY = 0.99  # of the rows have one of the two values; others are told and left out


@dataclass(frozen=True, slots=True)
class Label:
    """The column that is predicted: `positive` against `negatives`."""

    column: str
    positive: str
    negatives: frozenset[str]

    def __call__(self, cells: Cells) -> float | None:
        """Return 1 or 0; None when it is not known. Raises UnusableRowError on neither."""
        cell = cells.get(self.column)
        if cell is None:
            return None
        value = told(cell)
        if value == self.positive:
            return 1.0
        if value in self.negatives:
            return 0.0
        raise UnusableRowError(f"no label: {value!r} in column {self.column!r}")


def label(columns: dict[str, Column], asked: Asked, notes: list[str]) -> Label:
    """Return what is predicted. Raises UserError when it cannot be told."""
    column = columns[asked.label or _found(columns, asked, notes)]
    values = dict(column.values) if asked.positive is not None else _two(column)
    positive = _positive(column, values, asked, notes)
    return Label(column.name, positive, frozenset(values) - {positive})


def _two(column: Column) -> dict[str, int]:
    """Return the column's values, or its two commonest if others hardly ever come."""
    common = dict(column.values.most_common(2))
    nearly = len(common) == 2 and sum(common.values()) >= NEARLY * column.present
    return common if nearly else dict(column.values)


def _found(columns: dict[str, Column], asked: Asked, notes: list[str]) -> str:
    two = [
        name
        for name, column in columns.items()
        if len(_two(column)) == 2 or (asked.positive and not column.more and column.classes > 1)
    ]
    by_name = {name.casefold(): name for name in two}
    for name in _LABELS:
        if name in by_name:
            notes.append(f"predicted: the column {by_name[name]!r}, by its name")
            return by_name[name]
    known = {name.casefold(): column for name, column in columns.items()}
    for column in filter(None, map(known.get, _LABELS)):
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


def _positive(column: Column, values: dict[str, int], asked: Asked, notes: list[str]) -> str:
    by_name = {value.casefold(): value for value in values}
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
        if value in by_name:
            return by_name[value]
    rare = min(values, key=lambda value: (values[value], value))
    notes.append(f"predicted is {rare!r}, the rarer value of {column.name!r}; or say --positive")
    return rare
