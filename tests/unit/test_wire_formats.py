"""Segment's calls and CloudEvents, as touchpoints."""

import json
from datetime import UTC, datetime

import pytest

from models.errors import Reason, TouchpointRejectedError
from models.events import Wire, parse

NOW_MS = 1_795_312_800_000  # 2026-11-22T02:00:00Z
SEGMENT = Wire("segment", NOW_MS, "web")
CLOUD = Wire("cloudevents", NOW_MS, "web")


def segment(type="track", **fields):
    message = {"type": type, "messageId": "m1", "userId": "ana"} | fields
    return parse(json.dumps(message).encode(), SEGMENT)


def track(event, **properties):
    return segment(event=event, properties=properties)


def names(event):
    return list(map(str, event.identifiers))


def test_a_wrong_clock_is_set_right_by_the_time_of_sending():
    # Sent at 05:00 by a clock 3 h ahead; it happened 10 minutes before it was sent.
    event = segment(event="x", timestamp="2026-11-22T04:50:00Z", sentAt="2026-11-22T05:00:00Z")
    assert event.occurred_at == datetime(2026, 11, 22, 1, 50, tzinfo=UTC)


@pytest.mark.parametrize("year", ["1970", "2099"])
def test_a_clock_that_is_wrong_by_decades_still_tells_how_long_ago(year):
    event = segment(
        event="x", timestamp=f"{year}-01-01T00:00:00Z", sentAt=f"{year}-01-01T00:10:00Z"
    )
    assert event.occurred_at == datetime(2026, 11, 22, 1, 50, tzinfo=UTC)


@pytest.mark.parametrize("sent", ["1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z"])
def test_a_time_of_sending_that_belongs_to_another_clock_is_not_believed(sent):
    with pytest.raises(TouchpointRejectedError) as rejected:
        segment(event="x", timestamp="2026-11-22T01:50:00Z", sentAt=sent)
    assert rejected.value.reason is Reason.BAD_TIME


def test_the_batchs_time_of_sending_counts_for_its_events():
    raw = json.dumps({"type": "track", "event": "x", "userId": "a", "messageId": "m",
                      "originalTimestamp": "2026-11-22T04:50:00+09:00"}).encode()  # fmt: skip
    event = parse(raw, SEGMENT._replace(sent_at="2026-11-22T05:00:00+09:00"))
    assert event.occurred_at == datetime(2026, 11, 22, 1, 50, tzinfo=UTC)
    assert event.utc_offset_minutes == 540


def test_what_was_sent_before_it_happened_happened_no_later_than_it_came():
    event = segment(
        event="x", originalTimestamp="2026-11-22T05:00:01+09:00", sentAt="2026-11-22T05:00:00+09:00"
    )
    assert (event.occurred_ms, event.utc_offset_minutes) == (NOW_MS, 540)


ARCHIVED = {
    "event": "x",
    "originalTimestamp": "2026-10-01T03:00:00Z",
    "sentAt": "2026-10-01T03:00:05Z",
    "timestamp": "2026-10-01T00:00:00Z",
    "receivedAt": "2026-10-01T00:00:05Z",
}


def test_what_somebody_received_before_us_keeps_the_time_that_he_set_right():
    assert segment(**ARCHIVED).occurred_at == datetime(2026, 10, 1, tzinfo=UTC)
    event = parse(  # an hour ahead is who passes it on
        json.dumps({"type": "track", "userId": "ana"} | ARCHIVED).encode(),
        SEGMENT._replace(sent_at="2026-11-22T03:00:00Z"),
    )
    assert event.occurred_at == datetime(2026, 9, 30, 23, tzinfo=UTC)


def test_a_backfill_is_not_moved_to_the_time_that_it_is_sent_at():
    said = {"type": "track", "userId": "ana"} | ARCHIVED
    del said["receivedAt"]
    event = parse(json.dumps(said).encode(), SEGMENT._replace(observed_until_ms=NOW_MS))
    assert event.occurred_at == datetime(2026, 10, 1, 3, tzinfo=UTC)


def test_a_cloudevent_is_set_right_by_the_header():
    said = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "danced", "subject": "ana"}
    raw = json.dumps(said | {"time": "2026-11-22T04:50:00Z"}).encode()
    event = parse(raw, CLOUD._replace(sent_at="2026-11-22T05:00:00Z"))
    assert event.occurred_at == datetime(2026, 11, 22, 1, 50, tzinfo=UTC)


def test_without_a_time_of_sending_the_clock_is_believed():
    event = segment(event="x", timestamp="2026-11-22T01:50:00")  # no zone: UTC
    assert event.occurred_at == datetime(2026, 11, 22, 1, 50, tzinfo=UTC)


def test_ids_that_are_numbers_or_null_are_understood():
    event = segment(event="x", userId=42, anonymousId=None)
    assert names(event) == ["user_id:42"]


@pytest.mark.parametrize("name", ["externalIds", "externalId"])  # Segment's, RudderStack's
def test_ids_in_other_systems_are_names_of_the_customer(name):
    told = [
        {"id": "0031", "type": "salesforce", "collection": "users", "encoding": "none"},
        {"id": 7, "type": "a:b"},
        {"id": "acme", "type": "crm", "collection": "accounts"},  # of a company
        {"id": "", "type": "crm"},
        {"id": "c2VjcmV0", "type": "crm", "collection": "users", "encoding": "base64"},
        "odd",
    ]
    event = segment(event="x", context={name: told})
    assert names(event)[1:] == ["external_id:salesforce:0031", "external_id:a%3Ab:7"]


def test_no_more_ids_in_other_systems_are_read_than_an_event_may_carry():
    told = [{"id": str(number), "type": "crm"} for number in range(100)]
    assert len(names(segment(event="x", context={"externalIds": told}))) == 11


def test_an_identify_takes_traits_from_both_places_and_flattens_them():
    event = segment(
        "identify",
        anonymousId="a-1",
        traits={"plan": "gold", "address": {"city": "서울"}, "tags": ["a", 1.5]},
        context={"traits": {"email": "ana@x.kr", "plan": "silver"}},
    )
    assert event.traits == {
        "email": "ana@x.kr", "plan": "gold", "address.city": "서울", "tags": '["a",1.5]',
    }  # fmt: skip
    assert names(event) == ["user_id:ana", "email:ana@x.kr", "anonymous_id:a-1"]


def test_an_order_completed_is_an_order():
    event = track(
        "Order Completed", order_id=7, total=59.0, currency="USD", tax=4, affiliation="App",
        products=[{"product_id": "p", "price": 29.5, "quantity": 2, "category": "Shoes"}],
    )  # fmt: skip
    assert (event.type, event.order_id, event.total.minor) == ("order_placed", "7", 5900)
    assert [(line.sku, line.quantity, line.price.minor) for line in event.lines] == [("p", 2, 2950)]
    assert event.properties == {"affiliation": "App"}  # nothing said is lost


TRACKS = {
    "Order Refunded": ("order_refunded", {"order_id": "o", "total": 5, "currency": "KRW"}),
    "Products Searched": ("search_performed", {"query": "shoes"}),
    "Product Viewed": ("content_viewed", {"product_id": "p", "name": "Shoe"}),
    "Product List Viewed": ("content_viewed", {"category": "Shoes"}),
    "Product Reviewed": ("feedback_given", {"product_id": "p", "rating": 4, "review_body": "+"}),
    "Promotion Viewed": ("offer_shown", {"promotion_id": "spring"}),
    "Coupon Applied": ("coupon_redeemed", {"coupon_id": "c", "discount": 1, "currency": "USD"}),
    "Email Opened": ("message_opened", {"email_id": "e", "campaign_name": "spring"}),
    "Email Link Clicked": ("message_clicked", {"email_id": "e", "link_url": "https://x.kr"}),
    "Push Notification Tapped": ("message_clicked", {}),
    "Application Opened": ("app_used", {"version": "1.2"}),
    "application crashed": ("app_used", {}),
    "Danced": ("custom", {"steps": [1, {"two": 2.5}]}),
}


@pytest.mark.parametrize("name", TRACKS)
def test_names_of_the_spec_are_typed_and_others_are_custom(name):
    kind, properties = TRACKS[name]
    assert track(name, **properties).type == kind


def test_a_name_of_the_spec_without_its_fields_is_rejected_not_counted_as_something_else():
    with pytest.raises(TouchpointRejectedError) as rejected:
        track("Order Completed", order_id="o", total=5)
    assert (rejected.value.reason, rejected.value.where) == (Reason.BAD_FIELD, "total.currency")


def test_a_page_finds_its_path_in_the_url():
    event = segment("page", name="Home", properties={"url": "https://x.kr/a/b?c#d", "ab": "B"})
    assert (event.path, event.name, event.properties) == ("/a/b", "Home", {"ab": "B"})
    assert segment("page", properties={"url": "https://x.kr"}).path == "/"
    assert segment("page", context={"page": {"path": "/c"}}).path == "/c"


def test_an_alias_links_the_previous_id_whichever_kind_it_was():
    event = segment("alias", previousId="old")
    assert list(map(str, event.previous)) == ["anonymous_id:old", "user_id:old"]


def test_a_group_has_traits_of_its_own():
    event = segment("group", groupId="acme", traits={"size": 3, "email": "office@acme.kr"})
    assert (event.group_id, event.traits["size"]) == ("acme", 3)
    assert names(event) == ["user_id:ana"]  # the company's address is not the customer's


def test_the_context_is_cut_to_size_instead_of_refused():
    event = segment(
        "screen",
        name="Start",
        context={
            "userAgent": "x" * 5_000,
            "campaign": {"source": "mail"},
            "device": {"id": "d-1", "manufacturer": "Apple", "model": "iPhone17,1"},
            "app": "not an object",
        },
    )
    assert len(event.context.user_agent) == 2_000
    assert event.context.campaign.source == "mail"
    assert event.context.device == "Apple iPhone17,1"
    assert names(event) == ["user_id:ana", "device_id:d-1"]


@pytest.mark.parametrize(
    ("fields", "reason", "where"),
    [
        ({"type": "dance"}, Reason.UNKNOWN_TYPE, "type"),
        ({"event": None}, Reason.BAD_FIELD, "event"),
        ({"event": "x", "userId": None}, Reason.NO_IDENTIFIER, "identifiers"),
        ({"event": "x", "timestamp": "yesterday"}, Reason.BAD_TIME, "timestamp"),
        ({"event": "x", "timestamp": "2026-11-22T00:00:00Z", "sentAt": "0001-01-01"},
         Reason.BAD_TIME, "occurred_at"),
        ({"type": "alias"}, Reason.BAD_FIELD, "previousId"),
        ({"type": "group"}, Reason.BAD_FIELD, "group_id"),
    ],
)  # fmt: skip
def test_calls_that_cannot_be_taken_are_rejected_with_the_place(fields, reason, where):
    with pytest.raises(TouchpointRejectedError) as rejected:
        segment(**fields)
    assert (rejected.value.reason, rejected.value.where) == (reason, where)


EVENT = {
    "specversion": "1.0", "id": "1", "source": "/shop", "subject": "email:ana@x.kr",
    "type": "customer360.search_performed", "data": {"query": "shoes"},
}  # fmt: skip


def cloud(**fields):
    return parse(json.dumps(EVENT | fields).encode(), CLOUD)


def test_a_cloudevent_is_one_by_source_and_id():
    event = cloud()
    assert (event.event_id, event.query) == ("/shop#1", "shoes")
    assert names(event) == ["email:ana@x.kr"]
    assert len(cloud(id="x" * 300).event_id) == 32


def test_a_subject_without_a_type_is_a_user_id():
    assert names(cloud(subject="ana")) == ["user_id:ana"]


def test_identifiers_in_the_data_count_for_more_than_the_subject():
    data = {"query": "x", "identifiers": {"user_id": "bea"}}
    assert names(cloud(data=data)) == ["user_id:bea"]


def test_a_type_of_nobody_here_is_custom():
    event = cloud(type="com.example.danced", data={"steps": 3})
    assert (event.type, event.name, event.properties) == (
        "custom", "com.example.danced", {"steps": 3},
    )  # fmt: skip


def test_data_may_come_in_base64():
    assert cloud(data=None, data_base64="eyJxdWVyeSI6ICJ4In0=").query == "x"


@pytest.mark.parametrize(
    ("fields", "reason", "where"),
    [
        ({"specversion": "0.3"}, Reason.UNKNOWN_VERSION, "specversion"),
        ({"id": ""}, Reason.BAD_FIELD, "id"),
        ({"source": 1}, Reason.BAD_FIELD, "source"),
        ({"type": "customer360.serch_performed"}, Reason.UNKNOWN_TYPE, "type"),
        ({"type": "customer360.timer_fired"}, Reason.UNKNOWN_TYPE, "type"),
        ({"data": [1]}, Reason.BAD_FIELD, "data"),
        ({"data_base64": "%"}, Reason.NOT_JSON, "data_base64"),
        ({"subject": None}, Reason.NO_IDENTIFIER, "identifiers"),
        ({"time": "soon"}, Reason.BAD_TIME, "occurred_at"),
    ],
)
def test_cloudevents_that_cannot_be_taken_are_rejected_with_the_place(fields, reason, where):
    with pytest.raises(TouchpointRejectedError) as rejected:
        cloud(**fields)
    assert (rejected.value.reason, rejected.value.where) == (reason, where)


@pytest.mark.parametrize("levels", [9, 300, 900])
def test_traits_that_are_nested_deep_are_rejected(levels):
    deep = "x"
    for _ in range(levels):
        deep = {"a": deep}
    for traits in ({"deep": deep}, {"deep": [deep]}):
        with pytest.raises(TouchpointRejectedError) as rejected:
            segment("identify", traits=traits)
        assert rejected.value.reason is Reason.TOO_DEEP


@pytest.mark.parametrize("digits", [30, 400, 4_000, 10_000])
@pytest.mark.parametrize("place", ["userId", "messageId", "traits", "timestamp"])
def test_endless_whole_numbers_are_rejected_not_a_crash(digits, place):
    number = "9" * digits
    value = f'{{"n":{number}}}' if place == "traits" else number
    raw = f'{{"type":"identify","{place}":{value}}}'.encode()
    with pytest.raises(TouchpointRejectedError):
        parse(raw, SEGMENT)
