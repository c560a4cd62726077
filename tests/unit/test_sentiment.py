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


PLEASED = (*"😀😄😁😊🥰😍😘😋🤩🥳😂👍👏💯♥♡💕", "❤️", "👍🏽")
DISPLEASED = (*"😡😠🤬😤😢😭😞😔😥😟🙁😣😖😫😒🙄🤮💩👎💔🤦", "☹️", "🤦🏻\u200d♀️", "👎🏿")


@pytest.mark.parametrize("text", ["{}", "Order 77 came {}", "주문 77 왔어요{}", "왔어요. {}"])
def test_a_face_has_its_sign_alone_and_in_either_language(text):
    assert {face for face in PLEASED if (sentiment(text.format(face)) or 0) <= 100} == set()
    assert {face for face in DISPLEASED if (sentiment(text.format(face)) or 0) >= -100} == set()


@pytest.mark.parametrize("face", ["😊", "👍", "😡", "😢"])
def test_a_face_weighs_alike_in_either_language(face):
    assert sentiment(f"주문 77 왔어요 {face}") == sentiment(f"Order 77 came {face}")


def test_a_face_adds_to_what_the_words_say():
    assert (
        sentiment("배송이 느려요 😡") < sentiment("배송이 느려요") < sentiment("배송이 느려요 😊")
    )
    assert sentiment("잘 받았어요 😡") < sentiment("잘 받았어요") < sentiment("잘 받았어요 😊")


@pytest.mark.parametrize("text", ["상품 왔어요 📦", "🔥", "문의합니다 ☎", "⭐", "5️⃣"])
def test_what_is_drawn_without_a_mood_says_nothing(text):
    assert sentiment(text) is None


@pytest.mark.parametrize(
    "given",
    [
        ("별 하나", "별 둘", "별 셋", "별 넷", "별 다섯"),
        ("별 한개", "별 두 개 드려요", "별 세개", "별 네개예요", "별다섯개"),
        ("별 1개", "별 2개", "별점 3점", "별점은 4점", "평점 5"),
        ("5점 만점에 1점", "5점만점에 2점", "5점 만점 중 3점", "5점 만점에 4", "5점 만점에 5점"),
        ("10점 만점에 1점", "10점 만점에 4점", "100점 만점에 60점", "별점 8점", "평점 9.6점"),
        ("★☆☆☆☆", "★★☆☆☆", "★★★☆☆", "★★★★☆", "⭐⭐⭐⭐⭐"),
        ("별 다섯개 중 하나", "별 5개 중 2개", "별 5개 중 세 개", "별점 4.2점", "별점 4.8점"),
    ],
)
def test_more_stars_speak_better_and_three_of_five_neither(given):
    said = [sentiment(f"배송 {text} {text}") for text in given]
    assert said == sorted(set(said))
    assert said[1] < -100
    assert said[3] > 100
    assert abs(said[2]) < min(-said[1], said[3])


@pytest.mark.parametrize(
    "text",
    [
        *(
            "개별 하나하나",
            "특별 하나",
            "별 세트",
            "별 둘러보고",
            "별 2층",
            "별 셋팅",
            "5점 드려요",
        ),
        *("다섯개 중 하나", "별 20개 중 30개", "별점", "★ 공지 ★", "☆"),
    ],
)
def test_what_only_looks_like_stars_is_no_rating(text):
    assert sentiment(text) is None


def test_words_beside_a_rating_are_read_too():
    assert sentiment("별 하나도 아깝다") < sentiment("별 하나")
    assert sentiment("별 다섯개 최고예요") > sentiment("별 다섯개")


def weighs(score):
    return score / (1000**2 - score**2) ** 0.5


@pytest.mark.parametrize(
    "text", ["좋" * 100_000, "good " * 100_000, "a" * 8_000, "\x00\ud800😡" * 99]
)
def test_what_is_endless_or_no_language_stays_within_bounds(text):
    found = sentiment(text)
    assert found is None or -1000 <= found <= 1000
    assert found == sentiment(text[:LONGEST])
