"""How each feature is told, Korean and English: the phrases of `models.wording`.

"{value}" and "{usual}" stand for what was counted and what is usual; what follows a first
", " is told only where something is usual.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from models.online.shares import BASE

Language = Literal["en", "ko"]
OTHER = "other"  # all that is not told one by one

Show = Callable[[float, Language], str]


class Told(NamedTuple):
    """How a feature is told: "{value}" and "{usual}", each written by `show`."""

    show: Show
    en: str
    ko: str


class Flag(NamedTuple):
    """How a feature is told that is there or not."""

    yes: tuple[str, str]
    no: tuple[str, str]


def number(value: float) -> str:
    """Write a count: "12", "3.5", "1,204"."""
    shown = f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"
    return shown.removesuffix(".0")


def days(value: float, language: Language) -> str:
    """Write a time in days: "1 day", "3.5 days", "3.5일"."""
    shown = number(value)
    if language == "ko":
        return f"{shown}일"
    return f"{shown} day" if shown == "1" else f"{shown} days"


def count(value: float, language: Language) -> str:
    """Write a count, in any language alike."""
    return number(value)


def _share(value: float, language: Language) -> str:
    return f"{min(max(value, 0.0), 1.0):.0%}"


def _rate(value: float, language: Language) -> str:
    return f"{min(max(value, 0.0), 1.0):.1%}"


def _loss(value: float, language: Language) -> str:
    return f"{value:.3f}"


def _of(top: int) -> Show:
    return lambda value, language: f"{number(value * top)}/{top}"


def _opinion(value: float, language: Language) -> str:
    if -0.1 < value < 0.1:
        return "중립" if language == "ko" else "neutral"
    well = ("긍정" if value > 0 else "부정") if language == "ko" else "good" if value > 0 else "bad"
    return f"{well} {min(abs(value), 1.0):.0%}"


def _minutes(value: float, language: Language) -> str:
    return f"{number(value)}분" if language == "ko" else f"{number(value)} min"


def _change(value: float, language: Language) -> str:
    if -0.005 < value < 0.005:
        return "없음" if language == "ko" else "unchanged"
    return f"{value:+.0%}"


def _term(value: float, language: Language) -> str:
    if value < 0.5:
        return "없음" if language == "ko" else "none"
    return days(value, language)


# Features that are logarithms (log1p); what is told is what they were before.
LOGS = frozenset(
    {
        *("silence", "visits", "age", "gap", "orders", "items", "since_order", "tickets"),
        *("since_ticket", "wait", "tenure", "renewals", "contracts", "given_up", "period"),
        *("to_renewal", "term_due", "price_rise"),
    }
)
TOLD: dict[str, Told] = {
    # Of a model that drifts; usual is what it was, of rewards what was predicted.
    "log_loss": Told(_loss, "log loss {value}, was {usual}", "로그 손실 {value}, 이전 {usual}"),
    "base_rate": Told(
        _share, "came true for {value}, was {usual}", "실제 비율 {value}, 이전 {usual}"
    ),
    "reward": Told(_rate, "converted {value}, predicted was {usual}", "전환 {value}, 예측 {usual}"),
    "hit_rate": Told(
        _share, "guessed right {value}, was {usual}", "추천 적중률 {value}, 이전 {usual}"
    ),
    "silence": Told(days, "silent for {value}, usually {usual}", "조용한 지 {value}, 보통 {usual}"),
    "visits": Told(
        count,
        "contacts so far: {value}, others {usual}",
        "지금까지 접촉 {value}회, 평균 {usual}회",
    ),
    "gap": Told(
        days, "in touch every {value}, others every {usual}", "{value}마다 접촉, 평균 {usual}"
    ),
    "unsteady": Told(
        count,
        "gaps vary {value} times their mean, others' {usual} times",
        "접촉 간격의 편차가 평균 간격의 {value}배, 보통 {usual}배",
    ),
    "age": Told(
        days, "first seen {value} ago, others {usual}", "처음 만난 지 {value}, 평균 {usual}"
    ),
    "orders": Told(
        count, "orders so far: {value}, others {usual}", "지금까지 주문 {value}건, 평균 {usual}건"
    ),
    "items": Told(
        count, "units an order: {value}, others {usual}", "주문당 {value}개, 평균 {usual}개"
    ),
    "refunds": Told(
        _share, "{value} of orders refunded, others {usual}", "주문의 {value} 환불, 평균 {usual}"
    ),
    "open_tickets": Told(
        count,
        "tickets open: {value}, others {usual}",
        "처리 중인 문의 {value}건, 평균 {usual}건",
    ),
    "tickets": Told(
        count, "tickets so far: {value}, others {usual}", "지금까지 문의 {value}건, 평균 {usual}건"
    ),
    "since_ticket": Told(
        days, "last ticket {value} ago, others {usual}", "마지막 문의 {value} 전, 평균 {usual} 전"
    ),
    "wait": Told(
        _minutes, "waited {value} in all, others {usual}", "총 {value} 대기, 평균 {usual}"
    ),
    "nps": Told(
        _of(10), "would recommend us {value}, others {usual}", "추천 의향 {value}, 평균 {usual}"
    ),
    "csat": Told(_of(5), "satisfaction {value}, others {usual}", "만족도 {value}, 평균 {usual}"),
    "ces": Told(_of(7), "ease {value}, others {usual}", "이용 편의 {value}, 평균 {usual}"),
    "review": Told(_of(5), "reviews us {value}, others {usual}", "리뷰 점수 {value}, 평균 {usual}"),
    "sentiment": Told(
        _opinion, "newest words of us: {value}, others {usual}", "최근 의견 {value}, 평균 {usual}"
    ),
    "opened": Told(
        _share,
        "opens {value} of our messages, others {usual}",
        "메시지 열람률 {value}, 평균 {usual}",
    ),
    "clicked": Told(
        _share,
        "clicks {value} of our messages, others {usual}",
        "메시지 클릭률 {value}, 평균 {usual}",
    ),
    "accepted": Told(
        _share, "accepts {value} of our offers, others {usual}", "제안 수락률 {value}, 평균 {usual}"
    ),
    "declined": Told(
        _share,
        "declines {value} of our offers, others {usual}",
        "제안 거절률 {value}, 평균 {usual}",
    ),
    "tenure": Told(
        days, "under contract for {value}, others {usual}", "계약한 지 {value}, 평균 {usual}"
    ),
    "to_renewal": Told(
        days, "to be renewed in {value}, others {usual}", "계약 갱신까지 {value}, 평균 {usual}"
    ),
    "term_due": Told(
        _term,
        "the term that ends soon: {value}, others {usual}",
        "곧 끝나는 약정 {value}, 평균 {usual}",
    ),
    "price_rise": Told(
        _change, "the price lately: {value}, others {usual}", "최근 요금 변동 {value}, 평균 {usual}"
    ),
    "renewals": Told(
        count, "renewed {value} times, others {usual}", "갱신 {value}회, 평균 {usual}회"
    ),
    "period": Told(
        days, "pays for {value} at a time, others {usual}", "결제 주기 {value}, 평균 {usual}"
    ),
    "contracts": Told(
        count,
        "contracts running: {value}, others {usual}",
        "이용 중인 계약 {value}건, 평균 {usual}건",
    ),
    "given_up": Told(
        count,
        "contracts ended before: {value}, others {usual}",
        "끝난 계약 {value}건, 평균 {usual}건",
    ),
}
FLAGS: dict[str, Flag] = {
    "once": Flag(
        ("came only once", "한 번만 접촉함"), ("has come back before", "다시 찾아온 적 있음")
    ),
    "trial": Flag(("still on trial", "체험 이용 중"), ("past any trial", "체험 이용이 아님")),
    "renewal_due": Flag(
        ("the contract's end is near", "계약 종료가 임박함"),
        ("the contract's end is far off", "계약 종료가 멀었음"),
    ),
    "unrenewed": Flag(
        ("the contract's end has passed, not renewed", "계약 기간이 지났고 갱신되지 않음"),
        ("the contract is within its period", "계약 기간 안에 있음"),
    ),
    "contract_ended": Flag(
        ("the contract has ended", "계약이 끝남"), ("never had a contract", "계약한 적 없음")
    ),
}
JUST_NOW = 0.05  # days: of who is here there is no silence to tell
HERE = Told(days, "in touch just now, usually every {usual}", "방금 접촉함, 보통 {usual} 간격")
PLAIN = {
    BASE: ("what all customers share", "전체 고객의 공통 위험"),
    OTHER: ("everything else", "그 밖의 모든 요인"),
}
