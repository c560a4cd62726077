"""Waiting for a receipt's event: in the customer, or forwarded to who it was merged into."""

import asyncio

import pytest
from msgspec.structs import replace

from models.customer import Regroup
from models.naming import derive
from projections.live import Live
from projections.live_wait import Receipt, parse_receipt, reached, wait_for
from tests.support.customers import ANA, NOW_MS, customer, record

USER = "user_id:u-1"
RECEIPT = Receipt("touchpoints/3", 120)


@pytest.fixture
def live():
    return Live(lambda: NOW_MS, epoch="test")


def test_a_receipt_reads_as_a_log_and_an_offset():
    assert parse_receipt("touchpoints/3:120") == RECEIPT


@pytest.mark.parametrize(
    "text", ["", "touchpoints", "touchpoints/3", "/3:1", "t/3:-1", "t/x:1", "t/3:²"]
)
def test_what_is_no_receipt_is_refused(text):
    with pytest.raises(ValueError, match="is no receipt"):
        parse_receipt(text)


def test_an_event_is_reached_when_the_customer_applied_it_or_a_later_one(live):
    assert not reached(live, ANA, RECEIPT)
    live.apply([record(customer(applied={"touchpoints/3": 119, "touchpoints/4": 500}))])
    assert not reached(live, ANA, RECEIPT)
    live.apply([record(customer(applied={"touchpoints/3": 121}))])
    assert reached(live, ANA, RECEIPT)


def test_an_event_that_a_merged_identity_forwarded_is_reached_at_the_winner(live):
    loser = customer(
        ANA, merged_into=derive(USER), applied={"touchpoints/3": 120}, forwarded=41, offset=44
    )
    winner = customer(USER, absorbed=[derive(ANA)], applied={"events/2": 40})
    live.apply([record(loser, partition=2), record(winner, partition=1)])
    assert not reached(live, ANA, RECEIPT)
    live.apply([record(replace(winner, applied={"events/2": 41}), partition=1)])
    assert reached(live, ANA, RECEIPT)
    assert reached(live, USER, RECEIPT)


async def test_waiting_ends_when_the_event_comes(live):
    live.apply([record(customer())])
    waiting = asyncio.create_task(wait_for(live, ANA, RECEIPT, timeout=30))
    await asyncio.sleep(0)
    now = customer(version=2, applied={"touchpoints/3": 120})
    live.apply([record(now)])
    assert await waiting == now


async def test_waiting_gives_up_after_its_time(live):
    with pytest.raises(TimeoutError):
        await wait_for(live, ANA, RECEIPT, timeout=0.01)


def test_who_is_put_together_anew_has_reached_nothing_until_that_is_done(live):
    live.apply([record(customer(applied={"touchpoints/3": 121}, regroup=Regroup(9, 0)))])
    assert not reached(live, ANA, RECEIPT)
    live.apply([record(customer(offset=8, applied={"touchpoints/3": 121}))])
    assert reached(live, ANA, RECEIPT)
