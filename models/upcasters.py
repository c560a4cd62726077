"""Old events, brought up to the shape the code knows today.

One function for each step of one version. A published version is never
edited: the topic keeps what was true when it was written.
"""

from __future__ import annotations

from collections.abc import Callable

from models.errors import Reason, TouchpointRejectedError

Json = dict[str, object]


def page_viewed_v1(event: Json) -> Json:
    """v1 kept the address whole and had no path of its own."""
    rest = str(event["url"]).split("://", 1)[-1]
    _, slash, path = rest.partition("/")
    return event | {"path": (slash + path).split("?", 1)[0].split("#", 1)[0] or "/"}


def order_placed_v1(event: Json) -> Json:
    """v1 had a bare number and its currency side by side, and no lines."""
    amount, currency = event.pop("total"), event.pop("currency")
    return event | {"total": {"amount": amount, "currency": currency}}


UPCASTERS: dict[str, tuple[Callable[[Json], Json], ...]] = {
    "page_viewed": (page_viewed_v1,),
    "order_placed": (order_placed_v1,),
}


def upcast(event: Json) -> Json:
    """Apply every upcaster between the event's version and the newest one.

    Raises TouchpointRejectedError on a version nobody knows, or one that lacks its fields.
    """
    kind = str(event.get("type"))
    steps = UPCASTERS.get(kind, ())
    newest = len(steps) + 1
    version = event.pop("schema_version", newest)
    if type(version) is not int or not 1 <= version <= newest:
        detail = f"{kind} has versions 1 to {newest}, not {str(version)[:20]!r}"
        raise TouchpointRejectedError(Reason.UNKNOWN_VERSION, detail, "schema_version")
    for step in steps[version - 1 :]:
        try:
            event = step(event)
        except KeyError as missing:
            detail = f"{kind} v{version} must have it"
            raise TouchpointRejectedError(
                Reason.BAD_FIELD, detail, str(missing.args[0])
            ) from missing
    return event
