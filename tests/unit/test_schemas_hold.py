"""The generated documents say what the code says, and every reference in them leads somewhere."""

import json
from collections.abc import Iterator

import pytest

from infra import schemas
from models import asyncapi, schema, topics


def test_no_document_has_drifted_from_the_code():
    assert schemas.drifted() == [], "run `make schemas`"


def test_a_changed_document_is_noticed(tmp_path):
    schemas.write(tmp_path)
    assert schemas.drifted(tmp_path) == []
    path = tmp_path / "asyncapi.json"
    path.write_text(path.read_text().replace("order_placed", "order_made", 1))
    assert schemas.drifted(tmp_path) == ["asyncapi.json"]


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for child in value.values():
            yield from references(child)
    elif isinstance(value, list):
        for child in value:
            yield from references(child)


@pytest.mark.parametrize(("name", "document"), schemas.documents(), ids=lambda part: str(part)[:40])
def test_every_reference_leads_somewhere(name, document):
    found = set(references(document))
    for reference in found:
        place = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
    assert json.dumps(document)


def test_every_topic_is_described():
    assert set(asyncapi.document()["channels"]) == {topic.name for topic in topics.CATALOGUE}


def test_parts_of_different_topics_do_not_share_a_name():
    assert set(schema.touchpoints()) & set(schema.records()) == set()


def test_what_only_the_receiver_knows_cannot_be_sent():
    placed = schema.touchpoints()["OrderPlaced"]
    assert placed["required"] == ["type", "identifiers", "order_id", "total"]
    assert "customer_id" not in placed["properties"]
    assert "customer_id" in schema.events()["OrderPlaced"]["properties"]
