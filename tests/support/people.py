"""Touchpoints of customers who browse, say who they are, and come again: as they are sent."""

import json
import time


def said(number: int, customers: int) -> list[tuple[bytes, bytes]]:
    """Return one visit: a browser's page view and, now and then, whose browser it is."""
    who = number % customers
    browser = {"type": "anonymous_id", "value": f"browser-{who}"}
    user = {"type": "user_id", "value": f"user-{who // 2}"}  # two browsers each
    return [
        _sent(f"view-{number}", "page_viewed", [browser], schema_version=2, path="/"),
        _sent(f"who-{number}", "customer_identified", [browser, user], traits={"city": "Seoul"}),
    ]


def _sent(id: str, kind: str, who: list[dict], **fields: object) -> tuple[bytes, bytes]:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    event = {"type": kind, "event_id": id, "occurred_at": at, "identifiers": who, **fields}
    return who[0]["value"].encode(), json.dumps(event).encode()
