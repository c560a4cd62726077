"""One suite for every store; and what the one on disk owes beyond it."""

import os
import signal
import subprocess
import sys
import time

import lmdb
import pytest

from streams.lane import disk
from streams.lane.disk import KEPT, DiskStore, DiskStores
from streams.lane.store import MemoryStore, Stamp, StoresError

TOPIC = "id-of-the-topic"


@pytest.fixture(params=["memory", "disk"])
def store(request, tmp_path):
    return MemoryStore() if request.param == "memory" else DiskStore(tmp_path / "0", TOPIC)


@pytest.fixture
def again(tmp_path):
    """Open the same folder as the next process would: who had it is gone, unclosed."""

    def open_again(store, topic=TOPIC):
        store._env.close()
        return DiskStore(store.folder, topic)

    return open_again


def test_a_new_store_is_empty_and_before_everything(store):
    assert dict(store.contents) == {}
    assert len(store.contents) == 0
    assert store.stamp == Stamp(0, 0)


def test_changes_and_stamp_are_there_together(store):
    store.apply({b"gone": b"x", b"kept": b"y"}, Stamp(2, 5))
    store.apply({b"gone": None, b"empty": b"", b"zero": b"0", b"unknown": None}, Stamp(6, 5))
    assert dict(store.contents) == {b"kept": b"y", b"empty": b"", b"zero": b"0"}
    assert len(store.contents) == 3
    assert store.contents.get(b"gone") is None
    assert store.stamp == Stamp(6, 5)


def test_keys_may_come_in_any_order_first_and_later(store):
    store.apply({b"b": b"1", b"a": b"2", b"bb": b"3", b"none": None}, Stamp(4, 5))
    store.apply({b"aa": b"4", b"b": b"5"}, Stamp(6, 5))
    assert dict(store.contents) == {b"a": b"2", b"aa": b"4", b"b": b"5", b"bb": b"3"}


async def test_what_is_read_ahead_is_what_there_is(store):
    store.apply({b"a": b"1", b"empty": b""}, Stamp(2, 5))
    found = await store.ahead([b"a", None, b"", b"b", b"a"])
    wanted = (b"1", None, b"")
    assert (found.get(b"a"), found.get(b"b"), found.get(b"empty")) == wanted


def test_all_of_it_comes_in_portions_while_it_changes(store):
    store.apply({b"%02d" % number: b"old" for number in range(10)}, Stamp(10, 5))
    found = {}
    for portion in store.portions(3):
        assert len(portion) <= 3
        found |= dict(portion)
        store.apply({b"09": b"new", b"05": None}, Stamp(12, 5))
    assert found == {b"%02d" % n: b"new" if n == 9 else b"old" for n in range(10) if n != 5}


def test_a_cleared_store_is_a_new_one(store):
    store.apply({b"a": b"1"}, Stamp(2, 5))
    store.clear()
    assert dict(store.contents) == {}
    assert store.stamp == Stamp(0, 0)
    store.apply({b"b": b"2"}, Stamp(1, 1))
    assert dict(store.contents) == {b"b": b"2"}


@pytest.fixture
def on_disk(tmp_path):
    store = DiskStore(tmp_path / "0", TOPIC)
    store.apply({b"a": b"1"}, Stamp(7, 5))
    return store


def test_the_next_process_finds_what_was_there_and_how_far(on_disk, again):
    found = again(on_disk)
    assert dict(found) == {b"a": b"1"}
    assert found.stamp == Stamp(7, 5)


def test_a_change_that_fails_leaves_contents_and_stamp(on_disk, again):
    with pytest.raises(lmdb.BadValsizeError):
        on_disk.apply({b"b": b"2", b"k" * 600: b"too long a key"}, Stamp(9, 5))
    assert dict(on_disk) == {b"a": b"1"}
    assert on_disk.stamp == Stamp(7, 5)
    assert again(on_disk).stamp == Stamp(7, 5)


def test_what_is_of_another_changelog_is_thrown_away(on_disk, again):
    found = again(on_disk, "id-of-a-topic-made-anew")
    assert dict(found) == {}
    assert found.stamp == Stamp(0, 0)


def test_after_the_machine_went_down_only_a_closed_store_counts(on_disk, tmp_path, monkeypatch):
    closed = DiskStore(tmp_path / "1", TOPIC)
    closed.apply({b"a": b"1"}, Stamp(7, 5))
    closed.close()
    on_disk._env.close()
    monkeypatch.setattr(disk, "boot", lambda: "the-next-boot")
    found = DiskStore(tmp_path / "0", TOPIC)
    assert (dict(found), found.stamp) == ({}, Stamp(0, 0))
    reopened = DiskStore(tmp_path / "1", TOPIC)
    assert (dict(reopened), reopened.stamp) == ({b"a": b"1"}, Stamp(7, 5))
    reopened._env.close()  # nothing was written, yet it was open when the machine went down
    monkeypatch.setattr(disk, "boot", lambda: "the-boot-after")
    assert DiskStore(tmp_path / "1", TOPIC).stamp == Stamp(0, 0)


def test_where_no_boot_is_told_only_a_closed_store_counts(tmp_path, again, monkeypatch):
    monkeypatch.setattr(disk, "boot", lambda: "")
    store = DiskStore(tmp_path / "0", TOPIC)
    store.apply({b"a": b"1"}, Stamp(7, 5))
    assert again(store).stamp == Stamp(0, 0)


def test_files_that_are_no_store_are_made_anew(on_disk, tmp_path):
    on_disk._env.close()
    (tmp_path / "0" / "data.mdb").write_bytes(b"not a database" * 1000)
    found = DiskStore(tmp_path / "0", TOPIC)
    assert (dict(found), found.stamp) == ({}, Stamp(0, 0))


async def test_a_closed_store_reads_as_empty(on_disk):
    seen = await on_disk.ahead([b"a"])
    on_disk.close()
    assert (seen.get(b"a"), seen.get(b"b"), on_disk.get(b"a")) == (b"1", None, None)
    assert (len(on_disk), list(on_disk)) == (0, [])
    assert (await on_disk.ahead([b"a"])).get(b"a") is None


WRITER = """
import sys
from pathlib import Path
from streams.lane.disk import DiskStore
from streams.lane.store import Stamp
store = DiskStore(Path(sys.argv[1]), "id-of-the-topic")
number = store_began = store.stamp.position
while True:
    number += 1
    store.apply({b"%d" % (number % 50): b"%d" % number * 300, b"newest": b"%d" % number},
                Stamp(number, 5))
    if number == store_began + 1:
        print("writing", flush=True)
"""


@pytest.mark.chaos
def test_a_kill_at_any_instant_leaves_contents_and_stamp_together(tmp_path):
    folder, reached = tmp_path / "0", 0
    for turn in range(8):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE
        )
        assert writer.stdout.readline() == b"writing\n"
        time.sleep(0.05 + 0.017 * turn)
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        found = DiskStore(folder, TOPIC)
        assert found.stamp.position > reached
        reached = found.stamp.position
        assert found[b"newest"] == b"%d" % reached
        for number in range(max(1, reached - 49), reached + 1):
            assert found[b"%d" % (number % 50)] == b"%d" % number * 300
        found._env.close()


@pytest.fixture
async def stores(tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "topic_ids", lambda brokers, topics: dict.fromkeys(topics, TOPIC))
    stores = DiskStores(tmp_path)
    await stores.prepare("nowhere", ["profiles"])
    return stores


async def test_a_folder_is_one_process_s(stores, tmp_path):
    with pytest.raises(StoresError, match="give each its own C360_INSTANCE"):
        await DiskStores(tmp_path).prepare("nowhere", ["profiles"])


async def test_what_nobody_had_open_for_a_day_is_removed(stores, tmp_path):
    for number in (0, 1, 2):
        stores.open("profiles", number).close()
    held = stores.open("profiles", 3)
    old = time.time() - KEPT - 60
    for number in (1, 3):
        for file in (tmp_path / "profiles" / str(number)).iterdir():
            os.utime(file, (old, old))
    stores.sweep()
    assert sorted(folder.name for folder in (tmp_path / "profiles").iterdir()) == ["0", "2", "3"]
    assert held.stamp == Stamp(0, 0)
