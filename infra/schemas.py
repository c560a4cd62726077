"""`python -m infra.schemas`: write the generated documents in docs/, or `--check` them.

They are never edited by hand: the classes and routes say what is true.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from models import asyncapi, schema
from projections.serve import openapi
from streams.ingest import openapi as openapi_of_ingest

DOCS = Path(__file__).parent.parent / "docs"


def documents() -> Iterator[tuple[str, dict[str, object]]]:
    """Return each document with its path in docs/."""
    yield "schemas/touchpoint.schema.json", schema.touchpoint_schema()
    yield "schemas/event.schema.json", schema.event_schema()
    for record in schema.RECORDS:
        yield f"schemas/{record.__name__.lower()}.schema.json", schema.record_schema(record)
    yield "asyncapi.json", asyncapi.document()
    yield "openapi-ingest.json", openapi_of_ingest.document()
    yield "openapi.json", openapi.describe()


def drifted(docs: Path = DOCS) -> list[str]:
    """Return the documents that are not what the code says."""
    return [
        name
        for name, document in documents()
        if not (docs / name).is_file() or (docs / name).read_text("utf-8") != _text(document)
    ]


def write(docs: Path = DOCS) -> None:
    """Write all documents."""
    for name, document in documents():
        path = docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_text(document), "utf-8")


def _text(document: dict[str, object]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write, or with `--check` tell what has drifted and return 1."""
    if arguments != ["--check"]:
        write()
        return 0
    names = drifted()
    if names:
        sys.stderr.write(f"run `make schemas`: {', '.join(names)}\n")
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
