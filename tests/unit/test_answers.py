"""An answer leaves in one send, and nothing that was written stays behind."""

import asyncio

import pytest

from infra.answers import InPairs


class Transport:
    """Notes what is sent."""

    def __init__(self):
        self.sent = []
        self.closed = False

    def write(self, data):
        assert not self.closed
        self.sent.append(data)

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed

    def get_extra_info(self, name):
        return name


@pytest.fixture
async def pair():
    inner = Transport()
    return inner, InPairs(inner)


async def test_head_and_body_are_sent_as_one_at_once(pair):
    inner, transport = pair
    transport.write(b"head ")
    transport.write(b"body")
    assert inner.sent == [b"head body"]
    await asyncio.sleep(0)
    assert inner.sent == [b"head body"]


async def test_what_comes_alone_is_sent_in_the_next_turn(pair):
    inner, transport = pair
    transport.write(b"head")
    assert inner.sent == []
    await asyncio.sleep(0)
    assert inner.sent == [b"head"]


async def test_an_empty_body_sends_the_head(pair):
    inner, transport = pair
    transport.write(b"head")
    transport.write(b"")
    assert inner.sent == [b"head"]
    transport.write(b"")
    await asyncio.sleep(0)
    assert inner.sent == [b"head"]


async def test_what_waits_is_sent_before_the_connection_closes_and_nothing_after(pair):
    inner, transport = pair
    transport.write(b"bye")
    transport.close()
    assert (inner.sent, inner.closed) == ([b"bye"], True)
    transport.write(b"late")
    await asyncio.sleep(0)
    assert inner.sent == [b"bye"]


async def test_a_long_answer_keeps_its_order(pair):
    inner, transport = pair
    parts = [b"%d," % number for number in range(7)]
    for part in parts:
        transport.write(part)
    await asyncio.sleep(0)
    assert b"".join(inner.sent) == b"".join(parts)


async def test_all_else_is_the_transports_own(pair):
    assert pair[1].get_extra_info("peername") == "peername"
