"""Segment's six calls, as their stock clients (and RudderStack's) send them.

What the sender's clock says is passed on as it is, with its `sentAt`: the difference
between that and our own receipt sets it right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from urllib.parse import quote

from models.errors import Reason, TouchpointRejectedError
from models.wire.reading import Json, flat, given, section, short, text
from models.wire.tracks import track

_CAMPAIGN = ("name", "source", "medium", "term", "content")
_EXTERNAL = ("externalIds", "externalId")  # Segment's, RudderStack's
_MOST_EXTERNAL = 10  # ids in other systems that are read
_CHANNELS = {"browser": "web", "web": "web", "mobile": "app", "server": "server"}


def from_segment(message: Json, sent_at: str | None) -> Json:
    """Map one call. Raises TouchpointRejectedError on an unknown one."""
    call = _CALLS.get(str(message.get("type")))
    if call is None:
        detail = f"no call {str(message.get('type'))[:40]!r}; there are {', '.join(_CALLS)}"
        raise TouchpointRejectedError(Reason.UNKNOWN_TYPE, detail, "type")
    context = section(message.get("context"))
    traits = section(context.get("traits"))
    if message["type"] == "identify":  # RudderStack puts an identify's traits into the context
        traits = traits | section(message.get("traits"))
    envelope = given(
        event_id=text(message.get("messageId")),
        occurred_at=_occurred(message),
        sent_at=_sent(message, sent_at),
        channel=_CHANNELS.get(str(message.get("channel"))),
        identifiers=_identifiers(message, context, traits),
        context=_context(context),
    )
    return envelope | call(message, context, traits)


def _occurred(message: Json) -> datetime | None:
    original, at = _time(message, "originalTimestamp"), _time(message, "timestamp")
    return at or original if _passed_on(message) else original or at


def _sent(message: Json, sent_at: str | None) -> datetime | None:
    own = None if _passed_on(message) else _time(message, "sentAt")
    sent = own or _time({"sentAt": sent_at}, "sentAt")
    try:
        return sent and sent.astimezone(UTC)
    except OverflowError as error:
        raise TouchpointRejectedError(Reason.BAD_TIME, "out of range", "sentAt") from error


def _passed_on(message: Json) -> bool:
    """Tell whether somebody received it before us, and so has set its `timestamp` right."""
    return message.get("receivedAt") is not None


def _time(message: Json, name: str) -> datetime | None:
    value = message.get(name)
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise TouchpointRejectedError(Reason.BAD_TIME, "not ISO 8601", name) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)  # Segment's times are UTC unless they say


def _identifiers(message: Json, context: Json, traits: Json) -> list[Json]:
    found = given(
        user_id=text(message.get("userId")),
        email=text(traits.get("email")),
        phone=text(traits.get("phone")),
        device_id=text(section(context.get("device")).get("id")),
        anonymous_id=text(message.get("anonymousId")),
    )
    named: list[Json] = [{"type": kind, "value": value} for kind, value in found.items()]
    return named + list(_external(context))[:_MOST_EXTERNAL]


def _external(context: Json) -> Iterator[Json]:
    """Yield what people are called in other systems, as "system:id"."""
    for name in _EXTERNAL:
        given_ids = context.get(name)
        for one in map(section, given_ids if isinstance(given_ids, list) else ()):
            system, own = text(one.get("type")), text(one.get("id"))
            person = one.get("collection") in (None, "users")
            if system and own and person and one.get("encoding") in (None, "none"):
                # Quoted, a colon in a system's name cannot make it another system's id.
                yield {"type": "external_id", "value": f"{quote(system, safe='')}:{own}"}


def _context(context: Json) -> Json:
    app, device, os = (section(context.get(name)) for name in ("app", "device", "os"))
    utm = section(context.get("campaign"))
    campaign = utm and given(**{part: short(utm.get(part)) for part in _CAMPAIGN})
    return given(
        campaign=campaign or None,
        app_name=short(app.get("name")),
        app_version=short(app.get("version")),
        device=_joined(device, "manufacturer", "model"),
        os=_joined(os, "name", "version"),
        locale=short(context.get("locale")),
        timezone=short(context.get("timezone")),
        ip=short(context.get("ip")),
        user_agent=short(context.get("userAgent"), 2_000),
        session_id=short(context.get("sessionId")),
    )


def _joined(part: Json, *names: str) -> str | None:
    if not part:
        return None
    return short(" ".join(filter(None, (text(part.get(name)) for name in names))))


def _track(message: Json, context: Json, traits: Json) -> Json:
    name = text(message.get("event"))
    if name is None:
        raise TouchpointRejectedError(Reason.BAD_FIELD, "a track call names its event", "event")
    return track(name, dict(section(message.get("properties"))))


def _identify(message: Json, context: Json, traits: Json) -> Json:
    return {"type": "customer_identified", "traits": flat(traits)}


def _page(message: Json, context: Json, traits: Json) -> Json:
    said = dict(section(message.get("properties")))
    page = section(context.get("page")) | said
    for name in ("path", "url", "title", "referrer", "category", "name"):
        said.pop(name, None)
    url = text(page.get("url"))
    rest = (url or "").split("://", 1)[-1].partition("/")[2]
    return given(
        type="page_viewed",
        path=text(page.get("path")) or "/" + rest.split("?", 1)[0].split("#", 1)[0],
        url=url,
        title=short(page.get("title")),
        referrer=short(page.get("referrer"), 2_000),
        name=short(message.get("name") or page.get("name")),
        category=short(message.get("category") or page.get("category")),
        properties=said,
    )


def _screen(message: Json, context: Json, traits: Json) -> Json:
    said = dict(section(message.get("properties")))
    name, category = said.pop("name", None), said.pop("category", None)
    return given(
        type="screen_viewed",
        name=text(message.get("name")) or text(name) or "unnamed",
        category=short(message.get("category") or category),
        properties=said,
    )


def _group(message: Json, context: Json, traits: Json) -> Json:
    joined = flat(section(message.get("traits")))
    return given(type="group_joined", group_id=text(message.get("groupId")), traits=joined)


def _alias(message: Json, context: Json, traits: Json) -> Json:
    previous = text(message.get("previousId"))
    if previous is None:
        raise TouchpointRejectedError(Reason.BAD_FIELD, "an alias names it", "previousId")
    # The call does not say which kind of id it was; a link from an unused one does no harm.
    both = [{"type": kind, "value": previous} for kind in ("anonymous_id", "user_id")]
    return {"type": "customer_aliased", "previous": both}


_CALLS: dict[str, Callable[[Json, Json, Json], Json]] = {
    "identify": _identify,
    "track": _track,
    "page": _page,
    "screen": _screen,
    "group": _group,
    "alias": _alias,
}
