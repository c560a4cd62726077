"""docs/openapi.json is what the code answers, and is complete enough to write a client from."""

import json

import pytest

from infra.schemas import DOCS
from projections.serve.openapi import describe

OPEN = {"/healthz", "/readyz", "/metrics"}


def operations():
    for path, methods in describe()["paths"].items():
        for method, operation in methods.items():
            yield pytest.param(path, operation, id=f"{method} {path}")


def test_the_description_is_the_codes():
    assert json.loads((DOCS / "openapi.json").read_bytes()) == describe(), "run `make schemas`"


@pytest.mark.parametrize(("path", "operation"), operations())
def test_every_call_says_what_it_needs_and_gives(path, operation):
    assert operation["summary"]
    assert ("security" in operation) == (path not in OPEN)
    if path not in OPEN:
        assert "401" in operation["responses"]
    for status, response in operation["responses"].items():
        for kind, content in response.get("content", {}).items():
            assert content["schema"], (status, kind)
            if int(status) >= 400:
                assert kind == "application/problem+json"


def test_every_call_has_a_name_of_its_own():
    names = [parameter.values[1]["operationId"] for parameter in operations()]
    assert len(names) == len(set(names))
