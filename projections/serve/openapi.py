"""`python -m projections.serve.openapi [FILE]`: write the API's description.

Generated from the code, kept in docs/openapi.json, and compared by a test.
"""

from __future__ import annotations

import sys
from pathlib import Path

import orjson

from infra.settings import Settings
from projections.serve.app import build
from projections.serve.sources import Sources

FILE = Path(__file__).parents[2] / "docs" / "openapi.json"


def describe() -> bytes:
    """Return the OpenAPI document as JSON."""
    settings = Settings.model_validate({"api_keys": "nobody=not-a-key-of-any-server"})
    app = build(settings, Sources(settings), follow=False)
    return orjson.dumps(app.openapi(), option=orjson.OPT_INDENT_2) + b"\n"


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else FILE).write_bytes(describe())
