"""The newest events of a customer, by fingerprint."""

from models import seen
from tests.support.histories import event


def test_a_mark_is_found_again_and_no_other():
    marks = [seen.mark_of(event(id=f"e{n}")) for n in range(50)]
    held = ""
    for mark in marks[:40]:
        held = seen.add(held, mark)
    assert all(seen.has(held, mark) for mark in marks[:40])
    assert not any(seen.has(held, mark) for mark in marks[40:])


def test_what_lies_across_two_marks_is_not_a_mark():
    held = seen.add(seen.add("", "abcdefgh"), "ijklmnop")
    assert not seen.has(held, "efghijkl")
    assert seen.has(held + "efghijkl", "efghijkl")


def test_the_oldest_beyond_the_window_are_forgotten():
    held = ""
    for number in range(seen.WINDOW + 1):
        held = seen.add(held, f"{number:08}")
    assert not seen.has(held, f"{0:08}")
    assert seen.has(held, f"{1:08}")


def test_what_is_regained_displaces_the_oldest_half_at_most():
    ours = "".join(f"o{number:07}" for number in range(seen.WINDOW))
    own = "".join(f"t{number:07}" for number in range(seen.WINDOW))
    held, half = seen.regain(ours, own), seen.WINDOW // 2
    assert len(held) == len(ours)
    for number in range(seen.WINDOW):
        newest = number >= half
        assert seen.has(held, f"o{number:07}") is newest
        assert seen.has(held, f"t{number:07}") is newest
    few = seen.regain(ours, own[:24])
    assert seen.has(few, "t0000000")
    assert seen.has(few, "o0000003")
    assert seen.regain("", own[:24]) == own[:24]


def test_two_memories_joined_keep_ours_and_the_newest_of_theirs():
    ours = "".join(f"o{number:07}" for number in range(10))
    theirs = "".join(f"t{number:07}" for number in range(seen.WINDOW))
    held = seen.join(ours, theirs)
    assert seen.has(held, "o0000000")
    assert seen.has(held, f"t{seen.WINDOW - 1:07}")
    assert not seen.has(held, "t0000000")
