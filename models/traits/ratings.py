"""Stars and points that customers give in Korean, on a scale of weights as the lexicon's.

Three of five says neither, one -3, five 3; other scales by the share that was given. A number
without its scale is none ("5점 드려요"), and irony is taken at its word.
"""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final = {
    "영": 0, "반": 0.5, "한": 1, "하나": 1, "두": 2, "둘": 2, "세": 3, "셋": 3, "네": 4, "넷": 4,
    "다섯": 5, "열": 10,
}  # fmt: skip
_NUMBER: Final = rf"(?:[0-9]{{1,3}}(?:\.[0-9]{{1,2}})?|{'|'.join(_WORDS)})"
_END: Final = r"(?:\s?[점개]|(?![0-9가-힣]))"  # of a number that is told
_STARS: Final = r"별(?<![가-힣]별)\s?"
_RATING: Final = re.compile(
    r"(?=[0-9별평영반하한두둘세셋네넷다열★⭐])(?:"
    # 5점 만점에 1점, 별 다섯 개 만점에 하나
    rf"(?:{_STARS})?(?P<scale>{_NUMBER})\s?[점개]?\s?만점\s?(?:에서|중에|에|중)?\s?"
    rf"(?:별점?\s?)?(?P<of>{_NUMBER}){_END}"
    # 별 다섯 개 중 하나
    rf"|{_STARS}(?P<stars>{_NUMBER})\s?개\s?중(?:에서|에)?\s?(?P<among>{_NUMBER}){_END}"
    # 별점 4.5, 평점은 3점
    rf"|(?:별점|평점)\s?[은이도:]?\s?(?P<mark>{_NUMBER}){_END}"
    # 별 하나, 별 한 개, 별 5개
    rf"|{_STARS}(?P<given>{_NUMBER}\s?개"
    r"|(?:하나|둘|셋|넷|다섯)(?:(?![가-힣])|(?=[도만이를을입임예에요줍줘준드짜])))"
    # ★★★★☆
    r"|(?P<drawn>[★⭐](?<![★⭐]{2})[★⭐]{0,4}☆{0,4})(?![★⭐☆])"
    r")"
)


def ratings(text: str) -> tuple[list[float], str]:
    """Return the weights of the ratings in a text, and the text without them."""
    weights: list[float] = []

    def taken(found: re.Match[str]) -> str:
        weight = _weight(found)
        if weight is None:
            return found.group()
        weights.append(weight)
        return " "

    rest = _RATING.sub(taken, text)
    return weights, rest


def _weight(found: re.Match[str]) -> float | None:
    """Return what a rating weighs; None when it is none."""
    said = found.groupdict()
    if drawn := said["drawn"]:
        return _of(len(drawn) - drawn.count("☆"), 5) if len(drawn) == 5 else None
    if scale := said["scale"]:
        return _of(_number(said["of"]), _number(scale))
    if stars := said["stars"]:
        return _of(_number(said["among"]), _number(stars))
    given = _number((said["mark"] or said["given"]).removesuffix("개").rstrip())
    return _of(given, 5 if given <= 5 else 10)


def _number(text: str) -> float:
    return _WORDS[text] if text in _WORDS else float(text)


def _of(given: float, scale: float) -> float | None:
    if given > scale or scale < 5:
        return None
    return max(-3.0, (given / scale - 0.6) * 7.5)
