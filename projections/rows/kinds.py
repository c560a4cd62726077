"""The types of columns, by the names that ClickHouse has for them."""

from __future__ import annotations

from typing import Final

MILLISECONDS: Final = "DateTime64(3, 'UTC')"
MONEY: Final = "Decimal(38, 4)"  # four decimals: the finest minor unit of ISO 4217
LABEL: Final = "LowCardinality(String)"
# Where a row came from: which of two with one key stands goes by the offset.
POSITION: Final = {"log_partition": "UInt16", "log_offset": "UInt64"}
