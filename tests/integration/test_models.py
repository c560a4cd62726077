"""A model on the real stack: reported, commanded from the command line, told of when it drifts."""

import json
import random
import time

import httpx
import msgspec
import pytest
from typer.testing import CliRunner

from infra.cli import app
from models.records import Example, pack
from models.topics import EXAMPLES
from tests.support.kafka_log import send
from tests.support.receiver import receiving
from tests.support.waiting import until

pytestmark = pytest.mark.stack

SECRET = "whsec_dGVzdC13ZWJob29rLXNlY3JldC0wMTIzNDU2Nzg5"
PATIENCE = 150  # seconds; a busy machine takes most of them to start the parts
COUNT, TURN = 2_600, 1_800


def examples():
    """Labels that come true for a fifth, and from TURN on for most; a fifth was always served."""
    rng, now = random.Random(7), int(time.time() * 1000)
    for number in range(COUNT):
        x = {"silence": rng.gauss(0, 1), "visits": rng.gauss(0, 1)}
        label = float(rng.random() < (0.2 if number < TURN else 0.7))
        made = Example(
            example_id=f"churn:{number}",
            customer_id=f"c_{number}",
            model="churn",
            model_version=0,
            at_ms=now - 40 * 86_400_000,
            label_ms=now - (COUNT - number) * 100,
            features=pack(x),
            label=label,
            probability=0.2,
            horizon="silence-30/1",
            acted=number % 5 == 0,
        )
        yield (b"churn", msgspec.json.encode(made))


def c360(*words):
    result = CliRunner().invoke(app, ["models", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def done(*words):
    result = c360(*words, "--wait", str(PATIENCE), "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["change"]


def test_a_model_is_reported_commanded_and_told_of_when_it_drifts(
    settings, ask, start_part, monkeypatch
):
    with receiving(SECRET) as receiver:
        settings = settings.model_copy(
            update={
                "webhook_url": receiver.url,
                "webhook_secret": type(settings.webhook_secret)(SECRET),
                "webhook_allow_private": True,
            }
        )
        for name, value in settings.environ().items():
            monkeypatch.setenv(name, value)
        for part in ("streams", "projections", "projections.serve"):
            start_part(settings, part)
        send(settings.brokers, settings.topic(EXAMPLES), list(examples()))

        def version():
            result = CliRunner().invoke(app, ["models", "list", "--json"])
            found = json.loads(result.stdout) if result.exit_code == 0 else []
            return found[0]["version"] if found else 0

        until(lambda: version() > TURN, PATIENCE, "a model that has learnt")
        frozen = done("freeze", "churn", "--reason", "look at it", "--by", "kim")
        assert (frozen["kind"], frozen["by"], frozen["reason"]) == ("frozen", "kim", "look at it")
        shown = json.loads(c360("show", "churn", "--json").stdout)
        assert (shown["version"], shown["frozen"], shown["horizon"]) == (
            *(COUNT, True),
            "silence-30/1",
        )
        assert shown["figures"]["acted"]["metrics"]["examples"] == COUNT / 5
        [challenger, *_] = shown["evidence"]
        promoted = done("promote", "churn", challenger, "--reason", "to see")
        assert (promoted["before"], promoted["after"]) == (shown["champion"], challenger)
        done("unfreeze", "churn", "--reason", "seen")
        done("reset", "churn", "--reason", "try", "--yes")
        back = done("rollback", "churn", str(COUNT + 1), "--reason", "no", "--yes")
        assert (back["kind"], back["after"]) == ("rolled_back", str(COUNT + 1))
        refused = CliRunner().invoke(app, ["models", "rollback", "churn", "3", "--reason", "x"])
        assert "version 3 of churn is not kept" in str(refused.exception)
        assert "Model card: churn" in c360("card", "churn").stdout
        assert challenger in c360("show", "churn").stdout

        relearnt = CliRunner().invoke(app, ["rebuild", "models", "--json"])
        assert [(one["model"], one["equal"]) for one in json.loads(relearnt.stdout)] == [
            ("churn", True)
        ]
        until(lambda: receiver.calls, PATIENCE, "the drift's alert")
        [(called, _, event), *_] = receiver.calls
        assert called == "model_drift:model:churn:1:opened"
        assert (event["type"], event["data"]["customer_id"]) == (
            *("model_drift.opened",),
            "model:churn",
        )

        def kinds():
            found = {kind for (kind,) in ask("SELECT DISTINCT kind FROM model_history")}
            return found if "rolled_back" in found else None

        assert until(kinds, PATIENCE, "the changes in ClickHouse") >= {
            "frozen",
            "promoted",
            "unfrozen",
            "reset",
            "rolled_back",
            "drift_opened",
        }
        [(examples_, loss)] = ask(
            "SELECT max(examples), argMax(log_loss, model_offset) FROM model_quality "
            "WHERE model = 'churn' AND candidate = 'served'"
        )
        assert examples_ == COUNT
        assert loss > 0.5
        assert ask("SELECT count() FROM alert_history") == [(0,)]
        verified = CliRunner().invoke(app, ["verify", "clickhouse", "--json"])
        assert json.loads(verified.stdout)["equal"], verified.stdout
        page = httpx.get(f"http://127.0.0.1:{settings.worker_port}/metrics", timeout=30).text
        assert 'c360_model_log_loss{model="churn",candidate="served"}' in page
        assert f'c360_model_champion{{model="churn",candidate="{challenger}"}} 1' in page
