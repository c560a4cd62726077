"""A randomised trial in a file: what each arm did, and whether the model knows to whom."""

import csv
import json
import random

import pytest
from typer.testing import CliRunner

from infra.cli import app
from infra.errors import UserError
from infra.evaluation.uplift import Uplifts, control_of
from models.online.prequential_offers import Choice, Offered


def mails(file, rows=6_000, control="No E-Mail"):
    """Mails sent by chance: one to men moves whoever lives in town, the other nobody."""
    rng = random.Random(4)
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["history", "zip", "segment", "visit"])
        for _ in range(rows):
            town = rng.random() < 0.5
            arm = rng.choice(["Mens E-Mail", "Womens E-Mail", control])
            chance = 0.1 + (0.3 if town and arm == "Mens E-Mail" else 0.0)
            zip_code = "Urban" if town else "Rural"
            visit = int(rng.random() < chance)
            writer.writerow([round(rng.lognormvariate(4, 1), 2), zip_code, arm, visit])
    return file


def evaluate_file(*arguments):
    return CliRunner().invoke(
        app, ["models", "evaluate-file", *map(str, arguments), "--kind", "offers", "--json"]
    )


def test_a_trial_tells_what_each_arm_did_and_whether_the_model_knows_whom(tmp_path):
    done = evaluate_file(mails(tmp_path / "mail.csv"), "--arm", "segment", "--reward", "visit")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    uplift = told["uplift"]
    assert uplift["control"] == "No E-Mail"
    mens, womens = uplift["arms"]["Mens E-Mail"], uplift["arms"]["Womens E-Mail"]
    assert mens["effect"]["low"] <= 0.15 <= mens["effect"]["high"]
    assert mens["qini"]["low"] > 0
    assert womens["effect"]["low"] <= 0 <= womens["effect"]["high"]
    assert womens["qini"]["low"] <= 0
    # Only the tested part counts: the model had learnt by then.
    assert mens["treated"] + womens["treated"] + mens["control"] == told["rows"] // 2
    verdict = " ".join(told["verdict"])
    assert "The model knows whom 'Mens E-Mail' moves" in verdict
    assert "Whether the model knows whom 'Womens E-Mail' moves cannot be told" in verdict
    assert any("'No E-Mail' is the control" in note for note in told["notes"])


def test_the_control_can_be_said_and_must_be_there(tmp_path):
    file = mails(tmp_path / "mail.csv", 600, control="left alone")
    roles = ("--arm", "segment", "--reward", "visit")
    assert json.loads(evaluate_file(file, *roles).stdout)["uplift"] is None
    told = json.loads(evaluate_file(file, *roles, "--control", "left alone").stdout)
    assert told["uplift"]["control"] == "left alone"
    assert "cannot be told" in " ".join(told["verdict"])  # 100 rows of each arm are too few
    wrong = evaluate_file(file, *roles, "--control", "nobody")
    assert isinstance(wrong.exception, UserError)
    assert "nobody" in wrong.exception.what


@pytest.mark.parametrize(
    ("arms", "control"),
    [
        (["0", "1"], "0"),
        (["False", "True"], "False"),
        (["0", "1", "2"], None),
        (["tea/email", "none"], "none"),
        (["a", "b"], None),
    ],
)
def test_the_control_is_known_by_its_name(arms, control):
    assert control_of(arms, None, []) == control


def test_rows_where_an_arm_was_not_eligible_say_nothing_of_it():
    uplifts = Uplifts(["none", "a", "b"], "none", tested_from=0)
    for at in range(300):
        arm = ("none", "a")[at % 2]
        choice = Choice(at, str(at), {}, ("none", "a"), {arm: 1.0}, at, arm, 0.5)
        uplifts.add(choice, Offered({}, {"none": 0.1, "a": 0.2}, {}))
    told = uplifts.report()["arms"]
    assert (told["a"]["treated"], told["a"]["control"]) == (150, 150)
    assert (told["b"]["treated"], told["b"]["control"]) == (0, 0)
