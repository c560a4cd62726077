"""The `populations` read model: what each fit found of all customers, by which value is told.

The topic is the models' log: of its records, commands that carry parameters alone are fits.
"""

from __future__ import annotations

from typing import Final

import msgspec

from models.population import Population, decode
from models.records import Command, ModelRecord
from projections.rows.kinds import MILLISECONDS, POSITION
from projections.table import Projected, Record, Row, Table

_BY_CURRENCY = "Map(LowCardinality(String), Float64)"

TABLE = Table(
    name="populations",
    columns={
        "command_id": "String",
        "at": MILLISECONDS,
        "customers": "UInt64",
        "r": "Float64",
        "alpha": "Float64",
        "a": "Float64",
        "b": "Float64",
        "temper": "Float64",
        "spend_p": _BY_CURRENCY,
        "spend_q": _BY_CURRENCY,
        "spend_v": _BY_CURRENCY,
        "recency_cuts": "Array(Float64)",
        "frequency_cuts": "Array(Float64)",
        "money_cuts": "Map(LowCardinality(String), Array(Float64))",
        **POSITION,
    },
    engine="ReplacingMergeTree(log_offset)",
    order_by="at, command_id",
)
KEY: Final = b"population"  # the topic's key is the model
_decoder = msgspec.json.Decoder(ModelRecord)


def project(record: Record) -> Projected:
    """Return the row of one record of the population's log; none of what is no fit."""
    said = _decoder.decode(record.value or b"")
    if not isinstance(said, Command) or said.action != "population":
        return ()
    fitted = decode(said.population)
    return ((TABLE, to_row(said.command_id, fitted, record.partition, record.offset)),)


def to_row(command_id: str, fitted: Population, partition: int, offset: int) -> Row:
    """Lay a fit out in the table's column order."""
    purchases, spend, cuts = fitted.purchases, fitted.spend, fitted.cuts
    return (
        command_id,
        fitted.fitted_ms,
        fitted.customers,
        purchases.r,
        purchases.alpha,
        purchases.a,
        purchases.b,
        purchases.temper,
        {code: one.p for code, one in spend.items()},
        {code: one.q for code, one in spend.items()},
        {code: one.v for code, one in spend.items()},
        cuts.recency,
        cuts.frequency,
        cuts.money,
        partition,
        offset,
    )
