"""Names, goods and phrases, in Korean and English. Nothing but data."""

# ruff: noqa: SIM905  lists of names read better in one string

from __future__ import annotations

from typing import NamedTuple


class Product(NamedTuple):
    """Something to buy: price and cost in whole dollars, times `WON` in won."""

    sku: str
    ko: str
    en: str
    category: str
    price: int
    cost: int


WON = 1_300  # won a dollar: prices in won are round hundreds

FAMILY_KO = "김 이 박 최 정 강 조 윤 장 임 한 오 서 신 권 황 안 송 류 홍".split()
GIVEN_KO = (
    "민준 서연 도윤 서윤 예준 지우 시우 하은 주원 민서 지호 수아 준우 지아 현우 다은 "
    "지훈 은서 건우 소율 우진 예은 성민 유진 재현 수빈 태윤 가은 동현 나연"
).split()
FAMILY_EN = (
    "Adams Baker Carter Diaz Evans Foster Garcia Hughes Ito Jensen Khan Lopez Morgan Nguyen "
    "Owens Patel Quinn Reyes Silva Turner Usman Vargas Walsh Young"
).split()
GIVEN_EN = (
    "Ava Ben Chloe Daniel Emma Felix Grace Henry Isla Jack Kira Liam Maya Noah Olivia Peter "
    "Ruth Sam Tara Victor Wendy Zoe"
).split()

CITIES_KO = "서울 부산 대구 인천 광주 대전 수원 제주".split()
CITIES_EN = "Boston Chicago Denver Seattle Austin Portland".split()

PRODUCTS = (
    Product("tee-01", "오가닉 티셔츠", "Organic tee", "fashion", 24, 9),
    Product("jkt-07", "경량 패딩", "Light down jacket", "fashion", 129, 61),
    Product("sho-12", "러닝화", "Running shoes", "sports", 95, 47),
    Product("mat-03", "요가 매트", "Yoga mat", "sports", 35, 12),
    Product("cof-02", "원두 1kg", "Coffee beans 1 kg", "food", 28, 14),
    Product("tea-05", "제주 녹차", "Jeju green tea", "food", 18, 6),
    Product("ear-09", "무선 이어폰", "Wireless earbuds", "electronics", 149, 88),
    Product("lmp-04", "무드등", "Mood lamp", "home", 42, 17),
    Product("ser-08", "수분 세럼", "Hydrating serum", "beauty", 38, 11),
    Product("bok-06", "여행 에세이", "Travel essays", "books", 16, 8),
)
DEVICES = (
    Product("phn-21", "스마트폰 S", "Phone S", "phones", 899, 690),
    Product("phn-22", "스마트폰 미니", "Phone mini", "phones", 499, 380),
    Product("wat-03", "스마트 워치", "Smart watch", "wearables", 249, 160),
    Product("cas-11", "휴대폰 케이스", "Phone case", "accessories", 19, 4),
    Product("chg-15", "고속 충전기", "Fast charger", "accessories", 29, 10),
)
PLANS = (("basic", 25), ("standard", 45), ("unlimited", 70))  # dollars a month

SEARCHES = {
    "ko": ("러닝화 추천", "무선 이어폰", "요금제 비교", "선물 세트", "반품 방법"),
    "en": ("running shoes", "wireless earbuds", "compare plans", "gift set", "how to return"),
}
COMPLAINTS = {
    "ko": (
        "배송이 일주일째 안 왔어요. 정말 실망입니다.",
        "요금이 두 번 청구됐습니다. 빨리 해결해 주세요.",
        "상담원 연결까지 40분 기다렸어요.",
        "통화 품질이 너무 나빠서 해지하고 싶어요.",
    ),
    "en": (
        "My parcel is a week late. Really disappointed.",
        "You charged me twice. Please fix this quickly.",
        "I waited 40 minutes for an agent.",
        "Calls keep dropping, I am thinking of leaving.",
    ),
}
QUESTIONS = {
    "ko": ("영수증을 다시 받을 수 있나요?", "해외 로밍은 어떻게 하나요?", "교환도 되나요?"),
    "en": ("Can I get the receipt again?", "How does roaming work?", "Can I exchange this?"),
}
PRAISE = {
    "ko": ("친절하고 빨라요!", "품질이 정말 좋아요.", "다시 살게요."),
    "en": ("Quick and friendly!", "Great quality.", "Will buy again."),
}
BLAME = {
    "ko": ("다시는 안 사요.", "응대가 너무 느려요.", "기대 이하예요."),
    "en": ("Never again.", "Support is far too slow.", "Below what I expected."),
}
AGENTS = ("김상담", "이매니저", "Dana", "Chris")
CAMPAIGNS = (
    ("spring-sale", "newsletter", "email"),
    ("brand", "google", "cpc"),
    ("loyalty-week", "kakao", "social"),
    ("launch", "instagram", "social"),
)
