"""Files become rows, and rows become drafts with ids that follow from the content."""

import gzip
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from infra.files.drafts import Source
from infra.files.errors import FileUnreadableError
from infra.files.importer import Report, check
from infra.files.mapping import Mapping
from infra.files.rows import extent, kind_of, read
from models.errors import Reason

NOW_MS = 1_790_000_000_000
VIEW = {
    "type": "page_viewed",
    "occurred_at": "2026-03-01T10:00:00+09:00",
    "identifiers": [{"type": "user_id", "value": "ana"}],
    "path": "/",
}
MAPPING = """
[event]
type = "order_placed"
total = { currency = "USD" }
[columns."@row"]
field = "order_id"
[columns.who]
identifier = "email"
[columns.when]
field = "occurred_at"
as = "time"
format = "%d.%m.%Y %H:%M"
zone = "Asia/Seoul"
[columns.paid]
field = "total.amount"
as = "decimal"
"""


def drafts(source):
    return [source.draft(row, digest, NOW_MS) for row, digest in source.rows()]


def lines(path: Path, *events: object) -> Path:
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def table(tmp_path: Path, text: str, mapping: str = MAPPING) -> Source:
    (tmp_path / "map.toml").write_text(mapping)
    (tmp_path / "table.csv").write_bytes(text.encode())
    return Source(
        tmp_path / "table.csv", "csv", "shop", "native", Mapping.load(tmp_path / "map.toml")
    )


def test_a_line_of_json_is_a_touchpoint_with_the_files_name(tmp_path):
    path = lines(tmp_path / "a.jsonl", VIEW, VIEW | {"event_id": "mine"})
    first, second = drafts(Source(path, "jsonl", "crm export"))
    assert first.touchpoint.source == "crm export"
    assert first.touchpoint.event_id == first.digest
    assert second.touchpoint.event_id == "mine"
    assert second.value == second.row.raw


def test_the_same_line_twice_is_two_events_and_reading_again_gives_the_same_ids(tmp_path):
    source = Source(lines(tmp_path / "a.jsonl", VIEW, VIEW), "jsonl", "a")
    once, again = drafts(source), drafts(source)
    assert once[0].touchpoint.event_id != once[1].touchpoint.event_id
    assert [draft.value for draft in once] == [draft.value for draft in again]


def test_a_file_that_grows_keeps_the_ids_of_its_old_rows(tmp_path):
    path = lines(tmp_path / "a.jsonl", VIEW, VIEW)
    before = [digest for _, digest in Source(path, "jsonl", "a").rows()]
    lines(path, VIEW, VIEW, VIEW)
    assert [digest for _, digest in Source(path, "jsonl", "a").rows()][:2] == before


def test_a_files_ids_change_from_the_first_row_that_differs(tmp_path):
    one = lines(tmp_path / "one.jsonl", VIEW, VIEW, VIEW)
    other = lines(tmp_path / "other.jsonl", VIEW, VIEW | {"path": "/x"}, VIEW)
    of_one = [digest for _, digest in Source(one, "jsonl", "a").rows()]
    of_other = [digest for _, digest in Source(other, "jsonl", "a").rows()]
    assert [a == b for a, b in zip(of_one, of_other, strict=True)] == [True, False, False]


@pytest.mark.parametrize("stated", [None, ""])
def test_an_empty_id_counts_as_none(tmp_path, stated):
    path = lines(tmp_path / "a.jsonl", VIEW | {"event_id": stated})
    (draft,) = drafts(Source(path, "jsonl", "a"))
    assert draft.touchpoint.event_id == draft.digest


def test_a_segment_line_without_a_message_id_gets_one(tmp_path):
    call = {"type": "page", "userId": "ana", "timestamp": "2026-03-01T10:00:00Z"}
    call |= {"properties": {"path": "/"}}
    path = lines(tmp_path / "a.jsonl", call)
    (draft,) = drafts(Source(path, "jsonl", "a", "segment"))
    assert draft.rejected is None
    assert draft.touchpoint.event_id == draft.digest


def test_numbers_stay_as_they_were_written(tmp_path):
    line = b'{"type":"custom","name":"n","properties":{"x":0.1000000000000000055511151231257827},'
    line += b'"occurred_at":"2026-03-01T10:00:00Z","identifiers":[{"type":"user_id","value":"a"}]}'
    (tmp_path / "a.jsonl").write_bytes(line)
    (draft,) = drafts(Source(tmp_path / "a.jsonl", "jsonl", "a"))
    assert draft.value.endswith(line[1:])


def test_blank_lines_are_no_rows_and_lines_keep_their_numbers(tmp_path):
    (tmp_path / "a.jsonl").write_text(f"\n{json.dumps(VIEW)}\n  \n\n{json.dumps(VIEW)}")
    assert [row.number for row, _ in Source(tmp_path / "a.jsonl", "jsonl", "a").rows()] == [2, 5]


def test_bad_lines_are_reported_with_line_and_reason_and_the_rest_goes_on(tmp_path):
    path = tmp_path / "a.jsonl"
    bad = [b"{not json", b'{"type":"\xff"}', b"[]", b'{"type":"page_viewed"}', b'"text"']
    path.write_bytes(b"\n".join([json.dumps(VIEW).encode(), *bad, json.dumps(VIEW).encode()]))
    refused = []
    taken, report = [], Report()
    check(Source(path, "jsonl", "a"), lambda *_: None, taken.append, refused.append, report)
    assert [draft.row.number for draft in taken] == [1, 7]
    assert (report.rows, report.accepted, report.rejected) == (7, 2, 5)
    assert [draft.row.number for draft in refused] == [2, 3, 4, 5, 6]
    assert refused[0].rejected.reason is Reason.NOT_JSON
    assert refused[1].rejected.reason is Reason.NOT_UTF8
    assert report.latest == datetime(2026, 3, 1, 1, tzinfo=UTC)


def test_identifiers_that_name_nobody_are_rejected_before_anything_is_sent(tmp_path):
    nobody = VIEW | {"identifiers": [{"type": "user_id", "value": "undefined"}]}
    (draft,) = drafts(Source(lines(tmp_path / "a.jsonl", nobody), "jsonl", "a"))
    assert draft.rejected.reason is Reason.NO_IDENTIFIER


def test_gzip_is_read_as_what_is_in_it(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(VIEW).encode() + b"\n"))
    assert kind_of(path) == "jsonl"
    assert [draft.rejected for draft in drafts(Source(path, "jsonl", "a"))] == [None]


def test_broken_gzip_is_said_in_a_sentence(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b"x" * 100_000)[:40])
    with pytest.raises(FileUnreadableError, match=r"a\.jsonl\.gz"):
        drafts(Source(path, "jsonl", "a"))


def test_a_table_is_read_through_its_mapping(tmp_path):
    source = table(tmp_path, "who,when,paid\r\nAna@Example.com,01.03.2026 09:30,59.00\r\n")
    (draft,) = drafts(source)
    assert draft.rejected is None
    assert draft.touchpoint.occurred_at == datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
    assert draft.touchpoint.utc_offset_minutes == 540
    assert draft.touchpoint.total.amount == Decimal("59.00")
    assert str(draft.touchpoint.identifiers[0]) == "email:ana@example.com"


def test_quoted_cells_may_hold_commas_and_line_ends(tmp_path):
    mapping = """
    [event]
    type = "feedback_given"
    kind = "review"
    score = 5
    occurred_at = "2026-03-01T00:00:00Z"
    [columns.who]
    identifier = "user_id"
    [columns.text]
    field = "text"
    """
    source = table(tmp_path, 'who,text\nana,"one, two\nthree"\nben,four\n', mapping)
    first, second = drafts(source)
    assert first.touchpoint.text == "one, two\nthree"
    assert (first.row.number, second.row.number) == (3, 4)  # the line a row ends on


def test_a_row_with_missing_cells_is_rejected_alone(tmp_path):
    source = table(tmp_path, "who,when,paid\na@b.c,01.03.2026 09:30\na@b.c,01.03.2026 09:30,1\n")
    short, good = drafts(source)
    assert "2 cells in a table of 3 columns" in str(short.rejected)
    assert good.rejected is None


@pytest.mark.parametrize(
    ("row", "reason", "where"),
    [
        ("a@b.c,2026-03-01,1", Reason.BAD_TIME, "when"),
        ("a@b.c,01.03.2026 09:30,much", Reason.BAD_FIELD, "paid"),
        ("a@b.c,01.03.2026 09:30,-1", Reason.BAD_AMOUNT, "total.amount"),
        ("a@b.c,01.03.2026 09:30,NaN", Reason.BAD_AMOUNT, "total.amount"),
        (",01.03.2026 09:30,1", Reason.NO_IDENTIFIER, "identifiers"),
    ],
)
def test_a_bad_cell_names_its_place(tmp_path, row, reason, where):
    (draft,) = drafts(table(tmp_path, f"who,when,paid\n{row}\n"))
    assert (draft.rejected.reason, draft.rejected.where) == (reason, where)


def test_parquet_is_read_with_its_own_types(tmp_path):
    path = tmp_path / "a.parquet"
    rows = [
        {
            "type": "order_placed",
            "order_id": "o1",
            "occurred_at": datetime(2026, 3, 1, 10, tzinfo=UTC),
            "identifiers": [{"type": "user_id", "value": "ana"}],
            "total": {"amount": Decimal("12.30"), "currency": "USD"},
            "coupon": None,
        }
    ]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    (draft,) = drafts(Source(path, "parquet", "dwh"))
    assert draft.rejected is None
    assert draft.touchpoint.total.minor == 1230
    assert extent(path, "parquet") == 1


def test_what_is_no_parquet_is_said_in_a_sentence(tmp_path):
    path = tmp_path / "a.parquet"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(FileUnreadableError, match="not a Parquet file"):
        list(read(path, "parquet", Mapping().layout))


def test_a_file_is_refused_before_reading_when_it_cannot_work(tmp_path):
    path = lines(tmp_path / "a.jsonl", VIEW)
    with pytest.raises(FileUnreadableError, match="no such file"):
        Source(tmp_path / "none.jsonl", "jsonl", "a")
    with pytest.raises(FileUnreadableError, match="needs --mapping"):
        Source(path, "csv", "a")
    with pytest.raises(FileUnreadableError, match="a mapping is for CSV and Parquet"):
        Source(path, "jsonl", "a", "native", Mapping())
    with pytest.raises(FileUnreadableError, match="cannot tell what is in it"):
        kind_of(tmp_path / "a.xlsx")


def test_an_archive_keeps_its_times_whatever_it_says_of_when_it_was_sent(tmp_path):
    file = tmp_path / "calls.jsonl"
    call = {"type": "track", "event": "x", "userId": "ana", "timestamp": "2026-03-01T10:00:00Z"}
    file.write_text(json.dumps(call | {"sentAt": "2026-03-01T10:00:05Z"}))
    [draft] = drafts(Source(file, "jsonl", "shop", "segment"))
    assert draft.touchpoint.occurred_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
