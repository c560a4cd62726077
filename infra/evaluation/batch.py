"""Batch models on the same rows, for comparison: trained only on labels known by then.

Needs scikit-learn, which the product itself does not: `pip install customer360[evaluate]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from infra.errors import UserError
from models.online.prequential import Row
from models.online.tally import Tally

MOST_TRAINED = 200_000  # newest rows that a batch model is trained on
CATEGORIES = 50  # of a text column, the rest are one
SEED = 7

Cells = Mapping[str, Any]
Tell = Callable[[str, int, int], None]


class _Trained(NamedTuple):
    """A model, or the one chance that it says of every row; `numbers`: the columns it knows."""

    model: Any
    numbers: list[int]


class Batch:
    """Logistic regression and gradient boosting over columns of numbers, truths and texts.

    Numbers that are missing are the mean for the one (with a column that says so) and a way
    of their own for the other; neither is tuned beyond its library's defaults.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        """Lay the rows out as columns. Raises UserError without scikit-learn."""
        _scikit()
        self.rows = rows
        names = sorted({name for row in rows for name in row.features})
        texts = {
            name for row in rows for name, cell in row.features.items() if isinstance(cell, str)
        }
        self._numbers = [name for name in names if name not in texts]
        self._texts = sorted(texts)
        self._values = np.array(
            [[_number(row.features.get(name)) for name in self._numbers] for row in rows], float
        ).reshape(len(rows), len(self._numbers))
        self._words = np.array(
            [[_word(row.features.get(name)) for name in self._texts] for row in rows], object
        ).reshape(len(rows), len(self._texts))

    def compare(
        self, tested_from: int, retrained_at: Sequence[int], tell: Tell = lambda *_: None
    ) -> dict[str, Tally]:
        """Return how good each is on the rows from `tested_from` on.

        Both are trained once, on what is known when the test begins, and again at each row
        of `retrained_at`.
        """
        from threadpoolctl import threadpool_limits

        # One thread: on few cores that others use too, more of them wait for each other.
        with threadpool_limits(1):
            return self._compare(tested_from, retrained_at, tell)

    def _compare(
        self, tested_from: int, retrained_at: Sequence[int], tell: Tell
    ) -> dict[str, Tally]:
        tallies: dict[str, Tally] = {}
        for name, make in (("batch_lr", _logistic), ("batch_gb", _boosting)):
            first = self._trained(make, tested_from)
            self._score(first, range(tested_from, len(self.rows)), tallies, f"{name}_once")
            starts = [tested_from, *(at for at in retrained_at if at > tested_from)]
            for count, (start, end) in enumerate(
                zip(starts, [*starts[1:], len(self.rows)], strict=True)
            ):
                tell(f"training {name}", count, len(starts))
                model = first if start == tested_from else self._trained(make, start)
                self._score(model, range(start, end), tallies, name)
        return tallies

    def _trained(self, make: Callable[[int, int], Any], now: int) -> _Trained:
        """Return a model of what is known when row `now` comes; a number: of one class only."""
        rows, at = self.rows, self.rows[now].at
        known = [
            place
            for place in range(max(0, now - MOST_TRAINED), now)
            if rows[place].label is not None and rows[place].label_at <= at
        ]
        labels = np.array([rows[place].label for place in known])
        if len(set(labels.tolist())) < 2:
            return _Trained(float(labels.mean()) if len(labels) else 0.5, [])
        # A column that was always empty so far: there is nothing to make bins of.
        seen = ~np.isnan(self._values[known]).all(axis=0)
        numbers = np.flatnonzero(seen).tolist()
        if not numbers and not self._texts:
            return _Trained(float(labels.mean()), [])
        model = make(len(numbers), len(self._texts))
        return _Trained(model.fit(self._columns(known, numbers), labels), numbers)

    def _columns(self, places: Iterable[int], numbers: list[int]) -> Any:
        import pandas

        chosen = list(places)
        names = [self._numbers[place] for place in numbers]
        frame = pandas.DataFrame(self._values[np.ix_(chosen, numbers)], columns=names)
        for place, name in enumerate(self._texts):
            frame[name] = self._words[chosen, place]
        return frame

    def _score(
        self, trained: _Trained, places: range, tallies: dict[str, Tally], name: str
    ) -> None:
        model = trained.model
        tally = tallies.setdefault(name, Tally())
        scored = [place for place in places if self.rows[place].label is not None]
        if not scored:
            return
        if isinstance(model, float):
            chances = [model] * len(scored)
        else:
            chances = model.predict_proba(self._columns(scored, trained.numbers))[:, 1].tolist()
        for place, chance in zip(scored, chances, strict=True):
            label = self.rows[place].label
            assert label is not None
            tally.update(chance, label)


def _scikit() -> None:
    try:
        import sklearn  # noqa: F401
    except ImportError:
        raise UserError(
            "comparing with batch models needs scikit-learn",
            "pip install 'customer360[evaluate]', or leave --compare out",
        ) from None


def _number(cell: Any) -> float:
    return float("nan") if cell is None or isinstance(cell, str) else float(cell)


def _word(cell: Any) -> str:
    return "?" if cell is None else str(cell)


def _logistic(numbers: int, texts: int) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    steps: list[tuple[str, Any, slice]] = []
    if numbers:
        filled = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
        steps.append(("numbers", filled, slice(0, numbers)))
    if texts:
        one_hot = OneHotEncoder(
            handle_unknown="infrequent_if_exist", max_categories=CATEGORIES, sparse_output=False
        )
        steps.append(("texts", one_hot, slice(numbers, numbers + texts)))
    columns = ColumnTransformer(steps)
    return make_pipeline(columns, LogisticRegression(max_iter=1_000))


def _boosting(numbers: int, texts: int) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    steps: list[tuple[str, Any, slice]] = []
    if numbers:
        steps.append(("numbers", "passthrough", slice(0, numbers)))
    if texts:
        ordinal = OrdinalEncoder(
            handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=CATEGORIES
        )
        steps.append(("texts", ordinal, slice(numbers, numbers + texts)))
    columns = ColumnTransformer(steps)
    forest = HistGradientBoostingClassifier(
        random_state=SEED, categorical_features=list(range(numbers, numbers + texts))
    )
    return make_pipeline(columns, forest)
