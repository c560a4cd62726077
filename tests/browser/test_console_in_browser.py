"""The console in real Chromium, served by its own process from the real broker."""

import os
import re
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import pytest
from msgspec.structs import replace
from playwright.sync_api import expect, sync_playwright

from infra.admin import create_topics
from infra.local import ports, process
from infra.settings import Settings
from models.customer import encode
from models.dead_letter import headers_of
from models.errors import Reason, TouchpointRejectedError
from models.events import Identifier, OrderPlaced, PageViewed, encode_event
from models.naming import derive
from models.profile import Moment, Trait, timeline
from models.topics import DEAD_LETTERS, EVENTS, MODEL_REPORTS, PROFILES
from projections.client import connect
from projections.load import Chunk, Loader
from projections.migrate import migrate
from projections.serve.console.words import words
from tests.conftest import SECRETS, clickhouse_address
from tests.support.customers import ANA, NOW_MS, OFFERS, customer, rich
from tests.support.histories import event, usd
from tests.support.kafka_log import send
from tests.support.model_reports import reports
from tests.support.past import Record
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.stack]

KEY = "browser-test-key"
PATIENCE = 60_000  # ms; at once where nothing else is at work
expect.set_options(timeout=PATIENCE)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"phone": (390, 844), "wide": (1360, 900)}
EVIL = "<img src=x onerror=document.title='owned'>"
KIM = "user_id:kim-1"
SAID = {  # what each page says, by language
    "en": ("Live board", "Churn risk", "silent for 11.5 days", "Double points for a month"),
    "ko": ("실시간 현황", "이탈 위험", "조용한 지 11.5일", "한 달간 포인트 두 배"),
}


def remember(settings):
    """Give ClickHouse a past of Kim: looked on the 1st, bought on the 10th, known on the 12th."""
    who = (Identifier(type="user_id", value="kim-1"),)
    bought = {"order_id": "o1", "total": usd("10.00")}
    days = (
        event(PageViewed, day(1), "e1", who, received_at=day(1)),
        event(OrderPlaced, day(10), "e2", who, received_at=day(12), **bought),
    )
    place = {"customer_id": derive(KIM), "origin": "touchpoints/0"}
    records = [
        Record(0, number, derive(KIM).encode(), encode_event(one.model_copy(update=place)))
        for number, one in enumerate(days)
    ]
    migrate(settings)
    with closing(Loader(lambda: connect(settings), settings.clickhouse_database)) as loader:
        loader.load([Chunk(EVENTS, 0, 0, 1, records)])


def day(number):
    return datetime(2026, 3, number, tzinfo=UTC)


class Console:
    """The serving process, and what it is fed."""

    def __init__(self, settings, log):
        self.settings = settings
        self.log = log
        self.url = f"http://127.0.0.1:{settings.serve_port}"
        self.offset = 100

    def start(self):
        clean = {name: value for name, value in os.environ.items() if "C360_" not in name}
        command = [sys.executable, "-m", "projections.serve"]
        self.process = process.spawn(command, self.log, clean | self.settings.environ())
        until(self.ready, 90, process.tail(self.log, 20))

    def ready(self):
        try:
            return httpx.get(self.url + "/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def put(self, *customers):
        topic = self.settings.topic(PROFILES)
        send(
            self.settings.brokers,
            topic,
            [(one.customer_id.encode(), encode(one)) for one in customers],
        )

    def change(self, one, **over):
        """Write a newer record of a customer, received now."""
        self.offset += 1
        now = time.time_ns() // 1_000_000
        self.put(replace(one, offset=self.offset, version=self.offset, received_ms=now, **over))


@pytest.fixture(scope="module")
def console(broker, clickhouse_server, tmp_path_factory):
    home = tmp_path_factory.mktemp("console")
    (home / "offers.toml").write_text(OFFERS)
    settings = Settings(
        home=home,
        kafka=broker,
        topic_prefix=f"browser{time.time_ns()}.",
        partitions=2,
        serve_port=ports.free_port(),
        api_keys=f"browser={KEY}",
        offers_file=home / "offers.toml",
        clickhouse_database=f"browser_{time.time_ns()}",
        clickhouse_user=SECRETS["clickhouse_user"],
        clickhouse_password=SECRETS["clickhouse_password"],
        **clickhouse_address(clickhouse_server),
    )
    create_topics(settings)
    remember(settings)
    made = Console(settings, home / "serve.log")
    evil = customer("user_id:evil")
    evil = replace(evil, profile=replace(evil.profile, traits={"name": Trait(EVIL, 1, "e", EVIL)}))
    crowd = [rich(f"user_id:u{n}", f"Person {n}", n / 40) for n in range(40)]
    for n, one in enumerate(crowd):
        crowd[n] = one if n > 27 else replace(one, episodes={})
    made.put(rich(), rich(KIM, "김민지", 0.31, episodes={}), evil, *crowd)
    rejected = TouchpointRejectedError(Reason.BAD_FIELD, "not a decimal number", "lines.0.price")
    letter = headers_of(rejected, "touchpoints/3/17", [])
    send(broker, settings.topic(DEAD_LETTERS), [(b"k", b"{}", letter)])
    told = [(b"churn", msgspec.json.encode(report)) for report in reports()]
    send(broker, settings.topic(MODEL_REPORTS), told)
    made.start()
    yield made
    process.stop(made.process, 10)


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, console):
    """Return a function that opens a page, logged in, in a language, a size and a scheme.

    After the test, no page may have reported an error or asked another host for anything.
    """
    contexts, faults = [], []

    def open_it(language="en", size="wide", scheme="light", path="/", **more):
        width, height = SIZES[size]
        context = chromium.new_context(
            locale={"en": "en-US", "ko": "ko-KR"}[language],
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            is_mobile=size == "phone",
            base_url=console.url,
            timezone_id="Asia/Seoul",
            **more,
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: line.type == "error" and faults.append(line.text))
        page.on(
            "request",
            lambda one: one.url.startswith(console.url) or faults.append(f"asked {one.url}"),
        )
        page.goto(path)
        page.fill("#key", KEY)
        page.click("button.main")
        page.wait_for_selector("#q")
        page.wait_for_load_state()  # its script listens by then
        page.faults = faults
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert not faults


def shoot(page, name):
    """Keep a picture for whoever wants to look (SHOTS names the folder)."""
    if folder := os.environ.get("SHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


# The lowest contrast of any text with what is behind it, by WCAG's formula.
CONTRAST = """() => {
  const parse = (colour) => {
    const parts = colour.match(/[\\d.]+/g).map(Number);
    return parts.length < 4 ? [...parts, 1] : parts;
  };
  const light = (colour) => colour.slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (el) => {
    for (; el; el = el.parentElement) {
      const colour = parse(getComputedStyle(el).backgroundColor);
      if (colour[3] === 1) return colour;
    }
    return [255, 255, 255, 1];
  };
  const hasText = (el) =>
    [...el.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  let worst = [21, ""];
  for (const el of document.querySelectorAll("body *")) {
    if (!el.checkVisibility() || el.closest("svg, .hidden, .skip") || !hasText(el)) continue;
    const pair = [light(parse(getComputedStyle(el).color)), light(behind(el))];
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (ratio < worst[0]) worst = [ratio, el.outerHTML.slice(0, 120)];
  }
  return worst;
}"""
UNNAMED = """() => [...document.querySelectorAll(
    "input:not([type=hidden]), button, a, svg[role=img]")]
  .filter((el) => !(el.labels?.length || el.textContent.trim() || el.ariaLabel || el.title))
  .map((el) => el.outerHTML)"""
CUT_OFF = """() => [...document.querySelectorAll("table")].map((el) => el.parentElement)
  .filter((el) => el.scrollWidth > el.clientWidth + 1).map((el) => el.outerHTML.slice(0, 120))"""


def check_looks(page, name):
    """Assert what every page must hold to, and keep its picture."""
    page.wait_for_timeout(300)
    shoot(page, name)
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{name} is {wide} px wider than its window"
    assert page.evaluate(CUT_OFF) == [], "a table scrolls sideways"
    assert page.evaluate(UNNAMED) == []
    ratio, element = page.evaluate(CONTRAST)
    assert ratio >= 4.5, f"{name}: contrast {ratio:.2f} of {element}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", SAID)
def test_every_page_is_readable(open_page, language, size, scheme):
    page = open_page(language, size, scheme)
    board, risk, reason, offer = SAID[language]
    name = f"{language}-{size}-{scheme}"
    expect(page.locator("h1")).to_have_text(board)
    expect(page.locator("#risk .histogram rect")).to_have_count(20)
    check_looks(page, f"{name}-board")
    page.goto(f"/customers/{ANA}")
    expect(page.locator("h1")).to_have_text("Ana Lopez")
    expect(page.locator("#risk")).to_contain_text(risk)
    expect(page.locator("#risk")).to_contain_text(reason)
    expect(page.locator("#offer")).to_contain_text(offer)
    expect(page.locator("#episodes .notice.bad")).to_be_visible()
    check_looks(page, f"{name}-customer")
    for path in (
        "/customers?q=person",
        "/customers?q=nobody",
        "/dead-letters",
        "/models",
        "/offers",
    ):
        page.goto(path)
        check_looks(page, f"{name}-{path.strip('/').replace('?q=', '-')}")


def test_a_customers_page_changes_without_being_loaded_again(open_page, console):
    page = open_page(path=f"/customers/{KIM}")
    page.evaluate("window.still = 'the same page'")
    expect(page.locator(".pulse.on")).to_be_visible()
    kim = rich(KIM, "김민지", 0.31, episodes={})
    called = Moment(NOW_MS, "e99", "call_received", "phone", "cancel my plan")
    profile = replace(kim.profile, events=13, recent=timeline([called]) + kim.profile.recent)
    risk = replace(kim.risk, probability=0.93, band="high")
    console.change(kim, profile=profile, risk=risk)
    expect(page.locator("#timeline li.new")).to_contain_text("cancel my plan")
    expect(page.locator("#risk .gauge")).to_contain_text("93%")
    expect(page.locator("#risk .risk")).to_have_class("risk high")
    assert page.evaluate("window.still") == "the same page"
    shoot(page, "live-update")


def test_the_board_counts_events_without_being_loaded_again(open_page, console):
    page = open_page()
    page.evaluate("window.still = 'the same page'")
    before = page.locator("#figures").inner_text()
    one = rich("user_id:u1", "Person 1", 0.02, episodes={})
    console.change(one, profile=replace(one.profile, events=one.profile.events + 40))
    expect(page.locator("#figures")).not_to_have_text(before)
    expect(page.locator("#figures")).to_contain_text("99 % within")
    assert page.evaluate("window.still") == "the same page"


def test_what_is_selected_is_not_taken_away_by_an_update(open_page, console):
    page = open_page(path=f"/customers/{ANA}")
    expect(page.locator(".pulse.on")).to_be_visible()
    page.locator("#who .tag b").first.select_text()
    ana = rich()
    profile = replace(ana.profile, identifiers=ana.profile.identifiers | {"user_id:x": NOW_MS})
    console.change(ana, profile=replace(profile, orders=41))
    expect(page.locator("#value")).to_contain_text("41")
    assert page.evaluate("String(document.getSelection())") == "ana@example.com"


@pytest.mark.parametrize("typed", ["김민", "ㄱㅁㅈ", "kim-1"])
def test_a_caller_is_found_from_the_keyboard_alone(open_page, typed):
    page = open_page("ko")
    page.keyboard.press("/")
    page.keyboard.type(typed)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("김민지")
    assert page.url.endswith(f"/customers/{derive(KIM)}")


def test_the_language_is_switched_where_one_is(open_page):
    page = open_page("en", path=f"/customers/{ANA}")
    page.click("text=한국어")
    expect(page.locator("#timeline h2")).to_have_text("고객 여정")
    assert page.url.endswith(derive(ANA))
    page.click("text=English")
    expect(page.locator("#timeline h2")).to_have_text("Timeline")


def test_a_wrong_key_is_told_and_logging_out_ends_it(open_page):
    page = open_page()
    page.click("text=Log out")
    page.fill("#key", "wrong")
    page.click("button.main")
    expect(page.get_by_role("alert")).to_contain_text("not one of this deployment's API keys")
    check_looks(page, "login-wrong")
    page.goto("/")
    expect(page.locator("#key")).to_be_visible()
    page.faults[:] = [fault for fault in page.faults if "401" not in fault]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", SAID)
def test_a_customer_is_shown_as_of_a_time_typed_in_ones_own_zone(open_page, language, size):
    said = words(language)
    page = open_page(language, size)
    page.goto(f"/customers/{KIM}")
    page.click("#as-of summary")
    expect(page.locator("[data-zone]")).to_have_text("Asia/Seoul")
    check_looks(page, f"past-form-{language}-{size}")
    page.fill("#at", "2026-03-10T09:00")  # midnight of the 10th, UTC
    page.click("#as-of button")
    expect(page).to_have_url(re.compile(r"\?at=2026-03-10T00%3A00%3A00.000Z$"))
    expect(page.locator("#then")).to_contain_text(said("past.is"))
    expect(page.locator("#at")).to_have_value("2026-03-10T09:00")
    orders = page.locator("#value dd").nth(1)
    expect(orders).to_have_text("1")
    check_looks(page, f"past-{language}-{size}")
    page.fill("#known_at", "2026-03-11T12:00")  # it came in on the 12th
    page.click("#as-of button")
    expect(orders).to_have_text("0")
    page.wait_for_load_state()  # else its script would put the old times back
    page.fill("#at", "2026-02-01T00:00")
    page.click("#as-of button")
    expect(page.locator("h1")).to_have_text(said("past.not-yet"))
    page.wait_for_load_state()
    page.fill("#at", "")
    page.fill("#known_at", "")
    page.click("#as-of button")
    expect(page.locator("#who h1")).to_have_text("김민지")
    expect(page.locator("[data-pulse]")).to_be_visible()
    # Chromium reports the 404 of the page itself.
    page.faults[:] = [fault for fault in page.faults if "404" not in fault]


def test_names_that_hold_markup_are_shown_as_text(open_page):
    page = open_page(path="/customers/user_id:evil")
    expect(page.locator("h1")).to_have_text(EVIL)
    assert page.locator("main img").count() == 0
    assert "owned" not in page.title().replace(EVIL, "")


def test_without_scripts_the_pages_still_tell_everything(open_page):
    page = open_page(path=f"/customers/{ANA}", java_script_enabled=False)
    expect(page.locator("#timeline")).to_contain_text("3 items · $59.05")
    expect(page.locator("#timeline time").first).to_contain_text("UTC")


def test_a_server_that_goes_away_is_told_and_comes_back(open_page, console):
    page = open_page()
    expect(page.locator(".pulse.on")).to_be_visible()
    process.stop(console.process, 10)
    expect(page.locator(".pulse.lost")).to_have_text("Reconnecting…")
    console.start()
    expect(page.locator(".pulse.on")).to_be_visible()
    page.faults[:] = [fault for fault in page.faults if "ERR_" not in fault]
