"""Chunks: what is loaded together, and that a crash does not change its borders."""

from models.topics import EVENTS, SCORES
from projections.intake import LONGEST_WAIT_SECONDS, MOST_BYTES, MOST_RECORDS, At, Intake, Plan

ONE, TWO = At(EVENTS, 0), At(EVENTS, 1)


class Record:
    timestamp = 0
    key = None
    value = b"1234"
    headers = ()

    def __init__(self, offset):
        self.offset = offset


def records(first, last):
    return [Record(offset) for offset in range(first, last + 1)]


def borders(batches):
    return [[(chunk.partition, chunk.first, chunk.last) for chunk in one.chunks] for one in batches]


def test_what_came_waits_a_moment_for_more():
    intake = Intake()
    intake.add(ONE, records(0, 9), 10, now=0.0)
    assert intake.due(now=LONGEST_WAIT_SECONDS / 2) == []
    intake.add(TWO, records(5, 6), 7, now=LONGEST_WAIT_SECONDS / 2)
    assert borders(intake.due(now=LONGEST_WAIT_SECONDS)) == [[(0, 0, 9), (1, 5, 6)]]
    assert intake.idle


def test_enough_records_do_not_wait():
    intake = Intake()
    intake.add(ONE, records(0, MOST_RECORDS - 1), MOST_RECORDS, now=0.0)
    assert borders(intake.due(now=0.0)) == [[(0, 0, MOST_RECORDS - 1)]]


def test_enough_bytes_do_not_wait_and_what_was_loaded_counts_no_more():
    intake, large = Intake(), records(0, 2)
    for record in large[:2]:
        record.value = bytes(MOST_BYTES // 2)
    large[2].value = None  # an erasure
    intake.add(ONE, large[:1], 1, now=0.0)
    assert intake.due(now=0.0) == []
    intake.add(TWO, large[1:], 3, now=0.0)
    assert borders(intake.due(now=0.0)) == [[(0, 0, 0), (1, 1, 2)]]
    intake.add(ONE, large[:1], 4, now=0.0)
    assert intake.due(now=0.0) == []


def test_topics_are_loaded_apart():
    intake = Intake()
    intake.add(ONE, records(0, 0), 1, now=0.0)
    intake.add(At(SCORES, 0), records(0, 0), 1, now=0.0)
    assert len(intake.due(now=0.0, all_of_it=True)) == 2


def test_after_a_crash_the_interrupted_batch_is_cut_at_the_same_offsets():
    before = Intake()
    before.add(ONE, records(3, 7), 8, now=0.0)
    before.add(TWO, records(0, 1), 2, now=0.0)
    [batch] = before.due(now=9.0)
    written = {at: Plan.read(plan.text()) for at, plan in batch.plans().items()}

    after = Intake()
    after.assign(written)
    after.add(ONE, records(3, 20), 21, now=0.0)
    assert after.due(now=9.0) == []  # the other partition's part has not been read yet
    after.add(TWO, records(0, 9), 10, now=9.0)
    again, rest = after.due(now=20.0)
    assert (again.name, borders([again])) == (batch.name, borders([batch]))
    assert [chunk.name for chunk in again.chunks] == [chunk.name for chunk in batch.chunks]
    assert borders([rest]) == [[(0, 8, 20), (1, 2, 9)]]


def test_an_interrupted_batch_that_compaction_has_emptied_holds_nothing_up():
    intake = Intake()
    intake.assign({ONE: Plan("gone", 4)})
    intake.add(ONE, records(9, 9), 10, now=0.0)
    assert borders(intake.due(now=9.0)) == [[(0, 9, 9)]]


def test_a_revoked_partition_is_forgotten():
    intake = Intake()
    intake.add(ONE, records(0, 9), 10, now=0.0)
    intake.revoke()
    assert intake.due(now=9.0, all_of_it=True) == []


def test_metadata_that_is_no_plan_is_none():
    assert [Plan.read(text) for text in ("", None, "x", "a b")] == [None] * 4
