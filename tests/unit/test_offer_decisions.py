"""Decisions: who may get what, one at a time, drawn with known chances."""

import pytest
from msgspec.structs import replace

from models.catalogue import NONE, Catalogue, CatalogueError, parse
from models.customer import Customer
from models.decide import consider, decide
from models.eligibility import Refusal, considered
from models.eligibility import eligible as arms_for
from models.holdout import held, is_held_out
from models.judge import Judge
from models.judgement import DECIDE_WITHIN_MS, judged, note
from models.offer_context import context
from models.online.offers import OfferModel
from models.online.thompson import propensities
from models.profile import Profile, Trait
from models.profile.weekly import WEEK_MS
from models.records import Example, Reserved, unpack
from models.rhythm import DAY_MS
from models.score import score

T0 = 1_780_000_000_000
NAME = {"en": "Ten percent off", "ko": "10 % 할인"}


def offer(id="coupon", **over):
    return {"id": id, "name": NAME, "channels": ["email", "app"], "value": 10, **over}


def judge(*offers, holdout=0.0, campaigns=(), **policy):
    policy = {"holdout": holdout, **policy}
    catalogue = {"offers": offers or [offer()], "policy": policy, "campaigns": campaigns}
    return Judge.untrained(Catalogue.model_validate(catalogue))


def customer(id="c_1", **profile):
    reached = {"identifiers": {"email:a@x.kr": T0, "phone:+8210": T0}} | profile
    reached.setdefault("events_by_channel", {"app": 1})
    return note(Customer(customer_id=id, profile=Profile(**reached)), "order_placed", T0)


def eligible(who, at_ms, with_judge):
    """The ids of the offers that may be made in some channel."""
    return list(dict.fromkeys(arm.offer.id for arm in arms_for(who, at_ms, with_judge)))


def refusals(who, with_judge, at_ms=T0):
    return {arm.name: refusal for arm, refusal in considered(who, at_ms, with_judge)}


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
    assert eligible(customer(**profile), T0, strict) == ["coupon"]
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
    scored = unpack(made.scores[0].features)
    assert unpack(made.decisions[0].features) == scored
    stale = replace(made.customer, offer=None, awaited=[], profile=Profile(orders=9))
    later = decide(stale, T0 + DAY_MS, "e2", judge())
    assert unpack(later.features) == context(stale, T0 + DAY_MS, "e2", judge())
    assert unpack(later.features) != scored


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
    assert list(made.propensities) == ["a/email", "a/app", "b/email", "b/app", NONE]
    assert min(made.propensities.values()) >= 0.03 / 5
    assert made.propensity == made.propensities[made.arm]
    assert made.arm == (f"{made.offer}/{made.channel}" if made.channel else NONE)


def test_the_same_decision_is_drawn_again_and_another_cause_draws_anew():
    three = judge(offer("a"), offer("b"), none_value=9)
    assert decide(customer(), T0, "e1", three) == decide(customer(), T0, "e1", three)
    drawn = {decide(customer(), T0, f"e{n}", three).arm for n in range(100)}
    assert drawn == {"a/email", "a/app", "b/email", "b/app", NONE}


def test_draws_follow_their_propensities():
    some = judge(offer("a"), offer("b", value=8), none_value=5)
    made = [decide(customer(), T0, f"e{n}", some) for n in range(4_000)]
    for arm, chance in made[0].propensities.items():
        share = sum(one.arm == arm for one in made) / len(made)
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


def test_each_refusal_says_why():
    some = judge(
        offer("fine"),
        offer("orders", eligible={"min_orders": 9}),
        offer("risk", eligible={"min_risk": 0.9}),
        offer("consent", eligible={"consent": "marketing"}),
        offer("tier", eligible={"tiers": ["gold"]}),
        offer("subscription", eligible={"subscribed": True}),
        offer("owned", eligible={"not_owned": ["p1"]}),
        offer("cap", cap=1),
        offer("expired", expires="2020-01-01T00:00:00Z"),
        offer("sold-out", stock=0),
    )
    who = replace(customer(products={"p1": T0}), offers_made={"cap": 1})
    for arm, refusal in refusals(who, some).items():
        expected = arm.partition("/")[0].replace("-", "_")
        assert refusal == (None if expected == "fine" else Refusal(expected))
    complaint = refusals(customer(tickets_opened={"t": T0}), some)
    assert complaint["fine/app"] is Refusal.COMPLAINT


@pytest.mark.parametrize(
    ("channel", "profile"),
    [
        ("email", {"identifiers": {"email:a@x.kr": T0}}),
        ("email", {"traits": {"email": fact("a@x.kr")}}),
        ("sms", {"identifiers": {"phone:+8210": T0}}),
        ("phone", {"identifiers": {"phone:+8210": T0}}),
        ("push", {"identifiers": {"device_id:d": T0}}),
        ("app", {"identifiers": {"device_id:d": T0}}),
        ("app", {"events_by_channel": {"app": 3}}),
    ],
)
def test_a_channel_is_used_only_where_it_reaches(channel, profile):
    some = judge(offer(channels=[channel]))
    nobody = {"identifiers": {}, "events_by_channel": {"web": 1}}
    assert refusals(customer(**nobody | profile), some) == {f"coupon/{channel}": None}
    assert refusals(customer(**nobody), some) == {f"coupon/{channel}": Refusal.UNREACHABLE}


def test_a_web_offer_waits_for_whoever_comes():
    some = judge(offer(channels=["web"]))
    assert refusals(customer(identifiers={}), some) == {"coupon/web": None}


def test_a_refused_channel_leaves_the_others():
    refused = customer(consents={"email": fact(False)})
    assert refusals(refused, judge()) == {
        "coupon/email": Refusal.CHANNEL_CONSENT,
        "coupon/app": None,
    }


def test_offers_of_all_kinds_are_capped_within_the_days():
    capped = judge(contact_cap=2, contact_days=30)
    twice = replace(customer(), contacted=[T0, T0 + 10 * DAY_MS])
    late = T0 + 29 * DAY_MS
    assert set(refusals(twice, capped, late).values()) == {Refusal.CONTACT_CAP}
    assert set(refusals(twice, capped, T0 + 30 * DAY_MS).values()) == {None}
    assert set(refusals(replace(twice, contacted=[T0]), capped, late).values()) == {None}


def test_a_made_offer_counts_against_both_caps_and_none_against_neither():
    some = judge(none_value=0)
    made = look(customer(), T0, some)
    assert made.customer.offers_made == {"coupon": 1}
    assert made.customer.contacted == [T0]
    nobody = look(customer(identifiers={}, events_by_channel={}), T0, judge())
    assert nobody.decisions[0].offer == NONE
    assert (nobody.customer.offers_made, nobody.customer.contacted) == ({}, [])


def test_a_campaign_has_control_customers_of_its_own():
    one = judge(
        offer("a", campaign="spring"),
        offer("b"),
        campaigns=[{"id": "spring", "holdout": 0.3}],
    )
    ids = [f"c_{n}" for n in range(3_000)]
    controls = [id for id in ids if held(id, one) == ["spring"]]
    assert 0.27 < len(controls) / len(ids) < 0.33
    control = refusals(customer(controls[0]), one)
    assert control["a/email"] is Refusal.CAMPAIGN_HOLDOUT
    assert control["b/email"] is None
    made = decide(customer(controls[0]), T0, "e1", one)
    assert (made.held, made.holdout) == (["spring"], False)
    assert not any(arm.startswith("a/") for arm in made.propensities)
    other = judge(offer("a"), campaigns=[{"id": "summer", "holdout": 0.3}])
    both = [id for id in controls if held(id, other)]
    assert 0.2 < len(both) / len(controls) < 0.4  # one campaign's tells nothing of another's
    redrawn = judge(offer("a"), campaigns=[{"id": "spring", "holdout": 0.3, "seed": "2"}])
    assert [id for id in ids if held(id, redrawn)] != controls


def test_a_made_offer_tells_its_campaign():
    some = judge(
        offer(campaign="spring"), campaigns=[{"id": "spring", "holdout": 0.0}], none_value=0
    )
    assert look(customer(), T0, some).decisions[0].campaign == "spring"


def test_the_last_unit_is_promised_once_the_models_log_tells_of_it():
    scarce = judge(offer(stock=1), none_value=0, floor=0)
    made = look(customer(), T0, scarce)
    [word] = made.examples
    assert isinstance(word, Reserved)
    assert (word.offer, word.units, word.model) == ("coupon", 1, "offers")
    scarce.offers.take(word.offer, word.units)
    assert refusals(customer("c_2"), scarce)["coupon/email"] is Refusal.SOLD_OUT
    end = look(made.customer, T0 + 14 * DAY_MS, scarce)
    assert [(type(one), getattr(one, "units", None)) for one in end.examples[:2]] == [
        (Example, None),
        (Reserved, -1),
    ]
    scarce.offers.take("coupon", -1)
    assert refusals(customer("c_2"), scarce)["coupon/email"] is None


def test_an_offer_that_may_be_shown_no_more_stands_no_more():
    some = judge(offer(eligible={"consent": "marketing"}), none_value=0, floor=0)
    who = look(customer(consents={"marketing": fact(True)}), T0, some).customer
    assert who.offer.offer == "coupon"
    assert look(who, T0 + DAY_MS, some, "e2").customer.offer == who.offer
    for change in (
        {"consents": {"marketing": fact(False)}},
        {"consents": {"marketing": fact(True), who.offer.channel: fact(False)}},
        {"consents": {"marketing": fact(True)}, "tickets_opened": {"t": T0}},
    ):
        changed = replace(who, profile=replace(who.profile, **change))
        after = look(changed, T0 + DAY_MS, some, "e2")
        assert after.customer.offer is None
        assert after.decisions == []  # its outcome is still awaited
        late = T0 + DAY_MS + DECIDE_WITHIN_MS + 1
        assert look(changed, T0 + DAY_MS, some, "e2", late).customer.offer is None


def test_an_offer_that_left_the_catalogue_stands_no_more():
    some = judge(offer("gone"), none_value=0, floor=0)
    who = look(customer(), T0, some).customer
    assert look(who, T0 + DAY_MS, judge(offer("other")), "e2").customer.offer is None


def test_what_was_drawn_from_is_recorded_and_does_not_stay_with_the_customer():
    some = judge(offer("a"), boldness=0.25, none_value=3)
    [made] = look(customer(), T0, some).decisions
    means, variances = some.offers.predict_arms(unpack(made.features), list(made.propensities))
    assert made.means == pytest.approx(means, abs=1e-4)
    assert made.deviations == pytest.approx([0.25 * one**0.5 for one in variances], abs=1e-4)
    assert made.margins == [10.0, 10.0, 3.0]
    doubts = [one * one for one in made.deviations]
    again = propensities(made.means, doubts, made.margins, [0.0] * 3, 0.03)
    assert again == list(made.propensities.values())
    stays = look(customer(), T0, some).customer.offer
    assert (stays.decision_id, stays.propensity) == (made.decision_id, made.propensity)
    assert (stays.propensities, stays.means, stays.deviations, stays.margins) == ({}, [], [], [])


def test_it_can_be_asked_what_would_be_drawn_and_why_not():
    some = judge(offer("a"), offer("b", eligible={"min_orders": 9}), none_value=2)
    told = {one.arm: one for one in consider(customer(), T0, some)}
    assert list(told) == ["a/email", "a/app", "b/email", "b/app", NONE]
    assert told["b/email"].refusal is Refusal.ORDERS
    assert (told["b/email"].propensity, told["b/email"].worth) == (0.0, None)
    drawn = decide(customer(), T0, "e1", some)
    assert {name: one.propensity for name, one in told.items() if not one.refusal} == (
        drawn.propensities
    )
    assert told["a/app"].worth == pytest.approx(10 * told["a/app"].conversion)


def test_a_control_customer_is_told_as_one():
    told = consider(customer(), T0, judge(holdout=0.999))
    assert [(one.refusal, one.propensity) for one in told[:-1]] == [(Refusal.HOLDOUT, 0.0)] * 2
    assert (told[-1].arm, told[-1].propensity) == (NONE, 1.0)


def test_habits_and_interests_are_seen_where_offers_turn_on_them():
    some = judge(offer(category="shoes"))
    weeks = {T0 // WEEK_MS: {"shoes": 1, "x": 3}}
    who = customer(events=4, events_by_channel={"app": 1, "web": 3}, interest_weeks=weeks)
    seen = context(who, T0, "e", some)
    assert (seen["uses:app"], seen["uses:email"], seen["likes:shoes"]) == (0.25, 0.0, 0.25)


def test_what_converts_is_drawn_more_often():
    model = OfferModel()
    for n in range(400):
        model.learn_one({"silence": 1.0}, "good/app", float(n % 2))
        model.learn_one({"silence": 1.0}, "bad/app", 0.0)
    some = judge(offer("good", channels=["app"]), offer("bad", channels=["app"]), none_value=0.1)
    learnt = Judge(offers=model, catalogue=some.catalogue)
    chances = decide(customer(), T0, "e1", learnt).propensities
    assert chances["good/app"] > 0.9
    assert chances["bad/app"] == pytest.approx(0.01, abs=0.01)


def test_what_brings_more_is_drawn_more_often():
    model = OfferModel()
    for n in range(400):
        for arm, margin in (("rich/app", 30.0), ("poor/app", 3.0)):
            model.learn_one({}, arm, float(n % 2), margin)
    some = judge(offer("rich", channels=["app"]), offer("poor", channels=["app"]), none_value=0.1)
    chances = decide(
        customer(), T0, "e1", Judge(offers=model, catalogue=some.catalogue)
    ).propensities
    assert chances["rich/app"] > 0.9


def test_an_offer_worth_less_than_it_costs_is_left_to_chance():
    dear = judge(offer(value=1, cost=50), none_value=0)
    chances = decide(customer(), T0, "e1", dear).propensities
    assert chances[NONE] == pytest.approx(0.98)
    by_mail = judge(offer(value=10, costs={"app": 50}), none_value=0)
    chances = decide(customer(), T0, "e1", by_mail).propensities
    assert chances["coupon/app"] == pytest.approx(0.01, abs=0.001)
    assert chances["coupon/email"] > 0.9


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


@pytest.mark.parametrize(
    ("offers", "policy", "says"),
    [
        ([offer("a"), offer("a")], {}, "unique: a"),
        ([offer(campaign="spring")], {}, "offer coupon: no campaign spring"),
        ([offer(channels=["app", "app"])], {}, "twice"),
        ([offer(channels=["telegraph"])], {}, "channels"),
        ([offer(costs={"phone": 4})], {}, "not made in: phone"),
        ([offer()], {"valid_days": 7, "attribution_days": 3}, "at least valid_days"),
        ([offer()], {"currency": "XXX"}, "currency"),
    ],
)
def test_what_contradicts_itself_is_a_mistake(offers, policy, says):
    with pytest.raises(ValueError, match=says):
        judge(*offers, **policy)
