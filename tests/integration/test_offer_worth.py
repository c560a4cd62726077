"""`c360 models evaluate` on a real ClickHouse: a log of known truth, judged by its decisions."""

import json
import math
import random

import httpx
import msgspec
import pytest
from typer.testing import CliRunner

from infra.cli import app
from models.catalogue import parse
from models.offpolicy.policies import named
from models.records import Decision, Example, Outcome, pack
from models.topics import DECISIONS, EVENTS, EXAMPLES
from projections.client import connect
from projections.migrate import migrate
from projections.newest_decision import newest_decision
from projections.offer_log import OfferLog, Span, TooManyArmsError, newest
from projections.offer_worth import judge
from projections.serve.app import build
from projections.serve.offer_schemas import OfferResults
from projections.serve.sources import Sources
from tests.support.loading import load
from tests.support.log_samples import merged, messages

pytestmark = pytest.mark.stack

CATALOGUE = """
[policy]
none_value = 10
floor = 0.1
holdout = 0.1
[[offers]]
id = "tea"
name = { en = "Tea", ko = "차" }
channels = ["email", "app"]
value = 8
cost = 0.5
[[offers]]
id = "cup"
name = { en = "Cup", ko = "잔" }
channels = ["email"]
value = 6
cost = 0.1
"""
ARMS = ["none", "cup/email", "tea/app", "tea/email"]
COST = {"none": 0.0, "cup/email": 0.1, "tea/app": 0.5, "tea/email": 0.5}
VALUE = {"none": 10.0, "cup/email": 6.0, "tea/app": 8.0, "tea/email": 8.0}
BEGIN = 1_700_000_000_000
CUSTOMERS = 3_000
ALWAYS = Span(0, 2_000_000_000_000)


def sigmoid(logit):
    return 1 / (1 + math.exp(-logit))


def logits(taste):
    return {"none": -2.0, "cup/email": -1.0, "tea/app": -1.0 + taste, "tea/email": -1.5 - taste}


def draw(rng, chances):
    return rng.choices(list(chances), list(chances.values()))[0]


def world(seed=3):
    """Two decisions a customer, one in ten customers a control; what each arm would have earned."""
    rng = random.Random(seed)
    decisions, examples, truth = [], [], []
    for number in range(CUSTOMERS):
        control = rng.random() < 0.1
        taste = rng.gauss(0, 1)
        for turn in range(2):
            believed = {arm: logit + rng.gauss(0, 0.3) for arm, logit in logits(taste).items()}
            eligible = [arm for arm in ARMS if arm != "cup/email" or rng.random() < 0.7]
            total = sum(1 + 2 * sigmoid(believed[arm]) for arm in eligible)
            chances = {arm: (1 + 2 * sigmoid(believed[arm])) / total for arm in eligible}
            if control:
                chances = {"none": 1.0}
            arm = draw(rng, chances)
            bought = rng.random() < sigmoid(logits(taste)[arm])
            offer, _, channel = arm.partition("/")
            decision_id, at_ms = f"d{number}-{turn}", BEGIN + turn * 86_400_000
            decisions.append(
                Decision(
                    decision_id=decision_id,
                    customer_id=f"c_{number}",
                    at_ms=at_ms,
                    expires_ms=at_ms + 1_000,
                    cause="e",
                    offer=offer,
                    channel=channel or None,
                    arm=arm,
                    propensity=chances[arm],
                    propensities=chances,
                    means=[] if control else [believed[one] for one in chances],
                    deviations=[] if control else [0.3 for _ in chances],
                    margins=[] if control else [VALUE[one] for one in chances],
                    model_version=1,
                    policy="holdout" if control else "test",
                    holdout=control,
                    features=pack({"taste": taste, "turn": float(turn)}),
                )
            )
            examples.append(
                Example(
                    example_id=f"offers:{decision_id}",
                    customer_id=f"c_{number}",
                    model="offers",
                    model_version=1,
                    at_ms=at_ms,
                    label_ms=at_ms + 1_000,
                    features=decisions[-1].features,
                    label=float(bought),
                    probability=chances[arm],
                    arm=arm,
                    outcome=Outcome(
                        decision_id=decision_id,
                        margin=VALUE[arm] * bought,
                        cost=COST[arm],
                        holdout=control,
                        policy="test",
                    ),
                )
            )
            if not control:
                worth = {
                    one: VALUE[one] * sigmoid(logits(taste)[one]) - COST[one] for one in eligible
                }
                truth.append((believed, worth))
    return decisions, examples, truth


DECIDED, BECAME, TRUTH = world()
UNIFORM = sum(sum(worth.values()) / len(worth) for _, worth in TRUTH) / len(TRUTH)
GREEDY = sum(
    worth[max(worth, key=lambda arm: VALUE[arm] * sigmoid(believed[arm]) - COST[arm])]
    for believed, worth in TRUTH
) / len(TRUTH)
NOTHING = sum(worth["none"] for _, worth in TRUTH) / len(TRUTH)


def fill(settings, decisions, examples):
    migrate(settings)
    encode = msgspec.json.encode
    load(settings, DECISIONS, [(one.customer_id.encode(), encode(one)) for one in decisions])
    if examples:
        load(settings, EXAMPLES, [(b"offers", encode(one)) for one in examples])


@pytest.fixture
def filled(clickhouse):
    fill(clickhouse, DECIDED, BECAME)
    return clickhouse


@pytest.fixture
def c360(clickhouse, tmp_path):
    """Run `c360 models evaluate …` on the test's ClickHouse."""
    offers = tmp_path / "offers.toml"
    offers.write_text(CATALOGUE)
    environ = clickhouse.model_copy(update={"offers_file": offers}).environ()

    def run(*arguments):
        return CliRunner().invoke(app, ["models", "evaluate", *arguments], env=environ)

    return run


def test_other_policies_are_judged_as_they_would_have_earned(filled, c360, tmp_path):
    dearer = tmp_path / "only-tea.toml"
    dearer.write_text(
        CATALOGUE.split('[[offers]]\nid = "cup"')[0].replace("floor = 0.1", "floor = 0")
    )
    done = c360("--policy", "uniform", "--policy", "greedy", "--policy", "fixed:none",
                "--policy", str(dearer), "--json")  # fmt: skip
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["made"], told["ended"], told["judged"]) == (6_000, 6_000, len(TRUTH))
    assert told["control"] == 6_000 - len(TRUTH)
    uniform, greedy, nothing, tea = told["policies"]
    for judged, truth in ((uniform, UNIFORM), (greedy, GREEDY), (nothing, NOTHING)):
        assert judged["refused"] is None
        assert judged["supported"] == pytest.approx(1.0)
        for name in ("ips", "snips", "dr"):
            assert near(judged["estimates"][name], truth)
    assert greedy["gain"]["low"] > 0 > nothing["gain"]["high"]
    assert tea["policy"] == str(dearer)
    assert tea["refused"] is None
    lift = told["lift"][""]
    caused = 2 * (sum(made_worth()) / len(TRUTH) - NOTHING)
    assert near({"value": lift["lift"], "low": lift["low"], "high": lift["high"]}, caused)
    adjusted = {name: lift[f"adjusted{of}"] for name, of in (("low", "_low"), ("high", "_high"))}
    assert near({"value": lift["adjusted"]} | adjusted, caused)


def near(estimate, truth):
    """Within four standard errors: so many intervals do not all hold the truth."""
    return abs(estimate["value"] - truth) <= estimate["high"] - estimate["low"]


def made_worth():
    """What the decisions were worth as they were drawn."""
    chances = [one.propensities for one in DECIDED if not one.holdout]
    for (_, worth), drawn in zip(TRUTH, chances, strict=True):
        yield sum(worth[arm] * chance for arm, chance in drawn.items())


def test_the_newest_decision_of_a_customer_is_found_under_any_of_his_ids(filled):
    with connect(filled) as client:
        found = newest_decision(client, ["c_7", "c_nobody"])
        assert newest_decision(client, ["c_nobody"]) is None
    [_, last] = (one for one in DECIDED if one.customer_id == "c_7")
    assert found == (last.at_ms, last.arm, last.propensities, last.policy, 1, last.holdout)


def test_it_is_shown_as_a_table_that_says_what_is_sure(filled, c360):
    done = c360()
    assert done.exit_code == 0, done.output
    for said in ("uniform", "greedy", "thompson", "fixed:none", "as logged", "all offers"):
        assert said in done.output
    assert f"{len(TRUTH):,} decisions" in done.output


def test_a_part_of_the_log_too_small_to_tell_is_refused_with_the_reason(filled, c360):
    done = c360("--since", "2023-11-14T22:13:20.5+00:00", "--policy", "fixed:tea/email", "--json")
    [judged] = json.loads(done.stdout)["policies"]
    assert judged["estimates"] == {}
    assert "effective sample" in judged["refused"]
    shown = c360("--policy", "fixed:tea/email", "--since", "2023-11-15")
    assert "refused: an effective sample of" in " ".join(shown.output.split())


def test_what_a_new_catalogue_adds_is_named_and_left_out(filled, c360, tmp_path):
    wider = tmp_path / "wider.toml"
    wider.write_text(
        CATALOGUE + CATALOGUE.split("[[offers]]")[2].join(["[[offers]]", ""]).replace("cup", "pot")
    )
    done = c360("--policy", str(wider), "--json")
    assert json.loads(done.stdout)["never_made"] == {str(wider): ["pot/email"]}
    assert "pot/email" in " ".join(c360("--policy", str(wider)).output.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--policy", "best"], "uniform, greedy, thompson"),
        (["--policy", "fixed:pot"], "cup/email"),
        (["--policy", "missing.toml"], "cannot be read"),
        (["--since", "yesterday"], "is no time"),
        (["--since", "2026-01-02", "--until", "2026-01-01"], "not before"),
    ],
)
def test_what_cannot_be_judged_is_a_sentence(filled, c360, arguments, said):
    done = c360(*arguments)
    assert done.exit_code != 0
    assert said in f"{done.exception.what} {done.exception.remedy}"


def test_an_empty_log_is_told(clickhouse, c360):
    migrate(clickhouse)
    done = c360()
    assert done.exit_code == 0, done.output
    assert "No decision has an outcome yet" in done.output


def test_decisions_wait_for_their_outcomes(clickhouse):
    fill(clickhouse, DECIDED[:40], BECAME[:10])
    with connect(clickhouse) as client:
        log = OfferLog(client, ALWAYS)
        judged = judge(log, {"uniform": named("uniform", log.arms, parse(CATALOGUE))})
    assert (judged.made, judged.ended) == (40, 10)
    assert judged.judged == sum(not one.holdout for one in DECIDED[:10])


def test_one_customer_today_is_one_in_the_intervals_whatever_his_ids_were(clickhouse):
    fill(clickhouse, DECIDED[:40], BECAME[:40])
    with connect(clickhouse) as client:
        before = sum(1 for log in OfferLog(client, ALWAYS).read() for _ in set(log.customers))
        load(
            clickhouse,
            EVENTS,
            messages([merged(9, DECIDED[0].customer_id, DECIDED[2].customer_id)]),
        )
        after = sum(1 for log in OfferLog(client, ALWAYS).read() for _ in set(log.customers))
    assert not DECIDED[0].holdout
    assert not DECIDED[2].holdout
    assert after == before - 1


def test_a_log_is_read_in_the_same_order_whichever_way_it_came(filled):
    with connect(filled) as client:
        log = OfferLog(client, ALWAYS)
        assert log.arms == ARMS
        assert log.features == ["taste", "turn"]
        once, again = ([one.rewards.tolist() for one in log.read()] for _ in range(2))
    assert once == again


def test_more_arms_than_can_be_judged_are_refused(clickhouse):
    wide = {f"o{number}/email": 1 / 250 for number in range(250)}
    one = msgspec.structs.replace(
        DECIDED[0], propensities=wide, arm="o1/email", means=[], deviations=[], margins=[]
    )
    fill(clickhouse, [msgspec.structs.replace(one, holdout=False)], [])
    with connect(clickhouse) as client, pytest.raises(TooManyArmsError, match="shorter span"):
        OfferLog(client, ALWAYS)


async def test_the_api_tells_results_lift_and_policies_of_the_tables(filled, tmp_path):
    offers = tmp_path / "offers.toml"
    offers.write_text(CATALOGUE)
    settings = filled.model_copy(update={"offers_file": offers})
    transport = httpx.ASGITransport(build(settings, Sources(settings), follow=False))
    key = {"Authorization": "Bearer test-api-key"}
    async with httpx.AsyncClient(transport=transport, base_url="http://c360", headers=key) as http:
        answer = await http.get("/v1/offers/results", timeout=60)
    assert answer.status_code == 200, answer.text
    told = OfferResults.model_validate_json(answer.content)
    assert sum(one.ended for one in told.results) == 6_000
    assert [one.campaign for one in told.lift] == [None]
    assert told.lift[0].lift_low < told.lift[0].lift < told.lift[0].lift_high
    assert told.policies.judged == len(TRUTH)
    uniform, greedy, _ = told.policies.policies
    assert near(uniform.value.model_dump(), UNIFORM)
    assert greedy.gain.low > 0
    with connect(filled) as client:
        now = BEGIN * 2
        assert newest(client, now, 6_001) == Span(0, now)
        assert newest(client, now, 6_000) == newest(client, now, 3_001) == Span(BEGIN, now)
        assert OfferLog(client, newest(client, now, 3_000)).counts().made == 3_000
