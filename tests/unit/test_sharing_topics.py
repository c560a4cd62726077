"""Who leads a group shares what there is, even while the broker has yet to learn of it."""

from types import SimpleNamespace

import pytest
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata
from faust.assignor.client_assignment import ClientMetadata
from yarl import URL

from streams.lane.assignor import Sticky

WIDTHS = {"events": 4, "alerts": 4, "examples": 2}


def cluster(widths):
    """A broker's word on its topics; one that it does not know has no partitions."""
    return SimpleNamespace(
        partitions_for_topic=lambda topic: set(range(widths[topic])) if topic in widths else None
    )


@pytest.fixture
def leader():
    tables = SimpleNamespace(changelog_topics=set())
    conf = SimpleNamespace(canonical_url=URL("http://127.0.0.1:6066"))
    return Sticky(SimpleNamespace(tables=tables, conf=conf))


def assign(leader, widths):
    """Return each member's topics and partitions."""
    members = {name: leader.metadata(set(WIDTHS)) for name in ("w1", "w2")}
    made = leader._perform_assignment(cluster(widths), members)
    return {
        name: {topic: set(numbers) for topic, numbers in one.assignment}
        for name, one in made.items()
    }


def everything(shares):
    return {
        topic: set().union(*(share.get(topic, set()) for share in shares.values()))
        for topic in WIDTHS
    }


ALL = {topic: set(range(width)) for topic, width in WIDTHS.items()}


def test_all_partitions_are_shared(leader):
    assert everything(assign(leader, WIDTHS)) == ALL


@pytest.mark.parametrize("known", [{}, {"examples": 2}, {"events": 1, "examples": 2}], ids=str)
def test_a_topic_that_a_broker_forgot_for_a_moment_is_shared_as_before(leader, known):
    before = assign(leader, WIDTHS)
    assert everything(assign(leader, known)) == ALL
    assert assign(leader, known) == before


def test_partitions_that_were_added_are_shared(leader):
    assign(leader, WIDTHS)
    wider = {**WIDTHS, "events": 6, "alerts": 6}
    assert everything(assign(leader, wider))["events"] == set(range(6))


def test_a_topic_that_was_never_known_is_an_error_and_not_nobodys(leader):
    with pytest.raises(LookupError, match="does not know the topic events yet"):
        assign(leader, {"alerts": 4, "examples": 2})


def test_what_members_tell_is_faust_s_own_record(leader):
    told = leader.metadata(set(WIDTHS))
    assert isinstance(told, ConsumerProtocolMemberMetadata)
    assert ClientMetadata.loads(told.user_data).assignment.actives == {}
