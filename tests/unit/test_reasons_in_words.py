"""Reasons in words: Korean and English, what was counted, what is usual, and that they add up."""

import math

import pytest

from models.customer import Customer
from models.judge import Judge
from models.judgement import note
from models.online.scaling import sigmoid
from models.online.served import Served
from models.online.shares import BASE, PRIOR
from models.phrases import FLAGS, OTHER, PLAIN, TOLD
from models.places import NAMES
from models.reasons import GROUPS, rest
from models.records import Reason, Score
from models.rhythm import DAY_MS
from models.score import score
from models.wording import in_words, sentence


@pytest.mark.parametrize(
    ("reason", "english", "korean"),
    [
        (
            Reason("silence", 1.0, 74.0, 31.0, "silence"),
            "silent for 74 days, usually 31 days",
            "조용한 지 74일, 보통 31일",
        ),
        (
            Reason("silence", -1.0, 0.0, 7.0, "silence"),
            "in touch just now, usually every 7 days",
            "방금 접촉함, 보통 7일 간격",
        ),
        (Reason("silence", -1.0, 0.0), "in touch just now", "방금 접촉함"),
        (Reason("silence", 1.0, 1.0), "silent for 1 day", "조용한 지 1일"),
        (
            Reason("messages", 1.0, 0.34, 0.21, "clicked"),
            "clicks 34% of our messages, others 21%",
            "메시지 클릭률 34%, 평균 21%",
        ),
        (
            Reason("satisfaction", 1.0, 0.3, 0.72, "nps"),
            "would recommend us 3/10, others 7.2/10",
            "추천 의향 3/10, 평균 7.2/10",
        ),
        (
            Reason("purchases", -0.4, 1204.0, 3.25, "orders"),
            "orders so far: 1,204, others 3.2",
            "지금까지 주문 1,204건, 평균 3.2건",
        ),
        (Reason("contract", 0.2, 1.0, 0.1, "trial"), "still on trial", "체험 이용 중"),
        (Reason("contract", 0.2, 0.0, 0.1, "trial"), "past any trial", "체험 이용이 아님"),
        (
            Reason("renewal", 0.2, 12.0, 180.0, "to_renewal"),
            "to be renewed in 12 days, others 180 days",
            "계약 갱신까지 12일, 평균 180일",
        ),
        (
            Reason("price", 0.3, 0.12, 0.02, "price_rise"),
            "the price lately: +12%, others +2%",
            "최근 요금 변동 +12%, 평균 +2%",
        ),
        (
            Reason("price", -0.1, 0.0, 0.02, "price_rise"),
            "the price lately: unchanged, others +2%",
            "최근 요금 변동 없음, 평균 +2%",
        ),
        (Reason("new_thing", 1.0, 2.5, 1.0), "new thing: 2.5, others 1", "new thing: 2.5, 평균 1"),
        (Reason("a{b}", 1.0, 2.5), "ab: 2.5", "ab: 2.5"),
        (Reason(BASE, -1.0, 0.0), "what all customers share", "전체 고객의 공통 위험"),
        (Reason(OTHER, -1.0, 0.0), "everything else", "그 밖의 모든 요인"),
    ],
)
def test_a_reason_is_said_in_words(reason, english, korean):
    assert in_words(reason) == {"en": english, "ko": korean}


def test_every_feature_that_a_reason_may_be_about_has_its_words():
    told = {name for members in GROUPS.values() for name in members}
    worded = TOLD.keys() | FLAGS.keys() | PLAIN.keys()
    assert told - {"overdue", "since_order"} <= worded  # told as the silence that they are of


def test_every_feature_of_a_customer_belongs_to_a_reason():
    grouped = [name for members in GROUPS.values() for name in members]
    assert sorted([*grouped, PRIOR, "alive"]) == sorted(NAMES)


def test_a_word_from_outside_is_never_taken_for_a_pattern():
    assert sentence(Reason("{value.__class__}", 1.0, 2.0), "en") == "value.  class  : 2"


def test_the_reasons_told_and_the_rest_sum_to_the_logit():
    made = Score(
        score_id="s", customer_id="c", model="churn", model_version=1, at_ms=0, cause="e",
        probability=0.8, band="high", horizon_days=30, base=-1.5,
        reasons=[Reason("silence", 2.5, 74.0), Reason("service", -0.25, 1.0)],
    )  # fmt: skip
    whole = [*made.reasons, *rest(made)]
    assert math.fsum(one.contribution for one in whole) == pytest.approx(math.log(4.0))
    assert [one.feature for one in rest(made)] == [OTHER, BASE]


def test_nothing_is_left_out_of_a_score_by_the_prior_alone():
    made = score(Customer(customer_id="c_1"), 0, "e", Judge.untrained())
    assert [one.contribution for one in rest(made)] == [0.0, made.base]


def test_what_moves_nothing_is_no_reason_but_still_adds_up():
    model = Served(
        "logit", 9, -1.0, 0.0, terms={"silence": (0.0, 1.0, 0.5), "orders": (0.0, 1.0, 0.0)}
    )
    customer = note(Customer(customer_id="c_1"), "page_viewed", 0)
    made = score(customer, 10 * DAY_MS, "e", Judge(churn=model))
    assert [one.feature for one in made.reasons] == ["silence"]
    whole = [*made.reasons, *rest(made)]
    assert sigmoid(sum(one.contribution for one in whole)) == pytest.approx(made.probability)
