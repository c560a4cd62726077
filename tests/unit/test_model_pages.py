"""Models over HTTP, in the console and the terminal, and their cards."""

import io
from types import SimpleNamespace

import httpx
import msgspec
import pytest
from rich.console import Console

from infra.cli import models_view
from models.metrics import MODEL_METRICS
from models.online.cards import card
from models.online.stable import CANDIDATES
from models.reports import APART
from projections.live_models import POINTS, Models
from projections.serve import model_schemas
from projections.serve.app import build
from projections.serve.sources import Sources
from streams import learn
from streams.lane.pages import gauges
from tests.support.model_reports import reports

KEY = {"Authorization": "Bearer test-api-key"}
FROM_HERE = {"Origin": "http://c360", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def told():
    return reports()


def records(told):
    return [SimpleNamespace(value=msgspec.json.encode(report)) for report in told]


@pytest.fixture
async def http(make_settings, told):
    settings = make_settings()
    serve = build(settings, Sources(settings), follow=False)
    serve.state.sources.models.apply(records(told))
    transport = httpx.ASGITransport(serve, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://c360") as http:
        yield http


async def test_every_model_is_told_as_its_learner_reported_it_last(http):
    answer = await http.get("/v1/models", headers=KEY)
    found = model_schemas.ModelList.model_validate_json(answer.content, strict=False)
    [churn] = found.models
    assert (churn.model, churn.version, churn.frozen, churn.horizon) == (
        *("churn", 60, True),
        "silence-30/1",
    )
    assert set(CANDIDATES) | set(APART) == set(churn.figures)
    assert churn.judged_as == "served"
    assert churn.history[0].by == "kim"


async def test_one_model_tells_its_figures_by_version_oldest_first(http, told):
    answer = await http.get("/v1/models/churn", headers=KEY)
    found = model_schemas.ModelWithPast.model_validate_json(answer.content, strict=False)
    versions = [point.version for point in found.past]
    assert versions == sorted(versions)
    assert len(versions) == len(told)


async def test_a_model_that_is_not_there_is_named_with_those_that_are(http):
    for path in ("/v1/models/nix", "/v1/models/nix/card"):
        answer = await http.get(path, headers=KEY)
        assert (answer.status_code, "churn" in answer.json()["detail"]) == (404, True)


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/churn", "/v1/models/churn/card"])
async def test_nothing_is_told_without_a_key(http, path):
    assert (await http.get(path)).status_code == 401


async def test_the_card_is_the_same_wherever_it_is_asked_for(http, told):
    answer = await http.get("/v1/models/churn/card", headers=KEY)
    assert answer.text == card(told[-1])
    assert "feedback loop" in answer.text
    assert "frozen: nothing is learnt" in answer.text


@pytest.mark.parametrize(
    ("language", "word", "watched"),
    [("en", "Champion and challengers", "Came true 0."), ("ko", "챔피언", "실제 비율 0.")],
)
async def test_the_page_shows_candidates_and_escapes_what_people_wrote(
    http, language, word, watched
):
    await http.post("/login", data={"key": "test-api-key"}, headers=FROM_HERE)
    page = (await http.get(f"/models?lang={language}")).text
    assert word in page
    assert "&lt;b&gt;stop&lt;/b&gt;" in page
    assert "<b>stop</b>" not in page
    assert watched in page


async def test_the_page_says_so_before_any_model_reported(make_settings):
    settings = make_settings()
    serve = build(settings, Sources(settings), follow=False)
    transport = httpx.ASGITransport(serve, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://c360") as http:
        await http.post("/login", data={"key": "test-api-key"}, headers=FROM_HERE)
        assert "No model has reported yet" in (await http.get("/models?lang=en")).text
        assert (await http.get("/v1/models", headers=KEY)).json() == {"models": []}


def test_a_report_that_comes_again_changes_nothing_and_junk_is_counted(told):
    models = Models()
    models.apply(records(told))
    points = models.points("churn")
    models.apply([*records(told[:5]), SimpleNamespace(value=b"{"), SimpleNamespace(value=None)])
    assert (models.points("churn"), models.unreadable) == (points, 2)
    assert models.newest("churn") == told[-1]


def test_the_past_that_is_held_is_bounded(told):
    models, [first, *_] = Models(), told
    models.apply(
        records([msgspec.structs.replace(first, offset=n, version=n) for n in range(POINTS + 9)])
    )
    assert [point.version for point in models.points("churn")] == list(range(9, POINTS + 9))


async def test_the_terminal_shows_what_the_api_tells(http):
    answer = (await http.get("/v1/models/churn", headers=KEY)).json()
    out = Console(file=io.StringIO(), width=200)
    out.print(models_view.overview([answer]))
    out.print(models_view.whole(answer))
    shown = out.file.getvalue()
    assert all(name in shown for name in (*CANDIDATES, "served", "frozen", "silence-30/1", "kim"))
    assert "watched: log_loss 0." in shown


def test_the_worker_tells_prometheus_of_the_models_it_learns(told, monkeypatch):
    monkeypatch.setattr(learn, "newest", {"churn": told[-1]})
    lines = gauges(MODEL_METRICS, learn.status()).splitlines()
    assert 'c360_model_version{model="churn"} 60' in lines
    assert 'c360_model_frozen{model="churn"} 1' in lines
    assert f'c360_model_champion{{model="churn",candidate="{told[-1].champion}"}} 1' in lines
    assert any(
        line.startswith('c360_model_auc{model="churn",candidate="served"} 0.') for line in lines
    )
