"""What follows from each attempt to deliver an alert, and which addresses are called."""

import asyncio
import json
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from models.delivery import (
    GROWTH,
    LONGEST_SECONDS,
    MAX_ATTEMPTS,
    Attempt,
    Entry,
    accept,
    attempted,
    backoff,
    outdated,
    payload,
    share,
)
from models.records import Alert, Reason
from streams.outgoing import RefusedAddressError, client, is_public, post, resolve, seconds_of
from streams.queue import Queue

NOW = 1_790_000_000_000
DAY = 86_400_000
ALERT = Alert(
    alert_id="churn_risk:c_1:1:opened",
    episode_id="churn_risk:c_1:1",
    customer_id="c_1",
    rule="churn_risk",
    status="opened",
    severity="warning",
    at_ms=NOW,
    received_ms=NOW,
    cause="e1",
    probability=0.81,
    reasons=[Reason("silence", 1.9, 74.0, 31.0)],
    offer="winback-20",
    identifiers=["email:a@b.c"],
)
PENDING = Entry(status="pending", due_ms=NOW, alert=ALERT)


def after(attempt, entry=PENDING):
    return attempted(entry, ALERT, attempt, NOW, 5.0)


@pytest.mark.parametrize("code", [200, 201, 204, 299])
def test_two_hundreds_are_delivered(code):
    entry, made = after(Attempt(http_status=code))
    assert (entry.status, entry.alert, made.status, made.http_status) == (
        "delivered",
        None,
        "delivered",
        code,
    )


@pytest.mark.parametrize("code", [301, 302, 400, 401, 404, 410, 422])
def test_what_will_not_change_has_failed(code):
    assert after(Attempt(http_status=code))[0].status == "failed"


@pytest.mark.parametrize(
    "attempt", [Attempt(http_status=c) for c in (408, 429, 500, 503)] + [Attempt(error="refused")]
)
def test_what_may_change_is_tried_again_later(attempt):
    entry, made = after(attempt)
    assert (entry.status, entry.attempts, made.status) == ("pending", 1, "retrying")
    assert NOW + 4_000 <= entry.due_ms <= NOW + 6_000


def test_a_refused_address_is_not_tried_again():
    assert after(Attempt(error="private", permanent=True))[0].status == "failed"


def test_the_receivers_wish_to_wait_is_honoured_within_reason():
    assert after(Attempt(http_status=429, retry_after=120))[0].due_ms == NOW + 120_000
    endless = after(Attempt(http_status=503, retry_after=1e9))[0]
    assert endless.due_ms == NOW + LONGEST_SECONDS * 1_000


def test_who_asks_for_no_wait_gets_no_longer_one():
    soon, _ = attempted(PENDING, ALERT, Attempt(http_status=503), NOW, 0.1)
    assert NOW < soon.due_ms <= NOW + 120


def test_tries_come_to_an_end():
    last = Entry(status="pending", due_ms=NOW, alert=ALERT, attempts=MAX_ATTEMPTS - 1)
    assert after(Attempt(http_status=500), last)[1].status == "failed"


def test_waits_grow_differ_between_alerts_and_follow_from_the_id():
    waits = [backoff("a", tries, 5.0) for tries in range(1, 5)]
    assert all(5 * GROWTH**n * 0.8 <= wait <= 5 * GROWTH**n * 1.2 for n, wait in enumerate(waits))
    assert backoff("a", 1, 5.0) == waits[0] != backoff("b", 1, 5.0)


def test_old_news_expires_at_once_and_on_the_way():
    entry, made = accept(ALERT, NOW + DAY + 1, DAY)
    assert (entry.status, made.status, made.attempt) == ("expired", "expired", 0)
    assert accept(ALERT, NOW + DAY, DAY) == (
        Entry(status="pending", due_ms=NOW + DAY, alert=ALERT),
        None,
    )
    assert outdated(PENDING, ALERT, NOW + DAY, DAY) is None
    assert outdated(PENDING, ALERT, NOW + DAY + 1, DAY)[0].status == "expired"


def test_what_happened_long_ago_is_old_news_though_it_was_received_just_now():
    late = Alert(**{name: getattr(ALERT, name) for name in ALERT.__struct_fields__} | {"at_ms": 1})
    assert accept(late, NOW, DAY)[0].status == "expired"


def test_every_attempt_has_an_id_of_its_own():
    first, made = after(Attempt(http_status=500))
    again = after(Attempt(http_status=200), first)[1]
    assert (made.delivery_id, again.delivery_id) == (
        "churn_risk:c_1:1:opened:webhook:1",
        "churn_risk:c_1:1:opened:webhook:2",
    )


def test_the_payload_says_what_whom_and_why():
    body = json.loads(payload(ALERT))
    assert (body["type"], body["timestamp"]) == ("churn_risk.opened", "2026-09-21T14:13:20+00:00")
    assert body["data"]["identifiers"] == ["email:a@b.c"]
    assert body["data"]["offer"] == "winback-20"
    assert body["data"]["reasons"][0] == {
        "feature": "silence",
        "contribution": 1.9,
        "value": 74.0,
        "usual": 31.0,
        "about": "",
        "text": {"en": "silent for 74 days, usually 31 days", "ko": "조용한 지 74일, 보통 31일"},
    }


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1",
        "64:ff9b:1::7f00:1", "::127.0.0.1", "::ffff:0:127.0.0.1", "fec0::1", "5f00::1", "3fff::1",
        "192.88.99.1", "192.0.0.8", "2001:0:7f00:1::",
    ],
)  # fmt: skip
def test_private_addresses_in_every_disguise_are_not_public(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700::1111"])
def test_the_open_internet_is_public(address):
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://1.1.1.1/", "ftp://1.1.1.1/", "file:///etc/passwd", "https://user:pw@1.1.1.1/",
        "https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://2130706433/",
        "https://0x7f.1/", "https://169.254.169.254/latest", "https:///nowhere", "nothing",
        "https://a..example/", f"https://{'a' * 64}.example/",
    ],
)  # fmt: skip
async def test_an_address_that_must_not_be_called_is_refused_for_good(url):
    async with client() as http:
        made = await post(http, url, b"{}", {}, allow_private=False, timeout=60)
    assert (made.permanent, made.http_status) == (True, None)
    assert made.error


async def test_the_connection_goes_to_the_address_that_was_checked():
    target, extensions, host = await resolve("https://1.1.1.1:8443/a?b=1", allow_private=False)
    assert (str(target), host) == ("https://1.1.1.1:8443/a?b=1", "1.1.1.1:8443")
    target, extensions, host = await resolve("http://localhost:81/x", allow_private=True)
    assert target.host in ("127.0.0.1", "::1")
    assert (extensions["sni_hostname"], host) == ("localhost", "localhost:81")


async def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch):
    async def mixed(host, port, **_):
        return [(2, 1, 6, "", ("1.1.1.1", port)), (2, 1, 6, "", ("10.0.0.7", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", mixed)
    with pytest.raises(RefusedAddressError, match=r"10\.0\.0\.7"):
        await resolve("https://rebinding.example/", allow_private=False)


async def answering(lines, url_path="/"):
    """Serve one raw HTTP answer on loopback; return what came of posting to it."""

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(lines)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, client() as http:
        url = f"http://127.0.0.1:{port}{url_path}"
        return await post(http, url, b"{}", {}, allow_private=True, timeout=60)


async def test_a_redirect_is_not_followed():
    made = await answering(
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"
    )
    assert made.http_status == 302


async def test_a_body_without_end_is_not_read():
    made = await answering(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\nx")
    assert made.http_status == 200


async def test_an_answer_that_never_comes_is_an_error_that_may_pass():
    async def sleep(reader, writer):
        await reader.read()
        writer.close()

    server = await asyncio.start_server(sleep, "127.0.0.1", 0)
    async with server, client() as http:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        made = await post(http, url, b"{}", {}, allow_private=True, timeout=0.2)
    assert (made.http_status, made.permanent) == (None, False)
    assert "Timeout" in made.error


def test_retry_after_is_read_in_both_its_forms():
    now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    assert seconds_of("120", now) == 120
    assert seconds_of("Sun, 22 Nov 2026 12:01:00 GMT", now) == 60
    assert seconds_of("soon", now) is None
    assert seconds_of(None, now) is None


@pytest.mark.parametrize(
    "said",
    ["²", "٣", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "-5", "1.5", "nan", "", "\x00"],
)
def test_a_retry_after_that_makes_no_sense_says_nothing(said):
    assert seconds_of(said, datetime(2026, 11, 22, 12, 0, tzinfo=UTC)) is None


async def test_whatever_a_receiver_answers_the_worker_goes_on():
    made = await answering(b"HTTP/1.1 503 Later\r\nretry-after: \xb2\r\ncontent-length: 0\r\n\r\n")
    assert (made.http_status, made.retry_after) == (503, None)


async def test_no_log_tells_a_url_that_may_hold_a_secret(caplog):
    caplog.set_level("DEBUG")
    made = await answering(
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "/hooks/its-only-secret?token=another"
    )
    assert made.http_status == 200
    said = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
    assert "its-only-secret" not in said
    assert "another" not in said


async def test_a_name_of_another_script_is_looked_up_as_its_certificate_has_it(monkeypatch):
    asked = []

    async def found(host, port, **_):
        asked.append(host)
        return [(2, 1, 6, "", ("1.1.1.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)
    target, extensions, host = await resolve("https://straße.example/", allow_private=False)
    assert {*asked, extensions["sni_hostname"], host} == {"xn--strae-oqa.example"}
    assert target.host == "1.1.1.1"


def test_the_queue_gives_what_is_due_longest_and_forgets_a_lost_partition():
    queue = Queue()
    queue.put(30, 1, b"c")
    queue.put(10, 0, b"a")
    queue.put(20, 1, b"b")
    assert queue.pop(5) is None
    assert queue.pop(25) == (0, b"a")
    queue.drop(1)
    assert (queue.pop(99), len(queue)) == (None, 0)


@pytest.mark.parametrize("owned", [[8], [4, 4], [3, 3, 2], [2, 2, 2, 2], [5, 3], [8, 0, 0]])
def test_workers_together_make_no_more_attempts_at_once_than_are_allowed(owned):
    shares = [share(4, own, sum(owned)) for own in owned if own]
    assert sum(shares) <= 4
    assert min(shares) >= 1


def test_a_worker_with_alerts_has_an_attempt_however_many_workers_there_are():
    assert [share(2, 1, 8), share(1, 0, 8), share(100, 8, 8)] == [1, 1, 100]
