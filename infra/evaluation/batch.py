"""Batch models on the same rows, for comparison: trained only on labels known by then.

Needs scikit-learn, which the product itself does not: `pip install customer360[evaluate]`.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from infra.errors import UserError
from infra.evaluation.matrix import Matrix
from models.online.prequential import Row
from models.online.tally import Tally

MOST_TRAINED = 200_000  # newest rows that a batch model is trained on
SCORED = 50_000  # rows that are predicted at once: laid out for a model they take 1 kB and more
CATEGORIES = 50  # of a text column, the rest are one
SEED = 7

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

    def __init__(self, rows: Iterable[Row]) -> None:
        """Lay the rows out as columns. Raises UserError without scikit-learn."""
        _scikit()
        self._rows = Matrix(rows)
        self.said: dict[str, array[float]] = {}  # of the labelled rows that were tested, in order

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
        rows = self._rows.rows
        for name, make in (("batch_lr", _logistic), ("batch_gb", _boosting)):
            first = self._trained(make, tested_from)
            self._score(first, range(tested_from, rows), tallies, f"{name}_once")
            starts = [tested_from, *(at for at in retrained_at if at > tested_from)]
            for count, (start, end) in enumerate(zip(starts, [*starts[1:], rows], strict=True)):
                tell(f"training {name}", count, len(starts))
                model = first if start == tested_from else self._trained(make, start)
                self._score(model, range(start, end), tallies, name)
        return tallies

    def _trained(self, make: Callable[[int, int], Any], now: int) -> _Trained:
        """Return a model of what is known when row `now` comes; a number: of one class only."""
        rows, since = self._rows, max(0, now - MOST_TRAINED)
        told = ~np.isnan(rows.labels[since:now]) & (rows.known[since:now] <= rows.at[now])
        known = since + np.flatnonzero(told)
        labels = rows.labels[known]
        if len(set(labels.tolist())) < 2:
            return _Trained(float(labels.mean()) if len(labels) else 0.5, [])
        # A column that was always empty so far: there is nothing to make bins of.
        numbers = rows.seen(known)
        if not numbers and not rows.texts:
            return _Trained(float(labels.mean()), [])
        model = make(len(numbers), len(rows.texts))
        return _Trained(model.fit(rows.frame(known, numbers), labels), numbers)

    def _score(
        self, trained: _Trained, places: range, tallies: dict[str, Tally], name: str
    ) -> None:
        rows, model = self._rows, trained.model
        tally, said = tallies.setdefault(name, Tally()), self.said.setdefault(name, array("d"))
        asked = np.arange(places.start, places.stop)
        scored = asked[~np.isnan(rows.labels[asked])]
        for begin in range(0, len(scored), SCORED):
            some = scored[begin : begin + SCORED]
            if isinstance(model, float):
                chances = [model] * len(some)
            else:
                frame = rows.frame(some, trained.numbers)
                chances = model.predict_proba(frame)[:, 1].tolist()
            for chance, label in zip(chances, rows.labels[some].tolist(), strict=True):
                tally.update(chance, label)
            said.extend(chances)


def _scikit() -> None:
    try:
        import sklearn  # noqa: F401
    except ImportError:
        raise UserError(
            "comparing with batch models needs scikit-learn",
            "pip install 'customer360[evaluate]', or leave --compare out",
        ) from None


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
