"""Contracts: which run, what is predicted of who has one, what came true, who is lost."""

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from models.alerts import RULE
from models.asof import Entry, fold
from models.catalogue import Catalogue
from models.contracts import GRACE_DAYS, join, running
from models.customer import Customer
from models.events import (
    Identifier,
    OfferShown,
    PageViewed,
    SubscriptionCancelled,
    SubscriptionRenewed,
    SubscriptionStarted,
    encode_event,
)
from models.handover import gathered
from models.identity import customer_id_of, identify
from models.judge import Judge
from models.labels import CONTRACTS_PENDING, acted
from models.online.served import Served
from models.online.shares import PRIOR
from models.react import Position, react
from models.records import unpack
from models.regroup import Part
from models.rhythm import DAY_MS
from models.terms import Contract
from models.timers import fired
from projections.serve import views
from projections.serve.written import instant
from tests.support.histories import ANA, NOON, event, usd

JUDGE = Judge.untrained()
LAPTOP = Identifier(type="device_id", value="d-1")
NOON_MS = int(NOON.timestamp() * 1000)


class Life:
    """One customer, whose events and silence are told in days; everything that goes out is kept."""

    def __init__(self, judge=JUDGE, who=ANA):
        self.customer, self.judge, self.who = Customer(customer_id=customer_id_of(who)), judge, who
        self.scores, self.examples, self.alerts, self.events = [], [], [], []
        self.offset = 0

    def _react(self, one):
        reaction = react(self.customer, one, Position("events", 0, self.offset), self.judge)
        self.offset += 1
        self.events.append(one)
        self.customer = reaction.customer
        self.scores += reaction.scores
        self.examples += reaction.examples
        self.alerts += reaction.alerts

    def silent(self, day):
        """Let nothing come until `day`."""
        until = NOON_MS + int(day * DAY_MS)
        while (due := min(self.customer.timers.values(), default=until + 1)) <= until:
            self._react(fired(self.customer.customer_id, due, due))
        return self

    def say(self, day, kind, **fields):
        self.silent(day)
        at = NOON + timedelta(days=day)
        made = event(kind, at, f"e{self.offset}", (self.who,), **fields)
        made = made.model_copy(update={"received_at": at})
        self._react(identify(made, "touchpoints/1", self.offset))
        return self

    def start(self, day, id="s1", **fields):
        return self.say(day, SubscriptionStarted, subscription_id=id, plan="basic", **fields)

    def renew(self, day, id="s1", **fields):
        return self.say(day, SubscriptionRenewed, subscription_id=id, **fields)

    def cancel(self, day, id="s1", **fields):
        return self.say(day, SubscriptionCancelled, subscription_id=id, **fields)

    def runs(self, day):
        return bool(running(self.customer.contracts, NOON_MS + int(day * DAY_MS)))

    def labels(self, model="contract"):
        """Return what came true of each prediction of a model, by its day."""
        return {
            (one.at_ms - NOON_MS) / DAY_MS: one.label for one in self.examples if one.model == model
        }


def until(day):
    return {"renews_at": NOON + timedelta(days=day)}


def test_a_contract_runs_until_it_is_cancelled_whenever_it_is_to_end():
    life = Life().start(0).cancel(100, ends_at=NOON + timedelta(days=130))
    assert life.runs(99)
    assert not life.runs(100)


def test_a_stated_end_that_is_not_renewed_ends_it_after_the_grace():
    life = Life().start(0, **until(30))
    assert life.runs(30 + GRACE_DAYS - 0.01)
    assert not life.runs(30 + GRACE_DAYS)
    assert life.renew(31, **until(60)).runs(60)


def test_a_renewal_without_an_end_runs_for_the_period_that_it_states():
    life = Life().start(0).renew(30, period="month")
    assert life.runs(60 + GRACE_DAYS - 0.01)
    assert not life.runs(60 + GRACE_DAYS)


def test_one_whose_end_nobody_stated_runs_until_it_is_cancelled():
    assert Life().start(0).runs(5_000)
    assert Life().start(0).renew(30).runs(5_000)


def test_who_has_a_contract_is_scored_for_its_end_and_nobody_for_both():
    life = Life().say(0, PageViewed).start(1).cancel(50).silent(60)
    assert [one.model for one in life.scores if one.at_ms < NOON_MS + DAY_MS] == ["churn"]
    during = [one for one in life.scores if 1 <= (one.at_ms - NOON_MS) / DAY_MS < 50]
    after = [one for one in life.scores if (one.at_ms - NOON_MS) / DAY_MS >= 50]
    assert {(one.model, one.horizon) for one in during} == {("contract", "contract-30/1")}
    assert {(one.model, one.horizon) for one in after} == {("churn", "silence-30/1")}
    assert after[0].at_ms == NOON_MS + 50 * DAY_MS  # a cancellation is a moment to score at


def test_untrained_who_has_a_contract_is_scored_by_how_long_contracts_last():
    made = Life().start(0).say(100, PageViewed).scores[-1]
    ends = JUDGE.population.contracts.ends(100, 30)
    assert made.probability == pytest.approx(ends, abs=1e-6)  # as it is kept: six decimals
    assert made.model_version == 0


def test_each_world_has_its_own_model():
    judge = Judge(churn=Served("logit", 7, 3.0, 0.0), contract=Served("logit", 9, -3.0, 0.0))
    life = Life(judge).say(0, PageViewed).start(1)
    assert [(one.model_version, one.probability > 0.5) for one in life.scores] == [
        (7, True), (9, False),
    ]  # fmt: skip


def test_a_cancellation_within_the_horizon_came_true_and_one_after_it_did_not():
    life = Life().start(0).say(20, PageViewed).cancel(40).silent(90)
    assert life.labels() == {0.0: 0.0, 20.0: 1.0}


def test_both_labels_of_contracts_come_when_the_horizon_ends():
    life = Life().start(0).cancel(10).silent(90)
    assert {one.label_ms - one.at_ms for one in life.examples} == {30 * DAY_MS}
    assert life.labels() == {0.0: 1.0}


def test_predictions_of_a_contracts_end_wait_half_a_horizon_apart():
    life = Life().start(0)
    for hour in range(7, 29 * 24, 7):
        life.say(hour / 24, PageViewed)
    waits = [p.at_ms for p in life.customer.pending]
    assert len(waits) == CONTRACTS_PENDING
    assert waits[1] - waits[0] >= 30 * DAY_MS / CONTRACTS_PENDING


def test_an_end_that_passes_without_renewal_came_true_and_a_renewal_did_not():
    lapsed = Life().start(0, **until(20)).silent(90)
    assert lapsed.labels() == {0.0: 1.0, 21.0: 1.0}
    kept = Life().start(0, **until(20)).renew(19, **until(400)).silent(60)
    assert set(kept.labels().values()) == {0.0}


def test_a_renewal_within_the_grace_keeps_the_contract():
    life = Life().start(0, **until(20)).renew(20 + GRACE_DAYS - 1, **until(400)).silent(60)
    assert set(life.labels().values()) == {0.0}


def test_who_begins_another_within_the_grace_has_switched():
    life = Life().start(0).cancel(10).start(10 + GRACE_DAYS, "s2").silent(45)
    assert life.labels()[0.0] == 0.0


def test_who_is_won_back_later_was_lost():
    life = Life().start(0).cancel(10).start(11 + GRACE_DAYS, "s2").silent(45)
    assert life.labels()[0.0] == 1.0


def test_one_of_two_contracts_cancelled_is_none_lost():
    life = Life().start(0).start(1, "s2").cancel(10).silent(45)
    assert life.labels()[0.0] == 0.0
    assert life.scores[-1].model == "contract"
    assert unpack(life.scores[-1].features)["given_up"] > 0


def test_beginning_a_contract_answers_what_was_said_of_silence():
    life = Life().say(0, PageViewed).start(20).silent(45)
    assert life.labels("churn") == {0.0: 0.0, 7.0: 0.0, 14.0: 0.0}


def test_a_contract_that_ends_is_no_sign_of_life():
    life = Life().say(0, PageViewed).cancel(10, "unknown").silent(45)
    assert life.labels("churn")[0.0] == 1.0


def test_a_contract_is_looked_at_before_and_after_its_end():
    looks = [
        (one.at_ms - NOON_MS) / DAY_MS for one in Life().start(0, **until(100)).silent(108).scores
    ]
    assert {70.0, 93.0, 101.0, 107.0} <= set(looks)


def test_an_end_beyond_the_data_is_not_looked_at():
    life = Life().start(0, observed_until=NOON + timedelta(days=50), **until(100)).silent(300)
    assert max(one.at_ms for one in life.scores) <= NOON_MS + 50 * DAY_MS
    assert life.labels() == {0.0: 0.0}


def risky(high):
    risk = {"high": high, "low": high / 2, "min_visits": 3}
    return Judge.untrained(Catalogue.model_validate({"risk": risk}))


AT_RISK = risky(0.02)  # everybody with a contract


def test_a_contract_at_risk_opens_an_episode_and_its_end_loses_it():
    life = Life(AT_RISK).start(0).cancel(400)
    assert [(one.status, one.outcome) for one in life.alerts] == [
        ("opened", None),
        ("closed", "lost"),
    ]
    assert life.alerts[1].at_ms == NOON_MS + 400 * DAY_MS


def test_silence_loses_nobody_who_has_a_contract():
    life = Life(AT_RISK).start(0).silent(2_000)
    assert [one.status for one in life.alerts] == ["opened"]
    assert "lost" not in life.customer.timers


def test_who_lets_a_contract_lapse_is_lost_when_the_grace_is_over():
    life = Life(AT_RISK).start(0, **until(100)).silent(300)
    assert [one.outcome for one in life.alerts] == [None, "lost"]
    assert life.alerts[1].at_ms == NOON_MS + (100 + GRACE_DAYS) * DAY_MS


def test_a_renewal_at_low_risk_saves_and_a_visit_does_not():
    sure = replace(Served.untrained(), intercept=-9.0)
    life = Life(AT_RISK).start(0).silent(29)
    life.judge = Judge(catalogue=AT_RISK.catalogue, contract=sure)
    assert [one.outcome for one in life.renew(29.5).alerts] == [None, "saved"]
    visited = Life(AT_RISK).start(0).say(5, PageViewed)
    assert [one.status for one in visited.alerts] == ["opened"]


def test_an_episode_of_silence_goes_on_under_the_contract():
    life = Life(risky(0.02)).say(0, PageViewed).say(1, PageViewed).say(2, PageViewed)
    assert life.customer.episodes[RULE].model == "churn"
    life.start(3)
    assert life.customer.episodes[RULE].status == "open"
    assert life.customer.episodes[RULE].model == "contract"
    assert [one.outcome for one in life.cancel(50).alerts] == [None, "lost"]


def test_who_was_shown_an_offer_was_acted_on_and_who_was_not_was_not():
    life = Life().start(0).say(10, OfferShown, offer="a").say(18, PageViewed).silent(60)
    acted = {(one.at_ms - NOON_MS) / DAY_MS: one.acted for one in life.examples}
    assert [acted[day] for day in (0.0, 18.0)] == [True, False]


def test_an_offer_shown_after_the_horizon_acted_on_nobody():
    life = Life().start(0).say(31, OfferShown, offer="a").silent(35)
    assert [one.acted for one in life.examples if one.at_ms == NOON_MS] == [False]


def test_an_alert_that_is_or_gets_open_acts_on_who_waits():
    life = Life(AT_RISK).start(0).say(10, PageViewed).silent(60)
    assert [one.acted for one in life.examples] == [True] * len(life.examples)
    calm = Life(risky(0.9)).start(0).say(10, PageViewed).silent(60)
    assert [one.acted for one in calm.examples] == [False] * len(calm.examples)


def test_features_of_a_contract_say_when_it_is_to_be_renewed():
    seen = unpack(Life().start(0, trial=True, **until(30)).scores[-1].features)
    assert (seen["trial"], seen["unrenewed"], seen["renewal_due"]) == (1.0, 0.0, 0.0)
    late = unpack(Life().start(0, **until(30)).say(32, PageViewed).scores[-1].features)
    assert (late["trial"], late["unrenewed"], late["renewal_due"]) == (0.0, 1.0, 1.0)
    assert "to_renewal" not in unpack(Life().start(0).scores[-1].features)


def test_a_long_term_that_ends_soon_is_told_from_a_short_one_and_from_one_that_runs_on():
    def ends(day, period, ahead):
        said = Life().start(0, period=period, **until(day)).say(day - ahead, PageViewed)
        return unpack(said.scores[-1].features)["term_due"]

    assert ends(365, "year", 20) > ends(30, "month", 20) > 0.0
    assert ends(365, "year", 24) == ends(30, "month", 24) == 0.0
    assert "term_due" not in unpack(Life().start(0).scores[-1].features)


def test_who_never_had_a_contract_and_who_had_one_can_be_told_apart():
    never = unpack(Life().say(0, PageViewed).scores[-1].features)
    had = unpack(Life().start(0).cancel(9).scores[-1].features)
    assert (never["contract_ended"], had["contract_ended"]) == (0.0, 1.0)
    assert PRIOR in never
    assert "tenure" not in never


def test_contracts_of_two_names_are_joined_and_given_back_from_the_log():
    ana, laptop = Life().start(0).renew(30), Life(who=LAPTOP).start(5, "s2")
    both = gathered(ana.customer, laptop.customer)
    assert both.contracts.keys() == {"s1", "s2"}
    own = Part(ana.customer.customer_id)
    for one in ana.events:
        own.take(one)
    assert own.customer().contracts == ana.customer.contracts


def test_silence_loses_nobody_to_whom_a_contract_came_by_a_merge():
    life = Life(risky(0.999999)).say(0, PageViewed).say(1, PageViewed).say(2, PageViewed)
    life.silent(300).judge = risky(0.02)
    assert "lost" in life.silent(370).customer.timers  # at the last look at silence
    theirs = Life(who=LAPTOP).start(0)
    life.customer = replace(life.customer, contracts=theirs.customer.contracts)
    assert [one.status for one in life.silent(500).alerts] == ["opened"]


def test_an_offer_shown_before_a_prediction_did_not_act_on_it():
    waiting = Life().start(0).say(16, PageViewed).customer.pending
    late = acted(waiting, NOON_MS + 8 * DAY_MS)
    assert [one.acted for one in late] == [True, False]


def test_contracts_are_told_over_the_api_with_their_ends():
    life = Life().start(0).start(1, "s2", **until(31)).start(2, "s3").cancel(9, "s3")
    told = {one["subscription_id"]: one for one in views.contracts(life.customer.contracts)}
    assert list(told) == ["s3", "s2", "s1"]
    assert (told["s1"]["renews_at"], told["s1"]["over_at"]) == (None, None)
    assert told["s2"]["over_at"] == instant(NOON_MS + (31 + GRACE_DAYS) * DAY_MS)
    assert (told["s3"]["cancelled"], told["s3"]["over_at"]) == (
        True, instant(NOON_MS + 9 * DAY_MS),
    )  # fmt: skip


def test_contracts_as_of_a_time_are_those_of_the_words_by_then():
    life = Life().start(0).renew(30, **until(60)).cancel(50)
    entries = [
        Entry(0, n, encode_event(one))
        for n, one in enumerate(life.events)
        if one.type != "timer_fired"
    ]
    (then,) = fold(entries, NOON_MS + 40 * DAY_MS, None).contracts.values()
    assert (then.renewals, then.last.what) == (1, "renewed")
    assert fold(entries, None, None).contracts == life.customer.contracts


def test_a_contract_that_was_kept_before_prices_were_is_read_and_goes_on():
    kept = b'{"s1":[[1,"e1","started",null,30,false],[1,"e1","started",null,30,false],0]}'
    held = msgspec.json.decode(kept, type=dict[str, Contract])
    assert held["s1"].prices == []
    told = Life().renew(30, price=usd("9")).customer.contracts
    assert [one.minor for one in join(held, told)["s1"].prices] == [900]
