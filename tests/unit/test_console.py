"""The console: its words in both languages, its session, its pages without a browser."""

import re
from string import Formatter
from typing import get_args

import httpx
import pytest
from msgspec.structs import replace

from models.customer import Regroup
from models.errors import Reason as Refusal
from models.events.base import Channel, IdentifierType
from models.events.union import Touchpoint
from models.naming import derive
from models.profile import Profile, Trait
from models.terms import Contract, Term
from projections.live_lag import READS
from projections.serve.app import build
from projections.serve.console import charts, pages, present, session
from projections.serve.console.words import LANGUAGES, choose, readable, words
from projections.serve.keys import ApiKeys
from projections.serve.sources import Sources
from tests.support.customers import ANA, OFFERS, customer, record, rich

TEMPLATES = sorted((pages.STATIC.parent / "templates").glob("*.html"))
NOW_S = 1_790_000_000
FROM_HERE = {"Origin": "http://c360", "Sec-Fetch-Site": "same-origin"}


# --- words


def placeholders(message):
    return sorted(name for _, name, _, _ in Formatter().parse(message) if name)


def test_both_catalogues_say_the_same_things_with_the_same_values():
    english, korean = words("en").messages, words("ko").messages
    assert english.keys() == korean.keys()
    for key, message in english.items():
        assert placeholders(message) == placeholders(korean[key]), key


WORDED = {
    "event": [kind.model_fields["type"].default for kind in get_args(get_args(Touchpoint)[0])],
    "channel": list(Channel),
    "identifier": list(IdentifierType),
    "refused": list(Refusal),
    "step": [*READS, "project", "live"],
    "band": ["low", "medium", "high"],
    "rule": ["churn_risk"],
    "outcome": ["saved", "eased", "lost", "merged"],
    "feedback": ["nps", "csat", "ces", "review"],
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("group", WORDED)
def test_all_that_the_system_names_has_a_word(language, group):
    lacking = [name for name in WORDED[group] if not words(language).has(f"{group}.{name}")]
    assert not lacking


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_says_what_the_catalogue_has_and_holds_no_code(template):
    text = template.read_text()
    for key in re.findall(r'\bt\("([a-z_.]+)"[,)]', text):
        assert words("en").has(key), key
    assert "style=" not in text, "the content policy forbids style attributes"
    assert not re.search(r"\son[a-z]+=", text), "and scripts in attributes"


@pytest.mark.parametrize(
    ("asked", "kept", "accepted", "spoken"),
    [
        (None, None, None, "en"),
        (None, None, "ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        (None, None, "fr,en;q=0.2,ko;q=0.7", "ko"),
        (None, "ko", "en", "ko"),
        ("en", "ko", "ko", "en"),
        ("xx", "yy", ";q=x,,*", "en"),
    ],
)
def test_the_language_is_the_one_asked_for_kept_or_accepted(asked, kept, accepted, spoken):
    assert choose(asked, kept, accepted) == spoken


def test_names_that_senders_make_up_are_made_readable():
    assert words("ko").label("trait", "last_branch") == "Last branch"
    assert readable("") == ""


# --- values


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (5_900, "USD", "$59.00"),
        (59_000, "KRW", "₩59,000"),
        (-150, "EUR", "-€1.50"),
        (1, "CHF", "0.01 CHF"),
    ],
)
def test_money_is_written_in_its_currency(minor, currency, text):
    assert present.money(minor, currency) == text


def test_shares_near_the_ends_are_not_rounded_to_certainty():
    assert [present.percent(share) for share in (0.004, 0.5, 0.996)] == ["0.4%", "50%", "99.6%"]
    assert [present.percent(share) for share in (0.0, 1.0)] == ["0%", "100%"]  # no lie


def test_nothing_is_less_than_nothing():
    assert [present.whole_number(amount) for amount in (-0.2, 0.2, -1.6)] == ["0", "0", "-2"]
    assert [present.signed(amount) for amount in (-0.001, -0.02)] == ["+0.00", "-0.02"]


def test_a_timeline_line_is_told_in_the_readers_words():
    assert present.about("order_placed", "3 x, 59000 KRW", words("ko")) == "3개 · ₩59,000"
    assert present.about("ticket_closed", "solved", words("ko")) == "해결"
    assert present.about("page_viewed", "solved", words("ko")) == "solved"


def test_histogram_bars_take_the_colour_of_their_band():
    bars = charts.histogram([4, 0, 1, 2], (0.5, 0.75))
    assert [bar.kind for bar in bars] == ["low", "low", "medium", "high"]
    assert (bars[0].height, bars[1].height) == (140, 0)


# --- session

KEYS = ApiKeys("ana=first-key-of-ana,bob=first-key-of-bob")


def test_a_session_names_its_key_and_ends_with_it():
    cookie = session.seal(KEYS, "ana", NOW_S)
    assert "first-key" not in cookie
    assert session.open_seal(KEYS, cookie, NOW_S).name == "ana"
    assert session.open_seal(KEYS, cookie, NOW_S + session.LASTS) is None
    assert session.open_seal(ApiKeys("bob=first-key-of-bob"), cookie, NOW_S) is None
    assert session.open_seal(ApiKeys("ana=second-key-of-ana"), cookie, NOW_S) is None


def test_a_session_that_was_changed_does_not_hold():
    text, _, signature = session.seal(KEYS, "ana", NOW_S).partition(".")
    other = session.seal(KEYS, "bob", NOW_S).partition(".")[0]
    for forged in ("", ".", text, f"{other}.{signature}", f"{text}.{signature[:-2]}", "é.é", "a.b"):
        assert session.open_seal(KEYS, forged, NOW_S) is None, forged


@pytest.mark.parametrize(
    "target",
    [
        *("//evil.example", "https://evil.example", "/\\evil.example", "javascript:1", "", "/a\nb"),
        *("//[", "http://[", "/\t/evil.example"),
    ],
)
def test_after_logging_in_nobody_is_led_elsewhere(target):
    assert session.local(target) == "/"
    assert session.local("/customers?q=a") == "/customers?q=a"


# --- pages


@pytest.fixture
def serve(make_settings, tmp_path):
    offers = tmp_path / "offers.toml"
    offers.write_text(OFFERS)
    settings = make_settings(offers_file=offers)
    built = build(settings, Sources(settings), follow=False)
    built.state.sources.live.mark_ready()
    return built


@pytest.fixture
async def stranger(serve):
    transport = httpx.ASGITransport(serve)
    async with httpx.AsyncClient(transport=transport, base_url="http://c360") as http:
        yield http


@pytest.fixture
async def agent(stranger):
    answer = await stranger.post("/login", data={"key": "test-api-key"}, headers=FROM_HERE)
    assert answer.status_code == 303
    return stranger


@pytest.fixture
async def other(serve):
    """Return another browser."""
    transport = httpx.ASGITransport(serve)
    async with httpx.AsyncClient(transport=transport, base_url="http://c360") as http:
        yield http


@pytest.mark.parametrize(
    "path", ["/", "/customers?q=a", f"/customers/{ANA}", "/dead-letters", "/offers", "/models"]
)
async def test_a_stranger_is_led_to_the_login_and_back(stranger, path):
    answer = await stranger.get(path)
    assert answer.status_code == 303
    login = await stranger.get(answer.headers["location"])
    wanted = re.search(r'name="next" value="([^"]*)"', login.text)[1]
    answer = await stranger.post(
        "/login", data={"key": "test-api-key", "next": wanted}, headers=FROM_HERE
    )
    assert answer.headers["location"] == path


@pytest.mark.parametrize("path", ["/live", f"/customers/{ANA}/live"])
async def test_a_stranger_gets_no_stream(stranger, path):
    assert (await stranger.get(path)).status_code == 401


async def test_a_wrong_key_begins_no_session(stranger):
    answer = await stranger.post("/login", data={"key": "wrong"}, headers=FROM_HERE)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert 'role="alert"' in answer.text


async def test_the_session_cookie_is_kept_from_scripts_and_other_sites(stranger):
    answer = await stranger.post("/login", data={"key": "test-api-key"}, headers=FROM_HERE)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "c360"},
        FROM_HERE | {"Sec-Fetch-Site": "cross-site"},
    ],
)
@pytest.mark.parametrize("path", ["/login", "/logout"])
async def test_a_form_of_another_site_is_refused(agent, path, headers):
    answer = await agent.post(path, data={"key": "test-api-key"}, headers=headers)
    assert answer.status_code == 403


async def test_a_form_that_is_too_long_is_not_read(stranger):
    read = []

    async def forms(parts):
        for _ in range(parts):
            read.append(1)
            yield b"key=" + b"a" * 1_000

    form = FROM_HERE | {"content-type": "application/x-www-form-urlencoded"}
    answer = await stranger.post("/login", content=forms(1_000), headers=form)
    assert (answer.status_code, len(read) < 20) == (413, True)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await stranger.post("/login", content=forms(10), headers=form)).status_code == 422


async def test_logging_out_ends_the_session_wherever_its_cookie_is(agent, other):
    copied = {"Cookie": f"{session.COOKIE}={agent.cookies[session.COOKIE]}"}
    assert (await other.get("/", headers=copied)).status_code == 200
    await agent.post("/logout", headers=FROM_HERE)
    assert (await agent.get("/")).status_code == 303
    assert (await other.get("/", headers=copied)).status_code == 303
    assert (await other.get("/live", headers=copied)).status_code == 401


async def test_logging_out_ends_nobody_elses_session_not_even_by_the_same_key(agent, other):
    await other.post("/login", data={"key": "test-api-key"}, headers=FROM_HERE)
    await other.post("/logout", headers=FROM_HERE)
    assert (await other.get("/")).status_code == 303
    assert (await agent.get("/")).status_code == 200


async def test_a_forged_cookie_ends_no_session(agent, other, serve):
    text, _, signature = agent.cookies[session.COOKIE].partition(".")
    forged = {"Cookie": f"{session.COOKIE}={text}.{signature[:-2]}AA"}
    await other.post("/logout", headers=FROM_HERE | forged)
    assert (await agent.get("/")).status_code == 200


def opened(name, number, until_s=NOW_S + session.LASTS):
    return session.Session(name, until_s, str(number))


def test_ended_sessions_are_forgotten_when_they_would_have_ended(monkeypatch):
    monkeypatch.setattr(session, "_ENDED", 3)
    ended = session.Ended()
    for number in range(50):
        now_s = NOW_S + number * session.LASTS
        one = opened("ana", number, now_s + session.LASTS)
        ended.add(one, now_s)
        assert one in ended
        assert len(ended._until) <= 4
    assert opened("ana", "new", now_s + session.LASTS) not in ended


def test_whoever_logs_out_without_end_revives_no_session_and_fills_no_memory(monkeypatch):
    monkeypatch.setattr(session, "_ENDED", 3)
    ended, left = session.Ended(), [opened("ana", number) for number in range(50)]
    for one in left:
        ended.add(one, NOW_S)
    assert all(one in ended for one in left)
    assert len(ended._until) == 3
    assert opened("bob", "his") not in ended
    assert opened("ana", "later", NOW_S + 1 + session.LASTS) not in ended


async def test_pages_allow_no_foreign_code_and_stay_in_no_cache(agent):
    for path in ("/", "/login", "/dead-letters", "/customers/nobody"):
        headers = (await agent.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"


async def test_a_contract_is_shown_with_its_end(agent, serve):
    term = Term(1_780_000_000_000, "e", "started", 1_790_000_000_000, 30)
    contracts = {"s1": Contract(term, term, 2), "s2": Contract(term, replace(term, until_ms=None))}
    serve.state.sources.live.apply([record(rich(contracts=contracts))])
    page = (await agent.get(f"/customers/{derive(ANA)}")).text
    assert page.count("Contract to be renewed") == 1
    assert "renewed 2 times so far" in page


async def test_the_customers_page_speaks_both_languages(agent, serve):
    serve.state.sources.live.apply([record(rich())])
    english = (await agent.get(f"/customers/{derive(ANA)}")).text
    assert "Double points for a month" in english
    assert "silent for 11.5 days, usually 3.2 days" in english
    answer = await agent.get("/language/ko?next=/")
    assert answer.headers["location"] == "/"
    korean = (await agent.get(f"/customers/{derive(ANA)}")).text
    assert '<html lang="ko">' in korean
    assert "한 달간 포인트 두 배" in korean
    assert "3개 · $59.05" in korean


async def test_what_customers_say_of_themselves_is_text_never_markup(agent, serve):
    evil = '<script>alert("x")</script>'
    traits = {"name": Trait(evil, 1, "e"), evil: Trait(evil, 1, "e", evil)}
    shown = customer(profile=Profile(traits=traits, events=1))
    serve.state.sources.live.apply([record(shown)])
    for path in (f"/customers/{shown.customer_id}", "/customers?q=" + evil, f"/customers/{evil}"):
        assert "<script>alert" not in (await agent.get(path)).text


@pytest.mark.parametrize("made", [customer(), rich(), rich(offer=None, risk=None, episodes={})])
async def test_a_page_is_shown_whatever_is_known(agent, serve, made):
    serve.state.sources.live.apply([record(made)])
    answer = await agent.get(f"/customers/{made.customer_id}")
    assert answer.status_code == 200


async def test_the_page_tells_who_is_one_and_whose_an_identifier_is_today(agent, serve):
    live = serve.state.sources.live
    names = {ANA: NOW_S, "anonymous_id:b-1": NOW_S, "device_id:d-1": NOW_S}
    ana = customer(
        absorbed=[derive("device_id:d-1"), "c_" + "0" * 20], profile=Profile(identifiers=names)
    )
    live.apply([record(ana), record(customer("anonymous_id:b-1"))])
    page = (await agent.get(f"/customers/{ana.customer_id}?lang=en")).text
    card = page.split('id="identity"')[1].split("</section>")[0]
    assert [word in card for word in ("ana@example.com", "d-1", "c_" + "0" * 20, "b-1")] == [
        *(True, True, True),
        False,  # it came along, and is somebody else
    ]
    assert f'href="/customers/{derive("anonymous_id:b-1")}"' in page
    assert "put together anew" not in page
    live.apply([record(replace(ana, offset=8, version=2, regroup=Regroup(4, 1)))])
    assert "put together anew" in (await agent.get(f"/customers/{ana.customer_id}?lang=en")).text
    assert "이력을 다시" in (await agent.get(f"/customers/{ana.customer_id}?lang=ko")).text


async def test_a_search_that_finds_one_leads_straight_to_the_page(agent, serve):
    serve.state.sources.live.apply([record(rich())])
    answer = await agent.get("/customers", params={"q": "ana@example.com"})
    assert answer.headers["location"] == f"/customers/{derive(ANA)}"


async def test_the_board_is_shown_empty_loading_and_full(agent, serve):
    live = serve.state.sources.live
    live.ready = False
    assert "Reading the profiles" in (await agent.get("/")).text
    live.ready = True
    assert "No customers yet" in (await agent.get("/")).text
    live.apply([record(rich())])
    page = (await agent.get("/")).text
    assert "Ana Lopez" in page
    assert 'class="chip high">82%' in page


async def test_an_unknown_customer_is_said_with_404(agent):
    answer = await agent.get("/customers/email:nobody@example.com")
    assert answer.status_code == 404
    assert "email:nobody@example.com" in answer.text


@pytest.mark.parametrize(
    ("value", "shown"), [(64.0, "64"), (0.5, "0.5"), (1234567.25, "1234567.25"), ("64.0", "64.0")]
)
def test_a_stated_number_has_no_decimals_that_were_not_said(value, shown):
    assert present.said(value) == shown
