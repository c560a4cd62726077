"""Whatever is asked of the API and the console, it is answered, and never by a crash."""

from urllib.parse import quote

import httpx
import pytest

from projections.serve.app import build
from projections.serve.sources import Sources
from tests.support.customers import ANA, record, rich

NONSENSE = [
    "", "²", "٣", "-1", "9" * 30, "touchpoints/²:1", "identity-links/0:-1", "identity-links/0:5",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "\x00", "%", "é\r\nx: y", "//[",
    "c_" + "0" * 20, "user_id:" + "a" * 300, "phone:+" + "9" * 400, "1-²", '"', "nan",
]  # fmt: skip
PATHS = [
    "/v1/profiles/{}", "/v1/profiles/user_id:ana/{}", "/v1/models/{}", "/customers/{}",
    "/language/{}", "/static/{}", "/{}",
]  # fmt: skip
ASKED = {
    f"/v1/profiles/{ANA}": ("at", "known_at", "wait_for"),
    f"/customers/{ANA}": ("at", "known_at"),
    "/v1/search": ("q", "limit"),
    "/v1/identity/outcome": ("receipt", "customer"),
    "/customers": ("q", "lang"),
    "/models": ("model", "lang"),
    "/login": ("next", "lang"),
}
HEADERS = [
    "authorization", "x-api-key", "if-none-match", "last-event-id", "accept-language", "cookie",
    "origin", "range", "if-modified-since", "host",
]  # fmt: skip


@pytest.fixture
async def http(make_settings):
    settings = make_settings()
    serve = build(settings, Sources(settings), follow=False)
    live = serve.state.sources.live
    live.apply([record(rich())])
    live.mark_ready()
    transport = httpx.ASGITransport(serve, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://c360") as http:
        http.headers["authorization"] = "Bearer test-api-key"
        form = {"key": "test-api-key"}
        await http.post("/login", data=form, headers={"Origin": "http://c360"})
        yield http


def answered(answer):
    return answer.status_code != 500  # 503: ClickHouse is not there; 504: nothing came in time


@pytest.mark.parametrize("nonsense", NONSENSE)
async def test_nonsense_is_answered(http, nonsense):
    for path in PATHS:
        where = path.format(quote(nonsense, safe=""))
        assert answered(await http.get(where)), where
    for path, names in ASKED.items():
        for name in names:
            given = {name: nonsense, "timeout": "0"}
            assert answered(await http.get(path, params=given)), (path, name)
        assert answered(await http.get(path, params=dict.fromkeys(names, nonsense))), path


@pytest.mark.parametrize("header", HEADERS)
async def test_nonsense_in_a_header_is_answered(http, header):
    for nonsense in NONSENSE:
        given = [(header.encode(), nonsense.encode())]
        for path in (f"/v1/profiles/{ANA}", f"/v1/profiles/{ANA}/scores", "/customers", "/login"):
            assert answered(await http.get(path, headers=given)), (path, nonsense)
        posted = await http.post("/login", data={"key": nonsense}, headers=given)
        assert answered(posted), nonsense
