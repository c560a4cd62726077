"""Value, rhythm, interests and opinion as of a moment, from what was observed."""

from datetime import timedelta
from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
from msgspec.structs import replace
from scipy.special import hyp2f1

from models.customer import Customer
from models.events import ContentViewed, FeedbackGiven, Line, OrderPlaced, OrderRefunded
from models.features import features
from models.lifetime import DEFAULT_LIFETIME, Lifetime
from models.population import Cuts, Population, Spend
from models.profile import Profile, evolve
from models.rhythm import DAY_MS
from models.traits.moods import interests, mood, preferred_channel, read_by
from models.traits.purchases import DAYS_KEPT, Buying, buying, expected
from models.traits.sentiment import SOURCE
from models.traits.value import value
from tests.support.histories import NOON, event, usd

NOON_MS = event().occurred_ms
SHOP = Population(
    spend={"USD": Spend(p=6.25, q=3.74, v=1544.0)},
    cuts=Cuts(
        recency=[10, 30, 90, 200], frequency=[2, 3, 5, 9], money={"USD": [1e3, 2e3, 4e3, 8e3]}
    ),
    fitted_ms=NOON_MS,
    customers=500,
)


def customer(*events, **fields):
    return Customer(customer_id="c", profile=reduce(evolve, events, Profile()), **fields)


def ordered(*days, total="20.00"):
    return [
        event(OrderPlaced, NOON + timedelta(days=day), f"o{n}", total=usd(total))
        for n, day in enumerate(days)
    ]


def at(days):
    return NOON_MS + round(days * DAY_MS)


@pytest.mark.parametrize(
    "lifetime",
    [
        DEFAULT_LIFETIME,
        Lifetime(1.5, 20.0, 2.2, 4.0),
        Lifetime(0.3, 5.0, 0.2, 0.5),
        Lifetime(0.6, 5.0, 0.8, 1.2),
    ],
)
@pytest.mark.parametrize(
    ("repeats", "last", "age", "horizon"),
    [(0, 0, 0, 365), (0, 0, 10, 365), (3, 100, 120, 30), (40, 300, 310, 365), (5, 90, 400, 90)],
)
def test_expected_purchases_are_the_published_formulas(lifetime, repeats, last, age, horizon):
    r, alpha, a, b = lifetime.r, lifetime.alpha, lifetime.a, lifetime.b
    ratio, z = (alpha + age) / (alpha + age + horizon), horizon / (alpha + age + horizon)
    series = hyp2f1(r + repeats, b + repeats + 1, a + b + repeats, z)
    published = (a + b + repeats) / (a - 1) * (1 - ratio ** (r + repeats) * series)
    published /= 1 + a / (b + repeats) * ((alpha + age) / (alpha + last)) ** (r + repeats)
    assert expected(lifetime, Buying(repeats, last, age), horizon) == pytest.approx(
        published, rel=1e-9
    )


def test_expected_purchases_are_what_simulated_customers_make():
    lifetime, chance = Lifetime(0.8, 30.0, 1.0, 2.0), np.random.default_rng(7)
    rates = chance.gamma(lifetime.r + 3, 1 / (lifetime.alpha + 120), 200_000)
    leaving = chance.beta(lifetime.a, lifetime.b + 4, 200_000)
    simulated = lifetime.alive(3, 100, 120) * np.mean((1 - np.exp(-rates * leaving * 90)) / leaving)
    assert expected(lifetime, Buying(3, 100, 120), 90) == pytest.approx(simulated, rel=0.02)


def test_silence_lowers_what_is_expected_without_any_event():
    buyer = customer(*ordered(0, 10, 20, 30))
    soon, later = value(buyer, at(35), SHOP), value(buyer, at(200), SHOP)
    assert soon.alive > later.alive
    assert soon.purchase > later.purchase
    assert soon.clv["USD"] > later.clv["USD"]
    assert (soon.overdue, later.overdue) == (False, True)
    assert soon.next_ms == later.next_ms
    assert (soon.rfm.recency_score, later.rfm.recency_score) == (5, 2)


def test_who_buys_every_ten_days_is_expected_again_sooner_than_the_population():
    often, once = value(customer(*ordered(*range(0, 100, 10))), at(95), SHOP), None
    once = value(customer(*ordered(0)), at(95), SHOP)
    assert 10 < often.gap_days < 20 < once.gap_days
    assert often.rfm.segment == "champion"


def test_two_orders_on_a_day_are_one_day_and_two_purchases():
    buyer = customer(*ordered(0, 0.01, 7))
    assert buying(buyer.profile.order_days, at(10)) == Buying(1, 7, 10)
    twice = value(buyer, at(10), SHOP)
    assert twice.orders == pytest.approx(value(customer(*ordered(0, 7)), at(10), SHOP).orders * 1.5)
    assert twice.rfm.frequency == 3


def test_each_quarters_purchases_are_discounted_from_its_middle():
    buyer = customer(*ordered(0, 10, 20, 30))
    of = buying(buyer.profile.order_days, at(35))
    made = [expected(SHOP.purchases, of, 365 * quarter / 4) for quarter in range(5)]
    years = (0.125, 0.375, 0.625, 0.875)
    worth = sum((b - a) / 1.1**year for (a, b), year in zip(pairwise(made), years, strict=True))
    told = value(buyer, at(35), replace(SHOP, spend={}))
    assert told.clv["USD"] == round(worth * 2_000)
    assert told.orders == made[-1]


def test_of_who_bought_on_more_days_than_are_kept_nobody_knows_how_often_a_day():
    buyer = customer(*ordered(*range(DAYS_KEPT)))
    assert len(buyer.profile.order_days) == DAYS_KEPT
    often = replace(buyer, profile=replace(buyer.profile, orders=3 * DAYS_KEPT))
    assert value(often, at(DAYS_KEPT), SHOP).orders == value(buyer, at(DAYS_KEPT), SHOP).orders


def test_who_has_just_bought_for_the_first_time_is_new_where_most_have_bought_once():
    crowd = replace(SHOP, cuts=replace(SHOP.cuts, frequency=[1, 1, 2, 2]))
    buyers = [customer(*ordered(*range(orders))) for orders in (1, 2, 3)]
    told = [value(buyer, at(3), crowd).rfm for buyer in buyers]
    assert [one.frequency_score for one in told] == [1, 3, 5]
    assert [one.segment for one in told] == ["new", "growing", "champion"]


def test_the_end_of_a_backfill_is_where_silence_ends():
    events = ordered(0, 10, 20)
    file = customer(*events, observed_until_ms=at(25), clock_ms=at(25))
    assert value(file, at(400), SHOP) == value(customer(*events), at(25), SHOP)
    back = customer(*events, observed_until_ms=at(25), clock_ms=at(26))
    assert value(back, at(400), SHOP).alive < value(file, at(400), SHOP).alive


def test_refunds_are_no_value_and_a_mean_is_shrunk_to_the_populations():
    kept = customer(*ordered(0, 10, total="90.00"))
    back = customer(
        *ordered(0, 10, total="90.00"), event(OrderRefunded, id="r", amount=usd("90.00"))
    )
    assert value(kept, at(11), SHOP).rfm.money == {"USD": 18_000}
    assert value(back, at(11), SHOP).clv["USD"] < value(kept, at(11), SHOP).clv["USD"]
    own = value(kept, at(11), Population())
    assert value(kept, at(11), SHOP).clv["USD"] < own.clv["USD"]
    assert own.rfm.segment is None


def test_who_bought_nothing_has_no_value():
    assert value(customer(event()), at(1), SHOP) is None


def test_an_interest_is_worth_half_after_thirty_days_and_a_purchase_five_views():
    seen = event(ContentViewed, category="shoes", content_id="p")
    line = Line(sku="b", category="bags")
    bought = event(OrderPlaced, id="o", lines=(line,))
    profile = customer(seen, bought).profile
    now, later = interests(profile, at(10)), interests(profile, at(40))
    assert [(one.category, round(one.share, 3)) for one in now] == [
        ("bags", 0.833),
        ("shoes", 0.167),
    ]
    assert later[0].weight == pytest.approx(now[0].weight / 2)


def test_a_new_interest_overtakes_an_old_one():
    old = [event(ContentViewed, id=f"a{n}", category="tents", content_id="p") for n in range(3)]
    new = [
        event(ContentViewed, NOON + timedelta(days=90), f"b{n}", category="skis", content_id="p")
        for n in range(2)
    ]
    assert interests(customer(*old, *new).profile, at(91))[0].category == "skis"


def test_a_mood_is_the_newest_word_and_the_mean_in_which_old_words_fade():
    bad = event(FeedbackGiven, id="a", text="최악이에요. 다시는 안 사요")
    good = event(FeedbackGiven, NOON + timedelta(days=60), "b", text="정말 친절하고 좋아요")
    told = mood(customer(good, bad).profile, at(61))
    assert told.newest.event_id == "b"
    assert told.said == 2
    assert told.mean > 0.2
    assert mood(customer(event()).profile, at(1)) is None


def test_a_mood_names_the_lexicon_that_read_its_newest_word():
    earlier = event(FeedbackGiven, id="a", text="최악이에요")
    later = event(FeedbackGiven, NOON + timedelta(days=1), "b", text="정말 좋아요")
    profile = customer(earlier, later).profile
    assert read_by(profile) == SOURCE
    # The newest word was read before lexicons were named, an older one came in after.
    told_late = replace(profile, sentiment_by=customer(earlier).profile.sentiment_by)
    assert read_by(told_late) is None
    assert read_by(replace(profile, sentiment_by=None)) is None


def test_the_preferred_channel_is_the_customers_not_our_systems():
    events = [event(channel=channel, id=channel) for channel in ("server", "phone")]
    assert preferred_channel(customer(*events, event(channel="phone", id="x")).profile) == "phone"
    assert preferred_channel(Profile()) is None
    unknown = Profile(events_by_channel={"other": 9, "server": 5, "sms": 1})
    assert preferred_channel(unknown) == "sms"


def test_the_newest_opinion_is_a_feature_of_churn():
    bad = customer(event(FeedbackGiven, text="최악이에요. 다시는 안 사요"))
    assert features(bad, at(1))["sentiment"] == bad.profile.sentiment.value < -0.5
    assert "sentiment" not in features(customer(event()), at(1))
