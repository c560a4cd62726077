"""What the models' log says to analysts: outcomes of decisions, and fits of the population."""

from __future__ import annotations

from projections import outcomes, populations
from projections.table import Projected, Record


def project(record: Record) -> Projected:
    """Return the rows of one record of `examples`; its key is the model."""
    if record.key == populations.KEY:
        return populations.project(record)
    return outcomes.project(record)
