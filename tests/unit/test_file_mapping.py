"""A mapping says what columns mean; a mistake in it is named by its place."""

from datetime import date
from pathlib import Path

import pytest

from infra.files.drafts import Source
from infra.files.errors import FileUnreadableError
from infra.files.mapping import Mapping
from models.errors import TouchpointRejectedError


def load(tmp_path: Path, text: str) -> Mapping:
    (tmp_path / "map.toml").write_text(text)
    return Mapping.load(tmp_path / "map.toml")


def column(tmp_path: Path, use: str) -> Mapping:
    return load(tmp_path, f"[columns.x]\nfield = 'x'\n{use}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("columns = 3", "columns: "),
        ("[columns.a]\nfield = 'x'\nas = 'money'", "columns.a.0.as: "),
        ("[columns.a]\nfield = 'x'\nzone = 'Mars/Base'", "no such time zone: Mars/Base"),
        ("[columns.a]\nas = 'text'", "name either `identifier` or `field`"),
        ("[columns.a]\nfield = 'x'\nidentifier = 'email'", "name either `identifier` or `field`"),
        ("[layout]\ndelimiter = ';;'", 'one character or "whitespace"'),
        ("[layout]\nencoding = 'klingon'", "klingon"),
        ("[columns.a]\nfield = 'X Y'", "columns.a.0.field"),
        ("[colums.a]\nfield = 'x'", "colums: Extra inputs"),
        ("a = ", "map.toml: Invalid value"),
    ],
)
def test_a_mistake_is_named_by_its_place(tmp_path, text, said):
    with pytest.raises(FileUnreadableError) as raised:
        load(tmp_path, text)
    assert said in str(raised.value)


def test_a_missing_mapping_is_said_in_a_sentence(tmp_path):
    with pytest.raises(FileUnreadableError, match=r"none\.toml"):
        Mapping.load(tmp_path / "none.toml")


def test_a_column_that_the_file_lacks_is_named_with_those_it_has(tmp_path):
    mapping = load(tmp_path, "[columns.mail]\nidentifier = 'email'")
    with pytest.raises(FileUnreadableError, match="'mail'; the file has name, email"):
        mapping.event_of({"name": "Ana", "email": "a@b.c"})


@pytest.mark.parametrize(
    ("use", "cell", "value"),
    [
        ("", " text ", "text"),
        ("as = 'integer'", "42", 42),
        ("as = 'number'", "4.5", 4.5),
        ("as = 'decimal'", "11.10", "11.10"),
        ("as = 'boolean'", "Yes", True),
        ("as = 'boolean'", "0", False),
        ("as = 'time'", "2026-03-01T10:00:00+09:00", "2026-03-01T10:00:00+09:00"),
        ("as = 'time'\nzone = 'Asia/Seoul'", "2026-03-01", "2026-03-01T00:00:00+09:00"),
        ("as = 'time'\nzone = 'Asia/Seoul'", date(2026, 3, 1), "2026-03-01T00:00:00+09:00"),
        ("as = 'time'\nformat = 'seconds'", "1772326800", "2026-03-01T01:00:00+00:00"),
        ("as = 'time'\nformat = 'milliseconds'", 1772326800000, "2026-03-01T01:00:00+00:00"),
        ("as = 'time'\nformat = '%Y%m%d'", "19970112", "1997-01-12T00:00:00+00:00"),
        ("values = { M = 'male', F = 'female' }", "F", "female"),
    ],
)
def test_a_cell_becomes_what_its_column_says(tmp_path, use, cell, value):
    assert column(tmp_path, use).event_of({"x": cell})["x"] == value


@pytest.mark.parametrize(
    ("use", "cell"),
    [
        ("as = 'integer'", "4.5"),
        ("as = 'boolean'", "perhaps"),
        ("as = 'time'\nformat = 'seconds'", "1e300"),
        ("values = { M = 'male' }", "X"),
        ("empty = 'reject'", " "),
    ],
)
def test_a_cell_that_is_not_what_its_column_says_is_rejected(tmp_path, use, cell):
    with pytest.raises(TouchpointRejectedError) as raised:
        column(tmp_path, use).event_of({"x": cell})
    assert raised.value.where == "x"


def test_an_empty_cell_leaves_its_field_out(tmp_path):
    assert column(tmp_path, "as = 'integer'").event_of({"x": ""}) == {"identifiers": []}


def test_a_rows_lists_and_objects_are_its_own(tmp_path):
    mapping = load(
        tmp_path,
        "event = { lines = [{ sku = 'cd' }] }\n"
        "[columns.n]\nfield = 'lines.0.quantity'\nas = 'integer'\n"
        "[columns.b]\nfield = 'context.campaign.source'",
    )
    first, second = mapping.event_of({"n": "1", "b": "x"}), mapping.event_of({"n": "2", "b": ""})
    assert first["lines"] == [{"sku": "cd", "quantity": 1}]
    assert second["lines"] == [{"sku": "cd", "quantity": 2}]
    assert first["context"] == {"campaign": {"source": "x"}}
    assert "context" not in second


def test_an_amount_is_shared_among_units_to_its_own_decimals(tmp_path):
    mapping = load(tmp_path, "[columns.paid]\nfield = 'price'\nas = 'decimal'\nper = 'units'")
    assert mapping.event_of({"paid": "40.00", "units": "3"})["price"] == "13.33"
    assert mapping.event_of({"paid": "10000", "units": "3"})["price"] == "3333"
    with pytest.raises(TouchpointRejectedError):
        mapping.event_of({"paid": "40.00", "units": "0"})


def test_the_mapping_that_ships_is_found_by_its_name():
    assert "customer_id" in Mapping.load(Path("cdnow")).columns


def test_the_mapping_in_the_documentation_does_what_is_said_there(tmp_path):
    text = (Path(__file__).parents[2] / "docs" / "files.md").read_text(encoding="utf-8")
    mapping = load(tmp_path, text.split("```toml\n")[1].split("```")[0])
    path = tmp_path / "shop.csv"
    path.write_bytes("1234-5678;20260301;12500;01\n".encode("cp949"))
    source = Source(path, "csv", "shop", "native", mapping)
    (draft,) = [source.draft(row, digest, 1_790_000_000_000) for row, digest in source.rows()]
    assert draft.rejected is None
    assert draft.touchpoint.total.minor == 12_500
    assert draft.touchpoint.place == "Gangnam"
    assert str(draft.touchpoint.identifiers[0]) == "loyalty_card:12345678"
