"""Decisions: who may get what, one at a time, drawn with known chances."""

import pytest
from msgspec.structs import replace

from models.catalogue import NONE, Catalogue, CatalogueError, parse
from models.customer import Customer
from models.decide import decide, eligible, is_held_out
from models.features import features
from models.judge import Judge
from models.judgement import DECIDE_WITHIN_MS, judged, note
from models.online.offers import OfferModel
from models.profile import Profile, Trait
from models.records import unpack
from models.rhythm import DAY_MS
from models.score import score

T0 = 1_780_000_000_000
NAME = {"en": "Ten percent off", "ko": "10 % 할인"}


def offer(id="coupon", **over):
    return {"id": id, "name": NAME, "channels": ["email", "app"], "value": 10, **over}


def judge(*offers, holdout=0.0, **policy):
    catalogue = {"offers": offers or [offer()], "policy": {"holdout": holdout, **policy}}
    return Judge.untrained(Catalogue.model_validate(catalogue))


def customer(id="c_1", **profile):
    return note(Customer(customer_id=id, profile=Profile(**profile)), "order_placed", T0)


def fact(value):
    return Trait(value, T0, "e1")


@pytest.mark.parametrize(
    ("rule", "profile"),
    [
        ({"consent": "marketing"}, {"consents": {"marketing": fact(True)}}),
        ({"min_orders": 2}, {"orders": 2}),
        ({"tiers": ["gold"]}, {"traits": {"tier": fact("gold")}}),
        ({"subscribed": True}, {"subscription": fact("active")}),
    ],
)
def test_an_offer_is_made_only_to_whom_it_is_meant_for(rule, profile):
    strict = judge(offer(eligible=rule))
    assert [o.id for o in eligible(customer(**profile), T0, strict)] == ["coupon"]
    assert list(eligible(customer(), T0, strict)) == []


def test_a_withdrawn_consent_is_none():
    strict = judge(offer(eligible={"consent": "marketing"}))
    assert not list(eligible(customer(consents={"marketing": fact(False)}), T0, strict))


def test_what_the_customer_owns_is_not_offered():
    strict = judge(offer(eligible={"not_owned": ["p1"]}))
    assert not list(eligible(customer(products={"p1": T0}), T0, strict))


def test_promotions_are_silent_while_a_ticket_is_open():
    open_ticket = {"tickets_opened": {"t1": T0}}
    assert not list(eligible(customer(**open_ticket), T0, judge()))
    assert list(eligible(customer(**open_ticket, tickets_closed={"t1": T0}), T0, judge()))
    care = judge(offer(eligible={"during_complaint": True}))
    assert list(eligible(customer(**open_ticket), T0, care))


def test_an_offer_against_risk_is_made_only_at_risk():
    care = judge(offer(eligible={"min_risk": 0.5}))
    at_risk = score(customer(), T0 + 90 * DAY_MS, "e", care)
    assert at_risk.probability > 0.5
    assert list(eligible(replace(customer(), risk=at_risk), T0, care))
    assert not list(eligible(customer(), T0, care))


def test_a_decision_is_made_from_what_the_score_of_its_moment_was_made_from():
    made = look(customer(), T0, judge())
    assert made.decisions[0].features == made.scores[0].features
    stale = replace(made.customer, offer=None, awaited=[], profile=Profile(orders=9))
    later = decide(stale, T0 + DAY_MS, "e2", judge())
    assert unpack(later.features) == features(stale, T0 + DAY_MS)


def test_an_expired_offer_is_not_made():
    until = judge(offer(expires="2026-06-01T00:00:00+09:00"))
    end = 1_780_239_600_000  # 2026-05-31 15:00 UTC
    assert list(eligible(customer(), end - 1, until))
    assert not list(eligible(customer(), end, until))


def test_a_cap_ends_an_offer_for_good():
    capped = judge(offer(cap=2))
    assert list(eligible(replace(customer(), offers_made={"coupon": 1}), T0, capped))
    assert not list(eligible(replace(customer(), offers_made={"coupon": 2}), T0, capped))


def test_with_nothing_eligible_the_decision_is_none_with_certainty():
    made = decide(customer(), T0, "e1", judge(offer(eligible={"min_orders": 99})))
    assert (made.offer, made.propensities, made.channel) == (NONE, {NONE: 1.0}, None)


def test_every_eligible_offer_and_none_have_their_chance():
    made = decide(customer(), T0, "e1", judge(offer("a"), offer("b"), floor=0.03))
    assert set(made.propensities) == {"a", "b", NONE}
    assert min(made.propensities.values()) >= 0.01
    assert made.propensity == made.propensities[made.offer]


def test_the_same_decision_is_drawn_again_and_another_cause_draws_anew():
    three = judge(offer("a"), offer("b"))
    assert decide(customer(), T0, "e1", three) == decide(customer(), T0, "e1", three)
    drawn = {decide(customer(), T0, f"e{n}", three).offer for n in range(100)}
    assert drawn == {"a", "b", NONE}


def test_draws_follow_their_propensities():
    some = judge(offer("a"), offer("b", value=8), none_value=5)
    made = [decide(customer(), T0, f"e{n}", some) for n in range(4_000)]
    for arm, chance in made[0].propensities.items():
        share = sum(one.offer == arm for one in made) / len(made)
        assert share == pytest.approx(chance, abs=0.03)


def test_the_holdout_is_sticky_about_its_share_and_never_offered_anything():
    tested = judge(holdout=0.1)
    held = [f"c_{n}" for n in range(5_000) if is_held_out(f"c_{n}", tested)]
    assert 0.08 < len(held) / 5_000 < 0.12
    made = [decide(customer(held[0]), T0 + day * DAY_MS, f"e{day}", tested) for day in range(20)]
    assert {(one.offer, one.propensity, one.holdout) for one in made} == {(NONE, 1.0, True)}


def look(who, at_ms, with_judge, cause="e", received_ms=None):
    received = at_ms if received_ms is None else received_ms
    return judged(who, at_ms, received, cause, with_judge, touch=True)


def test_one_decision_stands_until_it_expires():
    some = judge(valid_days=7)
    first = look(customer(), T0, some)
    assert len(first.decisions) == 1
    assert look(first.customer, T0 + 6 * DAY_MS, some).decisions == []
    later = look(first.customer, T0 + 7 * DAY_MS, some, "e2")
    assert len(later.decisions) == 1
    assert later.examples[0].model == "offers"


def test_no_offer_is_decided_for_the_past():
    assert look(customer(), T0, judge(), received_ms=T0 + DECIDE_WITHIN_MS + 1).decisions == []


def outcome(*touches):
    some = judge(valid_days=7)
    who = look(customer(), T0, some).customer
    arm = who.offer.offer
    for kind, day in touches:
        who = note(who, kind, T0 + int(day * DAY_MS), arm)
    [example] = look(who, T0 + 7 * DAY_MS, some).examples
    return example


def test_silence_until_the_end_of_the_window_is_a_reward_of_zero():
    example = outcome()
    assert (example.label, example.label_ms, example.arm) == (0.0, T0 + 7 * DAY_MS, example.arm)


@pytest.mark.parametrize("kind", ["offer_accepted", "order_placed", "subscription_started"])
def test_a_conversion_within_the_window_is_a_reward_of_one(kind):
    assert outcome((kind, 3)).label == 1.0


def test_a_conversion_after_the_window_is_none():
    assert outcome(("order_placed", 7.5)).label == 0.0


def test_seeing_or_declining_an_offer_is_no_reward():
    assert outcome(("offer_shown", 1), ("offer_declined", 2)).label == 0.0


def test_an_answered_offer_is_shown_no_more():
    who = look(customer(), T0, judge()).customer
    assert note(who, "offer_declined", T0 + 1, who.offer.offer).offer is None
    assert note(who, "offer_declined", T0 + 1, "another").offer == who.offer


def test_what_converts_is_drawn_more_often():
    model = OfferModel()
    for n in range(400):
        model.learn_one({"silence": 1.0}, "good", float(n % 2))
        model.learn_one({"silence": 1.0}, "bad", 0.0)
    some = judge(offer("good"), offer("bad"), none_value=0.1)
    learnt = Judge(offers=model, catalogue=some.catalogue)
    chances = decide(customer(), T0, "e1", learnt).propensities
    assert chances["good"] > 0.9
    assert chances["bad"] == pytest.approx(0.01, abs=0.01)


def test_an_offer_worth_less_than_it_costs_is_left_to_chance():
    dear = judge(offer(value=1, cost=50), none_value=0)
    chances = decide(customer(), T0, "e1", dear).propensities
    assert chances[NONE] > 0.98


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("offers = 3", "offers"),
        ("[[offers]", "not TOML"),
        ("[risk]\nhigh = 0.5\nlow = 0.6", "low must be less than high"),
        ("[policy]\nunknown = 1", "policy.unknown"),
        ('[[offers]]\nid = "none"\nname={en="a",ko="b"}\nchannels=["app"]\nvalue=1', "another id"),
        (
            '[[offers]]\nid="a"\nname={en="a",ko="b"}\nchannels=["app"]\nvalue=1\n'
            "expires=2026-01-01T00:00:00",
            "time zone",
        ),
    ],
)
def test_a_mistake_in_the_catalogue_is_named(text, says):
    with pytest.raises(CatalogueError, match=says):
        parse(text)


def test_an_offer_listed_twice_is_a_mistake():
    with pytest.raises(ValueError, match="unique: a"):
        judge(offer("a"), offer("a"))
