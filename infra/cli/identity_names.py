"""By which identifiers customers are known: asked of the API, a few hundred at a time."""

from __future__ import annotations

from collections.abc import Iterable

from infra.cli.api import Api, Json
from models.naming import CUSTOMER_ID, derive, id_of

MOST_NAMED = 300  # customers asked for their names at once


def known_names(api: Api, ids: Iterable[str]) -> dict[str, str]:
    """Return the identifier that each customer id follows from, of those that are known."""
    asked = list(dict.fromkeys(ids))[:MOST_NAMED]
    if not asked:
        return {}
    profiles = api.post("/v1/profiles:batchGet", {"keys": asked})["profiles"]
    carried = {
        f"{one['type']}:{one['value']}"
        for profile in profiles.values()
        for one in profile["identifiers"]
    }
    known = {id_of(text): text for text in carried}
    return {id: known[id] for id in asked if id in known}


def elsewhere(api: Api, customer: Json) -> dict[str, str]:
    """Return the identifiers that only came along and are another customer's, with whose."""
    carried = [
        f"{one['type']}:{one['value']}"
        for one in customer["identifiers"]
        if one["customer_id"] is None
    ][:MOST_NAMED]
    if not carried:
        return {}
    found = api.post("/v1/profiles:batchGet", {"keys": carried})["profiles"]
    whose = {text: profile["customer_id"] for text, profile in found.items()}
    return {text: id for text, id in whose.items() if id != customer["customer_id"]}


def name_of(api: Api, who: str) -> str:
    """Return a name that the resolver can place: type:value if any is known, else the id."""
    if derive(who) is not None and not CUSTOMER_ID.fullmatch(who):
        return who
    id = who if CUSTOMER_ID.fullmatch(who) else api.customer(who)["customer_id"]
    return known_names(api, [id]).get(id, id)
