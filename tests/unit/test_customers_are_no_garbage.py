"""Python looks through none of the records of a customer for garbage in cycles."""

from gc import is_tracked

import pytest

from models.customer import Awaited, Customer, Episode, decode, encode
from models.profile import Profile
from models.records import Alert, Decision, Example, Outcome, Reason, Reserved, Score
from projections.live import Held
from projections.live_board import OpenAlert
from projections.live_changes import Change
from projections.live_glance import Glance
from projections.serve.points import Answer, Made

EPISODE = Episode(number=1, status="open", opened_ms=1)
KEPT = Customer(customer_id="ana", episodes={"churn_risk": EPISODE}, timers={"silence": 1})


def test_a_customer_is_not_looked_through_nor_its_profile():
    ana = decode(encode(KEPT))
    assert not any(map(is_tracked, (ana, ana.profile, ana.rhythm, *ana.episodes.values())))


@pytest.mark.parametrize("record", [Score, Decision, Alert, Example, Outcome, Reserved, Awaited])
def test_no_record_of_the_fold_is_looked_through(record):
    assert not record.__struct_config__.gc


def test_a_reason_and_a_profile_are_not_looked_through():
    assert not is_tracked(Reason("silence", 0.5, 3.0))
    assert not is_tracked(Profile())


@pytest.mark.parametrize("kept", [Answer, Made, Change, OpenAlert, Held, Glance])
def test_nothing_that_the_api_keeps_of_each_customer_is_looked_through(kept):
    assert not kept.__struct_config__.gc
