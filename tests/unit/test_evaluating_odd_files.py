"""`c360 models evaluate-file` on files as they come: every spelling is read, or refused by name."""

import json
import random
from datetime import UTC, datetime, timedelta

import pandas
import pytest

from infra.errors import UserError
from infra.evaluation import bandit, churn
from infra.evaluation.evaluate import evaluate
from infra.evaluation.moments import Clock, slashed
from infra.evaluation.roles import Asked
from infra.evaluation.table import Table

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def silent(*_):
    pass


def people(count=120):
    rng = random.Random(1)
    for at in range(count):
        yield {"x": round(rng.gauss(0, 1), 3), "plan": rng.choice("ab"), "left": at % 3 == 0}


def report(path, text, **asked):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return churn.report(Table(path), Asked(**asked), 0.5, silent)


def offers(path, lines, **asked):
    text = lines if isinstance(lines, str) else "\n".join(map(json.dumps, lines))
    path.write_text(text)
    return bandit.report(Table(path), Asked(**asked), 0.5, silent)


def table(labels, separator=","):
    rows = [f"{row['x']}{separator}{label}" for row, label in zip(people(), labels, strict=False)]
    return "\n".join([f"x{separator}churned", *rows])


@pytest.mark.parametrize(
    "written",
    [
        "Sat, 14 Mar 2026 12:00:00 GMT", "2026-03-14 12:00:00 UTC", "2026.03.14 12:00",
        "14 March 2026, 12:00", "2026년 03월 14일 12:00", "14/Mar/2026:12:00:00 +0000",
        "Sat Mar 14 12:00:00 2026", "14 Mar 2026 12:00:00", "2026-03-14 21:00:00 +0900",
    ],
)  # fmt: skip
def test_moments_are_read_in_the_spellings_of_mails_logs_and_korea(written):
    assert Clock().read(written) == NOON.timestamp()


def test_days_before_months_are_told_by_a_day_beyond_twelve_with_dashes_too():
    assert slashed(["01-02-2026", "14-02-2026"]) == "%d-%m-%Y"
    assert slashed(["02-01-2026 09:00", "02-14-2026 10:00"]) == "%m-%d-%Y %H:%M"
    assert slashed(["01-02-2026", "14/02/2026"]) is None


@pytest.mark.parametrize(
    ("yes", "no", "positive"),
    [
        (["YES", "Yes", "yes"], ["No", "no"], "YES"),
        (["1", "true", "Yes"], ["0", "false", "no"], "1"),
        (["ja"], ["nein"], "ja"),
        (["해지"], ["유지"], "해지"),
    ],
)
def test_one_answer_written_in_several_ways_is_one(tmp_path, yes, no, positive):
    ways = [(yes if at % 3 == 0 else no) for at in range(120)]
    found = report(
        tmp_path / "a.csv", table(way[at // 3 % len(way)] for at, way in enumerate(ways))
    )
    assert found["columns"]["positive"] == positive
    assert found["rows"] == 120
    assert found["whole"]["champion"]["base_rate"] == pytest.approx(1 / 3)


def test_of_one_and_two_the_rarer_is_predicted_and_told(tmp_path):
    found = report(tmp_path / "a.csv", table(2 if at % 3 == 0 else 1 for at in range(120)))
    assert found["columns"]["positive"] == "2"
    assert any("--positive" in note for note in found["notes"])


def test_a_label_column_of_three_values_is_refused_by_its_name(tmp_path):
    with pytest.raises(UserError, match="'churned' has 3 values") as refused:
        report(tmp_path / "a.csv", table(("yes", "no", "maybe")[at % 3] for at in range(120)))
    assert "--positive" in str(refused.value)


def test_korean_text_of_windows_is_read_and_so_are_accents_far_down(tmp_path):
    labels = ["해지" if at % 3 == 0 else "유지" for at in range(120)]
    assert report(tmp_path / "k.csv", table(labels).encode("cp949"))["columns"]["positive"] == (
        "해지"
    )
    labels = ["no" if at % 3 or at < 60 else "sí" for at in range(120)]
    found = report(tmp_path / "l.csv", table(labels).encode("cp1252"))
    assert found["columns"]["positive"] == "sí"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sep=;\n" + table([1, 0] * 20, ";"), "'sep=;' above rows"),
        ("# made on Monday\n" + table([1, 0] * 20), "'# made on Monday' above rows"),
        (table([1, 0] * 20, "^"), "one column only, 'x^churned'"),
    ],
)
def test_what_stands_above_the_names_and_unknown_separators_are_told(tmp_path, text, told):
    with pytest.raises(UserError) as refused:
        report(tmp_path / "a.csv", text)
    assert told in str(refused.value)


def test_objects_and_lists_of_numbers_are_columns_in_json_and_in_cells_of_a_table(tmp_path):
    rows = [{"features": {"v": [row["x"], at], "plan": row["plan"]}, "label": row["left"]}
            for at, row in enumerate(people())]  # fmt: skip
    found = report(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    assert found["columns"]["features"] == {
        "features.v.0": "number", "features.v.1": "number", "features.plan": "text",
    }  # fmt: skip
    cells = [{**row, "features": json.dumps(row["features"])} for row in rows]
    pandas.DataFrame(cells).to_csv(tmp_path / "a.csv", index=False)
    same = churn.report(Table(tmp_path / "a.csv"), Asked(), 0.5, silent)
    assert same["tested"] == found["tested"]


def test_times_that_count_steps_are_times_beside_a_labels_time(tmp_path):
    rows = [{**row, "time": at, "label_time": at + 5} for at, row in enumerate(people())]
    found = report(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)), label="left")
    assert (found["columns"]["time"], found["columns"]["label_time"]) == ("time", "label_time")
    assert found["learnt"] == 115


def test_a_labels_time_never_is_a_feature_and_may_be_written_in_its_own_way(tmp_path):
    rows = [
        {
            **row,
            "day": (NOON + timedelta(days=at)).strftime("%d/%m/%Y"),
            "label_time": (NOON + timedelta(days=at + 3)).isoformat(),
        }
        for at, row in enumerate(people())
    ]
    text = "\n".join(map(json.dumps, rows))
    found = report(tmp_path / "a.jsonl", text, label="left")
    assert found["learnt"] == 116  # known three days and twelve hours later
    untimed = report(tmp_path / "b.jsonl", text.replace('"day"', '"began"'), label="left")
    assert "label_time" in untimed["columns"]["left_out"]


def test_nothing_left_to_predict_from_is_told_with_why(tmp_path):
    with pytest.raises(UserError, match="'x' is constant"):
        report(tmp_path / "a.csv", "x,label\n" + "1,0\n1,1\n" * 9)


def log(count=300):
    rng = random.Random(2)
    for _ in range(count):
        may = [arm for arm in "abc" if rng.random() < 0.7] or ["a"]
        arm = rng.choice(may)
        x = round(rng.gauss(0, 1), 3)
        yield x, may, arm, float(rng.random() < 0.2 + 0.4 * (arm == may[0]))


SPELT = {
    "json": json.dumps, "python": str, "bars": "|".join, "semicolons": ";".join, "spaces": " ".join,
}  # fmt: skip


@pytest.mark.parametrize("way", SPELT)
def test_eligible_arms_are_found_by_name_and_read_in_any_spelling(tmp_path, way):
    rows = [{"x": x, "eligible": SPELT[way](may), "arm": arm, "reward": reward}
            for x, may, arm, reward in log()]  # fmt: skip
    pandas.DataFrame(rows).to_csv(tmp_path / "a.csv", index=False)
    found = bandit.report(Table(tmp_path / "a.csv"), Asked(), 0.5, silent)
    assert found["columns"]["eligible"] == "eligible"
    assert found["rows"] == 300
    listed = [{**row, "eligible": may} for row, (_, may, _, _) in zip(rows, log(), strict=True)]
    assert offers(tmp_path / "a.jsonl", listed)["tested"] == found["tested"]


def test_one_column_an_arm_says_what_may_be_taken(tmp_path):
    rows, listed = [], []
    for x, may, arm, reward in log():
        row = {"x": x, "arm": arm, "reward": reward}
        rows.append(row | {f"eligible_{one}": int(one in may) for one in "abc"})
        listed.append(row | {"eligible": may})
    found = offers(tmp_path / "a.jsonl", rows)
    assert found["columns"]["features"] == {"x": "number"}
    assert found["tested"] == offers(tmp_path / "b.jsonl", listed)["tested"]


def test_lists_of_whole_numbers_are_arms_where_they_say_what_is_eligible(tmp_path):
    number = {"a": 0, "b": 1, "c": 2}
    rows = [{"context": [x, x * x], "may": [number[one] for one in may], "arm": number[arm],
             "reward": reward} for x, may, arm, reward in log()]  # fmt: skip
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = evaluate(tmp_path / "a.jsonl", "offers", eligible="may")
    assert (found["arms"], found["rows"]) == (["0", "1", "2"], 300)
    assert found["columns"]["features"] == {"context.0": "number", "context.1": "number"}


def test_rewards_of_eligible_arms_alone_say_what_could_be_taken(tmp_path):
    rows = [{"x": x, "reward": {one: float(one == arm) for one in may}} for x, may, arm, _ in log()]
    found = offers(tmp_path / "a.jsonl", rows)
    assert found["full_information"]
    assert found["rows"] == 300
    assert found["tested"]["fixed:c"]["value"] < found["tested"]["greedy"]["value"]


def test_rows_without_a_reward_are_told_and_do_not_move_the_split(tmp_path):
    rows = [{"x": x, "arm": arm, "reward": None if at % 3 == 0 else reward}
            for at, (x, _, arm, reward) in enumerate(log())]  # fmt: skip
    found = offers(tmp_path / "a.jsonl", rows)
    assert (found["rows"], found["tested_from"]) == (200, 100)
    assert any("100 rows have no reward" in note for note in found["notes"])


def test_a_row_whose_arm_was_not_eligible_or_that_has_none_is_told(tmp_path):
    rows = [{"x": x, "eligible": may, "arm": arm, "reward": 1.0} for x, may, arm, _ in log(9)]
    rows[2]["eligible"], rows[4]["eligible"] = [], [one for one in "abc" if one != rows[4]["arm"]]
    told = offers(tmp_path / "a.jsonl", rows)["trouble"]["told"]
    assert told[0].startswith("row 3: no eligible arm")
    assert told[1].startswith(f"row 5: arm {rows[4]['arm']!r} is none of those eligible")


def test_from_python_a_frame_mappings_and_a_file_give_the_same_report(tmp_path):
    rows = [{"at": NOON + timedelta(hours=at), **row} for at, row in enumerate(people())]
    frame = pandas.DataFrame(rows)
    frame.loc[3, "plan"] = None
    frame.to_parquet(tmp_path / "a.parquet")
    of_frame = evaluate(frame, label="left")
    assert of_frame["columns"]["time"] == "at"
    assert of_frame["file"] == "rows"
    for other in (frame.to_dict("records"), str(tmp_path / "a.parquet")):
        assert evaluate(other, label="left")["tested"] == of_frame["tested"]
    with pytest.raises(TypeError, match="lable"):
        evaluate(frame, lable="left")


@pytest.mark.parametrize(("kind", "option"), [("churn", "arm"), ("offers", "label")])
def test_an_option_of_the_other_kind_is_refused_not_ignored(kind, option):
    other = "offers" if kind == "churn" else "churn"
    with pytest.raises(UserError, match=f"--{option} is for --kind {other}"):
        evaluate(people(), kind, **{option: "plan"})


def test_a_delay_beyond_the_file_is_told_as_the_reason(tmp_path):
    rows = [{"at": NOON + timedelta(hours=at), **row} for at, row in enumerate(people())]
    (said,) = evaluate(rows, label="left", delay=1_000)["verdict"]
    assert "--delay" in said
