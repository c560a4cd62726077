"""`c360 models evaluate-file`: what is found in a file, what is refused, what is told."""

import csv
import gzip
import json
import math
import random
from datetime import date, timedelta

import pyarrow
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from infra.cli.models_file import command
from infra.errors import UserError
from infra.evaluation import bandit, churn
from infra.evaluation.columns import look, told
from infra.evaluation.moments import Clock, number_of, slashed
from infra.evaluation.reading import contents
from infra.evaluation.roles import Asked, roles
from infra.evaluation.table import Table
from models.online.prequential import CHAMPION

DAY = 86_400


def silent(*_):
    pass


def written(path, rows):
    names = list(rows[0])
    with path.open("w", newline="", encoding="utf-8") as out:
        table = csv.DictWriter(out, names)
        table.writeheader()
        table.writerows(rows)
    return path


def people(count=600, seed=1):
    """Customers of whom a text, a truth and a skewed number tell whether they leave."""
    rng = random.Random(seed)
    for at in range(count):
        plan, called, spent = rng.choice("abc"), rng.random() < 0.3, math.exp(rng.gauss(3, 2))
        logit = {"a": -2.0, "b": 0.0, "c": 1.0}[plan] + 1.5 * called - 0.3 * math.log(spent)
        left = rng.random() < 1 / (1 + math.exp(-logit))
        yield {
            "when": str(date(2026, 1, 1) + timedelta(days=at // 40)),
            "who": f"u{at % 97}",
            "plan": plan,
            "called": "yes" if called else "no",
            "spent": "" if not at % 9 else f"{spent:.2f}",
            "left": "yes" if left else "no",
        }


def evaluated(path, **asked):
    return churn.report(Table(path), Asked(**asked), 0.5, silent)


def test_columns_are_found_by_name_and_content_and_the_report_says_so(tmp_path):
    report = evaluated(written(tmp_path / "people.csv", list(people())))
    assert report["columns"]["label"] == "left"
    assert report["columns"]["positive"] == "yes"
    assert report["columns"]["features"] == {
        "when": "date", "who": "text", "plan": "text", "called": "truth", "spent": "number"
    }  # fmt: skip
    assert any("'left'" in note for note in report["notes"])


def test_the_learners_rank_people_by_texts_truths_and_skewed_numbers(tmp_path):
    path = written(tmp_path / "people.csv", list(people(1_400)))
    report = evaluated(path, time="when", key="who")
    tested = report["tested"]
    assert tested[CHAMPION]["auc"] > 0.75
    assert tested[CHAMPION]["log_loss"] < tested["prior"]["log_loss"] - 0.05
    assert tested[CHAMPION]["rows"] == 700


@pytest.mark.parametrize("kind", ["jsonl", "csv.gz", "parquet", "tsv", "semicolon.csv"])
def test_every_kind_of_file_gives_the_same_figures(tmp_path, kind):
    rows = list(people(150))
    expected = evaluated(written(tmp_path / "people.csv", rows), time="when", key="who")
    path = tmp_path / f"people.{kind}"
    separator = {"tsv": "\t", "semicolon.csv": ";"}.get(kind)
    if separator:
        lines = [separator.join(rows[0]), *(separator.join(row.values()) for row in rows)]
        path.write_text("\n".join(lines))
    elif kind == "jsonl":
        path.write_text("\n".join(json.dumps(row) for row in rows))
    elif kind == "parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    else:
        path.write_bytes(gzip.compress((tmp_path / "people.csv").read_bytes()))
    assert evaluated(path, time="when", key="who")["tested"] == expected["tested"]


def test_rows_out_of_order_are_sorted_by_their_time(tmp_path):
    rows = [{**row, "n": at} for at, row in enumerate(people(200))]
    expected = evaluated(written(tmp_path / "a.csv", rows), time="n", drop=("when",))
    rng = random.Random(4)
    rng.shuffle(rows)
    report = evaluated(written(tmp_path / "b.csv", rows), time="n", drop=("when",))
    assert report["tested"] == expected["tested"]
    assert "the rows were sorted by 'n'" in report["notes"]


def test_a_column_that_knows_the_label_is_as_good_as_its_delay_allows(tmp_path):
    """The label's own past rate by key gives it away, unless the label is known too late."""
    rng = random.Random(3)
    fate = {f"u{n}": rng.random() < 0.5 for n in range(40)}
    rows = []
    for at in range(1_200):
        who = rng.choice(list(fate))
        rows.append({"day": f"{at // 40}", "u": who, "noise": rng.random(), "y": int(fate[who])})
    path = written(tmp_path / "fates.csv", rows)
    soon = evaluated(path, time="day", label="y", key=None, delay=1)
    late = evaluated(path, time="day", label="y", key=None, delay=29)
    assert soon["tested"][CHAMPION]["auc"] > 0.95
    assert late["learnt"] < 60
    assert late["whole"][CHAMPION]["auc"] is None or late["whole"][CHAMPION]["auc"] < 0.7


def test_labels_due_beyond_the_files_end_are_not_scored(tmp_path):
    report = evaluated(
        written(tmp_path / "people.csv", list(people())), time="when", key="who", delay=5
    )
    assert report["unlabelled"] == 200  # the last five of fifteen days
    assert report["whole"][CHAMPION]["rows"] == 400


def test_rows_that_cannot_be_used_are_counted_and_told(tmp_path):
    rows = list(people(300))
    rows[10]["when"] = "soon"
    rows[20]["spent"] = "a lot"
    path = written(tmp_path / "people.csv", rows)
    with path.open("a", encoding="utf-8") as out:
        out.write("too,few\n")
    trouble = evaluated(path, time="when", time_format="%Y-%m-%d")["trouble"]
    assert trouble["rows_left_out"] == 2
    assert trouble["cells_emptied"] == 1
    assert trouble["told"][0] == "row 12: no time: 'soon' in column 'when'"
    assert trouble["told"][1] == "row 22, column 'spent': 'a lot' taken for empty"
    assert trouble["told"][2].startswith("row 302: 2 cells")


def test_a_row_without_a_label_is_only_predicted(tmp_path):
    rows = list(people(300))
    for row in rows[::10]:
        row["left"] = "NA"
    report = evaluated(written(tmp_path / "people.csv", rows))
    assert (report["rows"], report["unlabelled"], report["whole"][CHAMPION]["rows"]) == (
        300, 30, 270,
    )  # fmt: skip


def test_shuffling_mixes_rows_that_are_sorted_by_the_label(tmp_path):
    rows = sorted(({**row, "when": ""} for row in people(250)), key=lambda row: row["left"])
    path = written(tmp_path / "sorted.csv", rows)
    mixed = evaluated(path, shuffle=True)
    assert 0.2 < mixed["tested"][CHAMPION]["base_rate"] < 0.8
    assert mixed["tested"] == evaluated(path, shuffle=True)["tested"]


def refusal(path, **asked):
    with pytest.raises(UserError) as refused:
        evaluated(path, **asked)
    return str(refused.value)


def test_what_cannot_be_evaluated_is_refused_with_what_to_do(tmp_path):
    path = written(tmp_path / "people.csv", list(people(50)))
    assert "no column 'churned'" in refusal(path, label="churned")
    assert "'plan'" in refusal(path, label="plan")  # three values: which?
    assert "--positive" in refusal(path, label="plan")
    assert "never has the value 'z'" in refusal(path, label="plan", positive="z")
    assert "does not read as times" in refusal(path, time="plan")
    one = written(tmp_path / "one.csv", [{"x": 1, "y": n % 2} for n in range(9)])
    assert "no column is left" in refusal(one, label="y")
    (tmp_path / "empty.csv").write_text("")
    assert "no row" in refusal(tmp_path / "empty.csv")
    assert "no such file" in refusal(tmp_path / "nothing.csv")
    (tmp_path / "bad.jsonl").write_text("{]\n")
    assert "row 1: not JSON" in refusal(tmp_path / "bad.jsonl")


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("2026-03-01", 1_772_323_200), ("2026-03-01T00:00:00Z", 1_772_323_200),
        ("2026-03-01 09:00:00+09:00", 1_772_323_200), ("20260301", 1_772_323_200),
        (20260301, 1_772_323_200), (1_772_323_200, 1_772_323_200),
        (1_772_323_200_000, 1_772_323_200), ("1772323200.5", 1_772_323_200.5),
        ("1970-01-01", 0), ("soon", None), ("7", None), (None, None), (True, None),
    ],
)  # fmt: skip
def test_times_are_read_however_they_are_written(cell, seconds):
    assert Clock().read(cell) == (seconds if seconds is None else pytest.approx(seconds))


def test_plain_numbers_and_formats_of_ones_own_are_times_too():
    assert Clock(plain=True).read("7") == 7.0
    assert Clock("%d/%m/%Y").read("01/03/2026") == 1_772_323_200
    assert Clock("%Y").read(2026) == Clock().read("2026-01-01")


def test_one_value_has_one_name_however_it_is_written():
    assert told(1) == told(1.0) == told("1") == told("1.0") == "1"
    assert told(True) == "true"


def test_free_text_and_constants_are_left_out_with_the_reason(tmp_path):
    rows = [{**row, "note": f"said {at} and so on", "shop": 1} for at, row in enumerate(people())]
    table = Table(written(tmp_path / "people.csv", rows))
    role = roles(contents(table, silent), Asked(), {"left"}, [])
    assert set(role.left_out) == {"note", "shop"}


def test_what_is_kept_of_a_column_is_bounded(tmp_path):
    rows = [{"x": f"value {n}", "y": n % 2} for n in range(5_000)]
    found = look(Table(written(tmp_path / "wide.csv", rows)))
    assert len(found.columns["x"].values) == 1_000


def choices(count=800):
    """Two arms; which is right follows from x; one in three rows cannot have b."""
    rng = random.Random(11)
    for at in range(count):
        x = rng.gauss(0, 1)
        right = "b" if x > 0 else "a"
        yield at, x, right, rng


def offers(path, share=0.5, **asked):
    return bandit.report(Table(path), Asked(**asked), share, silent)


def test_choices_where_every_arm_is_known_teach_the_bandit_which_arm_is_right(tmp_path):
    rows = [{"x": x, "bought": right} for _, x, right, _ in choices()]
    report = offers(written(tmp_path / "choices.csv", rows), choice="bought")
    assert report["full_information"]
    assert report["tested"]["online"]["value"] > 0.8
    assert report["tested"]["uniform"]["value"] == pytest.approx(0.5)
    assert report["gain"][report["best_fixed"]]["low"] > 0.1


def test_a_log_with_propensities_tells_what_the_bandit_would_have_earned(tmp_path):
    rows = []
    for _, x, right, rng in choices(3_000):
        arm = "a" if rng.random() < 0.7 else "b"
        chance = 0.7 if arm == "a" else 0.3
        click = int(rng.random() < (0.6 if arm == right else 0.1))
        rows.append({"x": x, "arm": arm, "click": click, "propensity": chance})
    report = offers(written(tmp_path / "log.csv", rows))
    tested = report["tested"]
    assert not report["full_information"]
    assert tested["fixed:a"]["low"] < 0.35 < tested["fixed:a"]["high"]  # (0.6 + 0.1) / 2
    assert tested["uniform"]["low"] < 0.35 < tested["uniform"]["high"]
    assert tested["online"]["value"] == pytest.approx(0.58, abs=0.08)
    assert report["gain"]["uniform"]["low"] > 0


def test_rewards_by_arm_and_eligible_arms_are_read_from_json(tmp_path):
    path = tmp_path / "rewards.jsonl"
    lines = [
        {"x": x, "may": ["a", "b"] if at % 3 else ["a"],
         "rewards": {"a": float(right == "a"), "b": float(right == "b")}}
        for at, x, right, _ in choices()
    ]  # fmt: skip
    path.write_text("\n".join(map(json.dumps, lines)))
    report = offers(path, eligible="may")
    assert report["arms"] == ["a", "b"]
    assert report["tested"]["fixed:b"]["value"] < 0.4  # it cannot be taken in a third of the rows
    assert report["tested"]["online"]["value"] > report["tested"]["fixed:a"]["value"]


def test_rows_of_a_log_that_contradict_it_are_told(tmp_path):
    rows = [
        {"x": x, "arm": right, "click": 1, "propensity": 0.0 if at == 5 else 0.5}
        for at, x, right, _ in choices()
    ]
    report = offers(written(tmp_path / "log.csv", rows))
    assert report["trouble"]["told"] == ["row 7: no propensity: 0.0 in column 'propensity'"]
    with pytest.raises(UserError, match="which column is the arm"):
        offers(written(tmp_path / "none.csv", [{"x": 1, "z": n % 2} for n in range(5)]))


def test_the_command_prints_json_and_writes_the_report(tmp_path):
    import typer

    path = written(tmp_path / "people.csv", list(people(200)))
    app = typer.Typer()
    app.command()(command)
    page = tmp_path / "report.html"
    done = CliRunner().invoke(app, [str(path), "--json", "--report", str(page), "--time", "when"])
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result["columns"]["time"] == "when"
    text = page.read_text(encoding="utf-8")
    assert "<svg" in text
    assert "Limits" in text
    told = CliRunner().invoke(app, [str(path), "--report", str(tmp_path / "report.md")])
    assert "AUC" in told.stdout
    assert "| champion |" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_a_page_shows_a_files_words_as_words(tmp_path):
    rows = [{**row, "plan": "<script>x</script>" + row["plan"]} for row in people(100)]
    rows[5]["left"] = "<b>maybe</b>"
    path = written(tmp_path / "<i>people.csv", rows)
    from infra.evaluation.page import page

    page(evaluated(path, label="left", positive="yes"), tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script>" not in text
    assert "<i>people" not in text


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1,234.5", 1234.5), ("1,5", 1.5), ("$3", 3.0), ("40%", 0.4), ("-2", -2.0), ("1e3", 1000.0),
        ("12,345,678", 12345678.0), ("₩1,000", 1000.0), ("a1", None), ("1,2,3", None),
        ("1.234,50 €", 1234.5), ("12.345.678,9", 12345678.9), ("1.23,4", None),
        ("inf", None), ("nan", None), ("", None), (True, None), ("1-2", None),
    ],
)  # fmt: skip
def test_numbers_are_read_however_they_are_written(cell, number):
    assert number_of(cell) == (number if number is None else pytest.approx(number))


def test_columns_that_number_the_rows_are_no_features_and_no_customers(tmp_path):
    rows = [{"": at, **row} for at, row in enumerate(people(60))]
    report = evaluated(written(tmp_path / "people.csv", rows))
    assert report["columns"]["left_out"][""] == "numbers the rows"
    assert report["columns"]["key"] is None


@pytest.mark.parametrize("name", ["PassengerId", "case_id", "Case ID", "RowNumber", "uid"])
def test_a_number_that_names_each_row_is_no_feature(tmp_path, name):
    rows = [
        {name: 7_000_000 + 13 * at, "paid": 90 + at, **row} for at, row in enumerate(people(60))
    ]
    columns = evaluated(written(tmp_path / "people.csv", rows))["columns"]
    assert columns["left_out"][name] == "numbers the rows"
    assert columns["features"]["paid"] == "number"
    rows[3][name] = rows[9][name]  # somebody came twice
    columns = evaluated(written(tmp_path / "people.csv", rows))["columns"]
    assert columns["features"][name] == "number"


def test_two_columns_of_one_name_are_refused(tmp_path):
    path = tmp_path / "twice.csv"
    path.write_text("a,b,a\n1,2,3\n")
    assert "more than one column is named 'a'" in refusal(path)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("bare.csv", "0.5,1,0\n0.7,2,1\n", "the first line is to name the columns"),
        ("people.dat", "a,b\n1,2\n", "rename it to end with .jsonl"),
        ("people.json", '[{"a": 1}]', "each line is to be one (JSON Lines)"),
    ],
)
def test_a_file_laid_out_otherwise_is_refused_with_what_to_do(tmp_path, name, text, told):
    path = tmp_path / name
    path.write_text(text)
    assert told in refusal(path)


def test_a_label_that_hardly_ever_is_something_else_is_left_out_and_told(tmp_path):
    rows = list(people(400))
    rows[7]["left"] = "perhaps"
    report = evaluated(written(tmp_path / "people.csv", rows))
    assert report["rows"] == 399
    assert report["trouble"]["told"] == ["row 9: no label: 'perhaps' in column 'left'"]


def test_of_very_many_columns_the_report_says_how_many_count(tmp_path):
    rows = [{**{f"c{n}": (n * at) % 7 for n in range(300)}, "y": at % 2} for at in range(40)]
    report = evaluated(written(tmp_path / "wide.csv", rows))
    assert any("the first 256" in note for note in report["notes"])


def test_columns_that_are_left_out_alike_are_told_in_one_line(tmp_path):
    rows = [
        {"x": n % 7, "y": n % 2, **dict.fromkeys(map(str, range(90)), "same")} for n in range(80)
    ]
    told = [
        note for note in evaluated(written(tmp_path / "flat.csv", rows))["notes"] if "left" in note
    ]
    assert len(told) == 1
    assert "more: each is constant" in told[0]
    assert "'0'" in told[0]
    assert len(told[0]) < 200


def test_a_label_column_of_one_value_or_none_is_refused_by_its_name(tmp_path):
    path = written(tmp_path / "one.csv", [{"x": n, "churn": "no"} for n in range(60)])
    assert "'churn' has one value only, 'no'" in refusal(path)
    path = written(tmp_path / "none.csv", [{"x": n, "churn": ""} for n in range(60)])
    assert "'churn' has no values" in refusal(path)


def test_infinite_numbers_are_empty_and_their_column_stays_one_of_numbers(tmp_path):
    odd = ["inf", "-inf", "NaN", "Infinity", "+inf"]
    rows = [{"x": odd[n % 5] if n % 3 else n / 7, "left": n % 2} for n in range(300)]
    report = evaluated(written(tmp_path / "odd.csv", rows))
    assert report["columns"]["features"] == {"x": "number"}
    assert report["trouble"]["cells_emptied"] == 0
    (tmp_path / "odd.jsonl").write_text('{"x":1e999,"left":1}\n{"x":2.5,"left":0}\n')
    assert [line.cells["x"] for line in Table(tmp_path / "odd.jsonl") if line.cells] in (
        [None, 2.5], [2.5],
    )  # fmt: skip


def test_when_no_label_is_known_in_time_the_verdict_is_that_nothing_was_learnt(tmp_path):
    rows = [
        {"at": f"2026-01-{1 + n % 28:02d}", "x": n % 5, "left": n % 2, "known_at": "2027-01-01"}
        for n in range(300)
    ]
    report = evaluated(written(tmp_path / "late.csv", rows))
    assert report["learnt"] == 0
    assert [said[:19] for said in report["verdict"]] == ["Nothing was learnt:"]


def test_a_labels_time_is_not_found_by_its_name_where_rows_have_none(tmp_path):
    rows = [{"x": n % 5, "left": n % 2, "known_at": 10**9 + n} for n in range(300)]
    report = evaluated(written(tmp_path / "plain.csv", rows))
    assert report["columns"]["label_time"] is None
    assert report["learnt"] == 299


def test_a_column_that_reads_as_times_by_another_name_is_told(tmp_path):
    notes = evaluated(written(tmp_path / "people.csv", list(people())))["notes"]
    assert any("--time" in note and "'when'" in note for note in notes)


def test_utf_16_is_refused_by_its_name(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text("x,left\n1,0\n2,1\n", encoding="utf-16")
    assert "UTF-16" in refusal(path)


@pytest.mark.parametrize("kept", [("plan",), ("spent",), ("late", "spent"), ("late",)])
def test_batch_models_take_columns_of_one_kind_and_ones_that_begin_empty(tmp_path, kept):
    pytest.importorskip("sklearn")
    rows = [{**row, "late": "" if at < 150 else str(at)} for at, row in enumerate(people(200))]
    table = Table(written(tmp_path / "people.csv", rows))
    asked = Asked(time="when", label="left", features=kept)
    report = churn.report(table, asked, 0.5, silent, batch=2)
    tested = report["tested"]
    assert tested["batch_lr"]["rows"] == tested["batch_gb"]["rows"] == 100
    for name, paired in report["paired"].items():
        for figure in ("auc", "log_loss"):
            less = tested["champion"][figure] - tested[name][figure]
            assert paired[figure]["value"] == pytest.approx(less, abs=1e-3)  # ticks


def test_a_date_tells_by_the_days_since_however_it_is_written(tmp_path):
    rng = random.Random(8)
    rows = []
    for at in range(800):
        day, since = date(2025, 1, 1) + timedelta(days=at // 2), rng.randint(1, 900)
        began = day - timedelta(days=since)
        rows.append(
            {
                "noted": str(day),
                "began": f"{began:%d.%m.%Y}" if at % 10 else "",
                "noise": rng.random(),
                "left": int(rng.random() < (0.9 if since < 300 else 0.1)),
            }
        )
    path = written(tmp_path / "contracts.csv", rows)
    report = evaluated(path, time="noted", label="left")
    assert report["columns"]["features"]["began"] == "date"
    assert "dates count as days before their row: 'began'" in report["notes"]
    assert report["tested"][CHAMPION]["auc"] > 0.8
    untimed = evaluated(path, label="left")
    assert "dates count as days: 'noted', 'began'" in untimed["notes"]


@pytest.mark.parametrize(
    ("texts", "written"),
    [
        (["1/2/2026", "1/31/2026"], "%m/%d/%Y"),
        (["01/02/26 9:05", "31/01/26 23:10"], "%d/%m/%y %H:%M"),
        (["1/31/2026 9:05:00 PM"], "%m/%d/%Y %I:%M:%S %p"),
        (["1/2/2026", "3/4/2026"], None),  # either may be the month
        (["1/31/2026", "31/1/2026"], None),
        (["1/31/2026", "1/31/26"], None),
        (["1/31/2026", "soon"], None),
        ([], None),
    ],
)
def test_dates_with_slashes_are_read_where_they_tell_what_comes_first(texts, written):
    assert slashed(texts) == written
    if written is not None:
        assert all(Clock(written).read(text) is not None for text in texts)


def test_rows_with_dates_as_a_spreadsheet_writes_them_are_in_time_order(tmp_path):
    rows = list(people())  # fifteen days
    expected = evaluated(written(tmp_path / "a.csv", rows), time="when")
    for row in rows:
        year, month, day = row.pop("when").split("-")
        row["date"] = f"{int(month)}/{int(day)}/{year} 0:00"
    rows.sort(key=lambda row: row["date"])
    report = evaluated(written(tmp_path / "b.csv", rows), label="left")
    assert report["columns"]["time"] == "date"
    assert report["tested"][CHAMPION]["rows"] == expected["tested"][CHAMPION]["rows"]
    assert "times in 'date' are read as %m/%d/%Y %H:%M; or say --time-format" in report["notes"]
