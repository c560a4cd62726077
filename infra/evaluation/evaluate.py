"""The same evaluation from Python: a file's path, a data frame or any mappings in, a report out."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any, Literal

from infra.evaluation import bandit, churn
from infra.evaluation.roles import Asked
from infra.evaluation.table import Records, Source, Table


def evaluate(
    rows: Any,
    kind: Literal["churn", "offers"] = "churn",
    *,
    split: float = 0.5,
    compare: bool = False,
    **asked: Any,
) -> dict[str, Any]:
    """Return the report of `c360 models evaluate-file` on `rows`, by the keys of docs/models.md.

    `rows`: a path, a data frame, or an iterable of mappings by column. `asked`: the command's
    options, such as label="churned". `compare`: beside batch models. Raises UserError, with what
    to do, and TypeError on an option that there is not.
    """
    said = Asked(**asked)
    path = isinstance(rows, str | PathLike)
    source: Source = Table(Path(rows), said.eligible) if path else Records(rows, said.eligible)
    run = churn.report if kind == "churn" else bandit.report
    return run(source, said, split, _silent, batch=churn.RETRAINED if compare else 0)


def _silent(doing: str, done: int, total: int) -> None:
    pass
