"""Opinion read out of text, in both languages, by sentences that customers write."""

import pytest

from models.traits.sentiment import LONGEST, sentiment

GOOD = [
    "빠르게 해결해 주셔서 감사합니다",
    "덕분에 잘 해결됐습니다",
    "Thank you so much for your help",
    "상담사분이 정말 친절하게 설명해 주셔서 감사합니다",
    "문제없이 잘 사용하고 있습니다",
    "가격은 비싸지만 품질이 정말 좋아요",
    "기다린 보람이 있네요 최고입니다",
    "불만은 전혀 없습니다",
    "나쁘지 않네요",
    "기사님이 시간 맞춰 오셔서 꼼꼼하게 수리해 주셨어요",
    "너무 만족스러워서 또 구매했어요 ㅎㅎ",
    "불편함이 없었어요",
    "더할 나위 없이 좋습니다",
    "Great service, quick delivery!",
    "It is not bad at all",
    "Price is high but the quality is excellent",
    "Thanks, problem solved quickly",
]
BAD = [
    "일주일째 답변이 없네요. 빠른 처리 부탁드립니다. 감사합니다.",
    "Please help, my order is late and the parcel was damaged. Thanks",
    "배송이 너무 늦고 상담원이 불친절해요. 다시는 이용 안 할 겁니다.",
    "별로 좋지 않아요",
    "생각보다 별로예요",
    "디자인은 예쁜데 배터리가 너무 빨리 닳아서 실망했어요",
    "환불해 주세요. 일주일째 연락도 없네요",
    "앱이 자꾸 튕겨요",
    "안 좋아요",
    "전화 연결이 안 돼서 30분이나 기다렸습니다",
    "추천하고 싶지 않은 서비스",
    "고객을 무시하는 태도에 화가 납니다",
    "친절하지도 않고 전문성도 없어요",
    "해지하려는데 절차가 복잡하고 어렵네요",
    "The agent was rude and unhelpful. I waited 40 minutes.",
    "Not happy with the quality",
    "Still no refund after three weeks",
    "I will never order again",
    "The app keeps crashing",
]
NEITHER = [
    "",
    "   ",
    "...",
    "요금이 왜 이렇게 많이 나왔나요?",
    "주소를 변경하고 싶습니다",
    "12345",
    "order 77",
    "좋은 하루 되세요",
    "주소 변경 부탁드립니다. 감사합니다.",
    "고객 만족도 조사 관련 문의",
    "I would like to change my address, please.",
    "Please help me with my credit card",
    "Kind regards, Ana",
]


@pytest.mark.parametrize("text", GOOD)
def test_what_speaks_well_is_above_nothing(text):
    assert sentiment(text) > 100


@pytest.mark.parametrize("text", BAD)
def test_what_speaks_ill_is_below_nothing(text):
    assert sentiment(text) < -100


@pytest.mark.parametrize("text", NEITHER)
def test_what_tells_no_opinion_has_none(text):
    assert sentiment(text) is None


@pytest.mark.parametrize(
    ("weak", "strong"),
    [
        ("조금 불편해요", "너무 불편해요"),
        ("좋아요", "정말 좋아요"),
        ("slow", "extremely slow"),
        ("좋아요", "최고예요"),
    ],
)
def test_what_is_emphasised_counts_more(weak, strong):
    assert abs(sentiment(weak)) < abs(sentiment(strong))


def test_what_comes_after_but_counts_more():
    assert sentiment("비싸지만 좋아요") > 0 > sentiment("좋지만 비싸고 느려요")


def test_sentences_that_agree_are_surer_than_one_in_whichever_language():
    assert sentiment("정말 좋아요. Great service.") > max(
        sentiment("정말 좋아요"), sentiment("Great service.")
    )
    assert sentiment("Rude staff. 너무 느려요.") < min(
        sentiment("Rude staff."), sentiment("너무 느려요")
    )


def test_sentences_that_do_not_agree_take_from_each_other():
    good, bad = sentiment("정말 좋아요"), sentiment("Terrible service")
    assert bad < sentiment("정말 좋아요. Terrible service") < good


def test_a_sentence_that_says_nothing_takes_nothing_away():
    assert sentiment("It was at noon. Great service. See order 77.") == sentiment("Great service.")


def test_a_long_letter_is_no_surer_for_its_length_than_the_root_of_it():
    one, four = sentiment("Slow delivery."), sentiment("Slow delivery. " * 4)
    assert weighs(four) == pytest.approx(2 * weighs(one), rel=0.02)


def test_what_is_cried_out_counts_more():
    assert sentiment("Great service!!!") > sentiment("Great service")


def weighs(score):
    return score / (1000**2 - score**2) ** 0.5


@pytest.mark.parametrize(
    "text", ["좋" * 100_000, "good " * 100_000, "a" * 8_000, "\x00\ud800😡" * 99]
)
def test_what_is_endless_or_no_language_stays_within_bounds(text):
    found = sentiment(text)
    assert found is None or -1000 <= found <= 1000
    assert found == sentiment(text[:LONGEST])
